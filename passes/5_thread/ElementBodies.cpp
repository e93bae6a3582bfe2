// The scalar side of an element: bodies of linalg.generic, reductions, loops over tensors.
#include "passes/5_thread/ElementEmitter.h"

#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace tenon;

//===--- linalg.generic ------------------------------------------------------------------------------------------===//

/// Of a loop, the size of the first operand's dimension that it runs over.
Value ElementEmitter::loopSize(linalg::GenericOp op, unsigned loop) {
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<RankedTensorType>(operand.get().getType()))
      continue;
    for (auto [dimension, expr] : llvm::enumerate(op.getMatchingIndexingMap(&operand).getResults()))
      if (expr == b.getAffineDimExpr(loop))
        return size(operand.get(), dimension);
  }
  return fail("a loop runs over a dimension that no operand has");
}

Place ElementEmitter::operandPlace(AffineMap map, ArrayRef<Value> loops) {
  Place place;
  std::function<Value(AffineExpr)> build = [&](AffineExpr expr) -> Value {
    if (auto number = dyn_cast<AffineConstantExpr>(expr))
      return index.constant(number.getValue());
    if (auto loop = dyn_cast<AffineDimExpr>(expr))
      return loops[loop.getPosition()];
    auto binary = cast<AffineBinaryOpExpr>(expr);
    Value l = build(binary.getLHS()), r = build(binary.getRHS());
    switch (expr.getKind()) {
    case AffineExprKind::Add:
      return index.add(l, r);
    case AffineExprKind::Mul:
      return index.mul(l, r);
    case AffineExprKind::FloorDiv:
      return index.div(l, r);
    case AffineExprKind::Mod:
      return index.rem(l, r);
    default: // rounded up
      return index.div(index.add(l, index.sub(r, index.constant(1))), r);
    }
  };
  for (AffineExpr expr : map.getResults())
    place.push_back(build(expr));
  return place;
}

/// What a reduction carries on. A product that is added to it is so with one rounding, as on every other path: with two
/// a sum has 1.28 times the error.
Value ElementEmitter::carriedScalar(Value yielded) {
  auto sum = yielded.getDefiningOp<arith::AddFOp>();
  auto product = sum ? sum.getRhs().getDefiningOp<arith::MulFOp>() : arith::MulFOp();
  if (!product || !isa<BlockArgument>(sum.getLhs()))
    return scalar(yielded);
  Value l = scalar(product.getLhs()), r = scalar(product.getRhs()), before = scalar(sum.getLhs());
  return l && r && before ? math::FmaOp::create(b, l, r, before).getResult() : Value();
}

/// What the body yields at `loops`; `carried` gives the elements of the outputs.
SmallVector<Value> ElementEmitter::body(linalg::GenericOp op, const Place &loops,
                                        llvm::function_ref<Value(unsigned)> carried) {
  DenseMap<Value, Value> read;
  for (OpOperand &operand : op->getOpOperands()) {
    BlockArgument argument = op.getMatchingBlockArgument(&operand);
    if (argument.use_empty())
      continue;
    Value value;
    if (op.isDpsInit(&operand))
      value = carried(operand.getOperandNumber() - op.getNumDpsInputs());
    else if (isa<RankedTensorType>(operand.get().getType()))
      value = at(operand.get(), operandPlace(op.getMatchingIndexingMap(&operand), loops));
    else
      value = scalar(operand.get());
    if (!value)
      return {};
    read[argument] = value;
  }
  scalars.push_back(std::move(read));
  for (auto place : op.getBody()->getOps<linalg::IndexOp>())
    scalars.back()[place] = index.toIndex(loops[place.getDim()]);
  SmallVector<Value> results;
  for (Value yielded : op.getBody()->getTerminator()->getOperands())
    if (Value value = op.getNumReductionLoops() > 0 ? carriedScalar(yielded) : scalar(yielded))
      results.push_back(value);
  scalars.pop_back();
  return reason.empty() ? results : SmallVector<Value>();
}

