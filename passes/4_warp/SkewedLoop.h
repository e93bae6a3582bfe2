// A loop of two dots that tenon-skew-dots reorders, and what both orders of it are made of.
#pragma once

#include "dialects/Warp/Warp.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace tenon::warp {

class SkewedLoop {
public:
  explicit SkewedLoop(mlir::scf::ForOp loop) : loop(loop), body(loop.getBody()), b(loop.getLoc(), loop) {}
  bool match();
  /// The second dot of a turn beside the next one's first.
  void skew();
  /// Whether the second dot is added, no turn is cut by a mask, and its first dot takes nothing of the turn before.
  bool goesAhead();
  /// The first dot of a turn behind the second of the turn before, and the maxima with it.
  void skewAhead();

private:
  bool matchDots();
  bool matchRest();
  /// Whether `value` is computed, within a turn, from what `isSource` holds of.
  bool dependsOn(mlir::Value value, llvm::function_ref<bool(mlir::Value)> isSource);
  bool takesSum(mlir::Operation *op);
  /// What seldom happens later is what the first turn begins with, and the region is right for all rows.
  void takeRegion(tile::UnlikelyOp op, mlir::IRMapping &mapping);
  /// Turn `counter` without its second dot: where `isBeside`, with the one of the turn before beside the first.
  void emitTurn(mlir::IRMapping &mapping, mlir::Value counter, mlir::Value lhs, mlir::Value accumulator, bool isBeside);
  warp::DotOp emitSecond(mlir::Value number, mlir::Value lhs, mlir::Value accumulator);
  /// The loop's sum from what the second dot gives: that, or with what was handed on.
  mlir::Value summed(mlir::Value dot, mlir::Value handedOn);
  /// What the second dot, or the addition behind it, adds to.
  mlir::Value addend() { return added ? added->getOperand(1 - addedNumber) : second.getAccumulator(); }
  void emitSecondRelease(mlir::Value number) { RingReleaseOp::create(b, secondWait.getRing(), number); }
  /// What a turn hands on: the loop's values with the scaled sum in place of the second dot's, and the left operand.
  mlir::SmallVector<mlir::Value> handedOn(const mlir::IRMapping &mapping);
  /// What `emit` makes where the condition holds, which is null where it always does; else `otherwise`.
  void emitIf(mlir::Value condition, mlir::TypeRange types, llvm::function_ref<mlir::SmallVector<mlir::Value>()> emit,
              mlir::ValueRange otherwise, mlir::SmallVector<mlir::Value> &results);
  mlir::Value transfers() { return secondWait.getRing().getDefiningOp<RingCreateOp>().getTransfers(); }
  /// Whether there is a turn; null: there always is.
  mlir::Value emitIsAny(mlir::Value trips);
  bool hasTurns() {
    return loop->getParentOfType<tile::KernelOp>()->getAttrOfType<ScheduleAttr>("warp.schedule").getTurns();
  }

  // Where the first dot goes ahead:
  void findAhead();
  /// What is ahead of the functions of turn `counter`, from its first dot, which is not waited for, on.
  warp::DotOp emitFirst(mlir::IRMapping &mapping, mlir::Value counter);
  /// The rest of what is ahead, and what the functions take of it.
  mlir::SmallVector<mlir::Value> emitAhead(mlir::IRMapping &mapping, bool isFirstTurn);
  /// The functions and the second dot: what the turn yields. Unless it is the last, what is ahead of turn `next`
  /// besides.
  mlir::SmallVector<mlir::Value> emitRest(mlir::Value counter, mlir::ValueRange values, mlir::Value next);

  mlir::scf::ForOp loop;
  mlir::Block *body;
  mlir::ImplicitLocOpBuilder b;
  warp::DotOp first, second;
  RingWaitOp firstWait, secondWait;
  RingReleaseOp firstRelease;
  mlir::arith::AddFOp added; ///< of the second dot, which starts at zero then; null: it goes on with a sum
  unsigned addedNumber = 0;  ///< of the second dot among its operands
  unsigned sumNumber = 0;    ///< of the second dot's sum among what the loop carries
  mlir::SmallVector<mlir::Operation *> others; ///< of a turn, all but the second dot, in order
  /// Of these, the first that works on the whole product, after a fold of it if any is before functions of it.
  mlir::Operation *heavy = nullptr;
  /// Of these, those before `heavy` and what is done to the sum, as far as they take something of the first dot or of
  /// the turn before.
  llvm::SetVector<mlir::Operation *> ahead;
  llvm::SetVector<mlir::Value> crossing; ///< of what is ahead and of the turn before, what the rest takes
};

} // namespace tenon::warp
