// The module @kernels beside @main, and launches of what is in it: what every target makes of tenon.kernel ops.
#pragma once

#include "dialects/Tenon/Tenon.h"

#include "mlir/IR/BuiltinOps.h"

namespace tenon {

/// An empty module @kernels at the end of `module`; an error where that symbol is taken.
mlir::FailureOr<mlir::ModuleOp> makeKernelModule(mlir::ModuleOp module);

/// A launch of `symbol` in @kernels takes the kernel's place.
void replaceByLaunch(KernelOp kernel, llvm::StringRef symbol);

} // namespace tenon
