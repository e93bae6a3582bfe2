// The time that a contraction takes by one tile, by a model of one multiprocessor: for comparing tiles with each other.
#pragma once

#include "lib/Schedule/TileSchedule.h"

namespace tenon {

/// Of one multiprocessor: what it reads of its shared memory, and what TMA brings it from the second-level cache, which
/// gives all of them together no more than the last.
constexpr double sharedBytesPerClock = 128, tmaBytesPerClock = 76, cacheBytesPerClock = 8900;

class GemmModel {
public:
  GemmModel(const GemmShape &shape, const GpuArch &arch);

  GemmCandidate judge(const GemmTile &tile) const;
  /// Whether shared memory and registers hold it.
  bool isLegal(const GemmTile &tile) const;
  /// Whether instructions of warpgroups make its sums.
  bool isWgmma(const GemmTile &tile) const;
  /// Columns of one program have one scale a turn, where blocks are no smaller than the least tile.
  bool fitsBlocks(const GemmTile &tile) const;
  int64_t slotsOf(const GemmTile &tile) const;             ///< of a ring that a warpgroup's program has
  double bytes() const { return shape.operandBits / 8.0; } ///< of an operand's element
  /// Rows and columns that a turn brings.
  int64_t sidesOf(const GemmTile &tile) const { return tile.rows + shape.products * tile.columns; }

  int64_t batch, rows, columns, depth; ///< usual ones where known only at run time

private:
  /// Clocks of one turn of the loop over the depth, by what may bound it.
  struct Turn {
    double multiply, shared, copy;
  };
  Turn turnOf(const GemmTile &tile, double programs) const;
  double copyClocks(const GemmTile &tile, double programs) const;
  double rateOf(const GemmTile &tile) const;
  int64_t sumsOf(const GemmTile &tile, int64_t warps) const;
  int64_t programsAtATime(const GemmTile &tile) const;
  double ownColumns(const GemmTile &tile) const;
  double storeClocks(const GemmTile &tile) const;
  double behindClocks(const GemmTile &tile) const;
  double addingClocks(const GemmTile &tile) const;
  double leastSeconds() const;
  double secondKernelSeconds(const GemmTile &tile) const;

  const GemmShape &shape;
  const GpuArch &arch;
};

} // namespace tenon
