#include "passes/cpu/PointEmitter.h"

#include "lib/Analysis/SizeSources.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace tenon;

Value PointEmitter::fail(const Twine &why) {
  if (reason.empty())
    reason = why.str();
  return {};
}

//===--- indices -------------------------------------------------------------------------------------------------===//

AffineExpr PointEmitter::dim(Value index) {
  if (std::optional<int64_t> known = getConstantIntValue(index))
    return constant(*known);
  auto found = llvm::find(dims, index);
  unsigned position = found - dims.begin();
  if (found == dims.end())
    dims.push_back(index);
  return getAffineDimExpr(position, b.getContext());
}

Value PointEmitter::index(AffineExpr expr) {
  expr = simplifyAffineExpr(expr, dims.size(), 1);
  if (auto known = dyn_cast<AffineConstantExpr>(expr))
    return arith::ConstantIndexOp::create(b, known.getValue());
  if (auto single = dyn_cast<AffineDimExpr>(expr))
    return dims[single.getPosition()];
  AffineMap map = AffineMap::get(dims.size(), 0, expr);
  SmallVector<Value> operands(dims);
  affine::canonicalizeMapAndOperands(&map, &operands);
  return affine::AffineApplyOp::create(b, map, operands);
}

AffineExpr PointEmitter::laneConstant(int64_t lane) {
  if (!limit)
    return constant(lane);
  // Lanes past the limit repeat the last one.
  Value last = arith::SubIOp::create(b, limit, arith::ConstantIndexOp::create(b, 1));
  return dim(arith::MinUIOp::create(b, arith::ConstantIndexOp::create(b, lane), last));
}

Point PointEmitter::substituteLane(const Point &point, AffineExpr lane) {
  return llvm::map_to_vector(point, [&](AffineExpr expr) { return expr.replaceSymbols(lane); });
}

Value PointEmitter::byLane(const Point &point, llvm::function_ref<Value(const Point &)> compute) {
  SmallVector<Value> elements;
  for (int64_t lane = 0; lane < lanes; ++lane) {
    elements.push_back(compute(substituteLane(point, laneConstant(lane))));
    if (!elements.back())
      return {};
  }
  return vector::FromElementsOp::create(b, VectorType::get(lanes, elements.front().getType()), elements);
}

Value PointEmitter::vectorIndex(AffineExpr expr) {
  Value numbers = vector::StepOp::create(b, VectorType::get(lanes, b.getIndexType()));
  std::function<Value(AffineExpr)> build = [&](AffineExpr e) -> Value {
    if (!hasLane(e))
      return widen(index(e));
    if (isa<AffineSymbolExpr>(e))
      return numbers;
    auto binary = cast<AffineBinaryOpExpr>(e);
    Value l = build(binary.getLHS()), r = build(binary.getRHS());
    switch (e.getKind()) { // indices are not negative
    case AffineExprKind::Add:
      return arith::AddIOp::create(b, l, r);
    case AffineExprKind::Mul:
      return arith::MulIOp::create(b, l, r);
    case AffineExprKind::FloorDiv:
      return arith::DivUIOp::create(b, l, r);
    case AffineExprKind::Mod:
      return arith::RemUIOp::create(b, l, r);
    default:
      return arith::CeilDivUIOp::create(b, l, r);
    }
  };
  return build(expr);
}

Value PointEmitter::widen(Value value) {
  if (isa<VectorType>(value.getType()))
    return value;
  return vector::BroadcastOp::create(b, VectorType::get(lanes, value.getType()), value);
}

void PointEmitter::setMask(Value newLimit) {
  limit = newLimit;
  mask = vector::CreateMaskOp::create(b, VectorType::get(lanes, b.getI1Type()), limit);
}

//===--- memory --------------------------------------------------------------------------------------------------===//

/// Whether the lanes are consecutive elements of the innermost dimension.
bool PointEmitter::isContiguous(Value buffer, const Point &point) {
  if (point.empty() || llvm::any_of(ArrayRef(point).drop_back(), [](AffineExpr expr) { return hasLane(expr); }))
    return false;
  AffineExpr rest = simplifyAffineExpr(point.back() - lane(), dims.size(), 1);
  return !hasLane(rest) && cast<MemRefType>(buffer.getType()).isLastDimUnitStride();
}

Value PointEmitter::load(Value buffer, const Point &point) {
  auto indices = [&](const Point &at) { return llvm::map_to_vector(at, [&](AffineExpr expr) { return index(expr); }); };
  if (!hasLane(point))
    return memref::LoadOp::create(b, buffer, indices(point));
  if (Value column = loadTurned(buffer, point))
    return column;
  if (!isContiguous(buffer, point))
    return byLane(point, [&](const Point &at) { return memref::LoadOp::create(b, buffer, indices(at)); });
  auto type = VectorType::get(lanes, cast<MemRefType>(buffer.getType()).getElementType());
  Point first = substituteLane(point, constant(0));
  if (!mask)
    return vector::LoadOp::create(b, type, buffer, indices(first));
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(type));
  return vector::MaskedLoadOp::create(b, type, buffer, indices(first), mask, zero);
}

