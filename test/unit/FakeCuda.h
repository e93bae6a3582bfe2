// How tests steer the fake CUDA driver (fake-cuda.cpp): its functions, found in the library that the runtime opens too.
#pragma once

#include "lib/Runtime/CudaDriver.h"

#include <cstdint>
#include <string>

namespace tenon::test {

/// What a fake kernel sees of its launch; it does the work of the whole grid.
struct FakeLaunch {
  unsigned int grid[3], block[3], cluster[3], shared;
  bool programmatic;
  const void *const *parameters;

  template <typename T>
  T get(size_t index) const {
    return *static_cast<const T *>(parameters[index]);
  }
};
using FakeKernel = void (*)(const FakeLaunch &);

/// What the fake writes into a tensor map.
struct FakeTensorMap {
  uint64_t address, sizes[5], strides[4];
  uint32_t box[5], rank;
  uint8_t type, swizzle, l2Promotion, fill;
};
static_assert(sizeof(FakeTensorMap) <= sizeof(cuda::CUtensorMap));

struct FakeCuda {
  /// The fake at `path`, else the one beside the tests; set up afresh. Sets TENON_CUDA_DRIVER.
  explicit FakeCuda(const std::string &path = "");
  ~FakeCuda();

  /// All as at the start: two GPUs of compute capability 9.0, no faults.
  void (*reset)();
  /// The call number `nth` (1, 2, ..) of a function gives `result`, and nothing else happens; with 0 every call does.
  void (*fail)(const char *function, int nth, int result);
  /// An asynchronous fault: running this kernel breaks the context.
  void (*failKernel)(const char *symbol, int result);
  int (*calls)(const char *function);
  /// Objects that live now; that lived when their context ended, in spite of nobody; broken rules, a line each.
  int (*live)();
  int (*leaked)();
  const char *(*violations)();
  /// `sizes`: of the parameters in bytes, ended by 0.
  void (*addKernel)(const char *symbol, FakeKernel kernel, const size_t *sizes);
  void (*setMemory)(size_t bytes);
  void (*setVersion)(int version);
  void (*setCapability)(int major, int minor);
  /// The ranges of a profiler, in the order of their ends: `a {b {} } ` for b within a.
  const char *(*ranges)();
};

} // namespace tenon::test
