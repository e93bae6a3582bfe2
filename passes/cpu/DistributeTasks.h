// Loop nests of a kernel on the general path -> tasks, where the nests have their outer loops in common.
#pragma once

#include "passes/cpu/KernelSizes.h"

namespace tenon {

/// A kernel in loops is one nest after the other. Where all begin with the same loops, and nothing that one turn of
/// these writes is read or written by another turn, a turn is a task: all nests' work for it, in order. Temporaries
/// shrink to what one task needs. Gives the number of tasks over the kernel's dims; null, and nothing is changed, where
/// the kernel has to be one task.
mlir::AffineExpr distributeTasks(mlir::func::FuncOp kernel, const KernelSizes &sizes);

} // namespace tenon
