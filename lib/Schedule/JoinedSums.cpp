// Which programs of a product may add up the sum that they share themselves: as the CTAs of a cluster, which send each
// other their parts (docs/decisions/0020), or by the last of them (0024). One rule for the model that ranks such tiles
// and for the pass that carries a schedule out, whoever wrote it.
#include "lib/Schedule/TileSchedule.h"
#include "lib/Schedule/WarpSchedule.h"

namespace tenon {

namespace {
int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// Whether each tile of the result can have a counter that stays from launch to launch.
bool hasFewTiles(const GemmShape &shape, const GemmTile &tile) {
  int64_t tiles = 1;
  for (auto [size, part] : {std::pair(shape.batch, int64_t(1)), {shape.rows, tile.rows}, {shape.columns, tile.columns}})
    if (size < 0 || size > part * mostTilesByLast || (tiles *= ceilDiv(size, part)) > mostTilesByLast)
      return false;
  return true;
}
} // namespace

int64_t exchangedBytes(const GemmTile &tile) {
  return tile.isJoined ? (tile.splits - 1) * (tile.rows * tile.columns / tile.splits) * 4 : 0;
}

std::string whyNotJoined(const GemmShape &shape, const GemmTile &tile, const GpuArch &arch) {
  if (shape.products > 1)
    return "a program of it has more sums than one";
  if (!arch.hasWgmma || !shape.isTensorCore || !shape.hasRows)
    return "no dot of warpgroups makes its sums";
  if (shape.depth < 0 || shape.depth <= tile.splits * tile.depth)
    return "a part of its depth has one turn, or it is known only at run time";
  int64_t rows = tile.isSwapped ? tile.columns : tile.rows, columns = tile.isSwapped ? tile.rows : tile.columns;
  // What a program finishes leaves by stores of 8 rows, or by slabs of 16 columns.
  int64_t shares = tile.isByLast ? 1 : tile.splits, whole = tile.isSwapped ? 8 : 16;
  if (rows % 64 != 0 || columns % (shares * whole) != 0)
    return "its tile has no equal parts in whole fragments";
  if (tile.isByLast && !hasFewTiles(shape, tile))
    return "its tiles are more than " + std::to_string(mostTilesByLast) + ", or known only at run time";
  int64_t bytes = (rows + columns) * tile.depth * shape.operandBits / 8;
  WarpSchedule warps =
      chooseDotWarps(rows, columns, bytes, /*outerBytes=*/0, exchangedBytes(tile), DotKind::Warpgroup, arch);
  if (!warps.wgmma)
    return "shared memory does not hold three slots of its operands beside the sums of others";
  constexpr int64_t mostRegisters = 96, mostRead = 256; // beyond that kernels spill
  int64_t registers = rows * columns / (32 * warps.warpsM * warps.warpsN);
  if (tile.isByLast && (registers > mostRegisters || registers * tile.splits > mostRead))
    return "a thread has no registers for its sum beside the parts of others";
  return "";
}

} // namespace tenon
