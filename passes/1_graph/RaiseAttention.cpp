// Attention as exporters write it is two matmuls with scale, mask and softmax between them: the score matrix, seq by
// seq for each head, would be written and read four times. As one op it never exists. What a mask says of positions
// alone (causal, a window) becomes an attribute, so that no mask is read and hidden blocks are skipped.
//
// Where a row sees no key, the op gives 0; a softmax over nothing but -Inf gives NaN, for which exporters select 0.
#include "dialects/Tenon/ConstantValues.h"
#include "dialects/Tenon/Tenon.h"
#include "passes/1_graph/KnownSizes.h"
#include "passes/1_graph/MaskForms.h"
#include "passes/1_graph/Passes.h"

#include "mlir/IR/Remarks.h"

#include <cmath>

namespace tenon {
#define GEN_PASS_DEF_RAISEATTENTIONPASS
#include "passes/1_graph/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static constexpr StringLiteral category = "tenon-raise-attention";
static constexpr double infinity = std::numeric_limits<double>::infinity();

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

static void miss(Operation *op, const Twine &reason) {
  remark::missed(op->getLoc(), remark::RemarkOpts::name("attention").category(category)) << reason.str();
}

namespace {
/// softmax(scale * query key^T, with mask) value, as matched; `key` is [.., Sk, D].
struct Parts {
  Value query, key, value;
  bool keyIsTransposed = false;   // as it stands: [.., D, Sk]
  bool queryIsTransposed = false; // as it stands: [.., D, Sq]
  bool valueIsTransposed = false; // as it stands: [.., Dv, Sk]
  double scale = 1;
  Value added;     // float mask, added to the scaled scores
  Value condition; // boolean: visible where true
};
} // namespace

/// `value` without a factor that is one number, which goes into `scale`.
static Value withoutScale(Value value, double &scale) {
  if (auto mul = value.getDefiningOp<MulOp>())
    if (std::optional<double> factor = floatSplat(mul.getRhs()); factor && mul.getLhs().getType() == mul.getType()) {
      scale *= *factor;
      return withoutScale(mul.getLhs(), scale);
    }
  if (auto div = value.getDefiningOp<DivOp>())
    if (std::optional<double> divisor = floatSplat(div.getRhs()); divisor && div.getLhs().getType() == div.getType()) {
      scale /= *divisor;
      return withoutScale(div.getLhs(), scale);
    }
  return value;
}

/// Whether a number stands for "hidden" in this element type: any score added to it rounds back to it.
static bool absorbsScores(double fill, Type element) {
  if (fill == -infinity)
    return true;
  return fill < -(element.isF64() ? 1e300 : 1e30); // f16 has none: 65504 and a score are told apart
}

/// select(condition, scores, hidden) or its mirror image: the scores, with the condition taken down.
static Value withoutSelect(SelectOp op, RewriterBase &rewriter, Parts &parts, const char *&reason) {
  bool mirrored = floatSplat(op.getOnTrue()).has_value();
  Value scores = mirrored ? op.getOnFalse() : op.getOnTrue();
  std::optional<double> fill = floatSplat(mirrored ? op.getOnTrue() : op.getOnFalse());
  if (!fill || scores.getType() != op.getType())
    return reason = "a select between scores is no mask", Value();
  if (!absorbsScores(*fill, elementOf(scores)))
    return reason = "hidden scores become a number that is not far below all others", Value();
  if (parts.added || parts.condition)
    return reason = "there are two masks", Value();
  if (*fill == -infinity) {
    parts.condition = op.getCondition();
    if (mirrored)
      parts.condition = LogicalNotOp::create(rewriter, op.getLoc(), op.getCondition());
    return scores;
  }
  // A row that sees no key weighs all keys alike, as it does when the number is added: every sum rounds to it.
  auto scalar = RankedTensorType::get({}, elementOf(scores));
  Value zero = createSplat(rewriter, op.getLoc(), scalar, 0),
        hidden = createSplat(rewriter, op.getLoc(), scalar, *fill);
  parts.added =
      SelectOp::create(rewriter, op.getLoc(), op.getCondition(), mirrored ? hidden : zero, mirrored ? zero : hidden);
  return scores;
}

/// Follows scores up to their matmul. New ops, for masks, are made at the rewriter's place; they are dead where it
/// fails.
static bool matchScores(Value scores, RewriterBase &rewriter, Parts &parts, const char *&reason) {
  while (true) {
    scores = withoutScale(scores, parts.scale);
    Operation *op = scores.getDefiningOp();
    if (auto matmul = dyn_cast_or_null<MatmulOp>(op)) {
      if (!matmul->hasOneUse())
        return reason = "others read the scores", false;
      parts.query = withoutScale(matmul.getLhs(), parts.scale);
      parts.key = withoutScale(matmul.getRhs(), parts.scale);
      parts.queryIsTransposed = matmul.getTransposeA();
      parts.keyIsTransposed = !matmul.getTransposeB();
      return true;
    }
    if (!isa_and_nonnull<AddOp, SelectOp>(op))
      return reason = "the scores are no product", false;
    if (parts.scale != 1)
      return reason = "the scale is applied after the mask", false;
    if (auto select = dyn_cast<SelectOp>(op)) {
      scores = withoutSelect(select, rewriter, parts, reason);
      if (!scores)
        return false;
      continue;
    }
    // The product is the side that is not given from outside: the one that a matmul is behind.
    auto comesOfMatmul = [](Value value) {
      double ignored = 1;
      while (true) {
        value = withoutScale(value, ignored);
        Operation *producer = value.getDefiningOp();
        if (isa_and_nonnull<MatmulOp>(producer))
          return true;
        auto select = dyn_cast_or_null<SelectOp>(producer);
        if (!select)
          return false;
        value = floatSplat(select.getOnTrue()) ? select.getOnFalse() : select.getOnTrue();
      }
    };
    auto add = cast<AddOp>(op);
    bool left = comesOfMatmul(add.getLhs());
    Value mask = left ? add.getRhs() : add.getLhs(), product = left ? add.getLhs() : add.getRhs();
    if (left == comesOfMatmul(add.getRhs()) || product.getType() != add.getType())
      return reason = "what is added to the scores is no mask", false;
    if (parts.added || parts.condition)
      return reason = "there are two masks", false;
    parts.added = mask;
    scores = product;
  }
}

/// The softmax behind weights, through the select that gives 0 to rows that are all -Inf, and through casts around it.
static SoftmaxOp softmaxOf(Value weights) {
  if (auto cast = weights.getDefiningOp<CastOp>())
    weights = cast.getInput();
  if (auto select = weights.getDefiningOp<SelectOp>()) {
    // select(reduce_max(cast(scores != -Inf)) <= 0, 0, softmax(scores))
    auto softmax = select.getOnFalse().getDefiningOp<SoftmaxOp>();
    auto none = select.getCondition().getDefiningOp<CompareOp>();
    auto any = none ? none.getLhs().getDefiningOp<ReduceMaxOp>() : ReduceMaxOp();
    auto number = any ? any.getInput().getDefiningOp<CastOp>() : CastOp();
    auto finite = number ? number.getInput().getDefiningOp<CompareOp>() : CompareOp();
    bool matches = softmax && finite && isSplat(select.getOnTrue(), 0) &&
                   (none.getPredicate() == ComparePredicate::LE || none.getPredicate() == ComparePredicate::EQ) &&
                   isSplat(none.getRhs(), 0) && any.getAxes() == ArrayRef<int64_t>(softmax.getAxis()) &&
                   any.getKeepDims() && elementOf(number.getResult()).isInteger() &&
                   finite.getPredicate() == ComparePredicate::NE && isSplat(finite.getRhs(), -infinity) &&
                   finite.getLhs() == softmax.getInput();
    return matches ? softmax : SoftmaxOp();
  }
  return weights.getDefiningOp<SoftmaxOp>();
}

/// The scores that a softmax reads, before a cast to f32, in which attention computes them anyway.
static Value scoresOf(SoftmaxOp softmax, Type element) {
  auto cast = softmax.getInput().getDefiningOp<CastOp>();
  return cast && elementOf(cast.getInput()) == element && softmax.getType().getElementType().isF32()
             ? cast.getInput()
             : softmax.getInput();
}

namespace {
class Raiser {
public:
  explicit Raiser(func::FuncOp function) : sizes(function), rewriter(function.getContext(), &sizes) {}

