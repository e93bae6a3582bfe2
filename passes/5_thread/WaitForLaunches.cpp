// Between two kernels of a stream a GPU drains the one and then starts the other: a microsecond and more each, as long
// as many a kernel of a small model runs. A launch may be programmatic: its CTAs start while the last of the kernel
// ahead run, and wait until that one is done and its results can be seen. Every kernel here waits first, and only then
// lets the one behind it start: so each kernel's end is the end of all before it, and no more than two are on the
// device, of which one only waits. What a CTA read stays in its L1 cache while a kernel starts early; the one that
// wrote it is done then.
#include "lib/Schedule/GpuArch.h"
#include "passes/5_thread/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

namespace tenon {
#define GEN_PASS_DEF_WAITFORLAUNCHESPASS
#include "passes/5_thread/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static constexpr StringLiteral mark = "tenon.programmatic";

static void waitForLaunches(LLVM::LLVMFuncOp kernel) {
  OpBuilder b = OpBuilder::atBlockBegin(&kernel.getBody().front());
  NVVM::GriddepcontrolOp::create(b, kernel.getLoc(), NVVM::GridDepActionKind::wait);
  NVVM::GriddepcontrolOp::create(b, kernel.getLoc(), NVVM::GridDepActionKind::launch_dependents);
  kernel->setAttr(mark, b.getUnitAttr());
}

namespace {
struct WaitForLaunches : tenon::impl::WaitForLaunchesPassBase<WaitForLaunches> {
  using WaitForLaunchesPassBase::WaitForLaunchesPassBase;
  void runOnOperation() override {
    Result<const GpuArch *> found = findGpuArch(arch);
    if (!found.ok()) {
      getOperation()->emitError(found.status().message());
      return signalPassFailure();
    }
    if ((*found)->hasTma) // they came together
      getOperation()->walk([](LLVM::LLVMFuncOp function) {
        bool isKernel = function->hasAttr(NVVM::NVVMDialect::getKernelFuncAttrName()) && !function.isExternal();
        if (isKernel && !function->hasAttr(mark))
          waitForLaunches(function);
      });
  }
};
} // namespace
