// Functions of f32 in kernels whose results have 16 bits or less: an error of some units of the last place of an f32 is
// not seen there, and the special function unit has e^x and 1 / x in one instruction. A product's epilogue does them
// for every element while the Tensor Cores wait.
#include "passes/5_thread/ThreadEmitter.h"

#include "dialects/Ptx/Ptx.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"

#include <cmath>

using namespace mlir;
using namespace tenon;

/// x / (1 + e^z) of z a multiple of x, as in silu and gelu, or of a number x, as in a sigmoid. The divisor is 1 or
/// more, and where it is so large that its reciprocal is no normal number, x is not: the quotient is as good as 0.
static bool isLogistic(arith::DivFOp quotient) {
  auto sum = quotient.getRhs().getDefiningOp<arith::AddFOp>();
  if (!sum || !matchPattern(sum.getRhs(), m_OneFloat()))
    return false;
  auto power = sum.getLhs().getDefiningOp<math::ExpOp>();
  if (!power)
    return false;
  Operation *exponent = power.getOperand().getDefiningOp();
  return matchPattern(quotient.getLhs(), m_OneFloat()) ||
         (isa_and_nonnull<arith::NegFOp, arith::MulFOp>(exponent) &&
          llvm::is_contained(exponent->getOperands(), quotient.getLhs()));
}

namespace {
/// f32 arithmetic of one register.
struct Registers {
  ImplicitLocOpBuilder &b;

  Value number(double value) { return arith::ConstantOp::create(b, b.getF32FloatAttr(float(value))); }
  Value mul(Value x, Value y) { return arith::MulFOp::create(b, x, y); }
  Value fma(Value x, Value y, Value z) { return math::FmaOp::create(b, x, y, z); }
  Value exp2(Value x) { return ptx::Ex2Op::create(b, b.getF32Type(), x); }
  Value exp(Value x) { return exp2(mul(x, number(1.44269504))); }
  Value reciprocal(Value x) { return ptx::RcpOp::create(b, b.getF32Type(), x); }

  /// erfc(t) = e^(-t^2) s Q(s), s = 1 / (1 + 0.39 t), for t >= 0 (Hastings' form, Q and 0.39 fitted for the least error
  /// of erfc: 0.9e-8 but for rounding); erfc(-t) = 2 - erfc(t).
  Value erfc(Value x) {
    Value s = reciprocal(fma(math::AbsFOp::create(b, x), number(0x1.8f5c28p-2), number(1)));
    Value q = number(-0x1.d1feep-3);
    for (double c : {0x1.c5f8c2p-1, -0x1.4553p-1, 0x1.4c92e6p-1, 0x1.76542ep-4, 0x1.e1f226p-3})
      q = fma(q, s, number(c));
    Value tail = mul(mul(q, s), exp(mul(x, arith::NegFOp::create(b, x))));
    Value isNegative = arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, x, number(0));
    return arith::SelectOp::create(b, isNegative, arith::SubFOp::create(b, number(2), tail), tail);
  }

  /// x / 2 erfc(-x / sqrt(2)) = max(x, 0) - a Phi(-a), a = |x|: no sign is asked for. The logarithm of the normal
  /// distribution's tail is nearly a parabola, so Phi(-a) is 2^P(a): one function of the special unit, where a
  /// reciprocal and a power are two. P is fitted for the least relative error of the tail; its last coefficient is
  /// negative, so that beyond 13.4, where the tail is no normal number, 2^P is 0. Of Inf there would be Inf times 0; of
  /// -Inf there is.
  Value gelu(Value x, bool isCoarse) {
    // 2^-12.2 up to 5.7, 2^-9.9 up to 9, 2^-7.9 beyond: at most 0.06 of bf16's last place, and of what is less than
    // 1e-18 one. The other 2^-16.4, 2^-15.3 and 2^-13.4.
    static constexpr double coarse[] = {-0x1.091276p-21, 0x1.a6c912p-16, -0x1.1a850cp-11, 0x1.a3d07ap-8,
                                        -0x1.8a6c7cp-5,  -0x1.dd533ep-2, -0x1.25beacp+0,  -0x1.001428p+0};
    static constexpr double fine[] = {-0x1.321044p-29, 0x1.533986p-23, -0x1.4aa54ep-18, 0x1.77b79cp-14, -0x1.172fb8p-10,
                                      0x1.22472cp-7,   -0x1.bdd7f2p-5, -0x1.d5369ap-2,  -0x1.26b902p+0, -0x1.00006cp+0};
    ArrayRef<double> coefficients = isCoarse ? ArrayRef<double>(coarse) : ArrayRef<double>(fine);
    Value magnitude = math::AbsFOp::create(b, arith::MinNumFOp::create(b, x, number(13)));
    Value power = number(coefficients.front());
    for (double coefficient : coefficients.drop_front())
      power = fma(power, magnitude, number(coefficient));
    Value positive = arith::MaximumFOp::create(b, x, number(0));
    return fma(arith::NegFOp::create(b, magnitude), exp2(power), positive);
  }
};

