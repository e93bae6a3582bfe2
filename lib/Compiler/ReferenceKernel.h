// A kernel in f64, which a candidate's results are compared with.
#pragma once

#include "lib/Support/Status.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace tenon {

struct ReferenceKernel {
  mlir::OwningOpRef<mlir::ModuleOp> exact;   ///< no conversions between floats: nothing is rounded
  mlir::OwningOpRef<mlir::ModuleOp> rounded; ///< rounds where the kernel does but for its results; null: nowhere
};

/// Of a module with kernels of arith, math, linalg and tensor. Errors: Unsupported for other ops, and for roundings to
/// 8 bits.
Result<ReferenceKernel> makeReference(mlir::ModuleOp module);

} // namespace tenon
