// A loop that multiplies tiles waits for each of its loads, and every warp loads what its neighbours load too. After
// this pass the operands of dots come from a ring in shared memory: copies for turn i + stages - 1 begin while turn i
// is computed. The ring is stated by the numbers of its transfers; which barriers that takes is decided below.
//
//   for k { a = load X[k]; .. dot a .. }
//   ->  for s in [0, stages-1): acquire s, copy X[first + s*step], commit s
//       for k: slot = wait i; acquire i+stages-1, copy X[k + (stages-1)*step], commit; dot (read slot)
//
// A producer fills rings on a warp of its own. Then what one dot reads has a ring of its own, whose slots are free as
// soon as that dot is done, and what is loaded before the loop comes the same way, early for the next program; so does
// a residual behind the loop, while the product runs. What a program alone reads comes from memory and takes longer
// than what all read at once from the second-level cache: with `early` it has a ring of its own, of more slots. Weights
// do not wait for what the launch ahead computes, either.
//
// Loads that are joined, as pages of keys, are one tile in a ring: each is a copy into its rows. What data say of their
// places is asked for a wait ahead.
#include "dialects/Warp/Warp.h"
#include "lib/Analysis/GpuOfModule.h"
#include "lib/Analysis/SharedMemory.h"
#include "lib/Analysis/TileBounds.h"
#include "lib/Analysis/WeightOperands.h"
#include "lib/Schedule/ReadsBehind.h"
#include "passes/4_warp/DotLoops.h"
#include "passes/4_warp/DotOperands.h"
#include "passes/4_warp/Passes.h"

#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/MapVector.h"

