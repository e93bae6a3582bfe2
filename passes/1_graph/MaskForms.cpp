#include "passes/1_graph/MaskForms.h"

#include "dialects/Tenon/ConstantValues.h"
#include "dialects/Tenon/Tenon.h"
#include "passes/1_graph/Positions.h"

#include <cmath>

using namespace mlir;
using namespace tenon;

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

namespace {
/// key * index of the key + query * index of the query + offset; the indices count from 0.
struct Position {
  int64_t key = 0, query = 0, offset = 0;
};
} // namespace

/// An integer tensor as a linear function of the indices of key and query.
static std::optional<Position> positionOf(Value value) {
  if (std::optional<int64_t> known = integerSplat(value))
    return Position{0, 0, *known};
  Operation *op = value.getDefiningOp();
  if (!op)
    return std::nullopt;
  if (isa<AddOp, SubOp>(op)) {
    std::optional<Position> a = positionOf(op->getOperand(0)), b = positionOf(op->getOperand(1));
    int64_t sign = isa<AddOp>(op) ? 1 : -1;
    if (!a || !b)
      return std::nullopt;
    return Position{a->key + sign * b->key, a->query + sign * b->query, a->offset + sign * b->offset};
  }
  if (isa<ExpandOp>(op))
    return positionOf(op->getOperand(0));
  if (auto cast = dyn_cast<CastOp>(op); cast && elementOf(cast.getInput()).isInteger() &&
                                        elementOf(cast.getInput()).getIntOrFloatBitWidth() >= 32 &&
                                        typeOf(value).getElementTypeBitWidth() >= 32)
    return positionOf(cast.getInput());
  std::optional<PositionVector> positions = positionsOf(value);
  if (!positions || positions->along > 1 || typeOf(value).getElementTypeBitWidth() < 32)
    return std::nullopt;
  double start = positions->iota.getStart().convertToDouble();
  if (start != std::trunc(start) || std::fabs(start) > 0x1p31)
    return std::nullopt;
  return positions->along == 0 ? Position{1, 0, int64_t(start)} : Position{0, 1, int64_t(start)};
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

static std::optional<Band> bandOf(CompareOp op) {
  std::optional<Position> lhs, rhs;
  if (!elementOf(op.getLhs()).isInteger() || !(lhs = positionOf(op.getLhs())) || !(rhs = positionOf(op.getRhs())))
    return std::nullopt;
  Position difference{lhs->key - rhs->key, lhs->query - rhs->query, lhs->offset - rhs->offset};
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

std::optional<Band> tenon::bandOf(Value mask) {
  if (auto compare = mask.getDefiningOp<CompareOp>())
    return ::bandOf(compare);
  if (isLowerTriangle(mask))
    return Band{0, std::nullopt};
  Operation *op = mask.getDefiningOp();
  // Written out, or with ones in front, it says the same.
  if (isa_and_nonnull<ExpandOp>(op))
    return bandOf(op->getOperand(0));
  if (auto reshape = dyn_cast_or_null<ReshapeOp>(op)) {
    auto from = typeOf(reshape.getInput()), to = typeOf(mask);
    auto ones = [](ArrayRef<int64_t> sizes) { return llvm::all_of(sizes, [](int64_t size) { return size == 1; }); };
    if (from.hasStaticShape() && from.getRank() >= 2 && to.getRank() >= 2 &&
        from.getShape().take_back(2) == to.getShape().take_back(2) && ones(from.getShape().drop_back(2)) &&
        ones(to.getShape().drop_back(2)))
      return bandOf(reshape.getInput());
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
