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

RowTile chooseRowTile(int64_t rows, int64_t columns) {
  constexpr int64_t longestRow = 8192, elements = 4096, partOfARow = 1024;
  RowTile tile{1, columns >= 0 && columns <= longestRow ? std::max<int64_t>(columns, 1) : partOfARow, 128};
  tile.rows = std::max<int64_t>(1, elements / tile.columns);
  if (rows >= 0)
    tile.rows = std::max<int64_t>(1, std::min(tile.rows, rows));
  return tile;
}

} // namespace tenon
