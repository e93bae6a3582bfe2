// Attention as one loop over tiles of keys that carries each query's maximum, its sum of powers and its weighted sum of
// values (online softmax, Milakov and Gimelshein 2018; tiled as FlashAttention, Dao et al. 2022). Scores exist a tile
// at a time.
#include "dialects/Tenon/Tenon.h"
#include "lib/Schedule/TileSchedule.h"
#include "passes/3_tile/TileEmitter.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

using namespace mlir;
using namespace tenon;

static constexpr double infinity = std::numeric_limits<double>::infinity();

namespace {
/// The program's part of an attention: its queries along one axis, the values' columns along another.
class AttentionTiles {
public:
  AttentionTiles(TileEmitter &emitter, ImplicitLocOpBuilder &b, AttentionOp op, const TilePlace &place)
      : emitter(emitter), b(b), op(op), place(place) {}
  TileValue build(unsigned rows, unsigned columns);

private:
  Type elementOf(Value tensor) { return cast<RankedTensorType>(tensor.getType()).getElementType(); }
  RankedTensorType along(ArrayRef<unsigned> axes, Type element) {
    return RankedTensorType::get(llvm::map_to_vector(axes, [&](unsigned a) { return emitter.axisSize(a); }), element);
  }
  Value filled(ArrayRef<unsigned> axes, Type element, double value) {
    auto type = along(axes, element);
    return arith::ConstantOp::create(b, DenseElementsAttr::get(type, b.getFloatAttr(element, value)));
  }
  Value widened(Value tile) {
    auto type = cast<RankedTensorType>(tile.getType());
    return type.getElementType() == sumType ? tile : arith::ExtFOp::create(b, type.clone(sumType), tile).getResult();
  }
  Value stored(Value tile, Type element) {
    auto type = cast<RankedTensorType>(tile.getType());
    return type.getElementType() == element ? tile : arith::TruncFOp::create(b, type.clone(element), tile).getResult();
  }
  Value overColumns(Value perRow, unsigned axis) { return emitter.widen({perRow, {rows}}, sorted({rows, axis})); }
  SmallVector<unsigned> sorted(SmallVector<unsigned> axes) { return llvm::sort(axes), axes; }
  Value compare(arith::CmpFPredicate predicate, Value l, Value r) { return arith::CmpFOp::create(b, predicate, l, r); }
  Value scores(Value query, AffineExpr key);
  Value visible(Value scores, AffineExpr key);
  Value withNonFinite(Value sum, Value scores, Value powers, Value values);

  TileEmitter &emitter;
  ImplicitLocOpBuilder &b;
  AttentionOp op;
  TilePlace place;
  Type sumType;
  int64_t headSize = 0;
  unsigned rows = 0, columns = 0, keys = 0;
  AffineExpr keyHead;
};
} // namespace

/// Hidden keys have the score -infinity.
Value AttentionTiles::visible(Value scores, AffineExpr key) {
  SmallVector<unsigned> both = sorted({rows, keys});
  Value hidden = filled(both, sumType, -infinity);
  auto keep = [&](const TileValue &condition) {
    scores = arith::SelectOp::create(b, emitter.widen(condition, both), scores, hidden);
  };
  if (Value mask = op.getMask()) {
    auto type = cast<RankedTensorType>(mask.getType());
    TilePlace full = {place[0], place[1], place[2], key}, at;
    for (auto [d, size] : llvm::enumerate(type.getShape()))
      at.push_back(size == 1 ? emitter.constant(0) : full[4 - type.getRank() + d]);
    TileValue element = emitter.at(mask, at);
    if (!element)
      return scores;
    if (type.getElementType().isInteger(1))
      keep(element);
    else
      scores = arith::AddFOp::create(b, scores, emitter.widen({widened(element.tile), element.axes}, both));
  }
  Value numKeys = emitter.sizeValue(op.getKey(), 2);
  TileValue number = emitter.indexTile(key);
  auto compareIndex = [&](arith::CmpIPredicate predicate, const TileValue &limit) {
    Value condition = arith::CmpIOp::create(b, predicate, emitter.widen(number, both), emitter.widen(limit, both));
    keep({condition, both});
  };
  if (op.getCausal() || op.getWindow()) {
    Value shift = arith::SubIOp::create(b, numKeys, emitter.sizeValue(op.getQuery(), 2));
    AffineExpr last = place[2] + emitter.dim(shift);
    if (op.getCausal())
      compareIndex(arith::CmpIPredicate::sle, emitter.indexTile(last));
    if (std::optional<uint64_t> window = op.getWindow())
      compareIndex(arith::CmpIPredicate::sgt, emitter.indexTile(last - *window));
  }
  int64_t known = cast<RankedTensorType>(op.getKey().getType()).getDimSize(2);
  if (ShapedType::isDynamic(known) || known % emitter.axisSize(keys) != 0)
    compareIndex(arith::CmpIPredicate::slt, emitter.splat(numKeys));
  return scores;
}

