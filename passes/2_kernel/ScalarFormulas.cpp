#include "passes/2_kernel/ScalarFormulas.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tenon;

namespace {
/// Builds formulas that read like formulas; all operands of a call have one type.
struct Formula {
  ImplicitLocOpBuilder &b;

  Value constant(Value like, double value) { return scalar(b, like.getType(), value); }
  static bool isFloat(Value x) { return isa<FloatType>(x.getType()); }
  template <typename FloatOp, typename IntOp>
  Value either(Value x, Value y) {
    return isFloat(x) ? FloatOp::create(b, x, y).getResult() : IntOp::create(b, x, y).getResult();
  }
  Value add(Value x, Value y) { return either<arith::AddFOp, arith::AddIOp>(x, y); }
  Value sub(Value x, Value y) { return either<arith::SubFOp, arith::SubIOp>(x, y); }
  Value mul(Value x, Value y) { return either<arith::MulFOp, arith::MulIOp>(x, y); }
  Value max(Value x, Value y) { return either<arith::MaximumFOp, arith::MaxSIOp>(x, y); }
  Value min(Value x, Value y) { return either<arith::MinimumFOp, arith::MinSIOp>(x, y); }
  Value add(Value x, double y) { return add(x, constant(x, y)); }
  Value mul(Value x, double y) { return mul(x, constant(x, y)); }
  Value max(Value x, double y) { return max(x, constant(x, y)); }
  Value min(Value x, double y) { return min(x, constant(x, y)); }
  Value div(Value x, Value y) { return arith::DivFOp::create(b, x, y); }
  Value neg(Value x) { return isFloat(x) ? arith::NegFOp::create(b, x).getResult() : sub(constant(x, 0), x); }
  Value exp(Value x) { return math::ExpOp::create(b, x); }
  Value tanh(Value x) { return math::TanhOp::create(b, x); }
  Value floor(Value x) { return math::FloorOp::create(b, x); }
  Value select(Value condition, Value x, Value y) { return arith::SelectOp::create(b, condition, x, y); }
  /// Ordered: false where an operand is NaN, but for ne.
  Value compare(ComparePredicate predicate, Value x, Value y);
  Value less(Value x, Value y) { return compare(ComparePredicate::LT, x, y); }

  Value sigmoid(Value x) { return div(constant(x, 1), add(exp(neg(x)), 1)); }
  Value silu(Value x) { return div(x, add(exp(neg(x)), 1)); }
  /// log(1 + e^x) as max(x, 0) + log1p(e^-|x|), which overflows nowhere.
  Value softplus(Value x) {
    Value tail = math::Log1pOp::create(b, exp(neg(math::AbsFOp::create(b, x))));
    return add(max(x, 0.0), tail);
  }
  Value hardSigmoid(Value x) { return min(max(add(div(x, constant(x, 6)), 0.5), 0.0), 1.0); }
  Value gelu(Value x, GeluApproximation approximation) {
    if (approximation == GeluApproximation::Erf)
      return mul(mul(x, 0.5), math::ErfcOp::create(b, mul(x, -0.70710678118654752440)));
    // (1 + tanh(z)) / 2 = 1 / (1 + e^(-2 z)), which loses no digits where tanh is close to -1.
    constexpr double factor = -2 * 0.79788456080286535588;
    return div(x, add(exp(mul(x, add(mul(mul(x, x), 0.044715 * factor), factor))), 1));
  }
  Value sign(Value x);
  /// a / b of integers rounded by `IntOp`; dividing by 0 gives 0 and by -1 the negative, where the machine would trap.
  template <typename IntOp>
  Value divideIntegers(Value x, Value y) {
    Value isZero = compare(ComparePredicate::EQ, y, constant(y, 0));
    Value isMinusOne = compare(ComparePredicate::EQ, y, constant(y, -1));
    Value special = arith::OrIOp::create(b, isZero, isMinusOne);
    Value quotient = IntOp::create(b, x, select(special, constant(y, 1), y));
    return select(special, mul(x, y), quotient);
  }
  Value floorDiv(Value x, Value y) { return isFloat(x) ? floor(div(x, y)) : divideIntegers<arith::FloorDivSIOp>(x, y); }
  Value rem(Value x, Value y);
};
} // namespace

Value Formula::compare(ComparePredicate predicate, Value x, Value y) {
  if (isFloat(x)) {
    static constexpr arith::CmpFPredicate floats[] = {arith::CmpFPredicate::OEQ, arith::CmpFPredicate::UNE,
                                                      arith::CmpFPredicate::OLT, arith::CmpFPredicate::OLE,
                                                      arith::CmpFPredicate::OGT, arith::CmpFPredicate::OGE};
    return arith::CmpFOp::create(b, floats[static_cast<unsigned>(predicate)], x, y);
  }
  using P = arith::CmpIPredicate;
  static constexpr P integers[] = {P::eq, P::ne, P::slt, P::sle, P::sgt, P::sge};
  static constexpr P booleans[] = {P::eq, P::ne, P::ult, P::ule, P::ugt, P::uge};
  unsigned index = static_cast<unsigned>(predicate);
  return arith::CmpIOp::create(b, x.getType().isInteger(1) ? booleans[index] : integers[index], x, y);
}

/// x itself where it is neither above nor below zero, which keeps NaN and -0.
Value Formula::sign(Value x) {
  Value zero = constant(x, 0);
  return select(less(zero, x), constant(x, 1), select(less(x, zero), constant(x, -1), x));
}

