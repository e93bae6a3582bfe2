#include "lib/Analysis/SharedMemory.h"

#include "lib/Analysis/BankConflicts.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::warp;

static int64_t bytesOf(Type element) {
  return element.isIndex() ? 4 : std::max<int64_t>(1, element.getIntOrFloatBitWidth() / 8);
}

namespace {
/// A ring or a staged tile: its bytes, and from which op to which it is needed, in the order of the program.
struct SharedTile {
  Operation *op;
  int64_t bytes;
  unsigned first, last;
  int64_t offset = 0;
  bool isPutOff = false; ///< needed behind all programs, when nothing else is
  bool meets(const SharedTile &other) const {
    return isPutOff == other.isPutOff && first <= other.last && other.first <= last;
  }
  bool overlaps(const SharedTile &other) const {
    return offset < other.offset + other.bytes && other.offset < offset + bytes;
  }
};
} // namespace

/// What stands in a loop that its definition is outside of is needed until the loop's end.
static SharedTile lifetimeOf(Operation *op, int64_t bytes, const DenseMap<Operation *, unsigned> &numbers) {
  SharedTile tile{op, bytes, numbers.at(op), numbers.at(op)};
  SmallVector<Value> open(op->result_begin(), op->result_end());
  while (!open.empty()) {
    for (Operation *user : open.pop_back_val().getUsers()) {
      if (isa<RingAcquireOp, RingWaitOp>(user))
        open.append(user->result_begin(), user->result_end());
      Operation *until = user;
      for (Operation *parent = user->getParentOp(); parent && !parent->isProperAncestor(op);
           parent = parent->getParentOp())
        if (isa<scf::ForOp>(parent))
          until = parent;
      unsigned last = numbers.at(until);
      until->walk([&](Operation *inner) { last = std::max(last, numbers.at(inner)); });
      tile.last = std::max(tile.last, last);
    }
  }
  return tile;
}

/// Registers whose values a fold over warps exchanges; 0 where it stays within warps. A running fold has a value for
/// each register that counts slower than the fastest of the warps' digits.
static int64_t exchangedRegisters(Operation *fold, LayoutAttr layout) {
  int64_t axis = cast<IntegerAttr>(fold->getAttr("axis")).getInt();
  int64_t registers = 0, slower = layout.drop(axis).getNumRegisters();
  for (const Digit &digit : layout.getDim(axis)) {
    if (digit.kind == DigitKind::Register && isa<tile::ScanOp>(fold))
      slower *= digit.size;
    if (digit.kind == DigitKind::Warp)
      registers = slower;
  }
  return registers;
}

bool tenon::isPutOff(tile::RedoOp op) {
  auto grid = dyn_cast<tile::GridOp>(op->getParentOp());
  return grid && !grid.getBody().getOps<ProduceOp>().empty();
}

