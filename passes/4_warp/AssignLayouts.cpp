// A tile says nothing of threads. This pass gives every tile of a program a layout: dots have those of their atom; from
// there layouts spread along ops that want equal ones (arithmetic, loops), lose a dimension in a fold and so on. Where
// no dot decides, stores do, then loads, by how they lie in memory. What two sides still want differently is computed
// twice where that is free (constants, positions, broadcasts of such), else moved by warp.relayout.
#include "dialects/Warp/Warp.h"
#include "lib/Analysis/BankConflicts.h"
#include "passes/4_warp/DotOperands.h"
#include "passes/4_warp/FragmentLayouts.h"
#include "passes/4_warp/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Remarks.h"

namespace tenon {
#define GEN_PASS_DEF_ASSIGNLAYOUTSPASS
#include "passes/4_warp/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;
using namespace tenon::warp;

static RankedTensorType tileType(Value value) { return dyn_cast<RankedTensorType>(value.getType()); }

static RankedTensorType withLayout(RankedTensorType type, LayoutAttr layout) {
  return RankedTensorType::get(type.getShape(), type.getElementType(), layout);
}

static bool isPointwise(Operation *op) {
  return OpTrait::hasElementwiseMappableTraits(op) && op->getNumResults() == 1 && tileType(op->getResult(0));
}

/// Computed anew in any layout at no cost in memory.
static bool isFree(Value value, unsigned depth = 0) {
  Operation *op = value.getDefiningOp();
  if (!op || depth > 8)
    return false;
  if (isa<arith::ConstantOp, tile::IotaOp, tensor::SplatOp>(op))
    return true;
  if (isa<tile::BroadcastOp>(op))
    return cast<RankedTensorType>(op->getOperand(0).getType()).getRank() == 0 || isFree(op->getOperand(0), depth + 1);
  if (!isPointwise(op))
    return false;
  return llvm::all_of(op->getOperands(),
                      [&](Value operand) { return !tileType(operand) || isFree(operand, depth + 1); });
}

namespace {
class LayoutAssignment {
public:
  LayoutAssignment(tile::KernelOp kernel, ScheduleAttr schedule) : kernel(kernel), schedule(schedule) {}
  LogicalResult run();

private:
  void want(Value value, LayoutAttr layout);
  void spread();
  void spreadAlong(Operation *op, Value from, LayoutAttr layout);
  void spreadTied(Value value, LayoutAttr layout);
  void chooseAll();
  void carryOut(Operation *op);
  LogicalResult carryOutDot(tile::DotOp op);
  /// The tile in that layout, at the builder's place or beside what defines it.
  Value adapt(OpBuilder &b, Value tile, LayoutAttr layout);
  void adaptOperand(OpOperand &operand, LayoutAttr layout);
  /// The result's own layout, and back to the one its users were promised.
  void fixResult(Operation *op, LayoutAttr layout);

