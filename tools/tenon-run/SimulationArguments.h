// The options of the tools that simulate, and what these print: counts of accesses, traces.
#pragma once

#include "lib/Sim/Simulator.h"
#include "lib/Sim/Trace.h"
#include "tools/CommandLine.h"

namespace tenon::tool {

/// What is said on the command line of a simulation.
struct SimulationArguments {
  std::string check = "races,init,deadlock", trace;
  int64_t seed = 0, numSeeds = 1, threads = 0;
  bool counts = false, shortSums = false;

  void addTo(CommandLine &line);
  Result<sim::Options> options() const;
};

/// A row an op: the accesses of its warps, and what the memory makes of them.
std::vector<std::vector<std::string>> countRows(const std::vector<sim::AccessCount> &counts,
                                                const std::vector<sim::Site> &sites);
Status writeTrace(const sim::Trace &trace, const std::string &file);

} // namespace tenon::tool
