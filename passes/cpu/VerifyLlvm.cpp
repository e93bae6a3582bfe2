// Code generation translates @kernels as it is and the launch plan reads attributes: whatever a pass left undone would
// surface there without a name. Here it has one.
#include "passes/cpu/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"

namespace tenon {
#define GEN_PASS_DEF_VERIFYLLVMPASS
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
                << " after phase llvm; only the llvm dialect has a translation, add a lowering to "
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

namespace {
struct VerifyLlvm : tenon::impl::VerifyLlvmPassBase<VerifyLlvm> {
  void runOnOperation() override {
    auto kernels = getOperation().lookupSymbol<ModuleOp>("kernels");
    if (kernels && failed(verifyKernels(kernels)))
      signalPassFailure();
    markAllAnalysesPreserved();
  }
};
} // namespace
