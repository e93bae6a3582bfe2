#include "passes/4_warp/ProgramLoads.h"

#include "lib/Analysis/SharedMemory.h"
#include "lib/Schedule/ReadsBehind.h"
#include "passes/4_warp/RingLoads.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::warp;

/// The producer fills the ring once a program, in place of the load of a tile that the block reads.
static void stageOnce(RingLoads group, Block &block) {
  Operation *load = group.first();
  ImplicitLocOpBuilder b(load->getLoc(), load);
  Value zero = arith::ConstantIndexOp::create(b, 0), one = arith::ConstantIndexOp::create(b, 1);
  group.create(b, one);
  auto produce = ProduceOp::create(b);
  {
    OpBuilder::InsertionGuard inside(b);
    b.createBlock(&produce.getBody());
    group.fill(b, /*loop=*/{}, zero, IRMapping());
    RingCommitOp::create(b, group.ring, zero);
  }
  {
    OpBuilder::InsertionGuard after(b);
    b.setInsertionPointAfter(group.lastUse(&block));
    RingReleaseOp::create(b, group.ring, zero);
  }
  group.read(b, zero, /*ahead=*/0);
  group.eraseLoads();
}

void tenon::stageOuterLoads(tile::GridOp grid, ScheduleAttr schedule) {
  // Those of what is seldom done anew all threads fill, whoever fills the others.
  WalkResult ofAllThreads = grid.walk<WalkOrder::PreOrder>([](Operation *op) {
    return isa<tile::RedoOp>(op)   ? WalkResult::skip()
           : isa<RingCreateOp>(op) ? WalkResult::interrupt()
                                   : WalkResult::advance();
  });
  if (grid.getBody().getOps<ProduceOp>().empty() && (ofAllThreads.wasInterrupted() || !schedule.getProducer()))
    return;
  Block &block = grid.getBody().front();
  RingLoads all = findLoads(block, /*loop=*/{}, schedule, /*widens=*/false);
  for (auto [staged, tile] : llvm::zip_equal(all.staged, all.tiles)) {
    if (!fitsTma(staged, tile))
      continue;
    stageOnce({{staged}, {tile}, schedule.getOuter(), Value()}, block);
  }
}

/// Of rings and what other CTAs send.
static int64_t sharedBytesSoFar(tile::KernelOp kernel) {
  int64_t bytes = 0;
  kernel.walk([&](Operation *op) {
    if (auto ring = dyn_cast<RingCreateOp>(op)) // a slot has two barriers
      bytes += ring.getRing().getType().getDepth() * (ring.getRing().getType().getSlotBytes() + 16);
    else if (auto shared = dyn_cast<tile::ReduceScatterOp>(op))
      bytes += sharedSumBytes(shared);
  });
  return bytes;
}

void tenon::stageLoadsBehind(tile::KernelOp kernel, ScheduleAttr schedule, const GpuArch &arch) {
  Block &block = kernel.getGrid().getBody().front();
  auto loops = block.getOps<scf::ForOp>();
  if (block.getOps<ProduceOp>().empty() || loops.empty() || !schedule.getWgmma() || schedule.getTeams() > 1 ||
      !block.getOps<tile::ReduceToLastOp>().empty())
    return;
  Operation *loop = &**std::prev(loops.end());
  for (auto load : llvm::make_early_inc_range(block.getOps<tile::LoadOp>())) {
    StagedTile staged{load.getResult(), {load}};
    SmemType tile = smemFor(load.getResult(), schedule);
    bool isOfSums = llvm::any_of(loop->getResultTypes(), [&](Type type) {
      auto sums = dyn_cast<RankedTensorType>(type);
      return sums && sums.getShape() == load.getType().getShape();
    });
    if (!loop->isBeforeInBlock(load) || !tile || !isOfSums || load.getPad() || !fitsTma(staged, tile) ||
        sharedBytesSoFar(kernel) > ringBytesBeside(tile.getBytes(), tile.getShape()[0], arch))
      continue;
    stageOnce({{staged}, {tile}, /*stages=*/1, Value()}, block);
  }
}
