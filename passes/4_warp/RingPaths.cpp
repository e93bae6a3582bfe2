#include "passes/4_warp/RingPaths.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

#include <deque>
#include <map>

using namespace mlir;
using namespace tenon;
using namespace tenon::warp;

namespace {
struct Transfer {
  SmallVector<int64_t> fills; ///< rows of each tile; empty: not acquired
  bool isWaited = false, isReleased = false;
  int64_t freeSince = 0; ///< waits of its ring when it was last read
};

struct RingState {
  RingCreateOp op;
  std::map<int64_t, Transfer> transfers;
  int64_t next = 0;  ///< the transfer to be committed next
  int64_t waits = 0; ///< each is a barrier
  bool isProduced() const { return bool(RingCreateOp(op).getTransfers()); }
};

/// A tile of a slot, as ring.acquire or ring.wait gave it.
struct Slot {
  Operation *by;
  Value ring;
  int64_t number;
  unsigned tile;
};

class RingExecution {
public:
  RingExecution(tile::KernelOp kernel, int64_t sample, bool isLastProgram)
      : kernel(kernel), sample(sample), isLastProgram(isLastProgram) {
    kernel.walk([&](Operation *op) {
      if (isa<WarpDialect>(op->getDialect()) && !isa<PartialReduceOp>(op))
        for (; op && relevant.insert(op).second; op = op->getParentOp()) {
        }
    });
  }
  LogicalResult run();
  /// Whether another sample, or another program, could have gone another way.
  bool usedSample = false, usedProgram = false;

private:
  LogicalResult runBlock(Block &block);
  LogicalResult runFor(scf::ForOp loop);
  LogicalResult runOp(Operation *op);
  LogicalResult runWarpOp(Operation *op);
  LogicalResult acquire(RingAcquireOp op);
  LogicalResult copy(CopyOp op);
  LogicalResult commit(RingCommitOp op);
  LogicalResult wait(RingWaitOp op);
  LogicalResult release(RingReleaseOp op);
  LogicalResult read(Operation *op, Value tile, bool isAsync);
  LogicalResult end(RingState &ring);
  void evaluate(Operation *op);
  std::optional<int64_t> evaluateExpr(AffineExpr expr, affine::AffineApplyOp op);
  int64_t numberOf(Value value) { return numbers.lookup(value); }
  RingState *ringOf(Value ring) {
    auto found = rings.find(ring);
    return found == rings.end() ? nullptr : &found->second;
  }
  InFlightDiagnostic error(Operation *op);
  void finishDots(size_t pending);

  tile::KernelOp kernel;
  int64_t sample;
  bool isLastProgram;
  DenseSet<Operation *> relevant; ///< ops that hold an op of dialect warp but folds, and those
  DenseMap<Value, int64_t> numbers;
  llvm::MapVector<Value, RingState> rings;
  DenseMap<Value, Slot> slots;
  std::deque<SmallVector<std::pair<Value, int64_t>>> asyncDots; ///< transfers that dots under way read
  int64_t turns = 0;
};
} // namespace

/// Turns of loops that one execution looks at: what a ring does repeats after twice its depth.
static constexpr int64_t mostTurns = 4096;

InFlightDiagnostic RingExecution::error(Operation *op) {
  InFlightDiagnostic diagnostic = op->emitOpError();
  if (usedSample)
    diagnostic << "(where sizes that are not known are " << sample << ") ";
  return diagnostic;
}

void RingExecution::finishDots(size_t pending) {
  for (; asyncDots.size() > pending; asyncDots.pop_front())
    for (auto [ring, number] : asyncDots.front())
      if (RingState *state = ringOf(ring))
        state->transfers[number].freeSince = state->waits;
}

//===--- the rules -----------------------------------------------------------------------------------------------===//

