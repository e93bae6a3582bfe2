#include "passes/4_warp/RingLoads.h"

#include "lib/Analysis/TileBounds.h"
#include "passes/4_warp/DotOperands.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Remarks.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::warp;

/// What computes `places` within the loop, in order; nothing where that takes more than its counter.
static FailureOr<SmallVector<Operation *>> addressOps(scf::ForOp loop, ValueRange places) {
  llvm::SetVector<Operation *> slice;
  SmallVector<Value> open(places.begin(), places.end());
  while (!open.empty()) {
    Value value = open.pop_back_val();
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      if (argument.getOwner() == loop.getBody() && argument != loop.getInductionVar())
        return failure();
      continue;
    }
    Operation *op = value.getDefiningOp();
    if (op->getBlock() != loop.getBody() || slice.contains(op))
      continue;
    auto load = dyn_cast<tile::LoadOp>(op);
    bool isNumber = load && load.getType().getRank() == 0; // of a page, say
    if (!isNumber && (!isPure(op) || op->getNumRegions() > 0))
      return failure();
    slice.insert(op);
    open.append(op->operand_begin(), op->operand_end());
  }
  SmallVector<Operation *> ops(slice.begin(), slice.end());
  llvm::sort(ops, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  return ops;
}

std::optional<StagedTile> StagedTile::of(Operation *op) {
  if (auto load = dyn_cast<tile::LoadOp>(op))
    return StagedTile{load.getResult(), {load}};
  auto join = dyn_cast<tile::JoinOp>(op);
  if (!join || join.getAxis() != 0)
    return std::nullopt;
  StagedTile joined{join.getResult(), {}};
  for (Value tile : join.getTiles())
    if (auto load = tile.getDefiningOp<tile::LoadOp>(); load && load->getBlock() == op->getBlock() &&
                                                        load->hasOneUse() &&
                                                        load.getType().getDimSize(0) % SmemType::rowsOfSwizzle == 0)
      joined.loads.push_back(load);
    else
      return std::nullopt;
  return joined;
}

SmallVector<Value> StagedTile::places() const {
  SmallVector<Value> all;
  for (tile::LoadOp load : loads)
    llvm::append_range(all, load.getPlace());
  return all;
}

SmallVector<Operation *> StagedTile::placeOps(scf::ForOp loop) const {
  return loop ? *addressOps(loop, places()) : SmallVector<Operation *>();
}

/// 8-bit floats become f16, which a dot that reads the right operand where it lies does as it reads them.
static bool isWidening(Operation *op) {
  return isa<arith::ExtFOp>(op) && getElementTypeOrSelf(op->getResult(0).getType()).isF16() &&
         getElementTypeOrSelf(op->getOperand(0).getType()).getIntOrFloatBitWidth() == 8;
}

tile::DotOp tenon::dotFedBy(Value tile, bool widens) {
  tile::DotOp first;
  for (Operation *user : tile.getUsers()) {
    auto dot = dyn_cast<tile::DotOp>(user);
    if (isa<tile::TransOp>(user))
      dot = dotFedBy(user->getResult(0), widens);
    else if (widens && isWidening(user))
      if (dot = dotFedBy(user->getResult(0), widens); dot && dot.getLhs() == user->getResult(0))
        dot = {};
    if (dot && (!first || (dot->getBlock() == first->getBlock() && dot->isBeforeInBlock(first))))
      first = dot;
  }
  return first;
}

/// Whether all that the tile is for are dots of tf32.
static bool isForTf32(Value tile, ScheduleAttr schedule) {
  return llvm::all_of(tile.getUsers(), [&](Operation *user) {
    if (isa<tile::TransOp>(user))
      return isForTf32(user->getResult(0), schedule);
    auto dot = dyn_cast<tile::DotOp>(user);
    return dot && isTf32ByWarpgroups(dot, schedule);
  });
}

SmemType tenon::smemFor(Value tile, ScheduleAttr schedule) {
  auto type = cast<RankedTensorType>(tile.getType());
  if (type.getRank() != 2)
    return {};
  int64_t rowBytes = type.getDimSize(1) * type.getElementTypeBitWidth() / 8;
  if (type.getElementTypeBitWidth() < 8 || rowBytes % 16 != 0 || type.getDimSize(0) % 8 != 0)
    return {};
  Type element = isForTf32(tile, schedule) ? FloatTF32Type::get(type.getContext()) : type.getElementType();
  return SmemType::get(type.getContext(), type.getShape(), element, SmemType::widestSwizzle(rowBytes));
}

