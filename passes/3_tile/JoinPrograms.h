// Programs that are neighbours become one.
#pragma once

#include "dialects/Tile/Tile.h"

namespace tenon {

/// The programs of the grid, `parts` neighbours along `axis` as one; what is the same for them is computed once. Fails,
/// and changes nothing, where a loop's bounds or a branch tell them apart.
mlir::LogicalResult joinPrograms(tile::GridOp grid, unsigned axis, int64_t parts);

} // namespace tenon
