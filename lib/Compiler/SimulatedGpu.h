// The device simulator as a CUDA driver, so that the runtime runs whole artefacts on it: weights are uploaded, arenas
// planned, tensor maps encoded and kernels launched as on a GPU. A "cubin" is the text of its kernel after phase
// thread (target "sim:sm_90a"). Free of IR.
#pragma once

#include "lib/Sim/Simulator.h"

#include <functional>
#include <string>

namespace tenon {

/// Makes TENON_CUDA_DRIVER=sim a GPU of sm_90a, and sim:sm_80 one of sm_80; `sim:sm_80,seed=3,seeds=4,check=init` runs
/// threads in four other orders, and looks for no races (sim::setChecks). A launch with findings fails with them, and
/// the next may succeed.
void provideSimulatedGpu();

struct SimulatedLaunch {
  std::string kernel;
  sim::Report report;
  std::vector<sim::Site> sites; ///< what the report's counts are of
  double seconds = 0;
};
/// Called after each launch from now on, which runs with these options, and findings fail no launch that went on to its
/// end. Null: as before.
void observeSimulatedLaunches(std::function<void(const SimulatedLaunch &)> observer, const sim::Options &options = {});

} // namespace tenon
