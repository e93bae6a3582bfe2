// Reductions over axes, argmax and the running sum.
#include "passes/2_kernel/Lowering.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace tenon;

/// The dimensions that are not reduced.
static SmallVector<unsigned> keptDims(int64_t rank, ArrayRef<int64_t> axes) {
  SmallVector<unsigned> kept;
  for (int64_t dimension = 0; dimension < rank; ++dimension)
    if (!llvm::is_contained(axes, dimension))
      kept.push_back(dimension);
  return kept;
}

/// `value`, whose reduced dimensions are dropped, with them as 1 again where the op keeps them.
static Value withKeptDims(ImplicitLocOpBuilder &b, Value value, RankedTensorType wanted, ArrayRef<int64_t> axes) {
  RankedTensorType type = tensorOf(value);
  if (type.getRank() == wanted.getRank())
    return value;
  SmallVector<ReassociationIndices> parts;
  for (int64_t dimension = 0; dimension < wanted.getRank(); ++dimension) {
    if (!llvm::is_contained(axes, dimension) && type.getRank() > 0)
      parts.emplace_back();
    // Leading ones join the first kept dimension, others the one before.
    if (parts.empty())
      continue;
    if (parts.size() == 1 && parts[0].empty())
      for (int64_t leading = 0; leading < dimension; ++leading)
        parts[0].push_back(leading);
    parts.back().push_back(dimension);
  }
  SmallVector<OpFoldResult> sizes;
  SmallVector<int64_t> shape;
  int64_t next = 0;
  for (int64_t dimension = 0; dimension < wanted.getRank(); ++dimension) {
    bool one = llvm::is_contained(axes, dimension);
    sizes.push_back(one ? OpFoldResult(b.getIndexAttr(1)) : tensor::getMixedSize(b, b.getLoc(), value, next));
    shape.push_back(one ? 1 : type.getDimSize(next));
    next += one ? 0 : 1;
  }
  return tensor::ExpandShapeOp::create(b, type.clone(shape), value, parts, sizes);
}

/// The identity of max (-infinity or the least integer) or of min, as a scalar.
static Value extremeIdentity(ImplicitLocOpBuilder &b, Type type, bool max) {
  if (isa<FloatType>(type))
    return scalar(b, type, max ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity());
  unsigned width = type.getIntOrFloatBitWidth();
  APInt value = max ? APInt::getSignedMinValue(width) : APInt::getSignedMaxValue(width);
  return arith::ConstantOp::create(b, b.getIntegerAttr(type, value));
}

template <typename OpT>
static Lowered lowerReduction(OpT op, ImplicitLocOpBuilder &b) {
  constexpr bool isMax = std::is_same_v<OpT, ReduceMaxOp>, isMin = std::is_same_v<OpT, ReduceMinOp>;
  RankedTensorType type = tensorOf(op.getInput());
  Type stored = type.getElementType(), compute = computeType(stored);
  bool isFloat = isa<FloatType>(compute);
  SmallVector<unsigned> kept = keptDims(type.getRank(), op.getAxes());
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, b.getLoc(), op.getInput()), keptSizes;
  for (unsigned dimension : kept)
    keptSizes.push_back(sizes[dimension]);
  Value init = isMax || isMin ? extremeIdentity(b, compute, isMax) : scalar(b, compute, 0);
  Value folded = reduced(b, keptSizes, init, op.getInput(), b.getMultiDimIdentityMap(type.getRank()), kept,
                         [&](ImplicitLocOpBuilder &inner, ValueRange x) -> Value {
                           Value y = convertScalar(inner, x[0], compute);
                           if (isMax)
                             return isFloat ? arith::MaximumFOp::create(inner, x[1], y).getResult()
                                            : arith::MaxSIOp::create(inner, x[1], y).getResult();
                           if (isMin)
                             return isFloat ? arith::MinimumFOp::create(inner, x[1], y).getResult()
                                            : arith::MinSIOp::create(inner, x[1], y).getResult();
                           return isFloat ? arith::AddFOp::create(inner, x[1], y).getResult()
                                          : arith::AddIOp::create(inner, x[1], y).getResult();
                         });
  bool isMean = std::is_same_v<OpT, ReduceMeanOp>;
  if (isMean || stored != compute) {
    Value count;
    if (isMean) {
      Value product = arith::ConstantIndexOp::create(b, 1);
      for (int64_t axis : op.getAxes())
        product = arith::MulIOp::create(b, product, indexValue(b, sizes[axis]));
      count = convertScalar(b, product, compute);
    }
    folded = elementwise(b, keptSizes, stored, folded, b.getMultiDimIdentityMap(kept.size()),
                         [&](ImplicitLocOpBuilder &inner, ValueRange x) {
                           Value y = isMean ? arith::DivFOp::create(inner, x[0], count).getResult() : x[0];
                           return convertScalar(inner, y, stored);
                         });
  }
  return SmallVector<Value>{withKeptDims(b, folded, tensorOf(op.getResult()), op.getAxes())};
}

