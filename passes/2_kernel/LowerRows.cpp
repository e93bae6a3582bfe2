// Softmax, norms and reductions: one linalg.generic a statistic (a reduction whose output map lacks the reduced
// dimensions), one for what is derived of it a row, one for the result. Statistics are f32 for 16-bit storage.
#include "passes/2_kernel/Lowering.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace tenon;

namespace {
/// A tensor seen as rows: the dimensions along which statistics are taken, and the others.
struct Rows {
  Rows(ImplicitLocOpBuilder &b, Value input, ArrayRef<int64_t> along) : b(b), input(input) {
    RankedTensorType type = tensorOf(input);
    sizes = tensor::getMixedSizes(b, b.getLoc(), input);
    SmallVector<AffineExpr> keptDims;
    for (int64_t dimension = 0; dimension < type.getRank(); ++dimension)
      if (!llvm::is_contained(along, dimension)) {
        kept.push_back(dimension);
        keptSizes.push_back(sizes[dimension]);
        keptDims.push_back(b.getAffineDimExpr(dimension));
      } else {
        rowSizes.push_back(sizes[dimension]);
      }
    identity = b.getMultiDimIdentityMap(type.getRank());
    rowMap = AffineMap::get(type.getRank(), 0, keptDims, b.getContext());
    compute = computeType(type.getElementType());
  }

  /// A statistic of the elements, each widened, and of earlier statistics of the same row.
  Value statistic(double init, ValueRange earlier, ScalarBody body) {
    return statistic(scalar(b, compute, init), earlier, body);
  }
  Value statistic(Value init, ValueRange earlier, ScalarBody body) {
    auto [operands, maps] = withStatistics(input, earlier);
    return reduced(b, keptSizes, init, operands, maps, kept, [&](ImplicitLocOpBuilder &inner, ValueRange x) {
      SmallVector<Value> wide(x);
      wide[0] = convertScalar(inner, wide[0], compute);
      return body(inner, wide);
    });
  }
  /// One value a row, of statistics.
  Value perRow(ValueRange statistics, Type element, ScalarBody body) {
    SmallVector<AffineMap> maps(statistics.size(), b.getMultiDimIdentityMap(kept.size()));
    return elementwise(b, keptSizes, element, statistics, maps, body);
  }
  /// A tensor of the input's shape from `elements` of that shape, statistics, and parameters along trailing dimensions.
  Value result(Type element, Value elements, ValueRange statistics, ValueRange parameters, ScalarBody body) {
    auto [operands, maps] = withStatistics(elements, statistics);
    for (Value parameter : parameters) {
      operands.push_back(parameter);
      maps.push_back(identity.getMinorSubMap(tensorOf(parameter).getRank()));
    }
    return elementwise(b, sizes, element, operands, maps, [&](ImplicitLocOpBuilder &inner, ValueRange x) {
      SmallVector<Value> wide(x);
      for (Value &value : wide)
        value = convertScalar(inner, value, computeType(value.getType()));
      return convertScalar(inner, body(inner, wide), element);
    });
  }
  /// The number of elements of a row, as a scalar of the compute type.
  Value count() {
    Value product = arith::ConstantIndexOp::create(b, 1);
    int64_t known = 1;
    for (OpFoldResult size : rowSizes)
      if (auto constant = getConstantIntValue(size))
        known *= *constant;
      else
        product = arith::MulIOp::create(b, product, indexValue(b, size));
    if (llvm::all_of(rowSizes, [](OpFoldResult size) { return getConstantIntValue(size).has_value(); }))
      return scalar(b, compute, known);
    return convertScalar(b, arith::MulIOp::create(b, product, arith::ConstantIndexOp::create(b, known)), compute);
  }

  ImplicitLocOpBuilder &b;
  Value input;
  SmallVector<unsigned> kept;
  SmallVector<OpFoldResult> sizes, keptSizes, rowSizes;
  AffineMap identity, rowMap;
  Type compute;

private:
  std::pair<SmallVector<Value>, SmallVector<AffineMap>> withStatistics(Value elements, ValueRange statistics) {
    SmallVector<Value> operands = {elements};
    SmallVector<AffineMap> maps = {identity};
    operands.append(statistics.begin(), statistics.end());
    maps.append(statistics.size(), rowMap);
    return {operands, maps};
  }
};
} // namespace

