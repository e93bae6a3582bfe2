// Two programs of neighbouring rows of a product load the same columns. As one program they load them once, and where
// each turn's products are added to a sum by themselves, the registers for a turn's products serve both parts in turn:
// a program of 256 x 128 results has 128 sums a thread and 64 of the turn, where one of 128 x 256 had 128 and 128.
//
// Loops are run together: a turn has all of the first part, then what differs of the second. Around loops it is the
// same, run by run.
#include "passes/3_tile/JoinPrograms.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Utils/Utils.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace tenon;

namespace {
class ProgramJoiner {
public:
  ProgramJoiner(tile::GridOp grid, unsigned axis, int64_t parts)
      : grid(grid), axis(axis), parts(parts), b(grid.getLoc(), grid), mappings(parts) {}
  LogicalResult run();

private:
  bool findVarying();
  /// Whether the op, or one inside it, has an operand that differs from part to part.
  bool isVarying(Operation *op);
  void joinBlock(Block &from);
  void joinLoop(scf::ForOp loop);
  void cloneShared(Operation *op);

  tile::GridOp grid;
  unsigned axis;
  int64_t parts;
  ImplicitLocOpBuilder b;
  SmallVector<IRMapping> mappings; ///< of each part
  DenseSet<Value> varying;
};
} // namespace

/// False where the parts cannot be joined.
bool ProgramJoiner::findVarying() {
  varying.insert(grid.getBody().getArgument(axis));
  bool changes = true, areAlike = true;
  auto add = [&](Value value) { changes |= varying.insert(value).second; };
  while (changes) {
    changes = false;
    grid.getBody().walk([&](Operation *op) {
      if (auto loop = dyn_cast<scf::ForOp>(op)) {
        for (auto [init, argument, yielded, result] :
             llvm::zip_equal(loop.getInitArgs(), loop.getRegionIterArgs(), loop.getYieldedValues(), loop.getResults()))
          if (varying.contains(init) || varying.contains(argument) || varying.contains(yielded)) {
            add(argument);
            add(result);
          }
        areAlike &= llvm::none_of(ValueRange{loop.getLowerBound(), loop.getUpperBound(), loop.getStep()},
                                  [&](Value bound) { return varying.contains(bound); });
      } else if (isVarying(op)) {
        areAlike &= op->getNumRegions() == 0;
        for (Value result : op->getResults())
          add(result);
      }
    });
  }
  return areAlike;
}

