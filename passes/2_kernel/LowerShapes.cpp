// Data movement: views become expand/collapse/extract_slice, copies linalg.transpose, insert_slice or a broadcasting
// linalg.generic, sizes tensor.dim.
#include "passes/2_kernel/Lowering.h"

#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"

using namespace mlir;
using namespace tenon;

static Lowered lowerConstant(ConstantOp op, ImplicitLocOpBuilder &b) {
  auto value = dyn_cast<TypedAttr>(op.getValue());
  if (!value)
    return op.emitOpError("cannot become arith.constant: ") << op.getValue() << " has no type";
  return SmallVector<Value>{arith::ConstantOp::create(b, value)};
}

static Lowered lowerDim(DimOp op, ImplicitLocOpBuilder &b) {
  Value size = tensor::DimOp::create(b, op.getInput(), op.getAxis());
  Value number = arith::IndexCastOp::create(b, b.getI64Type(), size);
  return SmallVector<Value>{tensor::FromElementsOp::create(b, op.getResult().getType(), number)};
}

/// Whether each group joins at most one dynamic dimension on either side, so that sizes pass through unchanged.
static bool groupsAreSimple(RankedTensorType wide, ArrayRef<ReassociationIndices> groups) {
  return llvm::all_of(groups, [&](const ReassociationIndices &group) {
    return llvm::count_if(group, [&](int64_t dimension) { return wide.isDynamicDim(dimension); }) <= 1;
  });
}

/// Dimensions of two static shapes that are joined into the same, as few each as can be: [16, 1, 1024] and [16, 8, 1,
/// 128] are both [16, 1024].
struct SharedGroups {
  SmallVector<ReassociationIndices> from, to;
  SmallVector<int64_t> joined;
};

static std::optional<SharedGroups> sharedGroups(ArrayRef<int64_t> from, ArrayRef<int64_t> to) {
  if (ShapedType::isDynamicShape(from) || ShapedType::isDynamicShape(to) || llvm::is_contained(from, 0))
    return std::nullopt;
  SharedGroups groups;
  int64_t numFrom = from.size(), numTo = to.size(), f = 0, t = 0;
  while (f < numFrom && t < numTo) {
    ReassociationIndices ofFrom = {f}, ofTo = {t};
    int64_t a = from[f++], b = to[t++];
    while (a != b)
      if (a < b) {
        ofFrom.push_back(f);
        a *= from[f++];
      } else {
        ofTo.push_back(t);
        b *= to[t++];
      }
    groups.from.push_back(ofFrom);
    groups.to.push_back(ofTo);
    groups.joined.push_back(a);
  }
  for (; f < numFrom && !groups.from.empty(); ++f) // ones
    groups.from.back().push_back(f);
  for (; t < numTo && !groups.to.empty(); ++t)
    groups.to.back().push_back(t);
  return groups.joined.empty() ? std::nullopt : std::optional(groups);
}