static Value add(ImplicitLocOpBuilder &b, ValueRange x) { return arith::AddFOp::create(b, x[1], x[0]); }
static Value maximum(ImplicitLocOpBuilder &b, ValueRange x) { return arith::MaximumFOp::create(b, x[1], x[0]); }
static constexpr double infinity = std::numeric_limits<double>::infinity();

static Lowered lowerSoftmax(SoftmaxOp op, ImplicitLocOpBuilder &b) {
  Rows rows(b, op.getInput(), {int64_t(op.getAxis())});
  Value max = rows.statistic(-infinity, {}, maximum);
  Value powers = rows.result(rows.compute, op.getInput(), max, {}, [](ImplicitLocOpBuilder &inner, ValueRange x) {
    return math::ExpOp::create(inner, arith::SubFOp::create(inner, x[0], x[1]));
  });
  Value sum = Rows(b, powers, {int64_t(op.getAxis())}).statistic(0.0, {}, add);
  return SmallVector<Value>{
      rows.result(tensorOf(op.getResult()).getElementType(), powers, sum, {},
                  [](ImplicitLocOpBuilder &inner, ValueRange x) { return arith::DivFOp::create(inner, x[0], x[1]); })};
}

static Lowered lowerLogSoftmax(LogSoftmaxOp op, ImplicitLocOpBuilder &b) {
  Rows rows(b, op.getInput(), {int64_t(op.getAxis())});
  Value max = rows.statistic(-infinity, {}, maximum);
  Value sum = rows.statistic(0.0, max, [](ImplicitLocOpBuilder &inner, ValueRange x) {
    Value power = math::ExpOp::create(inner, arith::SubFOp::create(inner, x[0], x[1]));
    return arith::AddFOp::create(inner, x[2], power);
  });
  Value logSum = rows.perRow(
      sum, rows.compute, [](ImplicitLocOpBuilder &inner, ValueRange x) { return math::LogOp::create(inner, x[0]); });
  return SmallVector<Value>{rows.result(tensorOf(op.getResult()).getElementType(), op.getInput(), {max, logSum}, {},
                                        [](ImplicitLocOpBuilder &inner, ValueRange x) {
                                          return arith::SubFOp::create(inner, arith::SubFOp::create(inner, x[0], x[1]),
                                                                       x[2]);
                                        })};
}

/// 1 / sqrt(sum / count + epsilon), a row.
static Value reciprocalRoot(Rows &rows, Value sum, Value count, double epsilon) {
  return rows.perRow(sum, rows.compute, [&](ImplicitLocOpBuilder &inner, ValueRange x) {
    Value mean = arith::DivFOp::create(inner, x[0], count);
    Value shifted = arith::AddFOp::create(inner, mean, scalar(inner, mean.getType(), epsilon));
    return arith::DivFOp::create(inner, scalar(inner, mean.getType(), 1), math::SqrtOp::create(inner, shifted));
  });
}

/// (x - mean) * rstd * weight + bias; the variance is that of the differences, never mean(x^2) - mean^2.
static Value normalise(Rows &rows, Type stored, Value weight, Value bias, double epsilon) {
  Value count = rows.count();
  Value sum = rows.statistic(0.0, {}, add);
  Value mean = rows.perRow(sum, rows.compute, [&](ImplicitLocOpBuilder &inner, ValueRange x) {
    return arith::DivFOp::create(inner, x[0], count);
  });
  Value squares = rows.statistic(0.0, mean, [](ImplicitLocOpBuilder &inner, ValueRange x) {
    Value difference = arith::SubFOp::create(inner, x[0], x[1]);
    return arith::AddFOp::create(inner, x[2], arith::MulFOp::create(inner, difference, difference));
  });
  Value rstd = reciprocalRoot(rows, squares, count, epsilon);
  SmallVector<Value> parameters;
  for (Value parameter : {weight, bias})
    if (parameter)
      parameters.push_back(parameter);
  return rows.result(stored, rows.input, {mean, rstd}, parameters, [&](ImplicitLocOpBuilder &inner, ValueRange x) {
    Value y = arith::MulFOp::create(inner, arith::SubFOp::create(inner, x[0], x[1]), x[2]);
    if (weight)
      y = arith::MulFOp::create(inner, y, x[3]);
    if (bias)
      y = arith::AddFOp::create(inner, y, x.back());
    return y;
  });
}