Value AttentionTiles::scores(Value query, AffineExpr key) {
  unsigned depth = emitter.addWholeAxis(cast<RankedTensorType>(query.getType()).getDimSize(1), headSize);
  TileValue tile = emitter.at(op.getKey(), {place[0], keyHead, key, emitter.axis(depth)});
  if (!tile)
    return {};
  SmallVector<unsigned> both = sorted({rows, keys});
  Value products =
      tile::DotOp::create(b, along(both, sumType), query, tile.tile, filled(both, sumType, 0), false, true);
  double scale = op.getScale() ? op.getScale()->convertToDouble() : 1 / std::sqrt(static_cast<double>(headSize));
  return visible(arith::MulFOp::create(b, products, filled(both, sumType, scale)), key);
}

/// Powers times values, where a value is NaN or infinite: what is hidden must not count, not even times 0. Finite
/// values are summed alone, the others by how many of each kind a query sees.
Value AttentionTiles::withNonFinite(Value sum, Value scores, Value powers, Value values) {
  using P = arith::CmpFPredicate;
  SmallVector<unsigned> both = sorted({rows, keys}), ofValues = sorted({keys, columns}), out = sorted({rows, columns});
  Type element = elementOf(values);
  auto choose = [&](Value condition, Value yes, Value no) { return arith::SelectOp::create(b, condition, yes, no); };
  auto marked = [&](ArrayRef<unsigned> axes, Value condition) -> Value {
    return choose(condition, filled(axes, element, 1), filled(axes, element, 0));
  };
  auto count = [&](Value who, Value what) -> Value {
    return tile::DotOp::create(b, along(out, sumType), who, what, filled(out, sumType, 0), false, true);
  };
  Value wide = widened(values), zero = filled(ofValues, sumType, 0);
  Value up = compare(P::OEQ, wide, filled(ofValues, sumType, infinity));
  Value down = compare(P::OEQ, wide, filled(ofValues, sumType, -infinity));
  Value isInfinite = arith::OrIOp::create(b, up, down), isNaN = compare(P::UNO, wide, wide);
  Value finite = stored(choose(arith::OrIOp::create(b, isInfinite, isNaN), zero, wide), element);
  Value isSeen = compare(P::UGT, scores, filled(both, sumType, -infinity));
  Value isZero = arith::AndIOp::create(b, isSeen, compare(P::OEQ, powers, filled(both, sumType, 0)));
  Value seen = marked(both, isSeen);
  Value nans = arith::AddFOp::create(b, count(seen, marked(ofValues, isNaN)),
                                     count(marked(both, isZero), marked(ofValues, isInfinite)));
  Value nothing = filled(out, sumType, 0);
  auto any = [&](Value number) { return compare(P::OGT, number, nothing); };
  Value hasUp = any(count(seen, marked(ofValues, up))), hasDown = any(count(seen, marked(ofValues, down)));
  Value isLost = arith::OrIOp::create(b, any(nans), arith::AndIOp::create(b, hasUp, hasDown));
  Value added =
      choose(hasUp, filled(out, sumType, infinity), choose(hasDown, filled(out, sumType, -infinity), nothing));
  added = choose(isLost, filled(out, sumType, std::nan("")), added);
  Value total = tile::DotOp::create(b, sum.getType(), stored(powers, element), finite, sum, false, true);
  return arith::AddFOp::create(b, total, added);
}

