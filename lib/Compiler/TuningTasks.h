// What a tuner measures of a model: its kernels by themselves, what the database calls them, and the schedules that
// they may have. Each kernel is a module past phase `kernel`, to be compiled with `from = "tile"` and a schedule by
// hand, and beside it a reference: the same kernel in f64, which multiplies by other instructions and adds in another
// precision.
#pragma once

#include "lib/Compiler/Compiler.h"

namespace tenon {

struct TuningCandidate {
  std::string schedule, reason;
  double seconds; ///< by the model
};

struct TuningTask {
  std::string kernel; ///< its name, which a schedule by hand is for
  std::string op, shape, types, epilogue, arch;
  int64_t uses = 1;  ///< kernels of the model with this key
  int64_t depth = 0; ///< terms of a sum
  std::string text;
  std::string reference;  ///< all floats are f64, nothing is rounded
  std::string rounded;    ///< the same rounded where the kernel rounds on its way to the result; empty: it does not
  bool isProduct = false; ///< nothing but a product, whose result of small integers is exact
  std::vector<TuningCandidate> candidates; ///< best first
};

struct TuningTasks {
  std::string build; ///< version of the compiler
  std::vector<TuningTask> tasks;
  std::vector<std::pair<std::string, std::string>> leftOut; ///< kernels and why
};

/// Of a model for a GPU. Errors: those of compile(), and a target that is no GPU.
Result<TuningTasks> findTuningTasks(std::string_view text, const CompileOptions &options);

/// {"build", "tasks": [the fields above, "candidates": [{"schedule", "reason", "seconds"}]], "left_out": [{"kernel",
/// "why"}]}
std::string toJson(const TuningTasks &tasks);

} // namespace tenon
