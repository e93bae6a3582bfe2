// LLVM has no code for exponentials, logarithms and the like. Those of f32 become polynomials in vector registers
// (MathPolynomials.h); the rest are calls of the C library, one an element.
#include "passes/cpu/MathPolynomials.h"
#include "passes/cpu/Passes.h"

#include "mlir/Conversion/MathToLibm/MathToLibm.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace tenon {
#define GEN_PASS_DEF_CPUEXPANDMATHPASS
#include "passes/cpu/Passes.h.inc"
} // namespace tenon

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

/// Calls for all that is no machine instruction.
static LogicalResult callLibrary(ModuleOp module) {
  ConversionTarget target(*module.getContext());
  target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
  target.addIllegalDialect<math::MathDialect>();
  // LLVM turns these into instructions or a few of them.
  target.addLegalOp<math::AbsFOp, math::AbsIOp, math::CeilOp, math::CopySignOp, math::FloorOp, math::FmaOp,
                    math::RoundEvenOp, math::SqrtOp, math::TruncOp>();
  RewritePatternSet patterns(module.getContext());
  populateMathToLibmConversionPatterns(patterns);
  return applyPartialConversion(module, target, std::move(patterns));
}

namespace {
struct ExpandMath : tenon::impl::CpuExpandMathPassBase<ExpandMath> {
  LogicalResult initialize(MLIRContext *context) override {
    RewritePatternSet set(context);
    set.add<Expand<math::ExpOp>>(context, &expPolynomial);
    set.add<Expand<math::Exp2Op>>(context, &exp2Polynomial);
    set.add<Expand<math::ExpM1Op>>(context, &expm1Polynomial);
    set.add<Expand<math::LogOp>>(context, &logPolynomial);
    set.add<Expand<math::Log2Op>>(context, &log2Polynomial);
    set.add<Expand<math::Log1pOp>>(context, &log1pPolynomial);
    set.add<Expand<math::TanhOp>>(context, &tanhPolynomial);
    set.add<Expand<math::ErfOp>>(context, &erfPolynomial);
    set.add<ExpandExtremum<arith::MaximumFOp, arith::CmpFPredicate::OGT>,
            ExpandExtremum<arith::MinimumFOp, arith::CmpFPredicate::OLT>>(context);
    patterns = std::move(set);
    return success();
  }

  void runOnOperation() override {
    getOperation()->walk([&](func::FuncOp function) { walkAndApplyPatterns(function, patterns); });
    if (failed(callLibrary(getOperation())))
      signalPassFailure();
  }

  FrozenRewritePatternSet patterns;
};
} // namespace
