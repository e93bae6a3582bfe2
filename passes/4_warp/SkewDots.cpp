// A loop that multiplies, computes with the product and multiplies again leaves the Tensor Cores idle while it
// computes, and waits for them twice a turn. After this pass a turn begins its first dot together with the second one
// of the turn before, and computes when both are done: the dots of another warpgroup fill that time. With turns in the
// schedule warpgroups begin their dots one after the other, so that they do not fall into step.
//
//   for i { s = dot(q, k[i]); p = f(s); u = g(o, s); o = dot(p, v[i], u) }
//   ->  s = dot(q, k[0]); p = f(s); u = g(o, s)
//       for i from 1 { s = dot(q, k[i]) and o = dot(p, v[i-1], u); p = f(s); u = g(o, s) }
//       o = dot(p, v[last], u)
//
// A loop whose second dot starts at zero and is added to u, as sums of 8-bit floats are, has another order:
// SkewAhead.cpp.
#include "passes/4_warp/SkewedLoop.h"

#include "lib/Analysis/TileBounds.h"
#include "passes/4_warp/Passes.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"

namespace tenon {
#define GEN_PASS_DEF_SKEWDOTSPASS
#include "passes/4_warp/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;
using namespace tenon::warp;

bool SkewedLoop::dependsOn(Value value, function_ref<bool(Value)> isSource) {
  SmallVector<Value> open{value};
  DenseSet<Value> seen;
  while (!open.empty()) {
    Value at = open.pop_back_val();
    if (!seen.insert(at).second)
      continue;
    if (isSource(at))
      return true;
    Operation *op = at.getDefiningOp();
    if (!op || !body->findAncestorOpInBlock(*op))
      continue;
    if (auto unlikely = dyn_cast<tile::UnlikelyOp>(op)) { // each result by itself
      unsigned number = cast<OpResult>(at).getResultNumber();
      open.append({unlikely.getCondition(), unlikely.getOtherwise()[number],
                   unlikely.getBody().front().getTerminator()->getOperand(number)});
      continue;
    }
    op->walk([&](Operation *inner) { open.append(inner->operand_begin(), inner->operand_end()); });
  }
  return false;
}

bool SkewedLoop::takesSum(Operation *op) {
  return llvm::any_of(loop.getRegionIterArg(sumNumber).getUsers(),
                      [&](Operation *user) { return op->isAncestor(user); });
}

/// Two dots by wgmma. The second takes, from registers, what is computed of the first, and its sum is carried on. The
/// right operands come through rings of their own that a producer fills.
bool SkewedLoop::matchDots() {
  unsigned count = 0;
  body->walk([&](warp::DotOp) { ++count; });
  SmallVector<warp::DotOp> dots(body->getOps<warp::DotOp>());
  if (count != 2 || dots.size() != 2)
    return false;
  first = dots[0], second = dots[1];
  auto waitFor = [&](Value tile) {
    auto wait = tile.getDefiningOp<RingWaitOp>();
    auto ring = wait ? wait.getRing().getDefiningOp<RingCreateOp>() : RingCreateOp();
    bool isOwn = ring && ring.getTransfers() && wait->getBlock() == body && wait.getSlot().size() == 1;
    return isOwn && tile.hasOneUse() ? wait : RingWaitOp();
  };
  firstWait = waitFor(first.getRhs()), secondWait = waitFor(second.getRhs());
  if (!firstWait || !secondWait || firstWait.getRing() == secondWait.getRing() ||
      firstWait.getNumber() != secondWait.getNumber() || !second.getResult().hasOneUse() ||
      !isa<RankedTensorType>(second.getLhs().getType()) ||
      !llvm::all_of(dots, [](warp::DotOp dot) { return isa<WgmmaAttr>(Attribute(dot.getAtom())); }))
    return false;
  OpOperand *use = &*second.getResult().getUses().begin();
  if (auto sum = dyn_cast<arith::AddFOp>(use->getOwner());
      sum && matchPattern(second.getAccumulator(), m_AnyZeroFloat())) {
    if (sum->getBlock() != body || !sum->hasOneUse())
      return false;
    added = sum, addedNumber = use->getOperandNumber();
    use = &*sum->getUses().begin();
  }
  sumNumber = use->getOperandNumber();
  return use->getOwner() == body->getTerminator();
}

/// What is between the dots can run a turn later: it has no effects, and of the sum only the second dot takes anything.
bool SkewedLoop::matchRest() {
  auto isSum = [&](Value value) { return value == loop.getRegionIterArg(sumNumber); };
  auto isFirst = [&](Value value) { return value == first.getResult(); };
  if (!dependsOn(second.getLhs(), isFirst) || dependsOn(second.getLhs(), isSum))
    return false;
  for (Value yielded : loop.getYieldedValues())
    if (yielded != loop.getYieldedValues()[sumNumber] && dependsOn(yielded, isSum))
      return false;
  unsigned releases = 0;
  Operation *plain = nullptr;
  bool isEvaluated = false;
  for (Operation &op : body->without_terminator()) {
    auto release = dyn_cast<RingReleaseOp>(op);
    if (release && release.getRing() == secondWait.getRing()) {
      ++releases;
      continue;
    }
    if (&op == second || &op == secondWait || &op == added)
      continue;
    bool isRing = &op == firstWait || (release && release.getRing() == firstWait.getRing());
    if (isRing && release)
      firstRelease = release;
    if (!isRing && &op != first && !isMemoryEffectFree(&op) && !isa<tile::LoadOp, tile::GatherOp>(op))
      return false;
    if (op.isBeforeInBlock(first) && takesSum(&op))
      return false;
    others.push_back(&op);
    bool isWhole = op.getNumResults() == 1 && isa<RankedTensorType>(op.getResult(0).getType()) &&
                   cast<RankedTensorType>(op.getResult(0).getType()).getShape() == first.getType().getShape();
    auto isOp = [&](Value value) { return value.getDefiningOp() == &op; };
    if (!isWhole || isa<scf::IfOp>(op) || &op == first || !dependsOn(op.getResult(0), isFirst) ||
        !dependsOn(second.getLhs(), isOp))
      continue;
    auto isFold = [](Value value) { return isa_and_nonnull<tile::ReduceOp, PartialReduceOp>(value.getDefiningOp()); };
    plain = plain ? plain : &op;
    if (!heavy && !isEvaluated && dependsOn(op.getResult(0), isFold))
      heavy = &op;
    isEvaluated |= isa<math::MathDialect>(op.getDialect()) && !isa<math::FmaOp>(op);
  }
  heavy = heavy ? heavy : plain;
  return releases == 1 && heavy;
}

bool SkewedLoop::match() { return matchDots() && matchRest(); }

warp::DotOp SkewedLoop::emitSecond(Value number, Value lhs, Value accumulator) {
  IRMapping mapping;
  mapping.map(secondWait.getNumber(), number);
  mapping.map(second.getLhs(), lhs);
  mapping.map(second.getAccumulator(),
              added ? b.clone(*second.getAccumulator().getDefiningOp())->getResult(0) : accumulator);
  b.clone(*secondWait, mapping);
  return cast<warp::DotOp>(b.clone(*second, mapping));
}

Value SkewedLoop::summed(Value dot, Value handedOn) {
  if (!added)
    return dot;
  IRMapping mapping;
  mapping.map(added->getOperand(addedNumber), dot);
  mapping.map(addend(), handedOn);
  return b.clone(*added, mapping)->getResult(0);
}

void SkewedLoop::takeRegion(tile::UnlikelyOp op, IRMapping &mapping) {
  Block &region = op.getBody().front();
  for (Operation &inner : region.without_terminator())
    b.clone(inner, mapping);
  for (auto [result, yielded] : llvm::zip_equal(op.getResults(), region.getTerminator()->getOperands()))
    mapping.map(result, mapping.lookupOrDefault(yielded));
}

void SkewedLoop::emitTurn(IRMapping &mapping, Value counter, Value lhs, Value accumulator, bool isBeside) {
  mapping.map(loop.getInductionVar(), counter);
  bool withTurns = hasTurns();
  Value number;
  warp::DotOp besides;
  Value sum;
  for (Operation *op : others) {
    if (isBeside && !sum && (op == heavy || takesSum(op))) {
      sum = DotWaitOp::create(b, besides.getType(), besides.getResult(), /*pending=*/0);
      emitSecondRelease(number);
      sum = summed(sum, accumulator);
      mapping.map(loop.getRegionIterArg(sumNumber), sum);
    }
    if (op == first && withTurns)
      TurnWaitOp::create(b);
    if (auto unlikely = dyn_cast<tile::UnlikelyOp>(op); unlikely && !isBeside) {
      takeRegion(unlikely, mapping);
      continue;
    }
    Operation *made = b.clone(*op, mapping);
    if (op == first && withTurns && !isBeside)
      TurnPassOp::create(b);
    if (op != first || !isBeside)
      continue;
    cast<warp::DotOp>(made).setAsync(true);
    Value one = arith::ConstantIndexOp::create(b, 1);
    number = arith::SubIOp::create(b, mapping.lookup(firstWait.getNumber()), one);
    besides = emitSecond(number, lhs, accumulator);
    besides.setAsync(true);
    if (withTurns)
      TurnPassOp::create(b);
    Value product = made->getResult(0);
    mapping.map(first.getResult(), DotWaitOp::create(b, product.getType(), product, /*pending=*/1).getResult());
  }
}

SmallVector<Value> SkewedLoop::handedOn(const IRMapping &mapping) {
  SmallVector<Value> list;
  for (auto [number, yielded] : llvm::enumerate(loop.getYieldedValues()))
    list.push_back(mapping.lookupOrDefault(number == sumNumber ? addend() : yielded));
  list.push_back(mapping.lookupOrDefault(second.getLhs()));
  return list;
}

void SkewedLoop::emitIf(Value condition, TypeRange types, function_ref<SmallVector<Value>()> emit, ValueRange otherwise,
                        SmallVector<Value> &results) {
  if (!condition) {
    results = emit();
    return;
  }
  auto branch = scf::IfOp::create(b, types, condition, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, otherwise);
  b.setInsertionPointToStart(branch.thenBlock());
  SmallVector<Value> yielded = emit();
  scf::YieldOp::create(b, yielded);
  results.assign(branch.result_begin(), branch.result_end());
}

Value SkewedLoop::emitIsAny(Value trips) {
  std::optional<IndexRange> range = rangeOf(trips);
  if (range && range->least >= 1)
    return {};
  return arith::CmpIOp::create(b, arith::CmpIPredicate::sgt, trips, arith::ConstantIndexOp::create(b, 0));
}

void SkewedLoop::skew() {
  Value trips = transfers(), isAny = emitIsAny(trips);
  auto lhsType = cast<RankedTensorType>(second.getLhs().getType());
  SmallVector<Value> none(loop.getInitArgs()), start;
  none.push_back(arith::ConstantOp::create(b, cast<TypedAttr>(b.getZeroAttr(lhsType))));
  auto firstTurn = [&] {
    IRMapping mapping;
    mapping.map(loop.getRegionIterArgs(), loop.getInitArgs());
    emitTurn(mapping, loop.getLowerBound(), Value(), Value(), /*isBeside=*/false);
    return handedOn(mapping);
  };
  emitIf(isAny, ValueRange(none).getTypes(), firstTurn, none, start);

  Value next = arith::AddIOp::create(b, loop.getLowerBound(), loop.getStep());
  auto turns = scf::ForOp::create(b, next, loop.getUpperBound(), loop.getStep(), start);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(turns.getBody());
    IRMapping mapping;
    mapping.map(loop.getRegionIterArgs(), ValueRange(turns.getRegionIterArgs()).drop_back());
    emitTurn(mapping, turns.getInductionVar(), turns.getRegionIterArgs().back(), turns.getRegionIterArg(sumNumber),
             /*isBeside=*/true);
    scf::YieldOp::create(b, handedOn(mapping));
  }

