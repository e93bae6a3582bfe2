// Programs that are neighbours become one.
#pragma once

#include "dialects/Tile/Tile.h"

namespace tenon {

/// The programs of the grid, `parts` neighbours along `axis` as one; what is the same for them is computed once. Fails,
/// and changes nothing, where a loop's bounds or a branch tell them apart.
mlir::LogicalResult joinPrograms(tile::GridOp grid, unsigned axis, int64_t parts);

/// Two loops over the depth, one behind the other, as one: those of products of the same rows. Leaves alone what
/// depends on one another or goes through other turns.
void joinLoops(tile::GridOp grid);

} // namespace tenon
