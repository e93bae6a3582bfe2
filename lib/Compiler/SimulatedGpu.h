// The device simulator as a CUDA driver, so that the runtime runs whole artefacts on it: weights are uploaded, arenas
// planned, tensor maps encoded and kernels launched as on a GPU. A "cubin" is the text of its kernel after phase
// thread (target "sim:sm_90a"). Free of IR.
#pragma once

#include "lib/Sim/Report.h"

#include <functional>
#include <string>

namespace tenon {

/// Makes TENON_CUDA_DRIVER=sim a GPU of sm_90a, and sim:sm_80 one of sm_80; `sim:sm_80,seed=3,unchecked` runs threads
/// in another order, and looks for no races. A launch with findings fails with them, and the next may succeed.
void provideSimulatedGpu();

struct SimulatedLaunch {
  std::string kernel;
  sim::Report report;
  double seconds = 0;
};
/// Called after each launch from now on, and findings fail no launch that went on to its end. Null: as before.
void observeSimulatedLaunches(std::function<void(const SimulatedLaunch &)> observer);

} // namespace tenon
