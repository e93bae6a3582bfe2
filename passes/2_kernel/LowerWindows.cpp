// Ops that slide a window over [N, C, spatial..]: convolution and pooling. A window's position and its taps are loops
// of their own, and the input is read at position * stride + tap * dilation, so nothing is copied but the padding.
#include "passes/2_kernel/Contraction.h"

using namespace mlir;
using namespace tenon;

/// `input` with `padding` elements of `outside` on both sides of each spatial dimension.
static Value paddedInput(ImplicitLocOpBuilder &b, Value input, ArrayRef<int64_t> padding, double outside) {
  if (llvm::all_of(padding, [](int64_t count) { return count == 0; }))
    return input;
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, b.getLoc(), input);
  SmallVector<int64_t> low = {0, 0};
  for (auto [dimension, count] : llvm::enumerate(padding)) {
    low.push_back(count);
    sizes[2 + dimension] = affine::makeComposedFoldedAffineApply(b, b.getLoc(), b.getAffineSymbolExpr(0) + 2 * count,
                                                                 sizes[2 + dimension]);
  }
  return padded(b, input, low, sizes, scalar(b, tensorOf(input).getElementType(), outside));
}

/// With groups, the channels are [groups, channels of a group]: each group is a convolution of its own.
static Lowered lowerConvolution(ConvolutionOp op, ImplicitLocOpBuilder &b) {
  auto sizes = resultSizes(b, op->getResult(0));
  if (failed(sizes))
    return failure();
  Type stored = tensorOf(op.getResult()).getElementType();
  int64_t groups = op.getGroups(), spatial = tensorOf(op.getInput()).getRank() - 2;
  Value input = paddedInput(b, op.getInput(), op.getPadding(), 0), weight = op.getWeight();
  if (groups > 1) {
    input = splitDim(b, input, 1, groups, ShapedType::kDynamic);
    weight = splitDim(b, weight, 0, groups, ShapedType::kDynamic);
    OpFoldResult outputs = tensor::getMixedSize(b, b.getLoc(), weight, 1);
    (*sizes)[1] = b.getIndexAttr(groups);
    sizes->insert(sizes->begin() + 2, outputs);
  }
  // Dimensions: n, (group,) output, position.., channel, tap.. .
  auto dim = [&](int64_t dimension) { return b.getAffineDimExpr(dimension); };
  int64_t n = 0, output = groups > 1 ? 2 : 1, position = output + 1, channel = position + spatial, tap = channel + 1;
  SmallVector<AffineExpr> inputDims = {dim(n)}, weightDims;
  if (groups > 1) {
    inputDims.push_back(dim(1));
    weightDims.push_back(dim(1));
  }
  inputDims.push_back(dim(channel));
  weightDims.append({dim(output), dim(channel)});
  for (int64_t s = 0; s < spatial; ++s) {
    inputDims.push_back(dim(position + s) * op.getStride()[s] + dim(tap + s) * op.getDilation()[s]);
    weightDims.push_back(dim(tap + s));
  }
  int64_t loops = tap + spatial;
  Value sum = contract(b, {input, weight, AffineMap::get(loops, 0, inputDims, b.getContext()),
                           AffineMap::get(loops, 0, weightDims, b.getContext()), *sizes, computeType(stored)});
  if (groups > 1) {
    SmallVector<ReassociationIndices> parts = {{0}, {1, 2}};
    for (int64_t s = 0; s < spatial; ++s)
      parts.push_back({position + s});
    sum = tensor::CollapseShapeOp::create(b, sum, parts);
  }
  return SmallVector<Value>{finish(b, sum, op.getBias(), 1, stored)};
}

template <typename OpT>
static Lowered lowerPool(OpT op, ImplicitLocOpBuilder &b) {
  constexpr bool isMax = std::is_same_v<OpT, MaxPoolOp>;
  constexpr double outside = isMax ? -std::numeric_limits<double>::infinity() : 0;
  auto sizes = resultSizes(b, op->getResult(0));
  if (failed(sizes))
    return failure();
  RankedTensorType type = tensorOf(op.getInput());
  Type stored = type.getElementType(), compute = computeType(stored);
  int64_t rank = type.getRank(), loops = rank + rank - 2;
  Value input = paddedInput(b, op.getInput(), op.getPadding(), outside);
  // Dimensions: n, c, position.., tap.. . A tensor without values gives the taps their number.
  Value window = empty(b, getAsIndexOpFoldResult(b.getContext(), op.getWindow()), stored);
  SmallVector<AffineExpr> inputDims = {b.getAffineDimExpr(0), b.getAffineDimExpr(1)}, windowDims;
  for (int64_t s = 0; s + 2 < rank; ++s) {
    AffineExpr tap = b.getAffineDimExpr(rank + s);
    inputDims.push_back(b.getAffineDimExpr(2 + s) * op.getStride()[s] + tap);
    windowDims.push_back(tap);
  }
  SmallVector<AffineMap> maps = {AffineMap::get(loops, 0, inputDims, b.getContext()),
                                 AffineMap::get(loops, 0, windowDims, b.getContext())};
  Value folded =
      reduced(b, *sizes, scalar(b, compute, outside), {input, window}, maps,
              llvm::to_vector(llvm::seq<unsigned>(0, rank)), [&](ImplicitLocOpBuilder &inner, ValueRange x) -> Value {
                Value element = convertScalar(inner, x[0], compute);
                if (isMax)
                  return arith::MaximumFOp::create(inner, x[2], element);
                return arith::AddFOp::create(inner, x[2], element);
              });
  if (isMax && stored == compute)
    return SmallVector<Value>{folded};
  double count = 1;
  for (int64_t size : op.getWindow())
    count *= static_cast<double>(size);
  return SmallVector<Value>{elementwise(b, *sizes, stored, folded, b.getMultiDimIdentityMap(rank),
                                        [&](ImplicitLocOpBuilder &inner, ValueRange x) {
                                          Value value = x[0];
                                          if (!isMax)
                                            value = arith::DivFOp::create(inner, value, scalar(inner, compute, count));
                                          return convertScalar(inner, value, stored);
                                        })};
}

void tenon::populateWindowLowerings(RewritePatternSet &patterns) {
  MLIRContext *context = patterns.getContext();
  patterns.add<LowerBy<ConvolutionOp>>(context, &lowerConvolution);
  patterns.add<LowerBy<MaxPoolOp>>(context, &lowerPool<MaxPoolOp>);
  patterns.add<LowerBy<AvgPoolOp>>(context, &lowerPool<AvgPoolOp>);
}
