// What the workspace of a kernel that counts begins with: 0 between launches, as many bytes in all kernels, for they
// share the arena's start.
#pragma once

#include "dialects/Tile/Tile.h"

namespace tenon {

/// Between counters: those of neighbours are counted in different sectors.
constexpr int64_t counterStride = 32;
static_assert(tile::GatherToLastOp::mostTiles == tile::ReduceToLastOp::mostTiles);
constexpr int64_t counterBytes = tile::ReduceToLastOp::mostTiles * counterStride;

} // namespace tenon
