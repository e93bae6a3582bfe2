// Attention as one loop over tiles of keys that carries each query's maximum, its sum of powers and its weighted sum of
// values (online softmax, Milakov and Gimelshein 2018; tiled as FlashAttention, Dao et al. 2022). Scores exist a tile
// at a time. Powers are of 2: the logarithm's base and the scale are one factor of the scores.
#include "dialects/Tenon/Tenon.h"
#include "lib/Arithmetic/ScorePowers.h"
#include "lib/Schedule/TileSchedule.h"
#include "passes/3_tile/AttentionUnits.h"
#include "passes/3_tile/PagedKeys.h"
#include "passes/3_tile/TileEmitter.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>
#include <numeric>
#include <utility>

using namespace mlir;
using namespace tenon;

/// Logarithms to base 2 of how far powers, and sums of a turn's powers, may outgrow what sums are relative to: as far
/// as products with them and their sums stay finite, in f16 the powers themselves. `Part`s of sums are 32 at most.
static constexpr double largestPower = 8, largestSum = 40, largestSumInF16 = 10;
/// The same of a base that moves: where a query's largest power is after that. Of e4m3 448 is the largest, and powers
/// lose precision below 2^-6: those of keys that count are between.
static constexpr double movedPeak = 0, movedPeakInF8 = 6;
static constexpr double infinity = std::numeric_limits<double>::infinity(), log2OfE = 1.4426950408889634;

namespace {
/// What is attended to, of all keys or of one part of them.
struct Attended {
  Value query, key, value, mask, keyLengths, queryLengths, blockTable, queryScale, keyScale, valueScale;
  std::optional<APFloat> scale;
  bool isCausal;
  std::optional<uint64_t> window;
  std::optional<APFloat> softCap;
  Type result;           ///< the element type
  bool isPacked = false; ///< values are: see tenon.pack_values
  int64_t parts = 1;

