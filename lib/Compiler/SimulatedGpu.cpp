// Device memory is this process's, and all is done when it is queued, but what a graph records.
#include "lib/Compiler/SimulatedGpu.h"

#include "lib/Compiler/SimulatedKernels.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <mutex>

// The driver's handles.
namespace tenon::cuda {
struct CUctx_st {};
struct CUstream_st {
  CUgraph recording = nullptr;
};
struct CUevent_st {
  std::chrono::steady_clock::time_point recorded;
};
struct CUmod_st {
  std::unique_ptr<SimulatedModule> module;
  std::vector<std::unique_ptr<CUfunc_st>> functions;
};
struct CUfunc_st {
  const SimulatedModule *module;
  std::string kernel;
};
struct CUgraph_st {
  std::vector<simulated::Work> works;
};
struct CUgraphExec_st {
  std::vector<simulated::Work> works;
};
} // namespace tenon::cuda

namespace tenon::simulated {
namespace {

using namespace cuda;

constexpr size_t alignment = 256, memoryBytes = size_t(16) << 30;
constexpr int unwritten = 0xFF; // NaN in every float
constexpr int numSms = 4;       // so that CTAs take several programs each
std::recursive_mutex mutex;     // of modules and streams

/// The architecture that TENON_CUDA_DRIVER names: 90 in sim:sm_90a.
int capability() {
  const char *given = std::getenv("TENON_CUDA_DRIVER");
  const char *arch = given ? std::strstr(given, "sm_") : nullptr;
  return arch ? std::atoi(arch + 3) : 90;
}

CUresult failed(const Status &status) {
  lastError() = status.message();
  return noSimulation;
}

CUresult queue(CUstream stream, Work work) {
  if (!stream || !stream->recording)
    return work();
  stream->recording->works.push_back(std::move(work));
  return CUDA_SUCCESS;
}

CUresult copy(void *to, const void *from, size_t bytes, CUstream stream) {
  return queue(stream, [=] {
    std::memmove(to, from, bytes);
    return CUDA_SUCCESS;
  });
}

void *pointer(CUdeviceptr address) { return reinterpret_cast<void *>(address); }

//===--- devices -------------------------------------------------------------------------------------------------===//

CUresult cuInit(unsigned int) { return CUDA_SUCCESS; }
CUresult cuDriverGetVersion(int *version) {
  *version = 13000;
  return CUDA_SUCCESS;
}
CUresult cuGetErrorName(CUresult result, const char **name) {
  *name = result == findings ? "findings" : result == noSimulation ? "no simulation" : "CUDA error";
  return CUDA_SUCCESS;
}
CUresult cuGetErrorString(CUresult result, const char **text) {
  *text = result == findings || result == noSimulation ? lastError().c_str() : "of the device simulator";
  return CUDA_SUCCESS;
}
CUresult cuDeviceGetCount(int *count) {
  *count = 1;
  return CUDA_SUCCESS;
}
CUresult cuDeviceGet(CUdevice *device, int index) {
  *device = index;
  return index == 0 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}
CUresult cuDeviceGetName(char *name, int size, CUdevice) {
  std::strncpy(name, "the device simulator", static_cast<size_t>(size));
  return CUDA_SUCCESS;
}
CUresult cuDeviceGetAttribute(int *value, int attribute, CUdevice) {
  *value = attribute == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR   ? capability() / 10
           : attribute == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR ? capability() % 10
           : attribute == CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT     ? numSms
                                                                       : 227 << 10;
  return CUDA_SUCCESS;
}
CUresult cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice) {
  static CUctx_st only;
  *context = &only;
  return CUDA_SUCCESS;
}
CUresult cuDevicePrimaryCtxRelease(CUdevice) { return CUDA_SUCCESS; }
CUresult cuCtxPushCurrent(CUcontext) { return CUDA_SUCCESS; }
CUresult cuCtxPopCurrent(CUcontext *context) { return cuDevicePrimaryCtxRetain(context, 0); }

//===--- memory --------------------------------------------------------------------------------------------------===//

CUresult cuMemGetInfo(size_t *free, size_t *total) {
  *free = *total = memoryBytes;
  return CUDA_SUCCESS;
}
CUresult cuMemHostAlloc(void **address, size_t bytes, unsigned int) {
  bytes = (std::max<size_t>(bytes, 1) + alignment - 1) / alignment * alignment;
  *address = bytes <= memoryBytes ? std::aligned_alloc(alignment, bytes) : nullptr;
  if (!*address)
    return CUDA_ERROR_OUT_OF_MEMORY;
  std::memset(*address, unwritten, bytes);
  return CUDA_SUCCESS;
}
CUresult cuMemFreeHost(void *address) {
  std::free(address);
  return CUDA_SUCCESS;
}
CUresult cuMemAlloc(CUdeviceptr *address, size_t bytes) {
  void *memory = nullptr;
  CUresult result = cuMemHostAlloc(&memory, bytes, 0);
  *address = reinterpret_cast<CUdeviceptr>(memory);
  return result;
}
CUresult cuMemFree(CUdeviceptr address) { return cuMemFreeHost(pointer(address)); }
CUresult cuMemcpyHtoDAsync(CUdeviceptr to, const void *from, size_t bytes, CUstream stream) {
  return copy(pointer(to), from, bytes, stream);
}
CUresult cuMemcpyDtoHAsync(void *to, CUdeviceptr from, size_t bytes, CUstream stream) {
  return copy(to, pointer(from), bytes, stream);
}
CUresult cuMemcpyDtoDAsync(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream) {
  return copy(pointer(to), pointer(from), bytes, stream);
}
CUresult cuMemsetD8Async(CUdeviceptr address, unsigned char value, size_t bytes, CUstream stream) {
  return queue(stream, [=] {
    std::memset(pointer(address), value, bytes);
    return CUDA_SUCCESS;
  });
}

//===--- streams and graphs --------------------------------------------------------------------------------------===//

CUresult cuStreamCreate(CUstream *stream, unsigned int) {
  *stream = new CUstream_st;
  return CUDA_SUCCESS;
}
CUresult cuStreamDestroy(CUstream stream) {
  delete stream;
  return CUDA_SUCCESS;
}
CUresult cuStreamSynchronize(CUstream) { return CUDA_SUCCESS; }
CUresult cuStreamWaitEvent(CUstream, CUevent, unsigned int) { return CUDA_SUCCESS; }
CUresult cuStreamBeginCapture(CUstream stream, int) {
  stream->recording = new CUgraph_st;
  return CUDA_SUCCESS;
}
CUresult cuStreamEndCapture(CUstream stream, CUgraph *graph) {
  *graph = stream->recording;
  stream->recording = nullptr;
  return CUDA_SUCCESS;
}
CUresult cuEventCreate(CUevent *event, unsigned int) {
  *event = new CUevent_st;
  return CUDA_SUCCESS;
}
CUresult cuEventDestroy(CUevent event) {
  delete event;
  return CUDA_SUCCESS;
}
CUresult cuEventRecord(CUevent event, CUstream) {
  event->recorded = std::chrono::steady_clock::now(); // all that was queued has run
  return CUDA_SUCCESS;
}
CUresult cuEventElapsedTime(float *milliseconds, CUevent begin, CUevent end) {
  *milliseconds = std::chrono::duration<float, std::milli>(end->recorded - begin->recorded).count();
  return CUDA_SUCCESS;
}
CUresult cuEventSynchronize(CUevent) { return CUDA_SUCCESS; }
CUresult cuGraphInstantiate(CUgraphExec *executable, CUgraph graph, unsigned long long) {
  *executable = new CUgraphExec_st{graph->works};
  return CUDA_SUCCESS;
}
CUresult cuGraphDestroy(CUgraph graph) {
  delete graph;
  return CUDA_SUCCESS;
}
CUresult cuGraphExecDestroy(CUgraphExec executable) {
  delete executable;
  return CUDA_SUCCESS;
}
CUresult cuGraphLaunch(CUgraphExec executable, CUstream) {
  std::lock_guard<std::recursive_mutex> lock(mutex);
  for (const Work &work : executable->works)
    if (CUresult result = work())
      return result;
  return CUDA_SUCCESS;
}

//===--- kernels -------------------------------------------------------------------------------------------------===//

thread_local LaunchMemory nextLaunch;
void describeLaunch(const LaunchMemory &memory) { nextLaunch = memory; }

CUresult cuModuleLoadData(CUmodule *module, const void *image) {
  std::lock_guard<std::recursive_mutex> lock(mutex);
  Result<std::unique_ptr<SimulatedModule>> loaded = loadImage(static_cast<const char *>(image));
  if (!loaded.ok())
    return failed(loaded.status());
  *module = new CUmod_st{loaded.take(), {}};
  return CUDA_SUCCESS;
}
CUresult cuModuleUnload(CUmodule module) {
  std::lock_guard<std::recursive_mutex> lock(mutex);
  delete module;
  return CUDA_SUCCESS;
}
CUresult cuModuleGetFunction(CUfunction *function, CUmodule module, const char *symbol) {
  if (!module->module->find(symbol))
    return CUDA_ERROR_NOT_FOUND;
  module->functions.push_back(std::make_unique<CUfunc_st>(CUfunc_st{module->module.get(), symbol}));
  *function = module->functions.back().get();
  return CUDA_SUCCESS;
}
CUresult cuFuncGetAttribute(int *value, int, CUfunction function) {
  *value = static_cast<int>(function->module->find(function->kernel)->staticShared);
  return CUDA_SUCCESS;
}
CUresult cuFuncSetAttribute(CUfunction, int, int) { return CUDA_SUCCESS; }
CUresult cuOccupancyMaxActiveClusters(int *clusters, CUfunction, const CUlaunchConfig *config) {
  unsigned size = 1;
  for (unsigned i = 0; i < config->numAttrs; ++i)
    if (auto [x, y, z] = config->attrs[i].value.clusterDim;
        config->attrs[i].id == CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION)
      size = x * y * z;
  *clusters = static_cast<int>(numSms / size);
  return CUDA_SUCCESS;
}
CUresult cuFuncGetParamInfo(CUfunction function, size_t index, size_t *offset, size_t *size) {
  const std::vector<size_t> &sizes = function->module->parameters(function->kernel);
  if (index >= sizes.size())
    return CUDA_ERROR_INVALID_VALUE;
  *offset = 0;
  *size = sizes[index];
  return CUDA_SUCCESS;
}
CUresult cuLaunchKernelEx(const CUlaunchConfig *config, CUfunction function, void **parameters, void **) {
  std::lock_guard<std::recursive_mutex> lock(mutex);
  Result<Work> work = makeWork(*function->module, function->kernel, *config, parameters, nextLaunch);
  return work.ok() ? queue(config->hStream, work.take()) : failed(work.status());
}
CUresult cuTensorMapEncodeTiled(CUtensorMap *map, int type, uint32_t rank, void *address, const uint64_t *sizes,
                                const uint64_t *strides, const uint32_t *box, const uint32_t *elementStrides,
                                int interleave, int swizzle, int l2Promotion, int fill) {
  Status status =
      encodeMap(map, type, rank, address, sizes, strides, box, elementStrides, interleave, swizzle, l2Promotion, fill);
  return status.ok() ? CUDA_SUCCESS : failed(status);
}

} // namespace
} // namespace tenon::simulated

namespace tenon {

void provideSimulatedGpu() {
  cuda::Driver driver;
#define TENON_SIMULATED_FUNCTION(name, symbol, parameters) driver.name = simulated::name;
  TENON_CUDA_FUNCTIONS(TENON_SIMULATED_FUNCTION)
#undef TENON_SIMULATED_FUNCTION
  driver.cuFuncGetParamInfo = simulated::cuFuncGetParamInfo;
  driver.describeLaunch = simulated::describeLaunch;
  driver.version = 13000;
  cuda::Driver::provide("sim", driver);
}

} // namespace tenon
