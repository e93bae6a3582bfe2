// The GPU that a pass is for, of which its options have the name.
#pragma once

#include "lib/Schedule/GpuArch.h"

#include "mlir/IR/Operation.h"

namespace tenon {

/// An error at `op` where there is no such architecture.
mlir::FailureOr<const GpuArch *> gpuNamed(mlir::Operation *op, llvm::StringRef name);

} // namespace tenon
