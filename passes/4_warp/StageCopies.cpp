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
#include "lib/Analysis/TileBounds.h"
#include "lib/Analysis/WeightOperands.h"
#include "passes/4_warp/DotLoops.h"
#include "passes/4_warp/Passes.h"
#include "passes/4_warp/ProgramLoads.h"
#include "passes/4_warp/RingLoads.h"

#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/MapVector.h"

namespace tenon {
#define GEN_PASS_DEF_STAGECOPIESPASS
#include "passes/4_warp/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;
using namespace tenon::warp;

/// Whether data say some of the places.
static bool dependsOnData(scf::ForOp loop, RingLoads &group) {
  return llvm::any_of(group.staged, [&](const StagedTile &tile) {
    return llvm::any_of(tile.placeOps(loop), llvm::IsaPred<tile::LoadOp>);
  });
}

/// For the turn where the loop's counter is `counter`: asks for what data say of the places, which takes a while.
static IRMapping askPlaces(OpBuilder &b, scf::ForOp loop, RingLoads &group, Value counter) {
  IRMapping mapping;
  mapping.map(loop.getInductionVar(), counter);
  for (const StagedTile &tile : group.staged) {
    SmallVector<Operation *> ops = tile.placeOps(loop);
    auto last = llvm::find_if(llvm::reverse(ops), llvm::IsaPred<tile::LoadOp>);
    repeat(b, ArrayRef(ops).drop_back(last - ops.rbegin()), mapping);
  }
  return mapping;
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
    group.fill(b, loop, number, places);
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
    b.setInsertionPointAfter(group.lastUse(loop.getBody()));
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
      group.fill(b, loop, number, places ? *places : ask(number));
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