namespace tenon {
#define GEN_PASS_DEF_STAGECOPIESPASS
#include "passes/4_warp/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;
using namespace tenon::warp;

/// 8-bit floats become f16, which a dot that reads the right operand where it lies does as it reads them.
static bool isWidening(Operation *op) {
  return isa<arith::ExtFOp>(op) && getElementTypeOrSelf(op->getResult(0).getType()).isF16() &&
         getElementTypeOrSelf(op->getOperand(0).getType()).getIntOrFloatBitWidth() == 8;
}

/// The first dot that the tile is an operand of, as it is, transposed, or where `widens` the right one, widened; null:
/// none.
static tile::DotOp dotFedBy(Value tile, bool widens) {
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

/// Null where the tile has no form in shared memory.
static SmemType smemFor(Value tile, ScheduleAttr schedule) {
  auto type = cast<RankedTensorType>(tile.getType());
  if (type.getRank() != 2)
    return {};
  int64_t rowBytes = type.getDimSize(1) * type.getElementTypeBitWidth() / 8;
  if (type.getElementTypeBitWidth() < 8 || rowBytes % 16 != 0 || type.getDimSize(0) % 8 != 0)
    return {};
  Type element = isForTf32(tile, schedule) ? FloatTF32Type::get(type.getContext()) : type.getElementType();
  return SmemType::get(type.getContext(), type.getShape(), element, SmemType::widestSwizzle(rowBytes));
}

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

namespace {
/// What one shared tile takes the place of: a load, or several that are joined along their rows.
struct StagedTile {
  TypedValue<RankedTensorType> value;
  SmallVector<tile::LoadOp> loads;

  /// Nothing where it is neither.
  static std::optional<StagedTile> of(Operation *op) {
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
  Operation *op() const { return value.getDefiningOp(); }
  SmallVector<Value> places() const {
    SmallVector<Value> all;
    for (tile::LoadOp load : loads)
      llvm::append_range(all, load.getPlace());
    return all;
  }
};

/// Tiles that come through one ring.
struct RingLoads {
  SmallVector<StagedTile> staged;
  SmallVector<SmemType> tiles;
  int64_t stages = 1;
  Value ring;
  bool isStreamed = false; ///< from memory, each tile for one program
  bool areWeights = false; ///< that the producer begins to copy before the launch ahead is done

  void create(ImplicitLocOpBuilder &b, Value transfers) {
    ring = RingCreateOp::create(b, RingType::get(b.getContext(), stages, tiles), transfers);
  }
  /// Reads of a full slot in place of the loads.
  void read(ImplicitLocOpBuilder &b, Value number, int64_t ahead) {
    SmallVector<Type> types(tiles.begin(), tiles.end());
    auto slot = RingWaitOp::create(b, types, ring, number, ahead);
    for (auto [tile, source] : llvm::zip_equal(staged, slot.getSlot())) {
      Value read = ReadOp::create(b, tile.value.getType(), source);
      tile.value.replaceAllUsesWith(read);
    }
  }
  Operation *first() const { return staged.front().loads.front(); }
  void eraseLoads() {
    for (StagedTile &tile : staged) {
      if (isa<tile::JoinOp>(tile.op()))
        tile.op()->erase();
      for (tile::LoadOp load : tile.loads)
        load.erase();
    }
  }
};
} // namespace

/// What computes the places of the tile's loads, where there is a loop.
static SmallVector<Operation *> addressOps(scf::ForOp loop, const StagedTile &tile) {
  return loop ? *addressOps(loop, tile.places()) : SmallVector<Operation *>();
}

static void repeat(OpBuilder &b, ArrayRef<Operation *> ops, IRMapping &mapping) {
  for (Operation *op : ops)
    if (!mapping.contains(op->getResult(0)))
      b.clone(*op, mapping);
}

/// Whether data say some of the places.
static bool dependsOnData(scf::ForOp loop, RingLoads &group) {
  return llvm::any_of(group.staged, [&](const StagedTile &tile) {
    return llvm::any_of(addressOps(loop, tile), llvm::IsaPred<tile::LoadOp>);
  });
}

/// For the turn where the loop's counter is `counter`: asks for what data say of the places, which takes a while.
static IRMapping askPlaces(OpBuilder &b, scf::ForOp loop, RingLoads &group, Value counter) {
  IRMapping mapping;
  mapping.map(loop.getInductionVar(), counter);
  for (const StagedTile &tile : group.staged) {
    SmallVector<Operation *> ops = addressOps(loop, tile);
    auto last = llvm::find_if(llvm::reverse(ops), llvm::IsaPred<tile::LoadOp>);
    repeat(b, ArrayRef(ops).drop_back(last - ops.rbegin()), mapping);
  }
  return mapping;
}

/// The copies of turn `number`, by what is known of its places; no loop: there is one turn.
static void fill(ImplicitLocOpBuilder &b, scf::ForOp loop, RingLoads &group, Value number, IRMapping mapping) {
  SmallVector<Type> types(group.tiles.begin(), group.tiles.end());
  auto slot = RingAcquireOp::create(b, types, group.ring, number);
  for (auto [tile, target] : llvm::zip_equal(group.staged, slot.getSlot())) {
    repeat(b, addressOps(loop, tile), mapping);
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

/// Whether TMA takes the copies.
static bool fitsTma(const StagedTile &staged, SmemType tile) {
  return tile.getSwizzle() >= 32 && llvm::all_of(staged.loads, [&](tile::LoadOp load) {
           std::optional<ViewMemory> memory = memoryOf(load->getParentOfType<tile::KernelOp>(), load.getView());
           return memory && fitsTensorMap(*memory, tile.getElementBytes()) && load.getType().getDimSize(0) <= 256;
         });
}

/// Loads of the block that are operands of dots and have a form in shared memory.
static RingLoads findLoads(Block &block, scf::ForOp loop, ScheduleAttr schedule, bool widens) {
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

/// By the first dot that they feed.
static SmallVector<RingLoads> splitByDot(const RingLoads &all) {
  llvm::MapVector<Operation *, RingLoads> groups;
  for (auto [staged, tile] : llvm::zip_equal(all.staged, all.tiles)) {
    RingLoads &group = groups[dotFedBy(staged.value, /*widens=*/false)];
    group.staged.push_back(staged);
    group.tiles.push_back(tile);
  }
  return llvm::map_to_vector(groups, [](auto &entry) { return entry.second; });
}

/// The last op of `block` in which the tiles are read.
static Operation *lastUse(const RingLoads &group, Block *block) {
  Operation *last = nullptr;
  SmallVector<Value> open;
  for (const StagedTile &tile : group.staged)
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

static void report(Operation *at, const RingLoads &group, bool isProduced) {
  remark::passed(at->getLoc(), remark::RemarkOpts::name("ring").category("tenon-stage-copies"))
      << (Twine(group.staged.size()) + " tiles a turn come through a ring of " + Twine(group.stages) + " slots, " +
          (isProduced ? "by TMA" : "by cp.async"))
             .str();
}

namespace {
/// A loop whose loads come through rings.
class LoopStaging {
public:
  /// `weights`: a bit each of the kernel's operands. `widens`: dots may do so with 8-bit floats.
  LoopStaging(scf::ForOp loop, ScheduleAttr schedule, const llvm::BitVector &weights, bool widens)
      : loop(loop), schedule(schedule), weights(weights), widens(widens), b(loop.getLoc(), loop),
        lower(loop.getLowerBound()), step(loop.getStep()) {}
  void run();

private:
  void create(RingLoads &group, bool isProduced);
  bool isWeight(const StagedTile &tile);
  SmallVector<RingLoads> splitStreamed(ArrayRef<RingLoads> groups);
  void produce(MutableArrayRef<RingLoads> groups);
  void copyAhead(RingLoads &group);
  void inLoop(Value turns, function_ref<void(Value)> body) {
    auto made = scf::ForOp::create(b, zero, turns, one);
    OpBuilder::InsertionGuard inside(b);
    b.setInsertionPointToStart(made.getBody());
    body(made.getInductionVar());
  }
  Value counterOf(Value number) {
    return b.createOrFold<arith::AddIOp>(lower, b.createOrFold<arith::MulIOp>(number, step));
  }
  /// The number of the turn that runs; the builder is left at the body's start.
  Value currentNumber() {
    b.setInsertionPointToStart(loop.getBody());
    return b.createOrFold<arith::DivUIOp>(b.createOrFold<arith::SubIOp>(loop.getInductionVar(), lower), step);
  }

  scf::ForOp loop;
  ScheduleAttr schedule;
  const llvm::BitVector &weights;
  bool widens;
  ImplicitLocOpBuilder b;
  Value lower, step, zero, one, trips;
};
} // namespace

void LoopStaging::create(RingLoads &group, bool isProduced) {
  // What every turn reads again is not worth a second slot.
  bool isSame = llvm::none_of(group.staged, [&](const StagedTile &tile) {
    return llvm::any_of(tile.places(), [&](Value place) { return !loop.isDefinedOutsideOfLoop(place); });
  });
  group.stages = isSame ? 1 : group.isStreamed ? schedule.getEarly() : schedule.getStages();
  group.create(b, isProduced ? trips : Value());
  report(loop, group, isProduced);
}

bool LoopStaging::isWeight(const StagedTile &tile) {
  tile::LoadOp load = tile.loads.front();
  unsigned argument = memoryOf(loop->getParentOfType<tile::KernelOp>(), load.getView())->argument;
  return argument < weights.size() && weights[argument];
}

/// Whether no other program of the grid reads the tile.
static bool isReadOnce(const StagedTile &tile) {
  auto grid = tile.op()->getParentOfType<tile::GridOp>();
  SmallVector<Value> places = tile.places();
  return llvm::all_of(grid.getBody().getArguments(), [&](BlockArgument axis) {
    return getConstantIntValue(grid.getExtents()[axis.getArgNumber()]) == 1 ||
           llvm::any_of(places, [&](Value place) { return mayDependOn(place, axis); });
  });
}

/// Weights, or where there are none what a program alone reads, apart from the rest.
SmallVector<RingLoads> LoopStaging::splitStreamed(ArrayRef<RingLoads> groups) {
  SmallVector<RingLoads> split;
  for (const RingLoads &group : groups) {
    RingLoads others, streamed;
    streamed.areWeights = llvm::any_of(group.staged, [&](const StagedTile &tile) { return isWeight(tile); });
    for (auto [staged, tile] : llvm::zip_equal(group.staged, group.tiles)) {
      RingLoads &part = (streamed.areWeights ? isWeight(staged) : isReadOnce(staged)) ? streamed : others;
      part.staged.push_back(staged);
      part.tiles.push_back(tile);
    }
    streamed.isStreamed = streamed.areWeights || !others.staged.empty();
    for (const RingLoads &part : {others, streamed})
      if (!part.staged.empty())
        split.push_back(part);
  }
  return split;
}

void LoopStaging::produce(MutableArrayRef<RingLoads> groups) {
  for (RingLoads &group : groups)
    create(group, /*isProduced=*/true);
  auto transfer = [&](RingLoads &group, Value number) {
    IRMapping places = askPlaces(b, loop, group, counterOf(number));
    fill(b, loop, group, number, places);
    RingCommitOp::create(b, group.ring, number);
  };
  for (RingLoads &group : groups)
    if (group.areWeights) {
      Value slots = arith::ConstantIndexOp::create(b, group.stages);
      Value first = b.createOrFold<arith::MinSIOp>(trips, slots);
      auto early = EarlyOp::create(b);
      OpBuilder::InsertionGuard inside(b);
      b.createBlock(&early.getBody());
      inLoop(first, [&](Value number) { transfer(group, number); });
    }
  auto produce = ProduceOp::create(b);
  b.createBlock(&produce.getBody());
  inLoop(trips, [&](Value number) {
    for (RingLoads &group : groups) {
      if (!group.areWeights) {
        transfer(group, number);
        continue;
      }
      Value isEarly = RingIsEarlyOp::create(b, b.getI1Type(), group.ring, number);
      auto branch = scf::IfOp::create(b, isEarly, /*withElseRegion=*/true);
      OpBuilder::InsertionGuard inside(b);
      b.setInsertionPointToStart(branch.elseBlock());
      transfer(group, number);
    }
  });
  Value number = currentNumber();
  for (RingLoads &group : groups) {
    b.setInsertionPointAfter(lastUse(group, loop.getBody()));
    RingReleaseOp::create(b, group.ring, number);
    b.setInsertionPoint(group.first());
    group.read(b, number, /*ahead=*/0);
  }
}

void LoopStaging::copyAhead(RingLoads &group) {
  create(group, /*isProduced=*/false);
  // A slot is free for the next transfer once its dot is done: in the same turn, or one later (tenon-overlap-dots).
  bool isLate = schedule.getWgmma() && group.stages > 2 && !findCarriedDots<tile::DotOp>(loop).empty();
  int64_t turnsAhead = group.stages - (isLate ? 2 : 1);
  Value lead = arith::ConstantIndexOp::create(b, turnsAhead);
  auto ask = [&](Value number) { return askPlaces(b, loop, group, counterOf(number)); };
  auto fillIfAny = [&](Value number, const std::optional<IRMapping> &places) {
    Value isTurn = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, number, trips);
    auto guard = scf::IfOp::create(b, isTurn, /*withElseRegion=*/false);
    {
      OpBuilder::InsertionGuard inside(b);
      b.setInsertionPointToStart(guard.thenBlock());
      fill(b, loop, group, number, places ? *places : ask(number));
    }
    RingCommitOp::create(b, group.ring, number);
  };
  if (group.stages > 1)
    inLoop(lead, [&](Value number) { fillIfAny(number, {}); });
  Value number = currentNumber(), next;
  if (group.stages == 1)
    fillIfAny(number, {});
  std::optional<IRMapping> places;
  if (group.stages > 1 && dependsOnData(loop, group)) { // asked for before this turn's tiles are waited for
    next = b.createOrFold<arith::AddIOp>(number, lead);
    places = ask(next);
  }
  group.read(b, number, std::max<int64_t>(0, turnsAhead - 1));
  if (group.stages > 1)
    fillIfAny(next ? next : b.createOrFold<arith::AddIOp>(number, lead), places);
  b.setInsertionPoint(loop.getBody()->getTerminator());
  RingReleaseOp::create(b, group.ring, number);
}

void LoopStaging::run() {
  RingLoads all = findLoads(*loop.getBody(), loop, schedule, widens);
  if (all.staged.empty())
    return;
  zero = arith::ConstantIndexOp::create(b, 0), one = arith::ConstantIndexOp::create(b, 1);
  Value span = b.createOrFold<arith::SubIOp>(loop.getUpperBound(), lower);
  // None where the loop does not run.
  trips = b.createOrFold<arith::MaxSIOp>(b.createOrFold<arith::CeilDivSIOp>(span, step), zero);
  // A producer fills rings of loops that run once a program.
  bool isProduced = schedule.getProducer() && isa<tile::GridOp>(loop->getParentOp()) &&
                    llvm::all_of(llvm::zip_equal(all.staged, all.tiles),
                                 [](auto pair) { return fitsTma(std::get<0>(pair), std::get<1>(pair)); });
  SmallVector<RingLoads> groups = isProduced ? splitByDot(all) : SmallVector<RingLoads>{all};
  // What data say is not known before the launch ahead is done.
  SetVector<Operation *> needed;
  (void)getBackwardSlice(trips, &needed);
  if (isProduced && schedule.getEarly() > 0 && llvm::none_of(needed, llvm::IsaPred<tensor::ExtractOp>))
    groups = splitStreamed(groups);
  if (isProduced)
    produce(groups);
  else
    copyAhead(groups.front());
  all.eraseLoads();
}

/// The producer fills the ring once a program, in place of the load of a tile that the block reads.
static void stageOnce(RingLoads group, Block &block) {
  Operation *load = group.first();
  ImplicitLocOpBuilder b(load->getLoc(), load);
  Value zero = arith::ConstantIndexOp::create(b, 0), one = arith::ConstantIndexOp::create(b, 1);
  group.create(b, one);
  report(load, group, /*isProduced=*/true);
  auto produce = ProduceOp::create(b);
  {
    OpBuilder::InsertionGuard inside(b);
    b.createBlock(&produce.getBody());
    fill(b, /*loop=*/{}, group, zero, IRMapping());
    RingCommitOp::create(b, group.ring, zero);
  }
  {
    OpBuilder::InsertionGuard after(b);
    b.setInsertionPointAfter(lastUse(group, &block));
    RingReleaseOp::create(b, group.ring, zero);
  }
  group.read(b, zero, /*ahead=*/0);
  group.eraseLoads();
}

/// What is loaded once a program and multiplied comes through a ring of its own: the producer brings the next program's
/// while this one runs. So does all that a program without a loop multiplies.
static void stageOuterLoads(tile::GridOp grid, ScheduleAttr schedule) {
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

/// What is computed with a product's sums, a residual say, is read in their layout, four lanes to a row, and waited for
/// where the product is done. Here the producer brings it while the product runs, where there is room beside a slab for
/// what leaves. Teams do not wait for one another there, and behind a sum that the last program adds up comes only
/// that.
static void stageLoadsBehind(tile::KernelOp kernel, ScheduleAttr schedule, const GpuArch &arch) {
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

namespace {
struct StageCopies : tenon::impl::StageCopiesPassBase<StageCopies> {
  using StageCopiesPassBase::StageCopiesPassBase;
  void runOnOperation() override {
    FailureOr<const GpuArch *> arch = gpuNamed(getOperation(), this->arch);
    if (failed(arch))
      return signalPassFailure();
    WeightOperands weights = findWeightOperands(getOperation());
    getOperation()->walk([&](tile::KernelOp kernel) {
      auto schedule = kernel->getAttrOfType<ScheduleAttr>("warp.schedule");
      if (!schedule)
        return;
      SmallVector<scf::ForOp> loops;
      kernel.walk([&](scf::ForOp loop) { loops.push_back(loop); });
      const llvm::BitVector ofKernel = weights.lookup(kernel);
      bool widens = !schedule.getWgmma() && (*arch)->rates.tensorF8 > 0;
      for (scf::ForOp loop : loops)
        LoopStaging(loop, schedule, ofKernel, widens).run();
      stageOuterLoads(kernel.getGrid(), schedule);
      stageLoadsBehind(kernel, schedule, **arch);
    });
  }
};
} // namespace
