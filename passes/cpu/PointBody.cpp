// The scalar body of a linalg.generic as vector code, and reductions at a point.
#include "passes/cpu/PointEmitter.h"
#include "passes/cpu/RegisterBlock.h"

using namespace mlir;
using namespace tenon;

Value PointEmitter::valueOf(Element element) {
  if (auto *value = std::get_if<Value>(&element))
    return *value;
  AffineExpr expr = std::get<AffineExpr>(element);
  return hasLane(expr) ? vectorIndex(expr) : index(expr);
}

/// Null where the element is a vector.
AffineExpr PointEmitter::exprOf(Element element) {
  if (auto *expr = std::get_if<AffineExpr>(&element))
    return *expr;
  Value value = std::get<Value>(element);
  return value && value.getType().isIndex() ? dim(value) : AffineExpr();
}

Value PointEmitter::extractAt(Value tensor, ArrayRef<Element> indices) {
  Point point;
  bool varies = false;
  for (const Element &element : indices) {
    point.push_back(exprOf(element));
    varies |= !point.back();
  }
  if (!varies)
    return at(tensor, point);
  SmallVector<Value> elements;
  for (int64_t lane = 0; lane < lanes; ++lane) {
    Point single;
    for (auto [element, expr] : llvm::zip_equal(indices, point))
      single.push_back(expr ? expr.replaceSymbols(laneConstant(lane))
                            : dim(vector::ExtractOp::create(b, std::get<Value>(element), lane)));
    elements.push_back(at(tensor, single));
    if (!elements.back())
      return {};
  }
  return vector::FromElementsOp::create(b, VectorType::get(lanes, elements.front().getType()), elements);
}

PointEmitter::Element PointEmitter::evaluate(Operation *op, DenseMap<Value, Element> &values, const Point &loops) {
  auto get = [&](Value value) -> Element {
    auto found = values.find(value);
    return found != values.end() ? found->second : Element(uniform(value));
  };
  if (auto place = dyn_cast<linalg::IndexOp>(op))
    return loops[place.getDim()];
  if (auto apply = dyn_cast<affine::AffineApplyOp>(op)) {
    SmallVector<AffineExpr> operands;
    for (Value operand : apply.getMapOperands())
      operands.push_back(exprOf(get(operand)));
    if (llvm::all_of(operands, [](AffineExpr expr) { return bool(expr); })) {
      unsigned numDims = apply.getAffineMap().getNumDims();
      return apply.getAffineMap().getResult(0).replaceDimsAndSymbols(ArrayRef(operands).take_front(numDims),
                                                                     ArrayRef(operands).drop_front(numDims));
    }
    return fail("an index is computed from data"), Value();
  }
  if (auto least = dyn_cast<affine::AffineMinOp>(op)) {
    Value value;
    for (AffineExpr result : least.getAffineMap().getResults()) {
      SmallVector<AffineExpr> operands;
      for (Value operand : least.getOperands())
        operands.push_back(exprOf(get(operand)));
      unsigned numDims = least.getAffineMap().getNumDims();
      AffineExpr expr =
          result.replaceDimsAndSymbols(ArrayRef(operands).take_front(numDims), ArrayRef(operands).drop_front(numDims));
      Value next = valueOf(expr);
      if (value && value.getType() != next.getType())
        value = widen(value), next = widen(next);
      value = value ? arith::MinSIOp::create(b, value, next).getResult() : next;
    }
    return value;
  }
  if (auto extract = dyn_cast<tensor::ExtractOp>(op)) {
    SmallVector<Element> indices = llvm::map_to_vector(extract.getIndices(), get);
    return extractAt(extract.getTensor(), indices);
  }
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    if (constant.getType().isIndex())
      return this->constant(cast<IntegerAttr>(constant.getValue()).getInt());
    return b.clone(*op)->getResult(0);
  }
  if (!OpTrait::hasElementwiseMappableTraits(op) || op->getNumResults() != 1)
    return fail((op->getName().getStringRef() + " has no vector form").str()), Value();
  SmallVector<Value> operands;
  bool isVector = false;
  for (Value operand : op->getOperands()) {
    operands.push_back(valueOf(get(operand)));
    if (!operands.back())
      return Value();
    isVector |= isa<VectorType>(operands.back().getType());
  }
  if (isVector)
    for (Value &operand : operands)
      operand = widen(operand);
  Type type = op->getResult(0).getType();
  OperationState state(b.getLoc(), op->getName(), operands, isVector ? VectorType::get(lanes, type) : type,
                       op->getAttrs());
  return b.create(state)->getResult(0);
}

SmallVector<Value> PointEmitter::body(linalg::GenericOp op, const Point &loops, ValueRange elements) {
  DenseMap<Value, Element> values;
  for (auto [argument, element] : llvm::zip_equal(op.getBody()->getArguments(), elements))
    if (element)
      values[argument] = element;
  for (Operation &inner : op.getBody()->without_terminator()) {
    values[inner.getResult(0)] = evaluate(&inner, values, loops);
    if (!reason.empty())
      return {};
  }
  SmallVector<Value> results;
  for (Value yielded : op.getBody()->getTerminator()->getOperands()) {
    auto found = values.find(yielded);
    results.push_back(valueOf(found != values.end() ? found->second : Element(uniform(yielded))));
    if (!results.back())
      return {};
  }
  return results;
}

