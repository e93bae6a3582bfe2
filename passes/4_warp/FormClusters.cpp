// Programs that are neighbours along an axis of the grid read the same tile of the operand that does not follow it,
// each for itself. After this pass such programs run in step on the CTAs of a cluster: each brings its part of what
// they share and TMA writes it into all of them, so that the second-level cache is read once.
#include "dialects/Warp/Warp.h"
#include "lib/Analysis/TileBounds.h"
#include "passes/4_warp/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/IR/Remarks.h"

namespace tenon {
#define GEN_PASS_DEF_FORMCLUSTERSPASS
#include "passes/4_warp/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;
using namespace tenon::warp;

/// Whether programs along the axis have the copy in common, and it can be cut into as many parts.
static bool isShared(CopyOp copy, BlockArgument axis, int64_t size) {
  bool isCut = !copy.getRows() && copy.getTarget().getType().getShape()[0] % (size * SmemType::rowsOfSwizzle) == 0;
  return isCut && llvm::none_of(copy.getPlace(), [&](Value place) { return mayDependOn(place, axis); });
}

static SmallVector<CopyOp> sharedCopies(ProduceOp produce, BlockArgument axis, int64_t size) {
  SmallVector<CopyOp> shared;
  produce.getBody().walk([&](CopyOp copy) {
    if (isShared(copy, axis, size))
      shared.push_back(copy);
  });
  return shared;
}

static int64_t bytesOf(ArrayRef<CopyOp> copies) {
  int64_t bytes = 0;
  for (CopyOp copy : copies)
    bytes += copy.getTarget().getType().getBytes();
  return bytes;
}

/// Why there are no clusters; nothing: there are.
static StringRef formClusters(tile::KernelOp kernel, int64_t size) {
  tile::GridOp grid = kernel.getGrid();
  auto produces = llvm::to_vector(grid.getBody().getOps<ProduceOp>());
  if (produces.empty())
    return "no producer fills its rings";
  auto isInStep = [&](BlockArgument axis) {
    return llvm::none_of(grid.getBody().getOps<RingCreateOp>(), [&](RingCreateOp ring) {
      return ring.getTransfers() && mayDependOn(ring.getTransfers(), axis);
    });
  };
  SmallVector<CopyOp> best;
  int64_t along = 0;
  for (auto [axis, extent] : llvm::zip_equal(grid.getBody().getArguments(), grid.getExtents())) {
    if (getConstantIntValue(extent) == 1 || !isInStep(axis))
      continue;
    SmallVector<CopyOp> shared;
    for (ProduceOp produce : produces)
      llvm::append_range(shared, sharedCopies(produce, axis, size));
    if (bytesOf(shared) > bytesOf(best)) {
      best = shared;
      along = axis.getArgNumber();
    }
  }
  if (best.empty())
    return "no tiles are the same for neighbours along an axis of the grid";
  // Whole clusters: programs behind the last read zeros and store nothing.
  OpBuilder b(grid);
  OpOperand &extent = grid.getExtentsMutable()[along];
  AffineExpr whole = b.getAffineSymbolExpr(0).ceilDiv(size) * size;
  OpFoldResult rounded =
      affine::makeComposedFoldedAffineApply(b, grid.getLoc(), whole, getAsOpFoldResult(extent.get()));
  if (getConstantIntValue(extent.get()) != getConstantIntValue(rounded) || isa<Value>(rounded)) {
    extent.set(getValueOrCreateConstantIndexOp(b, grid.getLoc(), rounded));
    BlockArgument axis = grid.getBody().getArgument(along);
    kernel.walk([&](CopyOp copy) {
      if (!copy.getWithin())
        return;
      SmallVector<bool> within(*copy.getWithin());
      for (auto [isKept, place] : llvm::zip_equal(within, copy.getPlace()))
        isKept &= !mayDependOn(place, axis);
      copy.setWithin(within);
    });
  }
  grid.walk([&](CopyOp copy) { // the early ones, too
    if (isByProducer(copy) && isShared(copy, grid.getBody().getArgument(along), size))
      copy.setMulticast(true);
  });
  kernel->setAttr("warp.cluster", ClusterAttr::get(kernel.getContext(), along, size));
  remark::passed(kernel.getLoc(), remark::RemarkOpts::name("cluster").category("tenon-form-clusters"))
      << (Twine(size) + " programs along axis " + Twine(along) + " share " + Twine(bytesOf(best)) + " bytes of copies")
             .str();
  return {};
}

/// Programs that share a sum are those of a cluster: they reach each other's shared memory.
static void clusterSharedSums(tile::KernelOp kernel, tile::ReduceScatterOp sum) {
  kernel->setAttr("warp.cluster", ClusterAttr::get(kernel.getContext(), sum.getAxis(), sum.getParts()));
}

namespace {
struct FormClusters : tenon::impl::FormClustersPassBase<FormClusters> {
  void runOnOperation() override {
    getOperation()->walk([&](tile::KernelOp kernel) {
      auto sums = kernel.getGrid().getBody().getOps<tile::ReduceScatterOp>();
      if (!sums.empty())
        return clusterSharedSums(kernel, *sums.begin());
      auto schedule = kernel->getAttrOfType<ScheduleAttr>("warp.schedule");
      if (!schedule || schedule.getCluster() == 1 || kernel->hasAttr("warp.cluster"))
        return;
      if (StringRef reason = formClusters(kernel, schedule.getCluster()); !reason.empty())
        remark::missed(kernel.getLoc(), remark::RemarkOpts::name("cluster").category("tenon-form-clusters"))
            << ("no clusters: " + reason).str();
    });
  }
};
} // namespace
