#include "passes/3_tile/TileEmitter.h"

#include "lib/Analysis/SizeSources.h"

using namespace mlir;
using namespace tenon;

TileValue TileEmitter::fail(const Twine &why) {
  if (reason.empty())
    reason = why.str();
  return {};
}

//===--- places --------------------------------------------------------------------------------------------------===//

unsigned TileEmitter::addAxis(int64_t size, bool isWhole) {
  axes.push_back({size, isWhole});
  return axes.size() - 1;
}

AffineExpr TileEmitter::dim(Value index) {
  if (std::optional<int64_t> known = getConstantIntValue(index))
    return constant(*known);
  auto found = llvm::find(dims, index);
  unsigned position = found - dims.begin();
  if (found == dims.end())
    dims.push_back(index);
  return getAffineDimExpr(position, b.getContext());
}

Value TileEmitter::index(AffineExpr expr) {
  expr = simplifyAffineExpr(expr, dims.size(), axes.size());
  if (auto known = dyn_cast<AffineConstantExpr>(expr))
    return arith::ConstantIndexOp::create(b, known.getValue());
  if (auto single = dyn_cast<AffineDimExpr>(expr))
    return dims[single.getPosition()];
  AffineMap map = AffineMap::get(dims.size(), 0, expr);
  SmallVector<Value> operands(dims);
  affine::canonicalizeMapAndOperands(&map, &operands);
  return affine::AffineApplyOp::create(b, map, operands);
}

SmallVector<unsigned> TileEmitter::axesOf(AffineExpr expr) const {
  SmallVector<unsigned> found;
  for (unsigned axis = 0; axis < axes.size(); ++axis)
    if (expr.isFunctionOfSymbol(axis))
      found.push_back(axis);
  return found;
}

SmallVector<unsigned> TileEmitter::axesOf(const TilePlace &place) const {
  SmallVector<unsigned> found;
  for (unsigned axis = 0; axis < axes.size(); ++axis)
    if (llvm::any_of(place, [&](AffineExpr expr) { return expr.isFunctionOfSymbol(axis); }))
      found.push_back(axis);
  return found;
}

RankedTensorType TileEmitter::typeOf(ArrayRef<unsigned> of, Type element) const {
  return RankedTensorType::get(llvm::map_to_vector(of, [&](unsigned axis) { return axes[axis].size; }), element);
}

//===--- views and memory ----------------------------------------------------------------------------------------===//

Value TileEmitter::viewOf(Value tensor) {
  if (Value view = arguments.lookup(tensor))
    return view;
  if (auto found = views.find(tensor); found != views.end())
    return found->second;
  Operation *op = tensor.getDefiningOp();
  if (!op)
    return {};
  auto type = cast<RankedTensorType>(tensor.getType());
  if (auto castOp = dyn_cast<tensor::CastOp>(op))
    return views[tensor] = viewOf(castOp.getSource());
  if (!isa<linalg::TransposeOp, tensor::ExtractSliceOp, tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op))
    return {};
  Value source = viewOf(op->getOperand(0));
  if (!source)
    return {};
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(programs);
  // The base's place and distances: a dense argument's, or those of the strided view it is.
  Value base = source, offset = arith::ConstantIndexOp::create(b, 0);
  SmallVector<Value> strides;
  auto sourceType = cast<RankedTensorType>(op->getOperand(0).getType());
  if (auto strided = source.getDefiningOp<tile::StridedOp>()) {
    base = strided.getBase();
    offset = strided.getOffset();
    strides.assign(strided.getStrides().begin(), strided.getStrides().end());
  } else {
    Value stride = arith::ConstantIndexOp::create(b, 1);
    strides.assign(sourceType.getRank(), stride);
    for (int64_t d = sourceType.getRank() - 1; d > 0; --d)
      strides[d - 1] = b.createOrFold<arith::MulIOp>(strides[d], sizeValue(op->getOperand(0), d));
  }
  auto value = [&](OpFoldResult mixed) -> Value {
    if (std::optional<int64_t> known = getConstantIntValue(mixed))
      return arith::ConstantIndexOp::create(b, *known);
    return scalar(cast<Value>(mixed));
  };
  SmallVector<Value> sizes, next;
  for (int64_t d = 0; d < type.getRank(); ++d)
    sizes.push_back(sizeValue(tensor, d));
  if (auto transpose = dyn_cast<linalg::TransposeOp>(op)) {
    for (int64_t from : transpose.getPermutation())
      next.push_back(strides[from]);
  } else if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
    llvm::SmallBitVector dropped = slice.getDroppedDims();
    for (int64_t d = 0; d < sourceType.getRank(); ++d) {
      Value start = b.createOrFold<arith::MulIOp>(value(slice.getMixedOffsets()[d]), strides[d]);
      offset = b.createOrFold<arith::AddIOp>(offset, start);
      if (!dropped.test(d))
        next.push_back(b.createOrFold<arith::MulIOp>(strides[d], value(slice.getMixedStrides()[d])));
    }
  } else if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op)) {
    next.resize(type.getRank());
    for (auto [from, group] : llvm::enumerate(expand.getReassociationIndices())) {
      Value stride = strides[from];
      for (int64_t to : llvm::reverse(group)) {
        next[to] = stride;
        stride = b.createOrFold<arith::MulIOp>(stride, sizes[to]);
      }
    }
  } else {
    auto collapse = cast<tensor::CollapseShapeOp>(op);
    for (const ReassociationIndices &group : collapse.getReassociationIndices()) {
      // Joined dimensions must be one run of memory: of a dense argument they are.
      if (group.size() > 1 && source != base)
        return views[tensor] = Value();
      next.push_back(strides[group.back()]);
    }
  }
  auto viewType = tile::ViewType::get(b.getContext(), type.getShape(), type.getElementType());
  return views[tensor] = tile::StridedOp::create(b, viewType, base, offset, sizes, next);
}