  static Attended of(AttentionOp op) {
    return {op.getQuery(),        op.getKey(),        op.getValue(),      op.getMask(),     op.getKeyLengths(),
            op.getQueryLengths(), op.getBlockTable(), op.getQueryScale(), op.getKeyScale(), op.getValueScale(),
            op.getScale(),        op.getCausal(),     op.getWindow(),     op.getSoftCap(),  elementOf(op.getResult()),
            op.getPacked()};
  }
  static Attended of(AttentionPartsOp op) {
    return {op.getQuery(),
            op.getKey(),
            op.getValue(),
            op.getMask(),
            op.getKeyLengths(),
            op.getQueryLengths(),
            op.getBlockTable(),
            op.getQueryScale(),
            op.getKeyScale(),
            {},
            op.getScale(),
            op.getCausal(),
            op.getWindow(),
            op.getSoftCap(),
            elementOf(op.getTotal()),
            false,
            int64_t(op.getParts())};
  }
};

/// The program's part of an attention: its queries along one axis, the values' columns along another.
class AttentionTiles {
public:
  AttentionTiles(TileEmitter &emitter, ImplicitLocOpBuilder &b, AttentionOp op, const TilePlace &place)
      : AttentionTiles(emitter, b, Attended::of(op), place) {}
  /// A place of the parts begins with the part's number.
  AttentionTiles(TileEmitter &emitter, ImplicitLocOpBuilder &b, AttentionPartsOp op, const TilePlace &place)
      : AttentionTiles(emitter, b, Attended::of(op), TilePlace(ArrayRef(place).drop_front())) {
    part = place.front();
  }
  /// What to do about values that are NaN or infinite: see withNonFinite. `Ignored`: somebody looks at the result.
  enum class NonFinite { Ignored, Tested, Counted };
  /// What the loop has carried at its end; what sums are relative to as a logarithm to base 2. Without tiles where it
  /// failed.
  struct Result {
    TileValue maximum, sum, total;
  };
  Result run(NonFinite nonFinite);
  /// What is stored of that. `logSumExp`: to be set as well, where it is not null.
  TileValue weighted(const Result &result, TileValue *logSumExp = nullptr);
  TileValue build(NonFinite nonFinite) {
    Result result = run(nonFinite);
    return result.total ? weighted(result) : TileValue();
  }
  static Value nonFiniteRows(ImplicitLocOpBuilder &b, Value tile);

private:
  AttentionTiles(TileEmitter &emitter, ImplicitLocOpBuilder &b, const Attended &op, const TilePlace &place)
      : emitter(emitter), b(b), op(op), place(place) {
    Type element = elementOf(op.query);
    sumType = element.getIntOrFloatBitWidth() < 32 ? Type(b.getF32Type()) : element;
    // 8-bit floats that are not packed are multiplied as f16, which has them all.
    multiplied = element.getIntOrFloatBitWidth() == 8 && !op.isPacked ? Type(b.getF16Type()) : element;
  }
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
  /// An operand of a dot.
  Value operand(Value tile) {
    auto type = cast<RankedTensorType>(tile.getType());
    return type.getElementType() == multiplied ? tile
                                               : arith::ExtFOp::create(b, type.clone(multiplied), tile).getResult();
  }
  Value stored(Value tile, Type element) {
    auto type = cast<RankedTensorType>(tile.getType());
    if (element.getIntOrFloatBitWidth() == 8) { // said so that one instruction does it
      double most = APFloat::getLargest(cast<FloatType>(element).getFloatSemantics()).convertToDouble();
      auto limit = [&](double value) {
        return arith::ConstantOp::create(b, DenseElementsAttr::get(type, b.getFloatAttr(type.getElementType(), value)));
      };
      tile = arith::MinimumFOp::create(b, arith::MaximumFOp::create(b, tile, limit(-most)), limit(most));
    }
    return type.getElementType() == element ? tile : arith::TruncFOp::create(b, type.clone(element), tile).getResult();
  }
  Value overColumns(Value perRow, unsigned axis) { return emitter.widen({perRow, {rows}}, sorted({rows, axis})); }
  SmallVector<unsigned> sorted(SmallVector<unsigned> axes) { return llvm::sort(axes), axes; }
  Value compare(arith::CmpFPredicate predicate, Value l, Value r) { return arith::CmpFOp::create(b, predicate, l, r); }
  Value scores(Value query, AffineExpr key, ArrayRef<PlaceOfKeys> places);
  Value capped(Value products, double scale);
  Value masked(Value scores, AffineExpr key);
  Value visible(Value scores, AffineExpr key, Value firstKey);
  TileValue scaleAt(Value scale, const TilePlace &full);
  void setFactor();
  /// What scores are multiplied with, along these axes.
  Value factorAlong(ArrayRef<unsigned> axes) {
    return scoreScale ? emitter.widen(scoreScale, axes) : filled(axes, sumType, factor);
  }
  bool hasFactor() const { return isLate && (scoreScale || factor != 1); }
  Value scaled(Value tile, ArrayRef<unsigned> axes) {
    return hasFactor() ? arith::MulFOp::create(b, tile, factorAlong(axes)).getResult() : tile;
  }
  /// Powers, or what takes their place, as a left operand beside the values.
  Value lhsOf(Value tile) { return op.isPacked ? emitter.packed(tile) : tile; }
  Value plusDot(Value total, Value powers, Value values);
  Value lengthOf(Value lengths, Value most);
  Value numKeys();
  std::pair<Value, Value> keyRange();
  std::pair<Value, Value> partOf(Value first, Value end);
  double largestFinite() {
    return sumType.isF64() ? std::numeric_limits<double>::max() : std::numeric_limits<float>::max();
  }
  /// What the loop carries of each query. The power of a score is 2^((score * factor + below) * unit); the sum of
  /// powers and the total of values are relative to the same.
  struct State {
    Value below, sum, total;
  };
  Value fold(tile::Fold kind, Value tile) {
    return tile::ReduceOp::create(b, along({rows}, sumType), kind, tile, /*axis=*/rows < keys ? 1 : 0);
  }
  Value logarithms(Value score, Value below);
  std::pair<Value, Value> rebase(State &state, Value peak);
  SmallVector<Value> unlikely(Value condition, ValueRange otherwise, llvm::function_ref<SmallVector<Value>()> body);
  Value inPowersOf2(Value logarithms);
  Value correctedTotal(const State &state, Value before, Value correction);
  void correctTotal(State &state, Value before, Value hasOutgrown, Value correction);
  /// Of a tile of scores, their logarithms to base 2, in the sums' type (null where they are computed in two ways), and
  /// as values are multiplied with them.
  struct Powers {
    Value logarithms, wide, stored;
  };
  Powers powersOf(Value score, Value below) {
    Value logarithm = logarithms(score, below), wide = math::Exp2Op::create(b, logarithm);
    return {logarithm, wide, stored(wide, multiplied)};
  }
  /// Add a tile of scores to the sum, make the total relative to the same, and give the powers.
  Powers addOnline(State &state, Value score);
  Powers addLazily(State &state, Value score);
  void beginByFew(State &state, Value score);
  Powers addByFirst(State &state, Value score);
  Value product(NonFinite nonFinite, Value total, llvm::function_ref<Value()> ofMasks, const Powers &powers,
                Value values);
  Value withNonFinite(Value sum, Value ofMasks, const Powers &powers, Value values);

  TileEmitter &emitter;
  ImplicitLocOpBuilder &b;
  Attended op;
  TilePlace place;
  AffineExpr part;          ///< null where there are none
  Type sumType, multiplied; ///< of sums; of operands of dots
  int64_t headSize = 0;
  double scale = 1;
  double factor = 1;            ///< scores times this and `unit` are logarithms to base 2
  double unit = 1;              ///< see unitOfMaximum
  TileValue scoreScale;         ///< where there are scales: times this instead of the factor
  bool isLate = false;          ///< the factor, which keeps the order of scores
  bool keepsInfinities = false; ///< the total may hold some that count
  bool hasOneTurn = false;      ///< nothing is summed before that would have to be made relative to another base
  unsigned rows = 0, columns = 0, keys = 0;
  AffineExpr keyHead;
  Value endOfKeys, endOfQueries; ///< of the program's batch
};
} // namespace

/// A mask of the model's: an added one, or one that says which keys are visible.
Value AttentionTiles::masked(Value scores, AffineExpr key) {
  Value mask = op.mask;
  if (!mask)
    return scores;
  SmallVector<unsigned> both = sorted({rows, keys});
  auto type = cast<RankedTensorType>(mask.getType());
  TilePlace full = {place[0], place[1], place[2], key}, at;
  for (auto [d, size] : llvm::enumerate(type.getShape()))
    at.push_back(size == 1 ? emitter.constant(0) : full[4 - type.getRank() + d]);
  TileValue element = emitter.at(mask, at);
  if (!element)
    return scores;
  if (type.getElementType().isInteger(1))
    return arith::SelectOp::create(b, emitter.widen(element, both), scores, filled(both, sumType, -infinity));
  Value added = emitter.widen({widened(element.tile), element.axes}, both);
  return arith::AddFOp::create(b, scores, added);
}

