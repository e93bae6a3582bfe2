#include "passes/1_graph/AttentionMasks.h"

#include "dialects/Tenon/CanonicalPatterns.h"
#include "dialects/Tenon/ConstantValues.h"
#include "passes/1_graph/AttentionForms.h"
#include "passes/1_graph/MaskForms.h"

using namespace mlir;
using namespace tenon;

static constexpr double infinity = std::numeric_limits<double>::infinity();

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

namespace {
class Refiner {
public:
  Refiner(AttentionOp op, RewriterBase &rewriter, const KnownSizes &sizes)
      : op(op), rewriter(rewriter), sizes(sizes), beyond(keysBeyondQueries()) {
    rewriter.setInsertionPoint(op);
  }

  void run();

private:
  std::optional<int64_t> keysBeyondQueries();
  bool showsOwnKeys(Value visible);
  Value withViews(Value view, Value of, Value condition);
  Value visibleWhere();
  bool takeBand(const Condition &condition);
  Value wide(Value value);
  bool takeEnd(const Condition &condition);
  Value moved(Value length, const End &end);
  Value lengthsOf(const End &end);
  Value asMask(const Condition &condition);

  AttentionOp op;
  RewriterBase &rewriter;
  const KnownSizes &sizes;
  std::optional<int64_t> beyond;
};
} // namespace

/// How many more keys there are than queries, where that is one number.
std::optional<int64_t> Refiner::keysBeyondQueries() {
  int64_t queries = typeOf(op.getQuery()).getDimSize(2), keys = typeOf(op.getKey()).getDimSize(2);
  int64_t pages = op.getBlockTable() ? typeOf(op.getBlockTable()).getDimSize(1) : 1;
  if (!ShapedType::isDynamic(queries) && !ShapedType::isDynamic(keys) && !ShapedType::isDynamic(pages))
    return keys * pages - queries;
  bool areEqual = !op.getBlockTable() && sizes.areEqual(op.getQuery(), 2, op.getKey(), 2);
  return areEqual ? std::optional<int64_t>(0) : std::nullopt;
}

/// Whether query i sees key i + beyond, which there is, because every condition lets it.
bool Refiner::showsOwnKeys(Value visible) {
  return beyond && *beyond >= 0 && llvm::all_of(conditionsOf(visible, sizes), [&](const Condition &condition) {
           std::optional<Band> band = bandOf(condition, sizes);
           return band && band->most.value_or(*beyond) >= *beyond && band->least.value_or(*beyond) <= *beyond;
         });
}

/// What `view` is of `of`, of a condition in its place.
Value Refiner::withViews(Value view, Value of, Value condition) {
  RankedTensorType type = typeOf(view).clone(rewriter.getI1Type());
  if (view == of)
    return condition.getType() == type ? condition : createExpand(rewriter, view.getLoc(), condition, type, of);
  Operation *op = view.getDefiningOp();
  Value source = withViews(op->getOperand(0), of, condition);
  Operation *made = op->clone();
  made->setOperand(0, source);
  made->getResult(0).setType(type);
  return rewriter.insert(made)->getResult(0);
}

/// The boolean mask that a float one is: select(visible, 0.0, hidden), or views of it. With a finite number for hidden
/// only if every row sees a key: a row that sees none would weigh all alike.
Value Refiner::visibleWhere() {
  Value mask = op.getMask(), source = mask;
  if (elementOf(mask).isInteger(1))
    return mask;
  while (isa_and_nonnull<ReshapeOp, ExpandOp>(source.getDefiningOp()))
    source = source.getDefiningOp()->getOperand(0);
  auto select = source.getDefiningOp<SelectOp>();
  if (!select)
    return {};
  auto isZero = [](Value value) { return isSplat(value, 0) || isSplat(value, -0.0); };
  bool mirrored = isZero(select.getOnFalse());
  std::optional<double> hidden = floatSplat(mirrored ? select.getOnTrue() : select.getOnFalse());
  if (!hidden || !isZero(mirrored ? select.getOnFalse() : select.getOnTrue()) ||
      !absorbsScores(*hidden, elementOf(mask)))
    return {};
  Value condition = mirrored ? inverted(rewriter, select.getCondition()) : select.getCondition();
  Value visible = withViews(mask, source, condition);
  return *hidden == -infinity || showsOwnKeys(visible) ? visible : Value();
}

bool Refiner::takeBand(const Condition &condition) {
  std::optional<Band> band = beyond ? bandOf(condition, sizes) : std::nullopt;
  if (!band)
    return false;
  if (band->most && *band->most == *beyond && !band->least) {
    op.setCausal(true);
    return true;
  }
  if (!band->least || band->most || op.getWindow() || *beyond - *band->least < 0)
    return false;
  op.setWindow(*beyond - *band->least + 1);
  return true;
}

