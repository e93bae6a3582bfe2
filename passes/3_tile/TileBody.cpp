// The scalar body of a linalg.generic as ops on tiles.
#include "passes/3_tile/TileEmitter.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace tenon;

TileValue TileEmitter::splat(Value scalar) {
  return {tensor::SplatOp::create(b, scalar, RankedTensorType::get({}, scalar.getType())), {}};
}

/// An index that varies along axes: the scalar part plus each axis's places.
TileValue TileEmitter::indexTile(AffineExpr expr) {
  SmallVector<unsigned> along = axesOf(expr);
  AffineExpr rest = expr;
  Value sum;
  for (unsigned number : along) {
    AffineExpr without = simplifyAffineExpr(rest - axis(number), dims.size(), axes.size());
    if (without.isFunctionOfSymbol(number))
      return fail("an index is not linear along an axis");
    rest = without;
    TileValue places{tile::IotaOp::create(b, typeOf({number}, b.getIndexType()), 0), {number}};
    Value wide = widen(places, along);
    sum = sum ? arith::AddIOp::create(b, sum, wide).getResult() : wide;
  }
  TileValue base = splat(index(rest));
  if (!sum)
    return base;
  return {arith::AddIOp::create(b, sum, widen(base, along)), along};
}

/// Sums of quotients along one axis.
TileValue TileEmitter::quotientTile(AffineExpr expr) {
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!hasQuotient(expr) || !binary)
    return indexTile(expr);
  TileValue lhs = quotientTile(binary.getLHS()), rhs = quotientTile(binary.getRHS());
  if (!lhs || !rhs)
    return {};
  SmallVector<unsigned> along = axesOf(expr);
  Value l = widen(lhs, along), r = widen(rhs, along);
  if (expr.getKind() == AffineExprKind::Add)
    return {arith::AddIOp::create(b, l, r), along};
  if (expr.getKind() == AffineExprKind::Mul)
    return {arith::MulIOp::create(b, l, r), along};
  if (expr.getKind() == AffineExprKind::FloorDiv)
    return {arith::DivUIOp::create(b, l, r), along};
  return fail("an index is no sum of quotients");
}

bool TileEmitter::hasQuotient(AffineExpr expr) const {
  bool found = false;
  expr.walk([&](AffineExpr part) { found |= part.getKind() == AffineExprKind::FloorDiv && !axesOf(part).empty(); });
  return found;
}

TileValue TileEmitter::tileOf(const Element &element) {
  if (auto *value = std::get_if<TileValue>(&element))
    return *value;
  return indexTile(std::get<AffineExpr>(element));
}

/// Null where the element is a tile of data.
AffineExpr TileEmitter::exprOf(const Element &element) {
  auto *expr = std::get_if<AffineExpr>(&element);
  return expr ? *expr : AffineExpr();
}

TileValue TileEmitter::extract(Value tensor, ArrayRef<Element> indices) {
  TilePlace place;
  std::optional<std::pair<unsigned, TileValue>> gathered;
  for (auto [d, element] : llvm::enumerate(indices)) {
    place.push_back(exprOf(element));
    if (place.back())
      continue;
    TileValue rows = tileOf(element);
    if (!rows)
      return {};
    if (rows.axes.empty()) {
      Value row = tensor::ExtractOp::create(b, rows.tile, ValueRange());
      place.back() = dim(row);
      continue;
    }
    if (gathered || rows.axes.size() != 1)
      return fail("data choose along several axes");
    auto type = typeOf(rows.axes, b.getI64Type());
    gathered = {unsigned(d), {arith::IndexCastOp::create(b, type, rows.tile), rows.axes}};
    place.back() = constant(0);
  }
  if (!gathered)
    return at(tensor, place);
  Value view = viewOf(tensor);
  return view ? load(view, place, gathered) : fail("data choose from a computed tensor");
}

