// The CUDA driver, found at run time: nothing of CUDA is linked or included, so that one binary serves machines with
// and without a GPU. What the runtime uses of cuda.h is declared here under the same names;
// test/unit/cuda-header-test.cpp compares it with the real header where there is one.
#pragma once

#include "lib/Support/Status.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tenon::cuda {

using CUresult = int;
using CUdevice = int;
using CUdeviceptr = unsigned long long;
using CUcontext = struct CUctx_st *;
using CUmodule = struct CUmod_st *;
using CUfunction = struct CUfunc_st *;
using CUstream = struct CUstream_st *;
using CUevent = struct CUevent_st *;
using CUgraph = struct CUgraph_st *;
using CUgraphExec = struct CUgraphExec_st *;

struct alignas(128) CUtensorMap {
  uint64_t opaque[16];
};

struct CUlaunchAttribute {
  unsigned int id;
  char pad[4];
  union {
    char pad[64];
    struct {
      unsigned int x, y, z;
    } clusterDim;
    int programmaticStreamSerializationAllowed;
  } value;
};

struct CUlaunchConfig {
  unsigned int gridDimX, gridDimY, gridDimZ, blockDimX, blockDimY, blockDimZ, sharedMemBytes;
  CUstream hStream;
  CUlaunchAttribute *attrs;
  unsigned int numAttrs;
};

inline constexpr CUresult CUDA_SUCCESS = 0, CUDA_ERROR_INVALID_VALUE = 1, CUDA_ERROR_OUT_OF_MEMORY = 2,
                          CUDA_ERROR_NOT_INITIALIZED = 3, CUDA_ERROR_DEINITIALIZED = 4, CUDA_ERROR_NO_DEVICE = 100,
                          CUDA_ERROR_INVALID_DEVICE = 101, CUDA_ERROR_INVALID_IMAGE = 200,
                          CUDA_ERROR_NO_BINARY_FOR_GPU = 209, CUDA_ERROR_NOT_FOUND = 500,
                          CUDA_ERROR_ILLEGAL_ADDRESS = 700;
inline constexpr unsigned int CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION = 4,
                              CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION = 6;
inline constexpr int CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES = 1, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES = 8,
                     CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED = 14;
inline constexpr int CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT = 16, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR = 75,
                     CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR = 76,
                     CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN = 97;
inline constexpr unsigned int CU_STREAM_NON_BLOCKING = 1, CU_EVENT_DISABLE_TIMING = 2;
inline constexpr int CU_STREAM_CAPTURE_MODE_THREAD_LOCAL = 1;