Value ElementEmitter::genericAt(linalg::GenericOp op, unsigned result, const Place &place) {
  Place loops(op.getNumLoops());
  for (auto [expr, at] : llvm::zip_equal(op.getIndexingMapMatchingResult(op->getOpResult(result)).getResults(), place))
    if (auto loop = dyn_cast<AffineDimExpr>(expr))
      loops[loop.getPosition()] = at;
  SmallVector<unsigned> reduced;
  for (auto [loop, iterator] : llvm::enumerate(op.getIteratorTypesArray()))
    if (iterator == utils::IteratorType::reduction)
      reduced.push_back(loop);
    else if (!loops[loop])
      return fail("a parallel loop is not a dimension of the result");
  auto initAt = [&](unsigned output) {
    OpOperand *init = op.getDpsInitOperand(output);
    return at(init->get(), operandPlace(op.getMatchingIndexingMap(init), loops));
  };
  SmallVector<Value> results;
  if (reduced.empty()) {
    results = body(op, loops, initAt);
    return results.empty() ? Value() : results[result];
  }
  // Sums are in registers: all outputs are carried, as the body computes them together.
  SmallVector<Value> carried;
  for (unsigned output : llvm::seq<unsigned>(op.getNumDpsInits()))
    carried.push_back(initAt(output));
  if (!reason.empty())
    return {};
  OpBuilder::InsertionGuard guard(b);
  SmallVector<scf::ForOp> nest;
  SmallVector<Value> extents;
  for (unsigned loop : reduced)
    extents.push_back(loopSize(op, loop));
  if (!reason.empty())
    return {};
  RegionScope scope(*this);
  for (auto [loop, extent] : llvm::zip_equal(reduced, extents)) {
    auto made = scf::ForOp::create(b, index.constant(0), extent, index.constant(1), carried);
    loops[loop] = made.getInductionVar();
    carried.assign(made.getRegionIterArgs().begin(), made.getRegionIterArgs().end());
    b.setInsertionPointToStart(made.getBody());
    nest.push_back(made);
  }
  results = body(op, loops, [&](unsigned output) { return carried[output]; });
  if (results.empty())
    return {};
  for (scf::ForOp loop : llvm::reverse(nest)) {
    b.setInsertionPointToEnd(loop.getBody());
    scf::YieldOp::create(b, results);
    results.assign(loop.getResults().begin(), loop.getResults().end());
  }
  return results[result];
}

//===--- loops over tensors --------------------------------------------------------------------------------------===//

/// An element of what a loop carries, inside it. Where it is the first read of it, the loop is built once more with
/// this element among those it carries; until then anything stands for it.
Value ElementEmitter::carriedAt(BlockArgument argument, const Place &place) {
  for (Carrying *loop : loops) {
    if (argument.getOwner() != loop->source.getBody())
      continue;
    unsigned carried = argument.getArgNumber() - 1;
    for (auto [read, value] : llvm::zip(loop->reads, loop->values))
      if (read.first == carried && read.second == place)
        return value;
    if (!llvm::is_contained(loop->reads, std::pair(carried, place)))
      loop->reads.emplace_back(carried, place);
    Type element = isa<RankedTensorType>(argument.getType())
                       ? cast<RankedTensorType>(argument.getType()).getElementType()
                       : argument.getType();
    return arith::ConstantOp::create(b, b.getZeroAttr(element));
  }
  return fail("a tensor is an argument of a region that is not entered");
}

/// The values that one turn leaves for the next one, in the order of `carrying.reads` as it is after.
SmallVector<Value> ElementEmitter::turn(scf::ForOp made, Carrying &carrying) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(made.getBody());
  RegionScope scope(*this);
  scalars.back()[carrying.source.getInductionVar()] = index.toIndex(made.getInductionVar());
  carrying.values.assign(made.getRegionIterArgs().begin(), made.getRegionIterArgs().end());
  loops.push_back(&carrying);
  SmallVector<Value> yielded;
  for (size_t read = 0; read < carrying.reads.size() && reason.empty(); ++read) {
    auto [carried, place] = carrying.reads[read];
    Value next = carrying.source.getYieldedValues()[carried];
    yielded.push_back(isa<RankedTensorType>(next.getType()) ? at(next, place) : scalar(next));
  }
  loops.pop_back();
  if (reason.empty() && carrying.values.size() == carrying.reads.size())
    scf::YieldOp::create(b, yielded);
  return yielded;
}