/// The sign of y: the machine's remainder has that of x, so it is moved by y where they differ.
Value Formula::rem(Value x, Value y) {
  if (!isFloat(x))
    return sub(x, mul(divideIntegers<arith::FloorDivSIOp>(x, y), y));
  Value remainder = arith::RemFOp::create(b, x, y), zero = constant(x, 0);
  Value differs = arith::XOrIOp::create(b, less(remainder, zero), less(y, zero));
  Value moves = arith::AndIOp::create(b, differs, compare(ComparePredicate::NE, remainder, zero));
  return select(moves, add(remainder, y), remainder);
}

Value tenon::scalarFormula(Operation *op, ImplicitLocOpBuilder &b, ValueRange x) {
  Formula f{b};
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case([&](AbsOp) -> Value {
        return Formula::isFloat(x[0]) ? math::AbsFOp::create(b, x[0]).getResult() : f.max(x[0], f.neg(x[0]));
      })
      .Case([&](NegOp) { return f.neg(x[0]); })
      .Case([&](SignOp) { return f.sign(x[0]); })
      .Case([&](ExpOp) { return f.exp(x[0]); })
      .Case([&](Exp2Op) { return math::Exp2Op::create(b, x[0]); })
      .Case([&](LogOp) { return math::LogOp::create(b, x[0]); })
      .Case([&](Log2Op) { return math::Log2Op::create(b, x[0]); })
      .Case([&](SqrtOp) { return math::SqrtOp::create(b, x[0]); })
      .Case([&](RsqrtOp) { return f.div(f.constant(x[0], 1), math::SqrtOp::create(b, x[0])); })
      .Case([&](ReciprocalOp) { return f.div(f.constant(x[0], 1), x[0]); })
      .Case([&](SinOp) { return math::SinOp::create(b, x[0]); })
      .Case([&](CosOp) { return math::CosOp::create(b, x[0]); })
      .Case([&](TanhOp) { return f.tanh(x[0]); })
      .Case([&](ErfOp) { return math::ErfOp::create(b, x[0]); })
      .Case([&](FloorOp) { return f.floor(x[0]); })
      .Case([&](CeilOp) { return math::CeilOp::create(b, x[0]); })
      .Case([&](RoundOp) { return math::RoundEvenOp::create(b, x[0]); })
      .Case([&](SquareOp) { return f.mul(x[0], x[0]); })
      .Case([&](ReluOp) { return f.max(x[0], 0.0); })
      .Case([&](SigmoidOp) { return f.sigmoid(x[0]); })
      .Case([&](SiluOp) { return f.silu(x[0]); })
      .Case([&](SoftplusOp) { return f.softplus(x[0]); })
      .Case([&](MishOp) { return f.mul(x[0], f.tanh(f.softplus(x[0]))); })
      .Case([&](HardSigmoidOp) { return f.hardSigmoid(x[0]); })
      .Case([&](HardSwishOp) { return f.mul(x[0], f.hardSigmoid(x[0])); })
      .Case([&](QuickGeluOp) { return f.div(x[0], f.add(f.exp(f.mul(x[0], -1.702)), 1)); })
      .Case([&](GeluOp gelu) { return f.gelu(x[0], gelu.getApproximation()); })
      .Case([&](LeakyReluOp relu) {
        return f.select(f.less(x[0], f.constant(x[0], 0)), f.mul(x[0], relu.getSlope().convertToDouble()), x[0]);
      })
      .Case([&](EluOp elu) {
        Value negative = f.mul(math::ExpM1Op::create(b, x[0]), elu.getAlpha().convertToDouble());
        return f.select(f.less(f.constant(x[0], 0), x[0]), x[0], negative);
      })
      .Case([&](ClampOp clamp) {
        return f.min(f.max(x[0], clamp.getLow().convertToDouble()), clamp.getHigh().convertToDouble());
      })
      .Case([&](SwigluOp) { return f.mul(f.silu(x[0]), x[1]); })
      .Case([&](GegluOp geglu) { return f.mul(f.gelu(x[0], geglu.getApproximation()), x[1]); })
      .Case([&](AddOp) { return f.add(x[0], x[1]); })
      .Case([&](SubOp) { return f.sub(x[0], x[1]); })
      .Case([&](MulOp) { return f.mul(x[0], x[1]); })
      .Case([&](DivOp) {
        return Formula::isFloat(x[0]) ? f.div(x[0], x[1]) : f.divideIntegers<arith::DivSIOp>(x[0], x[1]);
      })
      .Case([&](FloorDivOp) { return f.floorDiv(x[0], x[1]); })
      .Case([&](RemOp) { return f.rem(x[0], x[1]); })
      .Case([&](PowOp) { return math::PowFOp::create(b, x[0], x[1]); })
      .Case([&](MaxOp) { return f.max(x[0], x[1]); })
      .Case([&](MinOp) { return f.min(x[0], x[1]); })
      .Case([&](LogicalNotOp) { return arith::XOrIOp::create(b, x[0], f.constant(x[0], 1)); })
      .Case([&](LogicalAndOp) { return arith::AndIOp::create(b, x[0], x[1]); })
      .Case([&](LogicalOrOp) { return arith::OrIOp::create(b, x[0], x[1]); })
      .Case([&](LogicalXorOp) { return arith::XOrIOp::create(b, x[0], x[1]); })
      .Case([&](CompareOp compare) { return f.compare(compare.getPredicate(), x[0], x[1]); })
      .Case([&](SelectOp) { return f.select(x[0], x[1], x[2]); })
      .Case([&](CastOp cast) { return convertScalar(b, x[0], tensorOf(cast.getResult()).getElementType()); });
}
