// A row number is split into the indices of its dimensions by affine.delinearize_index. Upstream lowers that for
// numbers of either sign: a dozen instructions round the quotient down. In a kernel they are counts of tasks and rows,
// never negative, and the machine's own division is all there is to do.
#include "passes/cpu/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"

namespace tenon {
#define GEN_PASS_DEF_CPUSPLITINDICESPASS
#include "passes/cpu/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static void split(affine::AffineDelinearizeIndexOp op) {
  OpBuilder b(op);
  Location location = op.getLoc();
  SmallVector<OpFoldResult> basis = op.getPaddedBasis();
  SmallVector<Value> indices(basis.size());
  Value number = op.getLinearIndex();
  for (size_t dimension = basis.size() - 1; dimension > 0; --dimension) {
    Value size = getValueOrCreateConstantIndexOp(b, location, basis[dimension]);
    indices[dimension] = arith::RemUIOp::create(b, location, number, size);
    number = arith::DivUIOp::create(b, location, number, size);
  }
  indices[0] = number;
  op.replaceAllUsesWith(indices);
  op.erase();
}

namespace {
struct SplitIndices : tenon::impl::CpuSplitIndicesPassBase<SplitIndices> {
  void runOnOperation() override {
    getOperation()->walk([](func::FuncOp function) {
      if (function->hasAttr("tenon.kernel"))
        function.walk([](affine::AffineDelinearizeIndexOp op) { split(op); });
    });
  }
};
} // namespace