/// What stands past the end of an axis in the result of an op, by what stands there in its operands.
static std::optional<TileValue::Outside> outsideOf(Operation *op, ArrayRef<TileValue> operands, unsigned axis) {
  using Outside = TileValue::Outside;
  std::optional<Outside> first = operands.front().outsideOf(axis);
  bool areZero =
      llvm::all_of(operands, [&](const TileValue &operand) { return operand.outsideOf(axis) == Outside::zero; });
  if (isa<arith::ExtFOp, arith::TruncFOp>(op))
    return first;
  if (isa<arith::ExtSIOp, arith::ExtUIOp, arith::SIToFPOp, arith::UIToFPOp, arith::MulFOp, arith::MulIOp, arith::AddFOp,
          arith::AddIOp, arith::SubFOp, arith::SubIOp, arith::NegFOp>(op) &&
      areZero)
    return Outside::zero;
  // Infinity less what is the same along the axis: that is infinite or NaN only where the whole row is lost.
  if (isa<arith::SubFOp>(op) && first && *first != Outside::zero && !llvm::is_contained(operands[1].axes, axis))
    return first;
  if (isa<math::ExpOp, math::Exp2Op>(op) && first == Outside::lowest)
    return Outside::zero;
  return std::nullopt;
}

TileEmitter::Element TileEmitter::evaluate(Operation *op, DenseMap<Value, Element> &values, const TilePlace &loops) {
  auto get = [&](Value value) -> Element {
    auto found = values.find(value);
    if (found != values.end())
      return found->second;
    Value outside = scalar(value);
    return outside.getType().isIndex() ? Element(dim(outside)) : Element(splat(outside));
  };
  if (auto place = dyn_cast<linalg::IndexOp>(op))
    return loops[place.getDim()];
  if (auto apply = dyn_cast<affine::AffineApplyOp>(op)) {
    SmallVector<AffineExpr> operands;
    for (Value operand : apply.getMapOperands())
      operands.push_back(exprOf(get(operand)));
    if (llvm::is_contained(operands, AffineExpr()))
      return fail("an index is computed from data");
    unsigned numDims = apply.getAffineMap().getNumDims();
    return apply.getAffineMap().getResult(0).replaceDimsAndSymbols(ArrayRef(operands).take_front(numDims),
                                                                   ArrayRef(operands).drop_front(numDims));
  }
  if (auto read = dyn_cast<tensor::ExtractOp>(op)) {
    SmallVector<Element> indices = llvm::map_to_vector(read.getIndices(), get);
    return extract(read.getTensor(), indices);
  }
  if (auto constantOp = dyn_cast<arith::ConstantOp>(op)) {
    if (constantOp.getType().isIndex())
      return constant(cast<IntegerAttr>(constantOp.getValue()).getInt());
    auto type = RankedTensorType::get({}, constantOp.getType());
    return TileValue{arith::ConstantOp::create(b, DenseElementsAttr::get(type, Attribute(constantOp.getValue()))), {}};
  }
  if (!OpTrait::hasElementwiseMappableTraits(op) || op->getNumResults() != 1)
    return fail((op->getName().getStringRef() + " has no form on tiles").str());
  SmallVector<TileValue> operands;
  SmallVector<unsigned> along;
  for (Value operand : op->getOperands()) {
    operands.push_back(tileOf(get(operand)));
    if (!operands.back())
      return TileValue();
    for (unsigned number : operands.back().axes)
      if (!llvm::is_contained(along, number))
        along.push_back(number);
  }
  llvm::sort(along);
  SmallVector<Value> wide = llvm::map_to_vector(operands, [&](const TileValue &value) { return widen(value, along); });
  OperationState state(b.getLoc(), op->getName(), wide, typeOf(along, op->getResult(0).getType()), op->getAttrs());
  TileValue result{b.create(state)->getResult(0), along};
  for (unsigned number : along)
    if (std::optional<TileValue::Outside> outside = operands.empty() ? std::nullopt : outsideOf(op, operands, number))
      result.outside.push_back({number, *outside});
  return result;
}

TileValue TileEmitter::body(linalg::GenericOp op, Value yielded, const TilePlace &loops, ArrayRef<TileValue> elements) {
  DenseMap<Value, Element> values;
  for (auto [argument, element] : llvm::zip_equal(op.getBody()->getArguments(), elements))
    if (element)
      values[argument] = element;
  for (Operation &inner : op.getBody()->without_terminator()) {
    // What folds into an accumulator is the reduction's own business, and so is what depends on that.
    if (llvm::any_of(inner.getOperands(), [&](Value operand) {
          return operand.getParentBlock() == op.getBody() && !values.contains(operand);
        }))
      continue;
    values[inner.getResult(0)] = evaluate(&inner, values, loops);
    if (!reason.empty())
      return {};
  }
  auto found = values.find(yielded);
  return found != values.end() ? tileOf(found->second) : splat(scalar(yielded));
}
