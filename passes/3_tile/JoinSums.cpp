// Where programs share a product's depth, a kernel of rows adds their parts, stores the sum, and often a norm comes
// next that loads it again: two launches of a few microseconds each, of which most is waiting. So it is of embeddings
// that are added and then normed. A row is a row to both: this pass makes them one kernel, which gives the sum too
// where somebody else reads it.
#include "dialects/Tile/Tile.h"
#include "lib/Analysis/GpuOfModule.h"
#include "lib/Analysis/KernelModule.h"
#include "lib/Analysis/KernelNames.h"
#include "lib/Analysis/WeightOperands.h"
#include "passes/3_tile/DerivedKernel.h"
#include "passes/3_tile/Passes.h"
#include "passes/3_tile/ResultDimensions.h"
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
    if (outside == sum->getResult(0)) {
      joined.mapping.map(argument, added);
      // Shapes that the one gives it and the other takes away again.
      for (Operation *user : argument.getUsers())
        if (Value inside = computedValue(sum);
            isa<tensor::CollapseShapeOp>(user) && user->getResultTypes()[0] == inside.getType())
          joined.mapping.map(user->getResult(0), inner.lookup(inside));
    }
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

/// Whether the kernel computes rows from elements at their own places, or looked up: no others depend on them. Tensors
/// side by side are stored one by one, no second result of who reads them.
static bool isPointwise(KernelOp kernel) {
  if (!isa_and_nonnull<tile::RowAttr>(kernel->getDiscardableAttr("tenon.schedule")) || kernel->getNumResults() != 1 ||
      isOfWeights(kernel->getResult(0)) || // that is computed once, when the model is loaded
      computedValue(kernel).getDefiningOp<tensor::InsertSliceOp>())
    return false;
  RowShape shape = rowShapeOf(kernel);
  return !shape.foldsRows && shape.reduced == 0 && !shape.isTransposed;
}

/// Who computes the sum where it is read. Both results of a kernel, where others read the sum too, have one rank.
static KernelOp findReader(KernelOp sum) {
  KernelOp reader = findSumReader(sum);
  auto rankOf = [](KernelOp kernel) { return cast<RankedTensorType>(computedValue(kernel).getType()).getRank(); };
  return reader && (sum->getResult(0).hasOneUse() || rankOf(sum) == rankOf(reader)) ? reader : KernelOp();
}

namespace {
struct JoinSums : tenon::impl::JoinSumsPassBase<JoinSums> {
  using JoinSumsPassBase::JoinSumsPassBase;
  void runOnOperation() override {
    FailureOr<const GpuArch *> found = gpuNamed(getOperation(), arch);
    if (failed(found))
      return signalPassFailure();
    SmallVector<KernelOp> sums;
    getOperation()->walk([&](KernelOp kernel) {
      if ((kernel->hasAttr(sumOfPartsAttrName) || isPointwise(kernel)) && !kernel->hasAttr(generalAttrName))
        sums.push_back(kernel);
    });
    for (KernelOp sum : sums) {
      sum->removeAttr(sumOfPartsAttrName);
      if (KernelOp reader = findReader(sum))
        join(sum, reader, **found);
    }
    nameKernels(kernelsOf(getOperation())); // the reader of another sum may have it in the place of another operand
  }
};
} // namespace
