#include "passes/4_warp/FragmentLayouts.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace tenon::warp {

/// The largest power of two up to `most` that divides `size`.
static int64_t dividingPower(int64_t size, int64_t most) {
  int64_t power = 1;
  while (power * 2 <= most && size % (power * 2) == 0)
    power *= 2;
  return power;
}

LayoutAttr rowLayout(RankedTensorType tile, int64_t numWarps) {
  MLIRContext *context = tile.getContext();
  int64_t rank = tile.getRank();
  SmallVector<SmallVector<Digit>> dims(rank);
  if (rank == 0)
    return LayoutAttr::get(context, dims);
  int64_t bits = tile.getElementType().isIndex() ? 64 : std::max<unsigned>(8, tile.getElementTypeBitWidth());
  int64_t columns = tile.getDimSize(rank - 1);
  // A few elements take as long as the lane with most of them: none idles while another has several.
  int64_t share = std::max<int64_t>(1, tile.getNumElements() / 32);
  int64_t run = dividingPower(columns, std::min(share, std::max<int64_t>(1, 128 / bits)));
  // Lanes along the row: all where they divide it, else as many as do; a few places past the end beat few lanes.
  int64_t parts = columns / run;
  int64_t alongRow = dividingPower(parts, 32);
  if (alongRow < 32 && alongRow * 4 < parts)
    alongRow = std::min<int64_t>(32, llvm::PowerOf2Ceil(parts));
  int64_t lanesLeft = 32 / alongRow, laneStride = alongRow;
  int64_t warpsLeft = numWarps, warpStride = 1;
  // Outer dimensions, the innermost first: lanes, then warps, then registers.
  for (int64_t d = rank - 2; d >= 0; --d) {
    int64_t size = tile.getDimSize(d);
    int64_t laneCount = std::min<int64_t>(lanesLeft, llvm::PowerOf2Ceil(size));
    int64_t rest = llvm::divideCeil(size, laneCount);
    int64_t warpCount = 1;
    while (warpCount * 2 <= std::min(warpsLeft, rest) && warpsLeft % (warpCount * 2) == 0)
      warpCount *= 2;
    dims[d] = {registers(llvm::divideCeil(rest, warpCount)), warps(warpCount, warpStride),
               lanes(laneCount, laneStride)};
    lanesLeft /= laneCount;
    laneStride *= laneCount;
    warpsLeft /= warpCount;
    warpStride *= warpCount;
  }
  int64_t rest = llvm::divideCeil(parts, alongRow);
  int64_t warpCount = dividingPower(rest, warpsLeft);
  if (warpCount < warpsLeft && warpCount * 2 < rest)
    warpCount = std::min<int64_t>(warpsLeft, llvm::PowerOf2Ceil(rest));
  while (warpsLeft % warpCount != 0)
    warpCount /= 2;
  dims[rank - 1] = {registers(llvm::divideCeil(rest, warpCount)), warps(warpCount, warpStride), lanes(alongRow),
                    registers(run)};
  return LayoutAttr::get(context, dims);
}

LayoutAttr transposedLayout(RankedTensorType tile, int64_t numWarps) {
  constexpr int64_t wordBits = 32, sectorWords = 8, runBits = 128, numLanes = 32;
  int64_t bits = tile.getElementTypeBitWidth();
  if (tile.getRank() != 2 || bits >= wordBits)
    return {};
  int64_t word = wordBits / bits, run = runBits / bits, lanesBeside = sectorWords, lanesAlong = numLanes / lanesBeside;
  int64_t across = tile.getDimSize(0), along = tile.getDimSize(1);
  if (across % (word * lanesBeside) != 0 || along % (run * lanesAlong) != 0)
    return {};
  across /= word * lanesBeside;
  along /= run * lanesAlong;
  int64_t warpsBeside = dividingPower(across, numWarps), warpsAlong = numWarps / warpsBeside;
  if (numWarps % warpsBeside != 0 || along % warpsAlong != 0)
    return {};
  return LayoutAttr::get(tile.getContext(),
                         {{registers(across / warpsBeside), warps(warpsBeside), lanes(lanesBeside), registers(word)},
                          {registers(along / warpsAlong), warps(warpsAlong, warpsBeside),
                           lanes(lanesAlong, lanesBeside), registers(run)}});
}

LayoutAttr partOf(LayoutAttr layout, int64_t dimension, int64_t parts) {
  SmallVector<SmallVector<Digit>> dims;
  for (int64_t d = 0; d < layout.getRank(); ++d)
    dims.push_back(layout.getDim(d));
  Digit &slowest = dims[dimension].front();
  if (slowest.kind != DigitKind::Register || slowest.size % parts != 0)
    return {};
  slowest.size /= parts;
  return LayoutAttr::get(layout.getContext(), dims);
}

} // namespace tenon::warp
