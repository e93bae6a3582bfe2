// Functions of f32 in kernels whose results have 16 bits or less: an error of some units of the last place of an f32 is
// not seen there, and the special function unit has e^x and 1 / x in one instruction. A product's epilogue does them
// for every element while the Tensor Cores wait.
#include "passes/5_thread/ThreadEmitter.h"

#include "dialects/Ptx/Ptx.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"

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
};
} // namespace

Value ThreadEmitter::approximate(Operation *op, ArrayRef<Value> operands) {
  if (!isApproximate || !operands.front().getType().isF32())
    return {};
  Registers r{b};
  if (isa<math::Exp2Op>(op))
    return r.exp2(operands[0]);
  if (isa<math::ExpOp>(op))
    return r.exp(operands[0]);
  if (isa<math::ErfcOp>(op))
    return r.erfc(operands[0]);
  if (auto quotient = dyn_cast<arith::DivFOp>(op); quotient && isLogistic(quotient))
    return r.mul(operands[0], r.reciprocal(operands[1]));
  return {};
}