OpFoldResult TileEmitter::size(Value tensor, int64_t dimension) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (!type.isDynamicDim(dimension))
    return b.getIndexAttr(type.getDimSize(dimension));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(programs);
  if (Value view = arguments.lookup(tensor))
    return tile::DimOp::create(b, view, dimension).getResult();
  std::optional<SizeSource> source = sizeSource(tensor, dimension);
  if (!source) {
    fail("the size of a tensor is not known");
    return b.getIndexAttr(0);
  }
  if (source->known) {
    auto value = dyn_cast<Value>(source->known);
    return value ? getAsOpFoldResult(scalar(value)) : source->known;
  }
  Value product;
  for (auto [other, at] : source->sizes) {
    Value factor = sizeValue(other, at);
    product = product ? b.createOrFold<arith::MulIOp>(product, factor) : factor;
  }
  return getAsOpFoldResult(product);
}

Value TileEmitter::sizeValue(Value tensor, int64_t dimension) {
  OpFoldResult mixed = size(tensor, dimension);
  if (auto value = dyn_cast<Value>(mixed))
    return value;
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(programs);
  return arith::ConstantIndexOp::create(b, *getConstantIntValue(mixed));
}

/// A scalar of the kernel's region, computed before the programs.
Value TileEmitter::scalar(Value outside) {
  if (auto found = scalars.find(outside); found != scalars.end())
    return found->second;
  Operation *op = outside.getDefiningOp();
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(programs);
  Value value;
  if (auto dimension = dyn_cast_or_null<tensor::DimOp>(op)) {
    value = sizeValue(dimension.getSource(), *dimension.getConstantIndex());
  } else if (op && isPure(op) && op->getNumResults() == 1 && op->getNumRegions() == 0 &&
             llvm::none_of(op->getOperandTypes(), llvm::IsaPred<ShapedType>)) {
    IRMapping mapping;
    for (Value operand : op->getOperands())
      mapping.map(operand, scalar(operand));
    value = b.clone(*op, mapping)->getResult(0);
  } else {
    fail("a scalar is computed from data");
    value = arith::ConstantOp::create(b, b.getZeroAttr(outside.getType()));
  }
  return scalars[outside] = value;
}

