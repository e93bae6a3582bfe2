#include "lib/Schedule/TileSchedule.h"

#include <algorithm>

namespace tenon {

/// The least of 16, 32, 64, .. `most` that holds `size`; `most` where that is unknown.
static int64_t fitting(int64_t size, int64_t most) {
  int64_t tile = 16;
  while (tile < most && (size < 0 || tile < size))
    tile *= 2;
  return tile;
}

GemmTile chooseGemmTile(int64_t rows, int64_t columns, int64_t depth, int64_t operandBits) {
  // 128 bytes of the depth: one line of the cache and one period of the shared memory's swizzle.
  return {fitting(rows, 128), fitting(columns, 128), fitting(depth, 1024 / std::max<int64_t>(operandBits, 8))};
}

AttentionTile chooseAttentionTile(int64_t queries, int64_t headSize) {
  return {fitting(queries, 128), headSize > 128 ? 64 : 128};
}

int64_t paddedTile(int64_t size) {
  int64_t best = 1;
  while (best < size)
    best *= 2;
  for (int64_t factor : {3, 5, 7}) {
    int64_t tile = factor * 32;
    while (tile < size)
      tile *= 2;
    if (size > 32)
      best = std::min(best, tile);
  }
  return best;
}

int64_t paddedDepth(int64_t size) { return (std::max<int64_t>(size, 1) + 15) / 16 * 16; }

/// The largest power of two that is no larger.
static int64_t powerWithin(int64_t size) {
  int64_t power = 1;
  while (power * 2 <= size)
    power *= 2;
  return power;
}

RowTile chooseRowTile(const RowShape &shape) {
  // 256 threads with 16 elements each keep enough loads in flight; 32 is what they hold without spilling.
  constexpr int64_t elements = 4096, most = 8192, square = 64;
  int64_t columns = shape.sizes.empty() ? 1 : shape.sizes.back(), rows = 1;
  for (size_t d = 0; d + 1 < shape.sizes.size() && rows >= 0; ++d)
    rows = shape.sizes[d] < 0 ? -1 : rows * shape.sizes[d];
  auto within = [](int64_t size, int64_t limit) { return size < 0 ? limit : std::min(paddedTile(size), limit); };
  RowTile tile{1, 1, 1};
  if (shape.foldsRows) {
    // A row that fits is held; a longer one is walked through, and read again for each statistic.
    bool fits = columns >= 0 && paddedTile(columns) <= most;
    tile.columns = fits ? paddedTile(columns) : columns < 0 ? 1024 : elements;
    tile.part = powerWithin(elements / tile.columns);
  } else if (shape.reduced != 0) {
    // Neighbours are read together: those that are folded, or those that stay.
    tile.part = within(shape.reduced, shape.reducesNeighbours ? 1024 : 32);
    tile.columns = within(columns, powerWithin(elements / tile.part));
  } else if (shape.isTransposed) {
    tile.columns = within(columns, square);
  } else {
    tile.columns = within(columns, elements / 2);
  }
  if (shape.reduced == 0 || shape.foldsRows)
    tile.rows = shape.isTransposed ? square : powerWithin(elements / tile.columns);
  if (rows >= 0)
    tile.rows = std::min(tile.rows, paddedTile(std::max<int64_t>(1, rows)));
  return tile;
}

} // namespace tenon
