// The order of a loop whose second dot starts at zero and is added, as sums of 8-bit floats are: f(s) is m(s), maxima
// and what follows where they have grown, and e(s, m), the functions.
//
//   for i { s = dot(q, k[i]); m = m(s); u = g(o, m); p = e(s, m); o = u + dot(p, v[i]) }
//   ->  s = dot(q, k[0]); m = m(s); u = g(o, m)
//       for i but the last {
//         p = e(s, m); d = dot(p, v[i]) and s = dot(q, k[i+1])
//         o = u + d   (beside the first dot); m = m(s); u = g(o, m)
//       }
//       p = e(s, m); o = u + dot(p, v[last])
//
// The addition stands beside a dot, and what seldom happens to the maxima and to the sum is behind one branch.
#include "passes/4_warp/SkewedLoop.h"

#include "mlir/IR/Remarks.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::warp;

bool SkewedLoop::goesAhead() {
  auto isCarried = [&](Value value) { return llvm::is_contained(loop.getRegionIterArgs(), value); };
  // Registers hold both products and the sum, and nothing for a mask besides.
  bool isCut = llvm::any_of(others, [](Operation *op) { return isa<scf::IfOp>(op); });
  return added && firstRelease && !isCut && !dependsOn(first.getResult(), isCarried);
}

void SkewedLoop::findAhead() {
  auto isTurn = [&](Value value) {
    return value == first.getResult() || llvm::is_contained(loop.getRegionIterArgs(), value);
  };
  auto isLate = [&](Value value) {
    Operation *op = value.getDefiningOp();
    return op && op->getBlock() == body && !op->isBeforeInBlock(heavy) && !ahead.contains(op);
  };
  for (Operation *op : others) {
    if (op == first || op->getNumResults() == 0)
      continue;
    Value result = op->getResult(0);
    if (dependsOn(result, isTurn) &&
        (op->isBeforeInBlock(heavy) || (takesSum(op) && !dependsOn(result, [&](Value value) {
                                          return value.getDefiningOp() != op && isLate(value);
                                        }))))
      ahead.insert(op);
  }
  auto addCrossing = [&](Value value) {
    if (llvm::any_of(value.getUsers(),
                     [&](Operation *user) { return !ahead.contains(body->findAncestorOpInBlock(*user)); }))
      crossing.insert(value);
  };
  for (Value carried : loop.getRegionIterArgs())
    addCrossing(carried);
  addCrossing(first.getResult());
  for (Operation *op : ahead)
    for (Value result : op->getResults())
      addCrossing(result);
}

warp::DotOp SkewedLoop::emitFirst(IRMapping &mapping, Value counter) {
  mapping.map(loop.getInductionVar(), counter);
  for (Operation *op : others) {
    if (op == first)
      break;
    b.clone(*op, mapping);
  }
  return cast<warp::DotOp>(b.clone(*first, mapping));
}

/// Both in one, in the place of `second`, or null where they do not have one condition or something else takes what
/// `first` gives.
static tile::UnlikelyOp join(OpBuilder &b, tile::UnlikelyOp first, tile::UnlikelyOp second) {
  auto isOfSecond = [&](Operation *user) { return second->isAncestor(user); };
  if (first.getCondition() != second.getCondition() || !llvm::all_of(first->getUsers(), isOfSecond))
    return {};
  auto yieldOf = [](tile::UnlikelyOp op) { return op.getBody().front().getTerminator(); };
  SmallVector<Value> otherwise(first.getOtherwise()), yielded(yieldOf(first)->getOperands());
  for (auto [result, usual, seldom] : llvm::zip_equal(first.getResults(), first.getOtherwise(), yielded)) {
    result.replaceUsesWithIf(usual, [&](OpOperand &use) { return use.getOwner() == second; });
    result.replaceAllUsesWith(seldom);
  }
  llvm::append_range(otherwise, second.getOtherwise());
  llvm::append_range(yielded, yieldOf(second)->getOperands());
  auto joined =
      tile::UnlikelyOp::create(b, second.getLoc(), ValueRange(otherwise).getTypes(), first.getCondition(), otherwise);
  Block *block = &joined.getBody().emplaceBlock();
  for (tile::UnlikelyOp op : {first, second}) {
    yieldOf(op)->erase();
    block->getOperations().splice(block->end(), op.getBody().front().getOperations());
  }
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(block);
  tile::YieldOp::create(b, second.getLoc(), yielded);
  return joined;
}