/// Hidden keys have the score -infinity. Tiles that every query sees whole, most of them, are not compared.
Value AttentionTiles::visible(Value scores, AffineExpr key, Value firstKey) {
  SmallVector<unsigned> both = sorted({rows, keys});
  Value numKeys = this->numKeys();
  int64_t numRows = emitter.axisSize(rows), tile = emitter.axisSize(keys);
  auto isBelow = [&](Value l, Value r) -> Value { return arith::CmpIOp::create(b, arith::CmpIPredicate::slt, l, r); };
  Value isPartial;
  auto partialIf = [&](Value condition) {
    isPartial = isPartial ? arith::OrIOp::create(b, isPartial, condition).getResult() : condition;
  };
  SmallVector<std::pair<arith::CmpIPredicate, AffineExpr>> limits;
  Value end = arith::AddIOp::create(b, firstKey, arith::ConstantIndexOp::create(b, tile));
  if (op.isCausal || op.window) {
    Value shift = arith::SubIOp::create(b, numKeys, emitter.sizeValue(op.query, 2));
    AffineExpr last = place[2] + emitter.dim(shift);
    Value lastOfFirst = emitter.index(last - emitter.axis(rows));
    auto plus = [&](Value value, int64_t by) -> Value {
      return arith::AddIOp::create(b, value, arith::ConstantIndexOp::create(b, by));
    };
    if (op.isCausal) {
      limits.push_back({arith::CmpIPredicate::sle, last});
      partialIf(isBelow(plus(lastOfFirst, 1), end));
    }
    if (std::optional<uint64_t> window = op.window) {
      limits.push_back({arith::CmpIPredicate::sgt, last - *window});
      partialIf(isBelow(firstKey, plus(lastOfFirst, numRows - int64_t(*window))));
    }
  }
  std::optional<int64_t> known = getConstantIntValue(numKeys);
  if (op.keyLengths || !known || *known % tile != 0) {
    limits.push_back({arith::CmpIPredicate::slt, emitter.dim(endOfKeys)});
    partialIf(isBelow(endOfKeys, end));
  }
  if (limits.empty())
    return scores;
  auto branch = scf::IfOp::create(b, TypeRange{scores.getType()}, isPartial, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, scores);
  b.setInsertionPointToStart(branch.thenBlock());
  TileValue number = emitter.indexTile(key);
  for (auto [predicate, limit] : limits) {
    Value condition =
        arith::CmpIOp::create(b, predicate, emitter.widen(number, both), emitter.widen(emitter.indexTile(limit), both));
    scores = arith::SelectOp::create(b, condition, scores, filled(both, sumType, -infinity));
  }
  scf::YieldOp::create(b, scores);
  return branch.getResult(0);
}

/// The part's share of the keys from `first` to `end`, whole tiles: each tile is in one part, and late parts may be
/// empty.
std::pair<Value, Value> AttentionTiles::partOf(Value first, Value end) {
  if (!part)
    return {first, end};
  AffineExpr share = (emitter.dim(end) - emitter.dim(first)).ceilDiv(op.parts * emitter.keyTile) * emitter.keyTile;
  Value size = emitter.index(share), start = b.createOrFold<arith::MulIOp>(emitter.index(part), size);
  start = b.createOrFold<arith::AddIOp>(start, first);
  Value stop = arith::AddIOp::create(b, start, size);
  std::optional<int64_t> from = getConstantIntValue(first), to = getConstantIntValue(end),
                         known = getConstantIntValue(size);
  if (!from || !to || !known || *from + *known * op.parts != *to)
    stop = arith::MinSIOp::create(b, stop, end);
  return {start, stop};
}

/// Of the program's batch, from 0 to `most`; that where there are no lengths.
Value AttentionTiles::lengthOf(Value lengths, Value most) {
  if (!lengths)
    return most;
  TileValue element = emitter.at(lengths, {place[0]});
  if (!element)
    return most;
  return clampedNumber(b, element.tile, most);
}

Value AttentionTiles::numKeys() {
  Value keys = emitter.sizeValue(op.key, 2);
  if (!op.blockTable)
    return keys;
  Value pages = emitter.sizeValue(op.blockTable, 1);
  return emitter.index(emitter.dim(pages) * emitter.dim(keys));
}

/// The keys that some query of the program sees: from a multiple of the tile on, the same whatever the loop's steps
/// are.
std::pair<Value, Value> AttentionTiles::keyRange() {
  Value zero = arith::ConstantIndexOp::create(b, 0), first = zero, end = endOfKeys;
  AffineExpr firstRow = place[2] - emitter.axis(rows);
  if (op.queryLengths) {
    Value isAny = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, emitter.index(firstRow), endOfQueries);
    end = arith::SelectOp::create(b, isAny, end, zero);
  }
  if (!op.isCausal && !op.window)
    return partOf(zero, end);
  Value shift = arith::SubIOp::create(b, numKeys(), emitter.sizeValue(op.query, 2));
  AffineExpr last = firstRow + emitter.dim(shift);
  if (op.isCausal) {
    Value seen = emitter.index(last + emitter.axisSize(rows));
    end = arith::MinSIOp::create(b, end, arith::MaxSIOp::create(b, seen, zero));
  }
  if (std::optional<uint64_t> window = op.window) {
    Value seen = arith::MaxSIOp::create(b, emitter.index(last - *window + 1), zero);
    first = emitter.index(emitter.dim(seen).floorDiv(emitter.keyTile) * emitter.keyTile);
  }
  return partOf(first, end);
}

