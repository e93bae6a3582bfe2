#include "passes/5_thread/ScalarExpansions.h"

#include "lib/Arithmetic/Expansions.h"

#include "mlir/Conversion/GPUToNVVM/GPUToNVVMPass.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

using namespace mlir;

LogicalResult tenon::expandScalars(LLVM::LLVMFuncOp function) {
  MLIRContext *context = function.getContext();
  RewritePatternSet expansions(context);
  populateConversionExpansions(expansions);
  populateMathExpansions(expansions);
  walkAndApplyPatterns(function, FrozenRewritePatternSet(std::move(expansions)));

  ConversionTarget target(*context);
  target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
  target.addIllegalDialect<math::MathDialect>();
  target.addIllegalOp<arith::RemFOp>();
  // Instructions.
  target.addLegalOp<math::AbsFOp, math::AbsIOp, math::CeilOp, math::CopySignOp, math::FloorOp, math::FmaOp,
                    math::RoundEvenOp, math::SqrtOp, math::TruncOp>();
  LLVMTypeConverter converter(context);
  RewritePatternSet calls(context);
  populateLibDeviceConversionPatterns(converter, calls);
  return applyPartialConversion(function, target, std::move(calls));
}
