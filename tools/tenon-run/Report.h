// What a run has to tell, as lines and as JSON.
#pragma once

#include "lib/Compiler/SimulatedGpu.h"
#include "tools/CommandLine.h"
#include "tools/tenon-run/Arrays.h"
#include "tools/tenon-run/Comparison.h"
#include "tools/tenon-run/Inputs.h"

namespace tenon::tool {

/// Filled in step by step.
struct Report {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  bool ok = true; ///< all comparisons
  void line(const std::string &text) { lines += text + "\n"; }
  std::string lines;
};

void reportTensors(const std::vector<Input> &inputs, const std::vector<Array> &outputs, Report &report);
/// `what`: check or expected.
void reportComparison(Report &report, const char *what, const std::string &name, const Comparison &comparison,
                      llvm::ArrayRef<int64_t> shape);
/// A line a launch of the simulator, and what is wrong with it.
void reportLaunches(const std::vector<SimulatedLaunch> &launches, Report &report);
/// Of calls, in milliseconds.
void reportTimes(std::vector<double> times, Report &report);

} // namespace tenon::tool
