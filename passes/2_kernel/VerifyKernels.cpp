// The targets take for granted that @main is a list of launches over buffers, and that a kernel is loops on tensors. A
// pass that breaks this would be found only where some target stumbles over it; here the op itself is named.
#include "passes/2_kernel/KernelClosure.h"
#include "passes/2_kernel/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace tenon {
#define GEN_PASS_DEF_VERIFYKERNELSPASS
#include "passes/2_kernel/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static LogicalResult verifyInside(KernelOp kernel) {
  WalkResult walk = kernel.getBody().walk([&](Operation *op) -> WalkResult {
    if (isa<AttentionOp, AttentionPartsOp, PackValuesOp, YieldOp>(op) ||
        isa_and_nonnull<linalg::LinalgDialect, tensor::TensorDialect, arith::ArithDialect, math::MathDialect,
                        scf::SCFDialect, affine::AffineDialect>(op->getDialect()))
      return WalkResult::advance();
    return op->emitOpError("is inside kernel @")
           << kernel.getKernelName()
           << " after phase kernel, expected linalg, tensor, arith, math, scf, affine, tenon.attention or tenon.yield; "
              "give it a lowering in passes/2_kernel";
  });
  return failure(walk.wasInterrupted());
}

namespace {
struct VerifyKernels : tenon::impl::VerifyKernelsPassBase<VerifyKernels> {
  void runOnOperation() override {
    auto main = getOperation().lookupSymbol<func::FuncOp>("main");
    if (!main || main.isExternal())
      return;
    for (Operation &op : main.getBody().getOps()) {
      if (auto kernel = dyn_cast<KernelOp>(op)) {
        if (failed(verifyInside(kernel)))
          return signalPassFailure();
      } else if (!staysOutside(&op)) {
        op.emitOpError(
            "is in @main outside any kernel after phase kernel, expected weights, constants, reshapes, sizes "
            "and kernels; tenon-form-kernels has to put it into one");
        return signalPassFailure();
      }
    }
  }
};
} // namespace
