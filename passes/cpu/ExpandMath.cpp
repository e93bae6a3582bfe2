// LLVM has no code for exponentials, logarithms and the like. Those of f32 become polynomials in vector registers
// (lib/Arithmetic); the rest are calls of the C library, one an element.
#include "lib/Arithmetic/Expansions.h"
#include "passes/cpu/Passes.h"

#include "mlir/Conversion/MathToLibm/MathToLibm.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace tenon {
#define GEN_PASS_DEF_CPUEXPANDMATHPASS
#include "passes/cpu/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

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
    populateMathExpansions(set);
    populateExtremumExpansions(set);
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
