// How PointEmitter computes a tensor at a point: by the op that makes it.
#include "passes/cpu/PointEmitter.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/Support/SaveAndRestore.h"

using namespace mlir;
using namespace tenon;

static bool isParallel(linalg::GenericOp op) { return op.getNumParallelLoops() == op.getNumLoops(); }

/// What was computed in this block or one around it is still there.
bool PointEmitter::isVisible(Value value) const {
  Block *block = value.getParentBlock(), *here = b.getInsertionBlock();
  return block == here || block->findAncestorOpInBlock(*here->getParentOp());
}

Value PointEmitter::at(Value tensor, const Point &point) {
  if (!reason.empty())
    return {};
  if (auto found = given.find(tensor); found != given.end()) {
    if (found->second.first == point)
      return found->second.second;
    return fail("a value is read at another place than where it is computed");
  }
  if (auto found = buffers.find(tensor); found != buffers.end()) {
    Point inner;
    for (auto [wanted, fixed] : llvm::zip_equal(point, found->second.first))
      if (!fixed)
        inner.push_back(wanted);
      else if (wanted != fixed)
        return fail("a row is read from within another");
    return load(found->second.second, inner);
  }
  for (Computed &known : memo[tensor])
    if (known.point == point && known.mask == mask && isVisible(known.value))
      return known.value;
  Value value = compute(tensor, point);
  if (value)
    memo[tensor].push_back({point, value, mask});
  return value;
}

Value PointEmitter::compute(Value tensor, const Point &point) {
  if (Value view = viewOf(tensor))
    return load(view, point);
  Operation *op = tensor.getDefiningOp();
  if (!op)
    return fail("a tensor is an argument of a region");
  if (auto generic = dyn_cast<linalg::GenericOp>(op)) {
    unsigned result = cast<OpResult>(tensor).getResultNumber();
    if (!isParallel(generic)) {
      SmallVector<Value> results = reduceAt(generic, point);
      return results.empty() ? Value() : results[result];
    }
    Point loops = loopsAt(generic, result, point);
    if (loops.empty() && generic.getNumLoops() != 0)
      return fail("a generic writes through a map that is no permutation");
    SmallVector<Value> elements;
    for (OpOperand &operand : generic->getOpOperands()) {
      bool isInput = generic.isDpsInput(&operand);
      if (!isInput && !generic.payloadUsesValueFromOperand(&operand)) {
        elements.push_back({});
        continue;
      }
      if (!isa<RankedTensorType>(operand.get().getType())) {
        elements.push_back(uniform(operand.get()));
        continue;
      }
      AffineMap map = generic.getMatchingIndexingMap(&operand);
      Point place = llvm::map_to_vector(map.getResults(), [&](AffineExpr expr) { return expr.replaceDims(loops); });
      elements.push_back(at(operand.get(), place));
      if (!elements.back())
        return {};
    }
    SmallVector<Value> results = body(generic, loops, elements);
    return results.empty() ? Value() : results[result];
  }
  if (auto fill = dyn_cast<linalg::FillOp>(op))
    return uniform(fill.getInputs().front());
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    auto elements = dyn_cast<SplatElementsAttr>(constant.getValue());
    if (!elements)
      return fail("a constant of several values stands inside the kernel");
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(prologueEnd);
    return arith::ConstantOp::create(b, cast<TypedAttr>(elements.getSplatValue<Attribute>()));
  }
  if (auto elements = dyn_cast<tensor::FromElementsOp>(op); elements && elements.getElements().size() == 1)
    return uniform(elements.getElements().front());
  if (isa<tensor::InsertSliceOp>(op))
    return insertAt(tensor, point);
  if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::ExtractSliceOp, linalg::TransposeOp, tensor::CastOp>(
          op)) {
    Point source = sourcePoint(tensor, point);
    if (source.empty() && cast<RankedTensorType>(op->getOperand(0).getType()).getRank() != 0)
      return {};
    return at(op->getOperand(0), source);
  }
  return fail((op->getName().getStringRef() + " is not computed point by point").str());
}

Point PointEmitter::loopsAt(linalg::GenericOp op, unsigned result, const Point &point) {
  Point loops(op.getNumLoops());
  AffineMap map = op.getMatchingIndexingMap(op.getDpsInitOperand(result));
  for (auto [expr, place] : llvm::zip_equal(map.getResults(), point))
    if (auto position = dyn_cast<AffineDimExpr>(expr))
      loops[position.getPosition()] = place;
  auto iterators = op.getIteratorTypesArray();
  for (auto [loop, iterator] : llvm::zip_equal(loops, iterators))
    if (!loop && iterator == utils::IteratorType::parallel)
      return {};
  return loops;
}

