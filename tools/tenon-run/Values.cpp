#include "tools/tenon-run/Values.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/MLIRContext.h"

#include <cmath>
#include <cstring>

using namespace mlir;

namespace tenon::tool {

Type elementType(DataType type) {
  static MLIRContext context(MLIRContext::Threading::DISABLED);
  Builder builder(&context);
  switch (type) {
  case DataType::F64:
    return builder.getF64Type();
  case DataType::F32:
    return builder.getF32Type();
  case DataType::F16:
    return builder.getF16Type();
  case DataType::BF16:
    return builder.getBF16Type();
  case DataType::F8E4M3FN:
    return Float8E4M3FNType::get(&context);
  case DataType::F8E5M2:
    return Float8E5M2Type::get(&context);
  case DataType::U8:
    return builder.getIntegerType(8, /*isSigned=*/false);
  default:
    return builder.getIntegerType(static_cast<unsigned>(bitsPerElement(type)));
  }
}

ReferenceTensor toNumbers(const TensorRef &tensor) {
  llvm::ArrayRef<char> bytes(static_cast<const char *>(tensor.data), static_cast<size_t>(tensor.bytes()));
  ReferenceTensor numbers = *ReferenceTensor::fromStorage(elementType(tensor.dtype), tensor.shape, bytes);
  if (tensor.dtype == DataType::U8)
    for (int64_t &value : numbers.integers)
      value &= 255;
  return numbers;
}

Result<Tensor> toTensor(const ReferenceTensor &numbers, DataType type) {
  ReferenceTensor converted(elementType(type), numbers.shape);
  for (int64_t i = 0, count = numbers.size(); i < count; ++i)
    if (converted.isFloat())
      converted.floats[i] = numbers.at(i);
    else if (type == DataType::I1)
      converted.integers[i] = numbers.at(i) != 0;
    else
      converted.integers[i] = numbers.isFloat() ? static_cast<int64_t>(numbers.floats[i]) : numbers.integers[i];
  std::vector<char> bytes = converted.toStorage();
  TENON_TRY_ASSIGN(Tensor tensor, Tensor::allocate(type, {numbers.shape.begin(), numbers.shape.end()}));
  if (!bytes.empty())
    std::memcpy(tensor.buffer.data(), bytes.data(), bytes.size());
  return tensor;
}

std::string indexText(llvm::ArrayRef<int64_t> shape, int64_t offset) {
  std::vector<int64_t> index(shape.size());
  for (size_t d = shape.size(); d-- > 0;) {
    index[d] = shape[d] ? offset % shape[d] : 0;
    offset = shape[d] ? offset / shape[d] : 0;
  }
  return shapeText(index);
}

} // namespace tenon::tool