/// As logarithms to the base that `unit` says. Where powers are rounded to 16 bits, tanh x is 2 / (1 + e^(-2 x)) - 1,
/// of which the special function unit does two parts: wrong by some units of an f32 at the cap.
Value AttentionTiles::capped(Value products, double scale) {
  SmallVector<unsigned> both = sorted({rows, keys});
  double cap = op.softCap->convertToDouble();
  auto number = [&](double value) { return filled(both, sumType, value); };
  if (multiplied.getIntOrFloatBitWidth() > 16) {
    Value tanh = math::TanhOp::create(b, arith::MulFOp::create(b, products, number(scale / cap)));
    return arith::MulFOp::create(b, tanh, number(cap * log2OfE / unit));
  }
  Value power = math::ExpOp::create(b, arith::MulFOp::create(b, products, number(-2 * scale / cap)));
  Value half = arith::DivFOp::create(b, number(1), arith::AddFOp::create(b, power, number(1)));
  cap *= log2OfE / unit;
  return math::FmaOp::create(b, half, number(2 * cap), number(-cap));
}

/// A scale at a place of what it broadcasts to.
TileValue AttentionTiles::scaleAt(Value scale, const TilePlace &full) {
  auto type = cast<RankedTensorType>(scale.getType());
  TilePlace at;
  for (auto [d, size] : llvm::enumerate(type.getShape()))
    at.push_back(size == 1 ? emitter.constant(0) : full[4 - type.getRank() + d]);
  return emitter.at(scale, at);
}

/// The factor is applied beside the maximum, as long as that keeps the order of the scores and nothing is added.
void AttentionTiles::setFactor() {
  scale = op.scale ? op.scale->convertToDouble() : 1 / std::sqrt(static_cast<double>(headSize));
  unit = unitOfMaximum(op.mask);
  isLate = unit == 1 && scale > 0 && !op.softCap;
  factor = isLate ? scale * log2OfE : 1;
  if (!op.queryScale)
    return;
  AffineExpr zero = emitter.constant(0);
  TileValue ofQuery = scaleAt(op.queryScale, {place[0], place[1], place[2], zero}),
            ofKey = scaleAt(op.keyScale, {place[0], keyHead, zero, zero});
  if (!ofQuery || !ofKey)
    return;
  // A magnitude: so the order of scores is known to stay.
  ArrayRef<unsigned> axes = ofQuery.axes;
  Value both = arith::MulFOp::create(b, ofQuery.tile, emitter.widen(ofKey, axes));
  both = math::AbsFOp::create(b, both);
  double by = op.softCap ? 1 : scale * log2OfE / unit;
  scoreScale = {arith::MulFOp::create(b, both, filled(axes, sumType, by)), ofQuery.axes};
}

Value AttentionTiles::scores(Value query, AffineExpr key, ArrayRef<PlaceOfKeys> places) {
  unsigned depth = emitter.addWholeAxis(cast<RankedTensorType>(query.getType()).getDimSize(1), headSize);
  TileValue tile = atKeys(emitter, b, op.key, places, keys, [&](const PlaceOfKeys &at) {
    return TilePlace{at.of, keyHead, at.key, emitter.axis(depth)};
  });
  if (!tile)
    return {};
  SmallVector<unsigned> both = sorted({rows, keys});
  Value products =
      tile::DotOp::create(b, along(both, sumType), query, operand(tile.tile), filled(both, sumType, 0), false, true);
  if (scoreScale && !isLate)
    products = arith::MulFOp::create(b, products, emitter.widen(scoreScale, both));
  if (op.softCap)
    products = capped(products, scale);
  else if (!isLate && !scoreScale)
    products = arith::MulFOp::create(b, products, filled(both, sumType, scale * log2OfE / unit));
  return masked(products, key);
}

/// What is summed of 8-bit floats is added to a sum in f32 by itself (docs/decisions/0014): the instruction keeps few
/// bits.
Value AttentionTiles::plusDot(Value total, Value powers, Value values) {
  Value start = op.isPacked ? filled(sorted({rows, columns}), sumType, 0) : total;
  Value dot = tile::DotOp::create(b, total.getType(), lhsOf(powers), values, start, false, true);
  return op.isPacked ? arith::AddFOp::create(b, total, dot).getResult() : dot;
}

