// What bufferization leaves as allocations inside a kernel: a call must not allocate, and memory holds no i1, i4 or
// 8-bit floats. Both are settled once the kernel is loops over buffers.
#pragma once

#include "passes/cpu/KernelSizes.h"

namespace tenon {

/// Buffers of i1, i4 and 8-bit floats that the kernel allocates hold bytes instead, one element each.
void storeTemporariesAsBytes(mlir::func::FuncOp kernel);

/// Each memref.alloc becomes a view into the scratch argument at an offset of its own, a multiple of 64; memref.dealloc
/// goes. Gives the bytes needed, over the kernel's dims. An alloc inside a loop has one place for all turns, which is
/// right as bufferization lets no allocation leave the turn that made it.
mlir::FailureOr<mlir::AffineExpr> placeTemporaries(mlir::func::FuncOp kernel, const KernelSizes &sizes);

} // namespace tenon
