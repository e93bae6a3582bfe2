// What a model is run on: arrays from files, and seeded random numbers for every input without one.
#pragma once

#include "lib/Runtime/LaunchPlan.h"
#include "tools/PlanDescription.h"
#include "tools/tenon-run/Arrays.h"

#include <utility>

namespace tenon::tool {

/// Inclusive bounds of an integer input, by name.
using Ranges = std::map<std::string, std::pair<int64_t, int64_t>>;

struct InputOptions {
  std::vector<std::string> files; ///< "x=a.npy", "a.npy" (the next input without one) or "all.npz"
  Ranges ranges;                  ///< of integer inputs, by name
  Sizes dims;
  std::string random = "normal"; ///< normal, integers, positive or wide
  int64_t seed = 0;
  bool cast = false; ///< arrays of another type are converted
};

struct Input {
  std::string name, origin; ///< origin: a file, or how it was made
  Tensor tensor;
};

/// Whether the model has the dimensions, at these sizes, and the inputs that the options name.
Status checkNames(const LaunchPlan &plan, const InputOptions &options);

/// `modelRanges`: what the model says about its integer inputs; InputOptions::ranges wins; [0, 1] where neither does.
Result<std::vector<Input>> makeInputs(const LaunchPlan &plan, const InputOptions &options, const Ranges &modelRanges);

/// Random numbers as inputs get them; the same for the same arguments everywhere.
Result<Tensor> randomTensor(DataType type, std::vector<int64_t> shape, const std::string &kind, uint64_t seed,
                            std::pair<int64_t, int64_t> range, double scale = 1);

} // namespace tenon::tool
