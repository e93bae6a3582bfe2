// A dot by wgmma runs beside the warps that begin it. Where a loop adds one product a turn, the warps need not wait for
// it: after this pass a turn begins its dot and waits for the one of the turn before; the sum is waited for after the
// loop. The ring was made for that (tenon-stage-copies): a slot is filled again two turns after it was read.
#include "dialects/Warp/Warp.h"
#include "passes/4_warp/DotLoops.h"
#include "passes/4_warp/Passes.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

namespace tenon {
#define GEN_PASS_DEF_OVERLAPDOTSPASS
#include "passes/4_warp/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;
using namespace tenon::warp;

static void overlapDot(scf::ForOp loop) {
  auto dot = findCarriedDot<warp::DotOp>(loop);
  // Operands in registers would have to stay there.
  if (!dot || !isa<WgmmaAttr>(Attribute(dot.getAtom())) || !isa<SmemType>(dot.getLhs().getType()))
    return;
  dot.setAsync(true);
  unsigned number = cast<BlockArgument>(dot.getAccumulator()).getArgNumber() - 1;
  OpBuilder b(dot->getContext());
  b.setInsertionPointAfter(dot);
  auto before = DotWaitOp::create(b, dot.getLoc(), dot.getType(), dot.getResult(), /*pending=*/1);
  dot.getResult().replaceAllUsesExcept(before.getResult(), before);
  b.setInsertionPointAfter(loop);
  Value sum = loop.getResult(number);
  auto last = DotWaitOp::create(b, loop.getLoc(), sum.getType(), sum, /*pending=*/0);
  sum.replaceAllUsesExcept(last.getResult(), last);
}

namespace {
struct OverlapDots : tenon::impl::OverlapDotsPassBase<OverlapDots> {
  void runOnOperation() override {
    SmallVector<scf::ForOp> loops;
    getOperation()->walk([&](scf::ForOp loop) { loops.push_back(loop); });
    for (scf::ForOp loop : loops)
      overlapDot(loop);
  }
};
} // namespace
