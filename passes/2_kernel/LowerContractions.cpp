// Matrix products become one linalg.generic that multiplies and adds into an accumulator of the compute type, and one
// that rounds it (and adds the bias before rounding). Operands are read as stored: the maps say which is transposed.
#include "passes/2_kernel/Contraction.h"

using namespace mlir;
using namespace tenon;

Value tenon::contract(ImplicitLocOpBuilder &b, const Contraction &c) {
  unsigned outputs = c.sizes.size();
  SmallVector<unsigned> kept = llvm::to_vector(llvm::seq<unsigned>(0, outputs));
  return reduced(b, c.sizes, scalar(b, c.accumulator, 0), {c.lhs, c.rhs}, {c.lhsMap, c.rhsMap}, kept,
                 [&](ImplicitLocOpBuilder &inner, ValueRange x) -> Value {
                   Value l = convertScalar(inner, x[0], c.accumulator), r = convertScalar(inner, x[1], c.accumulator);
                   if (isa<FloatType>(c.accumulator))
                     return arith::AddFOp::create(inner, x[2], arith::MulFOp::create(inner, l, r));
                   return arith::AddIOp::create(inner, x[2], arith::MulIOp::create(inner, l, r));
                 });
}

Value tenon::finish(ImplicitLocOpBuilder &b, Value accumulated, Value bias, int64_t biasDim, Type stored) {
  RankedTensorType type = tensorOf(accumulated);
  if (!bias && type.getElementType() == stored)
    return accumulated;
  SmallVector<Value> operands = {accumulated};
  SmallVector<AffineMap> maps = {b.getMultiDimIdentityMap(type.getRank())};
  if (bias) {
    operands.push_back(bias);
    maps.push_back(AffineMap::get(type.getRank(), 0, b.getAffineDimExpr(biasDim)));
  }
  return elementwise(b, tensor::getMixedSizes(b, b.getLoc(), accumulated), stored, operands, maps,
                     [&](ImplicitLocOpBuilder &inner, ValueRange x) {
                       Value sum = x[0];
                       if (bias)
                         sum = arith::AddFOp::create(inner, sum, convertScalar(inner, x[1], sum.getType()));
                       return convertScalar(inner, sum, stored);
                     });
}

static Lowered lowerMatmul(MatmulOp op, ImplicitLocOpBuilder &b) {
  auto sizes = resultSizes(b, op->getResult(0));
  if (failed(sizes))
    return failure();
  // Dimensions: batch.., m, n, k.
  unsigned rank = sizes->size(), m = rank - 2, n = rank - 1, k = rank;
  auto map = [&](Value operand, unsigned row, unsigned column, bool transposed) {
    if (transposed)
      std::swap(row, column);
    SmallVector<AffineExpr> dims;
    SmallVector<OpFoldResult> read(ArrayRef(*sizes).drop_back(2));
    for (unsigned batch = 0; batch + 2 < rank; ++batch)
      dims.push_back(b.getAffineDimExpr(batch));
    // The matrix dimensions never broadcast.
    dims.append({b.getAffineDimExpr(row), b.getAffineDimExpr(column)});
    read.append({b.getIndexAttr(1), b.getIndexAttr(1)});
    AffineMap inner = broadcastMap(tensorOf(operand), dims, read);
    return AffineMap::get(rank + 1, 0, inner.getResults(), b.getContext());
  };
  Type stored = tensorOf(op.getResult()).getElementType();
  Contraction c{op.getLhs(),
                op.getRhs(),
                map(op.getLhs(), m, k, op.getTransposeA()),
                map(op.getRhs(), k, n, op.getTransposeB()),
                *sizes,
                computeType(stored)};
  return SmallVector<Value>{finish(b, contract(b, c), {}, 0, stored)};
}

Contraction tenon::linearContraction(ImplicitLocOpBuilder &b, Value input, Value weight, Type accumulator) {
  // Dimensions: row.., n, k.
  int64_t rank = tensorOf(input).getRank();
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, b.getLoc(), input);
  sizes.back() = tensor::getMixedSize(b, b.getLoc(), weight, 0);
  SmallVector<AffineExpr> dims;
  for (int64_t row = 0; row + 1 < rank; ++row)
    dims.push_back(b.getAffineDimExpr(row));
  AffineExpr n = b.getAffineDimExpr(rank - 1), k = b.getAffineDimExpr(rank);
  dims.push_back(k);
  return {input,
          weight,
          AffineMap::get(rank + 1, 0, dims, b.getContext()),
          AffineMap::get(rank + 1, 0, {n, k}, b.getContext()),
          sizes,
          accumulator};
}

static Lowered lowerLinear(LinearOp op, ImplicitLocOpBuilder &b) {
  Type stored = tensorOf(op.getResult()).getElementType();
  Contraction c = linearContraction(b, op.getInput(), op.getWeight(), computeType(stored));
  return SmallVector<Value>{finish(b, contract(b, c), op.getBias(), tensorOf(op.getInput()).getRank() - 1, stored)};
}

void tenon::populateContractionLowerings(RewritePatternSet &patterns) {
  patterns.add<LowerBy<MatmulOp>>(patterns.getContext(), &lowerMatmul);
  patterns.add<LowerBy<LinearOp>>(patterns.getContext(), &lowerLinear);
}
