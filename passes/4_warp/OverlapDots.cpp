// A dot by wgmma runs beside the warps that begin it. Where a loop adds products to sums, the warps need not wait for
// them: after this pass a turn begins its dots and waits for those of the turn before; the sums are waited for after
// the loop. The ring was made for that (tenon-stage-copies): a slot is filled again two turns after it was read.
#include "dialects/Warp/Warp.h"
#include "passes/4_warp/DotLoops.h"
#include "passes/4_warp/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace tenon {
#define GEN_PASS_DEF_OVERLAPDOTSPASS
#include "passes/4_warp/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;
using namespace tenon::warp;

static void overlapDots(scf::ForOp loop) {
  SmallVector<warp::DotOp> dots = findCarriedDots<warp::DotOp>(loop);
  // Operands in registers would have to stay there.
  auto runsBeside = [](warp::DotOp dot) {
    return isa<WgmmaAttr>(Attribute(dot.getAtom())) && isa<SmemType>(dot.getLhs().getType());
  };
  if (dots.empty() || !llvm::all_of(dots, runsBeside))
    return;
  OpBuilder b(loop.getContext());
  b.setInsertionPointAfter(dots.back());
  SmallVector<unsigned> numbers;
  Operation *lastWait = nullptr;
  for (warp::DotOp dot : dots) {
    dot.setAsync(true);
    numbers.push_back(cast<BlockArgument>(dot.getAccumulator()).getArgNumber() - 1);
    auto before = DotWaitOp::create(b, dot.getLoc(), dot.getType(), dot.getResult(), /*pending=*/dots.size());
    dot.getResult().replaceAllUsesExcept(before.getResult(), before);
    lastWait = before;
  }
  // What a dot reads is released when it is done: a turn later, the last turn's after the loop.
  for (auto release : llvm::to_vector(loop.getBody()->getOps<RingReleaseOp>())) {
    auto ring = release.getRing().getDefiningOp<RingCreateOp>();
    if (!ring || !ring.getTransfers())
      continue; // all threads fill the ring: tenon-stage-copies leaves them the time
    // Transfer `count - 1`, if there is one.
    auto releaseBefore = [&](Value count) {
      Location location = release.getLoc();
      Value zero = arith::ConstantIndexOp::create(b, location, 0), one = arith::ConstantIndexOp::create(b, location, 1);
      Value isAny = arith::CmpIOp::create(b, location, arith::CmpIPredicate::sgt, count, zero);
      auto guard = scf::IfOp::create(b, location, isAny, /*withElseRegion=*/false);
      b.setInsertionPoint(guard.thenYield());
      Value number = arith::SubIOp::create(b, location, count, one);
      RingReleaseOp::create(b, location, release.getRing(), number);
    };
    // Where that is known to be done: behind the waits for the turn before.
    if (release->isBeforeInBlock(lastWait))
      b.setInsertionPointAfter(lastWait);
    else
      b.setInsertionPoint(release);
    releaseBefore(release.getNumber());
    b.setInsertionPointAfter(loop);
    releaseBefore(ring.getTransfers());
    release.erase();
  }
  b.setInsertionPointAfter(loop);
  for (unsigned number : numbers) {
    Value sum = loop.getResult(number);
    auto last = DotWaitOp::create(b, loop.getLoc(), sum.getType(), sum, /*pending=*/0);
    sum.replaceAllUsesExcept(last.getResult(), last);
  }
}

namespace {
struct OverlapDots : tenon::impl::OverlapDotsPassBase<OverlapDots> {
  void runOnOperation() override {
    SmallVector<scf::ForOp> loops;
    getOperation()->walk([&](scf::ForOp loop) { loops.push_back(loop); });
    for (scf::ForOp loop : loops)
      overlapDots(loop);
  }
};
} // namespace
