// PTX modules -> gated cubins, from the cache or by ptxas, shared out over threads.
#pragma once

#include "lib/Target/CubinCache.h"
#include "lib/Target/CubinGates.h"
#include "lib/Target/Ptxas.h"

namespace tenon {

struct CubinRequest {
  std::string name; ///< leads messages
  std::string ptx;
  std::vector<KernelExpectation> kernels; ///< all that will be launched
};

struct GeneratedCubin {
  std::string cubin;
  std::string log;                ///< of ptxas -v
  std::vector<KernelFacts> facts; ///< in the order of the request's kernels
  bool wasCached = false;
  bool isSecondTry = false; ///< assembled as `forSecondTry` has it
};

/// What a gate refuses is tried once more in this form. With `.minnctapersm 1` on its kernels: ptxas spills a few
/// registers where one CTA more then fits a multiprocessor, and does not where it is told that one is enough. Where
/// that stands there already, with another heuristic of its allocation.
std::string forSecondTry(std::string ptx);

/// One result a request, in order; one that fails leaves the others alone, so that the caller may try another schedule
/// for it. `numThreads` processes of ptxas at once, 0 for one a core. The gates are checked for cached cubins too.
std::vector<Result<GeneratedCubin>> generateCubins(const std::vector<CubinRequest> &requests, const GpuArch &arch,
                                                   const Ptxas &ptxas, const CubinCache &cache,
                                                   unsigned numThreads = 0);

} // namespace tenon
