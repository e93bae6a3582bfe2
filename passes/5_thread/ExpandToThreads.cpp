// Programs on tiles with layouts become functions that one thread runs: ThreadEmitter.h says how.
#include "lib/Analysis/GpuOfModule.h"
#include "passes/5_thread/Passes.h"
#include "passes/5_thread/ThreadEmitter.h"

#include "dialects/Ptx/Ptx.h"
#include "lib/Arithmetic/Expansions.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace tenon {
#define GEN_PASS_DEF_EXPANDTOTHREADSPASS
#include "passes/5_thread/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

namespace {
struct ExpandToThreads : tenon::impl::ExpandToThreadsPassBase<ExpandToThreads> {
  LogicalResult initialize(MLIRContext *context) override {
    RewritePatternSet set(context);
    populateConversionExpansions(set, /*hasBfloat=*/true);
    populateMathExpansions(set);
    expansions = std::move(set);
    return success();
  }

  using ExpandToThreadsPassBase::ExpandToThreadsPassBase;
  void runOnOperation() override {
    FailureOr<const GpuArch *> found = gpuNamed(getOperation(), arch);
    if (failed(found))
      return signalPassFailure();
    SmallVector<tile::KernelOp> kernels;
    getOperation()->walk([&](tile::KernelOp kernel) { kernels.push_back(kernel); });
    for (tile::KernelOp kernel : kernels) {
      if (!kernel->hasAttr("warp.schedule")) {
        kernel.emitOpError("has no `warp.schedule`; phase warp gives it one");
        return signalPassFailure();
      }
      ImplicitLocOpBuilder b(kernel.getLoc(), kernel);
      ThreadEmitter emitter(kernel, **found, b);
      if (failed(emitter.emit()))
        return signalPassFailure();
      walkAndApplyPatterns(emitter.getFunction(), expansions);
      kernel.erase();
    }
  }

  FrozenRewritePatternSet expansions;
};
} // namespace