/// Where a reshaping op reads its source.
Point PointEmitter::sourcePoint(Value tensor, const Point &point) {
  Operation *op = tensor.getDefiningOp();
  auto source = cast<RankedTensorType>(op->getOperand(0).getType());
  Point result(source.getRank());
  if (isa<tensor::CastOp>(op))
    return point;
  if (auto transpose = dyn_cast<linalg::TransposeOp>(op)) {
    for (auto [to, from] : llvm::enumerate(transpose.getPermutation()))
      result[from] = point[to];
    return result;
  }
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
    llvm::SmallBitVector dropped = slice.getDroppedDims();
    auto expr = [&](OpFoldResult mixed) {
      auto value = dyn_cast<Value>(mixed);
      return value ? dim(uniform(value)) : constant(*getConstantIntValue(mixed));
    };
    unsigned next = 0;
    for (int64_t dimension = 0; dimension < source.getRank(); ++dimension) {
      AffineExpr inner = dropped.test(dimension) ? constant(0) : point[next++];
      std::optional<int64_t> stride = getConstantIntValue(slice.getMixedStrides()[dimension]);
      if (!stride)
        return fail("a slice has a dynamic step"), Point();
      result[dimension] = expr(slice.getMixedOffsets()[dimension]) + inner * *stride;
    }
    return result;
  }
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op)) {
    for (auto [from, group] : llvm::enumerate(expand.getReassociationIndices())) {
      AffineExpr linear = constant(0);
      for (int64_t to : group) {
        if (expand.getResultType().isDynamicDim(to) && to != group.front())
          return fail("a computed tensor is split into dynamic sizes"), Point();
        linear = linear * std::max<int64_t>(expand.getResultType().getDimSize(to), 1) + point[to];
        if (expand.getResultType().isDynamicDim(to))
          linear = point[to];
      }
      result[from] = linear;
    }
    return result;
  }
  auto collapse = cast<tensor::CollapseShapeOp>(op);
  for (auto [to, group] : llvm::enumerate(collapse.getReassociationIndices())) {
    AffineExpr rest = point[to];
    for (int64_t from : llvm::reverse(group)) {
      if (from == group.front()) {
        result[from] = rest;
        break;
      }
      if (source.isDynamicDim(from)) {
        if (!llvm::all_of(group, [&](int64_t other) { return other == from || source.getDimSize(other) == 1; }))
          return fail("a computed tensor joins dynamic sizes"), Point();
        result[from] = rest;
        rest = constant(0);
        continue;
      }
      int64_t size = source.getDimSize(from);
      result[from] = size == 1 ? constant(0) : rest % size;
      rest = size == 1 ? rest : rest.floorDiv(size);
    }
  }
  return result;
}

/// The inserted slice where the point lies within it, else what is around it. Which of both is known a dimension at a
/// time; where that differs between lanes, each is computed by itself.
Value PointEmitter::insertAt(Value tensor, const Point &point) {
  auto insert = tensor.getDefiningOp<tensor::InsertSliceOp>();
  auto expr = [&](OpFoldResult mixed) {
    auto value = dyn_cast<Value>(mixed);
    return value ? dim(uniform(value)) : constant(*getConstantIntValue(mixed));
  };
  if (insert.getSourceType().getRank() != insert.getDestType().getRank() || !insert.hasUnitStride())
    return fail("a slice is inserted with steps");
  Value inside;
  Point source;
  for (auto [dimension, place] : llvm::enumerate(point)) {
    AffineExpr offset = expr(insert.getMixedOffsets()[dimension]), extent = expr(insert.getMixedSizes()[dimension]);
    source.push_back(simplifyAffineExpr(place - offset, dims.size(), 1));
    bool isWhole = offset == constant(0) &&
                   isEqualConstantIntOrValue(insert.getMixedSizes()[dimension], size(insert.getDest(), dimension));
    if (isWhole)
      continue;
    if (hasLane(place))
      return byLane(point, [&](const Point &single) { return insertAt(tensor, single); });
    Value at = index(place);
    auto both = [&](Value condition) { inside = inside ? arith::AndIOp::create(b, inside, condition) : condition; };
    both(arith::CmpIOp::create(b, arith::CmpIPredicate::sge, at, index(offset)));
    both(arith::CmpIOp::create(b, arith::CmpIPredicate::slt, at, index(offset + extent)));
  }
  if (!inside)
    return at(insert.getSource(), source);
  auto element = insert.getDestType().getElementType();
  Type type = hasLane(point) ? VectorType::get(lanes, element) : element;
  auto branch = scf::IfOp::create(b, TypeRange{type}, inside, /*withElseRegion=*/true);
  auto fillBranch = [&](Block *block, Value from, const Point &where) {
    OpBuilder::InsertionGuard guard(b);
    // The other points of a block may not be inside.
    llvm::SaveAndRestore alone(blockFirst, AffineExpr());
    b.setInsertionPointToEnd(block);
    Value value = from.getDefiningOp<tensor::EmptyOp>()
                      ? arith::ConstantOp::create(b, b.getZeroAttr(element)).getResult()
                      : at(from, where);
    if (!value)
      return false;
    scf::YieldOp::create(b, hasLane(point) ? widen(value) : value);
    return true;
  };
  if (!fillBranch(branch.thenBlock(), insert.getSource(), source) ||
      !fillBranch(branch.elseBlock(), insert.getDest(), point))
    return {};
  return branch.getResult(0);
}