LogicalResult RingExecution::acquire(RingAcquireOp op) {
  RingState *ring = ringOf(op.getRing());
  if (!ring)
    return error(op) << "has a ring that is not made by warp.ring.create, expected its result";
  int64_t number = numberOf(op.getNumber()), depth = op.getRing().getType().getDepth();
  if (number != ring->next)
    return error(op) << "acquires transfer " << number << ", expected " << ring->next << ", the next to be committed";
  Transfer &transfer = ring->transfers[number];
  if (!transfer.fills.empty())
    return error(op) << "acquires transfer " << number << " twice";
  auto before = ring->transfers.find(number - depth);
  // A producer runs ahead: its acquiring waits for the release.
  if (!ring->isProduced() && before != ring->transfers.end() && !before->second.fills.empty()) {
    if (!before->second.isReleased)
      return error(op) << "acquires transfer " << number << " in the slot of transfer " << number - depth
                       << ", which is not released";
    for (const auto &dot : asyncDots)
      if (llvm::is_contained(dot, std::pair<Value, int64_t>(op.getRing(), number - depth)))
        return error(op) << "acquires transfer " << number << " in the slot of transfer " << number - depth
                         << ", which an async dot still reads; warp.dot_wait has to come before";
    // One slot: acquiring is a barrier itself.
    if (depth > 1 && before->second.freeSince == ring->waits)
      return error(op) << "acquires transfer " << number << " in the slot of transfer " << number - depth
                       << ", which other warps may still read; a ring.wait has to come between";
  }
  transfer.fills.assign(op.getSlot().size(), 0);
  for (auto [tile, slot] : llvm::enumerate(op.getSlot()))
    slots[slot] = {op, op.getRing(), number, unsigned(tile)};
  return success();
}

LogicalResult RingExecution::copy(CopyOp op) {
  auto found = slots.find(op.getTarget());
  if (found == slots.end() || !isa<RingAcquireOp>(found->second.by))
    return error(op) << "fills " << op.getTarget().getType() << " that is no slot of warp.ring.acquire";
  auto [by, ring, number, tile] = found->second;
  RingState *state = ringOf(ring);
  if (number < state->next)
    return error(op) << "fills transfer " << number << " after its commit";
  int64_t &filled = state->transfers[number].fills[tile];
  filled += op.getCopied().getShape()[0];
  if (filled > op.getTarget().getType().getShape()[0])
    return error(op) << "fills tile " << tile << " of transfer " << number << " twice";
  return success();
}

LogicalResult RingExecution::commit(RingCommitOp op) {
  RingState *ring = ringOf(op.getRing());
  if (!ring)
    return error(op) << "has a ring that is not made by warp.ring.create, expected its result";
  int64_t number = numberOf(op.getNumber());
  if (number != ring->next)
    return error(op) << "commits transfer " << number << ", expected " << ring->next
                     << "; transfers are committed in order, each once";
  for (auto [tile, fills] : llvm::enumerate(ring->transfers[number].fills))
    if (fills < op.getRing().getType().getTiles()[tile].getShape()[0])
      return error(op) << "commits transfer " << number << " before tile " << tile << " of its slot is filled";
  ++ring->next;
  return success();
}

LogicalResult RingExecution::wait(RingWaitOp op) {
  RingState *ring = ringOf(op.getRing());
  if (!ring)
    return error(op) << "has a ring that is not made by warp.ring.create, expected its result";
  int64_t number = numberOf(op.getNumber()), after = ring->next - 1 - number;
  if (after < 0)
    return error(op) << "waits for transfer " << number << ", of " << ring->next << " that are committed";
  int64_t depth = op.getRing().getType().getDepth();
  if (ring->isProduced() && number >= depth && !ring->transfers[number - depth].isReleased)
    return error(op) << "waits for transfer " << number << " for ever: the producer waits for the release of transfer "
                     << number - depth << ", whose slot it fills";
  if (!ring->isProduced() && after < int64_t(op.getAhead()))
    return error(op) << "waits for transfer " << number << " and lets " << op.getAhead() << " run ahead, but only "
                     << after << " were committed after it: it may be under way still";
  Transfer &transfer = ring->transfers[number];
  if (transfer.isReleased)
    return error(op) << "waits for transfer " << number << " after its release";
  transfer.isWaited = true;
  ++ring->waits;
  for (auto [tile, slot] : llvm::enumerate(op.getSlot()))
    slots[slot] = {op, op.getRing(), number, unsigned(tile)};
  return success();
}

