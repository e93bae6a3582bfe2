// One launch on a GPU with everything evaluated, and how its parameters are passed: pointers of operands and results,
// dims, the workspace, tensor maps by value (docs/pipeline.md, "Calling a GPU kernel").
#pragma once

#include "lib/Runtime/CudaDevice.h"
#include "lib/Runtime/LaunchPlan.h"

#include <vector>

namespace tenon::cuda {

/// A kernel in a loaded module.
struct Kernel {
  CUfunction function = nullptr;
  const PlanKernel *plan = nullptr;
  std::string name;
  int64_t maxShared = 0; ///< bytes of dynamic shared memory it may be launched with
  int64_t wave = 1;      ///< CTAs that its GPU runs at a time, one each multiprocessor
};

/// A tensor map at one launch: all but the address.
struct PreparedMap {
  const PlanTensorMap *plan = nullptr;
  int64_t offset = 0;
  uint64_t sizes[5] = {}, strides[4] = {};
  bool isEmpty = false;       ///< no elements: the kernel does not use it, and the driver would refuse it
  CUdeviceptr encodedFor = 0; ///< what `encoded` is right for
  CUtensorMap encoded = {};
};

/// Moved, never copied: the driver reads the parameters through pointers into it.
struct PreparedLaunch {
  PreparedLaunch() = default;
  PreparedLaunch(PreparedLaunch &&) = default;
  PreparedLaunch &operator=(PreparedLaunch &&) = default;

  const PlanLaunch *launch = nullptr;
  const Kernel *kernel = nullptr; ///< the fallback of the plan's where tensor maps cannot be encoded
  CUlaunchConfig config = {};
  CUlaunchAttribute attributes[2] = {};
  unsigned int numFixedAttributes = 0; ///< those ahead of the leave to start early
  bool isEmpty = false;                ///< a grid without CTAs: nothing is launched
  int64_t workspace = 0;               ///< bytes
  int64_t zeroed = 0;                  ///< bytes at its start
  int64_t counters = 0;                ///< bytes at its start that stay 0 between launches
  int64_t workspaceAt = 0;             ///< offset in the arena, set by who plans it
  LaunchMemory memory;
  std::vector<Update> updates;
  std::vector<PreparedMap> maps;
  std::vector<uint64_t> words;    ///< parameters of 8 bytes: pointers, dims, workspace
  std::vector<void *> parameters; ///< addresses of words, then of encoded maps
};

/// Evaluates a launch. `bytes`: of values by id, which tensor maps must stay inside. Corrupt where the plan makes no
/// sense, Unsupported where this GPU cannot do it.
Result<PreparedLaunch> prepareLaunch(const LaunchPlan &plan, const std::map<std::string, Kernel> &kernels,
                                     const PlanLaunch &launch,
                                     const std::function<const int64_t *(std::string_view)> &dims,
                                     const std::vector<int64_t> &bytes);

/// Queues it, behind copies of what it updates where that has other memory than the result. `addresses`: of values by
/// id; `arena`: what workspaceAt is in. The device's context is current.
Status enqueue(Device &device, PreparedLaunch &launch, const std::vector<void *> &addresses, char *arena,
               CUstream stream);

} // namespace tenon::cuda
