// Low-precision storage: each element meets the scale of its tensor, row or block. In a product of integers the sum is
// an i32 for as long as the scales stay the same, so it is exact; scales are multiplied in between and at the end.
#include "passes/2_kernel/Contraction.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/APFloat.h"

using namespace mlir;
using namespace tenon;

/// Reads the scale of the element at `at`, over `loops` dimensions: [] or all sizes 1 of a whole tensor, [.., 1] of a
/// row, with `block` [.., R / block[0], C / block[1]].
static AffineMap scaleMap(Value scale, ArrayRef<AffineExpr> at, int64_t loops, ArrayRef<int64_t> block) {
  RankedTensorType type = tensorOf(scale);
  int64_t rank = type.getRank();
  SmallVector<AffineExpr> results(rank, getAffineConstantExpr(0, type.getContext()));
  bool perTensor = llvm::all_of(type.getShape(), [](int64_t size) { return size == 1; });
  for (int64_t dimension = 0; dimension < rank && !perTensor; ++dimension) {
    if (type.getDimSize(dimension) == 1)
      continue;
    if (!block.empty() && dimension >= rank - 2)
      results[dimension] = at[dimension].floorDiv(block[dimension - (rank - 2)]);
    else if (dimension < rank - 1)
      results[dimension] = at[dimension];
  }
  return AffineMap::get(loops, 0, results, type.getContext());
}

static SmallVector<AffineExpr> dims(ImplicitLocOpBuilder &b, int64_t count) {
  return llvm::map_to_vector(llvm::seq<int64_t>(0, count), [&](int64_t d) { return b.getAffineDimExpr(d); });
}

/// The storage type's element nearest to `value`, a float; infinities clamp, an integer type takes NaN to 0.
static Value storeNearest(ImplicitLocOpBuilder &b, Value value, Type stored) {
  Type compute = value.getType();
  double low, high;
  if (auto f8 = dyn_cast<FloatType>(stored)) {
    high = APFloat::getLargest(f8.getFloatSemantics()).convertToDouble();
    low = -high;
  } else {
    high = APInt::getSignedMaxValue(stored.getIntOrFloatBitWidth()).roundToDouble();
    low = -high - 1;
    Value isNan = arith::CmpFOp::create(b, arith::CmpFPredicate::UNO, value, value);
    Value number = arith::SelectOp::create(b, isNan, scalar(b, compute, 0), value);
    value = math::RoundEvenOp::create(b, number);
  }
  value = arith::MaximumFOp::create(b, value, scalar(b, compute, low));
  value = arith::MinimumFOp::create(b, value, scalar(b, compute, high));
  return convertScalar(b, value, stored);
}

static Lowered lowerQuantise(QuantiseOp op, ImplicitLocOpBuilder &b) {
  RankedTensorType type = tensorOf(op.getInput());
  Type stored = tensorOf(op.getResult()).getElementType(), compute = computeType(type.getElementType());
  AffineMap identity = b.getMultiDimIdentityMap(type.getRank());
  AffineMap scales =
      scaleMap(op.getScale(), identity.getResults(), type.getRank(), op.getBlock().value_or(ArrayRef<int64_t>()));
  return SmallVector<Value>{elementwise(
      b, tensor::getMixedSizes(b, b.getLoc(), op.getInput()), stored, {op.getInput(), op.getScale()},
      {identity, scales}, [&](ImplicitLocOpBuilder &inner, ValueRange x) {
        // One reciprocal serves all that a scale is for.
        Value inverse = arith::DivFOp::create(inner, scalar(inner, compute, 1), convertScalar(inner, x[1], compute));
        Value scaled = arith::MulFOp::create(inner, convertScalar(inner, x[0], compute), inverse);
        return storeNearest(inner, scaled, stored);
      })};
}

static Lowered lowerDequantise(DequantiseOp op, ImplicitLocOpBuilder &b) {
  RankedTensorType type = tensorOf(op.getInput());
  Type stored = tensorOf(op.getResult()).getElementType();
  AffineMap identity = b.getMultiDimIdentityMap(type.getRank());
  AffineMap scales =
      scaleMap(op.getScale(), identity.getResults(), type.getRank(), op.getBlock().value_or(ArrayRef<int64_t>()));
  return SmallVector<Value>{
      elementwise(b, tensor::getMixedSizes(b, b.getLoc(), op.getInput()), stored, {op.getInput(), op.getScale()},
                  {identity, scales}, [&](ImplicitLocOpBuilder &inner, ValueRange x) {
                    Value element = convertScalar(inner, x[0], inner.getF32Type());
                    return convertScalar(inner, arith::MulFOp::create(inner, element, x[1]), stored);
                  })};
}

/// Whether a scale of a tensor of that rank has several values along its innermost dimension.
static bool changesAlongDepth(Value scale, int64_t rank) {
  return scale && tensorOf(scale).getRank() == rank && tensorOf(scale).getShape().back() != 1;
}

