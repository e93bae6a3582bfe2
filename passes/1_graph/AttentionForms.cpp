#include "passes/1_graph/AttentionForms.h"

#include "dialects/Tenon/ConstantValues.h"
#include "passes/1_graph/MaskForms.h"

#include <cmath>

using namespace mlir;
using namespace tenon;

static constexpr double infinity = std::numeric_limits<double>::infinity();

Value tenon::withoutScale(Value value, double &scale) {
  if (auto rounded = value.getDefiningOp<CastOp>(); rounded && elementOf(rounded.getInput()).isF32()) {
    double factor = 1;
    Value wide = withoutScale(rounded.getInput(), factor);
    auto widened = wide.getDefiningOp<CastOp>();
    if (wide == rounded.getInput() || !widened || widened.getInput().getType() != value.getType())
      return value;
    scale *= factor;
    return withoutScale(widened.getInput(), scale);
  }
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

bool tenon::absorbsScores(double fill, Type element) {
  if (fill == -infinity)
    return true;
  return fill < -(element.isF64() ? 1e300 : 1e30); // f16 has none: 65504 and a score are told apart
}

/// select(condition, scores, hidden) or its mirror image: the scores, with the condition taken down.
static Value withoutSelect(SelectOp op, RewriterBase &rewriter, AttentionParts &parts, const char *&reason) {
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
    parts.condition = mirrored ? inverted(rewriter, op.getCondition()) : op.getCondition();
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

bool tenon::matchScores(Value scores, RewriterBase &rewriter, AttentionParts &parts, const char *&reason) {
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
    if (auto tanh = dyn_cast_or_null<TanhOp>(op)) {
      // cap * tanh(scores / cap); what is behind it is relative to the cap.
      if (parts.softCap || !(parts.scale > 0) || !std::isfinite(parts.scale))
        return reason = "the scores go through tanh in another way than a soft cap", false;
      parts.softCap = parts.scale;
      scores = tanh.getInput();
      continue;
    }
    if (parts.softCap)
      return reason = "the scores that are capped are no product", false;
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
        if (auto tanh = dyn_cast_or_null<TanhOp>(producer)) {
          value = tanh.getInput();
          continue;
        }
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

SoftmaxOp tenon::softmaxOf(Value weights) {
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

Value tenon::scoresOf(SoftmaxOp softmax, Type element) {
  auto cast = softmax.getInput().getDefiningOp<CastOp>();
  return cast && elementOf(cast.getInput()) == element && softmax.getType().getElementType().isF32()
             ? cast.getInput()
             : softmax.getInput();
}