TileValue AttentionTiles::build(unsigned rowAxis, unsigned columnAxis) {
  rows = rowAxis, columns = columnAxis;
  auto query = cast<RankedTensorType>(op.getQuery().getType()), key = cast<RankedTensorType>(op.getKey().getType());
  headSize = ShapedType::isDynamic(query.getDimSize(3)) ? key.getDimSize(3) : query.getDimSize(3);
  if (ShapedType::isDynamic(headSize) || headSize == 0 || query.isDynamicDim(1) || key.isDynamicDim(1))
    return emitter.fail("head size or number of heads is dynamic");
  Type element = query.getElementType();
  sumType = element.getIntOrFloatBitWidth() < 32 ? Type(b.getF32Type()) : element;
  keyHead = place[1].floorDiv(query.getDimSize(1) / key.getDimSize(1));
  keys = emitter.addAxis(emitter.keyTile);
  unsigned depth = emitter.addWholeAxis(paddedDepth(headSize), headSize);
  TileValue queries = emitter.at(op.getQuery(), {place[0], place[1], place[2], emitter.axis(depth)});
  if (!queries)
    return {};
  SmallVector<unsigned> out = sorted({rows, columns}), ofRow = {rows};
  Value lowest = filled(ofRow, sumType, -infinity), none = filled(ofRow, sumType, 0);
  auto loop = scf::ForOp::create(b, arith::ConstantIndexOp::create(b, 0), emitter.sizeValue(op.getKey(), 2),
                                 arith::ConstantIndexOp::create(b, emitter.keyTile),
                                 ValueRange{lowest, none, filled(out, sumType, 0)});
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    AffineExpr at = emitter.dim(loop.getInductionVar()) + emitter.axis(keys);
    Value score = scores(queries.tile, at);
    TileValue values = emitter.at(op.getValue(), {place[0], keyHead, at, place[3]});
    if (!score || !values)
      return {};
    auto fold = [&](tile::Fold kind, Value tile) -> Value {
      int64_t dimension = rows < keys ? 1 : 0;
      return tile::ReduceOp::create(b, along(ofRow, sumType), kind, tile, dimension);
    };
    Value before = loop.getRegionIterArg(0), sum = loop.getRegionIterArg(1), total = loop.getRegionIterArg(2);
    Value now = arith::MaximumFOp::create(b, before, fold(tile::Fold::max, score));
    // As long as no key is visible the powers are 0, not those of -infinity less itself.
    Value base = arith::SelectOp::create(b, compare(arith::CmpFPredicate::OEQ, now, lowest), none, now);
    Value power = math::ExpOp::create(b, arith::SubFOp::create(b, score, overColumns(base, keys)));
    Value correction = math::ExpOp::create(b, arith::SubFOp::create(b, before, base));
    sum = arith::AddFOp::create(b, arith::MulFOp::create(b, sum, correction), fold(tile::Fold::add, power));
    total = arith::MulFOp::create(b, total, overColumns(correction, columns));
    // x - x is NaN where x is not finite, else 0.
    Value wide = widened(values.tile), strange = arith::SubFOp::create(b, wide, wide);
    while (cast<RankedTensorType>(strange.getType()).getRank() > 0) {
      auto type = cast<RankedTensorType>(strange.getType());
      strange = tile::ReduceOp::create(b, RankedTensorType::get(type.getShape().drop_back(), sumType), tile::Fold::add,
                                       strange, type.getRank() - 1);
    }
    Value isStrange = tensor::ExtractOp::create(b, compare(arith::CmpFPredicate::UNO, strange, strange), ValueRange());
    auto branch = scf::IfOp::create(b, TypeRange{total.getType()}, isStrange, /*withElseRegion=*/true);
    {
      OpBuilder::InsertionGuard inner(b);
      b.setInsertionPointToStart(branch.thenBlock());
      scf::YieldOp::create(b, withNonFinite(total, score, power, values.tile));
      b.setInsertionPointToStart(branch.elseBlock());
      Value product = tile::DotOp::create(b, total.getType(), stored(power, elementOf(values.tile)), values.tile, total,
                                          false, true);
      scf::YieldOp::create(b, product);
    }
    scf::YieldOp::create(b, ValueRange{now, sum, branch.getResult(0)});
  }
  Value isEmpty = compare(arith::CmpFPredicate::OEQ, loop.getResult(1), none);
  Value result = arith::DivFOp::create(b, loop.getResult(2), overColumns(loop.getResult(1), columns));
  result = arith::SelectOp::create(b, overColumns(isEmpty, columns), filled(out, sumType, 0), result);
  return {stored(result, element), out};
}

TileValue TileEmitter::attention(AttentionOp op, const TilePlace &place) {
  SmallVector<unsigned> rows = axesOf(place[2]), columns = axesOf(place[3]);
  if (place.size() != 4 || rows.size() != 1 || columns.size() != 1 || rows[0] > columns[0] || axesOf(place).size() != 2)
    return fail("an attention's tile has queries and columns of values along its axes, in this order");
  return AttentionTiles(*this, b, op, place).build(rows[0], columns[0]);
}
