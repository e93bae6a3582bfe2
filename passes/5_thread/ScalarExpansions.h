// The arithmetic of a thread that is the same on every processor.
#pragma once

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace tenon {

/// Conversions and elementary functions as on the CPU, bit for bit (lib/Arithmetic); what is none of them, functions of
/// f64 and sin, cos and pow, becomes calls of libdevice, which code generation links.
mlir::LogicalResult expandScalars(mlir::LLVM::LLVMFuncOp function);

} // namespace tenon
