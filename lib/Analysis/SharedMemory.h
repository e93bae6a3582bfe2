// Where the rings, staged tiles and exchanges of a program with layouts lie in shared memory, and how much they take.
#pragma once

#include "dialects/Warp/Warp.h"

#include "llvm/ADT/MapVector.h"

namespace tenon {

struct SharedMemoryPlan {
  llvm::DenseMap<mlir::Operation *, int64_t> offsets; ///< of each ring, staged tile and `warp.store`, in bytes
  llvm::DenseSet<mlir::Operation *> reuses;           ///< of these, those in memory that others had before
  llvm::DenseMap<mlir::Value, int64_t> barriers;      ///< of rings that a producer fills: 16 bytes a slot
  int64_t programs =
      -1; ///< two slots of 32 bytes for the next program's number, where CTAs take programs as they get free
  /// Of each tile.redo that is put off: 4 bytes a warp, the first program on its list.
  llvm::MapVector<mlir::Operation *, int64_t> lists;
  int64_t sums =
      -1; ///< of a tile.reduce_scatter: mbarriers, that others' parts are here and that they have read one's own
  int64_t last = -1;        ///< of a tile.reduce_to_last: how many programs came before, for all threads
  int64_t tileBytes = 0;    ///< of all rings and staged tiles
  int64_t scratchBytes = 0; ///< behind them: what relayouts and folds exchange, between two barriers each
  int64_t barrierBytes = 0;
  int64_t getBytes() const { return tileBytes + scratchBytes + barrierBytes; }
};

/// Rings and staged tiles share memory where they are not needed at the same time. The kernel has `warp.schedule`, its
/// tiles have layouts.
SharedMemoryPlan planSharedMemory(tile::KernelOp kernel);

/// Whether a CTA carries the region out behind all of its programs: so many have a producer, which would have to wait.
bool isPutOff(tile::RedoOp op);

/// What others send a program of a sum that they share.
int64_t sharedSumBytes(tile::ReduceScatterOp op);

/// Of a slot of warp.store: a slab for each warp.
int64_t storeSlotBytes(llvm::ArrayRef<warp::StoreSlab> slabs, warp::ScheduleAttr schedule);

/// Elements of 32 bits are written to a slab in blocks of 8 rows and 8 columns, two by each lane. Half of the lanes are
/// served at once: four rows, of which the swizzle takes two to the same banks. So those with that bit of the row's
/// number write the block so many columns away, whose turn it is for the others later; 0: no row does.
struct BlockTurn {
  int64_t rowBit = 1, columns = 0;
};
BlockTurn blockTurnOf(warp::SmemType slab);

/// A copy's 32 lanes: that many have neighbouring chunks of 16 bytes of a row, the others the rows after it.
int64_t copyLanesAlongRow(warp::SmemType tile);

/// Elements of a row that a thread reads or writes as one when a fragment goes through that tile.
int64_t fragmentWidth(warp::LayoutAttr layout, warp::SmemType tile);

} // namespace tenon
