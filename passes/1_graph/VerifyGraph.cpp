// Phase kernel takes for granted that each op of the graph is worth a place in a kernel. What a pass of this phase has
// left behind is found here, where the op still has its name and its line in the model.
#include "dialects/Tenon/Tenon.h"
#include "passes/1_graph/Passes.h"

namespace tenon {
#define GEN_PASS_DEF_VERIFYGRAPHPASS
#include "passes/1_graph/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

/// Whether the op and the one it reads are views that fold into one.
template <typename OpT>
static bool isDoubled(Operation *op) {
  auto view = dyn_cast<OpT>(op);
  return view && view.getInput().template getDefiningOp<OpT>();
}

static LogicalResult verify(Operation *op) {
  if (op->hasTrait<OpTrait::IsTerminator>())
    return success();
  if (!isa_and_nonnull<TenonDialect>(op->getDialect()) || isa<KernelOp, LaunchOp>(op))
    return op->emitOpError("is no op of the graph after phase graph, expected ops of dialect tenon outside kernels; "
                           "import or lower it to those");
  if (isOpTriviallyDead(op))
    return op->emitOpError("has no reader after phase graph; the last canonicalisation has to drop it");
  if (isDoubled<ReshapeOp>(op) || isDoubled<TransposeOp>(op) || isDoubled<ExpandOp>(op))
    return op->emitOpError("reads another ")
           << op->getName() << " after phase graph; the two fold into one, see dialects/Tenon/FoldShapes.cpp";
  return success();
}

namespace {
struct VerifyGraph : tenon::impl::VerifyGraphPassBase<VerifyGraph> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (function.isExternal())
        continue;
      if (!function.getBody().hasOneBlock()) {
        function.emitOpError("has ") << function.getBody().getBlocks().size()
                                     << " blocks after phase graph, expected one";
        return signalPassFailure();
      }
      for (Operation &op : function.getBody().front())
        if (failed(verify(&op)))
          return signalPassFailure();
    }
  }
};
} // namespace
