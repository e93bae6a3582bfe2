#include "lib/Runtime/CudaDriver.h"

#include <cstdlib>
#include <dlfcn.h>
#include <map>
#include <mutex>

namespace tenon::cuda {

static constexpr int leastVersion = 12000;

static std::string versionText(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

std::string Driver::describe(CUresult result) const {
  const char *name = nullptr, *text = nullptr;
  if (cuGetErrorName(result, &name) != CUDA_SUCCESS || !name)
    name = "CUDA error";
  if (cuGetErrorString(result, &text) != CUDA_SUCCESS || !text)
    text = "unknown to this driver";
  return std::string(name) + " (" + std::to_string(result) + "): " + text;
}

ErrorClass classify(CUresult result) {
  switch (result) {
  case CUDA_SUCCESS:
    return ErrorClass::None;
  case CUDA_ERROR_OUT_OF_MEMORY:
    return ErrorClass::Recoverable;
  case CUDA_ERROR_DEINITIALIZED:
  case 214: // ECC_UNCORRECTABLE
  case 220: // NVLINK_UNCORRECTABLE
  case 226: // CONTAINED
  case CUDA_ERROR_ILLEGAL_ADDRESS:
  case 702: // LAUNCH_TIMEOUT
  case 709: // CONTEXT_IS_DESTROYED
  case 710: // ASSERT
  case 714: // HARDWARE_STACK_ERROR
  case 715: // ILLEGAL_INSTRUCTION
  case 716: // MISALIGNED_ADDRESS
  case 717: // INVALID_ADDRESS_SPACE
  case 718: // INVALID_PC
  case 719: // LAUNCH_FAILED
  case 721: // TENSOR_MEMORY_LEAK
  case 810: // MPS_CLIENT_TERMINATED
  case 911: // EXTERNAL_DEVICE
  case 999: // UNKNOWN
    return ErrorClass::Fatal;
  default:
    return ErrorClass::Caller;
  }
}

static Status resolve(void *library, Driver &driver) {
  auto symbol = [&](const char *name, auto &into) {
    into = reinterpret_cast<std::decay_t<decltype(into)>>(::dlsym(library, name));
    return into != nullptr;
  };
  if (!symbol("cuDriverGetVersion", driver.cuDriverGetVersion) ||
      driver.cuDriverGetVersion(&driver.version) != CUDA_SUCCESS)
    return unsupported("'" + driver.path + "' is not a CUDA driver");
  std::string old = "the CUDA driver '" + driver.path + "' speaks CUDA " + versionText(driver.version) + ", at least " +
                    versionText(leastVersion) + " is needed: update the NVIDIA driver of this machine";
  if (driver.version < leastVersion)
    return unsupported(old);
#define TENON_CUDA_RESOLVE(name, text, parameters)                                                                     \
  if (!symbol(#text, driver.name))                                                                                     \
    return unsupported(old + " (it lacks " #text ")");
  TENON_CUDA_FUNCTIONS(TENON_CUDA_RESOLVE)
#undef TENON_CUDA_RESOLVE
  symbol("cuFuncGetParamInfo", driver.cuFuncGetParamInfo);
  return {};
}

static Status initialize(const Driver &driver) {
  CUresult result = driver.cuInit(0);
  int count = 0;
  if (result == CUDA_SUCCESS)
    result = driver.cuDeviceGetCount(&count);
  if (result == CUDA_ERROR_NO_DEVICE || (result == CUDA_SUCCESS && count == 0))
    return notFound("the CUDA driver '" + driver.path +
                    "' finds no GPU: check nvidia-smi and CUDA_VISIBLE_DEVICES, or compile the model for the CPU");
  if (result != CUDA_SUCCESS)
    return unsupported("the CUDA driver '" + driver.path + "' cannot start: " + driver.describe(result) +
                       ": check nvidia-smi, and that driver and kernel module are of one version");
  return {};
}

static std::mutex mutex; // of both below
static std::map<std::string, Driver> &providedDrivers() {
  static auto *drivers = new std::map<std::string, Driver>;
  return *drivers;
}

void Driver::provide(const std::string &name, const Driver &driver) {
  std::lock_guard<std::mutex> lock(mutex);
  providedDrivers()[name] = driver;
}

static Result<std::unique_ptr<Driver>> open(const std::string &path, bool isGiven) {
  auto driver = std::make_unique<Driver>();
  void *library = nullptr;
  if (auto found = providedDrivers().find(path.substr(0, path.find(':'))); found != providedDrivers().end()) {
    *driver = found->second;
  } else {
    library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) {
      const char *reason = ::dlerror();
      return notFound("no CUDA driver: " + std::string(reason ? reason : path) +
                      (isGiven ? ": TENON_CUDA_DRIVER names it"
                               : ": install the NVIDIA driver, name its libcuda.so.1 in TENON_CUDA_DRIVER, or "
                                 "compile the model for the CPU"));
    }
  }
  driver->path = path;
  if (library)
    if (Status status = resolve(library, *driver); !status.ok()) {
      ::dlclose(library);
      return status;
    }
  TENON_TRY(initialize(*driver));
  return driver;
}

Result<const Driver *> Driver::get() {
  // By path, so that a change of the variable is seen; what failed is tried again, as the machine may have been mended.
  static auto *drivers = new std::map<std::string, std::unique_ptr<Driver>>; // outlives every object that uses one
  const char *given = std::getenv("TENON_CUDA_DRIVER");
  bool isGiven = given && *given;
  std::string path = isGiven ? given : "libcuda.so.1";
  std::lock_guard<std::mutex> lock(mutex);
  if (auto found = drivers->find(path); found != drivers->end())
    return static_cast<const Driver *>(found->second.get());
  TENON_TRY_ASSIGN(std::unique_ptr<Driver> driver, open(path, isGiven));
  return static_cast<const Driver *>(((*drivers)[path] = std::move(driver)).get());
}

} // namespace tenon::cuda
