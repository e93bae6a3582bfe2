// Between two kernels of a stream a GPU drains the one and then starts the other: a microsecond and more each, as long
// as many a kernel of a small model runs. A launch may be programmatic: its CTAs start while the last of the kernel
// ahead run, and wait until that one is done and its results can be seen. Every kernel here waits first, and only then
// lets the one behind it start: so each kernel's end is the end of all before it, and no more than two are on the
// device, of which one only waits. What a CTA read stays in its L1 cache while a kernel starts early; the one that
// wrote it is done then. What touches no global memory, barriers that are set up say, comes before the wait.
#include "lib/Analysis/GpuOfModule.h"
#include "passes/5_thread/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace tenon {
#define GEN_PASS_DEF_WAITFORLAUNCHESPASS
#include "passes/5_thread/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static constexpr StringLiteral mark = "tenon.programmatic";

/// Whether neither the op nor what is in it touches global memory.
static bool isLocal(Operation *op) {
  if (isa<scf::IfOp>(op))
    return llvm::all_of(op->getRegions(), [](Region &region) {
      return llvm::all_of(region.getOps(), [](Operation &inner) { return isLocal(&inner); });
    });
  if (isa<NVVM::MBarrierInitOp, NVVM::FenceMbarrierInitOp, NVVM::Barrier0Op, NVVM::ClusterArriveOp, NVVM::ClusterWaitOp,
          NVVM::ShflOp, scf::YieldOp>(op))
    return true;
  if (auto prefetch = dyn_cast<NVVM::PrefetchOp>(op))
    return prefetch.getTensormap();
  return op->getNumRegions() == 0 && isPure(op) && !op->hasTrait<OpTrait::IsTerminator>();
}

static void waitForLaunches(LLVM::LLVMFuncOp kernel) {
  Block &entry = kernel.getBody().front();
  OpBuilder b(&*llvm::find_if(entry, [](Operation &op) { return !isLocal(&op); }));
  NVVM::GriddepcontrolOp::create(b, kernel.getLoc(), NVVM::GridDepActionKind::wait);
  NVVM::GriddepcontrolOp::create(b, kernel.getLoc(), NVVM::GridDepActionKind::launch_dependents);
  kernel->setAttr(mark, b.getUnitAttr());
}

namespace {
struct WaitForLaunches : tenon::impl::WaitForLaunchesPassBase<WaitForLaunches> {
  using WaitForLaunchesPassBase::WaitForLaunchesPassBase;
  void runOnOperation() override {
    FailureOr<const GpuArch *> found = gpuNamed(getOperation(), arch);
    if (failed(found))
      return signalPassFailure();
    if ((*found)->hasTma) // they came together
      getOperation()->walk([](LLVM::LLVMFuncOp function) {
        bool isKernel = function->hasAttr(NVVM::NVVMDialect::getKernelFuncAttrName()) && !function.isExternal();
        if (isKernel && !function->hasAttr(mark))
          waitForLaunches(function);
      });
  }
};
} // namespace
