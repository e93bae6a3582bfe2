#include "passes/1_graph/RotaryForms.h"

using namespace mlir;
using namespace tenon;

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }
static int64_t widthOf(Value value) { return typeOf(value).getRank() ? typeOf(value).getShape().back() : 1; }

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

Value tenon::withoutLastOne(Value value, const KnownSizes &sizes) {
  auto reshape = value.getDefiningOp<ReshapeOp>();
  return reshape && sizes.addsLastOne(value, reshape.getInput()) ? reshape.getInput() : Value();
}

std::optional<Half> tenon::halfOf(Value value, const KnownSizes &sizes) {
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

std::optional<Turned> tenon::turnedOf(Value value, const KnownSizes &sizes, SmallVectorImpl<Operation *> &inside) {
  auto flat = value.getDefiningOp<ReshapeOp>();
  auto concat = (flat ? flat.getInput() : value).getDefiningOp<ConcatOp>();
  if (!concat || concat.getInputs().size() != 2 || int64_t(concat.getAxis()) != concat.getType().getRank() - 1)
    return std::nullopt;
  Value first = concat.getInputs()[0], second = concat.getInputs()[1];
  if (flat) { // pairs of [.., 1], put back into rows
    inside.append({flat, first.getDefiningOp(), second.getDefiningOp()});
    first = withoutLastOne(first, sizes);
    second = withoutLastOne(second, sizes);
  }
  auto neg = first ? first.getDefiningOp<NegOp>() : NegOp();
  std::optional<Half> high = neg ? halfOf(neg.getInput(), sizes) : std::nullopt,
                      low = second ? halfOf(second, sizes) : std::nullopt;
  bool interleaved = bool(flat);
  if (!high || !low || !high->second || low->second || high->interleaved != interleaved ||
      low->interleaved != interleaved || high->whole != low->whole ||
      (flat && !sizes.haveEqualShapes(value, low->whole)))
    return std::nullopt;
  inside.append({concat, neg});
  return Turned{low->whole, interleaved};
}

bool tenon::repeatsHalf(Value table) {
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

Value tenon::beforeRepeatingPairs(Value table, const KnownSizes &sizes) {
  auto flat = table.getDefiningOp<ReshapeOp>();
  auto twice = flat ? flat.getInput().getDefiningOp<ExpandOp>() : ExpandOp();
  if (!twice)
    return {};
  Value once = twice.getInput();
  int64_t rank = typeOf(once).getRank();
  bool matches =
      rank >= 2 && typeOf(twice).getRank() == rank && widthOf(once) == 1 && widthOf(twice) == 2 &&
      typeOf(table).getRank() == rank - 1 && !typeOf(once).isDynamicDim(rank - 2) &&
      widthOf(table) == 2 * typeOf(once).getDimSize(rank - 2) &&
      llvm::all_of(llvm::seq<int64_t>(rank - 1), [&](int64_t d) { return sizes.areEqual(once, d, twice, d); }) &&
      llvm::all_of(llvm::seq<int64_t>(rank - 2), [&](int64_t d) { return sizes.areEqual(once, d, table, d); });
  return matches ? once : Value();
}
