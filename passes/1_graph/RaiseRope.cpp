// Rotary embedding taken apart cuts its input in two and joins it again, which no loop over whole rows can do on the
// way. The forms: x * cos + concat(-x2, x1) * sin, and concat(x1 cos - x2 sin, x2 cos + x1 sin), with x1 and x2 the
// halves of each row or, interleaved, its even and odd elements.
//
// In the first form the tables are as wide as a row. The op reads their first half, so that it has to be known that the
// second is equal: that they come of concat(t, t).
#include "dialects/Tenon/ConstantValues.h"
#include "passes/1_graph/KnownSizes.h"
#include "passes/1_graph/Passes.h"
#include "passes/1_graph/RowForms.h"

#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Remarks.h"

namespace tenon {
#define GEN_PASS_DEF_RAISEROPEPASS
#include "passes/1_graph/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static constexpr StringLiteral category = "tenon-raise-rope";

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }
static int64_t widthOf(Value value) { return typeOf(value).getRank() ? typeOf(value).getShape().back() : 1; }

static void miss(Operation *op, const Twine &reason) {
  remark::missed(op->getLoc(), remark::RemarkOpts::name("rope").category(category)) << ("no rope: " + reason).str();
}

namespace {
/// A half of every row: which one, of what. Interleaved, it is the even or the odd elements.
struct Half {
  Value whole;
  bool second, interleaved;
};

class Raiser {
public:
  explicit Raiser(func::FuncOp function) : sizes(function), rewriter(function.getContext(), &sizes) {}

  /// x * cos + concat(-x2, x1) * sin.
  bool raiseTurned(AddOp op);
  /// concat(x1 cos - x2 sin, x2 cos + x1 sin).
  bool raiseHalves(ConcatOp op);

private:
  std::optional<Half> halfOf(Value value);
  Value withoutOne(Value value);
  bool fits(Value table, Value input, int64_t width);

  KnownSizes sizes;
  IRRewriter rewriter;
};
} // namespace

/// Whether a slice leaves all dimensions but the innermost whole.
static bool cutsRowsAlone(SliceOp op) {
  for (int64_t d : llvm::seq<int64_t>(op.getStarts().size() - 1)) {
    int64_t size = typeOf(op.getInput()).getDimSize(d);
    bool whole = op.getStarts()[d] == 0 && op.getSteps()[d] == 1 &&
                 (op.getEnds()[d] == std::numeric_limits<int64_t>::max() ||
                  (!ShapedType::isDynamic(size) && op.getEnds()[d] >= size));
    if (!whole)
      return false;
  }
  return op.getBounds().empty();
}

/// The elements that a slice of the innermost dimension takes: the first, the step.
static std::pair<int64_t, int64_t> takenOf(SliceOp op) {
  int64_t size = widthOf(op.getInput()), start = op.getStarts().back();
  return {start < 0 ? start + size : start, op.getSteps().back()};
}

/// What a reshape gave a last dimension of 1; null for another value.
Value Raiser::withoutOne(Value value) {
  auto reshape = value.getDefiningOp<ReshapeOp>();
  return reshape && sizes.addsLastOne(value, reshape.getInput()) ? reshape.getInput() : Value();
}

std::optional<Half> Raiser::halfOf(Value value) {
  if (auto split = value.getDefiningOp<SplitOp>()) {
    bool inTwo = split.getNumResults() == 2 && split.getSizes()[0] == split.getSizes()[1] &&
                 int64_t(split.getAxis()) == typeOf(split.getInput()).getRank() - 1;
    return inTwo ? std::optional(Half{split.getInput(), value == split.getResult(1), false}) : std::nullopt;
  }
  if (auto slice = value.getDefiningOp<SliceOp>()) {
    int64_t width = widthOf(slice.getInput());
    auto [first, step] = takenOf(slice);
    if (ShapedType::isDynamic(width) || width % 2 || !cutsRowsAlone(slice) || 2 * widthOf(value) != width)
      return std::nullopt;
    if (step == 1 && (first == 0 || first == width / 2))
      return Half{slice.getInput(), first != 0, false};
    if (step == 2 && (first == 0 || first == 1))
      return Half{slice.getInput(), first == 1, true};
    return std::nullopt;
  }
  // pairs = reshape(x) to [.., D/2, 2]; pairs[.., 0:1] without its 1, or pairs split in two.
  auto reshape = value.getDefiningOp<ReshapeOp>();
  if (!reshape || !sizes.addsLastOne(reshape.getInput(), value))
    return std::nullopt;
  Value pairs;
  bool second;
  if (auto slice = reshape.getInput().getDefiningOp<SliceOp>(); slice && cutsRowsAlone(slice)) {
    pairs = slice.getInput();
    second = takenOf(slice).first == 1;
  } else if (auto split = reshape.getInput().getDefiningOp<SplitOp>();
             split && split.getNumResults() == 2 &&
             int64_t(split.getAxis()) == typeOf(split.getInput()).getRank() - 1) {
    pairs = split.getInput();
    second = reshape.getInput() == split.getResult(1);
  }
  auto apart = pairs ? pairs.getDefiningOp<ReshapeOp>() : ReshapeOp();
  if (!apart || widthOf(pairs) != 2)
    return std::nullopt;
  Value whole = apart.getInput();
  int64_t rank = typeOf(whole).getRank();
  bool matches =
      typeOf(pairs).getRank() == rank + 1 && widthOf(whole) == 2 * widthOf(value) &&
      llvm::all_of(llvm::seq<int64_t>(rank - 1), [&](int64_t d) { return sizes.areEqual(whole, d, pairs, d); });
  return matches ? std::optional(Half{whole, second, true}) : std::nullopt;
}