/// Value and index are folded together. The first of equal values wins; a NaN beats every number.
template <typename OpT>
static Lowered lowerArg(OpT op, ImplicitLocOpBuilder &b) {
  constexpr bool isMax = std::is_same_v<OpT, ArgmaxOp>;
  RankedTensorType type = tensorOf(op.getInput());
  Type stored = type.getElementType(), index = tensorOf(op.getResult()).getElementType();
  int64_t rank = type.getRank(), axis = op.getAxis();
  SmallVector<unsigned> kept = keptDims(rank, axis);
  SmallVector<OpFoldResult> keptSizes;
  SmallVector<AffineExpr> dims;
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::reduction);
  for (unsigned dimension : kept) {
    keptSizes.push_back(tensor::getMixedSize(b, b.getLoc(), op.getInput(), dimension));
    dims.push_back(b.getAffineDimExpr(dimension));
    iterators[dimension] = utils::IteratorType::parallel;
  }
  Value best = filled(b, keptSizes, extremeIdentity(b, stored, isMax));
  Value where = filled(b, keptSizes, scalar(b, index, 0));
  AffineMap rowMap = AffineMap::get(rank, 0, dims, b.getContext());
  auto generic = linalg::GenericOp::create(
      b, TypeRange{best.getType(), where.getType()}, ValueRange{op.getInput()}, ValueRange{best, where},
      ArrayRef<AffineMap>{b.getMultiDimIdentityMap(rank), rowMap, rowMap}, iterators,
      [&](OpBuilder &nested, Location location, ValueRange x) {
        ImplicitLocOpBuilder inner(location, nested);
        Value wins;
        if (isa<FloatType>(stored)) {
          using P = arith::CmpFPredicate;
          Value better = arith::CmpFOp::create(inner, isMax ? P::OGT : P::OLT, x[0], x[1]);
          Value isNan = arith::CmpFOp::create(inner, P::UNO, x[0], x[0]);
          Value bestIsNumber = arith::CmpFOp::create(inner, P::ORD, x[1], x[1]);
          wins = arith::OrIOp::create(inner, better, arith::AndIOp::create(inner, isNan, bestIsNumber));
        } else {
          using P = arith::CmpIPredicate;
          wins = arith::CmpIOp::create(inner, isMax ? P::sgt : P::slt, x[0], x[1]);
        }
        Value here = arith::IndexCastOp::create(inner, index, linalg::IndexOp::create(inner, axis));
        linalg::YieldOp::create(inner, ValueRange{arith::SelectOp::create(inner, wins, x[0], x[1]),
                                                  arith::SelectOp::create(inner, wins, here, x[2])});
      });
  return SmallVector<Value>{withKeptDims(b, generic.getResult(1), tensorOf(op.getResult()), axis)};
}

/// A loop along the axis that carries the result and the sum so far, one slice a turn.
static Lowered lowerCumsum(CumsumOp op, ImplicitLocOpBuilder &b) {
  RankedTensorType type = tensorOf(op.getInput());
  Type stored = type.getElementType(), compute = computeType(stored);
  int64_t axis = op.getAxis();
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, b.getLoc(), op.getInput()), sliceSizes = sizes;
  sliceSizes[axis] = b.getIndexAttr(1);
  SmallVector<OpFoldResult> strides(type.getRank(), b.getIndexAttr(1));
  AffineMap identity = b.getMultiDimIdentityMap(type.getRank());
  Value zero = arith::ConstantIndexOp::create(b, 0), one = arith::ConstantIndexOp::create(b, 1);
  auto loop = scf::ForOp::create(
      b, zero, indexValue(b, sizes[axis]), one,
      ValueRange{empty(b, sizes, stored), filled(b, sliceSizes, scalar(b, compute, 0))},
      [&](OpBuilder &nested, Location location, Value at, ValueRange carried) {
        ImplicitLocOpBuilder inner(location, nested);
        SmallVector<OpFoldResult> offsets(type.getRank(), inner.getIndexAttr(0));
        offsets[axis] = at;
        Value slice = tensor::ExtractSliceOp::create(inner, op.getInput(), offsets, sliceSizes, strides);
        Value sum = elementwise(inner, sliceSizes, compute, {carried[1], slice}, {identity, identity},
                                [&](ImplicitLocOpBuilder &body, ValueRange x) -> Value {
                                  Value y = convertScalar(body, x[1], compute);
                                  return isa<FloatType>(compute) ? arith::AddFOp::create(body, x[0], y).getResult()
                                                                 : arith::AddIOp::create(body, x[0], y).getResult();
                                });
        Value rounded = sum;
        if (stored != compute)
          rounded =
              elementwise(inner, sliceSizes, stored, sum, identity,
                          [&](ImplicitLocOpBuilder &body, ValueRange x) { return convertScalar(body, x[0], stored); });
        Value result = tensor::InsertSliceOp::create(inner, rounded, carried[0], offsets, sliceSizes, strides);
        scf::YieldOp::create(inner, ValueRange{result, sum});
      });
  return SmallVector<Value>{loop.getResult(0)};
}

void tenon::populateReductionLowerings(RewritePatternSet &patterns) {
  MLIRContext *context = patterns.getContext();
  patterns.add<LowerBy<ReduceSumOp>>(context, &lowerReduction<ReduceSumOp>);
  patterns.add<LowerBy<ReduceMeanOp>>(context, &lowerReduction<ReduceMeanOp>);
  patterns.add<LowerBy<ReduceMaxOp>>(context, &lowerReduction<ReduceMaxOp>);
  patterns.add<LowerBy<ReduceMinOp>>(context, &lowerReduction<ReduceMinOp>);
  patterns.add<LowerBy<ArgmaxOp>>(context, &lowerArg<ArgmaxOp>);
  patterns.add<LowerBy<ArgminOp>>(context, &lowerArg<ArgminOp>);
  patterns.add<LowerBy<CumsumOp>>(context, &lowerCumsum);
}