LogicalResult RingExecution::release(RingReleaseOp op) {
  RingState *ring = ringOf(op.getRing());
  if (!ring)
    return error(op) << "has a ring that is not made by warp.ring.create, expected its result";
  int64_t number = numberOf(op.getNumber());
  Transfer &transfer = ring->transfers[number];
  if (!transfer.isWaited)
    return error(op) << "releases transfer " << number << ", which nobody has waited for";
  if (transfer.isReleased)
    return error(op) << "releases transfer " << number << " twice";
  for (const auto &dot : asyncDots)
    if (ring->isProduced() && llvm::is_contained(dot, std::pair<Value, int64_t>(op.getRing(), number)))
      return error(op) << "releases transfer " << number
                       << ", which an async dot still reads, to a producer; warp.dot_wait has to come before";
  transfer.isReleased = true;
  transfer.freeSince = ring->waits;
  return success();
}

LogicalResult RingExecution::read(Operation *op, Value tile, bool isAsync) {
  if (tile.getDefiningOp<StageOp>())
    return success();
  auto found = slots.find(tile);
  if (found == slots.end() || !isa<RingWaitOp>(found->second.by))
    return error(op) << "reads " << tile.getType() << " that neither warp.ring.wait nor warp.stage gave";
  auto [by, ring, number, slot] = found->second;
  Transfer &transfer = ringOf(ring)->transfers[number];
  if (transfer.fills.empty())
    return error(op) << "reads transfer " << number << ", which is empty";
  if (transfer.isReleased)
    return error(op) << "reads transfer " << number << " after its release";
  if (isAsync)
    asyncDots.back().push_back({ring, number});
  return success();
}

LogicalResult RingExecution::end(RingState &ring) {
  if (Value transfers = ring.op.getTransfers(); transfers && numberOf(transfers) != ring.next)
    return error(ring.op) << "says " << numberOf(transfers) << " transfers, and its producer makes " << ring.next;
  for (auto &[number, transfer] : ring.transfers) {
    if (transfer.fills.empty())
      continue;
    if (number >= ring.next)
      return error(ring.op) << "ends with transfer " << number << " acquired and not committed";
    if (!transfer.isWaited)
      return error(ring.op) << "ends with transfer " << number << " filled, and nobody has waited for it";
    if (!transfer.isReleased)
      return error(ring.op) << "ends with transfer " << number << " not released";
  }
  return success();
}

LogicalResult RingExecution::runWarpOp(Operation *op) {
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](RingCreateOp create) {
        // In a loop: the ring of the turn before ends here.
        if (RingState *before = ringOf(create.getRing()); before && failed(end(*before)))
          return failure();
        rings[create.getRing()] = RingState{create, {}, 0, 0};
        return success();
      })
      .Case([&](RingAcquireOp acquired) { return acquire(acquired); })
      .Case([&](CopyOp copied) { return copy(copied); })
      .Case([&](RingCommitOp committed) { return commit(committed); })
      .Case([&](RingWaitOp waited) { return wait(waited); })
      .Case([&](RingReleaseOp released) { return release(released); })
      .Case([&](ReadOp reading) { return read(op, reading.getSource(), /*isAsync=*/false); })
      .Case([&](warp::DotOp dot) {
        if (dot.getAsync())
          asyncDots.emplace_back();
        for (Value operand : {dot.getLhs(), dot.getRhs()})
          if (isa<SmemType>(operand.getType()) && failed(read(op, operand, dot.getAsync())))
            return failure();
        return success();
      })
      .Case([&](RingIsEarlyOp early) {
        usedProgram = true;
        numbers[early.getEarly()] =
            !isLastProgram && numberOf(early.getNumber()) < early.getRing().getType().getDepth();
        return success();
      })
      .Case([&](DotWaitOp wait) {
        finishDots(wait.getPending());
        return success();
      })
      .Default(success());
}

//===--- control flow and numbers --------------------------------------------------------------------------------===//

