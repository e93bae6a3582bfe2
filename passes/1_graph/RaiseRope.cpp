// Rotary embedding taken apart cuts its input in two and joins it again, which no loop over whole rows can do on the
// way. The forms: x * cos + concat(-x2, x1) * sin, and concat(x1 cos - x2 sin, x2 cos + x1 sin), with x1 and x2 the
// halves of each row or, interleaved, its even and odd elements.
//
// In the first form the tables are as wide as a row. The op reads half of them, so that it has to be known that the
// rest repeats it: that they come of concat(t, t) or, interleaved, of t with each element twice.
#include "passes/1_graph/Passes.h"
#include "passes/1_graph/RotaryForms.h"
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
class Raiser {
public:
  explicit Raiser(func::FuncOp function) : sizes(function), rewriter(function.getContext(), &sizes) {}

  /// x * cos + concat(-x2, x1) * sin.
  bool raiseTurned(AddOp op);
  /// concat(x1 cos - x2 sin, x2 cos + x1 sin).
  bool raiseHalves(ConcatOp op);

private:
  Value dropLastOne(Value value);
  Value halfTable(Value table);
  bool fits(Value table, Value input, int64_t width);

  KnownSizes sizes;
  IRRewriter rewriter;
};
} // namespace

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

/// [.., n, 1] as [.., n].
Value Raiser::dropLastOne(Value value) {
  RankedTensorType type = typeOf(value);
  SmallVector<Value> operands;
  if (type.getNumDynamicDims() > 1)
    for (int64_t d : llvm::seq<int64_t>(type.getRank()))
      if (type.isDynamicDim(d))
        operands.push_back(DimOp::create(rewriter, value.getLoc(), value, d));
  return ReshapeOp::create(rewriter, value.getLoc(),
                           RankedTensorType::get(type.getShape().drop_back(), type.getElementType()), value, operands);
}

/// A table as wide as a row whose halves are equal, computed half as wide; null where it is made in another way.
Value Raiser::halfTable(Value table) {
  Operation *op = table.getDefiningOp();
  auto withHalf = [&](ArrayRef<Value> operands) -> Value {
    SmallVector<int64_t> shape(typeOf(table).getShape());
    shape.back() /= 2;
    Operation *half = rewriter.clone(*op);
    half->setOperands(operands);
    half->getResult(0).setType(RankedTensorType::get(shape, typeOf(table).getElementType()));
    return half->getResult(0);
  };
  if (auto concat = dyn_cast_or_null<ConcatOp>(op))
    return concat.getInputs()[0];
  if (op && op->hasTrait<OpTrait::Elementwise>() && op->getNumOperands() == 1) {
    Value half = halfTable(op->getOperand(0));
    return half ? withHalf({half}) : Value();
  }
  if (auto reshape = dyn_cast_or_null<ReshapeOp>(op); reshape && typeOf(table).hasStaticShape()) {
    Value half = halfTable(reshape.getInput());
    return half ? withHalf({half}) : Value();
  }
  return {};
}

bool Raiser::raiseTurned(AddOp op) {
  for (auto [plain, turned] : {std::pair(op.getLhs(), op.getRhs()), std::pair(op.getRhs(), op.getLhs())}) {
    auto first = plain.getDefiningOp<MulOp>(), second = turned.getDefiningOp<MulOp>();
    if (!first || !second)
      return false;
    for (unsigned side : {0, 1}) {
      SmallVector<Operation *> inside = {first, second};
      std::optional<Turned> form = turnedOf(second->getOperand(side), sizes, inside);
      if (!form || (first.getLhs() != form->whole && first.getRhs() != form->whole))
        continue;
      Value x = form->whole, sin = second->getOperand(1 - side);
      Value cos = first.getLhs() == x ? first.getRhs() : first.getLhs();
      if (x.getType() != op.getType() || !fits(cos, x, widthOf(x)) || !fits(sin, x, widthOf(x)))
        return miss(op, "its tables do not span its rows"), false;
      Value halfCos = beforeRepeatingPairs(cos, sizes), halfSin = beforeRepeatingPairs(sin, sizes);
      if (form->interleaved ? !halfCos || !halfSin : !repeatsHalf(cos) || !repeatsHalf(sin))
        return miss(op, "whether the halves of its tables are equal is not known"), false;
      if (!llvm::all_of(inside, [](Operation *each) { return each->hasOneUse(); }))
        return miss(op, "others read what is inside"), false;
      rewriter.setInsertionPoint(op);
      if (form->interleaved) {
        cos = dropLastOne(halfCos);
        sin = dropLastOne(halfSin);
      } else if (Value narrowCos = halfTable(cos), narrowSin = halfTable(sin); narrowCos && narrowSin) {
        cos = narrowCos;
        sin = narrowSin;
      }
      rewriter.replaceOpWithNewOp<RopeOp>(op, op.getType(), x, cos, sin, form->interleaved);
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
  if (Value narrow = withoutLastOne(one, sizes)) { // stack(.., dim=-1), flattened after
    interleaved = true;
    one = narrow;
    two = withoutLastOne(two, sizes);
  }
  auto sub = one.getDefiningOp<SubOp>();
  auto add = two ? two.getDefiningOp<AddOp>() : AddOp();
  if (!sub || !add)
    return false;
  auto productOf = [&](Value value) -> std::optional<HalfProduct> {
    auto mul = value.getDefiningOp<MulOp>();
    for (unsigned side : {0, 1})
      if (std::optional<Half> half = mul ? halfOf(mul->getOperand(side), sizes) : std::nullopt)
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