/// Powers times values, where a value is NaN or infinite: what is hidden must not count, not even times 0. Finite
/// values are summed alone, the others by how many of each kind a query sees. `ofMasks`: scores of 0 with the masks on
/// them; one of -infinity of its own hides nothing.
Value AttentionTiles::withNonFinite(Value sum, Value ofMasks, const Powers &powers, Value values) {
  using P = arith::CmpFPredicate;
  SmallVector<unsigned> both = sorted({rows, keys}), ofValues = sorted({keys, columns}), out = sorted({rows, columns});
  Type element = elementOf(values);
  auto choose = [&](Value condition, Value yes, Value no) { return arith::SelectOp::create(b, condition, yes, no); };
  auto marked = [&](ArrayRef<unsigned> axes, Value condition) -> Value {
    return choose(condition, filled(axes, element, 1), filled(axes, element, 0));
  };
  auto count = [&](Value who, Value what) -> Value {
    return tile::DotOp::create(b, along(out, sumType), lhsOf(who), what, filled(out, sumType, 0), false, true);
  };
  Value wide = widened(values);
  Value up = compare(P::OEQ, wide, filled(ofValues, sumType, infinity));
  Value down = compare(P::OEQ, wide, filled(ofValues, sumType, -infinity));
  Value isInfinite = arith::OrIOp::create(b, up, down), isNaN = compare(P::UNO, wide, wide);
  Value finite = choose(arith::OrIOp::create(b, isInfinite, isNaN), filled(ofValues, element, 0), values);
  Value isSeen = compare(P::UGT, ofMasks, filled(both, sumType, -infinity));
  Value isNothing = compare(P::OLT, powers.logarithms, filled(both, sumType, lowestLogarithm));
  Value isZero = arith::AndIOp::create(b, isSeen, isNothing);
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
  return arith::AddFOp::create(b, plusDot(sum, powers.stored, finite), added);
}

/// `total` and the powers' sum of values.
Value AttentionTiles::product(NonFinite nonFinite, Value total, llvm::function_ref<Value()> ofMasks,
                              const Powers &powers, Value values) {
  auto plain = [&]() -> Value { return plusDot(total, powers.stored, values); };
  if (nonFinite == NonFinite::Ignored)
    return plain();
  if (nonFinite == NonFinite::Counted)
    return withNonFinite(total, ofMasks(), powers, values);
  Value isNonFinite = tile::AnyOp::create(b, nonFiniteRows(b, values));
  auto branch = scf::IfOp::create(b, TypeRange{total.getType()}, isNonFinite, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard inner(b);
  b.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(b, withNonFinite(total, ofMasks(), powers, values));
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, plain());
  return branch.getResult(0);
}

/// Whether some element of a row is NaN or infinite, or a row's sum is: of large elements that may be so, too, and what
/// is done with care then is right for all.
Value AttentionTiles::nonFiniteRows(ImplicitLocOpBuilder &b, Value tile) {
  auto given = cast<RankedTensorType>(tile.getType());
  if (given.getElementTypeBitWidth() < 32)
    tile = arith::ExtFOp::create(b, given.clone(b.getF32Type()), tile);
  auto type = cast<RankedTensorType>(tile.getType());
  auto folded = RankedTensorType::get(type.getShape().drop_back(), type.getElementType());
  Value sum = tile::ReduceOp::create(b, folded, tile::Fold::add, tile, type.getRank() - 1);
  Value strange = arith::SubFOp::create(b, sum, sum); // NaN, else 0
  return arith::CmpFOp::create(b, arith::CmpFPredicate::UNO, strange, strange);
}

/// Of the powers of a tile of scores, or of one score a query.
Value AttentionTiles::logarithms(Value score, Value below) {
  SmallVector<unsigned> axes = {rows};
  if (cast<RankedTensorType>(score.getType()).getRank() == 2) {
    axes = sorted({rows, keys});
    below = overColumns(below, keys);
  }
  if (!hasFactor())
    return inPowersOf2(arith::AddFOp::create(b, score, below));
  return math::FmaOp::create(b, score, factorAlong(axes), below);
}

Value AttentionTiles::inPowersOf2(Value logarithms) {
  if (unit == 1)
    return logarithms;
  auto type = cast<RankedTensorType>(logarithms.getType());
  auto factor = arith::ConstantOp::create(b, DenseElementsAttr::get(type, b.getFloatAttr(sumType, unit)));
  return arith::MulFOp::create(b, logarithms, factor);
}

/// The sum and its correction relative to the peak, where that is higher than what they were relative to.
std::pair<Value, Value> AttentionTiles::rebase(State &state, Value peak) {
  Value before = state.below;
  Value negated;
  if (double moved = op.isPacked ? movedPeakInF8 : movedPeak; moved != 0)
    negated = arith::SubFOp::create(b, filled({rows}, sumType, moved / unit), scaled(peak, {rows}));
  else
    negated = arith::NegFOp::create(b, scaled(peak, {rows}));
  state.below = arith::MinimumFOp::create(b, before, negated);
  Value correction = math::Exp2Op::create(b, inPowersOf2(arith::SubFOp::create(b, state.below, before)));
  if (hasOneTurn)
    return {state.sum, correction};
  return {arith::MulFOp::create(b, state.sum, correction), correction};
}

/// What `body` gives where some query's condition holds.
SmallVector<Value> AttentionTiles::unlikely(Value condition, ValueRange otherwise,
                                            llvm::function_ref<SmallVector<Value>()> body) {
  auto op = tile::UnlikelyOp::create(b, otherwise.getTypes(), condition, otherwise);
  OpBuilder::InsertionGuard guard(b);
  b.createBlock(&op.getBody());
  SmallVector<Value> yielded = body();
  tile::YieldOp::create(b, yielded);
  return llvm::to_vector(ValueRange(op.getResults()));
}

/// The textbook's way.
AttentionTiles::Powers AttentionTiles::addOnline(State &state, Value score) {
  Value before = state.below;
  auto [sum, correction] = rebase(state, fold(tile::Fold::max, score));
  Powers powers = powersOf(score, state.below);
  state.sum = arith::AddFOp::create(b, sum, fold(tile::Fold::add, powers.wide));
  state.total = correctedTotal(state, before, correction);
  return powers;
}

