#include "tools/tenon-run/Simulation.h"

#include <cstdlib>

namespace tenon::tool {

bool isSimulator(const std::string &device) { return device == "sim" || device.rfind("sim:", 0) == 0; }

std::string simulatedTarget(const std::string &device) { return device == "sim" ? "sim:sm_90a" : device; }

Simulation::Simulation(const std::string &device, sim::Options options, bool isTraced) {
  provideSimulatedGpu();
  ::setenv("TENON_CUDA_DRIVER", simulatedTarget(device).c_str(), 1); // the way in which a process names its driver
  if (isTraced)
    options.trace = &events;
  observeSimulatedLaunches([this](const SimulatedLaunch &launch) { all.push_back(launch); }, options);
}

Simulation::~Simulation() { observeSimulatedLaunches(nullptr); }

} // namespace tenon::tool
