// How a kernel's operands and results lie in memory, and the loops between that and the tensors it computes with.
#pragma once

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace tenon {

/// The buffer of a tensor: dense and row-major, of elements that memory has. It has the tensor's `?`, in order. Null
/// for i4 tensors of a dynamic shape whose rows do not fill whole bytes.
mlir::MemRefType bufferTypeOf(mlir::RankedTensorType type);

/// `stored`, a tensor of the buffer's type, as a tensor of `type`.
mlir::Value unpackElements(mlir::ImplicitLocOpBuilder &b, mlir::Value stored, mlir::RankedTensorType type);
/// The inverse.
mlir::Value packElements(mlir::ImplicitLocOpBuilder &b, mlir::Value tensor);

} // namespace tenon
