#include "lib/Schedule/TileSchedule.h"

#include <algorithm>

namespace tenon {

static int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

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

int64_t paddedDepth(int64_t size, int64_t elementBits) {
  int64_t step = elementBits <= 8 ? 32 : 16;
  return ceilDiv(std::max<int64_t>(size, 1), step) * step;
}

/// The largest power of two that is no larger.
static int64_t powerWithin(int64_t size) {
  int64_t power = 1;
  while (power * 2 <= size)
    power *= 2;
  return power;
}

/// Few results of much that is folded: a program each leaves most of the processor idle, so that several share one.
static void shareFold(const RowShape &shape, int64_t results, RowTile &tile, const GpuArch &arch) {
  // What a program folds at once, a quarter of that at least in all; how many programs are on their way of a
  // multiprocessor; how many share a fold, fewer where they may have nothing to do.
  constexpr int64_t turn = 2048, least = turn / 4, perSm = 8;
  const int64_t most = shape.reduced < 0 ? 32 : 128;
  if (!shape.mayShareFold || !shape.reducesNeighbours || results < 0 || results >= arch.numSms ||
      results > mostTilesByLast || (shape.reduced >= 0 && shape.reduced < 2 * turn))
    return;
  int64_t splits = 1;
  while (splits < most && 2 * splits * results <= perSm * arch.numSms &&
         (shape.reduced < 0 || ceilDiv(shape.reduced, 2 * splits) > least))
    splits *= 2;
  int64_t part = shape.reduced < 0 ? turn : std::min(turn, powerWithin(2 * ceilDiv(shape.reduced, splits) - 1));
  tile = {1, 1, part, splits};
}

RowCandidate chooseRowTile(const RowShape &shape, const GpuArch &arch) {
  // 256 threads with 16 elements each keep enough loads in flight; 32 is what they hold without spilling.
  constexpr int64_t most = 8192, square = 64;
  int64_t columns = shape.sizes.empty() ? 1 : shape.sizes.back(), rows = 1;
  for (size_t d = 0; d + 1 < shape.sizes.size() && rows >= 0; ++d)
    rows = shape.sizes[d] < 0 ? -1 : rows * shape.sizes[d];
  auto within = [](int64_t size, int64_t limit) { return size < 0 ? limit : std::min(paddedTile(size), limit); };
  RowTile tile{1, 1, 1};
  std::string reason;
  // Of rows that a warp has to itself there are more: norms of 384 and 768 columns so made ViT of 64 images 1.03,
  // MiniLM of 64 sequences 1.02 times as fast.
  const int64_t elements = shape.foldsRows && isRowOfWarp(columns) ? 8192 : 4096;
  if (shape.foldsRows) {
    bool fits = columns >= 0 && paddedTile(columns) <= most;
    tile.columns = fits ? paddedTile(columns) : columns < 0 ? 1024 : elements;
    // Of parts that are added first, two at least: a load after the other would take as long again.
    tile.part = powerWithin(std::max<int64_t>(shape.reduced != 0 ? 2 : 1, elements / tile.columns));
    reason =
        fits ? "a row fits registers: it is read once" : "a row may be too long for registers: it is walked through";
  } else if (shape.reduced != 0) {
    tile.part = within(shape.reduced, shape.reducesNeighbours ? 1024 : 32);
    tile.columns = within(columns, powerWithin(std::max<int64_t>(1, elements / tile.part)));
    reason = shape.reducesNeighbours ? "neighbours are folded: many of them, few results"
                                     : "neighbours stay: many results, few that are folded at a time";
  } else if (shape.isTransposed) {
    tile.columns = within(columns, square);
    reason = "neighbours of an operand are none of the result: square tiles read and write whole lines";
  } else {
    tile.columns = within(columns, elements / 2);
    reason = "elements are independent";
  }
  if (shape.reduced == 0 || shape.foldsRows)
    tile.rows = shape.isTransposed ? square : powerWithin(std::max<int64_t>(1, elements / tile.columns));
  if (rows >= 0) {
    tile.rows = std::min(tile.rows, paddedTile(std::max<int64_t>(1, rows)));
    // Fewer rows a program where there would not be a program for every multiprocessor.
    int64_t perRow = columns < 0 || shape.foldsRows ? 1 : ceilDiv(std::max<int64_t>(1, columns), tile.columns);
    while (!shape.isTransposed && tile.rows > 1 && ceilDiv(rows, tile.rows) * perRow < arch.numSms)
      tile.rows = powerWithin(tile.rows - 1);
    // Then fewer columns, as long as a warp's loads are whole lines, or its lanes have something each.
    int64_t least = shape.reduced != 0 && !shape.reducesNeighbours ? 32 : 128;
    auto programs = [&] { return ceilDiv(rows, tile.rows) * ceilDiv(std::max<int64_t>(1, columns), tile.columns); };
    while (!shape.isTransposed && !shape.foldsRows && columns >= 0 && tile.columns % 2 == 0 && tile.columns > least &&
           programs() < arch.numSms)
      tile.columns /= 2;
  }
  int64_t results = rows < 0 || columns < 0 ? -1 : rows * columns;
  shareFold(shape, results, tile, arch);
  if (tile.splits > 1)
    reason += ", which several programs share";
  if (shape.reduced != 0 && !shape.foldsRows && !shape.reducesNeighbours)
    tile.part = within(shape.reduced, powerWithin(elements / tile.columns));
  return {tile, reason};
}

} // namespace tenon
