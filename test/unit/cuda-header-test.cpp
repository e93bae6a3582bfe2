// What CudaDriver.h declares of cuda.h is what cuda.h declares; compiled only where there is one.
#include <cuda.h>

namespace real {
using Attribute = CUlaunchAttribute;
using Config = CUlaunchConfig;
using Map = CUtensorMap;
static constexpr int values[] = {CUDA_ERROR_INVALID_VALUE,
                                 CUDA_ERROR_OUT_OF_MEMORY,
                                 CUDA_ERROR_NOT_INITIALIZED,
                                 CUDA_ERROR_DEINITIALIZED,
                                 CUDA_ERROR_NO_DEVICE,
                                 CUDA_ERROR_INVALID_DEVICE,
                                 CUDA_ERROR_INVALID_IMAGE,
                                 CUDA_ERROR_NO_BINARY_FOR_GPU,
                                 CUDA_ERROR_NOT_FOUND,
                                 CUDA_ERROR_ILLEGAL_ADDRESS,
                                 CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION,
                                 CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION,
                                 CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES,
                                 CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                                 CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED,
                                 CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR,
                                 CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR,
                                 CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN,
                                 CU_STREAM_NON_BLOCKING,
                                 CU_EVENT_DISABLE_TIMING,
                                 CU_STREAM_CAPTURE_MODE_THREAD_LOCAL};
static_assert(CU_TENSOR_MAP_DATA_TYPE_BFLOAT16 == 9 && CU_TENSOR_MAP_DATA_TYPE_FLOAT16 == 6 &&
              CU_TENSOR_MAP_DATA_TYPE_FLOAT32 == 7 && CU_TENSOR_MAP_DATA_TYPE_FLOAT64 == 8 &&
              CU_TENSOR_MAP_DATA_TYPE_INT32 == 3 && CU_TENSOR_MAP_DATA_TYPE_INT64 == 5 &&
              CU_TENSOR_MAP_SWIZZLE_128B == 3 && CU_TENSOR_MAP_L2_PROMOTION_L2_256B == 3 &&
              CU_TENSOR_MAP_FLOAT_OOB_FILL_NAN_REQUEST_ZERO_FMA == 1);
} // namespace real

// The real names are macros for versioned ones.
#undef cuDevicePrimaryCtxRelease
#undef cuCtxPushCurrent
#undef cuCtxPopCurrent
#undef cuMemGetInfo
#undef cuMemAlloc
#undef cuMemFree
#undef cuMemcpyHtoDAsync
#undef cuMemcpyDtoHAsync
#undef cuMemcpyDtoDAsync
#undef cuStreamDestroy
#undef cuStreamBeginCapture
#undef cuEventDestroy
#undef cuGraphInstantiate
#include "lib/Runtime/CudaDevice.h"

#include <gtest/gtest.h>

namespace ours = tenon::cuda;

static_assert(sizeof(ours::CUlaunchAttribute) == sizeof(real::Attribute));
static_assert(offsetof(ours::CUlaunchAttribute, value) == offsetof(real::Attribute, value));
static_assert(sizeof(ours::CUlaunchConfig) == sizeof(real::Config));
static_assert(offsetof(ours::CUlaunchConfig, sharedMemBytes) == offsetof(real::Config, sharedMemBytes));
static_assert(offsetof(ours::CUlaunchConfig, attrs) == offsetof(real::Config, attrs));
static_assert(offsetof(ours::CUlaunchConfig, numAttrs) == offsetof(real::Config, numAttrs));
static_assert(sizeof(ours::CUtensorMap) == sizeof(real::Map) && alignof(ours::CUtensorMap) == alignof(real::Map));
static_assert(sizeof(ours::CUdeviceptr) == sizeof(::CUdeviceptr));

TEST(CudaDriver, ValuesAreThoseOfTheHeader) {
  const int values[] = {ours::CUDA_ERROR_INVALID_VALUE,
                        ours::CUDA_ERROR_OUT_OF_MEMORY,
                        ours::CUDA_ERROR_NOT_INITIALIZED,
                        ours::CUDA_ERROR_DEINITIALIZED,
                        ours::CUDA_ERROR_NO_DEVICE,
                        ours::CUDA_ERROR_INVALID_DEVICE,
                        ours::CUDA_ERROR_INVALID_IMAGE,
                        ours::CUDA_ERROR_NO_BINARY_FOR_GPU,
                        ours::CUDA_ERROR_NOT_FOUND,
                        ours::CUDA_ERROR_ILLEGAL_ADDRESS,
                        ours::CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION,
                        ours::CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION,
                        ours::CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES,
                        ours::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                        ours::CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED,
                        ours::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR,
                        ours::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR,
                        ours::CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN,
                        ours::CU_STREAM_NON_BLOCKING,
                        ours::CU_EVENT_DISABLE_TIMING,
                        ours::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL};
  ASSERT_EQ(std::size(values), std::size(real::values));
  for (size_t i = 0; i < std::size(values); ++i)
    EXPECT_EQ(values[i], real::values[i]) << i;
}
