#include "lib/Runtime/Tensor.h"

#include <cstdlib>

namespace tenon {

Result<AlignedBuffer> AlignedBuffer::allocate(int64_t bytes) {
  if (bytes < 0 || bytes > INT64_MAX - 128)
    return outOfMemory("a buffer of " + std::to_string(bytes) + " bytes cannot exist");
  size_t rounded = (static_cast<size_t>(bytes) + 63) / 64 * 64;
  void *memory = std::aligned_alloc(64, rounded ? rounded : 64);
  if (!memory)
    return outOfMemory("no memory for a buffer of " + std::to_string(bytes) + " bytes");
  AlignedBuffer buffer;
  buffer.memory = std::shared_ptr<void>(memory, std::free);
  buffer.bytes = bytes;
  return buffer;
}

Result<Tensor> Tensor::allocate(DataType dtype, std::vector<int64_t> shape) {
  std::optional<int64_t> bytes = bytesOfShape(dtype, shape);
  if (!bytes)
    return invalidArgument("the size of a tensor " + shapeText(shape) + " overflows 64 bits");
  TENON_TRY_ASSIGN(AlignedBuffer buffer, AlignedBuffer::allocate(*bytes));
  return Tensor{dtype, std::move(shape), std::move(buffer)};
}

std::string placeText(int32_t device) {
  return device == TensorRef::host ? "host memory" : "cuda:" + std::to_string(device);
}

std::string shapeText(const std::vector<int64_t> &shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

} // namespace tenon
