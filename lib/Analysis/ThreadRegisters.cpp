#include "lib/Analysis/ThreadRegisters.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>

using namespace mlir;
using namespace tenon;
using namespace tenon::warp;

static ScheduleAttr scheduleOf(tile::KernelOp kernel) { return kernel->getAttrOfType<ScheduleAttr>("warp.schedule"); }

bool tenon::hasProducer(tile::KernelOp kernel) { return !kernel.getGrid().getBody().getOps<ProduceOp>().empty(); }

/// Registers are handed on by whole warpgroups; where nothing is handed on, one warp does.
int64_t tenon::threadsOf(tile::KernelOp kernel) {
  ScheduleAttr schedule = scheduleOf(kernel);
  int64_t producerWarps = !hasProducer(kernel) ? 0 : schedule.getResident() > 1 ? 1 : 4;
  return 32 * (schedule.getAllWarps() + producerWarps);
}

/// A producer needs few registers; what it gives back lets two or three warpgroups beside it have more than the even
/// share that a kernel is started with. In steps of 8, and the sum within the 512 a warpgroup's lane that an SM has. In
/// a cluster the producer's addresses do not follow from constants: 24 would spill.
RegisterShares tenon::registerSharesOf(tile::KernelOp kernel) {
  ScheduleAttr schedule = scheduleOf(kernel);
  // A kernel of several CTAs starts with what one wgmma needs (ptxas), more is not there.
  if (!hasProducer(kernel) || schedule.getResident() > 1)
    return {};
  int64_t numWarps = schedule.getAllWarps();
  if (numWarps == 8)
    return kernel->hasAttr("warp.cluster") ? RegisterShares{40, 232} : RegisterShares{24, 240};
  return numWarps == 12 ? RegisterShares{32, 160} : RegisterShares{};
}

int64_t tenon::registersOfThread(tile::KernelOp kernel, const GpuArch &arch) {
  if (int64_t others = registerSharesOf(kernel).others)
    return others;
  constexpr int64_t step = 8;
  int64_t even = arch.registersPerSm / (threadsOf(kernel) * scheduleOf(kernel).getResident());
  return std::min<int64_t>(arch.registersPerThread, even / step * step);
}

static int64_t registersOf(Value tile) {
  LayoutAttr layout = layoutOf(tile);
  if (!layout)
    return 0;
  Type element = cast<RankedTensorType>(tile.getType()).getElementType();
  int64_t bits = element.isIntOrFloat() ? element.getIntOrFloatBitWidth() : 32;
  return llvm::divideCeil(layout.getNumRegisters() * bits, 32);
}

/// Whether the value, or what a wait makes of it, is needed behind the op, in its block or further in.
static bool isNeededBehind(Value value, Operation *op) {
  return llvm::any_of(value.getUsers(), [&](Operation *user) {
    Operation *beside = op->getBlock()->findAncestorOpInBlock(*user);
    bool isBehind = beside && op->isBeforeInBlock(beside);
    return isBehind || (isa<DotWaitOp>(user) && isNeededBehind(user->getResult(0), op));
  });
}

/// A dot has its sum all the while. Beside it are what its loop carries from turn to turn and the sums of dots ahead of
/// it in the turn, where they are needed later: neither can be computed anew.
static int64_t registersAt(warp::DotOp dot) {
  int64_t registers = registersOf(dot.getResult());
  auto add = [&](Value tile) {
    if (tile != dot.getAccumulator() && isNeededBehind(tile, dot))
      registers += registersOf(tile);
  };
  if (auto loop = dyn_cast<scf::ForOp>(dot->getParentOp()))
    llvm::for_each(loop.getRegionIterArgs(), add);
  for (Operation *ahead = dot->getPrevNode(); ahead; ahead = ahead->getPrevNode())
    if (isa<warp::DotOp>(ahead))
      add(ahead->getResult(0));
  return registers;
}

int64_t tenon::registersOfTiles(tile::KernelOp kernel) {
  int64_t most = 0;
  kernel.walk([&](warp::DotOp dot) { most = std::max(most, registersAt(dot)); });
  return most;
}
