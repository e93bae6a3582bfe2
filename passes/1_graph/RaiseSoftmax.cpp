// A softmax taken apart reads its input three times and writes two tensors as large as it. As one op it is one kernel,
// and between two products it is found as attention.
#include "passes/1_graph/Passes.h"
#include "passes/1_graph/RowForms.h"

#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Remarks.h"

namespace tenon {
#define GEN_PASS_DEF_RAISESOFTMAXPASS
#include "passes/1_graph/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static constexpr StringLiteral category = "tenon-raise-softmax";

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

static void miss(Operation *op, const Twine &reason) {
  remark::missed(op->getLoc(), remark::RemarkOpts::name("softmax").category(category)) << reason.str();
}

namespace {
/// exp(x - m) over its sum, or the logarithm of that, along one axis.
struct SoftmaxForm {
  Value input;
  int64_t axis;
};
} // namespace

/// x - max(x): the input and the axis.
static std::optional<SoftmaxForm> matchShifted(Value value, FormOps &form) {
  auto sub = value.getDefiningOp<SubOp>();
  std::optional<RowStatistic> maximum = sub ? maximumOf(sub.getRhs(), form) : std::nullopt;
  if (!maximum || maximum->input != sub.getLhs() || maximum->axes.size() != 1)
    return std::nullopt;
  form.add(sub);
  return SoftmaxForm{sub.getLhs(), maximum->axes.front()};
}

/// sum(exp(x - max(x))) along the same axis.
static std::optional<SoftmaxForm> matchSum(Value value, Value &exponentials, FormOps &form) {
  std::optional<RowStatistic> sum = sumOf(value, form);
  auto exp = sum ? sum->input.getDefiningOp<ExpOp>() : ExpOp();
  std::optional<SoftmaxForm> shifted = exp ? matchShifted(exp.getInput(), form) : std::nullopt;
  if (!shifted || sum->axes != SmallVector<int64_t>{shifted->axis})
    return std::nullopt;
  form.add(exp);
  exponentials = exp;
  return shifted;
}

/// e / sum(e), or e * (1 / sum(e)).
static std::optional<SoftmaxForm> matchSoftmax(Operation *op, FormOps &form) {
  Value exponentials;
  if (auto div = dyn_cast<DivOp>(op)) {
    std::optional<SoftmaxForm> sum = matchSum(div.getRhs(), exponentials, form);
    return sum && exponentials == div.getLhs() ? sum : std::nullopt;
  }
  auto mul = dyn_cast<MulOp>(op);
  for (auto [e, inverse] : {std::pair(0, 1), std::pair(1, 0)}) {
    auto reciprocal = mul ? mul->getOperand(inverse).getDefiningOp<ReciprocalOp>() : ReciprocalOp();
    std::optional<SoftmaxForm> sum = reciprocal ? matchSum(reciprocal.getInput(), exponentials, form) : std::nullopt;
    if (!sum || exponentials != mul->getOperand(e))
      continue;
    form.add(reciprocal);
    return sum;
  }
  return std::nullopt;
}

/// (x - m) - log(sum), or x - (log(sum) + m), with sum = sum(exp(x - m)).
static std::optional<SoftmaxForm> matchLogSoftmax(Operation *op, FormOps &form) {
  auto sub = dyn_cast<SubOp>(op);
  if (!sub)
    return std::nullopt;
  Value exponentials;
  if (auto log = sub.getRhs().getDefiningOp<LogOp>()) {
    std::optional<SoftmaxForm> sum = matchSum(log.getInput(), exponentials, form);
    if (!sum || exponentials.getDefiningOp<ExpOp>().getInput() != sub.getLhs())
      return std::nullopt;
    form.add(log);
    return sum;
  }
  auto add = sub.getRhs().getDefiningOp<AddOp>();
  for (auto [logSide, maxSide] : {std::pair(0, 1), std::pair(1, 0)}) {
    auto log = add ? add->getOperand(logSide).getDefiningOp<LogOp>() : LogOp();
    std::optional<SoftmaxForm> sum = log ? matchSum(log.getInput(), exponentials, form) : std::nullopt;
    std::optional<RowStatistic> maximum = sum ? maximumOf(add->getOperand(maxSide), form) : std::nullopt;
    if (!maximum || maximum->input != sum->input || maximum->axes != SmallVector<int64_t>{sum->axis} ||
        sub.getLhs() != sum->input)
      continue;
    form.add(log);
    form.add(add);
    return sum;
  }
  return std::nullopt;
}

template <typename OpT>
static void raise(RewriterBase &rewriter, Operation *op, const SoftmaxForm &softmax, FormOps &form) {
  if (!form.areReadInsideOnly(op))
    return miss(op, "no softmax: others read its exponentials, sum or maximum");
  if (softmax.input.getType() != op->getResult(0).getType())
    return miss(op, "no softmax: its maximum or sum has another shape than its row");
  rewriter.setInsertionPoint(op);
  rewriter.replaceOpWithNewOp<OpT>(op, op->getResult(0).getType(), softmax.input, softmax.axis);
  form.eraseDead(rewriter, op);
}

/// cast(softmax(cast(x))) from 16 bits to f32 and back is softmax(x): it computes in f32 and rounds once.
template <typename OpT>
static bool absorbCasts(RewriterBase &rewriter, CastOp op) {
  auto softmax = op.getInput().getDefiningOp<OpT>();
  auto widened = softmax ? softmax.getInput().template getDefiningOp<CastOp>() : CastOp();
  if (!widened || !softmax->hasOneUse() || widened.getInput().getType() != op.getType() ||
      !softmax.getType().getElementType().isF32() || typeOf(op.getResult()).getElementTypeBitWidth() != 16)
    return false;
  rewriter.setInsertionPoint(op);
  rewriter.replaceOpWithNewOp<OpT>(op, op.getType(), widened.getInput(), softmax.getAxis());
  return true;
}

namespace {
struct RaiseSoftmax : tenon::impl::RaiseSoftmaxPassBase<RaiseSoftmax> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    getOperation().walk([&](Operation *op) {
      FormOps form, logForm;
      if (std::optional<SoftmaxForm> softmax = matchSoftmax(op, form))
        raise<SoftmaxOp>(rewriter, op, *softmax, form);
      else if (std::optional<SoftmaxForm> softmax = matchLogSoftmax(op, logForm))
        raise<LogSoftmaxOp>(rewriter, op, *softmax, logForm);
    });
    getOperation().walk(
        [&](CastOp op) { (void)(absorbCasts<SoftmaxOp>(rewriter, op) || absorbCasts<LogSoftmaxOp>(rewriter, op)); });
  }
};
} // namespace