/// `gathered`: the view's dimension that data choose, and the tile of numbers, of one axis.
TileValue TileEmitter::load(Value view, const TilePlace &place,
                            std::optional<std::pair<unsigned, TileValue>> gathered) {
  auto type = cast<tile::ViewType>(view.getType());
  SmallVector<Value> start;
  SmallVector<int64_t> shape;
  SmallVector<unsigned> order; // axes in the view's order
  for (auto [d, expr] : llvm::enumerate(place)) {
    if (gathered && d == gathered->first) {
      start.push_back(arith::ConstantIndexOp::create(b, 0));
      order.push_back(gathered->second.axes.front());
      shape.push_back(axes[order.back()].size);
      continue;
    }
    SmallVector<unsigned> along = axesOf(expr);
    if (along.size() > 1)
      return fail("two axes meet in one dimension of a view");
    if (along.empty()) {
      start.push_back(index(expr));
      shape.push_back(1);
      continue;
    }
    AffineExpr first = simplifyAffineExpr(expr - axis(along.front()), dims.size(), axes.size());
    if (!axesOf(first).empty() || llvm::is_contained(order, along.front()))
      return fail("a dimension of a view is not read element after element");
    start.push_back(index(first));
    order.push_back(along.front());
    shape.push_back(axes[along.front()].size);
  }
  // Leading dimensions without an axis need not be part of the tile.
  size_t leading = 0;
  while (leading < place.size() && axesOf(place[leading]).empty() && !(gathered && gathered->first == leading))
    ++leading;
  auto loaded = RankedTensorType::get(ArrayRef(shape).drop_front(leading), type.getElementType());
  Value tile = gathered ? tile::GatherOp::create(b, loaded, view, start, gathered->second.tile,
                                                 static_cast<int64_t>(gathered->first))
                              .getResult()
                        : tile::LoadOp::create(b, loaded, view, start, TypedAttr()).getResult();
  RankedTensorType inOrder = typeOf(order, type.getElementType());
  if (inOrder != loaded)
    tile = tile::ReshapeOp::create(b, inOrder, tile);
  SmallVector<unsigned> sorted(order);
  llvm::sort(sorted);
  if (sorted != order) {
    SmallVector<int64_t> permutation;
    for (unsigned axis : sorted)
      permutation.push_back(llvm::find(order, axis) - order.begin());
    tile = tile::TransOp::create(b, typeOf(sorted, type.getElementType()), tile, permutation);
  }
  return {tile, sorted};
}

Value TileEmitter::widen(const TileValue &value, ArrayRef<unsigned> to) {
  if (ArrayRef<unsigned>(value.axes) == to)
    return value.tile;
  SmallVector<int64_t> positions;
  for (unsigned axis : value.axes)
    positions.push_back(llvm::find(to, axis) - to.begin());
  Type element = cast<RankedTensorType>(value.tile.getType()).getElementType();
  return tile::BroadcastOp::create(b, typeOf(to, element), value.tile, positions);
}

/// Every axis of the value has a dimension of the view of its own.
void TileEmitter::store(const TileValue &value, Value view, const TilePlace &place) {
  SmallVector<unsigned> order;
  SmallVector<Value> start;
  SmallVector<int64_t> shape;
  for (AffineExpr expr : place) {
    SmallVector<unsigned> along = axesOf(expr);
    AffineExpr first = expr;
    for (unsigned found : along)
      first = simplifyAffineExpr(first - axis(found), dims.size(), axes.size());
    start.push_back(index(first));
    order.append(along);
    shape.push_back(along.empty() ? 1 : axes[along.front()].size);
  }
  SmallVector<unsigned> sorted(order);
  llvm::sort(sorted);
  Value tile = widen(value, sorted);
  if (sorted != order) {
    SmallVector<int64_t> permutation;
    for (unsigned axis : order)
      permutation.push_back(llvm::find(sorted, axis) - sorted.begin());
    Type element = cast<RankedTensorType>(tile.getType()).getElementType();
    tile = tile::TransOp::create(b, typeOf(order, element), tile, permutation);
  }
  size_t leading = 0;
  while (leading < shape.size() && axesOf(place[leading]).empty())
    ++leading;
  auto type = RankedTensorType::get(ArrayRef(shape).drop_front(leading),
                                    cast<RankedTensorType>(tile.getType()).getElementType());
  if (tile.getType() != type)
    tile = tile::ReshapeOp::create(b, type, tile);
  tile::StoreOp::create(b, tile, view, start);
}
