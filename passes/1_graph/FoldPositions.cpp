// Positions are data, so that what is computed of them is opaque to all that knows shapes: masks gathered by the
// positions of batch and key, packed sequences found where positions jump. Where it is known what the numbers are, the
// gather is a view, the difference one number, and what reads them broadcasts or folds.
#include "dialects/Tenon/CanonicalPatterns.h"
#include "dialects/Tenon/ConstantValues.h"
#include "dialects/Tenon/Tenon.h"
#include "passes/1_graph/KnownSizes.h"
#include "passes/1_graph/Passes.h"
#include "passes/1_graph/Positions.h"

namespace tenon {
#define GEN_PASS_DEF_FOLDPOSITIONSPASS
#include "passes/1_graph/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

namespace {
class Folder {
public:
  explicit Folder(func::FuncOp function) : sizes(function), rewriter(function.getContext(), &sizes) {}

  void foldSum(Operation *op);
  void fold(SliceOp op);
  void fold(GatherNdOp op);
  void fold(GatherElementsOp op);
  void fold(EmbeddingOp op);

private:
  std::optional<int64_t> dimensionOf(Value component, int64_t rank, Value input, int64_t axis);
  bool isTheOnlyOne(Value component, Value input, int64_t axis);
  Value sizeOf(Value value, int64_t dimension) { return DimOp::create(rewriter, value.getLoc(), value, dimension); }

