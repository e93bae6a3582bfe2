// Runs a kernel at the level of tiles, program after program, on tensors in memory: slow, and with no code in common
// with any lowering. Floats are computed in double and rounded to the type of each result, as the op says.
#pragma once

#include "dialects/Tile/Tile.h"
#include "lib/Reference/ReferenceTensor.h"

namespace tenon {

/// `arguments` holds the operands, then the results, in the order of the kernel's views; results are written in place.
/// An error is emitted on the op that cannot be run, or on the kernel when an argument does not fit its view.
llvm::LogicalResult runTileKernel(tile::KernelOp kernel, llvm::MutableArrayRef<ReferenceTensor> arguments);

} // namespace tenon