std::optional<int64_t> RingExecution::evaluateExpr(AffineExpr expr, affine::AffineApplyOp op) {
  if (auto known = dyn_cast<AffineConstantExpr>(expr))
    return known.getValue();
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return numberOf(op.getMapOperands()[dim.getPosition()]);
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return numberOf(op.getMapOperands()[op.getAffineMap().getNumDims() + symbol.getPosition()]);
  auto binary = cast<AffineBinaryOpExpr>(expr);
  std::optional<int64_t> left = evaluateExpr(binary.getLHS(), op), right = evaluateExpr(binary.getRHS(), op);
  if (!left || !right)
    return std::nullopt;
  if (expr.getKind() == AffineExprKind::Add)
    return *left + *right;
  if (expr.getKind() == AffineExprKind::Mul)
    return *left * *right;
  if (*right <= 0)
    return std::nullopt;
  if (expr.getKind() == AffineExprKind::Mod)
    return llvm::mod(*left, *right);
  return expr.getKind() == AffineExprKind::FloorDiv ? llvm::divideFloorSigned(*left, *right)
                                                    : llvm::divideCeilSigned(*left, *right);
}

static std::optional<int64_t> evaluateBinary(Operation *op, int64_t a, int64_t b) {
  // Sizes and places: small, so that nothing overflows, and unsigned ops differ where a number is negative alone.
  bool canDivide = b > 0 && a >= 0;
  return TypeSwitch<Operation *, std::optional<int64_t>>(op)
      .Case([&](arith::AddIOp) { return a + b; })
      .Case([&](arith::SubIOp) { return a - b; })
      .Case([&](arith::MulIOp) { return a * b; })
      .Case([&](arith::AndIOp) { return a & b; })
      .Case([&](arith::OrIOp) { return a | b; })
      .Case([&](arith::XOrIOp) { return a ^ b; })
      .Case<arith::MaxSIOp, arith::MaxUIOp>([&](auto) { return std::max(a, b); })
      .Case<arith::MinSIOp, arith::MinUIOp>([&](auto) { return std::min(a, b); })
      .Case<arith::DivUIOp, arith::DivSIOp>([&](auto) { return canDivide ? std::optional(a / b) : std::nullopt; })
      .Case<arith::RemUIOp, arith::RemSIOp>([&](auto) { return canDivide ? std::optional(a % b) : std::nullopt; })
      .Case([&](arith::FloorDivSIOp) { return b > 0 ? std::optional(llvm::divideFloorSigned(a, b)) : std::nullopt; })
      .Case<arith::CeilDivSIOp, arith::CeilDivUIOp>(
          [&](auto) { return b > 0 ? std::optional(llvm::divideCeilSigned(a, b)) : std::nullopt; })
      .Case([&](arith::CmpIOp compare) -> std::optional<int64_t> {
        switch (compare.getPredicate()) {
        case arith::CmpIPredicate::eq:
          return a == b;
        case arith::CmpIPredicate::ne:
          return a != b;
        case arith::CmpIPredicate::slt:
        case arith::CmpIPredicate::ult:
          return a < b;
        case arith::CmpIPredicate::sle:
        case arith::CmpIPredicate::ule:
          return a <= b;
        case arith::CmpIPredicate::sgt:
        case arith::CmpIPredicate::ugt:
          return a > b;
        case arith::CmpIPredicate::sge:
        case arith::CmpIPredicate::uge:
          return a >= b;
        }
        llvm_unreachable("a predicate is one of these");
      })
      .Default(std::nullopt);
}

void RingExecution::evaluate(Operation *op) {
  for (Value result : op->getResults()) {
    if (!result.getType().isIntOrIndex())
      continue;
    std::optional<int64_t> number;
    if (IntegerAttr constant; matchPattern(result, m_Constant(&constant)))
      number = result.getType().isInteger(1) ? int64_t(constant.getValue().getZExtValue()) : constant.getInt();
    else if (auto apply = dyn_cast<affine::AffineApplyOp>(op))
      number = evaluateExpr(apply.getAffineMap().getResult(0), apply);
    else if (auto select = dyn_cast<arith::SelectOp>(op))
      number = numberOf(numberOf(select.getCondition()) ? select.getTrueValue() : select.getFalseValue());
    else if (isa<arith::IndexCastOp, arith::IndexCastUIOp, arith::ExtSIOp, arith::ExtUIOp, arith::TruncIOp>(op))
      number = numberOf(op->getOperand(0));
    else if (auto dimension = dyn_cast<tile::DimOp>(op);
             dimension && !dimension.getView().getType().isDynamicDim(dimension.getAxis()))
      number = dimension.getView().getType().getShape()[dimension.getAxis()];
    else if (op->getNumOperands() == 2 && op->getNumResults() == 1)
      number = evaluateBinary(op, numberOf(op->getOperand(0)), numberOf(op->getOperand(1)));
    usedSample |= !number.has_value();
    numbers[result] = number.value_or(result.getType().isInteger(1) ? sample & 1 : sample);
  }
}

