// One GPU: its primary context, what was allocated there, and whether it still works. Driver errors become a Status
// here and nowhere else. After a fatal one (an illegal address, say) the driver fails every call of the process; the
// device keeps the first and answers each later call with it at once, so that the cause is not buried.
//
// Owners free what they own when they end. They must see to it that no queued work uses it then.
#pragma once

#include "lib/Runtime/CudaDriver.h"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>
#include <type_traits>
#include <utility>

namespace tenon::cuda {

class Memory;

class Device : public std::enable_shared_from_this<Device> {
public:
  /// The one object for GPU `index` of this process, alive as long as someone holds it.
  static Result<std::shared_ptr<Device>> open(int index);
  static Result<int> count();
  ~Device();

  const Driver &driver() const { return *api; }
  int index() const { return ordinal; }
  /// 90 for compute capability 9.0.
  int capability() const { return computeCapability; }
  /// Bytes of shared memory a CTA may have.
  int64_t sharedMemory() const { return maxShared; }
  /// Multiprocessors.
  int64_t numSms() const { return smCount; }
  /// "cuda:0 (NVIDIA H200)".
  const std::string &name() const { return fullName; }

  /// The first fatal error, or success: to be asked before work begins.
  Status lost() const;
  /// Success, or the typed error of `call`; a fatal one is kept. `kernels`: what was running, for the message, or a
  /// function that tells it.
  template <typename Kernels = std::string_view>
  Status check(CUresult result, const char *call, const Kernels &kernels = {}) {
    if (result == CUDA_SUCCESS)
      return {};
    if constexpr (std::is_invocable_v<Kernels>)
      return failed(result, call, kernels());
    else
      return failed(result, call, kernels);
  }

  /// Device memory, a multiple of 256 in address. Freed blocks are kept for the next; when memory is short they are
  /// given back to the driver and the allocation is tried once more.
  Result<Memory> allocate(int64_t bytes, std::string_view what);
  /// The same for page-locked host memory, from which copies are asynchronous.
  Result<void *> allocatePinned(int64_t bytes);
  void freePinned(void *pinned);
  /// Gives kept blocks back to the driver.
  void freeCaches();
  /// Bytes of the GPU that nobody has, and all of them.
  Status memoryInfo(int64_t &free, int64_t &total);

private:
  friend class Memory;
  friend class Current;
  Device() = default;
  Status failed(CUresult result, const char *call, std::string_view kernels);
  Status memoryError(int64_t bytes, std::string_view what);
  template <typename Allocate>
  Status withRetry(int64_t bytes, std::string_view what, const char *call, Allocate allocate);
  void release(CUdeviceptr address, int64_t bytes);

  const Driver *api = nullptr;
  int ordinal = 0, computeCapability = 0;
  CUdevice device = 0;
  CUcontext context = nullptr;
  int64_t maxShared = 0, smCount = 1;
  std::string fullName;
  mutable std::mutex mutex;
  std::atomic<bool> isLost{false};
  std::string firstError;
  std::multimap<int64_t, CUdeviceptr> kept; ///< freed blocks by size
  int64_t keptBytes = 0;
};

/// Makes the device's context current in this thread for a scope; the one before comes back at its end.
class Current {
public:
  explicit Current(Device &device) : device(device) {
    status = device.check(device.driver().cuCtxPushCurrent(device.context), "cuCtxPushCurrent");
  }
  ~Current() {
    CUcontext popped;
    if (status.ok())
      device.driver().cuCtxPopCurrent(&popped);
  }
  Current(const Current &) = delete;
  Current &operator=(const Current &) = delete;

  Status status;

private:
  Device &device;
};

/// A block of device memory.
class Memory {
public:
  Memory() = default;
  Memory(std::shared_ptr<Device> device, CUdeviceptr address, int64_t bytes)
      : device(std::move(device)), address(address), bytes(bytes) {}
  Memory(Memory &&other) noexcept { swap(other); }
  Memory &operator=(Memory &&other) noexcept {
    Memory taken(std::move(other));
    swap(taken);
    return *this;
  }
  ~Memory() {
    if (device)
      device->release(address, bytes);
  }

  CUdeviceptr get() const { return address; }
  char *data() const { return reinterpret_cast<char *>(address); }
  int64_t size() const { return bytes; }

private:
  void swap(Memory &other) {
    std::swap(device, other.device);
    std::swap(address, other.address);
    std::swap(bytes, other.bytes);
  }
  std::shared_ptr<Device> device;
  CUdeviceptr address = 0;
  int64_t bytes = 0;
};

/// A handle of the driver with the call that ends it.
template <typename Handle, CUresult (*Driver::*destroy)(Handle)>
class Owned {
public:
  Owned() = default;
  Owned(std::shared_ptr<Device> device, Handle handle) : device(std::move(device)), handle(handle) {}
  Owned(Owned &&other) noexcept : device(std::move(other.device)), handle(std::exchange(other.handle, nullptr)) {}
  Owned &operator=(Owned &&other) noexcept {
    std::swap(device, other.device);
    std::swap(handle, other.handle);
    return *this;
  }
  ~Owned() {
    if (!handle)
      return;
    Current current(*device);
    (device->driver().*destroy)(handle);
  }
  Handle get() const { return handle; }
  explicit operator bool() const { return handle != nullptr; }

private:
  std::shared_ptr<Device> device;
  Handle handle = nullptr;
};

using Stream = Owned<CUstream, &Driver::cuStreamDestroy>;
using Event = Owned<CUevent, &Driver::cuEventDestroy>;
using Module = Owned<CUmodule, &Driver::cuModuleUnload>;
using GraphTemplate = Owned<CUgraph, &Driver::cuGraphDestroy>;
using GraphExec = Owned<CUgraphExec, &Driver::cuGraphExecDestroy>;

/// The device's context must be current for these.
Result<Stream> makeStream(Device &device);
/// `flags`: 0 for one that tells the time.
Result<Event> makeEvent(Device &device, unsigned int flags = CU_EVENT_DISABLE_TIMING);

} // namespace tenon::cuda
