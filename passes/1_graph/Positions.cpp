#include "passes/1_graph/Positions.h"

#include "dialects/Tenon/ConstantValues.h"
#include "dialects/Tenon/Tenon.h"

#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;
using namespace tenon;

using Found = std::optional<Positions>;

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

/// Whether sums of positions are exact: sizes and starts are far below 2^31.
static bool holdsPositions(Value value) {
  auto type = dyn_cast<IntegerType>(typeOf(value).getElementType());
  return type && type.getWidth() >= 32;
}

static Found made(int64_t start, int64_t step, int64_t along) { return Positions{start, step, step ? along : -1}; }

static std::optional<int64_t> whole(const APFloat &number) {
  double value = number.convertToDouble();
  return value == std::trunc(value) && std::fabs(value) < 0x1p31 ? std::optional<int64_t>(value) : std::nullopt;
}

static Found ofIota(IotaOp op) {
  std::optional<int64_t> start = whole(op.getStart()), step = whole(op.getStep());
  if (!start || !step)
    return std::nullopt;
  bool single = op.getType().getDimSize(op.getAxis()) == 1;
  return made(*start, single ? 0 : *step, op.getType().getRank() - 1 - int64_t(op.getAxis()));
}

static Found ofSlice(SliceOp op, const Positions &from) {
  if (!from.step)
    return from;
  int64_t axis = op.getType().getRank() - 1 - from.along, first = op.getStarts()[axis];
  if (first < 0) // from the end, or known at run time
    return std::nullopt;
  bool single = op.getType().getDimSize(axis) == 1;
  return made(from.start + first * from.step, single ? 0 : from.step * op.getSteps()[axis], from.along);
}

/// A reshape that adds or drops ones.
static Found ofReshape(ReshapeOp op, const Positions &from, const KnownSizes &sizes) {
  if (!from.step)
    return from;
  auto real = [](Value value) {
    SmallVector<int64_t> dimensions;
    for (int64_t d : llvm::seq<int64_t>(typeOf(value).getRank()))
      if (typeOf(value).getDimSize(d) != 1)
        dimensions.push_back(d);
    return dimensions;
  };
  SmallVector<int64_t> before = real(op.getInput()), after = real(op.getResult());
  if (before.size() != after.size())
    return std::nullopt;
  Found result;
  for (auto [a, b] : llvm::zip_equal(before, after)) {
    // Of one dimension the size need not be known: no other can be mistaken for it.
    if (before.size() > 1 && !sizes.areEqual(op.getInput(), a, op.getResult(), b))
      return std::nullopt;
    if (a == typeOf(op.getInput()).getRank() - 1 - from.along)
      result = made(from.start, from.step, op.getType().getRank() - 1 - b);
  }
  return result;
}

static Found ofTranspose(TransposeOp op, const Positions &from) {
  int64_t rank = op.getType().getRank();
  auto at = llvm::find(op.getPermutation(), rank - 1 - from.along) - op.getPermutation().begin();
  return from.step ? made(from.start, from.step, rank - 1 - at) : Found(from);
}

static Found ofSum(const Positions &a, const Positions &b, int64_t sign) {
  if (a.step && b.step && a.along != b.along)
    return std::nullopt;
  return made(a.start + sign * b.start, a.step + sign * b.step, a.step ? a.along : b.along);
}

/// Parts that count on, one after the other.
static Found ofConcat(ConcatOp op, const KnownSizes &sizes) {
  int64_t axis = op.getAxis(), along = op.getType().getRank() - 1 - axis, length = 0;
  SmallVector<std::pair<Positions, int64_t>> parts; // with the index each begins at
  int64_t step = 0;
  for (Value input : op.getInputs()) {
    Found part = positionsOf(input, sizes);
    if (!part || (part->step && part->along != along) || length < 0)
      return std::nullopt;
    bool single = typeOf(input).getDimSize(axis) == 1;
    if (!part->step && !single) // one number many times
      return std::nullopt;
    step = part->step ? part->step : step;
    parts.push_back({*part, length});
    length = typeOf(input).isDynamicDim(axis) ? -1 : length + typeOf(input).getDimSize(axis);
  }
  int64_t start = parts.front().first.start;
  for (auto &[part, index] : parts)
    if (part.start != start + step * index || (part.step && part.step != step))
      return std::nullopt;
  return made(start, step, along);
}

Found tenon::positionsOf(Value value, const KnownSizes &sizes) {
  if (!holdsPositions(value))
    return std::nullopt;
  if (std::optional<int64_t> known = integerSplat(value))
    return made(*known, 0, -1);
  Operation *op = value.getDefiningOp();
  if (auto iota = dyn_cast_or_null<IotaOp>(op))
    return ofIota(iota);
  if (auto concat = dyn_cast_or_null<ConcatOp>(op))
    return ofConcat(concat, sizes);
  if (!isa_and_nonnull<ExpandOp, CastOp, SliceOp, ReshapeOp, TransposeOp, AddOp, SubOp>(op))
    return std::nullopt;
  Found from = positionsOf(op->getOperand(0), sizes);
  if (!from)
    return std::nullopt;
  return llvm::TypeSwitch<Operation *, Found>(op)
      .Case<ExpandOp, CastOp>([&](auto) { return from; }) // dimensions align at the innermost
      .Case([&](SliceOp slice) { return ofSlice(slice, *from); })
      .Case([&](ReshapeOp reshape) { return ofReshape(reshape, *from, sizes); })
      .Case([&](TransposeOp transpose) { return ofTranspose(transpose, *from); })
      .Case<AddOp, SubOp>([&](auto sum) {
        Found other = positionsOf(sum.getRhs(), sizes);
        return other ? ofSum(*from, *other, isa<AddOp>(op) ? 1 : -1) : std::nullopt;
      });
}
