#include "lib/Runtime/CudaDevice.h"

#include <utility>

namespace tenon::cuda {

static constexpr int64_t granularity = 512;                 // what the driver rounds to
static constexpr int64_t maxKeptBytes = int64_t(256) << 20; // of freed blocks, for later allocations
static constexpr int64_t maxBlockBytes = int64_t(1) << 46;  // more is no GPU's

//===--- opening -------------------------------------------------------------------------------------------------===//

Result<int> Device::count() {
  TENON_TRY_ASSIGN(const Driver *driver, Driver::get());
  int count = 0;
  if (CUresult result = driver->cuDeviceGetCount(&count); result != CUDA_SUCCESS)
    return unsupported("cuDeviceGetCount: " + driver->describe(result));
  return count;
}

Result<std::shared_ptr<Device>> Device::open(int index) {
  static std::mutex mutex;
  static auto *devices = new std::map<std::pair<const Driver *, int>, std::weak_ptr<Device>>;
  TENON_TRY_ASSIGN(const Driver *driver, Driver::get());
  TENON_TRY_ASSIGN(int available, count());
  if (index < 0 || index >= available)
    return invalidArgument("there is no GPU " + std::to_string(index) + ": this process sees " +
                           std::to_string(available) + ", numbered from 0 (CUDA_VISIBLE_DEVICES chooses them)");
  std::lock_guard<std::mutex> lock(mutex);
  std::weak_ptr<Device> &known = (*devices)[{driver, index}];
  if (std::shared_ptr<Device> device = known.lock())
    return device;
  std::shared_ptr<Device> device(new Device);
  device->api = driver;
  device->ordinal = index;
  device->fullName = "cuda:" + std::to_string(index);
  char name[128] = "";
  int major = 0, minor = 0, shared = 0, sms = 0;
  TENON_TRY(device->check(driver->cuDeviceGet(&device->device, index), "cuDeviceGet"));
  TENON_TRY(device->check(driver->cuDeviceGetName(name, sizeof name, device->device), "cuDeviceGetName"));
  device->fullName += " (" + std::string(name) + ")";
  for (auto [attribute, into] : {std::pair(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, &major),
                                 std::pair(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, &minor),
                                 std::pair(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, &shared),
                                 std::pair(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, &sms)})
    TENON_TRY(device->check(driver->cuDeviceGetAttribute(into, attribute, device->device), "cuDeviceGetAttribute"));
  device->computeCapability = 10 * major + minor;
  device->maxShared = shared;
  device->smCount = sms;
  TENON_TRY(
      device->check(driver->cuDevicePrimaryCtxRetain(&device->context, device->device), "cuDevicePrimaryCtxRetain"));
  known = device;
  return device;
}

Device::~Device() {
  if (!context)
    return;
  freeCaches();
  freeCaches(); // what could not be freed the first time
  api->cuDevicePrimaryCtxRelease(device);
}

//===--- errors --------------------------------------------------------------------------------------------------===//

Status Device::lost() const {
  if (!isLost.load(std::memory_order_acquire))
    return {};
  std::lock_guard<std::mutex> lock(mutex);
  return deviceError(firstError);
}

Status Device::failed(CUresult result, const char *call, std::string_view kernels) {
  std::string message = name() + ": " + call + ": " + api->describe(result);
  if (!kernels.empty())
    message += ", at " + std::string(kernels);
  switch (classify(result)) {
  case ErrorClass::None:
    return {};
  case ErrorClass::Caller:
    if (result == CUDA_ERROR_INVALID_IMAGE || result == CUDA_ERROR_NO_BINARY_FOR_GPU)
      return unsupported(message);
    return result == CUDA_ERROR_NOT_FOUND ? notFound(message) : internalError(message);
  case ErrorClass::Recoverable:
    return outOfMemory(message);
  case ErrorClass::Fatal:
    break;
  }
  std::lock_guard<std::mutex> lock(mutex);
  if (!isLost.load(std::memory_order_relaxed)) {
    firstError = message + ". The GPU is lost to this process: start it anew" +
                 (kernels.empty() ? "" : "; TENON_CHECK=1 waits for every kernel and so names the one that failed");
    isLost.store(true, std::memory_order_release);
  }
  return deviceError(firstError);
}

//===--- memory --------------------------------------------------------------------------------------------------===//

Status Device::memoryInfo(int64_t &free, int64_t &total) {
  Current current(*this);
  TENON_TRY(current.status);
  size_t freeBytes = 0, totalBytes = 0;
  TENON_TRY(check(api->cuMemGetInfo(&freeBytes, &totalBytes), "cuMemGetInfo"));
  free = static_cast<int64_t>(freeBytes);
  total = static_cast<int64_t>(totalBytes);
  return {};
}

Status Device::memoryError(int64_t bytes, std::string_view what) {
  int64_t free = 0, total = 0;
  std::string known = memoryInfo(free, total).ok()
                          ? std::to_string(free) + " of its " + std::to_string(total) + " bytes are free"
                          : "how much is free cannot be told";
  return outOfMemory(name() + ": no memory for " + std::to_string(bytes) + " bytes of " + std::string(what) + "; " +
                     known +
                     ": use smaller sizes, free tensors of other libraries (torch.cuda.empty_cache()), or end " +
                     "other programs on this GPU");
}

// `allocate` is the driver's call; a result other than out of memory is not tried again.
template <typename Allocate>
Status Device::withRetry(int64_t bytes, std::string_view what, const char *call, Allocate allocate) {
  TENON_TRY(lost());
  Current current(*this);
  TENON_TRY(current.status);
  CUresult result = allocate();
  if (classify(result) == ErrorClass::Recoverable) {
    freeCaches();
    result = allocate();
  }
  if (classify(result) == ErrorClass::Recoverable)
    return memoryError(bytes, what);
  return check(result, call);
}

Result<Memory> Device::allocate(int64_t bytes, std::string_view what) {
  if (bytes < 0 || bytes > maxBlockBytes)
    return memoryError(bytes, what);
  int64_t rounded = std::max(granularity, (bytes + granularity - 1) / granularity * granularity);
  {
    std::lock_guard<std::mutex> lock(mutex);
    if (auto found = kept.lower_bound(rounded); found != kept.end() && found->first <= rounded + rounded / 4) {
      Memory memory(shared_from_this(), found->second, found->first);
      keptBytes -= found->first;
      kept.erase(found);
      return memory;
    }
  }
  CUdeviceptr address = 0;
  TENON_TRY(
      withRetry(bytes, what, "cuMemAlloc", [&] { return api->cuMemAlloc(&address, static_cast<size_t>(rounded)); }));
  return Memory(shared_from_this(), address, rounded);
}

void Device::release(CUdeviceptr address, int64_t bytes) {
  {
    std::lock_guard<std::mutex> lock(mutex);
    keptBytes += bytes;
    kept.emplace(bytes, address);
    if (!isLost.load(std::memory_order_relaxed) && keptBytes <= maxKeptBytes)
      return;
  }
  freeCaches();
}

// Without a current context nothing can be freed: then the blocks are kept.
void Device::freeCaches() {
  Current current(*this);
  if (!current.status.ok())
    return;
  std::multimap<int64_t, CUdeviceptr> blocks;
  {
    std::lock_guard<std::mutex> lock(mutex);
    blocks.swap(kept);
    keptBytes = 0;
  }
  for (auto [bytes, address] : blocks)
    api->cuMemFree(address);
}

Result<void *> Device::allocatePinned(int64_t bytes) {
  void *pinned = nullptr;
  TENON_TRY(withRetry(bytes, "page-locked host memory", "cuMemHostAlloc",
                      [&] { return api->cuMemHostAlloc(&pinned, static_cast<size_t>(bytes), 0); }));
  return pinned;
}

void Device::freePinned(void *pinned) {
  Current current(*this);
  api->cuMemFreeHost(pinned);
}

//===--- handles -------------------------------------------------------------------------------------------------===//

Result<Stream> makeStream(Device &device) {
  CUstream stream = nullptr;
  TENON_TRY(device.check(device.driver().cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING), "cuStreamCreate"));
  return Stream(device.shared_from_this(), stream);
}

Result<Event> makeEvent(Device &device, unsigned int flags) {
  CUevent event = nullptr;
  TENON_TRY(device.check(device.driver().cuEventCreate(&event, flags), "cuEventCreate"));
  return Event(device.shared_from_this(), event);
}

} // namespace tenon::cuda
