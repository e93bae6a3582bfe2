// Decides how a kernel is cut into programs on tiles, from its shape. Free of IR. The processor does not enter yet:
// that comes with the level that knows registers and shared memory.
#pragma once

#include <cstdint>
#include <vector>

namespace tenon {

/// Sizes of a contraction or attention; negative where known only at run time.
struct GemmTile {
  int64_t rows, columns, depth;
};
GemmTile chooseGemmTile(int64_t rows, int64_t columns, int64_t depth, int64_t operandBits);

struct AttentionTile {
  int64_t queries, keys;
};
AttentionTile chooseAttentionTile(int64_t queries, int64_t headSize);

/// The least number, no smaller than `size`, that threads divide among them without a rest: 1, 3, 5 or 7 times a power
/// of two, and from 32 on a multiple of 32, a warp's lanes.
int64_t paddedTile(int64_t size);
/// The same for the depth of a matrix instruction: the next multiple of 16.
int64_t paddedDepth(int64_t size);

/// Work on rows: pointwise, norms, reductions, copies.
struct RowShape {
  std::vector<int64_t> sizes; ///< of the result; negative where known only at run time
  bool foldsRows = false;     ///< elements of a row depend on each other
  bool isTransposed = false;  ///< some operand's elements are neighbours along another dimension than the result's
  int64_t reduced = 0;        ///< elements that are folded to one and are no row; negative where known only at run time
  bool reducesNeighbours = false; ///< and they lie next to each other
};
struct RowTile {
  int64_t rows, columns, part;
};
RowTile chooseRowTile(const RowShape &shape);

} // namespace tenon
