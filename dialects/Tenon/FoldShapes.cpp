// Data movement that moves nothing, and movement after movement that is one.
// A `?` is compared with a `?` only where the op's own rule makes them equal; sizes that are equal because the model's
// dimensions are (one name, one size) are seen by the pass tenon-fold-views.
#include "dialects/Tenon/BroadcastShapes.h"
#include "dialects/Tenon/ConstantValues.h"
#include "dialects/Tenon/Tenon.h"

using namespace mlir;
using namespace tenon;

static constexpr int64_t toEnd = std::numeric_limits<int64_t>::max();

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }
static OpFoldResult instead(Value result, Value value) {
  return value.getType() == result.getType() ? OpFoldResult(value) : OpFoldResult();
}

/// Whether the one unknown size follows from the number of elements.
static bool isDetermined(RankedTensorType type) {
  return type.hasStaticShape() || (type.getNumDynamicDims() == 1 && !llvm::is_contained(type.getShape(), 0));
}

OpFoldResult ReshapeOp::fold(FoldAdaptor adaptor) {
  if (isDetermined(getType()))
    if (OpFoldResult input = instead(getResult(), getInput()))
      return input;
  if (auto constant = dyn_cast_if_present<DenseElementsAttr>(adaptor.getInput());
      constant && getType().hasStaticShape())
    return constant.reshape(getType());
  if (auto inner = getInput().getDefiningOp<ReshapeOp>()) {
    getInputMutable().assign(inner.getInput());
    return getResult();
  }
  if (!getSizes().empty() && isDetermined(getType())) {
    getSizesMutable().clear();
    return getResult();
  }
  return {};
}

OpFoldResult TransposeOp::fold(FoldAdaptor adaptor) {
  if (llvm::equal(getPermutation(), llvm::seq<int64_t>(getPermutation().size())))
    return instead(getResult(), getInput());
  if (auto splat = dyn_cast_if_present<SplatElementsAttr>(adaptor.getInput()); splat && getType().hasStaticShape())
    return splat.reshape(getType());
  auto inner = getInput().getDefiningOp<TransposeOp>();
  if (!inner)
    return {};
  SmallVector<int64_t> composed;
  for (int64_t from : getPermutation())
    composed.push_back(inner.getPermutation()[from]);
  setPermutation(composed);
  getInputMutable().assign(inner.getInput());
  return getResult();
}

OpFoldResult ExpandOp::fold(FoldAdaptor) {
  // A `?` never repeats, so equal types are equal sizes.
  if (OpFoldResult input = instead(getResult(), getInput()))
    return input;
  if (auto inner = getInput().getDefiningOp<ExpandOp>()) {
    // Without sizes of its own the outer takes its unknown ones from the inner's result.
    bool statesSizes = !getSizes().empty() || getType().hasStaticShape();
    if (statesSizes || inner.getSizes().empty() || inner.getSizes().size() == size_t(getType().getNumDynamicDims())) {
      SmallVector<Value> sizes(statesSizes ? getSizes() : inner.getSizes());
      getSizesMutable().assign(sizes);
      getInputMutable().assign(inner.getInput());
      return getResult();
    }
  }
  int64_t added = getType().getRank() - typeOf(getInput()).getRank();
  bool own = llvm::all_of(llvm::seq<int64_t>(getType().getRank()), [&](int64_t d) {
    return !getType().isDynamicDim(d) || (d >= added && typeOf(getInput()).isDynamicDim(d - added));
  });
  if (own && !getSizes().empty()) {
    getSizesMutable().clear();
    return getResult();
  }
  return {};
}

/// Whether one dimension of a slice is all of its input's.
static bool isWhole(SliceOp op, unsigned d) {
  int64_t size = typeOf(op.getInput()).getDimSize(d);
  bool toTheEnd = op.getEnds()[d] == toEnd || (!ShapedType::isDynamic(size) && op.getEnds()[d] >= size);
  return op.getStarts()[d] == 0 && toTheEnd && op.getSteps()[d] == 1;
}

