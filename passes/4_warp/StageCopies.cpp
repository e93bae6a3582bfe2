// A loop that multiplies tiles waits for each of its loads, and every warp loads what its neighbours load too. After
// this pass the operands of dots come from a ring in shared memory: copies for turn i + stages - 1 begin while turn i
// is computed. The ring is stated by the numbers of its transfers; which barriers that takes is decided below.
//
//   for k { a = load X[k]; .. dot a .. }
//   ->  for s in [0, stages-1): acquire s, copy X[first + s*step], commit s
//       for k: slot = wait i; acquire i+stages-1, copy X[k + (stages-1)*step], commit; dot (read slot)
#include "dialects/Warp/Warp.h"
#include "lib/Analysis/TileBounds.h"
#include "passes/4_warp/DotLoops.h"
#include "passes/4_warp/Passes.h"

#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Remarks.h"

namespace tenon {
#define GEN_PASS_DEF_STAGECOPIESPASS
#include "passes/4_warp/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;
using namespace tenon::warp;

/// A dot's operand, as it is or transposed.
static bool feedsDot(Value tile) {
  return llvm::any_of(tile.getUsers(), [](Operation *user) {
    if (auto trans = dyn_cast<tile::TransOp>(user))
      return feedsDot(trans.getResult());
    return isa<tile::DotOp>(user);
  });
}

/// Null where the tile has no form in shared memory.
static SmemType smemFor(RankedTensorType type) {
  if (type.getRank() != 2)
    return {};
  int64_t rowBytes = type.getDimSize(1) * type.getElementTypeBitWidth() / 8;
  if (type.getElementTypeBitWidth() < 8 || rowBytes % 16 != 0 || type.getDimSize(0) % 8 != 0)
    return {};
  return SmemType::get(type.getContext(), type.getShape(), type.getElementType(), SmemType::widestSwizzle(rowBytes));
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
    if (!isPure(op) || op->getNumRegions() > 0)
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

/// The loop's copies of turn `number`, whose counter is `counter`.
static void fill(ImplicitLocOpBuilder &b, scf::ForOp loop, MutableArrayRef<tile::LoadOp> loads, Value ring,
                 Value number, Value counter) {
  auto type = cast<RingType>(ring.getType());
  SmallVector<Type> types(type.getTiles().begin(), type.getTiles().end());
  auto slot = RingAcquireOp::create(b, types, ring, number);
  IRMapping mapping;
  mapping.map(loop.getInductionVar(), counter);
  for (auto [load, target] : llvm::zip_equal(loads, slot.getSlot())) {
    FailureOr<SmallVector<Operation *>> ops = addressOps(loop, load.getPlace());
    for (Operation *op : *ops)
      if (!mapping.contains(op->getResult(0)))
        b.clone(*op, mapping);
    auto places = llvm::map_to_vector(load.getPlace(), [&](Value place) { return mapping.lookupOrDefault(place); });
    CopyOp::create(b, load.getView(), places, target, b.getDenseBoolArrayAttr(withinOf(load)));
  }
}

/// Whether a producer can fill the loop's ring: the loop runs once a program, and TMA takes every copy.
static bool canProduce(scf::ForOp loop, ArrayRef<tile::LoadOp> loads, ArrayRef<SmemType> tiles) {
  if (!isa<tile::GridOp>(loop->getParentOp()))
    return false;
  auto kernel = loop->getParentOfType<tile::KernelOp>();
  return llvm::all_of(llvm::zip_equal(loads, tiles), [&](auto pair) {
    auto [load, tile] = pair;
    tile::LoadOp op = load;
    std::optional<ViewMemory> memory = memoryOf(kernel, op.getView());
    return memory && fitsTensorMap(*memory, tile.getElementBytes()) && tile.getSwizzle() >= 32 &&
           tile.getShape()[0] <= 256;
  });
}

static void stageLoop(scf::ForOp loop, ScheduleAttr schedule) {
  SmallVector<tile::LoadOp> loads;
  SmallVector<SmemType> tiles;
  for (auto load : loop.getBody()->getOps<tile::LoadOp>()) {
    SmemType smem = smemFor(load.getType());
    if (!smem || load.getPad() || !feedsDot(load.getResult()) || failed(addressOps(loop, load.getPlace())))
      continue;
    loads.push_back(load);
    tiles.push_back(smem);
  }
  if (loads.empty())
    return;
  // What every turn reads again is not worth a second slot.
  bool isSame = llvm::none_of(loads, [&](tile::LoadOp load) {
    return llvm::any_of(load.getPlace(), [&](Value place) { return !loop.isDefinedOutsideOfLoop(place); });
  });
  int64_t stages = isSame ? 1 : schedule.getStages();
  ImplicitLocOpBuilder b(loads.front().getLoc(), loop);
  auto type = RingType::get(b.getContext(), stages, tiles);
  Value lower = loop.getLowerBound(), upper = loop.getUpperBound(), step = loop.getStep();
  Value zero = arith::ConstantIndexOp::create(b, 0), one = arith::ConstantIndexOp::create(b, 1);
  Value span = b.createOrFold<arith::SubIOp>(upper, lower);
  // None where the loop does not run.
  Value trips = b.createOrFold<arith::MaxSIOp>(b.createOrFold<arith::CeilDivSIOp>(span, step), zero);
  bool isProduced = schedule.getProducer() && canProduce(loop, loads, tiles);
  Value ring = RingCreateOp::create(b, type, isProduced ? trips : Value());
  // A slot is free for the next transfer once its dot is done: in the same turn, or one later (tenon-overlap-dots).
  bool isLate = schedule.getWgmma() && stages > 2 && findCarriedDot<tile::DotOp>(loop);
  int64_t turnsAhead = stages - (isLate ? 2 : 1);
  Value lead = arith::ConstantIndexOp::create(b, turnsAhead);
  auto counterOf = [&](Value number) -> Value {
    return b.createOrFold<arith::AddIOp>(lower, b.createOrFold<arith::MulIOp>(number, step));
  };
  auto fillIfAny = [&](Value number) {
    Value isTurn = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, number, trips);
    auto guard = scf::IfOp::create(b, isTurn, /*withElseRegion=*/false);
    {
      OpBuilder::InsertionGuard inside(b);
      b.setInsertionPointToStart(guard.thenBlock());
      fill(b, loop, loads, ring, number, counterOf(number));
    }
    RingCommitOp::create(b, ring, number);
  };
  auto inLoop = [&](Value turns, function_ref<void(Value)> body) {
    auto made = scf::ForOp::create(b, zero, turns, one);
    OpBuilder::InsertionGuard inside(b);
    b.setInsertionPointToStart(made.getBody());
    body(made.getInductionVar());
  };
  if (isProduced) {
    auto produce = ProduceOp::create(b);
    OpBuilder::InsertionGuard inside(b);
    b.createBlock(&produce.getBody());
    inLoop(trips, [&](Value number) {
      fill(b, loop, loads, ring, number, counterOf(number));
      RingCommitOp::create(b, ring, number);
    });
  } else if (stages > 1) {
    inLoop(lead, fillIfAny);
  }
  b.setInsertionPointToStart(loop.getBody());
  Value number = b.createOrFold<arith::DivUIOp>(b.createOrFold<arith::SubIOp>(loop.getInductionVar(), lower), step);
  if (stages == 1 && !isProduced)
    fillIfAny(number);
  SmallVector<Type> types(tiles.begin(), tiles.end());
  auto slot = RingWaitOp::create(b, types, ring, number, std::max<int64_t>(0, turnsAhead - 1));
  if (stages > 1 && !isProduced)
    fillIfAny(b.createOrFold<arith::AddIOp>(number, lead));
  for (auto [load, source] : llvm::zip_equal(loads, slot.getSlot())) {
    Value read = ReadOp::create(b, load.getType(), source);
    load.getResult().replaceAllUsesWith(read);
  }
  for (tile::LoadOp load : loads)
    load.erase();
  b.setInsertionPoint(loop.getBody()->getTerminator());
  RingReleaseOp::create(b, ring, number);
  remark::passed(loop.getLoc(), remark::RemarkOpts::name("ring").category("tenon-stage-copies"))
      << (Twine(loads.size()) + " tiles a turn come through a ring of " + Twine(stages) + " slots, " +
          (isProduced ? "by TMA" : "by cp.async"))
             .str();
}

namespace {
struct StageCopies : tenon::impl::StageCopiesPassBase<StageCopies> {
  void runOnOperation() override {
    getOperation()->walk([&](tile::KernelOp kernel) {
      auto schedule = kernel->getAttrOfType<ScheduleAttr>("warp.schedule");
      SmallVector<scf::ForOp> loops;
      kernel.walk([&](scf::ForOp loop) { loops.push_back(loop); });
      if (schedule)
        for (scf::ForOp loop : loops)
          stageLoop(loop, schedule);
    });
  }
};
} // namespace
