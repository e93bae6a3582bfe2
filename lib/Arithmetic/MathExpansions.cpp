// Patterns that put polynomials (MathPolynomials.h) in the place of elementary functions of f32, and comparisons in
// that of maxima and minima.
#include "lib/Arithmetic/Expansions.h"
#include "lib/Arithmetic/MathPolynomials.h"

using namespace mlir;
using namespace tenon;

namespace {
/// An op on f32, or on vectors of it, by its polynomial.
template <typename OpT>
struct Expand : OpRewritePattern<OpT> {
  using Function = Value (*)(Lanes &, Value);
  Expand(MLIRContext *context, Function function) : OpRewritePattern<OpT>(context), function(function) {}

  LogicalResult matchAndRewrite(OpT op, PatternRewriter &rewriter) const override {
    if (!getElementTypeOrSelf(op.getType()).isF32())
      return rewriter.notifyMatchFailure(op, "is not of f32");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Lanes lanes(b, op.getType());
    rewriter.replaceOp(op, function(lanes, op.getOperand()));
    return success();
  }
  Function function;
};

/// Maxima and minima that keep NaN. The machine's instruction gives its second operand where one is NaN: with a number
/// there it is all; else a NaN among the elements is put back. Of zeros either may be taken, where LLVM would spend as
/// much again on their signs.
template <typename OpT, arith::CmpFPredicate wins>
struct ExpandExtremum : OpRewritePattern<OpT> {
  using OpRewritePattern<OpT>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpT op, PatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Lanes l(b, op.getType());
    // What a reduction accumulates is its left operand: the way from one turn to the next is the shorter one.
    Value first = op.getRhs(), second = op.getLhs();
    if (isNumber(second))
      std::swap(first, second);
    Value winner = l.select(l.compare(wins, first, second), first, second);
    rewriter.replaceOp(op, isNumber(first) ? winner : l.select(l.isNan(first), first, winner));
    return success();
  }

  static bool isNumber(Value value) {
    APFloat number(0.0);
    return matchPattern(value, m_ConstantFloat(&number)) && !number.isNaN();
  }
};
} // namespace

void tenon::populateMathExpansions(RewritePatternSet &patterns) {
  MLIRContext *context = patterns.getContext();
  patterns.add<Expand<math::ExpOp>>(context, &expPolynomial);
  patterns.add<Expand<math::Exp2Op>>(context, &exp2Polynomial);
  patterns.add<Expand<math::ExpM1Op>>(context, &expm1Polynomial);
  patterns.add<Expand<math::LogOp>>(context, &logPolynomial);
  patterns.add<Expand<math::Log2Op>>(context, &log2Polynomial);
  patterns.add<Expand<math::Log1pOp>>(context, &log1pPolynomial);
  patterns.add<Expand<math::TanhOp>>(context, &tanhPolynomial);
  patterns.add<Expand<math::ErfOp>>(context, &erfPolynomial);
  patterns.add<Expand<math::ErfcOp>>(context, &erfcPolynomial);
}

void tenon::populateExtremumExpansions(RewritePatternSet &patterns) {
  MLIRContext *context = patterns.getContext();
  patterns.add<ExpandExtremum<arith::MaximumFOp, arith::CmpFPredicate::OGT>,
               ExpandExtremum<arith::MinimumFOp, arith::CmpFPredicate::OLT>>(context);
}