/// Integers as those of 64 bits.
Value Refiner::wide(Value value) {
  RankedTensorType type = typeOf(value).clone(rewriter.getI64Type());
  return value.getType() == type ? value : CastOp::create(rewriter, op.getLoc(), type, value).getResult();
}

/// Whether all is said of the condition then. Of one whose end grows with the queries the last one's is said, past
/// which no query sees a key.
bool Refiner::takeEnd(const Condition &condition) {
  std::optional<End> end = endOf(condition, sizes);
  if (!end)
    return false;
  Value lengths = lengthsOf(*end);
  if (Value given = end->isOfQueries ? op.getQueryLengths() : op.getKeyLengths())
    lengths = MinOp::create(rewriter, op.getLoc(), wide(given), wide(lengths));
  (end->isOfQueries ? op.getQueryLengthsMutable() : op.getKeyLengthsMutable()).assign(lengths);
  return !end->grows;
}

/// Lengths, one dimension of them, so much further: `beyond`, and for what all queries see the others that there are.
Value Refiner::moved(Value length, const End &end) {
  Location location = op.getLoc();
  auto number = [&](int64_t value) {
    return createSplat(rewriter, location, RankedTensorType::get({}, rewriter.getI64Type()), double(value));
  };
  // No place is past 2^31 - 2, so that nothing is lost by what keeps the sum from wrapping.
  Value sum = MinOp::create(rewriter, location, wide(length), number(std::numeric_limits<int32_t>::max()));
  sum = MaxOp::create(rewriter, location, sum, number(std::numeric_limits<int32_t>::min()));
  int64_t queries = typeOf(op.getQuery()).getDimSize(2), others = end.grows ? queries - 1 : 0;
  if (end.grows && ShapedType::isDynamic(queries)) {
    sum = AddOp::create(rewriter, location, sum, DimOp::create(rewriter, location, op.getQuery(), 2));
    others = -1;
  }
  return AddOp::create(rewriter, location, sum, number(end.beyond + others));
}

/// An end as [batch].
Value Refiner::lengthsOf(const End &end) {
  Location location = op.getLoc();
  Value length = end.length;
  bool isMoved = end.beyond || end.grows;
  if (auto cast = length.getDefiningOp<CastOp>(); cast && !isMoved && elementOf(cast.getInput()).isInteger(32))
    length = cast.getInput();
  int64_t size = 1, batch = typeOf(op.getQuery()).getDimSize(0);
  for (int64_t each : typeOf(length).getShape())
    size = each == 1 ? size : each;
  if (typeOf(length).getRank() != 1)
    length = ReshapeOp::create(rewriter, location, typeOf(length).clone(size), length, ValueRange());
  if (isMoved)
    length = moved(length, end);
  if (size != 1 || batch == 1)
    return length;
  SmallVector<Value> sizesOfResult;
  if (ShapedType::isDynamic(batch))
    sizesOfResult.push_back(DimOp::create(rewriter, location, op.getQuery(), 0));
  return ExpandOp::create(rewriter, location, typeOf(length).clone(batch), length, sizesOfResult);
}

/// A condition with its dimensions where those of the scores are.
Value Refiner::asMask(const Condition &condition) {
  Value value = condition.value;
  int64_t rank = typeOf(value).getRank();
  SmallVector<int64_t> shape(4, 1);
  SmallVector<Value> operands;
  bool isAligned = true;
  for (int64_t d : llvm::seq(rank)) {
    int64_t size = typeOf(value).getDimSize(d);
    if (size == 1)
      continue;
    isAligned &= condition.along[d] == rank - 1 - d;
    shape[3 - condition.along[d]] = size;
    if (ShapedType::isDynamic(size) && typeOf(value).getNumDynamicDims() > 1)
      operands.push_back(DimOp::create(rewriter, value.getLoc(), value, d));
  }
  auto type = RankedTensorType::get(shape, rewriter.getI1Type());
  return isAligned ? value : ReshapeOp::create(rewriter, value.getLoc(), type, value, operands).getResult();
}

void Refiner::run() {
  Value visible = op.getMask() ? visibleWhere() : Value();
  if (!visible)
    return;
  SmallVector<Condition> rest, all = conditionsOf(visible, sizes);
  for (const Condition &condition : all)
    if (!takeBand(condition) && !takeEnd(condition))
      rest.push_back(condition);
  if (rest.empty())
    return op.getMaskMutable().clear();
  if (rest.size() == all.size())
    return op.getMaskMutable().assign(visible);
  Value mask = asMask(rest.front());
  for (const Condition &next : ArrayRef(rest).drop_front())
    mask = LogicalAndOp::create(rewriter, op.getLoc(), mask, asMask(next));
  op.getMaskMutable().assign(mask);
}

void tenon::refineMask(AttentionOp op, RewriterBase &rewriter, const KnownSizes &sizes) {
  Refiner(op, rewriter, sizes).run();
}
