// A CUDA driver whose GPUs are host memory, for tests on machines without one. It is stricter than a real one: queued
// work runs only when somebody waits, so that what is freed or overwritten too early shows; freed memory and ended
// handles are never given out again, so that their use shows; leaks are counted when a context ends. Each entry point
// can be made to fail.
#include "test/unit/FakeCuda.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

using tenon::test::FakeKernel;
using tenon::test::FakeLaunch;
using tenon::test::FakeTensorMap;

namespace tenon::cuda {

using Op = std::function<CUresult()>;

struct CUctx_st {
  int device = 0, references = 0;
  CUresult lost = CUDA_SUCCESS;
  CUstream defaultStream = nullptr;
};
struct CUstream_st {
  std::deque<Op> ops;
  uint64_t queued = 0, done = 0;
  CUgraph recording = nullptr;
  std::thread::id recorder;
};
struct CUevent_st {
  CUstream stream = nullptr;
  uint64_t position = 0;
};
struct CUmod_st {
  std::set<std::string> symbols;
};
struct FakeFunction {
  FakeKernel kernel = nullptr;
  std::vector<size_t> sizes;
  CUresult fault = CUDA_SUCCESS;
};
struct CUfunc_st {
  std::string symbol;
  CUmodule module = nullptr;
  int maxDynamicShared = 48 << 10;
  bool bigClusters = false;
};
struct CUgraph_st {
  std::vector<Op> ops;
};
struct CUgraphExec_st {
  std::vector<Op> ops;
};

namespace {

struct Object {
  CUcontext context = nullptr;
  const char *kind = "";
  bool isAlive = true, wasFreed = false; // freed: the owner tried, even if the call was made to fail
  size_t bytes = 0;
};

struct Fault {
  int nth = 0;
  CUresult result = CUDA_SUCCESS;
};

struct State {
  std::recursive_mutex mutex;
  std::map<std::string, Fault> faults;
  std::map<std::string, int> calls;
  std::map<uintptr_t, Object> objects; // handles and memory, by address
  std::map<std::string, FakeFunction> kernels;
  CUctx_st contexts[2];
  std::string violations, ranges;
  int leaked = 0, version = 13000, major = 9, minor = 0;
  size_t memory = size_t(1) << 30, used = 0;
};
State &state() {
  static auto *kept = new State;
  return *kept;
}
thread_local std::vector<CUcontext> stack;

void violation(const std::string &text) { state().violations += text + "\n"; }

CUcontext current() { return stack.empty() ? nullptr : stack.back(); }

uintptr_t keyOf(const void *pointer) { return reinterpret_cast<uintptr_t>(pointer); }

template <typename T>
T *create(T *object, const char *kind, size_t bytes = 0) {
  state().objects[keyOf(object)] = {current(), kind, true, false, bytes};
  return object;
}

// The block of device memory an address is in, dead or alive.
Object *memoryAt(uint64_t address) {
  auto after = state().objects.upper_bound(static_cast<uintptr_t>(address));
  if (after == state().objects.begin())
    return nullptr;
  auto &[start, object] = *std::prev(after);
  return std::strcmp(object.kind, "memory") == 0 && address < start + object.bytes ? &object : nullptr;
}

// Device memory [address, address + bytes) must be there.
bool isUsable(uint64_t address, size_t bytes, const std::string &by) {
  Object *block = memoryAt(address);
  auto after = state().objects.upper_bound(static_cast<uintptr_t>(address));
  uintptr_t start = block ? std::prev(after)->first : 0;
  if (block && block->isAlive && address + bytes <= start + block->bytes)
    return true;
  violation(by + (block && !block->isAlive ? " uses memory after it was freed" : " uses memory that is not there"));
  return false;
}

bool isHandle(const void *handle, const char *kind, const std::string &by) {
  auto found = state().objects.find(keyOf(handle));
  if (found == state().objects.end() || std::strcmp(found->second.kind, kind) != 0 || !found->second.isAlive) {
    violation(by + ": no " + kind + ", or one that has ended");
    return false;
  }
  if (found->second.context != current()) {
    violation(by + ": the " + kind + " is of another context than the current one");
    return false;
  }
  return true;
}

// Counts the call and gives the fault it was made to have. `freed`: what the call would end.
CUresult enter(const char *function, const void *freed = nullptr) {
  State &s = state();
  int call = ++s.calls[function];
  auto fault = s.faults.find(function);
  if (fault == s.faults.end() || (fault->second.nth && fault->second.nth != call))
    return CUDA_SUCCESS;
  if (freed)
    if (auto found = s.objects.find(keyOf(freed)); found != s.objects.end())
      found->second.wasFreed = true;
  if (classify(fault->second.result) == ErrorClass::Fatal && current())
    current()->lost = fault->second.result;
  return fault->second.result;
}

CUresult needContext(const char *function) {
  if (!current()) {
    violation(std::string(function) + " without a current context");
    return 201;
  }
  return current()->lost;
}

#define ENTER(name, ...)                                                                                               \
  std::lock_guard<std::recursive_mutex> lock(state().mutex);                                                           \
  if (CUresult fault = enter(#name, ##__VA_ARGS__))                                                                    \
  return fault
#define ENTER_CONTEXT(name, ...)                                                                                       \
  ENTER(name, ##__VA_ARGS__);                                                                                          \
  if (CUresult bad = needContext(#name))                                                                               \
  return bad
#define NEED(handle, kind)                                                                                             \
  if (!isHandle(handle, kind, __func__))                                                                               \
  return 400

CUstream streamOf(CUstream given) {
  if (given)
    return given;
  if (!current()->defaultStream)
    current()->defaultStream = new CUstream_st;
  return current()->defaultStream;
}

bool isStream(CUstream stream, const char *by) { return !stream || isHandle(stream, "stream", by); }

CUresult runUntil(CUstream stream, uint64_t position) {
  while (stream->done < position && !stream->ops.empty()) {
    Op op = std::move(stream->ops.front());
    stream->ops.pop_front();
    ++stream->done;
    if (CUresult result = op()) {
      stream->done += stream->ops.size(); // a broken context runs nothing more
      stream->ops.clear();
      return result;
    }
  }
  return CUDA_SUCCESS;
}

CUresult wait(CUstream stream, uint64_t position) {
  CUcontext context = current();
  CUresult result = runUntil(stream, position);
  if (result && classify(result) == ErrorClass::Fatal)
    context->lost = result;
  return result;
}

CUresult enqueue(CUstream given, Op op) {
  CUstream stream = streamOf(given);
  if (stream->recording) {
    stream->recording->ops.push_back(std::move(op));
  } else {
    stream->ops.push_back(std::move(op));
    ++stream->queued;
  }
  return CUDA_SUCCESS;
}

// What a thread that records may not do.
CUresult notWhileRecording(const char *function) {
  for (auto &[address, object] : state().objects)
    if (object.isAlive && std::strcmp(object.kind, "stream") == 0) {
      auto *stream = reinterpret_cast<CUstream>(address);
      if (stream->recording && stream->recorder == std::this_thread::get_id()) {
        violation(std::string(function) + " while this thread records a graph");
        return 900;
      }
    }
  return CUDA_SUCCESS;
}

void end(const void *handle) {
  Object &object = state().objects.at(keyOf(handle));
  object.isAlive = false;
  object.wasFreed = true;
}

CUresult destroy(const void *handle, const char *kind, const char *by) {
  auto found = state().objects.find(keyOf(handle));
  if (found == state().objects.end() || std::strcmp(found->second.kind, kind) != 0 || !found->second.isAlive) {
    violation(std::string(by) + ": no " + kind + ", or one that has ended");
    return 400;
  }
  end(handle);
  return CUDA_SUCCESS;
}

} // namespace

#define FAKE extern "C" __attribute__((visibility("default")))

//===--- driver and devices --------------------------------------------------------------------------------------===//

FAKE CUresult cuDriverGetVersion(int *version) {
  ENTER(cuDriverGetVersion);
  *version = state().version;
  return CUDA_SUCCESS;
}
FAKE CUresult cuInit(unsigned int) {
  ENTER(cuInit);
  return CUDA_SUCCESS;
}
FAKE CUresult cuGetErrorName(CUresult, const char **name) {
  ENTER(cuGetErrorName);
  *name = "CUDA_ERROR_OF_THE_FAKE";
  return CUDA_SUCCESS;
}
FAKE CUresult cuGetErrorString(CUresult, const char **text) {
  ENTER(cuGetErrorString);
  *text = "a fault that was asked for";
  return CUDA_SUCCESS;
}
FAKE CUresult cuDeviceGetCount(int *count) {
  ENTER(cuDeviceGetCount);
  *count = 2;
  return CUDA_SUCCESS;
}
FAKE CUresult cuDeviceGet(CUdevice *device, int index) {
  ENTER(cuDeviceGet);
  *device = index;
  return index >= 0 && index < 2 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}
FAKE CUresult cuDeviceGetName(char *name, int size, CUdevice) {
  ENTER(cuDeviceGetName);
  std::strncpy(name, "Fake GPU", static_cast<size_t>(size));
  return CUDA_SUCCESS;
}
FAKE CUresult cuDeviceGetAttribute(int *value, int attribute, CUdevice) {
  ENTER(cuDeviceGetAttribute);
  *value = attribute == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR   ? state().major
           : attribute == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR ? state().minor
           : attribute == CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT     ? 5
                                                                       : 232448;
  return CUDA_SUCCESS;
}
FAKE CUresult cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice device) {
  ENTER(cuDevicePrimaryCtxRetain);
  *context = &state().contexts[device];
  if ((*context)->references++ == 0)
    (*context)->device = device, (*context)->lost = CUDA_SUCCESS;
  return CUDA_SUCCESS;
}
FAKE CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
  std::lock_guard<std::recursive_mutex> lock(state().mutex);
  CUcontext context = &state().contexts[device];
  CUresult fault = enter("cuDevicePrimaryCtxRelease_v2");
  if (--context->references > 0)
    return fault;
  context->defaultStream = nullptr; // what is queued there is not the next context's
  for (auto &[address, object] : state().objects)
    if (object.context == context && object.isAlive) {
      if (!object.wasFreed) {
        ++state().leaked;
        violation(std::string("leak of a ") + object.kind);
      }
      object.isAlive = false;
      if (std::strcmp(object.kind, "memory") == 0)
        state().used -= object.bytes;
    }
  return fault;
}
FAKE CUresult cuCtxPushCurrent_v2(CUcontext context) {
  ENTER(cuCtxPushCurrent_v2);
  stack.push_back(context);
  return CUDA_SUCCESS;
}
FAKE CUresult cuCtxPopCurrent_v2(CUcontext *context) {
  std::lock_guard<std::recursive_mutex> lock(state().mutex);
  CUresult fault = enter("cuCtxPopCurrent_v2"); // even then, or the test itself would be wrong from here on
  *context = current();
  if (stack.empty())
    violation("cuCtxPopCurrent without a push");
  else
    stack.pop_back();
  return fault;
}

//===--- memory --------------------------------------------------------------------------------------------------===//

FAKE CUresult cuMemGetInfo_v2(size_t *free, size_t *total) {
  ENTER_CONTEXT(cuMemGetInfo_v2);
  *free = state().memory - state().used;
  *total = state().memory;
  return CUDA_SUCCESS;
}
FAKE CUresult cuMemAlloc_v2(CUdeviceptr *address, size_t bytes) {
  ENTER_CONTEXT(cuMemAlloc_v2);
  if (CUresult bad = notWhileRecording("cuMemAlloc"))
    return bad;
  if (!bytes)
    return CUDA_ERROR_INVALID_VALUE;
  if (bytes > state().memory - state().used)
    return CUDA_ERROR_OUT_OF_MEMORY;
  void *block = std::aligned_alloc(512, (bytes + 511) / 512 * 512);
  std::memset(block, 0xDD, bytes); // nothing may rely on zeros
  create(static_cast<char *>(block), "memory", bytes);
  state().used += bytes;
  *address = reinterpret_cast<CUdeviceptr>(block);
  return CUDA_SUCCESS;
}
FAKE CUresult cuMemFree_v2(CUdeviceptr address) {
  auto *block = reinterpret_cast<char *>(address);
  ENTER(cuMemFree_v2, block);
  if (current() && current()->lost)
    state().objects.at(keyOf(block)).wasFreed = true;
  if (CUresult bad = needContext("cuMemFree"))
    return bad;
  if (CUresult bad = destroy(block, "memory", "cuMemFree"))
    return bad;
  size_t bytes = state().objects.at(keyOf(block)).bytes;
  state().used -= bytes;
  std::memset(block, 0xEE, bytes);
  return CUDA_SUCCESS;
}
FAKE CUresult cuMemHostAlloc(void **pinned, size_t bytes, unsigned int) {
  ENTER_CONTEXT(cuMemHostAlloc);
  *pinned = create(static_cast<char *>(std::aligned_alloc(512, (bytes + 511) / 512 * 512)), "pinned memory", bytes);
  return CUDA_SUCCESS;
}
FAKE CUresult cuMemFreeHost(void *pinned) {
  ENTER(cuMemFreeHost, pinned);
  if (CUresult bad = destroy(pinned, "pinned memory", "cuMemFreeHost"))
    return bad;
  std::memset(pinned, 0xEE, std::min<size_t>(4096, state().objects.at(keyOf(pinned)).bytes)); // enough to show
  return CUDA_SUCCESS;
}

// Pinned memory is read when the copy runs; of other memory the driver keeps a copy before it returns.
FAKE CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from, size_t bytes, CUstream stream) {
  ENTER_CONTEXT(cuMemcpyHtoDAsync_v2);
  if (!isStream(stream, "cuMemcpyHtoDAsync"))
    return 400;
  auto source = state().objects.upper_bound(keyOf(from));
  bool isPinned = source != state().objects.begin() && std::strcmp((--source)->second.kind, "pinned memory") == 0 &&
                  keyOf(from) < source->first + source->second.bytes;
  auto *data = static_cast<const char *>(from);
  auto copy = std::make_shared<std::vector<char>>();
  if (!isPinned)
    copy->assign(data, data + bytes);
  return enqueue(stream, [=]() -> CUresult {
    if (!isUsable(to, bytes, "cuMemcpyHtoDAsync"))
      return CUDA_ERROR_ILLEGAL_ADDRESS;
    std::memcpy(reinterpret_cast<void *>(to), isPinned ? data : copy->data(), bytes);
    return CUDA_SUCCESS;
  });
}
FAKE CUresult cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t bytes, CUstream stream) {
  ENTER_CONTEXT(cuMemcpyDtoHAsync_v2);
  if (!isStream(stream, "cuMemcpyDtoHAsync"))
    return 400;
  enqueue(stream, [=]() -> CUresult {
    if (!isUsable(from, bytes, "cuMemcpyDtoHAsync"))
      return CUDA_ERROR_ILLEGAL_ADDRESS;
    std::memcpy(to, reinterpret_cast<void *>(from), bytes);
    return CUDA_SUCCESS;
  });
  return wait(streamOf(stream), streamOf(stream)->queued); // as a real one does where the memory is not pinned
}
FAKE CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream) {
  ENTER_CONTEXT(cuMemcpyDtoDAsync_v2);
  if (!isStream(stream, "cuMemcpyDtoDAsync"))
    return 400;
  return enqueue(stream, [=]() -> CUresult {
    if (!isUsable(to, bytes, "cuMemcpyDtoDAsync") || !isUsable(from, bytes, "cuMemcpyDtoDAsync"))
      return CUDA_ERROR_ILLEGAL_ADDRESS;
    std::memcpy(reinterpret_cast<void *>(to), reinterpret_cast<void *>(from), bytes);
    return CUDA_SUCCESS;
  });
}
FAKE CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t bytes, CUstream stream) {
  ENTER_CONTEXT(cuMemsetD8Async);
  if (!isStream(stream, "cuMemsetD8Async"))
    return 400;
  return enqueue(stream, [=]() -> CUresult {
    if (!isUsable(to, bytes, "cuMemsetD8Async"))
      return CUDA_ERROR_ILLEGAL_ADDRESS;
    std::memset(reinterpret_cast<void *>(to), value, bytes);
    return CUDA_SUCCESS;
  });
}