  void raise(MatmulOp output);
  void shareHeads(AttentionOp op);
  void absorbScales(AttentionOp op);
  void refineMask(AttentionOp op);

private:
  Value swapped(Value value);
  Value withFourDimensions(Value value);
  Value withoutRepeats(Value value, int64_t &repeats);
  std::optional<int64_t> keysBeyondQueries(AttentionOp op) const;
  Value visibleWhere(AttentionOp op);

  KnownSizes sizes;
  IRRewriter rewriter;
};
} // namespace

/// The two innermost dimensions exchanged.
Value Raiser::swapped(Value value) {
  SmallVector<int64_t> permutation = llvm::to_vector(llvm::seq<int64_t>(typeOf(value).getRank()));
  std::swap(permutation[permutation.size() - 1], permutation[permutation.size() - 2]);
  return TransposeOp::create(rewriter, value.getLoc(), value, permutation);
}

/// [G, S, D] as one batch of G heads.
Value Raiser::withFourDimensions(Value value) {
  RankedTensorType type = typeOf(value);
  if (type.getRank() == 4)
    return value;
  SmallVector<int64_t> shape(type.getShape());
  shape.insert(shape.begin(), 1);
  SmallVector<Value> operands;
  if (type.getNumDynamicDims() > 1)
    for (int64_t d : llvm::seq<int64_t>(type.getRank()))
      if (type.isDynamicDim(d))
        operands.push_back(DimOp::create(rewriter, value.getLoc(), value, d));
  return ReshapeOp::create(rewriter, value.getLoc(), RankedTensorType::get(shape, type.getElementType()), value,
                           operands);
}

/// Keys or values before each head was repeated for the query heads that share it: reshape(expand(reshape(x))) of
/// [B, H, 1, S, D] to [B, H, repeats, S, D].
Value Raiser::withoutRepeats(Value value, int64_t &repeats) {
  repeats = 1;
  auto joined = value.getDefiningOp<ReshapeOp>();
  auto repeated = joined ? joined.getInput().getDefiningOp<ExpandOp>() : ExpandOp();
  auto apart = repeated ? repeated.getInput().getDefiningOp<ReshapeOp>() : ReshapeOp();
  if (!apart || apart.getType().getRank() != 5 || repeated.getType().getRank() != 5 ||
      typeOf(apart.getInput()).getRank() != 4 || typeOf(value).getRank() != 4)
    return value;
  Value heads = apart.getInput();
  int64_t times = repeated.getType().getDimSize(2), shared = typeOf(heads).getDimSize(1);
  bool fits = apart.getType().getDimSize(2) == 1 && !ShapedType::isDynamic(times) && !ShapedType::isDynamic(shared) &&
              typeOf(value).getDimSize(1) == shared * times;
  for (auto [four, five] : {std::pair(0, 0), std::pair(1, 1), std::pair(2, 3), std::pair(3, 4)})
    fits = fits && sizes.areEqual(heads, four, apart.getResult(), five) &&
           sizes.areEqual(heads, four, repeated.getResult(), five) &&
           (four == 1 || sizes.areEqual(heads, four, value, four));
  if (!fits)
    return value;
  repeats = times;
  return heads;
}

void Raiser::raise(MatmulOp output) {
  SoftmaxOp softmax = output.getTransposeA() ? SoftmaxOp() : softmaxOf(output.getLhs());
  int64_t rank = output.getType().getRank();
  if (!softmax || (rank != 3 && rank != 4) || softmax.getType().getRank() != rank ||
      int64_t(softmax.getAxis()) != rank - 1 || !output.getLhs().hasOneUse() || !softmax->hasOneUse())
    return softmax ? miss(output, "softmax and matmul are no attention: another axis, rank or reader") : void();
  Parts parts;
  const char *reason = nullptr;
  rewriter.setInsertionPoint(output);
  if (!matchScores(scoresOf(softmax, elementOf(output.getResult())), rewriter, parts, reason))
    return miss(output, Twine("softmax and matmul are no attention: ") + reason);
  parts.value = output.getRhs();
  parts.valueIsTransposed = output.getTransposeB();
  if (typeOf(parts.query).getRank() != rank || typeOf(parts.key).getRank() != rank ||
      typeOf(parts.value).getRank() != rank || elementOf(parts.query) != elementOf(output.getResult()) ||
      (parts.added && elementOf(parts.added) != elementOf(output.getResult())))
    return miss(output, "softmax and matmul are no attention: query, key and value differ in rank or element type");
  Value query = withFourDimensions(parts.queryIsTransposed ? swapped(parts.query) : parts.query);
  Value key = withFourDimensions(parts.keyIsTransposed ? swapped(parts.key) : parts.key);
  Value value = withFourDimensions(parts.valueIsTransposed ? swapped(parts.value) : parts.value);
  // swapped(swapped(x)), of a key that was transposed for the product.
  if (auto outer = key.getDefiningOp<TransposeOp>())
    if (auto inner = outer.getInput().getDefiningOp<TransposeOp>();
        inner && outer.getPermutation() == inner.getPermutation() && parts.keyIsTransposed)
      key = inner.getInput();
  int64_t heads = typeOf(query).getDimSize(1), shared = typeOf(key).getDimSize(1);
  bool sameBatch = typeOf(query).getDimSize(0) == typeOf(key).getDimSize(0) &&
                   typeOf(query).getDimSize(0) == typeOf(value).getDimSize(0);
  if (!sameBatch || shared != typeOf(value).getDimSize(1) || (heads != shared && (shared == 0 || heads % shared != 0)))
    return miss(output, "softmax and matmul are no attention: the batches or heads of query, key and value do not fit");
  if (ShapedType::isDynamic(shared) || ShapedType::isDynamic(heads))
    return miss(output, "softmax and matmul are no attention: the number of heads is known only at run time");
  Value mask = parts.added ? parts.added : parts.condition;
  Location location = rewriter.getFusedLoc({softmax.getLoc(), output.getLoc()});
  SmallVector<int64_t> shape(typeOf(query).getShape());
  shape.back() = typeOf(value).getShape().back();
  Value result = AttentionOp::create(rewriter, location, RankedTensorType::get(shape, elementOf(query)), query, key,
                                     value, mask, rewriter.getF64FloatAttr(parts.scale), false, nullptr);
  if (rank == 3) {
    SmallVector<Value> operands;
    for (int64_t d : llvm::seq<int64_t>(3))
      if (output.getType().getNumDynamicDims() > 1 && output.getType().isDynamicDim(d))
        operands.push_back(DimOp::create(rewriter, location, result, d + 1));
    result = ReshapeOp::create(rewriter, location, output.getType(), result, operands);
  }
  remark::passed(location, remark::RemarkOpts::name("attention").category(category)) << "attention raised";
  rewriter.replaceOp(output, result);
}

/// Reads keys and values as they were before they were repeated for the query heads that share them.
void Raiser::shareHeads(AttentionOp op) {
  int64_t keyRepeats, valueRepeats;
  Value key = withoutRepeats(op.getKey(), keyRepeats), value = withoutRepeats(op.getValue(), valueRepeats);
  if (keyRepeats != valueRepeats)
    return miss(op, "keys and values are repeated differently, so that the repeated ones are read");
  op.getKeyMutable().assign(key);
  op.getValueMutable().assign(value);
}

/// A factor that is one number, before the views through which attention alone reads query or key, goes into the scale.
void Raiser::absorbScales(AttentionOp op) {
  int64_t size = typeOf(op.getQuery()).getDimSize(3);
  if (!op.getScale() && ShapedType::isDynamic(size))
    return;
  double scale = op.getScale() ? op.getScale()->convertToDouble() : 1 / std::sqrt(double(size)), before = scale;
  for (Value value : {op.getQuery(), op.getKey()}) {
    while (value.hasOneUse() && isa_and_nonnull<ReshapeOp, TransposeOp>(value.getDefiningOp()))
      value = value.getDefiningOp()->getOperand(0);
    Value unscaled = value.hasOneUse() ? withoutScale(value, scale) : value;
    if (unscaled != value)
      rewriter.replaceOp(value.getDefiningOp(), unscaled);
  }
  if (scale != before)
    op.setScale(APFloat(scale));
}

/// How many more keys there are than queries, where that is one number.
std::optional<int64_t> Raiser::keysBeyondQueries(AttentionOp op) const {
  int64_t queries = typeOf(op.getQuery()).getDimSize(2), keys = typeOf(op.getKey()).getDimSize(2);
  if (!ShapedType::isDynamic(queries) && !ShapedType::isDynamic(keys))
    return keys - queries;
  return sizes.areEqual(op.getQuery(), 2, op.getKey(), 2) ? std::optional<int64_t>(0) : std::nullopt;
}

/// The boolean mask that a float one is: select(visible, 0.0, hidden). With a finite number for hidden only if every
/// row sees a key: a row that sees none would weigh all alike.
Value Raiser::visibleWhere(AttentionOp op) {
  Value mask = op.getMask();
  if (elementOf(mask).isInteger(1))
    return mask;
  auto select = mask.getDefiningOp<SelectOp>();
  if (!select)
    return {};
  bool mirrored = isSplat(select.getOnFalse(), 0) || isSplat(select.getOnFalse(), -0.0);
  Value zero = mirrored ? select.getOnFalse() : select.getOnTrue();
  std::optional<double> hidden = floatSplat(mirrored ? select.getOnTrue() : select.getOnFalse());
  if (!hidden || !(isSplat(zero, 0) || isSplat(zero, -0.0)) || !absorbsScores(*hidden, elementOf(mask)))
    return {};
  if (*hidden != -infinity) {
    std::optional<Band> band = mirrored ? std::nullopt : bandOf(select.getCondition());
    std::optional<int64_t> beyond = keysBeyondQueries(op);
    bool seesItself = band && band->most && !band->least && beyond && *beyond >= 0 && *band->most == *beyond;
    if (!seesItself)
      return {};
  }
  if (!mirrored)
    return select.getCondition();
  rewriter.setInsertionPoint(op);
  return LogicalNotOp::create(rewriter, op.getLoc(), select.getCondition());
}

/// What a mask says of positions alone becomes an attribute; a mask of what is left stays.
void Raiser::refineMask(AttentionOp op) {
  if (!op.getMask())
    return;
  Value visible = visibleWhere(op);
  if (!visible)
    return;
  std::optional<int64_t> beyond = keysBeyondQueries(op);
  SmallVector<Value> rest;
  for (Value condition : conditionsOf(visible)) {
    std::optional<Band> band = beyond ? bandOf(condition) : std::nullopt;
    bool isCausal = band && band->most && *band->most == *beyond;
    bool isWindow = band && band->least && !op.getWindow() && *beyond - *band->least + 1 >= 1;
    if (isCausal && !band->least)
      op.setCausal(true);
    else if (isWindow && !band->most)
      op.setWindow(*beyond - *band->least + 1);
    else
      rest.push_back(condition);
  }
  if (rest.empty())
    return op.getMaskMutable().clear();
  rewriter.setInsertionPoint(op);
  Value mask = rest.front();
  for (Value next : ArrayRef(rest).drop_front())
    mask = LogicalAndOp::create(rewriter, op.getLoc(), mask, next);
  op.getMaskMutable().assign(mask);
}

namespace {
struct RaiseAttention : tenon::impl::RaiseAttentionPassBase<RaiseAttention> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      Raiser raiser(function);
      // The output of each attention is its last op: what it replaces stands before it.
      function.walk([&](MatmulOp op) { raiser.raise(op); });
      function.walk([&](AttentionOp op) {
        raiser.shareHeads(op);
        raiser.absorbScales(op);
        raiser.refineMask(op);
      });
    }
  }
};
} // namespace