/// Directly where dimensions are only split or only joined, else through what both shapes are joined to.
static Lowered lowerReshape(ReshapeOp op, ImplicitLocOpBuilder &b) {
  Value input = op.getInput();
  RankedTensorType from = tensorOf(input), to = tensorOf(op.getResult());
  if (from == to && from.getNumDynamicDims() <= 1)
    return SmallVector<Value>{input};
  auto sizes = resultSizes(b, op->getResult(0));
  if (failed(sizes))
    return failure();
  if (auto groups = getReassociationIndicesForReshape(from, to); groups && from.getRank() != to.getRank()) {
    if (to.getRank() < from.getRank())
      return SmallVector<Value>{tensor::CollapseShapeOp::create(b, to, input, *groups)};
    if (groupsAreSimple(to, *groups))
      return SmallVector<Value>{tensor::ExpandShapeOp::create(b, to, input, *groups, *sizes)};
  }
  if (std::optional<SharedGroups> groups = sharedGroups(from.getShape(), to.getShape())) {
    auto joined = RankedTensorType::get(groups->joined, from.getElementType());
    if (joined != from)
      input = tensor::CollapseShapeOp::create(b, joined, input, groups->from);
    if (joined != to)
      input = tensor::ExpandShapeOp::create(b, to, input, groups->to);
    return SmallVector<Value>{input};
  }
  auto flatGroups = [](int64_t rank) {
    SmallVector<ReassociationIndices> groups;
    if (rank > 0)
      groups.push_back(llvm::to_vector(llvm::seq<int64_t>(0, rank)));
    return groups;
  };
  if (from.getRank() != 1) {
    int64_t count = from.hasStaticShape() ? from.getNumElements() : ShapedType::kDynamic;
    RankedTensorType flat = RankedTensorType::get(count, from.getElementType());
    input = from.getRank() == 0
                ? tensor::ExpandShapeOp::create(b, flat, input, ArrayRef<ReassociationIndices>()).getResult()
                : tensor::CollapseShapeOp::create(b, flat, input, flatGroups(from.getRank())).getResult();
  }
  if (to.getRank() == 1)
    return SmallVector<Value>{input};
  if (to.getRank() == 0)
    return SmallVector<Value>{tensor::CollapseShapeOp::create(b, to, input, ArrayRef<ReassociationIndices>())};
  // A static number of elements expands only to static sizes, and the other way round.
  if (tensorOf(input).isDynamicDim(0) == to.hasStaticShape()) {
    int64_t count = to.hasStaticShape() ? to.getNumElements() : ShapedType::kDynamic;
    input = tensor::CastOp::create(b, RankedTensorType::get(count, to.getElementType()), input);
  }
  return SmallVector<Value>{tensor::ExpandShapeOp::create(b, to, input, flatGroups(to.getRank()), *sizes)};
}

static Lowered lowerTranspose(TransposeOp op, ImplicitLocOpBuilder &b) {
  SmallVector<OpFoldResult> sizes;
  for (int64_t from : op.getPermutation())
    sizes.push_back(tensor::getMixedSize(b, b.getLoc(), op.getInput(), from));
  Value init = empty(b, sizes, tensorOf(op.getInput()).getElementType());
  return SmallVector<Value>{linalg::TransposeOp::create(b, op.getInput(), init, op.getPermutation()).getResults()[0]};
}

static Lowered lowerExpand(ExpandOp op, ImplicitLocOpBuilder &b) {
  auto sizes = resultSizes(b, op->getResult(0));
  if (failed(sizes))
    return failure();
  return SmallVector<Value>{broadcastElementwise(b, *sizes, tensorOf(op.getResult()).getElementType(), op.getInput(),
                                                 [](ImplicitLocOpBuilder &, ValueRange x) { return x[0]; })};
}

/// A start that counts from the end where negative, clamped to 0 .. size.
static OpFoldResult sliceStart(ImplicitLocOpBuilder &b, int64_t start, OpFoldResult size) {
  if (start == 0)
    return b.getIndexAttr(0);
  if (auto constant = getConstantIntValue(size))
    return b.getIndexAttr(start < 0 ? std::max<int64_t>(*constant + start, 0) : std::min(*constant, start));
  Value bound = arith::ConstantIndexOp::create(b, start);
  if (start > 0)
    return arith::MinSIOp::create(b, indexValue(b, size), bound).getResult();
  Value fromEnd = arith::AddIOp::create(b, indexValue(b, size), bound);
  return arith::MaxSIOp::create(b, fromEnd, arith::ConstantIndexOp::create(b, 0)).getResult();
}

/// tensor.extract_slice begins inside its source, even where it takes nothing.
static OpFoldResult startOfPiece(OpBuilder &b, OpFoldResult start, OpFoldResult size) {
  return isZeroInteger(size) ? OpFoldResult(b.getIndexAttr(0)) : start;
}