//===--- streams and events --------------------------------------------------------------------------------------===//

FAKE CUresult cuStreamCreate(CUstream *stream, unsigned int) {
  ENTER_CONTEXT(cuStreamCreate);
  *stream = create(new CUstream_st, "stream");
  return CUDA_SUCCESS;
}
FAKE CUresult cuStreamDestroy_v2(CUstream stream) {
  ENTER(cuStreamDestroy_v2, stream);
  if (CUresult bad = destroy(stream, "stream", "cuStreamDestroy"))
    return bad;
  if (state().objects.at(keyOf(stream)).context->lost)
    stream->ops.clear();
  return runUntil(stream, stream->queued);
}
FAKE CUresult cuStreamSynchronize(CUstream stream) {
  ENTER_CONTEXT(cuStreamSynchronize);
  if (!isStream(stream, "cuStreamSynchronize"))
    return 400;
  if (CUresult bad = notWhileRecording("cuStreamSynchronize"))
    return bad;
  return wait(streamOf(stream), streamOf(stream)->queued);
}
FAKE CUresult cuStreamWaitEvent(CUstream stream, CUevent event, unsigned int) {
  ENTER_CONTEXT(cuStreamWaitEvent);
  NEED(event, "event");
  if (!isStream(stream, "cuStreamWaitEvent"))
    return 400;
  CUstream other = event->stream;
  uint64_t position = event->position;
  return enqueue(stream, [=] { return other ? runUntil(other, position) : CUDA_SUCCESS; });
}
FAKE CUresult cuStreamBeginCapture_v2(CUstream stream, int) {
  ENTER_CONTEXT(cuStreamBeginCapture_v2);
  NEED(stream, "stream");
  stream->recording = new CUgraph_st;
  stream->recorder = std::this_thread::get_id();
  return CUDA_SUCCESS;
}
FAKE CUresult cuStreamEndCapture(CUstream stream, CUgraph *graph) {
  ENTER(cuStreamEndCapture);
  NEED(stream, "stream");
  if (!stream->recording)
    return 901;
  *graph = create(std::exchange(stream->recording, nullptr), "graph");
  return needContext("cuStreamEndCapture");
}
FAKE CUresult cuEventCreate(CUevent *event, unsigned int) {
  ENTER_CONTEXT(cuEventCreate);
  *event = create(new CUevent_st, "event");
  return CUDA_SUCCESS;
}
FAKE CUresult cuEventDestroy_v2(CUevent event) {
  ENTER(cuEventDestroy_v2, event);
  return destroy(event, "event", "cuEventDestroy");
}
FAKE CUresult cuEventRecord(CUevent event, CUstream stream) {
  ENTER_CONTEXT(cuEventRecord);
  NEED(event, "event");
  if (!isStream(stream, "cuEventRecord"))
    return 400;
  event->stream = streamOf(stream);
  event->position = event->stream->queued;
  return CUDA_SUCCESS;
}
FAKE CUresult cuEventSynchronize(CUevent event) {
  ENTER_CONTEXT(cuEventSynchronize);
  NEED(event, "event");
  return event->stream ? wait(event->stream, event->position) : CUDA_SUCCESS;
}
/// A millisecond for whatever was queued on the stream between the two.
FAKE CUresult cuEventElapsedTime(float *milliseconds, CUevent begin, CUevent end) {
  ENTER_CONTEXT(cuEventElapsedTime);
  NEED(begin, "event");
  NEED(end, "event");
  if (!begin->stream || begin->stream != end->stream)
    return CUDA_ERROR_INVALID_VALUE;
  if (end->stream->done < end->position)
    return 600; // not ready
  *milliseconds = static_cast<float>(end->position - begin->position);
  return CUDA_SUCCESS;
}