bool ProgramJoiner::isVarying(Operation *op) {
  return op
      ->walk([&](Operation *inner) {
        bool isOne = llvm::any_of(inner->getOperands(), [&](Value operand) { return varying.contains(operand); });
        return isOne ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

/// What is the same for all parts.
void ProgramJoiner::cloneShared(Operation *op) {
  Operation *copy = b.clone(*op, mappings.front());
  for (IRMapping &mapping : MutableArrayRef(mappings).drop_front())
    mapping.map(op->getResults(), copy->getResults());
}

void ProgramJoiner::joinLoop(scf::ForOp loop) {
  SmallVector<Value> inits;
  auto copiesOf = [&](Value value) { return varying.contains(value) ? parts : 1; };
  for (auto [init, argument] : llvm::zip_equal(loop.getInitArgs(), loop.getRegionIterArgs()))
    for (int64_t part = 0; part < copiesOf(argument); ++part)
      inits.push_back(mappings[part].lookupOrDefault(init));
  auto bound = [&](Value value) { return mappings.front().lookupOrDefault(value); };
  auto made =
      scf::ForOp::create(b, bound(loop.getLowerBound()), bound(loop.getUpperBound()), bound(loop.getStep()), inits);
  auto mapAll = [&](ValueRange olds, ValueRange news) {
    size_t next = 0;
    for (Value old : olds) {
      int64_t copies = copiesOf(old);
      for (int64_t part = 0; part < parts; ++part)
        mappings[part].map(old, news[next + (copies == 1 ? 0 : part)]);
      next += copies;
    }
  };
  mapAll(loop.getInductionVar(), made.getInductionVar());
  mapAll(loop.getRegionIterArgs(), made.getRegionIterArgs());
  mapAll(loop.getResults(), made.getResults());
  OpBuilder::InsertionGuard guard(b);
  if (inits.empty())
    made.getBody()->getTerminator()->erase();
  b.setInsertionPointToEnd(made.getBody());
  joinBlock(*loop.getBody());
  SmallVector<Value> yielded;
  for (auto [value, argument] : llvm::zip_equal(loop.getYieldedValues(), loop.getRegionIterArgs()))
    for (int64_t part = 0; part < copiesOf(argument); ++part)
      yielded.push_back(mappings[part].lookupOrDefault(value));
  scf::YieldOp::create(b, yielded);
}

void ProgramJoiner::joinBlock(Block &from) {
  SmallVector<Operation *> run;
  auto emitRun = [&] {
    for (Operation *op : run)
      if (isVarying(op))
        b.clone(*op, mappings.front());
      else
        cloneShared(op);
    for (IRMapping &mapping : MutableArrayRef(mappings).drop_front())
      for (Operation *op : run)
        if (isVarying(op))
          b.clone(*op, mapping);
    run.clear();
  };
  for (Operation &op : from.without_terminator()) {
    auto loop = dyn_cast<scf::ForOp>(op);
    if (!loop || !isVarying(loop)) {
      run.push_back(&op);
      continue;
    }
    emitRun();
    joinLoop(loop);
  }
  emitRun();
}

LogicalResult ProgramJoiner::run() {
  if (!findVarying())
    return failure();
  SmallVector<Value> extents(grid.getExtents());
  extents[axis] =
      b.createOrFold<arith::CeilDivUIOp>(extents[axis], arith::ConstantIndexOp::create(b, parts).getResult());
  auto joined = tile::GridOp::create(b, extents);
  Block &old = grid.getBody().front();
  SmallVector<Type> types(old.getArgumentTypes());
  Block *block = b.createBlock(&joined.getBody(), {}, types, SmallVector<Location>(types.size(), b.getLoc()));
  b.setInsertionPoint(tile::EndOp::create(b));
  for (auto [part, mapping] : llvm::enumerate(mappings)) {
    for (auto [argument, made] : llvm::zip_equal(old.getArguments(), block->getArguments()))
      mapping.map(argument, made);
    AffineExpr number = b.getAffineDimExpr(0) * parts + int64_t(part);
    mapping.map(old.getArgument(axis),
                affine::AffineApplyOp::create(b, AffineMap::get(1, 0, number), ValueRange{block->getArgument(axis)}));
  }
  joinBlock(old);
  grid.erase();
  return success();
}

LogicalResult tenon::joinPrograms(tile::GridOp grid, unsigned axis, int64_t parts) {
  return ProgramJoiner(grid, axis, parts).run();
}

static bool areEqual(Value a, Value b) {
  std::optional<int64_t> known = getConstantIntValue(a);
  return a == b || (known && known == getConstantIntValue(b));
}

void tenon::joinLoops(tile::GridOp grid) {
  SmallVector<scf::ForOp> loops(grid.getBody().getOps<scf::ForOp>());
  if (loops.size() != 2)
    return;
  scf::ForOp first = loops[0], second = loops[1];
  if (!areEqual(first.getLowerBound(), second.getLowerBound()) ||
      !areEqual(first.getUpperBound(), second.getUpperBound()) || !areEqual(first.getStep(), second.getStep()))
    return;
  // What is computed of the first goes behind both.
  SmallVector<Operation *> later;
  llvm::SmallPtrSet<Operation *, 16> dependent{first};
  for (Operation *op = first->getNextNode();; op = op->getNextNode()) {
    bool depends = op->walk([&](Operation *inner) {
                       bool isOne = llvm::any_of(inner->getOperands(), [&](Value operand) {
                         return dependent.contains(operand.getDefiningOp());
                       });
                       return isOne ? WalkResult::interrupt() : WalkResult::advance();
                     }).wasInterrupted();
    if (op == second) {
      if (depends)
        return;
      break;
    }
    if (depends) {
      dependent.insert(op);
      later.push_back(op);
    }
  }
  for (Operation *op : llvm::reverse(later))
    op->moveAfter(second);
  IRRewriter rewriter(grid.getContext());
  fuseIndependentSiblingForLoops(first, second, rewriter);
}