bool tenon::fitsTma(const StagedTile &staged, SmemType tile) {
  return tile.getSwizzle() >= 32 && llvm::all_of(staged.loads, [&](tile::LoadOp load) {
           std::optional<ViewMemory> memory = memoryOf(load->getParentOfType<tile::KernelOp>(), load.getView());
           return memory && fitsTensorMap(*memory, tile.getElementBytes()) && load.getType().getDimSize(0) <= 256;
         });
}

RingLoads tenon::findLoads(Block &block, scf::ForOp loop, ScheduleAttr schedule, bool widens) {
  RingLoads found;
  for (Operation &op : block) {
    std::optional<StagedTile> tile = StagedTile::of(&op);
    SmemType smem = tile ? smemFor(tile->value, schedule) : SmemType();
    if (!smem || !dotFedBy(tile->value, widens) ||
        llvm::any_of(tile->loads, [](tile::LoadOp load) { return bool(load.getPad()); }) ||
        (loop && failed(addressOps(loop, tile->places()))))
      continue;
    found.staged.push_back(*tile);
    found.tiles.push_back(smem);
  }
  return found;
}

void tenon::repeat(OpBuilder &b, ArrayRef<Operation *> ops, IRMapping &mapping) {
  for (Operation *op : ops)
    if (!mapping.contains(op->getResult(0)))
      b.clone(*op, mapping);
}

/// For each dimension of the view, whether no turn of the loop reads past its end.
static SmallVector<bool> withinOf(tile::LoadOp load) {
  tile::ViewType view = load.getView().getType();
  int64_t leading = view.getRank() - load.getType().getRank();
  SmallVector<bool> within;
  for (auto [dimension, start] : llvm::enumerate(load.getPlace())) {
    int64_t extent = int64_t(dimension) < leading ? 1 : load.getType().getDimSize(dimension - leading);
    within.push_back(isWithin(view, dimension, start, extent));
  }
  return within;
}

void RingLoads::create(ImplicitLocOpBuilder &b, Value transfers) {
  ring = RingCreateOp::create(b, RingType::get(b.getContext(), stages, tiles), transfers);
  remark::passed(b.getLoc(), remark::RemarkOpts::name("ring").category("tenon-stage-copies"))
      << (Twine(staged.size()) + " tiles a turn come through a ring of " + Twine(stages) + " slots, " +
          (transfers ? "by TMA" : "by cp.async"))
             .str();
}

void RingLoads::fill(ImplicitLocOpBuilder &b, scf::ForOp loop, Value number, IRMapping mapping) const {
  SmallVector<Type> types(tiles.begin(), tiles.end());
  auto slot = RingAcquireOp::create(b, types, ring, number);
  for (auto [tile, target] : llvm::zip_equal(staged, slot.getSlot())) {
    repeat(b, tile.placeOps(loop), mapping);
    int64_t row = 0;
    for (tile::LoadOp load : tile.loads) {
      auto places = llvm::map_to_vector(load.getPlace(), [&](Value place) { return mapping.lookupOrDefault(place); });
      int64_t size = load.getType().getDimSize(0);
      CopyOp::create(b, load.getView(), places, target, b.getDenseBoolArrayAttr(withinOf(load)), /*multicast=*/false,
                     tile.loads.size() == 1 ? DenseI64ArrayAttr() : b.getDenseI64ArrayAttr({row, size}));
      row += size;
    }
  }
}

void RingLoads::read(ImplicitLocOpBuilder &b, Value number, int64_t ahead) {
  SmallVector<Type> types(tiles.begin(), tiles.end());
  auto slot = RingWaitOp::create(b, types, ring, number, ahead);
  for (auto [tile, source] : llvm::zip_equal(staged, slot.getSlot())) {
    Value read = ReadOp::create(b, tile.value.getType(), source);
    tile.value.replaceAllUsesWith(read);
  }
}

Operation *RingLoads::lastUse(Block *block) const {
  Operation *last = nullptr;
  SmallVector<Value> open;
  for (const StagedTile &tile : staged)
    open.push_back(tile.value);
  while (!open.empty())
    for (Operation *user : open.pop_back_val().getUsers()) {
      if (auto trans = dyn_cast<tile::TransOp>(user))
        open.push_back(trans.getResult());
      Operation *here = block->findAncestorOpInBlock(*user);
      if (!last || last->isBeforeInBlock(here))
        last = here;
    }
  return last;
}

void RingLoads::eraseLoads() {
  for (StagedTile &tile : staged) {
    if (isa<tile::JoinOp>(tile.op()))
      tile.op()->erase();
    for (tile::LoadOp load : tile.loads)
      load.erase();
  }
}
