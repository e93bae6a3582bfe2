// What is known once the weights are: launches on such values alone run once, when the model is loaded.
#pragma once

#include "dialects/Tenon/Tenon.h"

namespace tenon {

/// Whether a value of @main comes from weights and constants alone, with static shapes.
bool isLoadTime(mlir::Value value);
/// The same of the operand behind `inner`, an argument of the kernel's block; false for anything else.
bool isLoadTime(KernelOp kernel, mlir::Value inner);

} // namespace tenon