  tile::KernelOp kernel;
  ScheduleAttr schedule;
  DenseMap<Value, LayoutAttr> chosen;
  SmallVector<Value> open;
};
} // namespace

void LayoutAssignment::want(Value value, LayoutAttr layout) {
  RankedTensorType type = tileType(value);
  if (!type || isFree(value) || chosen.contains(value))
    return;
  chosen[value] = layout;
  open.push_back(value);
}

/// Values that are one and the same at another place: loop-carried ones, and what a region yields.
void LayoutAssignment::spreadTied(Value value, LayoutAttr layout) {
  auto tieLoop = [&](scf::ForOp loop, unsigned number) {
    want(loop.getInitArgs()[number], layout);
    want(loop.getRegionIterArg(number), layout);
    want(loop.getYieldedValues()[number], layout);
    want(loop.getResult(number), layout);
  };
  auto tieIf = [&](scf::IfOp branch, unsigned number) {
    want(branch.getResult(number), layout);
    for (Region *region : {&branch.getThenRegion(), &branch.getElseRegion()})
      if (!region->empty())
        want(region->front().getTerminator()->getOperand(number), layout);
  };
  auto tieUnlikely = [&](tile::UnlikelyOp op, unsigned number) {
    want(op.getOtherwise()[number], layout);
    want(op.getResult(number), layout);
    want(op.getBody().front().getTerminator()->getOperand(number), layout);
  };
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    if (auto loop = dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp()); loop && argument.getArgNumber() > 0)
      tieLoop(loop, argument.getArgNumber() - 1);
  } else if (auto loop = value.getDefiningOp<scf::ForOp>()) {
    tieLoop(loop, cast<OpResult>(value).getResultNumber());
  } else if (auto branch = value.getDefiningOp<scf::IfOp>()) {
    tieIf(branch, cast<OpResult>(value).getResultNumber());
  } else if (auto unlikely = value.getDefiningOp<tile::UnlikelyOp>()) {
    tieUnlikely(unlikely, cast<OpResult>(value).getResultNumber());
  }
  for (OpOperand &use : value.getUses()) {
    Operation *user = use.getOwner();
    if (auto loop = dyn_cast<scf::ForOp>(user); loop && use.getOperandNumber() >= loop.getNumControlOperands())
      tieLoop(loop, use.getOperandNumber() - loop.getNumControlOperands());
    if (auto unlikely = dyn_cast<tile::UnlikelyOp>(user); unlikely && use.getOperandNumber() > 0)
      tieUnlikely(unlikely, use.getOperandNumber() - 1);
    if (isa<tile::YieldOp>(user))
      tieUnlikely(cast<tile::UnlikelyOp>(user->getParentOp()), use.getOperandNumber());
    if (isa<scf::YieldOp>(user)) {
      if (auto outer = dyn_cast<scf::ForOp>(user->getParentOp()))
        tieLoop(outer, use.getOperandNumber());
      else if (auto outer = dyn_cast<scf::IfOp>(user->getParentOp()))
        tieIf(outer, use.getOperandNumber());
    }
  }
}

/// A tile of bytes, the rows of which are columns where it is loaded.
static bool isTransposedBytes(Value tile) {
  if (Type element = tileType(tile).getElementType(); !element.isIntOrFloat() || element.getIntOrFloatBitWidth() != 8)
    return false;
  for (Operation *op = tile.getDefiningOp(); isa_and_nonnull<tile::ReshapeOp, tile::TransOp>(op);
       op = op->getOperand(0).getDefiningOp())
    if (op->getOperand(0).getDefiningOp<tile::LoadOp>())
      return isa<tile::TransOp>(op) && cast<tile::TransOp>(op).getPermutation() == ArrayRef<int64_t>{1, 0};
  return false;
}

namespace {
/// A right operand of 8-bit floats in shared memory, which the dot can widen as it reads it.
struct Widened {
  ReadOp bytes; ///< null where there is none
  bool isTransposed = false;
};
} // namespace

static Widened widenedBy(tile::DotOp op, ScheduleAttr schedule) {
  bool transposeA = op.getTransposeA(), transposeB = op.getTransposeB();
  Value lhs = withoutTrans(op.getLhs(), transposeA);
  auto wide = withoutTrans(op.getRhs(), transposeB).getDefiningOp<arith::ExtFOp>();
  auto read = wide ? withoutTrans(wide.getIn(), transposeB).getDefiningOp<ReadOp>() : ReadOp();
  if (!read || schedule.getWgmma() || transposeA || lhs.getDefiningOp<ReadOp>() ||
      !tileType(lhs).getElementType().isF16() ||
      !isa<Float8E4M3FNType, Float8E5M2Type>(tileType(read.getTile()).getElementType()))
    return {};
  RankedTensorType sum = op.getType();
  int64_t depth = tileType(lhs).getDimSize(1), step = transposeB ? 32 : 16, columns = transposeB ? 8 : 16;
  if (depth % step != 0 || sum.getDimSize(0) % (16 * schedule.getWarpsM()) != 0 ||
      sum.getDimSize(1) % (columns * schedule.getWarpsN()) != 0)
    return {};
  return {read, transposeB};
}

