// Phase llvm lowers op by op and says little about what it cannot: a tensor that no pass of phase cpu gave memory, or a
// kernel without a grid, would surface there without a name. Here it has one.
#include "dialects/Tenon/Tenon.h"
#include "passes/cpu/Passes.h"

namespace tenon {
#define GEN_PASS_DEF_VERIFYCPUPASS
#include "passes/cpu/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static LogicalResult verifyFunction(func::FuncOp function) {
  auto isTensor = [](Type type) { return isa<TensorType>(type); };
  WalkResult walked = function.walk([&](Operation *op) {
    if (llvm::none_of(op->getOperandTypes(), isTensor) && llvm::none_of(op->getResultTypes(), isTensor))
      return WalkResult::advance();
    op->emitOpError("is left on tensors in kernel @")
        << function.getSymName()
        << " after phase cpu; tenon-cpu-emit-vectors or tenon-cpu-lower-to-loops gives it loops";
    return WalkResult::interrupt();
  });
  if (walked.wasInterrupted())
    return failure();
  for (StringRef attribute : {"tenon.grid", "tenon.scratch_bytes"})
    if (function->hasAttr("tenon.kernel") && !function->getAttrOfType<AffineMapAttr>(attribute))
      return function.emitError("kernel @") << function.getSymName() << " has no `" << attribute
                                            << "`, an affine map of its dims; the pass that makes its loops sets it";
  return success();
}

/// What the host does without a launch: names, views, and numbers that are sizes.
static bool isHostWork(Operation &op) {
  return isa<WeightOp, ConstantOp, ReshapeOp>(op) || op.hasTrait<OpTrait::IsTerminator>() ||
         llvm::all_of(op.getResultTypes(), [](Type type) {
           auto tensor = dyn_cast<RankedTensorType>(type);
           return tensor && tensor.getRank() == 0 && tensor.getElementType().isInteger();
         });
}

static LogicalResult verifyMain(func::FuncOp main) {
  for (Operation &op : main.getBody().getOps()) {
    if (auto kernel = dyn_cast<KernelOp>(op))
      return kernel.emitOpError("@") << kernel.getKernelName()
                                     << " is left in place after phase cpu; tenon-cpu-outline-kernels "
                                        "makes a launch of it";
    if (!isa<LaunchOp>(op) && !isHostWork(op))
      return op.emitOpError("is in @main after phase cpu, expected weights, constants, reshapes, sizes and launches; "
                            "phase kernel puts it into a kernel");
  }
  return success();
}

static LogicalResult verifyCpu(ModuleOp module) {
  if (auto main = module.lookupSymbol<func::FuncOp>("main"); main && failed(verifyMain(main)))
    return failure();
  auto kernels = module.lookupSymbol<ModuleOp>("kernels");
  if (!kernels)
    return success();
  for (auto function : kernels.getOps<func::FuncOp>())
    if (failed(verifyFunction(function)))
      return failure();
  return success();
}

namespace {
struct VerifyCpu : tenon::impl::VerifyCpuPassBase<VerifyCpu> {
  void runOnOperation() override {
    if (failed(verifyCpu(getOperation())))
      signalPassFailure();
    markAllAnalysesPreserved();
  }
};
} // namespace