void PointEmitter::store(Value value, Value buffer, const Point &point) {
  auto indices = [&](const Point &at) { return llvm::map_to_vector(at, [&](AffineExpr expr) { return index(expr); }); };
  if (!hasLane(point)) {
    memref::StoreOp::create(b, value, buffer, indices(point));
    return;
  }
  value = widen(value);
  if (isContiguous(buffer, point)) {
    Point first = substituteLane(point, constant(0));
    if (mask)
      vector::MaskedStoreOp::create(b, buffer, indices(first), mask, value);
    else
      vector::StoreOp::create(b, value, buffer, indices(first));
    return;
  }
  for (int64_t lane = 0; lane < lanes; ++lane) {
    auto one = [&] {
      Value element = vector::ExtractOp::create(b, value, lane);
      memref::StoreOp::create(b, element, buffer, indices(substituteLane(point, constant(lane))));
    };
    if (!limit) {
      one();
      continue;
    }
    Value inside = arith::CmpIOp::create(b, arith::CmpIPredicate::ugt, limit, arith::ConstantIndexOp::create(b, lane));
    auto branch = scf::IfOp::create(b, inside, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    one();
  }
}

Value PointEmitter::viewOf(Value tensor) {
  if (auto found = views.find(tensor); found != views.end())
    return found->second;
  Operation *op = tensor.getDefiningOp();
  if (!op)
    return {};
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(prologueEnd);
  auto sizes = [&](ArrayRef<OpFoldResult> mixed) {
    return llvm::map_to_vector(mixed, [&](OpFoldResult size) -> OpFoldResult {
      auto value = dyn_cast<Value>(size);
      return value ? getAsOpFoldResult(uniform(value)) : size;
    });
  };
  Value view;
  if (auto read = dyn_cast<bufferization::ToTensorOp>(op)) {
    view = arguments.lookup(read.getBuffer());
  } else if (auto castOp = dyn_cast<tensor::CastOp>(op)) {
    view = viewOf(castOp.getSource());
  } else if (auto transpose = dyn_cast<linalg::TransposeOp>(op)) {
    if (Value source = viewOf(transpose.getInput()))
      view = memref::TransposeOp::create(
          b, source, AffineMapAttr::get(AffineMap::getPermutationMap(transpose.getPermutation(), b.getContext())));
  } else if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op)) {
    if (Value source = viewOf(expand.getSrc())) {
      FailureOr<MemRefType> type = memref::ExpandShapeOp::computeExpandedType(
          cast<MemRefType>(source.getType()), expand.getResultType().getShape(), expand.getReassociationIndices());
      if (succeeded(type))
        view = memref::ExpandShapeOp::create(b, *type, source, expand.getReassociationIndices(),
                                             sizes(expand.getMixedOutputShape()));
    }
  } else if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op)) {
    Value source = viewOf(collapse.getSrc());
    if (source && memref::CollapseShapeOp::isGuaranteedCollapsible(cast<MemRefType>(source.getType()),
                                                                   collapse.getReassociationIndices()))
      view = memref::CollapseShapeOp::create(b, source, collapse.getReassociationIndices());
  } else if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
    if (Value source = viewOf(slice.getSource())) {
      SmallVector<OpFoldResult> at = sizes(slice.getMixedOffsets()), extent = sizes(slice.getMixedSizes()),
                                step = sizes(slice.getMixedStrides());
      auto type = memref::SubViewOp::inferRankReducedResultType(slice.getResultType().getShape(),
                                                                cast<MemRefType>(source.getType()), at, extent, step);
      view = memref::SubViewOp::create(b, cast<MemRefType>(type), source, at, extent, step);
    }
  }
  return views[tensor] = view;
}

//===--- what does not depend on loops ---------------------------------------------------------------------------===//

OpFoldResult PointEmitter::size(Value tensor, int64_t dimension) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (!type.isDynamicDim(dimension))
    return b.getIndexAttr(type.getDimSize(dimension));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(prologueEnd);
  if (Value view = viewOf(tensor))
    return memref::DimOp::create(b, view, dimension).getResult();
  std::optional<SizeSource> source = sizeSource(tensor, dimension);
  if (!source) {
    fail("the size of a tensor is not known");
    return b.getIndexAttr(0);
  }
  return emitSize(
      b, *source, [&](Value value) { return uniform(value); },
      [&](Value other, int64_t at) { return sizeValue(other, at); });
}

Value PointEmitter::sizeValue(Value tensor, int64_t dimension) {
  OpFoldResult mixed = size(tensor, dimension);
  if (auto value = dyn_cast<Value>(mixed))
    return value;
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(prologueEnd);
  return arith::ConstantIndexOp::create(b, *getConstantIntValue(mixed));
}

Value PointEmitter::uniform(Value scalar) {
  if (auto found = uniforms.find(scalar); found != uniforms.end())
    return found->second;
  Operation *op = scalar.getDefiningOp();
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(prologueEnd);
  Value value;
  if (auto dimension = dyn_cast_or_null<tensor::DimOp>(op)) {
    value = sizeValue(dimension.getSource(), *dimension.getConstantIndex());
  } else if (auto dimension = dyn_cast_or_null<memref::DimOp>(op)) {
    value = memref::DimOp::create(b, arguments.lookup(dimension.getSource()), *dimension.getConstantIndex());
  } else if (auto extract = dyn_cast_or_null<tensor::ExtractOp>(op)) {
    Point point;
    for (Value place : extract.getIndices())
      point.push_back(dim(uniform(place)));
    value = at(extract.getTensor(), point);
  } else if (op && isPure(op) && op->getNumResults() == 1 && op->getNumRegions() == 0) {
    IRMapping mapping;
    for (Value operand : op->getOperands()) {
      if (isa<ShapedType>(operand.getType()))
        return fail("a scalar comes from " + op->getName().getStringRef());
      mapping.map(operand, uniform(operand));
    }
    value = b.clone(*op, mapping)->getResult(0);
  } else {
    return fail("a scalar has no rule");
  }
  return uniforms[scalar] = value;
}

void PointEmitter::give(Value tensor, const Point &point, Value element) { given[tensor] = {point, element}; }

void PointEmitter::giveBuffer(Value tensor, const Point &point, Value buffer) { buffers[tensor] = {point, buffer}; }
