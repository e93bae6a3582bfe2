// Programs on tiles with layouts become functions that one thread runs: ThreadEmitter.h says how.
#include "passes/5_thread/Passes.h"
#include "passes/5_thread/ThreadEmitter.h"

#include "dialects/Ptx/Ptx.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace tenon {
#define GEN_PASS_DEF_EXPANDTOTHREADSPASS
#include "passes/5_thread/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

namespace {
struct ExpandToThreads : tenon::impl::ExpandToThreadsPassBase<ExpandToThreads> {
  void runOnOperation() override {
    SmallVector<tile::KernelOp> kernels;
    getOperation()->walk([&](tile::KernelOp kernel) { kernels.push_back(kernel); });
    for (tile::KernelOp kernel : kernels) {
      if (!kernel->hasAttr("warp.schedule")) {
        kernel.emitOpError("has no `warp.schedule`; phase warp gives it one");
        return signalPassFailure();
      }
      ImplicitLocOpBuilder b(kernel.getLoc(), kernel);
      // The function has the kernel's name: the kernel is taken out of the symbol table first.
      if (failed(ThreadEmitter(kernel, b).emit()))
        return signalPassFailure();
      kernel.erase();
    }
  }
};
} // namespace