/// Whether the second half of every row of a table is the first again.
static bool repeatsHalf(Value table) {
  Operation *op = table.getDefiningOp();
  if (!op)
    return false;
  if (auto concat = dyn_cast<ConcatOp>(op))
    return concat.getInputs().size() == 2 && concat.getInputs()[0] == concat.getInputs()[1] &&
           int64_t(concat.getAxis()) == typeOf(table).getRank() - 1;
  if (op->hasTrait<OpTrait::Elementwise>() && op->getNumOperands() == 1)
    return repeatsHalf(op->getOperand(0));
  if (op->hasTrait<Broadcasts>())
    return llvm::all_of(op->getOperands(), [](Value operand) { return widthOf(operand) == 1 || repeatsHalf(operand); });
  if (auto expand = dyn_cast<ExpandOp>(op))
    return widthOf(expand.getInput()) == widthOf(table) && repeatsHalf(expand.getInput());
  // As long as rows stay rows.
  if (auto reshape = dyn_cast<ReshapeOp>(op))
    return widthOf(reshape.getInput()) == widthOf(table) && !ShapedType::isDynamic(widthOf(table)) &&
           repeatsHalf(reshape.getInput());
  if (auto slice = dyn_cast<SliceOp>(op))
    return slice.getStarts().back() == 0 && slice.getSteps().back() == 1 &&
           widthOf(slice.getInput()) == widthOf(table) && repeatsHalf(slice.getInput());
  if (auto transpose = dyn_cast<TransposeOp>(op))
    return transpose.getPermutation().back() == typeOf(table).getRank() - 1 && repeatsHalf(transpose.getInput());
  if (auto embedding = dyn_cast<EmbeddingOp>(op))
    return repeatsHalf(embedding.getTable());
  if (auto gather = dyn_cast<GatherOp>(op))
    return int64_t(gather.getAxis()) != typeOf(gather.getInput()).getRank() - 1 && repeatsHalf(gather.getInput());
  auto constant = dyn_cast<ConstantOp>(op);
  auto elements = constant ? dyn_cast<DenseFPElementsAttr>(constant.getValue()) : DenseFPElementsAttr();
  if (!elements || elements.isSplat())
    return bool(elements);
  SmallVector<APFloat> values(elements.getValues<APFloat>());
  int64_t width = widthOf(table), half = width / 2;
  for (int64_t at = 0, end = values.size(); at < end; ++at)
    if (at % width < half && !values[at].bitwiseIsEqual(values[at + half]))
      return false;
  return true;
}

/// Whether a table is one for `input`, its rows `width` wide.
bool Raiser::fits(Value table, Value input, int64_t width) {
  auto small = typeOf(table), whole = typeOf(input);
  if (widthOf(table) != width || small.getRank() > whole.getRank() || whole.getRank() < 2 ||
      elementOf(table) != elementOf(input))
    return false;
  int64_t added = whole.getRank() - small.getRank();
  return llvm::all_of(llvm::seq<int64_t>(small.getRank() - 1), [&](int64_t d) {
    return small.getDimSize(d) == 1 || small.isDynamicDim(d) || whole.isDynamicDim(d + added) ||
           small.getDimSize(d) == whole.getDimSize(d + added);
  });
}