//===--- kernels -------------------------------------------------------------------------------------------------===//

// An image is "FAKE", then a symbol a line.
FAKE CUresult cuModuleLoadData(CUmodule *module, const void *image) {
  ENTER_CONTEXT(cuModuleLoadData);
  std::string text = static_cast<const char *>(image);
  if (text.compare(0, 4, "FAKE") != 0)
    return CUDA_ERROR_INVALID_IMAGE;
  auto *loaded = new CUmod_st;
  for (size_t at = text.find('\n'); at != std::string::npos;) {
    size_t next = text.find('\n', at + 1);
    loaded->symbols.insert(text.substr(at + 1, next == std::string::npos ? next : next - at - 1));
    at = next;
  }
  *module = create(loaded, "module");
  return CUDA_SUCCESS;
}
FAKE CUresult cuModuleUnload(CUmodule module) {
  ENTER(cuModuleUnload, module);
  return destroy(module, "module", "cuModuleUnload");
}
FAKE CUresult cuModuleGetFunction(CUfunction *function, CUmodule module, const char *symbol) {
  ENTER_CONTEXT(cuModuleGetFunction);
  NEED(module, "module");
  if (!module->symbols.count(symbol) || !state().kernels.count(symbol))
    return CUDA_ERROR_NOT_FOUND;
  *function = new CUfunc_st;
  (*function)->symbol = symbol;
  (*function)->module = module;
  return CUDA_SUCCESS;
}
FAKE CUresult cuFuncGetAttribute(int *value, int, CUfunction) {
  ENTER_CONTEXT(cuFuncGetAttribute);
  *value = 0;
  return CUDA_SUCCESS;
}
FAKE CUresult cuFuncSetAttribute(CUfunction function, int attribute, int value) {
  ENTER_CONTEXT(cuFuncSetAttribute);
  if (attribute == CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES)
    function->maxDynamicShared = value;
  else if (attribute == CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED)
    function->bigClusters = value != 0;
  return value <= 232448 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}