/// The register of x where an op is `x / 2` times `erfc(-x / sqrt(2))`, as gelu is written.
Value argumentOfGelu(Operation *op, ArrayRef<Value> operands) {
  auto product = dyn_cast<arith::MulFOp>(op);
  auto function = product ? product.getRhs().getDefiningOp<math::ErfcOp>() : nullptr;
  auto halved = product ? product.getLhs().getDefiningOp<arith::MulFOp>() : nullptr;
  auto scaled = function ? function.getOperand().getDefiningOp<arith::MulFOp>() : nullptr;
  auto isBy = [](arith::MulFOp by, double number) {
    DenseElementsAttr splat;
    return matchPattern(by.getRhs(), m_Constant(&splat)) && splat.isSplat() &&
           std::fabs(splat.getSplatValue<APFloat>().convertToDouble() - number) < 1e-6;
  };
  if (!halved || !scaled || halved.getLhs() != scaled.getLhs() || !isBy(halved, 0.5) ||
      !isBy(scaled, -0.70710678118654752))
    return {};
  auto inRegister = operands[0].getDefiningOp<arith::MulFOp>();
  return inRegister ? inRegister.getLhs() : Value();
}

/// a b + c and c - a b with one rounding, where nothing else reads the product.
Value fused(Registers &r, Operation *op, ArrayRef<Value> operands) {
  if (!isa<arith::AddFOp, arith::SubFOp>(op))
    return {};
  for (unsigned number : {1u, 0u}) {
    auto tile = op->getOperand(number).getDefiningOp<arith::MulFOp>();
    auto product = operands[number].getDefiningOp<arith::MulFOp>();
    if (!tile || !tile->hasOneUse() || !product || (isa<arith::SubFOp>(op) && number == 0))
      continue;
    Value lhs = product.getLhs();
    if (isa<arith::SubFOp>(op))
      lhs = arith::NegFOp::create(r.b, lhs);
    return r.fma(lhs, product.getRhs(), operands[1 - number]);
  }
  return {};
}
} // namespace

/// Of bf16; f16 has 11.
static constexpr unsigned coarsePrecision = 8;

Value ThreadEmitter::approximate(Operation *op, ArrayRef<Value> operands) {
  if (!isApproximate() || !operands.front().getType().isF32())
    return {};
  Registers r{b};
  if (Value x = argumentOfGelu(op, operands))
    return r.gelu(x, resultPrecision <= coarsePrecision);
  if (Value sum = fused(r, op, operands))
    return sum;
  if (isa<math::Exp2Op>(op))
    return r.exp2(operands[0]);
  if (isa<math::ExpOp>(op))
    return r.exp(operands[0]);
  if (isa<math::ErfcOp>(op))
    return r.erfc(operands[0]);
  auto quotient = dyn_cast<arith::DivFOp>(op);
  if (quotient && (isLogistic(quotient) || bitEnumContainsAny(quotient.getFastmath(), arith::FastMathFlags::afn)))
    return r.mul(operands[0], r.reciprocal(operands[1]));
  return {};
}