static Lowered lowerSlice(SliceOp op, ImplicitLocOpBuilder &b) {
  auto sizes = resultSizes(b, op->getResult(0));
  if (failed(sizes))
    return failure();
  SmallVector<OpFoldResult> offsets;
  auto bound = op.getBounds().begin(); // starts come first
  for (auto [dimension, start] : llvm::enumerate(op.getStarts())) {
    OpFoldResult size = tensor::getMixedSize(b, b.getLoc(), op.getInput(), dimension);
    if (start == std::numeric_limits<int64_t>::min())
      offsets.push_back(arith::MinSIOp::create(b, indexValue(b, size), heldIndex(b, *bound++)).getResult());
    else
      offsets.push_back(startOfPiece(b, sliceStart(b, start, size), (*sizes)[dimension]));
  }
  SmallVector<OpFoldResult> strides = getAsIndexOpFoldResult(b.getContext(), op.getSteps());
  return SmallVector<Value>{tensor::ExtractSliceOp::create(b, op.getInput(), offsets, *sizes, strides)};
}

static Lowered lowerSplit(SplitOp op, ImplicitLocOpBuilder &b) {
  int64_t rank = tensorOf(op.getInput()).getRank(), offset = 0;
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, b.getLoc(), op.getInput());
  SmallVector<OpFoldResult> offsets(rank, b.getIndexAttr(0)), strides(rank, b.getIndexAttr(1));
  SmallVector<Value> pieces;
  for (int64_t size : op.getSizes()) {
    sizes[op.getAxis()] = b.getIndexAttr(size);
    offsets[op.getAxis()] = startOfPiece(b, b.getIndexAttr(offset), sizes[op.getAxis()]);
    pieces.push_back(tensor::ExtractSliceOp::create(b, op.getInput(), offsets, sizes, strides));
    offset += size;
  }
  return pieces;
}

static Lowered lowerConcat(ConcatOp op, ImplicitLocOpBuilder &b) {
  auto sizes = resultSizes(b, op->getResult(0));
  if (failed(sizes))
    return failure();
  int64_t rank = sizes->size();
  SmallVector<OpFoldResult> offsets(rank, b.getIndexAttr(0)), strides(rank, b.getIndexAttr(1));
  Value result = empty(b, *sizes, tensorOf(op.getResult()).getElementType());
  AffineExpr sum = b.getAffineSymbolExpr(0) + b.getAffineSymbolExpr(1);
  for (Value input : op.getInputs()) {
    SmallVector<OpFoldResult> pieceSizes = tensor::getMixedSizes(b, b.getLoc(), input);
    result = tensor::InsertSliceOp::create(b, input, result, offsets, pieceSizes, strides);
    offsets[op.getAxis()] =
        affine::makeComposedFoldedAffineApply(b, b.getLoc(), sum, {offsets[op.getAxis()], pieceSizes[op.getAxis()]});
  }
  return SmallVector<Value>{result};
}

static Lowered lowerPad(PadOp op, ImplicitLocOpBuilder &b) {
  auto sizes = resultSizes(b, op->getResult(0));
  if (failed(sizes))
    return failure();
  Type element = tensorOf(op.getInput()).getElementType();
  return SmallVector<Value>{
      padded(b, op.getInput(), op.getLow(), *sizes, scalar(b, element, op.getValue().convertToDouble()))};
}

void tenon::populateShapeLowerings(RewritePatternSet &patterns) {
  MLIRContext *context = patterns.getContext();
  patterns.add<LowerBy<ConstantOp>>(context, &lowerConstant);
  patterns.add<LowerBy<DimOp>>(context, &lowerDim);
  patterns.add<LowerBy<ReshapeOp>>(context, &lowerReshape);
  patterns.add<LowerBy<TransposeOp>>(context, &lowerTranspose);
  patterns.add<LowerBy<ExpandOp>>(context, &lowerExpand);
  patterns.add<LowerBy<SliceOp>>(context, &lowerSlice);
  patterns.add<LowerBy<SplitOp>>(context, &lowerSplit);
  patterns.add<LowerBy<ConcatOp>>(context, &lowerConcat);
  patterns.add<LowerBy<PadOp>>(context, &lowerPad);
}
