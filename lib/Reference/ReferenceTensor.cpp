// Storage conversion and index arithmetic of reference tensors.
#include "lib/Reference/ReferenceTensor.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/bit.h"

#include <cstring>

using namespace mlir;
using llvm::ArrayRef;

namespace tenon {

ReferenceTensor::ReferenceTensor(Type elementType, ArrayRef<int64_t> shape)
    : elementType(elementType), shape(shape.begin(), shape.end()) {
  if (isFloat())
    floats.resize(numElements(shape));
  else
    integers.resize(numElements(shape));
}

int64_t ReferenceTensor::size() const { return numElements(shape); }

double roundTo(Type floatType, double value) {
  if (floatType.isF64())
    return value;
  if (floatType.isF32())
    return static_cast<double>(static_cast<float>(value));
  llvm::APFloat wide(value);
  bool losesInfo;
  wide.convert(cast<FloatType>(floatType).getFloatSemantics(), llvm::APFloat::rmNearestTiesToEven, &losesInfo);
  return wide.convertToDouble();
}

static int64_t wrapTo(unsigned width, int64_t value) {
  if (width == 1)
    return value & 1;
  if (width >= 64)
    return value;
  uint64_t shifted = static_cast<uint64_t>(value) << (64 - width);
  return static_cast<int64_t>(shifted) >> (64 - width);
}

void ReferenceTensor::wrapIntegers() {
  if (isFloat() || elementType.getIntOrFloatBitWidth() >= 64)
    return;
  for (int64_t &value : integers)
    value = wrapTo(elementType.getIntOrFloatBitWidth(), value);
}

void ReferenceTensor::roundToStorage() {
  wrapIntegers();
  if (!isFloat() || elementType.isF64())
    return;
  for (double &value : floats)
    value = roundTo(elementType, value);
}

static int64_t storageBytes(Type elementType, int64_t count) {
  unsigned width = elementType.getIntOrFloatBitWidth();
  if (width == 4)
    return (count + 1) / 2;
  return count * (width == 1 ? 1 : width / 8);
}

llvm::FailureOr<ReferenceTensor> ReferenceTensor::fromStorage(Type elementType, ArrayRef<int64_t> shape,
                                                              ArrayRef<char> bytes) {
  ReferenceTensor tensor(elementType, shape);
  int64_t count = tensor.size();
  if (static_cast<int64_t>(bytes.size()) != storageBytes(elementType, count))
    return failure();
  unsigned width = elementType.getIntOrFloatBitWidth();
  for (int64_t i = 0; i < count; ++i) {
    uint64_t bits = 0;
    if (width == 4)
      bits = (static_cast<unsigned char>(bytes[i / 2]) >> (i % 2 * 4)) & 15;
    else if (width == 1)
      bits = bytes[i] != 0;
    else
      std::memcpy(&bits, bytes.data() + i * (width / 8), width / 8);
    if (!tensor.isFloat()) {
      tensor.integers[i] = wrapTo(width, static_cast<int64_t>(bits));
    } else if (elementType.isF32()) {
      tensor.floats[i] = llvm::bit_cast<float>(static_cast<uint32_t>(bits));
    } else {
      llvm::APFloat value(cast<FloatType>(elementType).getFloatSemantics(), llvm::APInt(width, bits));
      tensor.floats[i] = value.convertToDouble();
    }
  }
  return tensor;
}

std::vector<char> ReferenceTensor::toStorage() const {
  std::vector<char> bytes(storageBytes(elementType, size()));
  unsigned width = elementType.getIntOrFloatBitWidth();
  for (int64_t i = 0, count = size(); i < count; ++i) {
    uint64_t bits;
    if (!isFloat()) {
      bits = static_cast<uint64_t>(wrapTo(width, integers[i]));
    } else {
      llvm::APFloat value(floats[i]);
      bool losesInfo;
      value.convert(cast<FloatType>(elementType).getFloatSemantics(), llvm::APFloat::rmNearestTiesToEven, &losesInfo);
      bits = value.bitcastToAPInt().getZExtValue();
    }
    if (width == 4)
      bytes[i / 2] = static_cast<char>(bytes[i / 2] | (bits & 15) << (i % 2 * 4));
    else if (width == 1)
      bytes[i] = static_cast<char>(bits & 1);
    else
      std::memcpy(bytes.data() + i * (width / 8), &bits, width / 8);
  }
  return bytes;
}

int64_t numElements(ArrayRef<int64_t> shape) {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return count;
}

ReferenceShape stridesOf(ArrayRef<int64_t> shape) {
  ReferenceShape strides(shape.size(), 1);
  for (int64_t d = static_cast<int64_t>(shape.size()) - 2; d >= 0; --d)
    strides[d] = strides[d + 1] * shape[d + 1];
  return strides;
}

void forEachIndex(ArrayRef<int64_t> shape, llvm::function_ref<void(ArrayRef<int64_t>, int64_t)> body) {
  ReferenceShape index(shape.size(), 0);
  for (int64_t offset = 0, count = numElements(shape); offset < count; ++offset) {
    body(index, offset);
    for (int64_t d = static_cast<int64_t>(shape.size()) - 1; d >= 0 && ++index[d] == shape[d]; --d)
      index[d] = 0;
  }
}

llvm::FailureOr<ReferenceShape> broadcastShapes(ArrayRef<int64_t> a, ArrayRef<int64_t> b) {
  if (a.size() < b.size())
    std::swap(a, b);
  ReferenceShape result(a.begin(), a.end());
  size_t missing = a.size() - b.size();
  for (size_t d = 0; d < b.size(); ++d) {
    int64_t &size = result[missing + d];
    if (size == 1)
      size = b[d];
    else if (b[d] != 1 && b[d] != size)
      return failure();
  }
  return result;
}

int64_t broadcastOffset(ArrayRef<int64_t> shape, ArrayRef<int64_t> index) {
  ArrayRef<int64_t> inner = index.take_back(shape.size());
  int64_t offset = 0;
  for (auto [size, i] : llvm::zip_equal(shape, inner))
    offset = offset * size + (size == 1 ? 0 : i);
  return offset;
}

} // namespace tenon
