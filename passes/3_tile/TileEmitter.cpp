#include "passes/3_tile/TileEmitter.h"

#include "lib/Analysis/SizeSources.h"

#include <numeric>

using namespace mlir;
using namespace tenon;

TileValue TileEmitter::fail(const Twine &why) {
  if (reason.empty())
    reason = why.str();
  return {};
}

//===--- places --------------------------------------------------------------------------------------------------===//

unsigned TileEmitter::addAxis(int64_t size) {
  axes.push_back({size, ShapedType::kDynamic, {}, {}});
  return axes.size() - 1;
}

unsigned TileEmitter::addWholeAxis(int64_t size, int64_t extent) {
  axes.push_back({size, extent, constant(0), {}});
  return axes.size() - 1;
}

unsigned TileEmitter::addWalkedAxis(int64_t size, int64_t extent, Value start, Value end) {
  axes.push_back({size, extent, dim(start), end});
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

AffineExpr TileEmitter::simplified(AffineExpr expr) const {
  DenseMap<AffineExpr, AffineExpr> same;
  expr.walk([&](AffineExpr part) {
    auto quotient = dyn_cast<AffineBinaryOpExpr>(part);
    auto by = quotient ? dyn_cast<AffineConstantExpr>(quotient.getRHS()) : AffineConstantExpr();
    SmallVector<unsigned> along;
    if (by && part.getKind() == AffineExprKind::FloorDiv)
      along = axesOf(quotient.getLHS());
    if (along.size() != 1)
      return;
    AffineExpr place = getAffineSymbolExpr(along.front(), b.getContext());
    AffineExpr first = simplifyAffineExpr(quotient.getLHS() - place, dims.size(), axes.size());
    // The axis stays between two multiples of the divisor: it begins at a multiple of `step`, which divides it.
    bool isZero = first == getAffineConstantExpr(0, b.getContext());
    int64_t step = isZero ? by.getValue() : std::gcd(first.getLargestKnownDivisor(), by.getValue());
    if (!first.isFunctionOfSymbol(along.front()) && axes[along.front()].size <= step)
      same[part] = first.floorDiv(by);
  });
  return expr.replace(same);
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

//===--- sizes and memory ----------------------------------------------------------------------------------------===//

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
  return emitSize(
      b, *source, [&](Value value) { return scalar(value); },
      [&](Value other, int64_t at) { return sizeValue(other, at); });
}

Value TileEmitter::sizeValue(Value tensor, int64_t dimension) {
  OpFoldResult mixed = size(tensor, dimension);
  if (auto value = dyn_cast<Value>(mixed))
    return value;
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(programs);
  return arith::ConstantIndexOp::create(b, *getConstantIntValue(mixed));
}

/// Whether a scalar is known before the programs start: it depends on sizes only.
bool TileEmitter::isShared(Value outside) const {
  Operation *op = outside.getDefiningOp();
  if (isa_and_nonnull<tensor::DimOp>(op))
    return true;
  return op && isPure(op) && op->getNumResults() == 1 && op->getNumRegions() == 0 &&
         llvm::all_of(op->getOperands(),
                      [&](Value operand) { return !isa<ShapedType>(operand.getType()) && isShared(operand); });
}

/// A scalar of the kernel's region, computed before the programs, or at the start of each where it depends on data.
Value TileEmitter::scalar(Value outside) {
  if (auto found = scalars.find(outside); found != scalars.end())
    return found->second;
  Operation *op = outside.getDefiningOp();
  OpBuilder::InsertionGuard guard(b);
  if (!isShared(outside) && programs->getNumRegions() == 0) {
    fail("a size is computed from data");
    return scalars[outside] = arith::ConstantOp::create(b, b.getZeroAttr(outside.getType()));
  }
  if (isShared(outside))
    b.setInsertionPoint(programs);
  else if (lastScalar)
    b.setInsertionPointAfter(lastScalar);
  else
    b.setInsertionPointToStart(&programs->getRegion(0).front());
  Value value;
  if (auto dimension = dyn_cast_or_null<tensor::DimOp>(op)) {
    value = sizeValue(dimension.getSource(), *dimension.getConstantIndex());
  } else if (auto read = dyn_cast_or_null<tensor::ExtractOp>(op)) {
    TilePlace place = llvm::map_to_vector(read.getIndices(), [&](Value at) { return dim(scalar(at)); });
    if (lastScalar) // the indices may have come in between
      b.setInsertionPointAfter(lastScalar);
    TileValue element = at(read.getTensor(), place);
    value = element ? tensor::ExtractOp::create(b, element.tile, ValueRange()).getResult() : Value();
  } else if (op && isPure(op) && op->getNumResults() == 1 && op->getNumRegions() == 0 &&
             llvm::none_of(op->getOperandTypes(), llvm::IsaPred<ShapedType>)) {
    IRMapping mapping;
    for (Value operand : op->getOperands())
      mapping.map(operand, scalar(operand));
    if (!isShared(outside) && lastScalar)
      b.setInsertionPointAfter(lastScalar);
    value = b.clone(*op, mapping)->getResult(0);
  }
  if (!value) {
    fail("a scalar is computed in a way that has no form on tiles");
    value = arith::ConstantOp::create(b, b.getZeroAttr(outside.getType()));
  }
  if (!isShared(outside))
    lastScalar = value.getDefiningOp();
  return scalars[outside] = value;
}

/// What a value that stands outside of a view is to the folds; none where it is just some number.
static std::optional<TileValue::Outside> outsideOf(TypedAttr pad) {
  if (!pad)
    return TileValue::Outside::zero;
  auto real = dyn_cast<FloatAttr>(pad);
  if (!real || !real.getValue().isInfinity())
    return std::nullopt;
  return real.getValue().isNegative() ? TileValue::Outside::lowest : TileValue::Outside::highest;
}

TileValue TileEmitter::load(Value given, const TilePlace &at, const Gathered &gathered, TypedAttr pad) {
  Value view = given;
  TilePlace place = llvm::map_to_vector(at, [&](AffineExpr expr) { return simplified(expr); });
  for (auto [d, expr] : llvm::enumerate(place))
    if (hasQuotient(expr) && axesOf(expr).size() == 1 && !gathered) {
      TileValue rows = quotientTile(expr);
      if (!rows)
        return rows;
      rows.tile = arith::IndexCastOp::create(b, typeOf(rows.axes, b.getI64Type()), rows.tile);
      place[d] = constant(0);
      return load(given, place, std::pair(unsigned(d), rows), pad);
    }
  if (!gathered)
    std::tie(view, place) = withAxesLast(given, place);
  auto type = cast<tile::ViewType>(view.getType());
  SmallVector<Value> start;
  SmallVector<int64_t> shape;
  SmallVector<unsigned> order; // axes in the view's order
  TileValue result;
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
    const Axis &whole = axes[along.front()];
    std::optional<TileValue::Outside> known = outsideOf(pad);
    if (known && first == whole.start && whole.extent == type.getShape()[d])
      result.outside.push_back({along.front(), *known});
  }
  // Leading dimensions without an axis need not be part of the tile.
  size_t leading = 0;
  while (leading < place.size() && axesOf(place[leading]).empty() && !(gathered && gathered->first == leading))
    ++leading;
  auto loaded = RankedTensorType::get(ArrayRef(shape).drop_front(leading), type.getElementType());
  Value tile = gathered ? tile::GatherOp::create(b, loaded, view, start, gathered->second.tile,
                                                 static_cast<int64_t>(gathered->first))
                              .getResult()
                        : tile::LoadOp::create(b, loaded, view, start, pad).getResult();
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
  result.tile = tile;
  result.axes = sorted;
  return result;
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

Value TileEmitter::zeros(const TilePlace &place, Type element) {
  auto type = typeOf(axesOf(place), element);
  return arith::ConstantOp::create(b, DenseElementsAttr::get(type, Attribute(b.getZeroAttr(element))));
}

/// Every axis of the value has a dimension of the view of its own.
void TileEmitter::store(const TileValue &value, Value given, const TilePlace &at) {
  auto [view, place] = withAxesLast(given, at);
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