/// Of the sum: where 8-bit floats are widened across the depth, a lane has both columns of each two bytes.
static LayoutAttr sumLayout(tile::DotOp op, ScheduleAttr schedule) {
  Widened widened = widenedBy(op, schedule);
  int64_t run = widened.bytes && !widened.isTransposed ? 4 : 2;
  return schedule.accumulatorLayout(op.getType().getDimSize(0), op.getType().getDimSize(1), run);
}

static SmallVector<int64_t> inverse(ArrayRef<int64_t> permutation) {
  SmallVector<int64_t> result(permutation.size());
  for (auto [to, from] : llvm::enumerate(permutation))
    result[from] = to;
  return result;
}

/// `op` has `from`, as operand or result, in that layout.
void LayoutAssignment::spreadAlong(Operation *op, Value from, LayoutAttr layout) {
  bool isResult = from.getDefiningOp() == op;
  if (isPointwise(op) || isa<tile::ScanOp>(op)) {
    for (Value value : llvm::concat<Value>(op->getOperands(), op->getResults()))
      if (RankedTensorType type = tileType(value); type && type.getRank() == layout.getRank())
        want(value, layout);
  } else if (auto reduce = dyn_cast<tile::ReduceOp>(op)) {
    if (!isResult)
      want(reduce.getResult(), layout.drop(reduce.getAxis()));
  } else if (auto shared = dyn_cast<tile::ReduceScatterOp>(op)) {
    if (LayoutAttr part = isResult ? LayoutAttr() : partOf(layout, shared.getDimension(), shared.getParts()))
      want(shared.getResult(), part);
  } else if (auto shared = dyn_cast<tile::ReduceToLastOp>(op)) {
    want(isResult ? shared.getTile() : shared.getResult(), layout);
  } else if (auto broadcast = dyn_cast<tile::BroadcastOp>(op)) {
    if (isResult)
      want(broadcast.getTile(), layout.pick(broadcast.getDims()));
  } else if (auto trans = dyn_cast<tile::TransOp>(op)) {
    if (isResult)
      want(trans.getTile(), layout.pick(inverse(trans.getPermutation())));
    else
      want(trans.getResult(), layout.pick(trans.getPermutation()));
  } else if (auto reshape = dyn_cast<tile::ReshapeOp>(op)) {
    Value other = isResult ? reshape.getTile() : reshape.getResult();
    if (LayoutAttr same = layout.reshape(tileType(from).getShape(), tileType(other).getShape()))
      want(other, same);
  } else if (auto dot = dyn_cast<tile::DotOp>(op)) {
    if (isResult)
      want(dot.getAccumulator(), layout);
  } else if (auto gather = dyn_cast<tile::GatherOp>(op)) {
    if (isResult)
      want(gather.getRows(), layout.pick({int64_t(gather.getAxis()) - (gather.getView().getType().getRank() -
                                                                       gather.getResult().getType().getRank())}));
  }
}

void LayoutAssignment::spread() {
  while (!open.empty()) {
    Value value = open.pop_back_val();
    LayoutAttr layout = chosen[value];
    if (Operation *op = value.getDefiningOp())
      spreadAlong(op, value, layout);
    for (Operation *user : value.getUsers())
      spreadAlong(user, value, layout);
    spreadTied(value, layout);
  }
}

void LayoutAssignment::chooseAll() {
  kernel.walk([&](tile::DotOp dot) { want(dot.getResult(), sumLayout(dot, schedule)); });
  spread();
  // The largest first: what it decides is read or written most.
  auto chooseFor = [&](SmallVector<Value> values) {
    SmallVector<std::pair<int64_t, size_t>> order;
    for (auto [index, value] : llvm::enumerate(values))
      order.push_back({-tileType(value).getNumElements(), index});
    llvm::sort(order);
    for (auto [size, index] : order) {
      Value value = values[index];
      LayoutAttr layout;
      if (isTransposedBytes(value))
        layout = transposedLayout(tileType(value), schedule.getNumWarps());
      want(value, layout ? layout : rowLayout(tileType(value), schedule.getNumWarps()));
      spread();
    }
  };
  SmallVector<Value> stored, loaded, rest;
  kernel.walk([&](Operation *op) {
    if (auto store = dyn_cast<tile::StoreOp>(op))
      stored.push_back(store.getTile());
    else if (isa<tile::LoadOp, tile::GatherOp>(op))
      loaded.push_back(op->getResult(0));
    else if (auto gather = dyn_cast<tile::GatherToLastOp>(op))
      loaded.append(gather.result_begin(), gather.result_end());
    for (Region &region : op->getRegions())
      for (Block &block : region)
        for (Value argument : block.getArguments())
          if (tileType(argument))
            rest.push_back(argument);
    for (Value result : op->getResults())
      if (tileType(result))
        rest.push_back(result);
  });
  chooseFor(stored);
  chooseFor(loaded);
  chooseFor(rest);
}

