// What a model is run on: arrays from files, and seeded random numbers for every input without one.
#pragma once

#include "lib/Runtime/LaunchPlan.h"
#include "tools/PlanDescription.h"
#include "tools/tenon-run/Arrays.h"

#include <set>
#include <utility>

namespace tenon::tool {

/// Inclusive bounds of an integer input, by name.
using Ranges = std::map<std::string, std::pair<int64_t, int64_t>>;

/// What a model says about its inputs.
struct InputLimits {
  Ranges ranges;                     ///< of integers
  std::set<std::string> atLeastZero; ///< floats that no model has below 0, by name
};

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

/// Of integers InputOptions::ranges wins over the model's `limits`; [0, 1] where neither says anything.
Result<std::vector<Input>> makeInputs(const LaunchPlan &plan, const InputOptions &options, const InputLimits &limits);

/// Random numbers as inputs get them; the same for the same arguments everywhere.
Result<Tensor> randomTensor(DataType type, std::vector<int64_t> shape, const std::string &kind, uint64_t seed,
                            std::pair<int64_t, int64_t> range, double scale = 1);

} // namespace tenon::tool
