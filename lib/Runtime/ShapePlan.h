// What a call needs once the dimensions are numbers: shapes, arena offsets, and every launch with its grid.
#pragma once

#include "lib/Runtime/Arena.h"
#include "lib/Runtime/CudaLaunch.h"
#include "lib/Runtime/Launch.h"

#include <memory>

namespace tenon {

struct ShapePlan {
  std::vector<std::vector<int64_t>> outputShapes;
  std::vector<int64_t> outputBytes;
  std::vector<int64_t> tempOffsets; ///< by value id, in the arena
  std::vector<int64_t> sizes;       ///< by value id, of kind Size
  ArenaPlan arena;
  std::vector<PreparedLaunch> launches;
  int64_t scratch = 0; ///< bytes for all threads, the most of any launch

  // On a GPU these two are in place of the two above; workspaces are in the arena.
  std::vector<cuda::PreparedLaunch> cudaLaunches;
  int64_t counters = 0; ///< bytes at the arena's start that stay 0 between calls, whatever their sizes
  std::shared_ptr<cuda::Memory> deviceSizes; ///< `sizes`, 64 bytes apart; null when no value is of kind Size
};

/// Checks count, type, rank, shape and address of the inputs and sets `dims`, in the order of LaunchPlan::dims.
Status bindDims(const LaunchPlan &plan, const std::vector<TensorRef> &inputs, std::vector<int64_t> &dims);

/// Checks the plan's conditions first: an InvalidArgument names the op that the sizes do not suit.
Result<std::unique_ptr<ShapePlan>> makeShapePlan(const Executable &executable, const std::vector<int64_t> &dims);

/// Not null unless empty, and aligned for its elements.
template <typename Where>
Status checkAddress(const TensorRef &tensor, Where where) {
  int64_t element = bitsPerElement(tensor.dtype) >= 8 ? bitsPerElement(tensor.dtype) / 8 : 1;
  if (!tensor.data && tensor.bytes())
    return invalidArgument(where() + " has no data (null)");
  if (reinterpret_cast<uintptr_t>(tensor.data) % element)
    return invalidArgument(where() + " is not aligned to its elements of " + std::to_string(element) + " bytes");
  return {};
}

} // namespace tenon
