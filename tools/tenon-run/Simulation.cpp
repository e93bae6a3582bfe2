#include "tools/tenon-run/Simulation.h"

#include <cstdlib>

namespace tenon::tool {

bool isSimulator(const std::string &device) { return device == "sim" || device.rfind("sim:", 0) == 0; }

std::string simulatedTarget(const std::string &device) { return device == "sim" ? "sim:sm_90a" : device; }

Simulation::Simulation(const std::string &device, int64_t seed, bool isChecked) {
  provideSimulatedGpu();
  std::string driver = simulatedTarget(device) + ",seed=" + std::to_string(seed) + (isChecked ? "" : ",unchecked");
  ::setenv("TENON_CUDA_DRIVER", driver.c_str(), 1); // the way in which a process names its driver
  observeSimulatedLaunches([this](const SimulatedLaunch &launch) { all.push_back(launch); });
}

Simulation::~Simulation() { observeSimulatedLaunches(nullptr); }

} // namespace tenon::tool