bool Raiser::raiseTurned(AddOp op) {
  for (auto [plain, turned] : {std::pair(op.getLhs(), op.getRhs()), std::pair(op.getRhs(), op.getLhs())}) {
    auto first = plain.getDefiningOp<MulOp>(), second = turned.getDefiningOp<MulOp>();
    if (!first || !second)
      return false;
    for (unsigned side : {0, 1}) {
      // concat(-x2, x1) on this side of the second product.
      auto concat = second->getOperand(side).getDefiningOp<ConcatOp>();
      if (!concat || concat.getInputs().size() != 2 || int64_t(concat.getAxis()) != concat.getType().getRank() - 1)
        continue;
      auto neg = concat.getInputs()[0].getDefiningOp<NegOp>();
      std::optional<Half> high = neg ? halfOf(neg.getInput()) : std::nullopt, low = halfOf(concat.getInputs()[1]);
      if (!high || !low || !high->second || low->second || high->interleaved || low->interleaved ||
          high->whole != low->whole)
        continue;
      Value x = low->whole, sin = second->getOperand(1 - side);
      if (first.getLhs() != x && first.getRhs() != x)
        continue;
      Value cos = first.getLhs() == x ? first.getRhs() : first.getLhs();
      if (x.getType() != op.getType() || !fits(cos, x, widthOf(x)) || !fits(sin, x, widthOf(x)))
        return miss(op, "its tables do not span its rows"), false;
      if (!repeatsHalf(cos) || !repeatsHalf(sin))
        return miss(op, "whether the halves of its tables are equal is not known"), false;
      if (!concat->hasOneUse() || !neg->hasOneUse() || !first->hasOneUse() || !second->hasOneUse())
        return miss(op, "others read what is inside"), false;
      rewriter.setInsertionPoint(op);
      rewriter.replaceOpWithNewOp<RopeOp>(op, op.getType(), x, cos, sin, /*interleaved=*/false);
      return true;
    }
  }
  return false;
}

namespace {
/// a * b, one of a and b a half of a row.
struct HalfProduct {
  Half half;
  Value table;
};
} // namespace

bool Raiser::raiseHalves(ConcatOp op) {
  if (op.getInputs().size() != 2 || int64_t(op.getAxis()) != op.getType().getRank() - 1)
    return false;
  Value one = op.getInputs()[0], two = op.getInputs()[1];
  bool interleaved = false;
  if (Value narrow = withoutOne(one)) { // stack(.., dim=-1), flattened after
    interleaved = true;
    one = narrow;
    two = withoutOne(two);
  }
  auto sub = one.getDefiningOp<SubOp>();
  auto add = two ? two.getDefiningOp<AddOp>() : AddOp();
  if (!sub || !add)
    return false;
  auto productOf = [&](Value value) -> std::optional<HalfProduct> {
    auto mul = value.getDefiningOp<MulOp>();
    for (unsigned side : {0, 1})
      if (std::optional<Half> half = mul ? halfOf(mul->getOperand(side)) : std::nullopt)
        return HalfProduct{*half, mul->getOperand(1 - side)};
    return std::nullopt;
  };
  std::optional<HalfProduct> a = productOf(sub.getLhs()), b = productOf(sub.getRhs()), c = productOf(add.getLhs()),
                             d = productOf(add.getRhs());
  if (!a || !b || !c || !d)
    return false;
  if (!c->half.second) // x1 sin + x2 cos
    std::swap(c, d);
  Value x = a->half.whole, cos = a->table, sin = b->table;
  bool matches =
      !a->half.second && b->half.second && c->half.second && !d->half.second && c->table == cos && d->table == sin;
  for (const HalfProduct &each : {*a, *b, *c, *d})
    matches = matches && each.half.whole == x && each.half.interleaved == interleaved;
  if (!matches)
    return false;
  Operation *root = op;
  if (interleaved) {
    // [.., D/2, 2] is flattened to [.., D] by what reads it.
    auto flat = op->hasOneUse() ? dyn_cast<ReshapeOp>(*op->user_begin()) : ReshapeOp();
    if (!flat || flat.getType() != x.getType() || !sizes.haveEqualShapes(flat.getResult(), x))
      return miss(op, "its pairs are not put back into rows"), false;
    root = flat;
  }
  if (root->getResult(0).getType() != x.getType() || !fits(cos, x, widthOf(x) / 2) || !fits(sin, x, widthOf(x) / 2))
    return miss(op, "its tables do not span half its rows"), false;
  FormOps form;
  for (Operation *each : {sub.getOperation(), add.getOperation(), sub.getLhs().getDefiningOp(),
                          sub.getRhs().getDefiningOp(), add.getLhs().getDefiningOp(), add.getRhs().getDefiningOp()})
    form.add(each);
  for (Value input : op.getInputs())
    form.add(input.getDefiningOp());
  form.add(op);
  if (!form.areReadInsideOnly(root))
    return miss(op, "others read what is inside"), false;
  rewriter.setInsertionPoint(root);
  rewriter.replaceOpWithNewOp<RopeOp>(root, x.getType(), x, cos, sin, interleaved);
  return true;
}

namespace {
struct RaiseRope : tenon::impl::RaiseRopePassBase<RaiseRope> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      Raiser raiser(function);
      function.walk([&](Operation *op) {
        if (auto add = dyn_cast<AddOp>(op))
          (void)raiser.raiseTurned(add);
      });
      SmallVector<ConcatOp> concats; // an interleaved one is replaced with the reshape after it
      function.walk([&](ConcatOp op) { concats.push_back(op); });
      for (ConcatOp op : concats)
        (void)raiser.raiseHalves(op);
    }
  }
};
} // namespace