Value PointEmitter::element(Value computed, Value argument, Value value) {
  if (computed == argument)
    return value;
  Operation *op = computed.getDefiningOp();
  Value operand = element(op->getOperand(0), argument, value);
  DenseMap<Value, Element> values;
  values[op->getOperand(0)] = operand;
  return operand ? valueOf(evaluate(op, values, {})) : Value();
}

/// How many steps of its first reduced loop a sum of floats takes up in one chain of additions (RegisterBlock.h says
/// why not all); 0 for a reduction that is no such sum, or no longer than a chain. Sizes known only at run time count 1
/// but for the first, which counts as long.
static int64_t stepsOfChain(linalg::GenericOp op, ArrayRef<unsigned> reduced) {
  auto sum = op.getBody()->getTerminator()->getOperand(0).getDefiningOp<arith::AddFOp>();
  if (op->getNumResults() != 1 || !sum || reduced.empty() ||
      !llvm::is_contained(sum->getOperands(), op.getRegionOutputArgs().front()))
    return 0;
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  int64_t inner = 1, first = sizes[reduced.front()];
  for (unsigned loop : reduced.drop_front())
    inner *= std::max<int64_t>(ShapedType::isDynamic(sizes[loop]) ? 1 : sizes[loop], 1);
  int64_t steps = std::max<int64_t>(RegisterBlock::chainSteps / inner, 1);
  return !ShapedType::isDynamic(first) && first <= steps ? 0 : steps;
}

SmallVector<Value> PointEmitter::reduceAt(linalg::GenericOp op, const Point &point) {
  Point loops = loopsAt(op, 0, point);
  if (loops.empty())
    return fail("a reduction writes through a map that is no permutation"), SmallVector<Value>();
  SmallVector<unsigned> reduced;
  op.getReductionDims(reduced);
  bool isVector = hasLane(point);
  SmallVector<Value> carried;
  for (OpOperand &init : op.getDpsInitsMutable()) {
    Point place = llvm::map_to_vector(op.getMatchingIndexingMap(&init).getResults(),
                                      [&](AffineExpr expr) { return expr.replaceDims(loops); });
    Value value = at(init.get(), place);
    if (!value)
      return {};
    carried.push_back(isVector ? widen(value) : value);
  }
  // The size of a loop is that of the first operand dimension it runs over.
  auto loopSize = [&](unsigned loop) -> Value {
    for (OpOperand *input : op.getDpsInputOperands())
      for (auto [dimension, expr] : llvm::enumerate(op.getMatchingIndexingMap(input).getResults()))
        if (expr == getAffineDimExpr(loop, b.getContext()))
          return sizeValue(input->get(), dimension);
    return {};
  };
  Value zero = arith::ConstantIndexOp::create(b, 0), one = arith::ConstantIndexOp::create(b, 1);
  OpBuilder::InsertionGuard guard(b);
  SmallVector<scf::ForOp> nest;
  scf::ForOp chains;
  if (int64_t steps = stepsOfChain(op, reduced)) {
    Value size = loopSize(reduced.front());
    if (!size)
      return fail("a reduction runs over a dimension no operand has"), SmallVector<Value>();
    chains = scf::ForOp::create(b, zero, size, arith::ConstantIndexOp::create(b, steps), carried);
    b.setInsertionPointToStart(chains.getBody());
    carried = {arith::ConstantOp::create(b, b.getZeroAttr(carried.front().getType()))};
  }
  for (unsigned loop : reduced) {
    Value begin = zero, end = loopSize(loop);
    if (!end)
      return fail("a reduction runs over a dimension no operand has"), SmallVector<Value>();
    if (chains && loop == reduced.front()) {
      begin = chains.getInductionVar();
      end = arith::MinUIOp::create(b, end, arith::AddIOp::create(b, begin, chains.getStep()));
    }
    auto next = scf::ForOp::create(b, begin, end, one, carried);
    loops[loop] = dim(next.getInductionVar());
    carried.assign(next.getRegionIterArgs().begin(), next.getRegionIterArgs().end());
    b.setInsertionPointToStart(next.getBody());
    nest.push_back(next);
  }
  SmallVector<Value> elements;
  for (OpOperand *input : op.getDpsInputOperands()) {
    if (!isa<RankedTensorType>(input->get().getType())) {
      elements.push_back(uniform(input->get()));
      continue;
    }
    Point place = llvm::map_to_vector(op.getMatchingIndexingMap(input).getResults(),
                                      [&](AffineExpr expr) { return expr.replaceDims(loops); });
    elements.push_back(at(input->get(), place));
    if (!elements.back())
      return {};
  }
  elements.append(carried);
  SmallVector<Value> results = body(op, loops, elements);
  if (results.empty())
    return {};
  if (isVector)
    for (Value &result : results)
      result = widen(result);
  for (scf::ForOp loop : llvm::reverse(nest)) {
    b.setInsertionPointToEnd(loop.getBody());
    scf::YieldOp::create(b, results);
    results.assign(loop.getResults().begin(), loop.getResults().end());
  }
  if (chains) {
    b.setInsertionPointToEnd(chains.getBody());
    scf::YieldOp::create(b,
                         ValueRange{arith::AddFOp::create(b, chains.getRegionIterArg(0), results.front()).getResult()});
    results.assign(chains.getResults().begin(), chains.getResults().end());
  }
  return results;
}
