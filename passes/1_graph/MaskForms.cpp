#include "passes/1_graph/MaskForms.h"

#include "dialects/Tenon/CanonicalPatterns.h"
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

/// The dimension of the scores that one of a condition's is, both counted from the innermost; -1 for none.
static int64_t dimensionOf(const Condition &condition, int64_t along) {
  int64_t rank = condition.along.size();
  return along >= 0 && along < rank ? condition.along[rank - 1 - along] : -1;
}

/// An integer tensor as a linear function of the indices of key and query: positions, or a difference of them.
static std::optional<Distance> distanceOf(Value value, const Condition &condition, const KnownSizes &sizes) {
  if (std::optional<Positions> positions = positionsOf(value, sizes)) {
    int64_t dimension = dimensionOf(condition, positions->along);
    if (positions->step && dimension != 0 && dimension != 1)
      return std::nullopt;
    bool isKey = dimension == 0;
    return Distance{isKey ? positions->step : 0, isKey ? 0 : positions->step, positions->start};
  }
  Operation *op = value.getDefiningOp();
  if (isa_and_nonnull<ExpandOp>(op))
    return distanceOf(op->getOperand(0), condition, sizes);
  if (!isa_and_nonnull<AddOp, SubOp>(op))
    return std::nullopt;
  std::optional<Distance> a = distanceOf(op->getOperand(0), condition, sizes),
                          b = distanceOf(op->getOperand(1), condition, sizes);
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

std::optional<Band> tenon::bandOf(const Condition &condition, const KnownSizes &sizes) {
  auto compare = condition.value.getDefiningOp<CompareOp>();
  if (!compare) {
    bool isTriangle =
        dimensionOf(condition, 0) == 0 && dimensionOf(condition, 1) == 1 && isLowerTriangle(condition.value);
    return isTriangle ? std::optional(Band{0, std::nullopt}) : std::nullopt;
  }
  if (!elementOf(compare.getLhs()).isInteger())
    return std::nullopt;
  std::optional<Distance> lhs = distanceOf(compare.getLhs(), condition, sizes),
                          rhs = distanceOf(compare.getRhs(), condition, sizes);
  if (!lhs || !rhs)
    return std::nullopt;
  Distance difference{lhs->key - rhs->key, lhs->query - rhs->query, lhs->offset - rhs->offset};
  ComparePredicate predicate = compare.getPredicate();
  if (difference.key == -1 && difference.query == 1) {
    difference = {1, -1, -difference.offset};
    predicate = swapped(predicate);
  }
  if (difference.key != 1 || difference.query != -1)
    return std::nullopt;
  Band band = ::bandOf(predicate, difference.offset);
  return band.most || band.least ? std::optional(band) : std::nullopt;
}

/// The dimensions of a reshape's operand, which those of its result are; none where it does more than add and drop
/// ones.
static std::optional<SmallVector<int64_t>> alongBefore(ReshapeOp op, ArrayRef<int64_t> along, const KnownSizes &sizes) {
  SmallVector<int64_t> before(typeOf(op.getInput()).getRank(), -1);
  auto isReal = [](Value value) {
    return llvm::make_filter_range(llvm::seq<int64_t>(typeOf(value).getRank()),
                                   [=](int64_t d) { return typeOf(value).getDimSize(d) != 1; });
  };
  auto from = llvm::to_vector(isReal(op.getInput())), to = llvm::to_vector(isReal(op.getResult()));
  if (from.size() != to.size())
    return std::nullopt;
  for (auto [a, b] : llvm::zip_equal(from, to)) {
    if (from.size() > 1 && !sizes.areEqual(op.getInput(), a, op.getResult(), b))
      return std::nullopt;
    before[a] = along[b];
  }
  return before;
}

/// Whether a value is one number for each batch. `along`: of its dimensions, as in a condition.
static bool isOfBatch(Value value, ArrayRef<int64_t> along) {
  auto sizes = llvm::zip_equal(typeOf(value).getShape(), along);
  return llvm::count_if(sizes, [](auto each) { return std::get<0>(each) != 1; }) <= 1 &&
         llvm::all_of(sizes, [](auto each) { return std::get<0>(each) == 1 || std::get<1>(each) == 3; });
}

namespace {
/// A number of each batch, and the query's index or nothing, and so much more, at least 0: what wraps is below 0, and
/// no place is before that.
struct Growth {
  Value base;
  bool grows = false;
  int64_t more = 0;
};
} // namespace

static std::optional<Growth> growthOf(Value value, ArrayRef<int64_t> along, const KnownSizes &sizes) {
  if (std::optional<Positions> positions = positionsOf(value, sizes)) {
    bool isQuery = positions->step == 1 && along[typeOf(value).getRank() - 1 - positions->along] == 1;
    bool isSum = positions->start >= 0 && (isQuery || positions->step == 0);
    return isSum ? std::optional(Growth{Value(), isQuery, positions->start}) : std::nullopt;
  }
  if (isOfBatch(value, along))
    return Growth{value};
  Operation *op = value.getDefiningOp();
  if (isa_and_nonnull<ExpandOp>(op))
    return growthOf(op->getOperand(0), along.take_back(typeOf(op->getOperand(0)).getRank()), sizes);
  if (auto reshape = dyn_cast_or_null<ReshapeOp>(op)) {
    std::optional<SmallVector<int64_t>> before = alongBefore(reshape, along, sizes);
    return before ? growthOf(reshape.getInput(), *before, sizes) : std::nullopt;
  }
  auto sum = dyn_cast_or_null<AddOp>(op);
  if (!sum)
    return std::nullopt;
  auto part = [&](Value operand) { return growthOf(operand, along.take_back(typeOf(operand).getRank()), sizes); };
  std::optional<Growth> lhs = part(sum.getLhs()), rhs = part(sum.getRhs());
  if (!lhs || !rhs || (lhs->base && rhs->base) || (lhs->grows && rhs->grows))
    return std::nullopt;
  return Growth{lhs->base ? lhs->base : rhs->base, lhs->grows || rhs->grows, lhs->more + rhs->more};
}

std::optional<End> tenon::endOf(const Condition &condition, const KnownSizes &sizes) {
  auto compare = condition.value.getDefiningOp<CompareOp>();
  if (!compare || !elementOf(compare.getLhs()).isInteger())
    return std::nullopt;
  ComparePredicate predicate = compare.getPredicate();
  Value place = compare.getLhs(), length = compare.getRhs();
  std::optional<Positions> positions = positionsOf(place, sizes);
  if (!positions) {
    std::swap(place, length);
    predicate = swapped(predicate);
    positions = positionsOf(place, sizes);
  }
  if (!positions || positions->step != 1)
    return std::nullopt;
  int64_t dimension = dimensionOf(condition, positions->along);
  bool isUpper = predicate == ComparePredicate::LT || predicate == ComparePredicate::LE;
  std::optional<Growth> end = growthOf(length, ArrayRef(condition.along).take_back(typeOf(length).getRank()), sizes);
  // A sum that does not grow might wrap where a length does not, and there is nothing else that says so.
  if (!isUpper || !end || !end->base || (!end->grows && end->more) ||
      (dimension != 0 && (dimension != 1 || end->grows)))
    return std::nullopt;
  return End{dimension == 1, end->base, end->more + (predicate == ComparePredicate::LE ? 1 : 0) - positions->start,
             end->grows};
}

static void collect(Value mask, ArrayRef<int64_t> along, const KnownSizes &sizes,
                    SmallVectorImpl<Condition> &conditions) {
  Operation *op = mask.getDefiningOp();
  if (isa_and_nonnull<LogicalAndOp, ExpandOp>(op)) {
    // Dimensions align at the innermost; what an expand has behind its first operand are sizes.
    for (Value operand : op->getOperands().take_front(isa<ExpandOp>(op) ? 1 : 2))
      collect(operand, along.take_back(typeOf(operand).getRank()), sizes, conditions);
    return;
  }
  if (auto reshape = dyn_cast_or_null<ReshapeOp>(op))
    if (std::optional<SmallVector<int64_t>> before = alongBefore(reshape, along, sizes))
      return collect(reshape.getInput(), *before, sizes, conditions);
  conditions.push_back({mask, SmallVector<int64_t>(along)});
}

SmallVector<Condition> tenon::conditionsOf(Value mask, const KnownSizes &sizes) {
  SmallVector<Condition> conditions;
  collect(mask, llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(typeOf(mask).getRank()))), sizes, conditions);
  return conditions;
}

Value tenon::inverted(RewriterBase &rewriter, Value mask) {
  Operation *op = mask.getDefiningOp();
  Location location = mask.getLoc();
  if (auto inverse = dyn_cast_or_null<LogicalNotOp>(op))
    return inverse.getInput();
  if (auto either = dyn_cast_or_null<LogicalOrOp>(op))
    return LogicalAndOp::create(rewriter, location, inverted(rewriter, either.getLhs()),
                                inverted(rewriter, either.getRhs()));
  auto compare = dyn_cast_or_null<CompareOp>(op);
  if (compare && elementOf(compare.getLhs()).isInteger())
    return CompareOp::create(rewriter, location, compare.getType(), compare.getLhs(), compare.getRhs(),
                             inverse(compare.getPredicate()));
  if (!isa_and_nonnull<ReshapeOp, ExpandOp>(op))
    return LogicalNotOp::create(rewriter, location, mask);
  Value source = inverted(rewriter, op->getOperand(0));
  Operation *view = op->clone();
  view->setOperand(0, source);
  return rewriter.insert(view)->getResult(0);
}
