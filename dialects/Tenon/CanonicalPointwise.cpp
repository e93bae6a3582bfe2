// One way to write each pointwise form, so that whoever looks for one has one to look for. The rewrites are exact: each
// gives the same float for every float.
#include "dialects/Tenon/CanonicalPatterns.h"
#include "dialects/Tenon/ConstantValues.h"
#include "dialects/Tenon/Tenon.h"

#include <cmath>

using namespace mlir;

namespace tenon {

static bool isConstant(Value value) { return value.getDefiningOp<ConstantOp>() != nullptr; }
static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

ComparePredicate swapped(ComparePredicate predicate) {
  switch (predicate) {
  case ComparePredicate::EQ:
  case ComparePredicate::NE:
    return predicate;
  case ComparePredicate::LT:
    return ComparePredicate::GT;
  case ComparePredicate::LE:
    return ComparePredicate::GE;
  case ComparePredicate::GT:
    return ComparePredicate::LT;
  case ComparePredicate::GE:
    return ComparePredicate::LE;
  }
  llvm_unreachable("all predicates are handled");
}

ComparePredicate inverse(ComparePredicate predicate) {
  switch (predicate) {
  case ComparePredicate::EQ:
    return ComparePredicate::NE;
  case ComparePredicate::NE:
    return ComparePredicate::EQ;
  case ComparePredicate::LT:
    return ComparePredicate::GE;
  case ComparePredicate::LE:
    return ComparePredicate::GT;
  case ComparePredicate::GT:
    return ComparePredicate::LE;
  case ComparePredicate::GE:
    return ComparePredicate::LT;
  }
  llvm_unreachable("all predicates are handled");
}

namespace {
/// c + x -> x + c.
template <typename OpT>
struct ConstantOnTheRight : OpRewritePattern<OpT> {
  using OpRewritePattern<OpT>::OpRewritePattern;
  LogicalResult matchAndRewrite(OpT op, PatternRewriter &rewriter) const override {
    if (!isConstant(op.getLhs()) || isConstant(op.getRhs()))
      return rewriter.notifyMatchFailure(op, "the left operand is no constant, or both are");
    rewriter.replaceOpWithNewOp<OpT>(op, op.getType(), op.getRhs(), op.getLhs());
    return success();
  }
};

/// The least value that every element of an integer tensor has at least.
std::optional<int64_t> leastOf(Value value) {
  if (std::optional<int64_t> known = integerSplat(value))
    return known;
  Operation *op = value.getDefiningOp();
  if (isa_and_nonnull<ReshapeOp, ExpandOp, TransposeOp, SliceOp>(op))
    return leastOf(op->getOperand(0));
  if (isa_and_nonnull<DimOp>(op))
    return 0;
  auto iota = dyn_cast_or_null<IotaOp>(op);
  if (!iota || !typeOf(value).getElementType().isInteger() || !(iota.getStep().convertToDouble() >= 0))
    return std::nullopt;
  double start = iota.getStart().convertToDouble();
  return std::fabs(start) < 0x1p53 ? std::optional(int64_t(std::trunc(start))) : std::nullopt;
}

bool compares(ComparePredicate predicate, int64_t a, int64_t b) {
  switch (predicate) {
  case ComparePredicate::EQ:
    return a == b;
  case ComparePredicate::NE:
    return a != b;
  case ComparePredicate::LT:
    return a < b;
  case ComparePredicate::LE:
    return a <= b;
  case ComparePredicate::GT:
    return a > b;
  case ComparePredicate::GE:
    return a >= b;
  }
  llvm_unreachable("all predicates are handled");
}

/// Positions along a dimension of one element are the first of them.
struct SinglePosition : OpRewritePattern<IotaOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(IotaOp op, PatternRewriter &rewriter) const override {
    double start = op.getStart().convertToDouble();
    if (!op.getType().hasStaticShape() || op.getType().getDimSize(op.getAxis()) != 1 || start != std::trunc(start))
      return rewriter.notifyMatchFailure(op, "there are several, or the first is no whole number");
    rewriter.replaceOp(op, createSplat(rewriter, op.getLoc(), op.getType(), start));
    return success();
  }
};

/// c < x -> x > c; one number against one number, and iota >= 0, are the same everywhere.
struct CanonicalCompare : OpRewritePattern<CompareOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(CompareOp op, PatternRewriter &rewriter) const override {
    if (isConstant(op.getLhs()) && !isConstant(op.getRhs())) {
      rewriter.replaceOpWithNewOp<CompareOp>(op, op.getType(), op.getRhs(), op.getLhs(), swapped(op.getPredicate()));
      return success();
    }
    std::optional<int64_t> bound = integerSplat(op.getRhs()), number = integerSplat(op.getLhs());
    std::optional<bool> answer;
    if (bound && number)
      answer = compares(op.getPredicate(), *number, *bound);
    else if (std::optional<int64_t> least = bound ? leastOf(op.getLhs()) : std::nullopt;
             least && ((op.getPredicate() == ComparePredicate::GE && *least >= *bound) ||
                       (op.getPredicate() == ComparePredicate::GT && *least > *bound)))
      answer = true;
    if (!answer)
      return rewriter.notifyMatchFailure(op, "not known to be the same everywhere");
    Value same = createSplat(rewriter, op.getLoc(), RankedTensorType::get({}, rewriter.getI1Type()), *answer);
    rewriter.replaceOp(op, createExpand(rewriter, op.getLoc(), same, typeOf(op), op->getOperands()));
    return success();
  }
};