LogicalResult RingExecution::runFor(scf::ForOp loop) {
  int64_t step = numberOf(loop.getStep()), upper = numberOf(loop.getUpperBound());
  for (auto [argument, init] : llvm::zip_equal(loop.getRegionIterArgs(), loop.getInitArgs()))
    numbers[argument] = numberOf(init);
  for (int64_t at = numberOf(loop.getLowerBound()); at < upper && step > 0 && turns < mostTurns; at += step, ++turns) {
    numbers[loop.getInductionVar()] = at;
    if (failed(runBlock(*loop.getBody())))
      return failure();
    auto yielded = llvm::map_to_vector(loop.getYieldedValues(), [&](Value value) { return numberOf(value); });
    for (auto [argument, number] : llvm::zip_equal(loop.getRegionIterArgs(), yielded))
      numbers[argument] = number;
  }
  for (auto [result, argument] : llvm::zip_equal(loop.getResults(), loop.getRegionIterArgs()))
    numbers[result] = numberOf(argument);
  return success();
}

LogicalResult RingExecution::runOp(Operation *op) {
  if (op->getNumRegions() == 0 || !relevant.contains(op)) {
    evaluate(op);
    return relevant.contains(op) ? runWarpOp(op) : success();
  }
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return runFor(loop);
  if (auto branch = dyn_cast<scf::IfOp>(op)) {
    Region &taken = numberOf(branch.getCondition()) ? branch.getThenRegion() : branch.getElseRegion();
    if (taken.empty())
      return success();
    if (failed(runBlock(taken.front())))
      return failure();
    for (auto [result, yielded] : llvm::zip(branch.getResults(), taken.front().getTerminator()->getOperands()))
      numbers[result] = numberOf(yielded);
    return success();
  }
  if (auto produce = dyn_cast<ProduceOp>(op))
    return runBlock(produce.getBody().front());
  if (auto early = dyn_cast<EarlyOp>(op)) {
    usedProgram = true;
    return isLastProgram ? success() : runBlock(early.getBody().front());
  }
  if (auto again = dyn_cast<tile::RedoOp>(op))
    return runBlock(again.getBody().front());
  if (auto grid = dyn_cast<tile::GridOp>(op)) {
    for (auto [program, extent] : llvm::zip_equal(grid.getBody().getArguments(), grid.getExtents())) {
      usedProgram = true;
      numbers[program] = isLastProgram ? std::max<int64_t>(0, numberOf(extent) - 1) : 0;
    }
    return runBlock(grid.getBody().front());
  }
  return op->emitOpError(
      "holds ops of dialect warp, expected them in scf.for, scf.if, warp.produce, tile.redo and tile.grid only");
}

LogicalResult RingExecution::runBlock(Block &block) {
  for (Operation &op : block)
    if (turns < mostTurns && failed(runOp(&op)))
      return failure();
  return success();
}

LogicalResult RingExecution::run() {
  if (failed(runBlock(kernel.getBody().front())))
    return failure();
  if (turns >= mostTurns)
    return success(); // broken off
  for (auto &[value, ring] : rings)
    if (failed(end(ring)))
      return failure();
  return success();
}

LogicalResult tenon::warp::verifyRingPaths(tile::KernelOp kernel) {
  // No turn, one, and more than a ring has slots, for tiles of 16 to 256.
  for (int64_t sample : {1, 0, 40, 100, 333, 1000}) {
    bool usedSample = false;
    for (bool isLastProgram : {false, true}) {
      RingExecution execution(kernel, sample, isLastProgram);
      if (failed(execution.run()))
        return failure();
      usedSample |= execution.usedSample;
      if (!execution.usedProgram)
        break;
    }
    if (!usedSample)
      break;
  }
  return success();
}
