// Under a causal mask late queries see more keys than early ones, so that programs differ in length. Where CTAs run
// many programs, the last to begin should be the shortest. This pass finds the axis of the grid along which programs
// get longer, by what the producer copies, and has them carried out from its end, a few heads at a time. Where data say
// how long programs are nobody knows which come last, but CTAs take the next as they get free all the same.
#include "dialects/Warp/Warp.h"
#include "lib/Analysis/GpuOfModule.h"
#include "lib/Analysis/TileBounds.h"
#include "passes/4_warp/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Remarks.h"

namespace tenon {
#define GEN_PASS_DEF_ORDERPROGRAMSPASS
#include "passes/4_warp/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;
using namespace tenon::warp;

/// Where sizes are not known: as many heads of 128 as keys of 4096 tokens leave room for.
static constexpr int64_t usualGroup = 16;
/// Of the L2 cache, the part that operands stay in while they are streamed through it.
static constexpr double l2Share = 0.6;

namespace {
/// How a value changes with a program's number along an axis: `ByData` as memory says, `Rising` as far as it is known.
enum class Trend { Constant, ByData, Rising, Unknown };
} // namespace

static Trend both(Trend a, Trend b) { return std::max(a, b); }

static Trend trendOf(AffineExpr expr, ArrayRef<Trend> operands) {
  if (isa<AffineConstantExpr>(expr))
    return Trend::Constant;
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return operands[dim.getPosition()];
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return Trend::Unknown;
  Trend left = trendOf(binary.getLHS(), operands), right = trendOf(binary.getRHS(), operands);
  if (left == Trend::Constant && right == Trend::Constant)
    return Trend::Constant;
  if (expr.getKind() == AffineExprKind::Add)
    return both(left, right);
  auto by = dyn_cast<AffineConstantExpr>(binary.getRHS());
  return by && by.getValue() > 0 && expr.getKind() != AffineExprKind::Mod ? left : Trend::Unknown;
}

static Trend trendOf(Value value, BlockArgument axis) {
  if (value == axis)
    return Trend::Rising;
  Operation *op = value.getDefiningOp();
  if (!op)
    return Trend::Constant;
  SmallVector<Trend> operands = llvm::map_to_vector(op->getOperands(), [&](Value o) { return trendOf(o, axis); });
  if (llvm::all_of(operands, [](Trend trend) { return trend == Trend::Constant; }))
    return Trend::Constant;
  if (auto apply = dyn_cast<affine::AffineApplyOp>(op); apply && apply.getAffineMap().getNumSymbols() == 0)
    return trendOf(apply.getAffineMap().getResult(0), operands);
  if (isa<arith::AddIOp, arith::MaxSIOp, arith::MinSIOp, arith::MaxUIOp, arith::MinUIOp>(op))
    return both(operands[0], operands[1]);
  if (isa<arith::IndexCastOp>(op))
    return operands[0];
  if (isa<tile::LoadOp, tensor::ExtractOp>(op))
    return llvm::is_contained(operands, Trend::Unknown) ? Trend::Unknown : Trend::ByData;
  if (isa<arith::SelectOp>(op)) // one of them is what there is to do, or else nothing is
    return both(operands[1], operands[2]);
  if (operands.size() != 2 || operands[1] != Trend::Constant)
    return Trend::Unknown;
  std::optional<IndexRange> by = rangeOf(op->getOperand(1));
  bool isScaled = isa<arith::CeilDivSIOp, arith::FloorDivSIOp, arith::DivUIOp, arith::CeilDivUIOp, arith::MulIOp>(op);
  return isa<arith::SubIOp>(op) || (isScaled && by && by->least > 0) ? operands[0] : Trend::Unknown;
}

/// Programs of one number along the axis; nothing where that is known only at run time.
static std::optional<int64_t> otherPrograms(tile::GridOp grid, int64_t axis) {
  int64_t others = 1;
  for (auto [number, extent] : llvm::enumerate(grid.getExtents())) {
    std::optional<int64_t> known = getConstantIntValue(extent);
    if (!known)
      return std::nullopt;
    if (int64_t(number) != axis)
      others *= *known;
  }
  return others;
}

/// Of the groups that divide all places, and are no larger than `most`, the least whose programs, `length` a place,
/// fill as many rounds of the multiprocessors as they begin; `most` where none does. One place alone, whose operands
/// all of them read at once, is none: 16384 tokens take 1.008 times as long so.
static int64_t filledGroup(int64_t length, int64_t places, int64_t most, const GpuArch &arch) {
  constexpr double full = 0.85;
  for (int64_t group = 2; group < most; ++group) {
    int64_t programs = group * length, rounds = llvm::divideCeil(programs, arch.numSms);
    if (places % group == 0 && programs >= full * rounds * arch.numSms)
      return group;
  }
  return most;
}

static void orderPrograms(tile::KernelOp kernel, const GpuArch &arch) {
  // A cluster's programs run in step: they do not differ in length.
  if (kernel->hasAttr("warp.order") || kernel->hasAttr("warp.cluster"))
    return;
  Block &body = kernel.getGrid().getBody().front();
  std::optional<int64_t> longest, innermost;
  bool isByData = false;
  int64_t bytes = 0;
  for (auto ring : body.getOps<RingCreateOp>()) {
    if (!ring.getTransfers())
      continue;
    std::optional<IndexRange> range = rangeOf(ring.getTransfers());
    bool isKnown = range && range->greatest < (int64_t(1) << 31);
    Trend strongest = Trend::Constant;
    for (BlockArgument axis : body.getArguments()) {
      Trend trend = trendOf(ring.getTransfers(), axis);
      strongest = both(strongest, trend);
      if (trend == Trend::Unknown || (trend == Trend::Rising && longest && *longest != axis.getArgNumber()))
        return;
      if (trend == Trend::Rising)
        longest = axis.getArgNumber();
    }
    isByData |= strongest == Trend::ByData;
    if (strongest != Trend::Constant && isKnown)
      bytes += range->greatest * ring.getRing().getType().getSlotBytes();
  }
  for (auto [axis, extent] : llvm::enumerate(kernel.getGrid().getExtents()))
    if (getConstantIntValue(extent) != 1)
      innermost = axis;
  bool isRising = longest.has_value();
  if (!isRising && isByData)
    longest = innermost;
  if (!longest)
    return;
  int64_t group = bytes > 0 ? std::max<int64_t>(1, l2Share * arch.l2Bytes / bytes) : usualGroup;
  // Whole groups, so that places follow from numbers by constant divisors.
  if (std::optional<int64_t> others = otherPrograms(kernel.getGrid(), *longest); others && *others > 0) {
    group = std::min(group, *others);
    while (*others % group != 0)
      --group;
    // Programs that begin a group read from memory, those that end it from the cache, and of a large group memory idles
    // meanwhile: no more of them than fill the multiprocessors.
    std::optional<int64_t> length = getConstantIntValue(kernel.getGrid().getExtents()[*longest]);
    if (isRising && length && *length > 0)
      group = filledGroup(*length, *others, group, arch);
  }
  kernel->setAttr("warp.order", OrderAttr::get(kernel.getContext(), *longest, group));
  remark::passed(kernel.getLoc(), remark::RemarkOpts::name("order").category("tenon-order-programs"))
      << ((isRising ? "programs get longer along axis " + Twine(*longest) + ": longest first, "
                    : "data say how long programs are: from the end of axis " + Twine(*longest) + " on, ")
              .str() +
          Twine(group).str() + " places of the other axes at a time");
}

namespace {
struct OrderPrograms : tenon::impl::OrderProgramsPassBase<OrderPrograms> {
  using OrderProgramsPassBase::OrderProgramsPassBase;
  void runOnOperation() override {
    FailureOr<const GpuArch *> found = gpuNamed(getOperation(), arch);
    if (failed(found))
      return signalPassFailure();
    getOperation()->walk([&](tile::KernelOp kernel) { orderPrograms(kernel, **found); });
  }
};
} // namespace