/// The 5 multiprocessors are in parts of 3, 1 and 1.
FAKE CUresult cuOccupancyMaxActiveClusters(int *clusters, CUfunction, const CUlaunchConfig *config) {
  ENTER_CONTEXT(cuOccupancyMaxActiveClusters);
  if (config->numAttrs != 1 || config->attrs[0].id != CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION)
    return CUDA_ERROR_INVALID_VALUE;
  const auto &dim = config->attrs[0].value.clusterDim;
  int size = static_cast<int>(dim.x * dim.y * dim.z);
  *clusters = 3 / size + 2 * (1 / size);
  return CUDA_SUCCESS;
}
FAKE CUresult cuFuncGetParamInfo(CUfunction function, size_t index, size_t *offset, size_t *size) {
  ENTER_CONTEXT(cuFuncGetParamInfo);
  const std::vector<size_t> &sizes = state().kernels.at(function->symbol).sizes;
  if (index >= sizes.size())
    return CUDA_ERROR_INVALID_VALUE;
  *offset = 0;
  *size = sizes[index];
  return CUDA_SUCCESS;
}
FAKE CUresult cuLaunchKernelEx(const CUlaunchConfig *config, CUfunction function, void **parameters, void **) {
  ENTER_CONTEXT(cuLaunchKernelEx);
  NEED(function->module, "module");
  if (!isStream(config->hStream, "cuLaunchKernelEx"))
    return 400;
  FakeLaunch launch = {{config->gridDimX, config->gridDimY, config->gridDimZ},
                       {config->blockDimX, config->blockDimY, config->blockDimZ},
                       {1, 1, 1},
                       config->sharedMemBytes,
                       false,
                       nullptr};
  for (unsigned int i = 0; i < config->numAttrs; ++i)
    if (config->attrs[i].id == CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION)
      std::memcpy(launch.cluster, &config->attrs[i].value.clusterDim, sizeof launch.cluster);
    else
      launch.programmatic = config->attrs[i].value.programmaticStreamSerializationAllowed != 0;
  unsigned int ctas = launch.cluster[0] * launch.cluster[1] * launch.cluster[2];
  for (int axis = 0; axis < 3; ++axis)
    if (!launch.grid[axis] || !launch.block[axis] || launch.grid[axis] % launch.cluster[axis])
      return CUDA_ERROR_INVALID_VALUE;
  if (launch.block[0] * launch.block[1] * launch.block[2] > 1024 || ctas > (function->bigClusters ? 16 : 8) ||
      static_cast<int>(launch.shared) > function->maxDynamicShared)
    return CUDA_ERROR_INVALID_VALUE;

  const FakeFunction &fake = state().kernels.at(function->symbol);
  auto packed = std::make_shared<std::vector<cuda::CUtensorMap>>(fake.sizes.size());
  for (size_t i = 0; i < fake.sizes.size(); ++i)
    std::memcpy(&(*packed)[i], parameters[i], fake.sizes[i]);
  return enqueue(config->hStream, [=, &fake]() -> CUresult {
    if (fake.fault)
      return fake.fault;
    std::vector<const void *> addresses;
    for (size_t i = 0; i < fake.sizes.size(); ++i) {
      addresses.push_back(&(*packed)[i]);
      uint64_t address = (*packed)[i].opaque[0]; // of a pointer, and of a tensor map: a word first
      if (memoryAt(address) && !isUsable(address, 1, "kernel " + function->symbol))
        return CUDA_ERROR_ILLEGAL_ADDRESS;
    }
    FakeLaunch ready = launch;
    ready.parameters = addresses.data();
    fake.kernel(ready);
    return CUDA_SUCCESS;
  });
}