Value LayoutAssignment::adapt(OpBuilder &b, Value tile, LayoutAttr layout) {
  RankedTensorType type = tileType(tile);
  if (layoutOf(tile) == layout)
    return tile;
  Operation *op = tile.getDefiningOp();
  RankedTensorType to = withLayout(type, layout);
  if (isFree(tile)) {
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      auto value = cast<DenseElementsAttr>(constant.getValue());
      return arith::ConstantOp::create(b, op->getLoc(), value.resizeSplat(to));
    }
    Operation *copy = b.clone(*op);
    copy->getResult(0).setType(to);
    OpBuilder before(copy);
    for (OpOperand &operand : copy->getOpOperands()) {
      if (!tileType(operand.get()))
        continue;
      LayoutAttr wanted = layout;
      if (auto broadcast = dyn_cast<tile::BroadcastOp>(op))
        wanted = layout.pick(broadcast.getDims());
      operand.set(adapt(before, operand.get(), wanted));
    }
    return copy->getResult(0);
  }
  remark::missed(tile.getLoc(), remark::RemarkOpts::name("relayout").category("tenon-assign-layouts"))
      << ("a tile of " + Twine(type.getNumElements()) + " elements moves between threads, " +
          Twine(planExchange(type, to, schedule.getNumWarps()).wavefronts.count) + " wavefronts of shared memory")
             .str();
  return RelayoutOp::create(b, tile.getLoc(), to, tile);
}

void LayoutAssignment::adaptOperand(OpOperand &operand, LayoutAttr layout) {
  OpBuilder b(operand.getOwner());
  // Beside what defines it: out of the loops that it does not change in.
  Operation *definition = operand.get().getDefiningOp();
  if (definition && !isFree(operand.get()))
    b.setInsertionPointAfter(definition);
  operand.set(adapt(b, operand.get(), layout));
}

void LayoutAssignment::fixResult(Operation *op, LayoutAttr layout) {
  Value result = op->getResult(0);
  LayoutAttr promised = layoutOf(result);
  if (promised == layout)
    return;
  RankedTensorType type = tileType(result);
  result.setType(withLayout(type, layout));
  OpBuilder b(op->getContext());
  b.setInsertionPointAfter(op);
  Value moved = adapt(b, result, promised);
  result.replaceAllUsesExcept(moved, moved.getDefiningOp());
}

