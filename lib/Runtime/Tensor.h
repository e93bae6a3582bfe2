// A dense row-major tensor in memory that someone else owns, of the host or of a GPU, and one with its own memory.
#pragma once

#include "lib/Support/DataType.h"
#include "lib/Support/Status.h"

#include <memory>
#include <string>
#include <vector>

namespace tenon {

struct TensorRef {
  void *data = nullptr;
  DataType dtype = DataType::F32;
  std::vector<int64_t> shape;
  static constexpr int32_t host = -1;
  int32_t device = host; ///< the number of the GPU whose memory it is in, or `host`

  int64_t bytes() const { return bytesOfShape(dtype, shape).value_or(0); }
};

/// 64-byte aligned memory; never null, so that empty tensors have an address too.
class AlignedBuffer {
public:
  AlignedBuffer() = default;
  static Result<AlignedBuffer> allocate(int64_t bytes);

  void *data() const { return memory.get(); }
  int64_t size() const { return bytes; }

private:
  std::shared_ptr<void> memory;
  int64_t bytes = 0;
};

struct Tensor {
  DataType dtype = DataType::F32;
  std::vector<int64_t> shape;
  AlignedBuffer buffer;

  static Result<Tensor> allocate(DataType dtype, std::vector<int64_t> shape);
  TensorRef ref() const { return {buffer.data(), dtype, shape}; }
};

/// "host memory", "cuda:1".
std::string placeText(int32_t device);

/// "[2, 16, 384]".
std::string shapeText(const std::vector<int64_t> &shape);

} // namespace tenon
