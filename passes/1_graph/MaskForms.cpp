#include "passes/1_graph/MaskForms.h"

#include "dialects/Tenon/ConstantValues.h"
#include "dialects/Tenon/Tenon.h"
#include "passes/1_graph/Positions.h"

using namespace mlir;
using namespace tenon;

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

namespace {
/// key * index of the key + query * index of the query + offset; the indices count from 0.
struct Distance {
  int64_t key = 0, query = 0, offset = 0;
};
} // namespace

/// An integer tensor as a linear function of the indices of key and query: positions, or a difference of them.
static std::optional<Distance> distanceOf(Value value, const KnownSizes &sizes) {
  if (std::optional<Positions> positions = positionsOf(value, sizes)) {
    if (positions->along > 1)
      return std::nullopt;
    bool isKey = positions->along == 0;
    return Distance{isKey ? positions->step : 0, isKey ? 0 : positions->step, positions->start};
  }
  Operation *op = value.getDefiningOp();
  if (isa_and_nonnull<ExpandOp>(op))
    return distanceOf(op->getOperand(0), sizes);
  if (!isa_and_nonnull<AddOp, SubOp>(op))
    return std::nullopt;
  std::optional<Distance> a = distanceOf(op->getOperand(0), sizes), b = distanceOf(op->getOperand(1), sizes);
  int64_t sign = isa<AddOp>(op) ? 1 : -1;
  if (!a || !b)
    return std::nullopt;
  return Distance{a->key + sign * b->key, a->query + sign * b->query, a->offset + sign * b->offset};
}

/// The band that `difference <predicate> 0` is, difference being key - query + offset.
static Band bandOf(ComparePredicate predicate, int64_t offset) {
  switch (predicate) {
  case ComparePredicate::LE:
    return {-offset, std::nullopt};
  case ComparePredicate::LT:
    return {-offset - 1, std::nullopt};
  case ComparePredicate::GE:
    return {std::nullopt, -offset};
  case ComparePredicate::GT:
    return {std::nullopt, -offset + 1};
  default:
    return {};
  }
}

static ComparePredicate swapped(ComparePredicate predicate) {
  switch (predicate) {
  case ComparePredicate::LE:
    return ComparePredicate::GE;
  case ComparePredicate::LT:
    return ComparePredicate::GT;
  case ComparePredicate::GE:
    return ComparePredicate::LE;
  case ComparePredicate::GT:
    return ComparePredicate::LT;
  default:
    return predicate;
  }
}

static std::optional<Band> bandOf(CompareOp op, const KnownSizes &sizes) {
  if (!elementOf(op.getLhs()).isInteger())
    return std::nullopt;
  std::optional<Distance> lhs = distanceOf(op.getLhs(), sizes), rhs = distanceOf(op.getRhs(), sizes);
  if (!lhs || !rhs)
    return std::nullopt;
  Distance difference{lhs->key - rhs->key, lhs->query - rhs->query, lhs->offset - rhs->offset};
  ComparePredicate predicate = op.getPredicate();
  if (difference.key == -1 && difference.query == 1) {
    difference = {1, -1, -difference.offset};
    predicate = swapped(predicate);
  }
  if (difference.key != 1 || difference.query != -1)
    return std::nullopt;
  Band band = bandOf(predicate, difference.offset);
  return band.most || band.least ? std::optional(band) : std::nullopt;
}

/// A triangle kept as a constant, whole or cut at its upper left corner: true where key <= query.
static bool isLowerTriangle(Value value) {
  if (auto slice = value.getDefiningOp<SliceOp>()) {
    // Where it starts is what the positions are counted from; how far it goes does not matter.
    bool fromCorner = llvm::all_of(slice.getStarts(), [](int64_t start) { return start == 0; }) &&
                      llvm::all_of(slice.getSteps(), [](int64_t step) { return step == 1; });
    return fromCorner && isLowerTriangle(slice.getInput());
  }
  auto constant = value.getDefiningOp<ConstantOp>();
  auto elements = constant ? dyn_cast<DenseIntElementsAttr>(constant.getValue()) : DenseIntElementsAttr();
  if (!elements || !elements.getElementType().isInteger(1) || elements.isSplat())
    return false;
  ArrayRef<int64_t> shape = elements.getType().getShape();
  if (shape.size() < 2 || llvm::any_of(shape.drop_back(2), [](int64_t size) { return size != 1; }))
    return false;
  int64_t at = 0, keys = shape.back();
  return llvm::all_of(elements.getValues<bool>(), [&](bool visible) {
    bool expected = at % keys <= at / keys;
    ++at;
    return visible == expected;
  });
}

std::optional<Band> tenon::bandOf(Value mask, const KnownSizes &sizes) {
  if (auto compare = mask.getDefiningOp<CompareOp>())
    return ::bandOf(compare, sizes);
  if (isLowerTriangle(mask))
    return Band{0, std::nullopt};
  Operation *op = mask.getDefiningOp();
  // Written out, or with ones in front, it says the same.
  if (isa_and_nonnull<ExpandOp>(op))
    return bandOf(op->getOperand(0), sizes);
  if (auto reshape = dyn_cast_or_null<ReshapeOp>(op)) {
    auto from = typeOf(reshape.getInput()), to = typeOf(mask);
    auto ones = [](ArrayRef<int64_t> sizes) { return llvm::all_of(sizes, [](int64_t size) { return size == 1; }); };
    if (from.hasStaticShape() && from.getRank() >= 2 && to.getRank() >= 2 &&
        from.getShape().take_back(2) == to.getShape().take_back(2) && ones(from.getShape().drop_back(2)) &&
        ones(to.getShape().drop_back(2)))
      return bandOf(reshape.getInput(), sizes);
  }
  return std::nullopt;
}

SmallVector<Value> tenon::conditionsOf(Value mask) {
  auto both = mask.getDefiningOp<LogicalAndOp>();
  if (!both)
    return {mask};
  SmallVector<Value> conditions = conditionsOf(both.getLhs());
  conditions.append(conditionsOf(both.getRhs()));
  return conditions;
}
