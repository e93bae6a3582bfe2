// Inside a kernel the ops still say what a model means; the targets want loops. Afterwards a kernel holds structured
// loops on tensors (linalg, tensor, arith, math, scf for scans) and tenon.attention, which each target expands itself.
// One walk is enough: no lowering builds an op of the tenon dialect.
#include "passes/2_kernel/Lowering.h"
#include "passes/2_kernel/Passes.h"

#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace tenon {
#define GEN_PASS_DEF_LOWERTOLINALGPASS
#include "passes/2_kernel/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

namespace {
struct LowerToLinalg : tenon::impl::LowerToLinalgPassBase<LowerToLinalg> {
  LogicalResult initialize(MLIRContext *context) override {
    RewritePatternSet set(context);
    populateContractionLowerings(set);
    populateIndexLowerings(set);
    populatePointwiseLowerings(set);
    populateQuantisationLowerings(set);
    populateReductionLowerings(set);
    populateRowLowerings(set);
    populateShapeLowerings(set);
    populateWindowLowerings(set);
    patterns = std::move(set);
    return success();
  }

  void runOnOperation() override {
    walkAndApplyPatterns(getOperation(), patterns);
    WalkResult left = getOperation()->walk([](Operation *op) {
      if (!isa_and_nonnull<TenonDialect>(op->getDialect()) ||
          isa<KernelOp, YieldOp, AttentionOp, AttentionPartsOp, PackValuesOp>(op) || !op->getParentOfType<KernelOp>())
        return WalkResult::advance();
      op->emitOpError("has no lowering to linalg inside kernel @")
          << op->getParentOfType<KernelOp>().getKernelName() << "; add one to passes/2_kernel";
      return WalkResult::interrupt();
    });
    if (left.wasInterrupted())
      signalPassFailure();
  }

  FrozenRewritePatternSet patterns;
};
} // namespace
