// Loads whose tiles come through a ring in shared memory: which there are, the copies that fill a slot with them, and
// the reads of a slot that take their place.
#pragma once

#include "dialects/Warp/Warp.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace tenon {

/// What one shared tile takes the place of: a load, or several that are joined along their rows.
struct StagedTile {
  mlir::TypedValue<mlir::RankedTensorType> value;
  llvm::SmallVector<tile::LoadOp> loads;

  /// Nothing where it is neither.
  static std::optional<StagedTile> of(mlir::Operation *op);
  mlir::Operation *op() const { return value.getDefiningOp(); }
  llvm::SmallVector<mlir::Value> places() const;
  /// What computes the places of its loads within the loop, in order; none where there is no loop.
  llvm::SmallVector<mlir::Operation *> placeOps(mlir::scf::ForOp loop) const;
};

/// Tiles that come through one ring.
struct RingLoads {
  llvm::SmallVector<StagedTile> staged;
  llvm::SmallVector<warp::SmemType> tiles;
  int64_t stages = 1;
  mlir::Value ring;
  bool isStreamed = false; ///< from memory, each tile for one program
  bool areWeights = false; ///< that the producer begins to copy before the launch ahead is done

  /// The ring. `transfers`: how many a producer fills it with; null: the warps that read it do.
  void create(mlir::ImplicitLocOpBuilder &b, mlir::Value transfers);
  /// The copies of turn `number`, by what is known of its places; no loop: there is one turn.
  void fill(mlir::ImplicitLocOpBuilder &b, mlir::scf::ForOp loop, mlir::Value number, mlir::IRMapping mapping) const;
  /// Reads of a full slot in place of the loads.
  void read(mlir::ImplicitLocOpBuilder &b, mlir::Value number, int64_t ahead);
  mlir::Operation *first() const { return staged.front().loads.front(); }
  /// The last op of `block` in which the tiles are read.
  mlir::Operation *lastUse(mlir::Block *block) const;
  void eraseLoads();
};

/// The first dot that the tile is an operand of, as it is, transposed, or where `widens` the right one, widened; null:
/// none.
tile::DotOp dotFedBy(mlir::Value tile, bool widens);
/// Null where the tile has no form in shared memory.
warp::SmemType smemFor(mlir::Value tile, warp::ScheduleAttr schedule);
/// Whether TMA takes the copies.
bool fitsTma(const StagedTile &staged, warp::SmemType tile);
/// Loads of the block that are operands of dots and have a form in shared memory. `loop`: the one that the block is the
/// body of, if it is of any; `widens`: dots may do so with 8-bit floats.
RingLoads findLoads(mlir::Block &block, mlir::scf::ForOp loop, warp::ScheduleAttr schedule, bool widens);
/// Clones the ops, but for those whose results `mapping` has.
void repeat(mlir::OpBuilder &b, llvm::ArrayRef<mlir::Operation *> ops, mlir::IRMapping &mapping);

} // namespace tenon
