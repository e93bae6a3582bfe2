// Code generation translates @kernels as it is and the launch plan reads attributes: whatever a pass of this phase left
// undone would surface there without a name. Here it has one.
#include "dialects/Tenon/Tenon.h"
#include "passes/cpu/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace tenon {
#define GEN_PASS_DEF_VERIFYCPUPASS
#include "passes/cpu/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static LogicalResult verifyKernels(ModuleOp kernels) {
  WalkResult walked =
      kernels.walk(
          [&](Operation *op) {
            if (op == kernels.getOperation() || isa_and_nonnull<LLVM::LLVMDialect>(op->getDialect()))
              return WalkResult::advance();
            auto function = op->getParentOfType<LLVM::LLVMFuncOp>();
            op->emitOpError("is left in ")
                << (function ? "kernel @" + function.getSymName() : StringRef("module @kernels")).str()
                << " after phase cpu; only the llvm dialect has a translation, add a lowering to "
                   "passes/cpu";
            return WalkResult::interrupt();
          });
  if (walked.wasInterrupted())
    return failure();
  for (auto function : kernels.getOps<LLVM::LLVMFuncOp>()) {
    if (function.isExternal() || function.getLinkage() != LLVM::Linkage::External)
      continue;
    for (StringRef attribute : {"tenon.grid", "tenon.scratch_bytes"})
      if (!function->getAttrOfType<AffineMapAttr>(attribute))
        return function.emitError("kernel @") << function.getSymName() << " has no `" << attribute
                                              << "`, an affine map of its dims; the pass that makes its loops sets it";
  }
  return success();
}

static LogicalResult verifyCpu(ModuleOp module) {
  for (auto function : module.getOps<func::FuncOp>()) {
    WalkResult walked = function.walk([](KernelOp kernel) {
      kernel.emitOpError("@") << kernel.getKernelName()
                              << " is left in place after phase cpu; tenon-cpu-outline-kernels "
                                 "makes a launch of it";
      return WalkResult::interrupt();
    });
    if (walked.wasInterrupted())
      return failure();
  }
  auto kernels = module.lookupSymbol<ModuleOp>("kernels");
  return kernels ? verifyKernels(kernels) : success();
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