// name, symbol in the library, parameters. Every one is there in CUDA 12.0 and later.
#define TENON_CUDA_FUNCTIONS(X)                                                                                        \
  X(cuInit, cuInit, (unsigned int))                                                                                    \
  X(cuDriverGetVersion, cuDriverGetVersion, (int *))                                                                   \
  X(cuGetErrorName, cuGetErrorName, (CUresult, const char **))                                                         \
  X(cuGetErrorString, cuGetErrorString, (CUresult, const char **))                                                     \
  X(cuDeviceGetCount, cuDeviceGetCount, (int *))                                                                       \
  X(cuDeviceGet, cuDeviceGet, (CUdevice *, int))                                                                       \
  X(cuDeviceGetName, cuDeviceGetName, (char *, int, CUdevice))                                                         \
  X(cuDeviceGetAttribute, cuDeviceGetAttribute, (int *, int, CUdevice))                                                \
  X(cuDevicePrimaryCtxRetain, cuDevicePrimaryCtxRetain, (CUcontext *, CUdevice))                                       \
  X(cuDevicePrimaryCtxRelease, cuDevicePrimaryCtxRelease_v2, (CUdevice))                                               \
  X(cuCtxPushCurrent, cuCtxPushCurrent_v2, (CUcontext))                                                                \
  X(cuCtxPopCurrent, cuCtxPopCurrent_v2, (CUcontext *))                                                                \
  X(cuMemGetInfo, cuMemGetInfo_v2, (size_t *, size_t *))                                                               \
  X(cuMemAlloc, cuMemAlloc_v2, (CUdeviceptr *, size_t))                                                                \
  X(cuMemFree, cuMemFree_v2, (CUdeviceptr))                                                                            \
  X(cuMemHostAlloc, cuMemHostAlloc, (void **, size_t, unsigned int))                                                   \
  X(cuMemFreeHost, cuMemFreeHost, (void *))                                                                            \
  X(cuMemcpyHtoDAsync, cuMemcpyHtoDAsync_v2, (CUdeviceptr, const void *, size_t, CUstream))                            \
  X(cuMemcpyDtoHAsync, cuMemcpyDtoHAsync_v2, (void *, CUdeviceptr, size_t, CUstream))                                  \
  X(cuMemcpyDtoDAsync, cuMemcpyDtoDAsync_v2, (CUdeviceptr, CUdeviceptr, size_t, CUstream))                             \
  X(cuMemsetD8Async, cuMemsetD8Async, (CUdeviceptr, unsigned char, size_t, CUstream))                                  \
  X(cuStreamCreate, cuStreamCreate, (CUstream *, unsigned int))                                                        \
  X(cuStreamDestroy, cuStreamDestroy_v2, (CUstream))                                                                   \
  X(cuStreamSynchronize, cuStreamSynchronize, (CUstream))                                                              \
  X(cuStreamWaitEvent, cuStreamWaitEvent, (CUstream, CUevent, unsigned int))                                           \
  X(cuStreamBeginCapture, cuStreamBeginCapture_v2, (CUstream, int))                                                    \
  X(cuStreamEndCapture, cuStreamEndCapture, (CUstream, CUgraph *))                                                     \
  X(cuEventCreate, cuEventCreate, (CUevent *, unsigned int))                                                           \
  X(cuEventDestroy, cuEventDestroy_v2, (CUevent))                                                                      \
  X(cuEventRecord, cuEventRecord, (CUevent, CUstream))                                                                 \
  X(cuEventSynchronize, cuEventSynchronize, (CUevent))                                                                 \
  X(cuEventElapsedTime, cuEventElapsedTime, (float *, CUevent, CUevent))                                               \
  X(cuModuleLoadData, cuModuleLoadData, (CUmodule *, const void *))                                                    \
  X(cuModuleUnload, cuModuleUnload, (CUmodule))                                                                        \
  X(cuModuleGetFunction, cuModuleGetFunction, (CUfunction *, CUmodule, const char *))                                  \
  X(cuFuncGetAttribute, cuFuncGetAttribute, (int *, int, CUfunction))                                                  \
  X(cuFuncSetAttribute, cuFuncSetAttribute, (CUfunction, int, int))                                                    \
  X(cuOccupancyMaxActiveClusters, cuOccupancyMaxActiveClusters, (int *, CUfunction, const CUlaunchConfig *))           \
  X(cuLaunchKernelEx, cuLaunchKernelEx, (const CUlaunchConfig *, CUfunction, void **, void **))                        \
  X(cuTensorMapEncodeTiled, cuTensorMapEncodeTiled,                                                                    \
    (CUtensorMap *, int, uint32_t, void *, const uint64_t *, const uint64_t *, const uint32_t *, const uint32_t *,     \
     int, int, int, int))                                                                                              \
  X(cuGraphInstantiate, cuGraphInstantiateWithFlags, (CUgraphExec *, CUgraph, unsigned long long))                     \
  X(cuGraphDestroy, cuGraphDestroy, (CUgraph))                                                                         \
  X(cuGraphExecDestroy, cuGraphExecDestroy, (CUgraphExec))                                                             \
  X(cuGraphLaunch, cuGraphLaunch, (CUgraphExec, CUstream))

/// What a kernel may touch, for a driver that sees to it: argument by argument, operands then results.
struct LaunchMemory {
  std::vector<int64_t> bytes;
  std::vector<bool> isStatic;        ///< weights and constants: no launch ahead writes them
  int64_t workspace = 0, zeroed = 0; ///< bytes; of them, those at the start that are 0
  size_t numOperands = 0;
};

/// An opened driver: its entry points. Never closed once it could be initialised, as it keeps threads of its own.
struct Driver {
#define TENON_CUDA_MEMBER(name, symbol, parameters) CUresult(*name) parameters = nullptr;
  TENON_CUDA_FUNCTIONS(TENON_CUDA_MEMBER)
#undef TENON_CUDA_MEMBER
  /// Its second and third parameter are offset and size of parameter `index`. CUDA 12.4; null in older drivers.
  CUresult (*cuFuncGetParamInfo)(CUfunction, size_t index, size_t *, size_t *) = nullptr;
  /// Of the next launch by this thread. Null but in the simulator.
  void (*describeLaunch)(const LaunchMemory &) = nullptr;
  int version = 0; ///< 1000 * major + 10 * minor
  std::string path;

  /// The driver of this process: TENON_CUDA_DRIVER (a path), else libcuda.so.1. NotFound or Unsupported with the
  /// remedy when it is missing, too old or finds no GPU.
  static Result<const Driver *> get();
  /// A driver that is part of this process: get() gives it where TENON_CUDA_DRIVER is `name`, or begins with it and
  /// ':'.
  static void provide(const std::string &name, const Driver &driver);

  /// "CUDA_ERROR_ILLEGAL_ADDRESS (700): an illegal memory access was encountered".
  std::string describe(CUresult result) const;
};

/// What a result says about what can be done: quality classes of errors.
enum class ErrorClass {
  None,
  Caller,      ///< this call was wrong; the next one may be right
  Recoverable, ///< out of memory
  Fatal,       ///< the GPU's context is lost: no later call of this process can succeed
};
ErrorClass classify(CUresult result);

} // namespace tenon::cuda