FAKE CUresult cuTensorMapEncodeTiled(CUtensorMap *map, int type, uint32_t rank, void *address, const uint64_t *sizes,
                                     const uint64_t *strides, const uint32_t *box, const uint32_t *elementStrides,
                                     int interleave, int swizzle, int l2Promotion, int fill) {
  ENTER(cuTensorMapEncodeTiled);
  static const unsigned int bytesOfType[] = {1, 2, 4, 4, 8, 8, 2, 4, 8, 2, 4, 4};
  auto refuse = [&](const char *why) {
    violation(std::string("cuTensorMapEncodeTiled: ") + why);
    return CUDA_ERROR_INVALID_VALUE;
  };
  if (reinterpret_cast<uintptr_t>(map) % 64)
    return refuse("the map is not aligned to 64");
  if (rank < 1 || rank > 5 || type < 0 || type > 11 || interleave || swizzle < 0 || swizzle > 3 || l2Promotion > 3)
    return refuse("rank, type or mode");
  if (reinterpret_cast<uintptr_t>(address) % 16)
    return refuse("the address is not aligned to 16");
  unsigned int element = bytesOfType[type], inner = box[0] * element;
  if (inner % 16 || (swizzle && inner > (16u << swizzle)))
    return refuse("the inner side of the box");
  if (fill && type < 6)
    return refuse("NaN for integers");
  FakeTensorMap made = {};
  made.address = reinterpret_cast<uint64_t>(address);
  made.rank = rank;
  made.type = static_cast<uint8_t>(type);
  made.swizzle = static_cast<uint8_t>(swizzle);
  made.l2Promotion = static_cast<uint8_t>(l2Promotion);
  made.fill = static_cast<uint8_t>(fill);
  for (uint32_t axis = 0; axis < rank; ++axis) {
    if (!sizes[axis] || sizes[axis] > uint64_t(1) << 32 || !box[axis] || box[axis] > 256 || elementStrides[axis] != 1)
      return refuse("a size or a side of the box");
    if (axis && (strides[axis - 1] % 16 || strides[axis - 1] >= uint64_t(1) << 40))
      return refuse("a stride");
    made.sizes[axis] = sizes[axis];
    made.box[axis] = box[axis];
    if (axis)
      made.strides[axis - 1] = strides[axis - 1];
  }
  std::memcpy(map, &made, sizeof made);
  return CUDA_SUCCESS;
}

