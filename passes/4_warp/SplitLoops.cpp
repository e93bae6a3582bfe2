// A loop over tiles of keys asks each turn whether its tile is cut by a mask or an end, though only the last turns, or
// the first, ever are. After this pass there is a loop for the turns of which the condition is known not to hold,
// without what is done about it, and one on either side for the others.
//
//   for i in [l, u) { .. if (a < i + c) { x } else { y } .. }
//   ->  for i in [l, t) { .. y .. }; for i in [t, u) { .. x .. }     t: the first turn from a - c + 1 on
#include "dialects/Warp/Warp.h"
#include "passes/4_warp/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Transforms/LoopInvariantCodeMotionUtils.h"

namespace tenon {
#define GEN_PASS_DEF_SPLITLOOPSPASS
#include "passes/4_warp/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

namespace {
/// Where a condition holds, of the loop's counter: below one of `below`, or from one of `from` on.
struct Thresholds {
  SmallVector<Value> below, from;
};
} // namespace

/// `counter + rest`; false: something else. The rest is null where there is none.
static bool splitCounter(scf::ForOp loop, Value value, Value &rest) {
  rest = {};
  if (value == loop.getInductionVar())
    return true;
  auto sum = value.getDefiningOp<arith::AddIOp>();
  if (!sum)
    return false;
  for (auto [counter, other] : {std::pair(sum.getLhs(), sum.getRhs()), std::pair(sum.getRhs(), sum.getLhs())})
    if (counter == loop.getInductionVar() && loop.isDefinedOutsideOfLoop(other)) {
      rest = other;
      return true;
    }
  return false;
}

/// A comparison of the counter with what the loop does not change, or several of which one has to hold.
static bool findThresholds(ImplicitLocOpBuilder &b, scf::ForOp loop, Value condition, Thresholds &found) {
  if (auto both = condition.getDefiningOp<arith::OrIOp>())
    return findThresholds(b, loop, both.getLhs(), found) && findThresholds(b, loop, both.getRhs(), found);
  auto compare = condition.getDefiningOp<arith::CmpIOp>();
  if (!compare || compare.getPredicate() != arith::CmpIPredicate::slt)
    return false;
  Value rest;
  auto less = [&](Value from, Value by) -> Value { return by ? arith::SubIOp::create(b, from, by).getResult() : from; };
  if (loop.isDefinedOutsideOfLoop(compare.getLhs()) && splitCounter(loop, compare.getRhs(), rest)) {
    Value one = arith::ConstantIndexOp::create(b, 1);
    found.from.push_back(arith::AddIOp::create(b, less(compare.getLhs(), rest), one));
    return true;
  }
  if (loop.isDefinedOutsideOfLoop(compare.getRhs()) && splitCounter(loop, compare.getLhs(), rest)) {
    found.below.push_back(less(compare.getRhs(), rest));
    return true;
  }
  return false;
}

/// The branch's region in its place.
static void takeRegion(scf::IfOp branch, bool holds) {
  Block &block = (holds ? branch.getThenRegion() : branch.getElseRegion()).front();
  Operation *yield = block.getTerminator();
  branch.replaceAllUsesWith(yield->getOperands());
  yield->erase();
  branch->getBlock()->getOperations().splice(branch->getIterator(), block.getOperations());
  branch.erase();
}

static void splitLoop(scf::ForOp loop) {
  moveLoopInvariantCode(loop);
  auto branches = loop.getBody()->getOps<scf::IfOp>();
  if (!llvm::hasSingleElement(branches) || (*branches.begin()).getElseRegion().empty())
    return;
  scf::IfOp branch = *branches.begin();
  ImplicitLocOpBuilder b(loop.getLoc(), loop);
  Thresholds thresholds;
  if (!findThresholds(b, loop, branch.getCondition(), thresholds))
    return;
  Value lower = loop.getLowerBound(), upper = loop.getUpperBound(), step = loop.getStep();
  // The first turn from there on, of those there are.
  auto turnFrom = [&](Value at) -> Value {
    Value turns = arith::CeilDivSIOp::create(b, arith::SubIOp::create(b, at, lower), step);
    Value any = arith::MaxSIOp::create(b, turns, arith::ConstantIndexOp::create(b, 0));
    return arith::AddIOp::create(b, lower, arith::MulIOp::create(b, any, step));
  };
  Value first = lower;
  for (Value below : thresholds.below)
    first = arith::MaxSIOp::create(b, first, turnFrom(below));
  Value last = upper;
  for (Value from : thresholds.from)
    last = arith::MinSIOp::create(b, last, turnFrom(from));
  // Nothing is left between: the turns before take all that the condition holds of.
  if (!thresholds.below.empty() && !thresholds.from.empty())
    last = arith::MaxSIOp::create(b, first, last);
  SmallVector<Value> carried(loop.getInitArgs());
  unsigned number = 0;
  auto part = [&](Value from, Value to, bool holds) {
    IRMapping mapping;
    auto made = cast<scf::ForOp>(b.clone(*loop, mapping));
    made.getLowerBoundMutable().assign(from);
    made.getUpperBoundMutable().assign(to);
    made.getInitArgsMutable().assign(carried);
    takeRegion(cast<scf::IfOp>(mapping.lookup(branch.getOperation())), holds);
    carried.assign(made.result_begin(), made.result_end());
    ++number;
  };
  if (!thresholds.below.empty())
    part(lower, arith::MinSIOp::create(b, first, upper), /*holds=*/true);
  part(first, thresholds.from.empty() ? upper : arith::MinSIOp::create(b, last, upper).getResult(), /*holds=*/false);
  if (!thresholds.from.empty())
    part(last, upper, /*holds=*/true);
  remark::passed(loop.getLoc(), remark::RemarkOpts::name("split").category("tenon-split-loops"))
      << (Twine(number) + " loops: turns of which a condition is known not to hold have one of their own").str();
  loop.replaceAllUsesWith(carried);
  loop.erase();
}

namespace {
struct SplitLoops : tenon::impl::SplitLoopsPassBase<SplitLoops> {
  void runOnOperation() override {
    getOperation()->walk([&](tile::KernelOp kernel) {
      for (auto loop : llvm::make_early_inc_range(kernel.getGrid().getBody().getOps<scf::ForOp>()))
        if (!loop.getBody()->getOps<warp::DotOp>().empty())
          splitLoop(loop);
    });
  }
};
} // namespace
