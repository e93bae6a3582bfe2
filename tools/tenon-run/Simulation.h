// A run on the device simulator, launch by launch.
#pragma once

#include "lib/Compiler/SimulatedGpu.h"
#include "lib/Sim/Trace.h"

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
  Simulation(const std::string &device, sim::Options options, bool isTraced);
  ~Simulation();
  Simulation(const Simulation &) = delete;
  Simulation &operator=(const Simulation &) = delete;

  const std::vector<SimulatedLaunch> &launches() const { return all; }
  const sim::Trace &trace() const { return events; }

private:
  sim::Trace events;
  std::vector<SimulatedLaunch> all;
};

} // namespace tenon::tool