LogicalResult LayoutAssignment::carryOutDot(tile::DotOp op) {
  OpBuilder b(op);
  RankedTensorType sum = op.getType();
  int64_t m = sum.getDimSize(0), n = sum.getDimSize(1);
  int64_t k = op.getLhs().getType().getDimSize(op.getTransposeA() ? 0 : 1);
  Type element = op.getLhs().getType().getElementType();
  MLIRContext *context = op.getContext();
  bool transposeA = op.getTransposeA(), transposeB = op.getTransposeB();
  Value lhs = withoutTrans(op.getLhs(), transposeA), rhs = withoutTrans(op.getRhs(), transposeB);
  Widened widened = widenedBy(op, schedule);
  if (widened.bytes)
    rhs = widened.bytes.getTile(), transposeB = widened.isTransposed;
  MmaAtom atom = FmaAttr::get(context);
  if (int64_t bits = element.getIntOrFloatBitWidth(); widened.bytes)
    atom = MmaSyncAttr::get(context, 16, 8, transposeB ? 32 : 16);
  else if (bits <= 16)
    atom = schedule.getWgmma() ? MmaAtom(WgmmaAttr::get(context, 256 / bits))
                               : MmaAtom(MmaSyncAttr::get(context, 16, 8, 256 / bits));
  // Across its depth an operand is read by ldmatrix and by wgmma where elements have 16 bits: plain multiply-adds
  // there.
  else if (isTf32ByWarpgroups(op, schedule))
    atom = WgmmaAttr::get(context, 8), element = FloatTF32Type::get(context);
  else if (element.isF32() && schedule.getTf32() && !transposeA && transposeB)
    atom = MmaSyncAttr::get(context, 16, 8, 8);
  bool isTaken = widened.bytes || atom.takes(element);
  if (!isTaken || m % (atom.getRows() * schedule.getWarpsM()) != 0 || n % (8 * schedule.getWarpsN()) != 0 ||
      k % atom.getDepth() != 0)
    return op.emitOpError("of ") << m << " x " << n << " x " << k << " elements of " << element << " by "
                                 << schedule.getWarpsM() << " x " << schedule.getWarpsN() << " warps has no form for "
                                 << atom << "; choose another tile in `tenon.schedule` or `warp.schedule`";
  bool isTf32 = element.isTF32();
  auto inSharedMemory = [&](Value operand) -> Value {
    auto read = operand.getDefiningOp<ReadOp>();
    if (read && read.getSource().getType().getElementType().isTF32() == isTf32)
      return read.getSource();
    OpBuilder after(op);
    if (isFree(operand)) {
      operand = adapt(after, operand, rowLayout(tileType(operand), schedule.getNumWarps()));
    } else if (operand.getDefiningOp()) {
      after.setInsertionPointAfterValue(operand);
    }
    RankedTensorType type = tileType(operand);
    int64_t rowBytes = type.getDimSize(1) * type.getElementTypeBitWidth() / 8;
    Type written = isTf32 ? element : type.getElementType();
    auto smem = SmemType::get(context, type.getShape(), written, SmemType::widestSwizzle(rowBytes));
    return StageOp::create(after, op.getLoc(), smem, operand);
  };
  SmallVector<SmallVector<Digit>> digits = atom.lhsDigits(m, k, schedule.getWarpsM(), schedule.getWarpsN());
  // ptxas (13.0) sets the registers of a left operand that a loop around its wgmma does not change once, before the
  // loop, and has other values in them later: such an operand is read where it lies in shared memory.
  auto loop = op->getParentOfType<scf::ForOp>();
  bool isKept = isa<WgmmaAttr>(Attribute(atom)) && loop && loop.isDefinedOutsideOfLoop(lhs);
  if (!lhs.getDefiningOp<ReadOp>() && !transposeA && !digits.empty() && !isKept) {
    OpBuilder after(op);
    if (lhs.getDefiningOp() && !isFree(lhs))
      after.setInsertionPointAfterValue(lhs);
    lhs = adapt(after, lhs, LayoutAttr::get(context, digits));
  } else {
    lhs = inSharedMemory(lhs);
  }
  Value accumulator = adapt(b, op.getAccumulator(), layoutOf(op.getResult()));
  Value dot = warp::DotOp::create(b, op.getLoc(), op.getType(), lhs, inSharedMemory(rhs), accumulator, atom, transposeA,
                                  transposeB, /*async=*/false);
  op.replaceAllUsesWith(dot);
  op.erase();
  return success();
}

