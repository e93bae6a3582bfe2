// Decides how a kernel is cut into programs on tiles, from its shape and the processor. Free of IR. Times are those of
// a model, good for comparing candidates with each other and with nothing else.
#pragma once

#include "lib/Schedule/GpuArch.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tenon {

/// The least number, no smaller than `size`, that threads divide among them without a rest: 1, 3, 5 or 7 times a power
/// of two, and from 32 on a multiple of 32, a warp's lanes.
int64_t paddedTile(int64_t size);
/// The same for the depth of a matrix instruction: the next multiple of 16, for elements of 8 bits of 32.
int64_t paddedDepth(int64_t size, int64_t elementBits = 16);

/// Sizes of a contraction; negative where known only at run time.
struct GemmShape {
  int64_t batch, rows, columns, depth;
  int64_t operandBits, resultBits;
  bool isTensorCore; ///< by a matrix instruction, else by multiply-adds
  /// What the instruction adds up in a turn is added to a sum of its own: it is not exact enough to go on, or scaled.
  bool isPromoted = false;
  /// Of scales that change along the depth and the columns: how many elements have one; 0: they do not.
  int64_t depthBlock = 0, columnBlock = 0;
  /// What is computed of each result behind the product, as simple instructions, without the first: that one hides.
  int64_t opsBehind = 0;
  bool readsBehind = false; ///< that reads an element for each result, a residual
  /// What reads the result adds the parts of a split product itself: no second kernel does.
  bool isAddedByReader = false;
  /// Of as many columns each, whose results one program needs together: gates.
  int64_t products = 1;
  int64_t swappedRows = 8; ///< of the transposed dot, in steps of so many
  bool isInteger = false;  ///< whose instructions have fewer widths: 8, 24 and multiples of 16
  bool hasRows = true;     ///< else its one row is no dimension of it
};
struct GemmTile {
  int64_t rows, columns, depth;
  int64_t splits = 1;     ///< of the depth, over programs
  int64_t parts = 1;      ///< of the rows, multiplied one after the other; of 64 rows each for teams (isForTeams)
  bool isSwapped = false; ///< the transposed dot: columns are the instruction's rows
  bool isJoined = false;  ///< programs that share a sum add it up themselves, as CTAs of a cluster
  bool isByLast = false;  ///< the last of them does; of neither, a second kernel or who reads the result
};
struct GemmCandidate {
  GemmTile tile;
  double seconds;
  double busySeconds; ///< of the busiest multiprocessor, were memory without bounds
  std::string reason; ///< "132 programs, 1 a multiprocessor, bound by memory"
};
/// Whether a warpgroup has a program by itself: two take a CTA's programs in turn, so that one multiplies while the
/// other computes what is behind its product and stores it.
inline bool isForTeams(const GemmTile &tile) { return tile.parts > 1 && tile.rows == 64 * tile.parts; }
/// Tiles whose programs share sums, or other folds, that the last of them finishes: each has a counter.
constexpr int64_t mostTilesByLast = 256;
/// Why the programs of a sum of `tile`, which is joined or by the last, cannot add it up themselves; empty where they
/// can.
std::string whyNotJoined(const GemmShape &shape, const GemmTile &tile, const GpuArch &arch);
/// What a program gets of the others in its cluster.
int64_t exchangedBytes(const GemmTile &tile);

/// Legal tiles, best first; there is one always.
/// `refusals`: so many tiles had too few registers; those tried now have that many times half the results.
std::vector<GemmCandidate> rankGemmTiles(const GemmShape &shape, const GpuArch &arch, int64_t refusals = 0);

/// Sizes of an attention; negative where known only at run time.
struct TileAttentionShape {
  int64_t batch, heads, queries, keys, headSize, operandBits;
  bool isCausal = false; ///< later keys are hidden
  bool isMasked = false; ///< others may be, too
};
struct AttentionTile {
  int64_t queries, keys;
  int64_t splits = 1;   ///< of the keys, over programs; their parts are put together by a second kernel
  bool byFirst = false; ///< powers are relative to the first keys' maximum: `maximum = first`
};
struct AttentionCandidate {
  AttentionTile tile;
  std::string reason;
};
AttentionCandidate chooseAttentionTile(const TileAttentionShape &shape, const GpuArch &arch, int64_t refusals = 0);

/// Work on rows: pointwise, norms, reductions, copies.
struct RowShape {
  std::vector<int64_t> sizes; ///< of the result; negative where known only at run time
  bool foldsRows = false;     ///< elements of a row depend on each other
  bool isTransposed = false;  ///< some operand's elements are neighbours along another dimension than the result's
  int64_t reduced = 0;        ///< elements that are folded to one and are no row; negative where known only at run time
  bool reducesNeighbours = false; ///< and they lie next to each other
  /// That is all there is to fold: programs can share it, and the last of them goes on with what all have.
  bool mayShareFold = false;
};
/// Whether a row that is folded is best one warp's: long enough for all lanes, and short enough for their registers.
inline bool isRowOfWarp(int64_t columns) { return columns > 256 && columns <= 1024; }
struct RowTile {
  int64_t rows, columns, part;
  int64_t splits = 1; ///< of what is folded, over programs
};
struct RowCandidate {
  RowTile tile;
  std::string reason;
};
RowCandidate chooseRowTile(const RowShape &shape, const GpuArch &arch);

} // namespace tenon
