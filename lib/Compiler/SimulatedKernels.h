// Modules, launches and tensor maps of the simulated driver: what needs the kernels' IR.
#pragma once

#include "lib/Compiler/SimulatedGpu.h"
#include "lib/Runtime/CudaDriver.h"
#include "lib/Target/SimulatedModule.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tenon::simulated {

/// Not NVIDIA's: a launch with findings, an image that cannot be simulated.
inline constexpr cuda::CUresult findings = 20000, noSimulation = 20001;

/// A launch with all that its parameters hold, to be run now or later, in a graph.
using Work = std::function<cuda::CUresult()>;

Result<std::unique_ptr<SimulatedModule>> loadImage(const char *image);

/// `memory`: what Driver::describeLaunch was told.
Result<Work> makeWork(const SimulatedModule &module, const std::string &kernel, const cuda::CUlaunchConfig &config,
                      void **parameters, const cuda::LaunchMemory &memory);

/// cuTensorMapEncodeTiled: InvalidArgument where the driver would refuse, Unsupported where the simulator does alone.
Status encodeMap(cuda::CUtensorMap *map, int type, uint32_t rank, void *address, const uint64_t *sizes,
                 const uint64_t *strides, const uint32_t *box, const uint32_t *elementStrides, int interleave,
                 int swizzle, int l2Promotion, int fill);

/// The text of the last error of this thread.
std::string &lastError();

} // namespace tenon::simulated