static Lowered lowerLayerNorm(LayerNormOp op, ImplicitLocOpBuilder &b) {
  RankedTensorType type = tensorOf(op.getInput());
  Rows rows(b, op.getInput(), llvm::to_vector(llvm::seq(type.getRank() - int64_t(op.getNumDims()), type.getRank())));
  return SmallVector<Value>{
      normalise(rows, type.getElementType(), op.getWeight(), op.getBias(), op.getEpsilon().convertToDouble())};
}

/// Channels become [groups, channels of a group]; a row is a group of one sample.
static Lowered lowerGroupNorm(GroupNormOp op, ImplicitLocOpBuilder &b) {
  RankedTensorType type = tensorOf(op.getInput());
  int64_t rank = type.getRank(), groups = op.getGroups();
  Value input = splitDim(b, op.getInput(), 1, groups, ShapedType::kDynamic);
  Rows rows(b, input, llvm::to_vector(llvm::seq<int64_t>(2, rank + 1)));
  // Parameters have one value a channel: [groups, channels of a group, 1 ..].
  auto parameter = [&](Value value) -> Value {
    if (!value)
      return {};
    Value split = splitDim(b, value, 0, groups, ShapedType::kDynamic);
    SmallVector<AffineMap> maps = {
        AffineMap::get(rank + 1, 0, {b.getAffineDimExpr(1), b.getAffineDimExpr(2)}, b.getContext())};
    return elementwise(b, rows.sizes, type.getElementType(), split, maps,
                       [](ImplicitLocOpBuilder &, ValueRange x) { return x[0]; });
  };
  Value result = normalise(rows, type.getElementType(), parameter(op.getWeight()), parameter(op.getBias()),
                           op.getEpsilon().convertToDouble());
  SmallVector<ReassociationIndices> parts = {{0}, {1, 2}};
  for (int64_t dimension = 3; dimension <= rank; ++dimension)
    parts.push_back({dimension});
  return SmallVector<Value>{tensor::CollapseShapeOp::create(b, type, result, parts)};
}

static Lowered lowerRmsNorm(RmsNormOp op, ImplicitLocOpBuilder &b) {
  RankedTensorType type = tensorOf(op.getInput());
  Rows rows(b, op.getInput(), {type.getRank() - 1});
  Value count = rows.count();
  Value squares = rows.statistic(0.0, {}, [](ImplicitLocOpBuilder &inner, ValueRange x) {
    return arith::AddFOp::create(inner, x[1], arith::MulFOp::create(inner, x[0], x[0]));
  });
  Value rstd = reciprocalRoot(rows, squares, count, op.getEpsilon().convertToDouble());
  ValueRange parameters = op.getWeight() ? ValueRange(op.getOperands().drop_front()) : ValueRange();
  return SmallVector<Value>{rows.result(type.getElementType(), op.getInput(), rstd, parameters,
                                        [&](ImplicitLocOpBuilder &inner, ValueRange x) -> Value {
                                          Value y = arith::MulFOp::create(inner, x[0], x[1]);
                                          return x.size() > 2 ? arith::MulFOp::create(inner, y, x[2]) : y;
                                        })};
}

void tenon::populateRowLowerings(RewritePatternSet &patterns) {
  MLIRContext *context = patterns.getContext();
  patterns.add<LowerBy<SoftmaxOp>>(context, &lowerSoftmax);
  patterns.add<LowerBy<LogSoftmaxOp>>(context, &lowerLogSoftmax);
  patterns.add<LowerBy<LayerNormOp>>(context, &lowerLayerNorm);
  patterns.add<LowerBy<RmsNormOp>>(context, &lowerRmsNorm);
  patterns.add<LowerBy<GroupNormOp>>(context, &lowerGroupNorm);
}