OpFoldResult SliceOp::fold(FoldAdaptor) {
  auto dims = llvm::seq<unsigned>(getStarts().size());
  if (llvm::all_of(dims, [&](unsigned d) { return isWhole(*this, d); }))
    return instead(getResult(), getInput());
  auto inner = getInput().getDefiningOp<SliceOp>();
  if (!inner || !getBounds().empty() || !inner.getBounds().empty() ||
      !llvm::all_of(dims, [&](unsigned d) { return isWhole(*this, d) || isWhole(inner, d); }))
    return {};
  SmallVector<int64_t> starts, ends, steps;
  for (unsigned d : dims) {
    SliceOp from = isWhole(*this, d) ? inner : *this;
    starts.push_back(from.getStarts()[d]);
    ends.push_back(from.getEnds()[d]);
    steps.push_back(from.getSteps()[d]);
  }
  setStarts(starts);
  setEnds(ends);
  setSteps(steps);
  getInputMutable().assign(inner.getInput());
  return getResult();
}

OpFoldResult ConcatOp::fold(FoldAdaptor) {
  if (getInputs().size() == 1)
    return instead(getResult(), getInputs().front());
  if (auto split = getInputs().front().getDefiningOp<SplitOp>())
    if (split.getAxis() == getAxis() && llvm::equal(split.getResults(), getInputs()))
      return instead(getResult(), split.getInput());
  SmallVector<Value> filled =
      llvm::filter_to_vector(getInputs(), [&](Value input) { return typeOf(input).getDimSize(getAxis()) != 0; });
  if (filled.empty() || filled.size() == getInputs().size())
    return {};
  getInputsMutable().assign(filled);
  return getResult();
}

LogicalResult SplitOp::fold(FoldAdaptor, SmallVectorImpl<OpFoldResult> &results) {
  if (getNumResults() == 1 && getInput().getType() == getResult(0).getType()) {
    results.push_back(getInput());
    return success();
  }
  auto concat = getInput().getDefiningOp<ConcatOp>();
  if (!concat || concat.getAxis() != getAxis() || !llvm::equal(concat.getInputs().getTypes(), getResultTypes()))
    return failure();
  results.append(concat.getInputs().begin(), concat.getInputs().end());
  return success();
}

OpFoldResult PadOp::fold(FoldAdaptor) {
  auto none = [](ArrayRef<int64_t> entries) { return llvm::all_of(entries, [](int64_t e) { return e == 0; }); };
  return none(getLow()) && none(getHigh()) ? instead(getResult(), getInput()) : OpFoldResult();
}

/// Whether a reduction reduces nothing but sizes of 1. Its result then holds the input's elements, if not its shape.
template <typename OpT>
static OpFoldResult ofSingles(OpT op) {
  bool single = llvm::all_of(op.getAxes(), [&](int64_t axis) { return typeOf(op.getInput()).getDimSize(axis) == 1; });
  return single ? instead(op.getResult(), op.getInput()) : OpFoldResult();
}
// A sum of floats starts from 0.0, and 0.0 + -0.0 is 0.0.
OpFoldResult ReduceSumOp::fold(FoldAdaptor) {
  return elementOf(getInput()).isInteger() ? ofSingles(*this) : OpFoldResult();
}
OpFoldResult ReduceMaxOp::fold(FoldAdaptor) { return ofSingles(*this); }
OpFoldResult ReduceMinOp::fold(FoldAdaptor) { return ofSingles(*this); }

/// Zeros add up to zeros; so does what has one element, but -0.0, as a sum of floats starts from 0.0.
OpFoldResult CumsumOp::fold(FoldAdaptor) {
  bool isSingle = elementOf(getInput()).isInteger() && typeOf(getInput()).getDimSize(getAxis()) == 1;
  return isSingle || isSplat(getInput(), 0.0) ? instead(getResult(), getInput()) : OpFoldResult();
}
