// A fold along a row goes over a thread's registers, then over the lanes that share the row, by shuffles. After this
// pass lanes keep to themselves what a loop needs no whole fold of:
//
//   for .. iter_args(s) { s = (s * f) + reduce add x }
//   ->  for .. iter_args(p) { p = (p * f) + partial_reduce add x }; s = reduce add p
//
//   tile.unlikely (g(reduce max x) > limit) { .. }, g rising
//   ->  tile.unlikely (g(partial_reduce max x) > limit) { .. reduce max .. }
#include "dialects/Warp/Warp.h"
#include "passes/4_warp/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/MapVector.h"

namespace tenon {
#define GEN_PASS_DEF_FOLDINLANESPASS
#include "passes/4_warp/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;
using namespace tenon::warp;

/// The type of a fold's parts; null where no lanes share a row, or warps do.
static RankedTensorType partsOf(tile::ReduceOp fold) {
  RankedTensorType type = fold.getTile().getType();
  int64_t axis = fold.getAxis();
  if (axis != type.getRank() - 1)
    return {};
  bool hasLanes = false;
  for (const Digit &digit : layoutOf(type).getDim(axis)) {
    if (digit.kind == DigitKind::Warp)
      return {};
    hasLanes |= digit.kind == DigitKind::Lane;
  }
  if (!hasLanes)
    return {};
  LayoutAttr layout = layoutOf(type).dropRegisters(axis);
  SmallVector<int64_t> shape(type.getShape());
  shape.back() = layout.getReach(axis);
  return RankedTensorType::get(shape, type.getElementType(), layout);
}

/// One value for each row as one for each part.
static Value spread(OpBuilder &b, Location location, Value perRow, RankedTensorType parts) {
  auto type = RankedTensorType::get(parts.getShape(), getElementTypeOrSelf(perRow.getType()), parts.getEncoding());
  DenseElementsAttr constant;
  if (matchPattern(perRow, m_Constant(&constant)) && constant.isSplat())
    return arith::ConstantOp::create(b, location, constant.resizeSplat(type));
  auto dims = llvm::to_vector(llvm::seq<int64_t>(0, parts.getRank() - 1));
  return tile::BroadcastOp::create(b, location, type, perRow, dims);
}

namespace {
/// The parts of folds, made once each.
class Parts {
public:
  Value of(tile::ReduceOp fold) {
    Value &made = parts[fold];
    if (!made) {
      OpBuilder b(fold);
      made = PartialReduceOp::create(b, fold.getLoc(), partsOf(fold), fold.getFold(), fold.getTile(), fold.getAxis());
    }
    return made;
  }

private:
  DenseMap<Operation *, Value> parts;
};

/// A sum that a loop carries, adds folds to and multiplies: linear, so that its parts can go the same way.
class CarriedSum {
public:
  CarriedSum(scf::ForOp loop, unsigned number, Parts &parts) : loop(loop), number(number), parts(parts) {}
  bool match();
  void rewrite();

private:
  void take(Value value) {
    if (members.insert(value))
      open.push_back(value);
  }
  bool takeTied(tile::UnlikelyOp op, unsigned of);
  bool checkDefinition(Value value);
  bool checkUse(OpOperand &use);
  bool isFold(Value value);

