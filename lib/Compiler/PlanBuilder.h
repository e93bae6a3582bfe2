// @main after the last phase -> launch plan: what the runtime reads instead of IR.
#pragma once

#include "lib/Runtime/LaunchPlan.h"

#include "mlir/IR/BuiltinOps.h"

namespace tenon {

struct BuiltPlan {
  LaunchPlan plan;
  std::string constants;
};

/// Weights, constants, views, sizes and launches of @main, and the kernels of @kernels. A launch whose operands come
/// only from weights, constants and other such launches runs once, at load. `forGpu`: the functions have the attributes
/// of kernels for CUDA. Errors are emitted at the op that has no place in a plan.
mlir::FailureOr<BuiltPlan> buildPlan(mlir::ModuleOp module, bool forGpu);

} // namespace tenon