  SmallVector<Value> sum;
  Value scaled = turns.getResult(sumNumber);
  auto lastDot = [&] {
    Value last = arith::SubIOp::create(b, trips, arith::ConstantIndexOp::create(b, 1));
    warp::DotOp dot = emitSecond(last, turns.getResults().back(), scaled);
    emitSecondRelease(last);
    return SmallVector<Value>{summed(dot.getResult(), scaled)};
  };
  emitIf(isAny, scaled.getType(), lastDot, scaled, sum);
  for (auto [number, result] : llvm::enumerate(loop.getResults()))
    result.replaceAllUsesWith(number == sumNumber ? sum.front() : turns.getResult(number));
  remark::passed(loop.getLoc(), remark::RemarkOpts::name("skewed").category("tenon-skew-dots"))
      << "a turn's second dot runs beside the next turn's first";
  loop.erase();
}

namespace {
struct SkewDots : tenon::impl::SkewDotsPassBase<SkewDots> {
  void runOnOperation() override {
    SmallVector<scf::ForOp> loops;
    getOperation()->walk([&](scf::ForOp loop) { loops.push_back(loop); });
    for (scf::ForOp loop : loops)
      if (SkewedLoop skewed(loop); skewed.match())
        skewed.goesAhead() ? skewed.skewAhead() : skewed.skew();
  }
};
} // namespace