  KnownSizes sizes;
  IRRewriter rewriter;
};
} // namespace

/// Which of the first `rank` result dimensions counts through all of dimension `axis` of `input`, where one component
/// of the index tuples, of size 1 in the last dimension, holds its positions; none for another component.
std::optional<int64_t> Folder::dimensionOf(Value component, int64_t rank, Value input, int64_t axis) {
  auto reshape = component.getDefiningOp<ReshapeOp>();
  if (!reshape)
    return std::nullopt;
  // Either the tuple's dimension was added to a written-out vector, or the vector was turned to lie along at once.
  bool added = sizes.addsLastOne(component, reshape.getInput());
  Value vector = added ? reshape.getInput() : component;
  std::optional<Positions> positions = positionsOf(vector, sizes);
  int64_t dimension = positions ? rank - 1 - (added ? positions->along : positions->along - 1) : -1;
  bool counts = positions && positions->start == 0 && positions->step == 1 && dimension >= 0 && dimension < rank &&
                sizes.areEqual(component, dimension, input, axis);
  return counts ? std::optional(dimension) : std::nullopt;
}

/// Whether dimension `axis` of `input` has one element, which this component of the index tuples names throughout: a
/// batch of one sequence, say.
bool Folder::isTheOnlyOne(Value component, Value input, int64_t axis) {
  std::optional<Positions> positions = positionsOf(component, sizes);
  return positions && positions->step == 0 && positions->start == 0 && typeOf(input).getDimSize(axis) == 1;
}

void Folder::fold(GatherNdOp op) {
  RankedTensorType type = op.getType();
  int64_t rank = typeOf(op.getIndices()).getRank() - 1, named = typeOf(op.getIndices()).getShape().back();
  SmallVector<Value> components = {op.getIndices()};
  if (auto concat = op.getIndices().getDefiningOp<ConcatOp>(); concat && int64_t(concat.getAxis()) == rank)
    components = concat.getInputs();
  if (int64_t(components.size()) != named)
    return;
  // The input's dimensions, each at the result dimension that counts through it; ones elsewhere.
  SmallVector<int64_t> shape(type.getRank(), 1), source(type.getRank(), -1);
  int64_t last = -1;
  for (auto [axis, component] : llvm::enumerate(components)) {
    if (typeOf(component).getRank() != rank + 1 || typeOf(component).getShape().back() != 1)
      return;
    if (isTheOnlyOne(component, op.getInput(), axis))
      continue;
    std::optional<int64_t> dimension = dimensionOf(component, rank, op.getInput(), axis);
    if (!dimension || *dimension <= last) // in another order: a transpose, which the model would have written
      return;
    last = *dimension;
    source[last] = axis;
  }
  for (int64_t axis = named; axis < typeOf(op.getInput()).getRank(); ++axis)
    source[rank + axis - named] = axis;
  for (auto [size, axis] : llvm::zip_equal(shape, source))
    if (axis >= 0)
      size = typeOf(op.getInput()).getDimSize(axis);
  rewriter.setInsertionPoint(op);
  auto small = RankedTensorType::get(shape, type.getElementType());
  SmallVector<Value> smallSizes, allSizes;
  for (auto [dimension, axis] : llvm::enumerate(source)) {
    if (small.isDynamicDim(dimension))
      smallSizes.push_back(sizeOf(op.getInput(), axis));
    if (type.isDynamicDim(dimension))
      allSizes.push_back(axis >= 0 ? sizeOf(op.getInput(), axis) : sizeOf(op.getIndices(), dimension));
  }
  Value view = ReshapeOp::create(rewriter, op.getLoc(), small, op.getInput(), smallSizes);
  rewriter.replaceOpWithNewOp<ExpandOp>(op, type, view, allSizes);
}

/// Positions less the positions before them are one number.
void Folder::foldSum(Operation *op) {
  RankedTensorType type = typeOf(op->getResult(0));
  if (type.getRank() == 0 || integerSplat(op->getResult(0)))
    return;
  std::optional<Positions> positions = positionsOf(op->getResult(0), sizes);
  if (!positions || positions->step != 0)
    return;
  rewriter.setInsertionPoint(op);
  SmallVector<Value> allSizes;
  for (int64_t d : llvm::seq<int64_t>(type.getRank()))
    if (type.isDynamicDim(d)) {
      allSizes.push_back(sizes.sizeOf(op->getResult(0), d));
      if (!allSizes.back())
        return;
    }
  Value number =
      createSplat(rewriter, op->getLoc(), RankedTensorType::get({}, type.getElementType()), positions->start);
  rewriter.replaceOpWithNewOp<ExpandOp>(op, type, number, allSizes);
}

/// The dimension along which a constant counts 0, 1, 2, .., the others being of size 1; none for another value.
static std::optional<int64_t> countedDimension(Value value) {
  auto constant = value.getDefiningOp<ConstantOp>();
  auto elements = constant ? dyn_cast<DenseIntElementsAttr>(constant.getValue()) : DenseIntElementsAttr();
  if (!elements || elements.getNumElements() < 2 || elements.getElementType().getIntOrFloatBitWidth() < 32)
    return std::nullopt;
  ArrayRef<int64_t> shape = elements.getType().getShape();
  int64_t along = llvm::find(shape, elements.getNumElements()) - shape.begin(), next = 0;
  bool counts =
      along < int64_t(shape.size()) &&
      llvm::all_of(elements.getValues<APInt>(), [&](const APInt &number) { return number.getSExtValue() == next++; });
  return counts ? std::optional(along) : std::nullopt;
}

/// The first so many of a constant 0, 1, 2, .. are an iota, which is computed where it is read.
void Folder::fold(SliceOp op) {
  std::optional<int64_t> along = countedDimension(op.getInput());
  if (!along || op.getStarts()[*along] != 0 || op.getSteps()[*along] != 1 || op.getType().getNumDynamicDims() != 1 ||
      !op.getType().isDynamicDim(*along))
    return;
  Value size = sizes.sizeOf(op.getResult(), *along);
  if (!size)
    return;
  rewriter.setInsertionPoint(op);
  rewriter.replaceOpWithNewOp<IotaOp>(op, op.getType(), size, *along, APFloat(0.0), APFloat(1.0));
}

/// Whatever element is taken, it is the same.
void Folder::fold(GatherElementsOp op) {
  auto constant = op.getInput().getDefiningOp<ConstantOp>();
  auto splat = constant ? dyn_cast<SplatElementsAttr>(constant.getValue()) : SplatElementsAttr();
  if (!splat)
    return;
  rewriter.setInsertionPoint(op);
  auto scalar = RankedTensorType::get({}, splat.getElementType());
  Value element = ConstantOp::create(rewriter, op.getLoc(), scalar, splat.resizeSplat(scalar));
  rewriter.replaceOp(op, createExpand(rewriter, op.getLoc(), element, op.getType(), op.getIndices()));
}

/// One row for every index.
void Folder::fold(EmbeddingOp op) {
  std::optional<int64_t> row = integerSplat(op.getIndices());
  RankedTensorType table = typeOf(op.getTable()), type = op.getType();
  if (!row || !table.hasStaticShape() || *row < 0 || *row >= table.getDimSize(0))
    return;
  rewriter.setInsertionPoint(op);
  int64_t width = table.getDimSize(1);
  Value cut = SliceOp::create(rewriter, op.getLoc(), RankedTensorType::get({1, width}, table.getElementType()),
                              op.getTable(), ValueRange(), ArrayRef<int64_t>{*row, 0},
                              ArrayRef<int64_t>{*row + 1, width}, ArrayRef<int64_t>{1, 1});
  Value vector = ReshapeOp::create(rewriter, op.getLoc(), RankedTensorType::get({width}, table.getElementType()), cut,
                                   ValueRange());
  SmallVector<Value> allSizes;
  for (int64_t d : llvm::seq<int64_t>(type.getRank()))
    if (type.isDynamicDim(d))
      allSizes.push_back(sizeOf(op.getIndices(), d));
  rewriter.replaceOpWithNewOp<ExpandOp>(op, type, vector, allSizes);
}

namespace {
struct FoldPositions : tenon::impl::FoldPositionsPassBase<FoldPositions> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      Folder folder(function);
      // In program order: indices before what they are used for.
      function.walk([&](Operation *op) {
        if (isa<AddOp, SubOp>(op))
          folder.foldSum(op);
        else if (auto slice = dyn_cast<SliceOp>(op))
          folder.fold(slice);
        else if (auto gather = dyn_cast<GatherNdOp>(op))
          folder.fold(gather);
        else if (auto gather = dyn_cast<GatherElementsOp>(op))
          folder.fold(gather);
        else if (auto embedding = dyn_cast<EmbeddingOp>(op))
          folder.fold(embedding);
      });
    }
  }
};
} // namespace
