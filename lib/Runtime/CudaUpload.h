// Copies what a model needs from host memory to the GPU: in chunks through two page-locked buffers, so that reading the
// file (page faults of a mapping) and the copy over the bus go on at the same time.
#pragma once

#include "lib/Runtime/CudaDevice.h"
#include "lib/Runtime/Tensor.h"

namespace tenon::cuda {

class Upload {
public:
  Upload(Device &device, CUstream stream) : device(device), stream(stream) {}
  /// Waits for what is under way, also after an error: the buffers are read until then.
  ~Upload();
  Upload(const Upload &) = delete;
  Upload &operator=(const Upload &) = delete;

  /// `from` in host memory or on the same GPU.
  Status copy(char *to, const TensorRef &from, int64_t bytes);
  /// Waits until everything has arrived.
  Status finish();

private:
  struct Buffer {
    char *data = nullptr;
    Event free; ///< recorded after the copy that reads it
    bool isBusy = false;
  };
  Result<Buffer *> nextBuffer();

  Device &device;
  CUstream stream;
  Buffer buffers[2];
  int next = 0;
  bool isUnderWay = false;
};

} // namespace tenon::cuda