/// not (a == b) -> a != b; of integers any comparison: a float may be NaN, for which both are false.
struct InvertedCompare : OpRewritePattern<LogicalNotOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(LogicalNotOp op, PatternRewriter &rewriter) const override {
    auto compare = op.getInput().getDefiningOp<CompareOp>();
    if (!compare)
      return rewriter.notifyMatchFailure(op, "inverts no comparison");
    bool equality = compare.getPredicate() == ComparePredicate::EQ || compare.getPredicate() == ComparePredicate::NE;
    if (!equality && !elementOf(compare.getLhs()).isInteger())
      return rewriter.notifyMatchFailure(op, "floats may be unordered");
    rewriter.replaceOpWithNewOp<CompareOp>(op, op.getType(), compare.getLhs(), compare.getRhs(),
                                           inverse(compare.getPredicate()));
    return success();
  }
};

/// select(not c, a, b) -> select(c, b, a).
struct SelectOfNot : OpRewritePattern<SelectOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(SelectOp op, PatternRewriter &rewriter) const override {
    auto inverted = op.getCondition().getDefiningOp<LogicalNotOp>();
    if (!inverted)
      return rewriter.notifyMatchFailure(op, "the condition is not inverted");
    rewriter.replaceOpWithNewOp<SelectOp>(op, op.getType(), inverted.getInput(), op.getOnFalse(), op.getOnTrue());
    return success();
  }
};

/// x + -y -> x - y.
struct AddOfNeg : OpRewritePattern<AddOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(AddOp op, PatternRewriter &rewriter) const override {
    for (auto [kept, other] : {std::pair(op.getLhs(), op.getRhs()), std::pair(op.getRhs(), op.getLhs())})
      if (auto neg = other.getDefiningOp<NegOp>()) {
        rewriter.replaceOpWithNewOp<SubOp>(op, op.getType(), kept, neg.getInput());
        return success();
      }
    return rewriter.notifyMatchFailure(op, "adds no negation");
  }
};

/// x - c -> x + -c; x - -y -> x + y.
struct SubAsAdd : OpRewritePattern<SubOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(SubOp op, PatternRewriter &rewriter) const override {
    if (auto neg = op.getRhs().getDefiningOp<NegOp>()) {
      rewriter.replaceOpWithNewOp<AddOp>(op, op.getType(), op.getLhs(), neg.getInput());
      return success();
    }
    std::optional<double> number = floatSplat(op.getRhs());
    if (!number || !isConstant(op.getRhs()) || isConstant(op.getLhs()))
      return rewriter.notifyMatchFailure(op, "subtracts no float constant");
    Value negated = createSplat(rewriter, op.getLoc(), typeOf(op.getRhs()), -*number);
    rewriter.replaceOpWithNewOp<AddOp>(op, op.getType(), op.getLhs(), negated);
    return success();
  }
};

/// x / c -> x * (1 / c) where c is a power of two whose inverse is normal: then both round the same real number.
struct DivAsMul : OpRewritePattern<DivOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(DivOp op, PatternRewriter &rewriter) const override {
    auto splat = op.getRhs().getDefiningOp<ConstantOp>();
    auto value = splat ? dyn_cast<SplatElementsAttr>(splat.getValue()) : SplatElementsAttr();
    if (!value || !isa<FloatType>(value.getElementType()) || isConstant(op.getLhs()))
      return rewriter.notifyMatchFailure(op, "divides by no float constant");
    APFloat inverse(0.0);
    if (!value.getSplatValue<APFloat>().getExactInverse(&inverse))
      return rewriter.notifyMatchFailure(op, "the divisor has no exact inverse");
    Value factor = createSplat(rewriter, op.getLoc(), typeOf(op.getRhs()), inverse.convertToDouble());
    rewriter.replaceOpWithNewOp<MulOp>(op, op.getType(), op.getLhs(), factor);
    return success();
  }
};

/// x * x -> square(x).
struct MulAsSquare : OpRewritePattern<MulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(MulOp op, PatternRewriter &rewriter) const override {
    if (op.getLhs() != op.getRhs())
      return rewriter.notifyMatchFailure(op, "the factors differ");
    rewriter.replaceOpWithNewOp<SquareOp>(op, op.getType(), op.getLhs());
    return success();
  }
};

/// x^2 -> square(x), x^-1 -> reciprocal(x). Not x^0.5: sqrt(-0.0) is -0.0, and of -Inf NaN.
struct PowOfConstant : OpRewritePattern<PowOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(PowOp op, PatternRewriter &rewriter) const override {
    if (op.getLhs().getType() != op.getType())
      return rewriter.notifyMatchFailure(op, "the exponent broadcasts the base");
    if (isSplat(op.getRhs(), 2))
      rewriter.replaceOpWithNewOp<SquareOp>(op, op.getType(), op.getLhs());
    else if (isSplat(op.getRhs(), -1))
      rewriter.replaceOpWithNewOp<ReciprocalOp>(op, op.getType(), op.getLhs());
    else
      return rewriter.notifyMatchFailure(op, "the exponent is neither 2 nor -1");
    return success();
  }
};
} // namespace

void addPointwisePatterns(RewritePatternSet &patterns) {
  patterns.add<ConstantOnTheRight<AddOp>, ConstantOnTheRight<MulOp>, ConstantOnTheRight<MaxOp>,
               ConstantOnTheRight<MinOp>, ConstantOnTheRight<LogicalAndOp>, ConstantOnTheRight<LogicalOrOp>,
               ConstantOnTheRight<LogicalXorOp>, CanonicalCompare, InvertedCompare, SelectOfNot, AddOfNeg, SubAsAdd,
               DivAsMul, MulAsSquare, PowOfConstant, SinglePosition>(patterns.getContext());
}

} // namespace tenon
