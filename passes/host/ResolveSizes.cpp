// After lowering nobody can say how large a kernel's result is in terms of the model's arguments; before it every op
// can. This pass writes the answer down while it is known: see lib/Analysis/SymbolicSizes.h for how it is found.
#include "lib/Analysis/SymbolicSizes.h"
#include "passes/host/Passes.h"

#include "mlir/IR/Builders.h"

using namespace mlir;

namespace tenon {
#define GEN_PASS_DEF_RESOLVESIZESPASS
#include "passes/host/Passes.h.inc"

namespace {
LogicalResult resolveSizes(func::FuncOp main) {
  FailureOr<SymbolicSizes> sizes = SymbolicSizes::compute(main);
  if (failed(sizes))
    return failure();
  MLIRContext *context = main.getContext();
  for (Operation &op : main.getBody().front().without_terminator()) {
    bool isDynamic = llvm::any_of(op.getResultTypes(), [](Type type) {
      auto tensor = dyn_cast<RankedTensorType>(type);
      return tensor && !tensor.hasStaticShape();
    });
    if (!isDynamic)
      continue;
    SmallVector<Attribute> maps;
    for (Value result : op.getResults())
      maps.push_back(AffineMapAttr::get(AffineMap::get(0, sizes->dims().names.size(), sizes->of(result), context)));
    op.setAttr(SymbolicSizes::attribute, ArrayAttr::get(context, maps));
  }
  return success();
}

struct ResolveSizesPass : impl::ResolveSizesPassBase<ResolveSizesPass> {
  void runOnOperation() override {
    FailureOr<func::FuncOp> main = findMain(getOperation());
    if (failed(main) || failed(resolveSizes(*main)))
      signalPassFailure();
  }
};
} // namespace
} // namespace tenon
