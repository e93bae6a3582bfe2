// The expansion to threads takes a program at its word: what layouts, rings and dots say is what each thread does. What
// does not fit would be read from a register that does not exist, wait for ever, or give wrong numbers; here it has a
// name.
#include "dialects/Tenon/Tenon.h"
#include "dialects/Warp/Warp.h"
#include "lib/Analysis/BankConflicts.h"
#include "lib/Analysis/GpuOfModule.h"
#include "lib/Analysis/SharedMemory.h"
#include "lib/Analysis/ThreadRegisters.h"
#include "lib/Analysis/TileBounds.h"
#include "passes/4_warp/FragmentLayouts.h"
#include "passes/4_warp/Passes.h"
#include "passes/4_warp/RingPaths.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Remarks.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

namespace tenon {
#define GEN_PASS_DEF_VERIFYWARPPASS
#include "passes/4_warp/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;
using namespace tenon::warp;

//===--- layouts -------------------------------------------------------------------------------------------------===//

static LogicalResult verifyLayout(Operation *op, Value tile, ScheduleAttr schedule) {
  auto type = dyn_cast<RankedTensorType>(tile.getType());
  if (!type)
    return success();
  LayoutAttr layout = layoutOf(type);
  if (!layout)
    return op->emitOpError("has ") << type << " without a layout; tenon-assign-layouts gives it one";
  if (layout.getRank() != type.getRank())
    return op->emitOpError("has ") << type << " with a layout of " << layout.getRank() << " dimensions, expected "
                                   << type.getRank();
  for (int64_t dimension = 0; dimension < type.getRank(); ++dimension)
    if (layout.getReach(dimension) < type.getDimSize(dimension))
      return op->emitOpError("has ") << type << " whose digits reach " << layout.getReach(dimension)
                                     << " places of dimension " << dimension << ", expected at least "
                                     << type.getDimSize(dimension);
  for (const Digit &digit : layout.getDigits())
    if (digit.kind == DigitKind::Warp && digit.stride * digit.size > schedule.getNumWarps())
      return op->emitOpError("has ") << type << " over " << digit.stride * digit.size << " warps, expected at most the "
                                     << schedule.getNumWarps() << " of `warp.schedule`";
  return success();
}

static LogicalResult expectLayout(Operation *op, Value tile, LayoutAttr expected) {
  if (!isa<RankedTensorType>(tile.getType()) || layoutOf(tile) == expected)
    return success();
  return op->emitOpError("takes a tile in ")
         << layoutOf(tile) << ", expected " << expected << ", which goes with its result; warp.relayout moves it";
}

/// Lanes and warps find their partners by the bits of their numbers.
static LogicalResult verifyFold(Operation *op, LayoutAttr layout, int64_t axis) {
  for (const Digit &digit : layout.getDim(axis))
    if (digit.kind != DigitKind::Register && (!llvm::isPowerOf2_64(digit.size) || !llvm::isPowerOf2_64(digit.stride)))
      return op->emitOpError("folds along dimension ")
             << axis << " of " << layout << " over " << digit.size << " lanes or warps " << digit.stride
             << " apart, expected powers of two";
  return success();
}

/// Operands' layouts against the result's, as tenon-assign-layouts carries them out.
static LogicalResult verifyOperands(Operation *op) {
  auto resultLayout = [&] { return layoutOf(op->getResult(0)); };
  bool isPointwise = OpTrait::hasElementwiseMappableTraits(op) && op->getNumResults() == 1;
  if (isa<tile::DotOp>(op))
    return op->emitOpError("has no atom; tenon-assign-layouts makes a warp.dot of it");
  if (isPointwise || isa<tile::ScanOp>(op)) {
    for (Value operand : op->getOperands())
      if (resultLayout() && failed(expectLayout(op, operand, resultLayout())))
        return failure();
    if (auto scan = dyn_cast<tile::ScanOp>(op))
      return verifyFold(op, resultLayout(), scan.getAxis());
    return success();
  }
  if (auto reduce = dyn_cast<tile::ReduceOp>(op)) {
    LayoutAttr layout = layoutOf(reduce.getTile()), kept = layout.drop(reduce.getAxis());
    if (resultLayout() != kept)
      return op->emitOpError("gives a tile in ")
             << resultLayout() << ", expected " << kept << ", what is left of its operand's";
    return verifyFold(op, layout, reduce.getAxis());
  }
  if (auto shared = dyn_cast<tile::ReduceScatterOp>(op)) {
    LayoutAttr part = partOf(layoutOf(shared.getTile()), shared.getDimension(), shared.getParts());
    auto cluster = op->getParentOfType<tile::KernelOp>()->getAttrOfType<ClusterAttr>("warp.cluster");
    if (!part || part != resultLayout())
      return op->emitOpError("gives a tile in ") << resultLayout() << " of " << layoutOf(shared.getTile())
                                                 << ", expected a part in each thread's registers, as of a warpgroup's "
                                                    "dot; choose a tile without `joined` in "
                                                    "`tenon.schedule`";
    if (!cluster || cluster.getAxis() != int64_t(shared.getAxis()) || cluster.getSize() != shared.getParts())
      return op->emitOpError("is no sum over the CTAs of a cluster, expected `warp.cluster` along axis ")
             << shared.getAxis() << "; tenon-form-clusters makes it";
    return success();
  }
  if (auto shared = dyn_cast<tile::ReduceToLastOp>(op)) {
    if (failed(expectLayout(op, shared.getTile(), resultLayout())))
      return failure();
  }
  if (isa<tile::ReduceToLastOp, tile::GatherToLastOp>(op)) {
    for (Operation *behind = op->getNextNode(); behind; behind = behind->getNextNode())
      if (behind
              ->walk([](Operation *each) {
                return isa<RingAcquireOp, RingCommitOp, RingWaitOp, RingReleaseOp, tile::RedoOp>(each)
                           ? WalkResult::interrupt()
                           : WalkResult::advance();
              })
              .wasInterrupted())
        return behind->emitOpError("is behind ")
               << op->getName()
               << ", where only the last program comes: rings and lists of results to redo are kept by all; "
               << "choose a tile without `by_last` or `splits` in `tenon.schedule`";
    return success();
  }
  if (auto broadcast = dyn_cast<tile::BroadcastOp>(op))
    return expectLayout(op, broadcast.getTile(), resultLayout().pick(broadcast.getDims()));
  if (auto partial = dyn_cast<PartialReduceOp>(op)) {
    LayoutAttr parts = layoutOf(partial.getTile()).dropRegisters(partial.getAxis());
    if (parts == resultLayout())
      return success();
    return op->emitOpError("gives a tile in ") << resultLayout() << ", expected " << parts << ", its operand's threads";
  }
  if (auto trans = dyn_cast<tile::TransOp>(op)) {
    LayoutAttr moved = layoutOf(trans.getTile()).pick(trans.getPermutation());
    if (moved == resultLayout())
      return success();
    return op->emitOpError("gives a tile in ")
           << resultLayout() << ", expected " << moved << ", its operand's with the dimensions in their new order";
  }
  if (auto gather = dyn_cast<tile::GatherOp>(op)) {
    int64_t leading = gather.getView().getType().getRank() - gather.getType().getRank();
    return expectLayout(op, gather.getRows(), resultLayout().pick({int64_t(gather.getAxis()) - leading}));
  }
  if (auto extract = dyn_cast<tensor::ExtractOp>(op); extract && extract.getTensor().getType().getRank() != 0)
    return op->emitOpError("takes an element of ")
           << extract.getTensor().getType() << ", which other threads may have; expected a tile of rank 0";
  return success();
}

/// A warp takes the region of tile.unlikely by itself: nothing in it waits for other warps.
static LogicalResult verifyUnlikely(tile::UnlikelyOp op) {
  auto isOverWarps = [](Value tile, int64_t axis) {
    return llvm::any_of(layoutOf(tile).getDim(axis), [](const Digit &digit) { return digit.kind == DigitKind::Warp; });
  };
  WalkResult result = op.getBody().walk([&](Operation *inner) {
    auto reduce = dyn_cast<tile::ReduceOp>(inner);
    auto scan = dyn_cast<tile::ScanOp>(inner);
    bool waits = isa<RelayoutOp, tile::AnyOp>(inner) || (reduce && isOverWarps(reduce.getTile(), reduce.getAxis())) ||
                 (scan && isOverWarps(scan.getTile(), scan.getAxis()));
    if (!waits)
      return WalkResult::advance();
    inner->emitOpError("waits for other warps in the region of a tile.unlikely, which a warp may take alone; expected "
                       "whole rows a warp: `warps = [n, 1]` in `warp.schedule`");
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

//===--- dots under way ------------------------------------------------------------------------------------------===//

/// Whether at least `pending` dots are begun between the one that gave the tile and the wait for it, in one block.
static bool isFollowed(Value tile, DotWaitOp wait) {
  Operation *dot = tile.getDefiningOp<warp::DotOp>();
  if (!dot || dot->getBlock() != wait->getBlock())
    return false;
  uint64_t begun = 0;
  for (Operation *op = dot->getNextNode(); op != wait; op = op->getNextNode())
    if (auto other = dyn_cast<warp::DotOp>(op))
      begun += other.getAsync();
  return begun >= wait.getPending();
}

/// The result of an async dot is nobody's but the next dot's and warp.dot_wait's, however it is carried along.
static LogicalResult verifyUnderWay(Value tile, DenseSet<Value> &seen) {
  if (!seen.insert(tile).second)
    return success();
  for (OpOperand &use : tile.getUses()) {
    Operation *user = use.getOwner();
    if (auto dot = dyn_cast<warp::DotOp>(user); dot && dot.getAsync() && dot.getAccumulator() == tile) {
      continue;
    } else if (auto wait = dyn_cast<DotWaitOp>(user)) {
      if (wait.getPending() > 0 && !isFollowed(tile, wait) && failed(verifyUnderWay(wait.getResult(), seen)))
        return failure();
    } else if (auto loop = dyn_cast<scf::ForOp>(user->getParentOp()); loop && isa<scf::YieldOp>(user)) {
      unsigned number = use.getOperandNumber();
      if (failed(verifyUnderWay(loop.getRegionIterArg(number), seen)) ||
          failed(verifyUnderWay(loop.getResult(number), seen)))
        return failure();
    } else {
      return user->emitOpError("takes a tile that a dot is still adding to, expected warp.dot_wait with "
                               "`pending = 0` before; see tenon-overlap-dots");
    }
  }
  return success();
}

//===--- kernels -------------------------------------------------------------------------------------------------===//

/// Empty where the kernel fits a multiprocessor.
static std::string overBudget(tile::KernelOp kernel, const GpuArch &arch) {
  SharedMemoryPlan plan = planSharedMemory(kernel);
  if (plan.getBytes() > arch.sharedBytesPerBlock)
    return llvm::formatv("takes {0} bytes of shared memory ({1} for rings and staged tiles, {2} for exchanges, {3} for "
                         "barriers), more than the {4} of a block on {5}; choose fewer stages in `warp.schedule` or a "
                         "smaller tile in `tenon.schedule`",
                         plan.getBytes(), plan.tileBytes, plan.scratchBytes, plan.barrierBytes,
                         arch.sharedBytesPerBlock, arch.name);
  int64_t threads = threadsOf(kernel), there = registersOfThread(kernel, arch), taken = registersOfTiles(kernel);
  if (taken > there)
    return llvm::formatv("takes {0} registers a thread for its dots' sums, of the {1} that each of {2} threads has on "
                         "{3}; choose more warps in `warp.schedule`, or a smaller tile in `tenon.schedule`",
                         taken, there, threads, arch.name);
  return "";
}

/// Whose schedule was chosen gets another one; else it is an error.
static LogicalResult verifyBudget(tile::KernelOp kernel, const GpuArch &arch, bool marks) {
  std::string why = overBudget(kernel, arch);
  if (why.empty())
    return success();
  std::string message = ("@" + kernel.getSymName() + " " + why).str();
  if (!marks)
    return kernel.emitOpError(message);
  kernel->setAttr(overBudgetAttrName, StringAttr::get(kernel.getContext(), message));
  return success();
}

/// No error: slow, not wrong.
static void reportBankConflicts(tile::KernelOp kernel) {
  if (!kernel.getContext()->getRemarkEngine())
    return;
  BankConflicts conflicts = countBankConflicts(kernel);
  auto report =
      remark::analysis(kernel.getLoc(), remark::RemarkOpts::name("bank-conflicts").category("tenon-verify-warp"));
  report << (Twine(conflicts.total().count) + " wavefronts of shared memory, " + Twine(conflicts.total().over()) +
             " more than needed (copies " + Twine(conflicts.copies.over()) + ", fragments " +
             Twine(conflicts.fragments.over()) + ", dots " + Twine(conflicts.dots.over()) + ", exchanges " +
             Twine(conflicts.exchanges.over()) + ")")
                .str();
}

/// The CTAs of a cluster fill and free each other's slots: they have to do it as often, with the same tiles.
static LogicalResult verifyCluster(tile::KernelOp kernel) {
  auto cluster = kernel->getAttrOfType<ClusterAttr>("warp.cluster");
  if (!cluster)
    return success();
  tile::GridOp grid = kernel.getGrid();
  if (cluster.getAxis() >= int64_t(grid.getExtents().size()))
    return kernel.emitOpError("has clusters along axis ")
           << cluster.getAxis() << " of its grid, expected one of " << grid.getExtents().size();
  if (kernel->hasAttr("warp.order"))
    return kernel.emitOpError(
        "has clusters and `warp.order`, expected one of them: a cluster's programs run in step, and "
        "are handed out together");
  Value extent = grid.getExtents()[cluster.getAxis()];
  if (divisorOf(extent) % cluster.getSize() != 0)
    return kernel.emitOpError("has clusters of ")
           << cluster.getSize() << " along axis " << cluster.getAxis() << ", whose extent is no multiple of it";
  BlockArgument axis = grid.getBody().getArgument(cluster.getAxis());
  WalkResult result = grid.walk([&](Operation *op) -> WalkResult {
    if (auto ring = dyn_cast<RingCreateOp>(op); ring && ring.getTransfers() && mayDependOn(ring.getTransfers(), axis))
      return ring.emitOpError("has a number of transfers that differs between the programs of a cluster: one of them "
                              "would wait for ever");
    auto copy = dyn_cast<CopyOp>(op);
    if (copy && copy.getMulticast() &&
        llvm::any_of(copy.getPlace(), [&](Value place) { return mayDependOn(place, axis); }))
      return copy.emitOpError("is multicast from a place that differs between the programs of a cluster");
    return success();
  });
  return failure(result.wasInterrupted());
}

/// A team finds its place in the rings by the number of programs before, and meets nobody but itself.
static LogicalResult verifyTeams(tile::KernelOp kernel, ScheduleAttr schedule) {
  if (schedule.getTeams() == 1)
    return success();
  WalkResult result = kernel.walk([&](Operation *op) -> WalkResult {
    if (isa<tile::AnyOp, tile::RedoOp, tile::ReduceScatterOp, tile::ReduceToLastOp, tile::GatherToLastOp>(op))
      return op->emitOpError("is in a kernel of ") << schedule.getTeams() << " teams, which it has no form for; choose "
                                                   << "`teams = 1` in `warp.schedule`";
    auto ring = dyn_cast<RingCreateOp>(op);
    auto differs = [&](BlockArgument axis) { return mayDependOn(ring.getTransfers(), axis); };
    if (ring && ring.getTransfers() && llvm::any_of(kernel.getGrid().getBody().getArguments(), differs))
      return ring.emitOpError("has a number of transfers that differs between programs, which teams take in turn; "
                              "choose `teams = 1` in `warp.schedule`");
    return success();
  });
  if (!result.wasInterrupted() && kernel->hasAttr("warp.order"))
    return kernel.emitOpError("has teams and `warp.order`, expected one of them: teams take programs in turn");
  if (!result.wasInterrupted() && !hasProducer(kernel))
    return kernel.emitOpError("has teams and no warp.produce, whose rings hand programs to them; choose `teams = 1` in "
                              "`warp.schedule`");
  return failure(result.wasInterrupted());
}

static LogicalResult verifyKernel(tile::KernelOp kernel, const GpuArch *arch, bool marksBudget) {
  auto schedule = kernel->getAttrOfType<ScheduleAttr>("warp.schedule");
  if (!schedule)
    return kernel.emitOpError("has no `warp.schedule`; tenon-choose-warp-schedules gives it one");
  int64_t rank = kernel.getGrid().getExtents().size();
  if (auto order = kernel->getAttrOfType<OrderAttr>("warp.order"); order && order.getLongest() >= rank)
    return kernel.emitOpError("is ordered along axis ")
           << order.getLongest() << " of its grid, expected one of " << rank << "; tenon-order-programs finds it";
  if (failed(verifyCluster(kernel)) || failed(verifyTeams(kernel, schedule)))
    return failure();
  auto verifyLayouts = [&](Operation *op) -> WalkResult {
    for (Region &region : op->getRegions())
      for (Block &block : region)
        for (Value argument : block.getArguments())
          if (failed(verifyLayout(op, argument, schedule)))
            return failure();
    for (Value result : op->getResults())
      if (failed(verifyLayout(op, result, schedule)))
        return failure();
    return WalkResult::advance();
  };
  if (kernel.walk<WalkOrder::PreOrder>(verifyLayouts).wasInterrupted() ||
      kernel.walk([](Operation *op) -> WalkResult { return verifyOperands(op); }).wasInterrupted() ||
      kernel.walk([](tile::UnlikelyOp op) -> WalkResult { return verifyUnlikely(op); }).wasInterrupted())
    return failure();
  WalkResult dots = kernel.walk([](warp::DotOp dot) -> WalkResult {
    DenseSet<Value> seen;
    return dot.getAsync() ? verifyUnderWay(dot.getResult(), seen) : success();
  });
  if (dots.wasInterrupted() || failed(verifyRingPaths(kernel)) ||
      (arch && failed(verifyBudget(kernel, *arch, marksBudget))))
    return failure();
  reportBankConflicts(kernel);
  return success();
}

namespace {
struct VerifyWarp : tenon::impl::VerifyWarpPassBase<VerifyWarp> {
  using VerifyWarpPassBase::VerifyWarpPassBase;
  void runOnOperation() override {
    const GpuArch *limits = nullptr;
    if (!arch.empty()) {
      FailureOr<const GpuArch *> found = gpuNamed(getOperation(), arch);
      if (failed(found))
        return signalPassFailure();
      limits = *found;
    }
    WalkResult walked = getOperation()->walk(
        [&](tile::KernelOp kernel) -> WalkResult { return verifyKernel(kernel, limits, marksBudget); });
    if (walked.wasInterrupted())
      signalPassFailure();
    markAllAnalysesPreserved();
  }
};
} // namespace