/// Operands come in the layouts that the op's result has or that its own operands allow.
void LayoutAssignment::carryOut(Operation *op) {
  if (isPointwise(op) || isa<tile::ScanOp>(op)) {
    for (OpOperand &operand : op->getOpOperands())
      if (tileType(operand.get()))
        adaptOperand(operand, layoutOf(op->getResult(0)));
  } else if (auto reduce = dyn_cast<tile::ReduceOp>(op)) {
    if (!layoutOf(reduce.getTile()))
      adaptOperand(op->getOpOperand(0), rowLayout(tileType(reduce.getTile()), schedule.getNumWarps()));
    fixResult(op, layoutOf(reduce.getTile()).drop(reduce.getAxis()));
  } else if (auto shared = dyn_cast<tile::ReduceScatterOp>(op)) {
    if (LayoutAttr part = partOf(layoutOf(shared.getTile()), shared.getDimension(), shared.getParts()))
      fixResult(op, part);
  } else if (auto shared = dyn_cast<tile::ReduceToLastOp>(op)) {
    fixResult(op, layoutOf(shared.getTile()));
  } else if (auto broadcast = dyn_cast<tile::BroadcastOp>(op)) {
    adaptOperand(op->getOpOperand(0), layoutOf(op->getResult(0)).pick(broadcast.getDims()));
  } else if (auto trans = dyn_cast<tile::TransOp>(op)) {
    adaptOperand(op->getOpOperand(0), layoutOf(op->getResult(0)).pick(inverse(trans.getPermutation())));
  } else if (auto gather = dyn_cast<tile::GatherOp>(op)) {
    int64_t leading = gather.getView().getType().getRank() - gather.getResult().getType().getRank();
    adaptOperand(gather.getRowsMutable(), layoutOf(gather.getResult()).pick({int64_t(gather.getAxis()) - leading}));
  } else if (isa<tile::StoreOp, tile::ReshapeOp, tile::AnyOp, tile::RedoOp>(op)) {
    if (!layoutOf(op->getOperand(0)))
      adaptOperand(op->getOpOperand(0), rowLayout(tileType(op->getOperand(0)), schedule.getNumWarps()));
  } else if (isa<tile::GatherToLastOp>(op)) { // through memory, from any layout into any
    for (OpOperand &operand : op->getOpOperands())
      if (!layoutOf(operand.get()))
        adaptOperand(operand, rowLayout(tileType(operand.get()), schedule.getNumWarps()));
  } else if (auto extract = dyn_cast<tensor::ExtractOp>(op)) {
    if (!layoutOf(extract.getTensor()))
      adaptOperand(op->getOpOperand(0), LayoutAttr::get(op->getContext(), ArrayRef<SmallVector<Digit>>()));
  } else if (auto loop = dyn_cast<scf::ForOp>(op)) {
    for (auto [operand, argument] : llvm::zip_equal(loop.getInitArgsMutable(), loop.getRegionIterArgs()))
      if (tileType(argument))
        adaptOperand(operand, layoutOf(argument));
  } else if (auto unlikely = dyn_cast<tile::UnlikelyOp>(op)) {
    for (auto [operand, result] : llvm::zip_equal(unlikely.getOtherwiseMutable(), unlikely.getResults()))
      adaptOperand(operand, layoutOf(result));
  } else if (isa<scf::YieldOp, tile::YieldOp>(op)) {
    for (auto [operand, result] : llvm::zip_equal(op->getOpOperands(), op->getParentOp()->getResults()))
      if (tileType(result))
        adaptOperand(operand, layoutOf(result));
  }
}

LogicalResult LayoutAssignment::run() {
  chooseAll();
  for (auto [value, layout] : chosen)
    value.setType(withLayout(tileType(value), layout));
  SmallVector<Operation *> ops;
  kernel.walk<WalkOrder::PreOrder>([&](Operation *op) { ops.push_back(op); });
  for (Operation *&op : ops) {
    // A free op has no layout of its own: its users compute it in theirs.
    if (op->getNumResults() == 1 && tileType(op->getResult(0)) && isFree(op->getResult(0)))
      continue;
    if (auto dot = dyn_cast<tile::DotOp>(op)) {
      if (failed(carryOutDot(dot)))
        return failure();
      op = nullptr;
    } else {
      carryOut(op);
    }
  }
  for (Operation *op : llvm::reverse(ops))
    if (op && isOpTriviallyDead(op))
      op->erase();
  return success();
}

namespace {
struct AssignLayouts : tenon::impl::AssignLayoutsPassBase<AssignLayouts> {
  void runOnOperation() override {
    WalkResult result = getOperation()->walk([&](tile::KernelOp kernel) -> WalkResult {
      auto schedule = kernel->getAttrOfType<ScheduleAttr>("warp.schedule");
      if (!schedule)
        return kernel.emitOpError("has no `warp.schedule`; tenon-choose-warp-schedules gives it one");
      return LayoutAssignment(kernel, schedule).run();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace
