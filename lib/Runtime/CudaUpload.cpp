#include "lib/Runtime/CudaUpload.h"

#include <algorithm>
#include <cstring>

namespace tenon::cuda {

static constexpr int64_t chunkBytes = 8 << 20; // a copy of that size has the full rate of the bus

Upload::~Upload() {
  if (isUnderWay)
    (void)finish();
  for (Buffer &buffer : buffers)
    if (buffer.data)
      device.freePinned(buffer.data);
}

Status Upload::finish() {
  isUnderWay = false;
  return device.check(device.driver().cuStreamSynchronize(stream), "cuStreamSynchronize", "upload of weights");
}

Result<Upload::Buffer *> Upload::nextBuffer() {
  Buffer &buffer = buffers[next];
  next = 1 - next;
  if (!buffer.data) {
    TENON_TRY_ASSIGN(void *pinned, device.allocatePinned(chunkBytes));
    buffer.data = static_cast<char *>(pinned);
    TENON_TRY_ASSIGN(buffer.free, makeEvent(device));
  }
  if (buffer.isBusy)
    TENON_TRY(
        device.check(device.driver().cuEventSynchronize(buffer.free.get()), "cuEventSynchronize", "upload of weights"));
  buffer.isBusy = false;
  return &buffer;
}

Status Upload::copy(char *to, const TensorRef &from, int64_t bytes) {
  const Driver &driver = device.driver();
  auto address = [](const char *data) { return reinterpret_cast<CUdeviceptr>(data); };
  auto *source = static_cast<const char *>(from.data);
  if (bytes && from.device != TensorRef::host) {
    isUnderWay = true;
    return device.check(driver.cuMemcpyDtoDAsync(address(to), address(source), static_cast<size_t>(bytes), stream),
                        "cuMemcpyDtoDAsync");
  }
  for (int64_t at = 0; at < bytes; at += chunkBytes) {
    auto size = static_cast<size_t>(std::min(chunkBytes, bytes - at));
    TENON_TRY_ASSIGN(Buffer * buffer, nextBuffer());
    std::memcpy(buffer->data, source + at, size);
    isUnderWay = true;
    TENON_TRY(
        device.check(driver.cuMemcpyHtoDAsync(address(to + at), buffer->data, size, stream), "cuMemcpyHtoDAsync"));
    buffer->isBusy = true;
    TENON_TRY(device.check(driver.cuEventRecord(buffer->free.get(), stream), "cuEventRecord"));
  }
  return {};
}

} // namespace tenon::cuda
