// What every kernel must satisfy before it is used, not only in tests. A spill, a wait that ptxas injected or a
// contraction without Tensor Core instructions costs a factor of speed without an error anywhere: here it is one.
#pragma once

#include "lib/Schedule/GpuArch.h"
#include "lib/Target/Cubin.h"
#include "lib/Target/PtxasLog.h"

namespace tenon {

/// What the generator of a kernel says of it.
struct KernelExpectation {
  std::string name;
  int64_t dynamicSharedBytes = 0; ///< of its launch
  bool needsTensorCore = false;   ///< it holds a contraction that was not asked to run on plain FMAs
  bool needsWarpgroups = false;   ///< its schedule has dots of warpgroups
  bool isProduct = false;         ///< and they are all of one product, whose loop does nothing else
  bool maySpill = false;          ///< of the general path, which has no other schedule and promises no speed
};

/// What became of it.
struct KernelFacts {
  PtxasKernelInfo info;
  CubinFunction code;
};

/// The facts of `expected`, in that order. Errors: Corrupt (no cubin, a kernel missing); Internal with kernel, gate,
/// number and remedy for the first gate that fails: no-spills, no-coded-lines, shared-memory, tensor-core,
/// warpgroup-dots, async-loop.
Result<std::vector<KernelFacts>> checkCubin(std::string_view cubin, std::string_view log, const GpuArch &arch,
                                            const std::vector<KernelExpectation> &expected);

} // namespace tenon
