// What a kernel costs is known best here, where its loops are whole and its operands are tensors. Later phases cut both
// up; a report, a roofline or a schedule still wants the numbers, so they are written down as attributes.
#include "lib/Analysis/KernelWork.h"
#include "passes/2_kernel/Passes.h"

#include "mlir/IR/Remarks.h"

namespace tenon {
#define GEN_PASS_DEF_MEASUREKERNELSPASS
#include "passes/2_kernel/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static void measure(KernelOp kernel) {
  FailureOr<KernelWork> work = KernelWork::of(kernel);
  if (succeeded(work)) {
    kernel->setAttr("tenon.flops", AffineMapAttr::get(work->flops));
    kernel->setAttr("tenon.bytes", AffineMapAttr::get(work->bytes));
    return;
  }
  std::string message = "@" + kernel.getKernelName().str() +
                        " has a loop whose size does not follow from its operands': no cost is known";
  remark::missed(kernel.getLoc(), remark::RemarkOpts::name("cost").category("tenon-measure-kernels")) << message;
}

namespace {
struct MeasureKernelsPass : public tenon::impl::MeasureKernelsPassBase<MeasureKernelsPass> {
  void runOnOperation() override {
    getOperation().walk([](KernelOp kernel) { measure(kernel); });
  }
};
} // namespace
