// The module @kernels beside @main, and launches of what is in it: what every target makes of tenon.kernel ops.
#pragma once

#include "dialects/Tenon/Tenon.h"

#include "mlir/IR/BuiltinOps.h"

namespace tenon {

/// The kernels of @main; none where there is no @main.
llvm::SmallVector<KernelOp> kernelsOf(mlir::ModuleOp module);

/// An empty module @kernels at the end of `module`; an error where that symbol is taken.
mlir::FailureOr<mlir::ModuleOp> makeKernelModule(mlir::ModuleOp module);

/// The module @kernels, which an earlier pass may have made.
mlir::FailureOr<mlir::ModuleOp> kernelModuleOf(mlir::ModuleOp module);

/// Where the model's source said what the kernel does: "file:line" of each op, once, and the path of its
/// module where the location has one: "file:line (encoder.layer.0)".
mlir::ArrayAttr sourcesOf(KernelOp kernel);

/// On a kernel: why it has no program on tiles.
inline constexpr llvm::StringLiteral noProgramAttribute = "tenon.no_program";

/// A launch of `symbol` in @kernels takes the kernel's place.
void replaceByLaunch(KernelOp kernel, llvm::StringRef symbol);

} // namespace tenon
