// Whether rings are used as dialect warp says, found by running a program's control flow on numbers.
#pragma once

#include "dialects/Warp/Warp.h"

namespace tenon::warp {

/// Runs what decides which ring ops are executed (loops, conditions, index arithmetic) for the first and the last
/// program of the grid, with several values in place of sizes and numbers that are not known. Reports the first op that
/// breaks a rule: a transfer is acquired where its slot is free, every tile of it filled once, committed in order,
/// waited for before it is read, released after; nothing is read of a slot outside of that, or overwritten under an
/// async dot.
mlir::LogicalResult verifyRingPaths(tile::KernelOp kernel);

} // namespace tenon::warp
