// Elementwise ops become one linalg.generic each, whose maps say the broadcasting and whose body is scalar arith and
// math. Floats shorter than 32 bits are widened when read and rounded once when written, so a body is always f32 or
// f64.
#include "passes/2_kernel/ScalarFormulas.h"

using namespace mlir;
using namespace tenon;

/// Ops that move or test elements as they are stored; all others compute in the compute type.
template <typename OpT>
static constexpr bool readsStorage() {
  return llvm::is_one_of<OpT, CastOp, SelectOp, LogicalAndOp, LogicalOrOp, LogicalXorOp, LogicalNotOp>::value;
}

template <typename OpT>
static Lowered lower(OpT op, ImplicitLocOpBuilder &b) {
  Type stored = tensorOf(op.getResult()).getElementType();
  auto sizes = resultSizes(b, op->getResult(0));
  if (failed(sizes))
    return failure();
  return SmallVector<Value>{
      broadcastElementwise(b, *sizes, stored, op->getOperands(), [&](ImplicitLocOpBuilder &inner, ValueRange elements) {
        SmallVector<Value> wide(elements);
        if (!readsStorage<OpT>())
          for (Value &element : wide)
            element = convertScalar(inner, element, computeType(element.getType()));
        return convertScalar(inner, scalarFormula(op, inner, wide), stored);
      })};
}

/// y = x * cos + partner(x) * sin, where the partner of a half is the other half, negated for the first.
static Lowered lowerRope(RopeOp op, ImplicitLocOpBuilder &b) {
  RankedTensorType type = tensorOf(op.getInput());
  Type stored = type.getElementType();
  int64_t last = type.getRank() - 1, half = type.getDimSize(last) / 2;
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, b.getLoc(), op.getInput());
  SmallVector<OpFoldResult> halfSizes = sizes;
  halfSizes[last] = b.getIndexAttr(half);
  auto offsets = [&](int part, int64_t rank) {
    SmallVector<OpFoldResult> result(rank, b.getIndexAttr(0));
    result.back() = b.getIndexAttr(op.getInterleaved() ? part : part * half);
    return result;
  };
  SmallVector<OpFoldResult> strides(last + 1, b.getIndexAttr(1));
  strides.back() = b.getIndexAttr(op.getInterleaved() ? 2 : 1);

  Value first = tensor::ExtractSliceOp::create(b, op.getInput(), offsets(0, last + 1), halfSizes, strides);
  Value second = tensor::ExtractSliceOp::create(b, op.getInput(), offsets(1, last + 1), halfSizes, strides);
  // Exporters write each angle twice, once a half; the first half has them all.
  auto angles = [&](Value table) -> Value {
    int64_t rank = tensorOf(table).getRank();
    if (tensorOf(table).getDimSize(rank - 1) != 2 * half)
      return table;
    SmallVector<OpFoldResult> tableSizes = tensor::getMixedSizes(b, b.getLoc(), table);
    tableSizes.back() = b.getIndexAttr(half);
    return tensor::ExtractSliceOp::create(b, table, SmallVector<OpFoldResult>(rank, b.getIndexAttr(0)), tableSizes,
                                          SmallVector<OpFoldResult>(rank, b.getIndexAttr(1)));
  };
  Value cos = angles(op.getCos()), sin = angles(op.getSin());
  auto turned = [&](Value own, Value partner, bool negate) {
    return broadcastElementwise(b, halfSizes, stored, {own, partner, cos, sin},
                                [&](ImplicitLocOpBuilder &inner, ValueRange x) {
                                  SmallVector<Value> wide(x);
                                  for (Value &element : wide)
                                    element = convertScalar(inner, element, computeType(element.getType()));
                                  Value straight = arith::MulFOp::create(inner, wide[0], wide[2]);
                                  Value across = arith::MulFOp::create(inner, wide[1], wide[3]);
                                  Value sum = negate ? arith::SubFOp::create(inner, straight, across).getResult()
                                                     : arith::AddFOp::create(inner, straight, across).getResult();
                                  return convertScalar(inner, sum, stored);
                                });
  };
  Value result = empty(b, sizes, stored);
  result = tensor::InsertSliceOp::create(b, turned(first, second, /*negate=*/true), result, offsets(0, last + 1),
                                         halfSizes, strides);
  result = tensor::InsertSliceOp::create(b, turned(second, first, /*negate=*/false), result, offsets(1, last + 1),
                                         halfSizes, strides);
  return SmallVector<Value>{result};
}

template <typename... Ops>
static void add(RewritePatternSet &patterns) {
  (patterns.add<LowerBy<Ops>>(patterns.getContext(), &lower<Ops>), ...);
}

void tenon::populatePointwiseLowerings(RewritePatternSet &patterns) {
  add<AbsOp, NegOp, SignOp, ExpOp, Exp2Op, LogOp, Log2Op, SqrtOp, RsqrtOp, ReciprocalOp, SinOp, CosOp, TanhOp, ErfOp,
      FloorOp, CeilOp, RoundOp, SquareOp, ReluOp, SigmoidOp, SiluOp, SoftplusOp, MishOp, HardSigmoidOp, HardSwishOp,
      QuickGeluOp, LogicalNotOp, GeluOp, LeakyReluOp, EluOp, ClampOp, SwigluOp, GegluOp, AddOp, SubOp, MulOp, DivOp,
      FloorDivOp, RemOp, PowOp, MaxOp, MinOp, LogicalAndOp, LogicalOrOp, LogicalXorOp, CompareOp, SelectOp, CastOp>(
      patterns);
  patterns.add<LowerBy<RopeOp>>(patterns.getContext(), &lowerRope);
}