SmallVector<Value> SkewedLoop::emitAhead(IRMapping &mapping, bool isFirstTurn) {
  tile::UnlikelyOp source, made; // the last of them
  b.clone(*firstRelease, mapping);
  for (Operation *op : others) {
    if (!first->isBeforeInBlock(op) || op == firstRelease || (!ahead.contains(op) && !op->isBeforeInBlock(heavy)))
      continue;
    auto unlikely = dyn_cast<tile::UnlikelyOp>(op);
    if (unlikely && isFirstTurn) {
      takeRegion(unlikely, mapping);
      continue;
    }
    Operation *copy = b.clone(*op, mapping);
    if (!unlikely)
      continue;
    auto next = cast<tile::UnlikelyOp>(copy);
    if (tile::UnlikelyOp joined = made ? join(b, made, next) : tile::UnlikelyOp()) {
      unsigned before = made.getNumResults();
      mapping.map(source.getResults(), joined.getResults().take_front(before));
      mapping.map(unlikely.getResults(), joined.getResults().drop_front(before));
      made.erase(), next.erase();
      next = {};
    }
    source = unlikely, made = next;
  }
  return llvm::map_to_vector(crossing, [&](Value value) { return mapping.lookupOrDefault(value); });
}

SmallVector<Value> SkewedLoop::emitRest(Value counter, ValueRange values, Value next) {
  IRMapping mapping, nextMapping;
  mapping.map(loop.getInductionVar(), counter);
  for (auto [value, given] : llvm::zip_equal(crossing, values))
    mapping.map(value, given);
  for (Operation *op : others)
    if (op != first && op != firstWait && op != firstRelease && !ahead.contains(op))
      b.clone(*op, mapping);
  if (next && hasTurns())
    TurnWaitOp::create(b);
  Value number = mapping.lookupOrDefault(secondWait.getNumber());
  warp::DotOp dot = emitSecond(number, mapping.lookupOrDefault(second.getLhs()), Value()), beside;
  Value done = dot.getResult();
  if (next) {
    dot.setAsync(true);
    beside = emitFirst(nextMapping, next);
    beside.setAsync(true);
    if (hasTurns())
      TurnPassOp::create(b);
    done = DotWaitOp::create(b, dot.getType(), done, /*pending=*/1);
  }
  emitSecondRelease(number);
  mapping.map(added.getResult(), summed(done, mapping.lookupOrDefault(addend())));
  auto yielded =
      llvm::map_to_vector(loop.getYieldedValues(), [&](Value value) { return mapping.lookupOrDefault(value); });
  if (!next)
    return yielded;
  nextMapping.map(loop.getRegionIterArgs(), yielded);
  nextMapping.map(first.getResult(),
                  DotWaitOp::create(b, first.getType(), beside.getResult(), /*pending=*/0).getResult());
  return emitAhead(nextMapping, /*isFirstTurn=*/false);
}

void SkewedLoop::skewAhead() {
  findAhead();
  Value trips = transfers(), isAny = emitIsAny(trips);
  auto none = llvm::map_to_vector(crossing, [&](Value value) -> Value {
    return arith::ConstantOp::create(b, cast<TypedAttr>(b.getZeroAttr(value.getType())));
  });
  SmallVector<Value> start, results;
  auto firstTurn = [&] {
    IRMapping mapping;
    mapping.map(loop.getRegionIterArgs(), loop.getInitArgs());
    emitFirst(mapping, loop.getLowerBound());
    return emitAhead(mapping, /*isFirstTurn=*/true);
  };
  emitIf(isAny, ValueRange(none).getTypes(), firstTurn, none, start);

  Value before = arith::SubIOp::create(b, trips, arith::ConstantIndexOp::create(b, 1));
  Value last = arith::AddIOp::create(b, loop.getLowerBound(), arith::MulIOp::create(b, before, loop.getStep()));
  auto turns = scf::ForOp::create(b, loop.getLowerBound(), last, loop.getStep(), start);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(turns.getBody());
    Value counter = turns.getInductionVar(), next = arith::AddIOp::create(b, counter, loop.getStep());
    scf::YieldOp::create(b, emitRest(counter, turns.getRegionIterArgs(), next));
  }
  auto lastTurn = [&] { return emitRest(last, turns.getResults(), /*next=*/Value()); };
  emitIf(isAny, loop.getResultTypes(), lastTurn, loop.getInitArgs(), results);
  loop.replaceAllUsesWith(results);
  remark::passed(loop.getLoc(), remark::RemarkOpts::name("skewed").category("tenon-skew-dots"))
      << "a turn's second dot runs beside the next turn's first and is added beside it";
  loop.erase();
}
