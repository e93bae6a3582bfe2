// What of a kernel is worth a launch of its own where each thread computes an element by itself.
#pragma once

#include "dialects/Tenon/Tenon.h"

namespace tenon {

/// Tensors of one shape that a thread computes together.
using KernelPart = llvm::SmallVector<mlir::Value>;

/// The parts of a kernel of linalg.generic and fills, in an order in which each needs only earlier ones: what is
/// yielded, and what would be computed again and again if it were no part.
llvm::SmallVector<KernelPart> findParts(KernelOp kernel);

} // namespace tenon