/// Any base within a few powers of 2 of the maximum is as exact: floats keep their relative precision.
AttentionTiles::Powers AttentionTiles::addLazily(State &state, Value score) {
  Value peak = fold(tile::Fold::max, score), one = filled({rows}, sumType, 1);
  Value hasOutgrown =
      compare(arith::CmpFPredicate::UGT, logarithms(peak, state.below), filled({rows}, sumType, largestPower));
  SmallVector<Value> moved = unlikely(hasOutgrown, {state.below, state.sum, one}, [&]() -> SmallVector<Value> {
    State other = state;
    auto [sum, correction] = rebase(other, peak);
    return {other.below, sum, correction};
  });
  Value before = std::exchange(state.below, moved[0]);
  Powers powers = powersOf(score, state.below);
  state.sum = arith::AddFOp::create(b, moved[1], fold(tile::Fold::add, powers.wide));
  correctTotal(state, before, hasOutgrown, moved[2]);
  return powers;
}

/// Where the first tile is the only one: powers are relative to the largest of a few scores, which is near enough to
/// the maximum that they are seldom computed anew, as all would be relative to nothing.
void AttentionTiles::beginByFew(State &state, Value score) {
  constexpr int64_t few = 8; // neighbouring columns, of which a lane has two
  SmallVector<unsigned> both = sorted({rows, keys});
  Value number = emitter.widen(emitter.indexTile(emitter.axis(keys)), both),
        limit = emitter.widen(emitter.indexTile(emitter.constant(few)), both),
        isAmong = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, number, limit);
  Value peak = fold(tile::Fold::max, arith::SelectOp::create(b, isAmong, score, filled(both, sumType, -infinity)));
  state.below = arith::MinimumFOp::create(b, state.below, arith::NegFOp::create(b, scaled(peak, {rows})));
}

/// The same without a look at the maximum: what has outgrown the base shows in the sum.
AttentionTiles::Powers AttentionTiles::addByFirst(State &state, Value score) {
  auto sumOf = [&](Value sum, Value power) {
    return arith::AddFOp::create(b, sum, fold(tile::Fold::add, power)).getResult();
  };
  Powers powers = powersOf(score, state.below);
  Value limit = filled({rows}, sumType, std::exp2(multiplied.isF16() ? largestSumInF16 : largestSum));
  Value hasOutgrown = compare(arith::CmpFPredicate::UGT, fold(tile::Fold::add, powers.wide), limit);
  SmallVector<Value> otherwise = {state.below, sumOf(state.sum, powers.wide), state.total, powers.stored};
  SmallVector<Value> moved = unlikely(hasOutgrown, otherwise, [&]() -> SmallVector<Value> {
    State other = state;
    auto [sum, correction] = rebase(other, fold(tile::Fold::max, score));
    Powers anew = powersOf(score, other.below);
    return {other.below, sumOf(sum, anew.wide), correctedTotal(other, state.below, correction), anew.stored};
  });
  state = {moved[0], moved[1], moved[2]};
  return {{}, {}, moved[3]};
}

/// An infinity outlasts a correction that is 0 for the type's range alone.
Value AttentionTiles::correctedTotal(const State &state, Value before, Value correction) {
  if (hasOneTurn)
    return state.total;
  Value corrected = arith::MulFOp::create(b, state.total, overColumns(correction, columns));
  if (!keepsInfinities)
    return corrected;
  using P = arith::CmpFPredicate;
  SmallVector<unsigned> out = sorted({rows, columns}), ofRow = {rows};
  Value shift = inPowersOf2(arith::SubFOp::create(b, state.below, before));
  Value isSome = overColumns(compare(P::OGE, shift, filled(ofRow, sumType, lowestLogarithm)), columns);
  Value isInfinite = compare(P::OEQ, math::AbsFOp::create(b, state.total), filled(out, sumType, infinity));
  return arith::SelectOp::create(b, arith::AndIOp::create(b, isSome, isInfinite), state.total, corrected);
}

void AttentionTiles::correctTotal(State &state, Value before, Value hasOutgrown, Value correction) {
  if (hasOneTurn)
    return;
  state.total = unlikely(hasOutgrown, state.total, [&]() -> SmallVector<Value> {
                  return {correctedTotal(state, before, correction)};
                }).front();
}

