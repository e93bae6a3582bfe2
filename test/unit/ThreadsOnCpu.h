// The code of GPU threads, run on the CPU: a kernel's blocks are the tasks of a CPU kernel, each of which does the work
// of its threads one after the other. For kernels whose threads do not wait for each other.
#pragma once

#include "mlir/IR/BuiltinOps.h"

#include <string>

namespace tenon::test {

/// A pipeline in tenon-opt's text form.
mlir::LogicalResult runPasses(mlir::ModuleOp module, const std::string &pipeline);

/// A model, from phase graph on: all its kernels become what one thread does, and are launched.
mlir::LogicalResult takeGeneralPath(mlir::ModuleOp module);

/// A model, from phase graph on, with all its kernels on the general path to threads: input of phase llvm.
/// An empty text where that fails; what failed is in the diagnostics.
std::string onThreads(const std::string &text);

/// Kernels of phase thread in @kernels as those of phase llvm.
mlir::LogicalResult runThreadsOnCpu(mlir::ModuleOp module);

} // namespace tenon::test