//===--- graphs --------------------------------------------------------------------------------------------------===//

FAKE CUresult cuGraphInstantiateWithFlags(CUgraphExec *exec, CUgraph graph, unsigned long long) {
  ENTER_CONTEXT(cuGraphInstantiateWithFlags);
  NEED(graph, "graph");
  *exec = create(new CUgraphExec_st{graph->ops}, "executable graph");
  return CUDA_SUCCESS;
}
FAKE CUresult cuGraphDestroy(CUgraph graph) {
  ENTER(cuGraphDestroy, graph);
  return destroy(graph, "graph", "cuGraphDestroy");
}
FAKE CUresult cuGraphExecDestroy(CUgraphExec exec) {
  ENTER(cuGraphExecDestroy, exec);
  return destroy(exec, "executable graph", "cuGraphExecDestroy");
}
FAKE CUresult cuGraphLaunch(CUgraphExec exec, CUstream stream) {
  ENTER_CONTEXT(cuGraphLaunch);
  NEED(exec, "executable graph");
  if (!isStream(stream, "cuGraphLaunch"))
    return 400;
  return enqueue(stream, [exec]() -> CUresult {
    if (!state().objects.at(keyOf(exec)).isAlive) {
      violation("a graph ended before it had run");
      return CUDA_ERROR_ILLEGAL_ADDRESS;
    }
    for (const Op &op : exec->ops)
      if (CUresult result = op())
        return result;
    return CUDA_SUCCESS;
  });
}