Value ElementEmitter::loopAt(scf::ForOp source, unsigned result, const Place &place) {
  Value lower = index.fromMixed(source.getLowerBound(), [&](Value value) { return scalar(value); });
  Value upper = index.fromMixed(source.getUpperBound(), [&](Value value) { return scalar(value); });
  Value step = index.fromMixed(source.getStep(), [&](Value value) { return scalar(value); });
  Carrying carrying{source, {{result, place}}, {}};
  while (reason.empty()) {
    SmallVector<Value> inits;
    for (auto &[carried, at] : carrying.reads) {
      Value init = source.getInitArgs()[carried];
      inits.push_back(isa<RankedTensorType>(init.getType()) ? this->at(init, at) : scalar(init));
    }
    if (!reason.empty())
      break;
    auto made = scf::ForOp::create(b, lower, upper, step, inits);
    turn(made, carrying);
    if (!reason.empty())
      break;
    if (carrying.reads.size() == inits.size())
      return made.getResult(0);
    for (auto &[carried, at] : carrying.reads)
      for (Value coordinate : at)
        if (made->isAncestor(coordinate.getParentBlock()->getParentOp()))
          return fail("a loop reads what it carries at places that change from turn to turn");
    index.forget(made);
    made.erase();
  }
  return {};
}

//===--- scalars -------------------------------------------------------------------------------------------------===//

/// A scalar of the kernel's region, or of the body that is being computed.
Value ElementEmitter::scalar(Value value) {
  for (auto &scope : llvm::reverse(scalars))
    if (Value known = scope.lookup(value))
      return known;
  Value made = reason.empty() ? computeScalar(value) : Value();
  if (made)
    scalars.back()[value] = made;
  return made;
}

Value ElementEmitter::computeScalar(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value))
    return carriedAt(argument, {});
  Operation *op = value.getDefiningOp();
  if (auto dim = dyn_cast<tensor::DimOp>(op))
    return dim.getConstantIndex() ? index.toIndex(size(dim.getSource(), *dim.getConstantIndex()))
                                  : fail("the size of a dimension that is not constant is asked for");
  SmallVector<Value> operands;
  auto evaluate = [&](ValueRange values) {
    for (Value operand : values)
      operands.push_back(scalar(operand));
    return reason.empty();
  };
  if (auto extract = dyn_cast<tensor::ExtractOp>(op)) {
    if (!evaluate(extract.getIndices()))
      return {};
    Place place = llvm::map_to_vector(operands, [&](Value operand) { return index.fromIndex(operand); });
    return at(extract.getTensor(), place);
  }
  auto expand = [&](AffineMap map) -> SmallVector<Value> {
    if (!evaluate(op->getOperands()))
      return {};
    std::optional<SmallVector<Value, 8>> results = affine::expandAffineMap(b, b.getLoc(), map, operands);
    return results ? llvm::to_vector<6>(*results) : SmallVector<Value>();
  };
  if (auto apply = dyn_cast<affine::AffineApplyOp>(op)) {
    SmallVector<Value> results = expand(apply.getAffineMap());
    return results.empty() ? fail("an affine expression cannot be computed") : results.front();
  }
  if (isa<affine::AffineMinOp, affine::AffineMaxOp>(op)) {
    auto least = dyn_cast<affine::AffineMinOp>(op);
    SmallVector<Value> results = expand(least ? least.getAffineMap() : cast<affine::AffineMaxOp>(op).getAffineMap());
    if (results.empty())
      return fail("an affine expression cannot be computed");
    Value best = results.front();
    for (Value other : ArrayRef(results).drop_front())
      best = least ? arith::MinSIOp::create(b, best, other).getResult()
                   : arith::MaxSIOp::create(b, best, other).getResult();
    return best;
  }
  bool isArithmetic = isa<arith::ArithDialect, math::MathDialect>(op->getDialect()) && op->getNumRegions() == 0;
  if (!isArithmetic || op->getNumResults() != 1)
    return fail(op->getName().getStringRef() + " is not computed on scalars");
  if (!evaluate(op->getOperands()))
    return {};
  IRMapping mapping;
  mapping.map(op->getOperands(), operands);
  return b.clone(*op, mapping)->getResult(0);
}
