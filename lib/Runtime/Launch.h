// One launch with everything evaluated: the same path for the launches of a call and for those at load.
#pragma once

#include "lib/Runtime/Executable.h"

namespace tenon {

struct PreparedLaunch {
  KernelFunction function = nullptr;
  const PlanLaunch *launch = nullptr;
  std::vector<int64_t> dims;
  int64_t grid = 0, scratch = 0; ///< scratch: bytes a thread, a multiple of 64
  std::vector<Update> updates;   ///< to be copied before it by who knows the addresses, where these differ

  /// Bytes for all threads that may work on it: one task is done by the caller.
  int64_t scratchOfAll() const;
};

/// Evaluates a launch's dimensions, grid and scratch; Corrupt when one is negative or absurd.
Result<PreparedLaunch> prepareLaunch(const Executable &executable, const PlanLaunch &launch,
                                     const std::function<const int64_t *(std::string_view)> &dims);

/// Runs the grid on the pool. `buffers`: operands, then results. `scratch`: scratchOfAll() bytes.
void runLaunch(const PreparedLaunch &launch, void *const *buffers, void *scratch);

} // namespace tenon
