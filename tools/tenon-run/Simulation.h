// A run on the device simulator, launch by launch.
#pragma once

#include "lib/Compiler/SimulatedGpu.h"

#include <string>
#include <vector>

namespace tenon::tool {

/// "sim" or "sim:sm_80".
bool isSimulator(const std::string &device);
/// The target whose kernels run there: "sim:sm_90a".
std::string simulatedTarget(const std::string &device);

/// From its construction on, GPU 0 is the simulator.
class Simulation {
public:
  Simulation(const std::string &device, int64_t seed, bool isChecked);
  ~Simulation();
  Simulation(const Simulation &) = delete;
  Simulation &operator=(const Simulation &) = delete;

  const std::vector<SimulatedLaunch> &launches() const { return all; }

private:
  std::vector<SimulatedLaunch> all;
};

} // namespace tenon::tool