//===--- profiler ------------------------------------------------------------------------------------------------===//

FAKE int nvtxRangePushA(const char *name) {
  std::lock_guard<std::recursive_mutex> lock(state().mutex);
  state().ranges += std::string(name) + " {";
  return 0;
}
FAKE int nvtxRangePop() {
  std::lock_guard<std::recursive_mutex> lock(state().mutex);
  state().ranges += "} ";
  return 0;
}

//===--- for tests -----------------------------------------------------------------------------------------------===//

FAKE void fakeReset() {
  State &s = state();
  std::lock_guard<std::recursive_mutex> lock(s.mutex);
  s.faults.clear();
  s.calls.clear();
  s.violations.clear();
  for (auto &[symbol, kernel] : s.kernels)
    kernel.fault = CUDA_SUCCESS;
  s.ranges.clear();
  s.leaked = 0;
  s.version = 13000, s.major = 9, s.minor = 0;
  s.memory = size_t(1) << 30;
}
FAKE void fakeFail(const char *function, int nth, int result) {
  std::lock_guard<std::recursive_mutex> lock(state().mutex);
  if (result)
    state().faults[function] = {nth ? state().calls[function] + nth : 0, result};
  else
    state().faults.erase(function);
}
FAKE void fakeFailKernel(const char *symbol, int result) { state().kernels[symbol].fault = result; }
FAKE int fakeCalls(const char *function) {
  std::lock_guard<std::recursive_mutex> lock(state().mutex);
  return state().calls[function];
}
FAKE int fakeLive() {
  std::lock_guard<std::recursive_mutex> lock(state().mutex);
  int live = 0;
  for (auto &[address, object] : state().objects)
    live += object.isAlive;
  return live;
}
FAKE int fakeLeaked() { return state().leaked; }
FAKE const char *fakeViolations() { return state().violations.c_str(); }
FAKE void fakeAddKernel(const char *symbol, FakeKernel kernel, const size_t *sizes) {
  FakeFunction &function = state().kernels[symbol];
  function = {};
  function.kernel = kernel;
  for (; *sizes; ++sizes)
    function.sizes.push_back(*sizes);
}
FAKE void fakeSetMemory(size_t bytes) { state().memory = bytes; }
FAKE void fakeSetVersion(int version) { state().version = version; }
FAKE void fakeSetCapability(int major, int minor) { state().major = major, state().minor = minor; }
FAKE const char *fakeRanges() { return state().ranges.c_str(); }

} // namespace tenon::cuda