  scf::ForOp loop;
  unsigned number;
  Parts &parts;
  SetVector<Value> members;
  SmallVector<Value> open;
  RankedTensorType type; ///< of the parts
};
} // namespace

bool CarriedSum::isFold(Value value) {
  auto fold = value.getDefiningOp<tile::ReduceOp>();
  RankedTensorType its = fold && fold.getFold() == tile::Fold::add ? partsOf(fold) : RankedTensorType();
  if (!its || (type && type != its))
    return false;
  type = its;
  return true;
}

bool CarriedSum::takeTied(tile::UnlikelyOp op, unsigned of) {
  take(op.getResult(of));
  take(op.getOtherwise()[of]);
  take(op.getBody().front().getTerminator()->getOperand(of));
  return true;
}

bool CarriedSum::checkDefinition(Value value) {
  if (value == loop.getRegionIterArg(number))
    return true;
  if (auto unlikely = value.getDefiningOp<tile::UnlikelyOp>())
    return takeTied(unlikely, cast<OpResult>(value).getResultNumber());
  Operation *op = value.getDefiningOp();
  return isa_and_nonnull<arith::AddFOp, arith::MulFOp>(op) &&
         llvm::any_of(op->getOperands(), [&](Value operand) { return members.contains(operand); });
}

bool CarriedSum::checkUse(OpOperand &use) {
  Operation *user = use.getOwner();
  Value other = user->getNumOperands() == 2 ? user->getOperand(1 - use.getOperandNumber()) : Value();
  if (isa<arith::AddFOp>(user)) {
    take(user->getResult(0));
    return isFold(other);
  }
  if (isa<arith::MulFOp>(user)) {
    take(user->getResult(0));
    return !members.contains(other);
  }
  if (auto unlikely = dyn_cast<tile::UnlikelyOp>(user))
    return use.getOperandNumber() > 0 && takeTied(unlikely, use.getOperandNumber() - 1);
  if (isa<tile::YieldOp>(user))
    return takeTied(cast<tile::UnlikelyOp>(user->getParentOp()), use.getOperandNumber());
  return user == loop.getBody()->getTerminator() && use.getOperandNumber() == number;
}

bool CarriedSum::match() {
  if (!isa<RankedTensorType>(loop.getRegionIterArg(number).getType()) ||
      !matchPattern(loop.getInitArgs()[number], m_AnyZeroFloat()))
    return false;
  take(loop.getRegionIterArg(number));
  SmallVector<Value> order;
  while (!open.empty()) {
    order.push_back(open.pop_back_val());
    for (OpOperand &use : order.back().getUses())
      if (!checkUse(use))
        return false;
  }
  return type && members.contains(loop.getYieldedValues()[number]) &&
         llvm::all_of(order, [&](Value value) { return checkDefinition(value); }) && open.empty();
}

void CarriedSum::rewrite() {
  for (Value value : members) {
    value.setType(type);
    Operation *op = value.getDefiningOp();
    if (!isa_and_nonnull<arith::AddFOp, arith::MulFOp>(op))
      continue;
    OpBuilder b(op);
    for (OpOperand &operand : op->getOpOperands())
      if (!members.contains(operand.get()))
        operand.set(isa<arith::AddFOp>(op) ? parts.of(operand.get().getDefiningOp<tile::ReduceOp>())
                                           : spread(b, op->getLoc(), operand.get(), type));
  }
  OpBuilder b(loop);
  loop.getInitArgsMutable()[number].set(spread(b, loop.getLoc(), loop.getInitArgs()[number], type));
  Value result = loop.getResult(number);
  auto whole = cast<RankedTensorType>(result.getType());
  result.setType(type);
  b.setInsertionPointAfter(loop);
  auto fold = tile::ReduceOp::create(b, loop.getLoc(), whole, tile::Fold::add, result, type.getRank() - 1);
  result.replaceAllUsesExcept(fold, fold);
}

/// Of all elements alike, or of a row's: a number above 0, or a magnitude. What is multiplied by it keeps its order.
static bool isNonNegative(Value value) {
  DenseElementsAttr constant;
  if (matchPattern(value, m_Constant(&constant)))
    return constant.isSplat() && !constant.getSplatValue<APFloat>().isNegative() &&
           constant.getSplatValue<APFloat>().isFiniteNonZero();
  Operation *op = value.getDefiningOp();
  if (isa_and_nonnull<arith::MulFOp>(op))
    return isNonNegative(op->getOperand(0)) && isNonNegative(op->getOperand(1));
  if (isa_and_nonnull<tile::BroadcastOp>(op))
    return isNonNegative(op->getOperand(0));
  return isa_and_nonnull<math::AbsFOp>(op);
}

/// The fold that a condition compares with a limit: by itself, or a maximum by what rises with it. `chain` gets the ops
/// from the fold to the comparison.
static tile::ReduceOp comparedFold(arith::CmpFOp compare, SmallVectorImpl<Operation *> &chain) {
  using P = arith::CmpFPredicate;
  if (!llvm::is_contained({P::OGT, P::UGT, P::OGE, P::UGE}, compare.getPredicate()))
    return {};
  chain.push_back(compare);
  for (Value at = compare.getLhs();; at = chain.back()->getOperand(0)) {
    Operation *op = at.getDefiningOp();
    if (auto fold = dyn_cast_or_null<tile::ReduceOp>(op)) {
      bool fits = fold.getFold() == tile::Fold::max || (fold.getFold() == tile::Fold::add && chain.size() == 1);
      return fits && partsOf(fold) ? fold : tile::ReduceOp();
    }
    bool rises = isa_and_nonnull<arith::AddFOp, arith::SubFOp>(op) ||
                 (isa_and_nonnull<arith::MulFOp, math::FmaOp>(op) && isNonNegative(op->getOperand(1)));
    if (!rises)
      return {};
    chain.push_back(op);
  }
}

static void compareParts(arith::CmpFOp compare, Parts &parts) {
  SmallVector<Operation *> chain;
  tile::ReduceOp fold = comparedFold(compare, chain);
  bool areUnlikely = !compare->use_empty() && llvm::all_of(compare->getUses(), [](OpOperand &use) {
    return isa<tile::UnlikelyOp>(use.getOwner()) && use.getOperandNumber() == 0;
  });
  if (!fold || !areUnlikely)
    return;
  OpBuilder b(compare);
  RankedTensorType type = partsOf(fold);
  Value at = parts.of(fold);
  for (Operation *op : llvm::reverse(chain)) {
    IRMapping mapping;
    mapping.map(op->getOperand(0), at);
    for (Value operand : op->getOperands().drop_front())
      mapping.map(operand, spread(b, op->getLoc(), operand, type));
    Operation *made = b.clone(*op, mapping);
    made->getResult(0).setType(
        RankedTensorType::get(type.getShape(), getElementTypeOrSelf(op->getResult(0).getType()), type.getEncoding()));
    at = made->getResult(0);
  }
  compare.replaceAllUsesWith(at);
}

/// A fold that is needed in one unlikely region only goes there.
static void sinkFold(tile::ReduceOp fold, Parts &parts) {
  tile::UnlikelyOp region;
  for (Operation *user : fold->getUsers()) {
    auto around = user->getParentOfType<tile::UnlikelyOp>();
    if (!around || around->isAncestor(fold) || (region && region != around))
      return;
    region = around;
  }
  if (!region || !partsOf(fold))
    return;
  Value part = parts.of(fold);
  auto b = OpBuilder::atBlockBegin(&region.getBody().front());
  fold.replaceAllUsesWith(
      tile::ReduceOp::create(b, fold.getLoc(), fold.getType(), fold.getFold(), part, fold.getAxis()).getResult());
  fold.erase();
}

static void eraseDead(tile::KernelOp kernel) {
  SmallVector<Operation *> ops;
  kernel.walk<WalkOrder::PreOrder>([&](Operation *op) { ops.push_back(op); });
  for (Operation *op : llvm::reverse(ops))
    if (isOpTriviallyDead(op))
      op->erase();
}

namespace {
struct FoldInLanes : tenon::impl::FoldInLanesPassBase<FoldInLanes> {
  void runOnOperation() override {
    getOperation()->walk([](tile::KernelOp kernel) {
      Parts parts;
      SmallVector<scf::ForOp> loops;
      SmallVector<arith::CmpFOp> conditions;
      kernel.walk([&](scf::ForOp loop) { loops.push_back(loop); });
      kernel.walk([&](tile::UnlikelyOp op) {
        if (auto compare = op.getCondition().getDefiningOp<arith::CmpFOp>();
            compare && !llvm::is_contained(conditions, compare))
          conditions.push_back(compare);
      });
      for (scf::ForOp loop : loops)
        for (unsigned number = 0; number < loop.getNumResults(); ++number)
          if (CarriedSum sum(loop, number, parts); sum.match())
            sum.rewrite();
      for (arith::CmpFOp compare : conditions)
        compareParts(compare, parts);
      eraseDead(kernel);
      SmallVector<tile::ReduceOp> folds;
      kernel.walk([&](tile::ReduceOp fold) { folds.push_back(fold); });
      for (tile::ReduceOp fold : folds)
        sinkFold(fold, parts);
    });
  }
};
} // namespace
