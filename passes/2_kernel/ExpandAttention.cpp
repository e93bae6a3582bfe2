// tenon.attention that a target did not turn into an online loop becomes the textbook: scores, mask, softmax
// statistics, weighted sum, each one linalg.generic over whole tensors. What keeps it exact in the corners: a hidden
// key is a score of -Inf, and its probability is stored as -1, which no exponential is, so that neither its share of
// the sum nor its value (which may be Inf or NaN) counts; a row whose sum is 0 saw no key and is 0.
#include "dialects/Tenon/Tenon.h"
#include "lib/Arithmetic/ClampedIndex.h"
#include "lib/Arithmetic/ScorePowers.h"
#include "passes/2_kernel/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

#include <cmath>

namespace tenon {
#define GEN_PASS_DEF_EXPANDATTENTIONPASS
#include "passes/2_kernel/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

/// Where tenon.pack_values puts a key.
static AffineExpr packedPlace(AffineExpr key) {
  return key.floorDiv(16) * 16 + (key % 8).floorDiv(2) * 4 + (key % 16).floorDiv(8) * 2 + key % 2;
}
/// The key at a place of packed values.
static AffineExpr keyAt(AffineExpr place) {
  return place.floorDiv(16) * 16 + (place % 4).floorDiv(2) * 8 + (place % 16).floorDiv(4) * 2 + place % 2;
}

namespace {
/// The steps of one attention, over dimensions b, h, i (query), then j (key) or the width of a value.
class Expansion {
public:
  /// `group`: query heads that share a head of keys and values.
  Expansion(AttentionOp op, ImplicitLocOpBuilder &b, int64_t group) : op(op), b(b), group(group) {
    stored = cast<FloatType>(typeOf(op.getResult()).getElementType());
    compute = stored.getWidth() < 32 ? b.getF32Type() : stored;
    for (int64_t dimension : {0, 1, 2})
      rows.push_back(tensor::getMixedSize(b, b.getLoc(), op.getQuery(), dimension));
    width = tensor::getMixedSize(b, b.getLoc(), op.getValue(), op.getColumnDimension());
    key = inOrder(op.getKey()), value = inOrder(op.getValue());
    keys = tensor::getMixedSize(b, b.getLoc(), key, 2);
  }

  /// The results.
  SmallVector<Value> run() {
    Value scores = visible(products());
    // A score of -Inf of its own hides nothing: who is hidden is what the masks make of scores of 0.
    bool hides = op.getMask() || op.getCausal() || op.getWindow() || op.getKeyLengths() || op.getQueryLengths();
    Value ofMasks = hides ? visible(filled(with(keys), 0)) : Value();
    Value largest = reduce(
        {scores}, {dims(0, 1, 2, 3)}, 4, {0, 1, 2}, rows, -std::numeric_limits<double>::infinity(),
        [](ImplicitLocOpBuilder &in, ValueRange x) -> Value { return arith::MaximumFOp::create(in, x[1], x[0]); });
    Value powers = exponentials(scores, largest, ofMasks);
    Value sum = reduce({powers}, {dims(0, 1, 2, 3)}, 4, {0, 1, 2}, rows, 0,
                       [&](ImplicitLocOpBuilder &in, ValueRange x) -> Value {
                         return arith::AddFOp::create(in, x[1], zeroIfHidden(in, x[0], x[0]));
                       });
    SmallVector<Value> results = {quotient(weightedSum(powers), sum)};
    if (op.getLse())
      results.push_back(logSumExp(largest, sum));
    return results;
  }

private:
  using Body = llvm::function_ref<Value(ImplicitLocOpBuilder &, ValueRange)>;
  using Sizes = SmallVector<OpFoldResult>;

  static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }
  template <typename... Positions>
  SmallVector<AffineExpr> dims(Positions... positions) {
    return {b.getAffineDimExpr(positions)...};
  }
  Sizes with(OpFoldResult last) const {
    Sizes sizes = rows;
    sizes.push_back(last);
    return sizes;
  }
  Value number(ImplicitLocOpBuilder &in, double value) {
    return arith::ConstantOp::create(in, in.getFloatAttr(compute, value));
  }
  Value widened(ImplicitLocOpBuilder &in, Value value) {
    return value.getType() == compute ? value : arith::ExtFOp::create(in, compute, value).getResult();
  }
  /// `value` where the probability says that the key counts.
  Value zeroIfHidden(ImplicitLocOpBuilder &in, Value probability, Value value) {
    Value zero = number(in, 0);
    Value isHidden = arith::CmpFOp::create(in, arith::CmpFPredicate::OLT, probability, zero);
    return arith::SelectOp::create(in, isHidden, zero, value);
  }

  Value generic(ValueRange operands, ArrayRef<SmallVector<AffineExpr>> reads, unsigned numDims, ArrayRef<unsigned> kept,
                Value init, Body body) {
    SmallVector<AffineMap> maps;
    for (ArrayRef<AffineExpr> read : reads)
      maps.push_back(AffineMap::get(numDims, 0, read, b.getContext()));
    SmallVector<utils::IteratorType> iterators(numDims, utils::IteratorType::reduction);
    SmallVector<AffineExpr> written;
    for (unsigned dimension : kept) {
      iterators[dimension] = utils::IteratorType::parallel;
      written.push_back(b.getAffineDimExpr(dimension));
    }
    maps.push_back(AffineMap::get(numDims, 0, written, b.getContext()));
    auto op = linalg::GenericOp::create(b, init.getType(), operands, init, maps, iterators,
                                        [&](OpBuilder &nested, Location location, ValueRange elements) {
                                          ImplicitLocOpBuilder in(location, nested);
                                          linalg::YieldOp::create(in, body(in, elements));
                                        });
    return op.getResult(0);
  }
  Value reduce(ValueRange operands, ArrayRef<SmallVector<AffineExpr>> reads, unsigned numDims, ArrayRef<unsigned> kept,
               ArrayRef<OpFoldResult> sizes, double start, Body body) {
    return generic(operands, reads, numDims, kept, filled(sizes, start), body);
  }
  Value filled(ArrayRef<OpFoldResult> sizes, double value) {
    Value empty = tensor::EmptyOp::create(b, sizes, compute);
    return linalg::FillOp::create(b, number(b, value), empty).getResult(0);
  }
  Value elementwise(ValueRange operands, ArrayRef<SmallVector<AffineExpr>> reads, ArrayRef<OpFoldResult> sizes,
                    Type element, Body body) {
    return generic(operands, reads, 4, {0, 1, 2, 3}, tensor::EmptyOp::create(b, sizes, element), body);
  }
  /// The head of keys and values that query head `dim` reads.
  AffineExpr sharedHead() {
    AffineExpr head = b.getAffineDimExpr(1);
    return group == 1 ? head : head.floorDiv(group);
  }

  /// Those of `scales` that there are, read at the elements that they broadcast to.
  void addScales(ArrayRef<std::pair<Value, SmallVector<AffineExpr>>> scales, SmallVector<Value> &operands,
                 SmallVector<SmallVector<AffineExpr>> &reads) {
    for (const auto &[scale, full] : scales) {
      if (!scale)
        continue;
      operands.push_back(scale);
      SmallVector<AffineExpr> &read = reads.emplace_back();
      ArrayRef<int64_t> shape = typeOf(scale).getShape();
      for (auto [size, at] : llvm::zip_equal(shape, ArrayRef(full).take_back(shape.size())))
        read.push_back(size == 1 ? b.getAffineConstantExpr(0) : at);
    }
  }
  Value timesScales(ImplicitLocOpBuilder &in, Value product, ValueRange scales) {
    for (Value scale : scales)
      product = arith::MulFOp::create(in, product, scale);
    return product;
  }

  /// What lies in pages, one after the other as the table has them.
  Value inOrder(Value pool) {
    Value table = op.getBlockTable();
    if (!table)
      return pool;
    auto size = [&](Value of, int64_t d) { return tensor::getMixedSize(b, b.getLoc(), of, d); };
    Value page = index(b, size(pool, 2));
    Value last = arith::SubIOp::create(b, index(b, size(pool, 0)), arith::ConstantIndexOp::create(b, 1));
    OpFoldResult all = affine::makeComposedFoldedAffineApply(
        b, b.getLoc(), b.getAffineSymbolExpr(0) * b.getAffineSymbolExpr(1), {size(table, 1), size(pool, 2)});
    Sizes sizes = {rows[0], size(pool, 1), all, size(pool, 3)};
    Type element = typeOf(pool).getElementType();
    return elementwise({}, {}, sizes, element, [&](ImplicitLocOpBuilder &in, ValueRange) -> Value {
      SmallVector<Value> at;
      for (int64_t d = 0; d < 4; ++d)
        at.push_back(linalg::IndexOp::create(in, d));
      Value slot = arith::DivUIOp::create(in, at[2], page);
      at[0] = clampedIndex(in, tensor::ExtractOp::create(in, table, ValueRange{at[0], slot}), last);
      at[2] = arith::RemUIOp::create(in, at[2], page);
      return tensor::ExtractOp::create(in, pool, at);
    });
  }

  /// q k^T.
  Value products() {
    AffineExpr zero = b.getAffineConstantExpr(0), batch = b.getAffineDimExpr(0);
    SmallVector<Value> operands = {op.getQuery(), key};
    SmallVector<SmallVector<AffineExpr>> reads = {dims(0, 1, 2, 4),
                                                  {batch, sharedHead(), b.getAffineDimExpr(3), b.getAffineDimExpr(4)}};
    addScales({{op.getQueryScale(), {batch, b.getAffineDimExpr(1), b.getAffineDimExpr(2), zero}},
               {op.getKeyScale(), {batch, sharedHead(), zero, zero}}},
              operands, reads);
    return reduce(operands, reads, 5, {0, 1, 2, 3}, with(keys), 0,
                  [&](ImplicitLocOpBuilder &in, ValueRange x) -> Value {
                    Value product = arith::MulFOp::create(in, widened(in, x[0]), widened(in, x[1]));
                    product = timesScales(in, product, x.drop_front(2).drop_back());
                    return arith::AddFOp::create(in, x.back(), product);
                  });
  }

  /// Scaled and masked; -Inf where key j is hidden from query i.
  Value visible(Value products) {
    SmallVector<Value> operands = {products};
    SmallVector<SmallVector<AffineExpr>> reads = {dims(0, 1, 2, 3)};
    if (Value mask = op.getMask()) {
      operands.push_back(mask);
      reads.push_back(maskRead(typeOf(mask)));
    }
    for (Value lengths : {op.getKeyLengths(), op.getQueryLengths()})
      if (lengths) {
        operands.push_back(lengths);
        reads.push_back(dims(0));
      }
    Value shift, scale = scaleValue();
    std::optional<APFloat> softCap = op.getSoftCap();
    Value cap = softCap ? number(b, softCap->convertToDouble()) : Value();
    if (op.getCausal() || op.getWindow())
      shift = arith::SubIOp::create(b, index(b, keys), index(b, rows[2]));
    return elementwise(operands, reads, with(keys), compute, [&](ImplicitLocOpBuilder &in, ValueRange x) {
      Value score = arith::MulFOp::create(in, x[0], scale);
      if (cap)
        score = arith::MulFOp::create(in, cap, math::TanhOp::create(in, arith::DivFOp::create(in, score, cap)));
      SmallVector<Value> conditions;
      if (Value mask = op.getMask()) {
        if (x[1].getType().isInteger(1))
          conditions.push_back(x[1]);
        else
          score = arith::AddFOp::create(in, score, widened(in, x[1]));
      }
      if (shift) {
        Value key = linalg::IndexOp::create(in, 3);
        Value last = arith::AddIOp::create(in, linalg::IndexOp::create(in, 2), shift);
        if (op.getCausal())
          conditions.push_back(arith::CmpIOp::create(in, arith::CmpIPredicate::sle, key, last));
        if (std::optional<uint64_t> window = op.getWindow()) {
          Value first = arith::SubIOp::create(in, last, arith::ConstantIndexOp::create(in, *window));
          conditions.push_back(arith::CmpIOp::create(in, arith::CmpIPredicate::sgt, key, first));
        }
      }
      unsigned read = op.getMask() ? 2 : 1;
      for (auto [lengths, dimension] : {std::pair(op.getKeyLengths(), 3), std::pair(op.getQueryLengths(), 2)})
        if (lengths) {
          Value length = arith::IndexCastOp::create(in, in.getIndexType(), x[read++]);
          Value number = linalg::IndexOp::create(in, dimension);
          conditions.push_back(arith::CmpIOp::create(in, arith::CmpIPredicate::slt, number, length));
        }
      for (Value condition : conditions)
        score = arith::SelectOp::create(in, condition, score, number(in, -std::numeric_limits<double>::infinity()));
      return score;
    });
  }

  /// exp(score - largest), 0 where no score is higher than -Inf; -1 where hidden.
  Value exponentials(Value scores, Value largest, Value ofMasks) {
    SmallVector<Value> operands = {scores, largest};
    SmallVector<SmallVector<AffineExpr>> reads = {dims(0, 1, 2, 3), dims(0, 1, 2)};
    if (ofMasks) {
      operands.push_back(ofMasks);
      reads.push_back(reads.front());
    }
    return elementwise(operands, reads, with(keys), compute, [&](ImplicitLocOpBuilder &in, ValueRange x) -> Value {
      Value lowest = number(in, -std::numeric_limits<double>::infinity());
      auto isLowest = [&](Value of) { return arith::CmpFOp::create(in, arith::CmpFPredicate::OEQ, of, lowest); };
      Value power = powerOfScore(in, arith::SubFOp::create(in, x[0], x[1]), op.getSoftCap().has_value());
      Value ofLowest = number(in, 0);
      if (ofMasks)
        ofLowest = arith::SelectOp::create(in, isLowest(x[2]), number(in, -1), ofLowest);
      return arith::SelectOp::create(in, isLowest(x[0]), ofLowest, power);
    });
  }

  Value weightedSum(Value powers) {
    // Dimensions: b, h, i, width, key.
    AffineExpr zero = b.getAffineConstantExpr(0), batch = b.getAffineDimExpr(0), column = b.getAffineDimExpr(3);
    AffineExpr key = b.getAffineDimExpr(4);
    SmallVector<Value> operands = {powers, value};
    SmallVector<SmallVector<AffineExpr>> reads = {dims(0, 1, 2, 4), {batch, sharedHead(), key, column}};
    if (op.getPacked())
      reads.back() = {batch, sharedHead(), column, packedPlace(key)};
    addScales({{op.getValueScale(), {batch, sharedHead(), zero, column}}}, operands, reads);
    return reduce(operands, reads, 5, {0, 1, 2, 3}, with(width), 0,
                  [&](ImplicitLocOpBuilder &in, ValueRange x) -> Value {
                    Value product = arith::MulFOp::create(in, x[0], widened(in, x[1]));
                    product = timesScales(in, product, x.drop_front(2).drop_back());
                    return arith::AddFOp::create(in, x.back(), zeroIfHidden(in, x[0], product));
                  });
  }

  Value quotient(Value weighted, Value sum) {
    return elementwise({weighted, sum}, {dims(0, 1, 2, 3), dims(0, 1, 2)}, with(width), stored,
                       [&](ImplicitLocOpBuilder &in, ValueRange x) -> Value {
                         Value zero = number(in, 0);
                         Value isEmpty = arith::CmpFOp::create(in, arith::CmpFPredicate::OEQ, x[1], zero);
                         Value result =
                             arith::SelectOp::create(in, isEmpty, zero, arith::DivFOp::create(in, x[0], x[1]));
                         return stored == compute ? result : arith::TruncFOp::create(in, stored, result).getResult();
                       });
  }

  Value logSumExp(Value largest, Value sum) {
    auto body = [&](ImplicitLocOpBuilder &in, ValueRange x) -> Value {
      Value isEmpty = arith::CmpFOp::create(in, arith::CmpFPredicate::OEQ, x[1], number(in, 0));
      Value known = arith::AddFOp::create(in, x[0], math::LogOp::create(in, x[1]));
      return arith::SelectOp::create(in, isEmpty, number(in, -std::numeric_limits<double>::infinity()), known);
    };
    return generic({largest, sum}, {dims(0, 1, 2), dims(0, 1, 2)}, 3, {0, 1, 2},
                   tensor::EmptyOp::create(b, rows, compute), body);
  }

  /// A mask broadcasts to [b, h, i, j]: missing dimensions and sizes of 1 are read at 0.
  SmallVector<AffineExpr> maskRead(RankedTensorType mask) {
    Sizes all = with(keys);
    SmallVector<AffineExpr> read;
    for (int64_t dimension = 4 - mask.getRank(); dimension < 4; ++dimension) {
      bool repeats = mask.getDimSize(dimension - (4 - mask.getRank())) == 1 && !isConstantIntValue(all[dimension], 1);
      read.push_back(repeats ? b.getAffineConstantExpr(0) : b.getAffineDimExpr(dimension));
    }
    return read;
  }

  Value scaleValue() {
    if (std::optional<APFloat> scale = op.getScale())
      return number(b, scale->convertToDouble());
    int64_t size = typeOf(op.getQuery()).getDimSize(3);
    if (!ShapedType::isDynamic(size))
      return number(b, 1 / std::sqrt(double(size)));
    Value length = arith::IndexCastOp::create(b, b.getI64Type(), tensor::DimOp::create(b, op.getQuery(), 3));
    Value root = math::SqrtOp::create(b, arith::SIToFPOp::create(b, compute, length).getResult());
    return arith::DivFOp::create(b, number(b, 1), root);
  }
  static Value index(ImplicitLocOpBuilder &in, OpFoldResult size) {
    if (auto value = dyn_cast<Value>(size))
      return value;
    return arith::ConstantIndexOp::create(in, *getConstantIntValue(size));
  }

  AttentionOp op;
  ImplicitLocOpBuilder &b;
  int64_t group;
  FloatType stored, compute;
  Sizes rows;
  OpFoldResult keys, width;
  Value key, value; ///< [b, heads, key, width]
};
} // namespace

static LogicalResult expand(AttentionOp op) {
  int64_t heads = cast<RankedTensorType>(op.getQuery().getType()).getDimSize(1);
  int64_t shared = cast<RankedTensorType>(op.getKey().getType()).getDimSize(1);
  if (ShapedType::isDynamic(heads) || ShapedType::isDynamic(shared))
    return op.emitOpError("has ") << op.getQuery().getType() << " and " << op.getKey().getType()
                                  << ": the numbers of heads have to be static, the second dimension of both types";
  ImplicitLocOpBuilder b(op.getLoc(), op);
  op->replaceAllUsesWith(Expansion(op, b, shared == 0 ? 1 : heads / shared).run());
  op.erase();
  return success();
}

static void expand(PackValuesOp op) {
  ImplicitLocOpBuilder b(op.getLoc(), op);
  auto type = cast<RankedTensorType>(op.getType());
  Value value = op.getValue(), keys = tensor::DimOp::create(b, value, 2), one = arith::ConstantIndexOp::create(b, 1);
  SmallVector<OpFoldResult> from = tensor::getMixedSizes(b, b.getLoc(), value);
  OpFoldResult places =
      affine::makeComposedFoldedAffineApply(b, b.getLoc(), b.getAffineSymbolExpr(0).ceilDiv(16) * 16, {from[2]});
  Value empty = tensor::EmptyOp::create(b, {from[0], from[1], from[3], places}, type.getElementType());
  Value zero = arith::ConstantOp::create(b, b.getFloatAttr(type.getElementType(), 0));
  auto generic = linalg::GenericOp::create(
      b, type, ValueRange(), empty, b.getMultiDimIdentityMap(4),
      SmallVector<utils::IteratorType>(4, utils::IteratorType::parallel),
      [&](OpBuilder &inner, Location location, ValueRange) {
        ImplicitLocOpBuilder in(location, inner);
        SmallVector<Value> at;
        for (int64_t dimension : {0, 1, 3, 2})
          at.push_back(linalg::IndexOp::create(in, dimension));
        at[2] = affine::makeComposedAffineApply(in, location, keyAt(in.getAffineDimExpr(0)), {at[2]});
        Value isKey = arith::CmpIOp::create(in, arith::CmpIPredicate::slt, at[2], keys);
        at[2] = arith::MinSIOp::create(in, at[2], arith::SubIOp::create(in, keys, one));
        Value element = tensor::ExtractOp::create(in, value, at);
        linalg::YieldOp::create(in, arith::SelectOp::create(in, isKey, element, zero).getResult());
      });
  op.replaceAllUsesWith(generic.getResult(0));
  op.erase();
}

namespace {
struct ExpandAttention : tenon::impl::ExpandAttentionPassBase<ExpandAttention> {
  void runOnOperation() override {
    SmallVector<AttentionOp> ops;
    getOperation()->walk([&](AttentionOp op) {
      if (op->getParentOfType<KernelOp>() || op->getParentOfType<func::FuncOp>()->hasAttr("tenon.kernel"))
        ops.push_back(op);
    });
    for (AttentionOp op : ops)
      if (failed(expand(op)))
        return signalPassFailure();
    SmallVector<PackValuesOp> packings;
    getOperation()->walk([&](PackValuesOp op) { packings.push_back(op); });
    for (PackValuesOp op : packings)
      expand(op);
  }
};
} // namespace