SharedMemoryPlan tenon::planSharedMemory(tile::KernelOp kernel) {
  SharedMemoryPlan plan;
  auto schedule = kernel->getAttrOfType<ScheduleAttr>("warp.schedule");
  DenseMap<Operation *, unsigned> numbers;
  kernel.walk<WalkOrder::PreOrder>([&](Operation *op) { numbers[op] = numbers.size(); });
  SmallVector<SharedTile> tiles;
  int64_t scratchBytes = 0;
  kernel.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (auto ring = dyn_cast<RingCreateOp>(op)) {
      RingType type = ring.getRing().getType();
      tiles.push_back(lifetimeOf(op, type.getDepth() * type.getSlotBytes(), numbers));
      // A producer fills the ring for the next program while this one ends.
      if (ring.getTransfers()) {
        tiles.back().first = 0;
        tiles.back().last = numbers.size();
      }
    } else if (auto stage = dyn_cast<StageOp>(op)) {
      tiles.push_back(lifetimeOf(op, schedule.getTeams() * stage.getTarget().getType().getBytes(), numbers));
    } else if (auto store = dyn_cast<StoreOp>(op)) {
      // Copied out while the next program runs.
      int64_t slotBytes = storeSlotBytes(storeSlabsOf(store.getTile().getType()), schedule);
      tiles.push_back({op, schedule.getTeams() * int64_t(store.getSlots()) * slotBytes, 0, unsigned(numbers.size())});
    } else if (auto shared = dyn_cast<tile::ReduceScatterOp>(op)) {
      // Others send their parts when they have them.
      tiles.push_back({op, sharedSumBytes(shared), 0, unsigned(numbers.size())});
    } else if (auto reshape = dyn_cast<tile::ReshapeOp>(op); isa<RelayoutOp>(op) || (reshape && !isInPlace(reshape))) {
      auto from = cast<RankedTensorType>(op->getOperand(0).getType());
      auto to = cast<RankedTensorType>(op->getResult(0).getType());
      scratchBytes = std::max(scratchBytes, planExchange(from, to, schedule.getNumWarps()).bytes);
    } else if (isa<tile::ReduceOp, tile::ScanOp>(op)) {
      auto type = cast<RankedTensorType>(op->getOperand(0).getType());
      int64_t registers = exchangedRegisters(op, layoutOf(type));
      scratchBytes = std::max(scratchBytes, registers * 32 * schedule.getNumWarps() * bytesOf(type.getElementType()));
    }
  });
  for (size_t number = 0; number < tiles.size(); ++number) {
    SharedTile &tile = tiles[number];
    auto redo = tile.op->getParentOfType<tile::RedoOp>();
    tile.isPutOff = redo && isPutOff(redo);
    MutableArrayRef<SharedTile> earlier = MutableArrayRef(tiles).take_front(number);
    // The lowest place that nothing needed at the same time is in.
    SmallVector<int64_t> places{0};
    for (const SharedTile &other : earlier)
      places.push_back(other.offset + other.bytes);
    llvm::sort(places);
    for (int64_t place : places) {
      tile.offset = place;
      if (llvm::none_of(earlier, [&](const SharedTile &other) { return tile.meets(other) && tile.overlaps(other); }))
        break;
    }
    if (llvm::any_of(earlier, [&](const SharedTile &other) { return tile.overlaps(other); }))
      plan.reuses.insert(tile.op);
    plan.offsets[tile.op] = tile.offset;
    plan.tileBytes = std::max(plan.tileBytes, tile.offset + tile.bytes);
  }
  plan.scratchBytes = llvm::alignTo(scratchBytes, 128) * schedule.getTeams();
  kernel.walk([&](RingCreateOp ring) {
    if (!ring.getTransfers())
      return;
    plan.barriers[ring.getRing()] = plan.getBytes();
    plan.barrierBytes += 16 * ring.getRing().getType().getDepth();
  });
  kernel.walk([&](tile::ReduceScatterOp) {
    plan.sums = plan.getBytes();
    plan.barrierBytes += 16;
  });
  kernel.walk([&](Operation *op) {
    if (!isa<tile::ReduceToLastOp, tile::GatherToLastOp>(op))
      return;
    plan.last = plan.getBytes();
    plan.barrierBytes += 16;
  });
  if (kernel->hasAttr("warp.order")) {
    plan.programs = plan.getBytes();
    plan.barrierBytes += 64;
  }
  kernel.walk([&](tile::RedoOp op) {
    if (!isPutOff(op))
      return;
    plan.lists[op] = plan.getBytes();
    plan.barrierBytes += 4 * schedule.getNumWarps();
  });
  return plan;
}

int64_t tenon::sharedSumBytes(tile::ReduceScatterOp op) {
  RankedTensorType part = op.getResult().getType();
  return (op.getParts() - 1) * part.getNumElements() * bytesOf(part.getElementType());
}

int64_t tenon::storeSlotBytes(ArrayRef<StoreSlab> slabs, ScheduleAttr schedule) {
  return slabs.front().tile.getBytes() * schedule.getNumWarps();
}

BlockTurn tenon::blockTurnOf(SmemType slab) {
  if (slab.getElementBytes() != 4 || slab.getSwizzle() < 64)
    return {};
  return slab.getSwizzle() == 128 ? BlockTurn{1, 16} : BlockTurn{2, 8};
}

int64_t tenon::copyLanesAlongRow(SmemType tile) {
  int64_t chunks = tile.getShape()[1] * tile.getElementBytes() / 16, lanes = 1;
  while (lanes * 2 <= std::min<int64_t>(32, chunks) && chunks % (lanes * 2) == 0)
    lanes *= 2;
  return lanes;
}

int64_t tenon::fragmentWidth(LayoutAttr layout, SmemType tile) {
  int64_t run = layout.getRun(1), width = std::min<int64_t>(16 / tile.getElementBytes(), run);
  while (run % width != 0 || tile.getShape()[1] % width != 0 || !llvm::isPowerOf2_64(width))
    --width;
  return width;
}