AttentionTiles::Result AttentionTiles::run(NonFinite nonFinite) {
  SmallVector<unsigned> rowAxes = emitter.axesOf(place[2]), columnAxes = emitter.axesOf(place[3]);
  rows = rowAxes.front(), columns = columnAxes.front();
  keepsInfinities = nonFinite != NonFinite::Ignored;
  auto query = cast<RankedTensorType>(op.query.getType()), key = cast<RankedTensorType>(op.key.getType());
  headSize = ShapedType::isDynamic(query.getDimSize(3)) ? key.getDimSize(3) : query.getDimSize(3);
  if (ShapedType::isDynamic(headSize) || headSize == 0 || query.isDynamicDim(1) || key.isDynamicDim(1))
    return emitter.fail("head size or number of heads is dynamic"), Result();
  keyHead = place[1].floorDiv(query.getDimSize(1) / key.getDimSize(1));
  // The careful way compares and counts: small tiles keep that within the registers and the shared memory that the
  // other way leaves. They are parts of the other way's.
  int64_t tile = emitter.keyTile, most = op.isPacked ? 32 : 16, few = tile > most ? std::gcd(tile, most) : tile;
  keys = emitter.addAxis(nonFinite == NonFinite::Counted ? few : tile);
  unsigned depth = emitter.addWholeAxis(paddedDepth(headSize, query.getElementTypeBitWidth()), headSize);
  Value queries = emitter.at(op.query, {place[0], place[1], place[2], emitter.axis(depth)}).tile;
  if (!queries)
    return {};
  queries = operand(queries);
  setFactor();
  SmallVector<unsigned> out = sorted({rows, columns}), ofRow = {rows};
  // Lower than any score, and finite: as long as no key is visible, powers are 0.
  Value lowest = filled(ofRow, sumType, largestFinite()), none = filled(ofRow, sumType, 0);
  endOfKeys = lengthOf(op.keyLengths, numKeys());
  endOfQueries = lengthOf(op.queryLengths, emitter.sizeValue(op.query, 2));
  auto [firstKey, end] = keyRange();
  std::optional<int64_t> from = getConstantIntValue(firstKey), to = getConstantIntValue(end);
  hasOneTurn = from && to && *to - *from <= emitter.axisSize(keys);
  auto loop = scf::ForOp::create(b, firstKey, end, arith::ConstantIndexOp::create(b, emitter.axisSize(keys)),
                                 ValueRange{lowest, none, filled(out, sumType, 0)});
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    AffineExpr at = emitter.dim(loop.getInductionVar()) + emitter.axis(keys);
    SmallVector<PlaceOfKeys> places = {{place[0], at}};
    if (op.blockTable)
      places = placesInPages(emitter, b, op.key, op.blockTable, place[0], loop.getInductionVar(), keys);
    if (places.empty())
      return {};
    Value score = scores(queries, at, places);
    TileValue values = atKeys(emitter, b, op.value, places, keys, [&](const PlaceOfKeys &at) {
      return op.isPacked ? TilePlace{at.of, keyHead, place[3], at.key} : TilePlace{at.of, keyHead, at.key, place[3]};
    });
    if (!score || !values)
      return {};
    score = visible(score, at, loop.getInductionVar());
    State state{loop.getRegionIterArg(0), loop.getRegionIterArg(1), loop.getRegionIterArg(2)};
    // The careful way looks at powers as they are, and what is relative to the first keys' maximum outgrows 8 bits.
    bool isByFirst = emitter.maximum == tile::Maximum::First && nonFinite == NonFinite::Ignored && !op.isPacked;
    if (isByFirst && hasOneTurn)
      beginByFew(state, score);
    Powers powers = emitter.maximum == tile::Maximum::Online ? addOnline(state, score)
                    : isByFirst                              ? addByFirst(state, score)
                                                             : addLazily(state, score);
    auto ofMasks = [&] {
      return visible(masked(filled(sorted({rows, keys}), sumType, 0), at), at, loop.getInductionVar());
    };
    Value total = product(nonFinite, state.total, ofMasks, powers, operand(values.tile));
    scf::YieldOp::create(b, ValueRange{state.below, state.sum, total});
  }
  SmallVector<Value> states(loop.getResults());
  if (op.queryLengths) { // a query past the last has seen nothing
    Value number = emitter.indexTile(place[2]).tile,
          limit = emitter.widen(emitter.indexTile(emitter.dim(endOfQueries)), ofRow);
    Value isQuery = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, number, limit);
    states[0] = arith::SelectOp::create(b, isQuery, states[0], lowest);
    states[1] = arith::SelectOp::create(b, isQuery, states[1], none);
    if (part) // of a whole one the sum says it
      states[2] = arith::SelectOp::create(b, overColumns(isQuery, columns), states[2], filled(out, sumType, 0));
  }
  return {{arith::NegFOp::create(b, states[0]), ofRow}, {states[1], ofRow}, {states[2], out}};
}

TileValue AttentionTiles::weighted(const Result &carried, TileValue *logSumExp) {
  const TileValue &maximum = carried.maximum, &sum = carried.sum, &total = carried.total;
  Type element = op.result;
  auto of = [&](double value, const TileValue &like) { return filled(like.axes, sumType, value); };
  Value isEmpty = compare(arith::CmpFPredicate::OEQ, sum.tile, of(0, sum)), result;
  if (logSumExp) {
    Value known = math::Log2Op::create(b, sum.tile);
    if (unit == 1)
      known = arith::MulFOp::create(b, arith::AddFOp::create(b, maximum.tile, known), of(1 / log2OfE, sum));
    else
      known = math::FmaOp::create(b, known, of(1 / unit, sum), maximum.tile);
    *logSumExp = {arith::SelectOp::create(b, isEmpty, of(-infinity, sum), known), sum.axes};
  }
  // What is rounded to 16 bits is multiplied with the reciprocal: two roundings of 32 bits, and one division a row, of
  // which some units may be wrong. Sums of weights are 0 or far from where an approximation ends.
  TileValue valueScale;
  if (op.valueScale)
    valueScale = scaleAt(op.valueScale, {place[0], keyHead, emitter.constant(0), place[3]});
  bool isOfAll = valueScale && valueScale.axes.empty();
  if (element != sumType || isOfAll) {
    auto exactness = element.getIntOrFloatBitWidth() <= 16 ? arith::FastMathFlags::afn : arith::FastMathFlags::none;
    Value numerator = isOfAll ? emitter.widen(valueScale, sum.axes) : of(1, sum);
    Value factor = arith::DivFOp::create(b, numerator, sum.tile, exactness);
    result = arith::MulFOp::create(b, total.tile, overColumns(factor, columns));
  } else {
    result = arith::DivFOp::create(b, total.tile, overColumns(sum.tile, columns));
  }
  if (valueScale && !isOfAll)
    result = arith::MulFOp::create(b, result, emitter.widen(valueScale, total.axes));
  result = unlikely(isEmpty, result, [&]() -> SmallVector<Value> {
             return {arith::SelectOp::create(b, overColumns(isEmpty, columns), of(0, total), result)};
           }).front();
  return {stored(result, element), total.axes};
}

