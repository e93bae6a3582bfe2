// Where programs share a product's depth, a kernel of rows adds their parts, stores the sum, and often a norm comes
// next that loads it again: two launches of a few microseconds each, of which most is waiting. A row is a row to both:
// this pass makes them one kernel, which gives the sum too where somebody else reads it.
#include "dialects/Tile/Tile.h"
#include "passes/3_tile/DerivedKernel.h"
#include "passes/3_tile/Passes.h"
#include "passes/3_tile/SumReader.h"

#include "mlir/IR/Remarks.h"

namespace tenon {
#define GEN_PASS_DEF_JOINSUMSPASS
#include "passes/3_tile/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static void join(KernelOp sum, KernelOp reader, const GpuArch &arch) {
  DerivedKernel joined(reader, "");
  // Kernels of one name are one kernel.
  bool givesSum = !sum->getResult(0).hasOneUse();
  joined.name = (sum.getKernelName() + "_" + reader.getKernelName() + (givesSum ? "_both" : "")).str();
  // The sum with all that it is computed of, in the place of what was loaded.
  IRMapping inner;
  for (auto [argument, outside] : llvm::zip_equal(sum.getBlock().getArguments(), sum.getInputs()))
    inner.map(argument, joined.argument(argument.getType(), outside));
  for (Operation &op : sum.getBlock().without_terminator())
    joined.b.clone(op, inner);
  Value added = inner.lookup(sum.getYielded()[0]);
  for (auto [argument, outside] : llvm::zip_equal(reader.getBlock().getArguments(), reader.getInputs()))
    if (outside == sum->getResult(0))
      joined.mapping.map(argument, added);
  SmallVector<Value> yielded;
  for (Value value : reader.getYielded())
    yielded.push_back(joined.copy(value));
  if (givesSum)
    yielded.push_back(added);
  KernelOp made = joined.finishByRows(yielded, /*shapes=*/{}, arch);
  remark::passed(reader.getLoc(), remark::RemarkOpts::name("join").category("tenon-join-sums"))
      << ("@" + sum.getKernelName() + " and @" + reader.getKernelName() + " are one kernel").str();
  reader.replaceAllUsesWith(made.getResults().take_front(reader.getNumResults()));
  if (givesSum)
    sum->getResult(0).replaceAllUsesExcept(made.getResults().back(), reader);
  reader.erase();
  sum.erase();
}

namespace {
struct JoinSums : tenon::impl::JoinSumsPassBase<JoinSums> {
  using JoinSumsPassBase::JoinSumsPassBase;
  void runOnOperation() override {
    Result<const GpuArch *> found = findGpuArch(arch);
    if (!found.ok()) {
      getOperation().emitError(found.status().message());
      return signalPassFailure();
    }
    SmallVector<KernelOp> sums;
    getOperation()->walk([&](KernelOp kernel) {
      if (kernel->hasAttr(sumOfPartsAttrName) && !kernel->hasAttr(generalAttrName))
        sums.push_back(kernel);
    });
    for (KernelOp sum : sums) {
      sum->removeAttr(sumOfPartsAttrName);
      if (KernelOp reader = findSumReader(sum))
        join(sum, reader, **found);
    }
  }
};
} // namespace
