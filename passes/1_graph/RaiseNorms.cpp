// Layer norm and rms norm taken apart read their input three or four times, and compute in the storage type what the op
// computes in f32. The forms differ in where the root stands (rsqrt, 1 / sqrt, x / sqrt, ^-0.5), in how a mean is
// written and in which operand of a product comes first; epsilon is always added to the variance, which is what the op
// does.
#include "dialects/Tenon/ConstantValues.h"
#include "passes/1_graph/Passes.h"
#include "passes/1_graph/RowForms.h"

#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Remarks.h"

namespace tenon {
#define GEN_PASS_DEF_RAISENORMSPASS
#include "passes/1_graph/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static constexpr StringLiteral category = "tenon-raise-norms";

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

static void miss(Operation *op, const Twine &reason) {
  remark::missed(op->getLoc(), remark::RemarkOpts::name("norm").category(category)) << reason.str();
}

namespace {
/// x / sqrt(s + epsilon): the numerator and what is under the root.
struct Scaled {
  Value numerator, variance;
  double epsilon = 0;
};
struct NormForm {
  Value input;
  int64_t dims;
  double epsilon;
  bool centred; // layer norm, else rms norm
};
} // namespace

/// s + epsilon, or s alone.
static void matchVariance(Value value, Scaled &scaled, FormOps &form) {
  scaled.variance = value;
  auto add = value.getDefiningOp<AddOp>();
  std::optional<double> epsilon = add ? floatSplat(add.getRhs()) : std::nullopt;
  if (!epsilon || !(*epsilon >= 0) || add.getLhs().getType() != add.getType())
    return;
  form.add(add);
  scaled.variance = add.getLhs();
  scaled.epsilon = *epsilon;
}

/// 1 / sqrt(v): what is under the root; null where it is none.
static Value underInverseRoot(Value value, FormOps &form) {
  Operation *op = value.getDefiningOp();
  if (auto rsqrt = dyn_cast_or_null<RsqrtOp>(op)) {
    form.add(op);
    return rsqrt.getInput();
  }
  if (auto pow = dyn_cast_or_null<PowOp>(op); pow && isSplat(pow.getRhs(), -0.5)) {
    form.add(op);
    return pow.getLhs();
  }
  Value divisor;
  if (auto reciprocal = dyn_cast_or_null<ReciprocalOp>(op))
    divisor = reciprocal.getInput();
  else if (auto div = dyn_cast_or_null<DivOp>(op); div && isSplat(div.getLhs(), 1))
    divisor = div.getRhs();
  auto sqrt = divisor ? divisor.getDefiningOp<SqrtOp>() : SqrtOp();
  if (!sqrt)
    return {};
  form.add(op);
  form.add(sqrt);
  return sqrt.getInput();
}

/// The quotients that `op` may be, each with the ops of its form.
static std::optional<Scaled> matchScaled(Operation *op, unsigned side, FormOps &form) {
  Scaled scaled;
  if (auto div = dyn_cast<DivOp>(op)) {
    auto sqrt = div.getRhs().getDefiningOp<SqrtOp>();
    auto pow = div.getRhs().getDefiningOp<PowOp>();
    if (side != 0 || (!sqrt && !(pow && isSplat(pow.getRhs(), 0.5))))
      return std::nullopt;
    form.add(div.getRhs().getDefiningOp());
    scaled.numerator = div.getLhs();
    matchVariance(sqrt ? sqrt.getInput() : pow.getLhs(), scaled, form);
    return scaled;
  }
  auto mul = dyn_cast<MulOp>(op);
  Value root = mul ? underInverseRoot(mul->getOperand(side), form) : Value();
  if (!root)
    return std::nullopt;
  scaled.numerator = mul->getOperand(1 - side);
  matchVariance(root, scaled, form);
  return scaled;
}

/// x - mean(x): the input and the axes.
static std::optional<RowStatistic> matchCentred(Value value, FormOps &form) {
  auto sub = value.getDefiningOp<SubOp>();
  std::optional<RowStatistic> mean = sub ? meanOf(sub.getRhs(), form) : std::nullopt;
  if (!mean || mean->input != sub.getLhs())
    return std::nullopt;
  form.add(sub);
  return mean;
}

/// mean(square(v)): v and the axes.
static std::optional<RowStatistic> matchMeanSquare(Value value, FormOps &form) {
  std::optional<RowStatistic> mean = meanOf(value, form);
  auto square = mean ? mean->input.getDefiningOp<SquareOp>() : SquareOp();
  if (!square)
    return std::nullopt;
  form.add(square);
  return RowStatistic{square.getInput(), mean->axes};
}

/// x / sqrt(mean(x^2) + epsilon) or, with c = x - mean(x), c / sqrt(mean(c^2) + epsilon).
static std::optional<NormForm> matchNorm(Operation *op, FormOps &form) {
  for (unsigned side : {0, 1}) {
    FormOps candidate;
    std::optional<Scaled> scaled = matchScaled(op, side, candidate);
    if (!scaled)
      continue;
    std::optional<RowStatistic> square = matchMeanSquare(scaled->variance, candidate);
    if (!square)
      continue;
    std::optional<int64_t> dims = innermost(square->axes, typeOf(square->input).getRank());
    FormOps centredForm = candidate;
    std::optional<RowStatistic> centred = matchCentred(scaled->numerator, centredForm);
    // The variance may centre x by ops of its own, equal to those of the numerator.
    std::optional<RowStatistic> inVariance = centred ? matchCentred(square->input, centredForm) : std::nullopt;
    if (centred && inVariance && inVariance->input == centred->input && inVariance->axes == centred->axes &&
        centred->axes == square->axes) {
      if (!dims)
        return miss(op, "no layer norm: its statistics are not over the innermost dimensions"), std::nullopt;
      form = centredForm;
      return NormForm{centred->input, *dims, scaled->epsilon, true};
    }
    if (square->input != scaled->numerator)
      continue;
    if (dims != 1)
      return miss(op, "no rms norm: its mean is not over the innermost dimension"), std::nullopt;
    form = candidate;
    return NormForm{scaled->numerator, 1, scaled->epsilon, false};
  }
  return std::nullopt;
}

static Operation *create(RewriterBase &rewriter, Location location, const NormForm &norm, Type type, Value input,
                         Value weight, Value bias) {
  FloatAttr epsilon = rewriter.getF64FloatAttr(norm.epsilon);
  if (norm.centred)
    return LayerNormOp::create(rewriter, location, type, input, weight, bias, rewriter.getI64IntegerAttr(norm.dims),
                               epsilon);
  return RmsNormOp::create(rewriter, location, type, input, weight, epsilon);
}

/// What an op of either kind says; none for another op.
static std::optional<NormForm> formOf(Operation *op) {
  if (auto norm = dyn_cast_or_null<LayerNormOp>(op))
    return NormForm{norm.getInput(), int64_t(norm.getNumDims()), norm.getEpsilon().convertToDouble(), true};
  if (auto norm = dyn_cast_or_null<RmsNormOp>(op))
    return NormForm{norm.getInput(), 1, norm.getEpsilon().convertToDouble(), false};
  return std::nullopt;
}
static Value weightOf(Operation *op) {
  auto layer = dyn_cast<LayerNormOp>(op);
  return layer ? layer.getWeight() : cast<RmsNormOp>(op).getWeight();
}
static Value biasOf(Operation *op) {
  auto layer = dyn_cast<LayerNormOp>(op);
  return layer ? layer.getBias() : Value();
}

/// Whether `value` is one number for each element of a row.
static bool spansRow(Value value, const NormForm &norm) {
  return typeOf(value).getShape() == typeOf(norm.input).getShape().take_back(norm.dims);
}

/// norm(x) * w -> norm(x) weight(w); norm(x) + b -> norm(x) bias(b), of layer norm.
static void raiseAffine(RewriterBase &rewriter, Operation *op) {
  for (auto [normed, other] :
       {std::pair(op->getOperand(0), op->getOperand(1)), std::pair(op->getOperand(1), op->getOperand(0))}) {
    Operation *inner = normed.getDefiningOp();
    std::optional<NormForm> norm = formOf(inner);
    bool isWeight = isa<MulOp>(op);
    if (!norm || normed.getType() != op->getResult(0).getType() || !spansRow(other, *norm) || biasOf(inner) ||
        (isWeight ? bool(weightOf(inner)) : !norm->centred))
      continue;
    if (!inner->hasOneUse()) {
      miss(op, Twine("not taken into the norm as its ") + (isWeight ? "weight" : "bias") + ": others read the norm");
      continue;
    }
    rewriter.setInsertionPoint(op);
    Value weight = isWeight ? other : weightOf(inner), bias = isWeight ? Value() : other;
    Location location = rewriter.getFusedLoc({inner->getLoc(), op->getLoc()});
    rewriter.replaceOp(op, create(rewriter, location, *norm, op->getResult(0).getType(), norm->input, weight, bias));
    return rewriter.eraseOp(inner);
  }
}

/// The 16-bit value that was widened to f32; null for another.
static Value narrow(Value value, Type element) {
  auto cast = value.getDefiningOp<CastOp>();
  return cast && elementOf(cast.getInput()) == element ? cast.getInput() : Value();
}

/// cast(norm(cast(x))) from 16 bits to f32 and back is norm(x): it computes in f32 and rounds once.
static void absorbCasts(RewriterBase &rewriter, CastOp op) {
  Operation *inner = op.getInput().getDefiningOp();
  std::optional<NormForm> norm = formOf(inner);
  Type element = elementOf(op.getResult());
  if (!norm || !inner->hasOneUse() || !elementOf(op.getInput()).isF32() || element.getIntOrFloatBitWidth() != 16)
    return;
  SmallVector<Value> narrowed;
  for (Value operand : {norm->input, weightOf(inner), biasOf(inner)}) {
    narrowed.push_back(operand ? narrow(operand, element) : Value());
    if (operand && !narrowed.back())
      return;
  }
  rewriter.setInsertionPoint(op);
  rewriter.replaceOp(op, create(rewriter, inner->getLoc(), *norm, op.getType(), narrowed[0], narrowed[1], narrowed[2]));
  rewriter.eraseOp(inner);
}

namespace {
struct RaiseNorms : tenon::impl::RaiseNormsPassBase<RaiseNorms> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    getOperation().walk([&](Operation *op) {
      FormOps form;
      std::optional<NormForm> norm = matchNorm(op, form);
      if (!norm)
        return;
      if (!form.areReadInsideOnly(op))
        return miss(op, "no norm: others read its mean, variance or root");
      if (norm->input.getType() != op->getResult(0).getType())
        return miss(op, "no norm: its mean or variance has another shape than its row");
      rewriter.setInsertionPoint(op);
      rewriter.replaceOp(
          op, create(rewriter, op->getLoc(), *norm, op->getResult(0).getType(), norm->input, Value(), Value()));
      form.eraseDead(rewriter, op);
    });
    // In this order: a cast between norm and weight goes first, one after the weight last.
    getOperation().walk([&](Operation *op) {
      if (auto cast = dyn_cast<CastOp>(op))
        absorbCasts(rewriter, cast);
      else if (isa<MulOp, AddOp>(op))
        raiseAffine(rewriter, op);
    });
  }
};
} // namespace
