// Between the runtime's tensors, which are bytes, and tensors of numbers, which can be made up, converted and compared.
#pragma once

#include "lib/Reference/ReferenceTensor.h"
#include "lib/Runtime/Tensor.h"

namespace tenon::tool {

/// In the context that all tensors of the tool share; it knows no dialect.
mlir::Type elementType(DataType type);

ReferenceTensor toNumbers(const TensorRef &tensor);
/// Rounds to `type`; a number that is no integer is cut off where `type` is one, and `i1` is "not zero".
Result<Tensor> toTensor(const ReferenceTensor &numbers, DataType type);

/// "[3, 0, 1]": where the element at a row-major offset stands.
std::string indexText(llvm::ArrayRef<int64_t> shape, int64_t offset);

} // namespace tenon::tool