/// Whether some weight is 0: where a query does not see a key. What lies past the keys' end is zero, in pages anything.
/// A weight may be 0 for being small, too: a cap makes finite scores of infinite ones, at most twice the cap apart.
template <typename Op>
static bool mayWeighByZero(Op op) {
  Type element = cast<RankedTensorType>(op.getValue().getType()).getElementType();
  double lowest = element.isF16() || element.getIntOrFloatBitWidth() < 16 ? 0
                  : element.isF64()                                       ? lowestLogarithm
                                                                          : -125;
  std::optional<APFloat> cap = op.getSoftCap();
  bool isRoundedAway = cap && -2 * log2OfE * cap->convertToDouble() < lowest;
  return isRoundedAway || op.getCausal() || op.getWindow() || op.getMask() || op.getKeyLengths() || op.getBlockTable();
}

bool TileEmitter::isPlaceOfAttention(const TilePlace &place) {
  if (place.size() == 4 && axesOf(place).size() == 2) {
    SmallVector<unsigned> rows = axesOf(place[2]), columns = axesOf(place[3]);
    if (rows.size() == 1 && columns.size() == 1 && rows[0] < columns[0])
      return true;
  }
  fail("an attention's tile has queries and columns of values along its axes, in this order");
  return false;
}

TileValue TileEmitter::attention(AttentionOp op, const TilePlace &place) {
  if (!isPlaceOfAttention(place))
    return {};
  using NonFinite = AttentionTiles::NonFinite;
  return AttentionTiles(*this, b, op, place).build(mayWeighByZero(op) ? NonFinite::Tested : NonFinite::Ignored);
}

/// Where keys are hidden 0 times a value that is not finite must be 0, and is NaN: a result without any is right. One
/// with any is computed anew, with care, a few columns at a time: what is that rare must not take registers from the
/// rest.
void TileEmitter::redoNonFinite(Value rows, Value numColumns, TilePlace place,
                                llvm::function_ref<void(const TilePlace &)> redo) {
  constexpr int64_t columnsAtOnce = 16;
  auto again = tile::RedoOp::create(b, rows);
  OpBuilder::InsertionGuard guard(b);
  b.createBlock(&again.getBody());
  auto loop = scf::ForOp::create(b, arith::ConstantIndexOp::create(b, 0), numColumns,
                                 arith::ConstantIndexOp::create(b, columnsAtOnce));
  b.setInsertionPoint(loop.getBody()->getTerminator());
  place.back() = dim(loop.getInductionVar()) + axis(addAxis(columnsAtOnce));
  redo(place);
}

void TileEmitter::storeAttention(AttentionOp op, Value view, Value logSumExpView, const TilePlace &place) {
  if (!isPlaceOfAttention(place))
    return;
  AttentionTiles tiles(*this, b, op, place);
  AttentionTiles::Result carried = tiles.run(AttentionTiles::NonFinite::Ignored);
  if (!carried.total)
    return;
  // Of what is there before it is scaled and rounded: nothing has to be widened.
  Value isStrange;
  if (mayWeighByZero(op))
    isStrange = AttentionTiles::nonFiniteRows(b, carried.total.tile);
  TileValue logSumExp, value = tiles.weighted(carried, logSumExpView ? &logSumExp : nullptr);
  store(value, view, place);
  if (logSumExpView)
    store(logSumExp, logSumExpView, TilePlace(ArrayRef(place).drop_back()));
  if (!isStrange)
    return;
  redoNonFinite(isStrange, sizeValue(op.getValue(), op.getColumnDimension()), place, [&](const TilePlace &few) {
    if (TileValue careful = AttentionTiles(*this, b, op, few).build(AttentionTiles::NonFinite::Counted))
      store(careful, view, few);
  });
}

void TileEmitter::storeAttentionParts(AttentionPartsOp op, ArrayRef<Value> views, const TilePlace &place) {
  TilePlace ofRow(ArrayRef(place).drop_back());
  auto runAt = [&](const TilePlace &columns, AttentionTiles::NonFinite nonFinite) {
    auto [maximum, sum, total] = AttentionTiles(*this, b, op, columns).run(nonFinite);
    if (!total)
      return total;
    store(maximum, views[0], ofRow);
    store(sum, views[1], ofRow);
    store(total, views[2], columns);
    return total;
  };
  // The careful way has smaller tiles: what its totals are relative to may be another maximum, so all is stored anew.
  TileValue total = runAt(place, AttentionTiles::NonFinite::Ignored);
  if (total && mayWeighByZero(op))
    redoNonFinite(AttentionTiles::nonFiniteRows(b, total.tile), sizeValue(op.getValue(), 3), place,
                  [&](const TilePlace &few) { runAt(few, AttentionTiles::NonFinite::Counted); });
}