/// The sum over k of input * weight * scales that change along k, in `real`. Of a float input it is
/// one contraction, else there are sums of blocks of the depth, outermost, then the sum of these times their scales.
static Value contractBlocks(QuantisedMatmulOp op, ImplicitLocOpBuilder &b, Contraction c, Type real) {
  unsigned outputs = c.sizes.size(), n = outputs - 1;
  ArrayRef<int64_t> block = *op.getBlock();
  if (!op.getInputScale()) {
    AffineMap scales =
        scaleMap(op.getWeightScale(), {b.getAffineDimExpr(n), b.getAffineDimExpr(outputs)}, outputs + 1, block);
    return reduced(b, c.sizes, scalar(b, real, 0), {c.lhs, c.rhs, op.getWeightScale()}, {c.lhsMap, c.rhsMap, scales},
                   llvm::to_vector(llvm::seq<unsigned>(0, outputs)),
                   [&](ImplicitLocOpBuilder &inner, ValueRange x) -> Value {
                     Value l = convertScalar(inner, x[0], real), r = convertScalar(inner, x[1], real);
                     r = arith::MulFOp::create(inner, r, convertScalar(inner, x[2], real));
                     return arith::AddFOp::create(inner, x[3], arith::MulFOp::create(inner, l, r));
                   });
  }
  // Dimensions: block, row.., n, k in the block.
  Contraction blocks = c;
  blocks.lhs = splitDim(b, c.lhs, outputs - 1, ShapedType::kDynamic, block[1]);
  blocks.rhs = splitDim(b, c.rhs, 1, ShapedType::kDynamic, block[1]);
  blocks.sizes.insert(blocks.sizes.begin(), tensor::getMixedSize(b, b.getLoc(), blocks.rhs, 1));
  SmallVector<AffineExpr> all = dims(b, outputs + 2), rows(ArrayRef(all).slice(1, n));
  rows.append({all[0], all[outputs + 1]});
  blocks.lhsMap = AffineMap::get(outputs + 2, 0, rows, b.getContext());
  blocks.rhsMap = AffineMap::get(outputs + 2, 0, {all[outputs], all[0], all[outputs + 1]}, b.getContext());
  // Dimensions: row.., n, block. Scales come first: they are read while the product is under way.
  SmallVector<AffineExpr> sums = {all[outputs]};
  sums.append(all.begin(), all.begin() + outputs);
  AffineMap sumMap = AffineMap::get(outputs + 1, 0, sums, b.getContext());
  SmallVector<Value> operands;
  SmallVector<AffineMap> maps;
  if (changesAlongDepth(op.getWeightScale(), 2)) {
    operands.push_back(op.getWeightScale());
    maps.push_back(scaleMap(op.getWeightScale(), {all[n], all[outputs]}, outputs + 1, {block[0], 1}));
  }
  if (changesAlongDepth(op.getInputScale(), outputs)) {
    SmallVector<AffineExpr> at(all.begin(), all.begin() + n);
    at.push_back(all[outputs]);
    operands.push_back(op.getInputScale());
    maps.push_back(scaleMap(op.getInputScale(), at, outputs + 1, {1, 1}));
  }
  operands.push_back(contract(b, blocks));
  maps.push_back(sumMap);
  return reduced(b, c.sizes, scalar(b, real, 0), operands, maps, llvm::to_vector(llvm::seq<unsigned>(0, outputs)),
                 [&](ImplicitLocOpBuilder &inner, ValueRange x) -> Value {
                   Value scale;
                   for (Value factor : x.drop_back(2)) {
                     factor = convertScalar(inner, factor, real);
                     scale = scale ? arith::MulFOp::create(inner, scale, factor).getResult() : factor;
                   }
                   Value sum = convertScalar(inner, x[x.size() - 2], real);
                   return arith::AddFOp::create(inner, x.back(), arith::MulFOp::create(inner, sum, scale));
                 });
}

static Lowered lowerQuantisedMatmul(QuantisedMatmulOp op, ImplicitLocOpBuilder &b) {
  Type stored = tensorOf(op.getResult()).getElementType(), input = tensorOf(op.getInput()).getElementType();
  Type real = input.isF64() ? input : b.getF32Type();
  Contraction c = linearContraction(b, op.getInput(), op.getWeight(), isa<FloatType>(input) ? real : b.getI32Type());
  int64_t rank = c.sizes.size();
  bool changes = op.getBlock() && changesAlongDepth(op.getWeightScale(), 2);
  bool inputChanges = op.getBlock() && changesAlongDepth(op.getInputScale(), rank);
  Value sum = changes || inputChanges ? contractBlocks(op, b, c, real) : contract(b, c);

  SmallVector<AffineExpr> all = dims(b, rank);
  SmallVector<Value> operands = {sum};
  SmallVector<AffineMap> maps = {b.getMultiDimIdentityMap(rank)};
  if (op.getInputScale() && !inputChanges) {
    operands.push_back(op.getInputScale());
    maps.push_back(scaleMap(op.getInputScale(), all, rank, {})); // never read along k, where `all` says n
  }
  if (!changes) {
    SmallVector<AffineExpr> at = {all.back(), b.getAffineConstantExpr(0)};
    operands.push_back(op.getWeightScale());
    maps.push_back(scaleMap(op.getWeightScale(), at, rank, op.getBlock().value_or(ArrayRef<int64_t>())));
  }
  if (operands.size() == 1)
    return SmallVector<Value>{finish(b, sum, {}, 0, stored)};
  return SmallVector<Value>{
      elementwise(b, c.sizes, stored, operands, maps, [&](ImplicitLocOpBuilder &inner, ValueRange x) {
        Value value = convertScalar(inner, x[0], real);
        for (Value scale : x.drop_front())
          value = arith::MulFOp::create(inner, value, convertScalar(inner, scale, real));
        return convertScalar(inner, value, stored);
      })};
}

void tenon::populateQuantisationLowerings(RewritePatternSet &patterns) {
  MLIRContext *context = patterns.getContext();
  patterns.add<LowerBy<QuantiseOp>>(context, &lowerQuantise);
  patterns.add<LowerBy<DequantiseOp>>(context, &lowerDequantise);
  patterns.add<LowerBy<QuantisedMatmulOp>>(context, &lowerQuantisedMatmul);
}
