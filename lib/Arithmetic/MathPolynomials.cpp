// Coefficients are minimax fits of the relative error (Lawson's iteration in f64), rounded to f32, those of erf then
// searched in steps of the last place for the least error of the f32 evaluation. Polynomials are evaluated by Horner's
// rule: loops over vectors have enough independent work to hide its latency.
#include "lib/Arithmetic/MathPolynomials.h"

#include <limits>

using namespace mlir;
using namespace tenon;

using FP = arith::CmpFPredicate;

static constexpr double infinity = std::numeric_limits<double>::infinity();
// ln 2 in two parts, the first of so few bits that any exponent times it is exact.
static constexpr double ln2High = 0x1.62e4p-1, ln2Low = 0x1.7f7d1cp-20;
static constexpr double log2e = 0x1.715476p+0;

/// c[0] + c[1] x + c[2] x^2 ..
static Value horner(Lanes &l, Value x, ArrayRef<double> c) {
  Value sum = l.number(c.back());
  for (double coefficient : llvm::reverse(c.drop_back()))
    sum = l.fma(sum, x, l.number(coefficient));
  return sum;
}

/// NaN stays NaN: it is not less than anything.
static Value clampBelow(Lanes &l, Value x, double low) {
  return l.select(l.compare(FP::OLT, x, l.number(low)), l.number(low), x);
}
static Value clampAbove(Lanes &l, Value x, double high) {
  return l.select(l.compare(FP::OGT, x, l.number(high)), l.number(high), x);
}

namespace {
/// 2^x = 2 scale * 2^rest, for x from -126.5 to 128.5.
struct PowerOfTwo {
  Value exponent; // x rounded to an integer, as a float
  Value scale;    // 2^(exponent - 1); 0 for -126. Half of the power, as 2^128 is no float.
};
} // namespace

/// Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits; 126 more, and these, moved to the place of the
/// exponent, are half the power.
static PowerOfTwo powerOfTwo(Lanes &l, Value x, double factor) {
  Value magic = l.number(0x1.8p23 + 126);
  Value moved = factor == 1 ? l.add(x, magic) : l.fma(x, l.number(factor), magic);
  return {l.sub(moved, magic), l.fromBits(l.shiftLeft(l.bits(moved), 23))};
}

/// x - n ln 2.
static Value reduced(Lanes &l, Value x, Value n) {
  return l.fma(n, l.number(-ln2Low), l.fma(n, l.number(-ln2High), x));
}

/// (e^r - 1 - r) / r^2 within half of ln 2.
static constexpr double expTail[] = {0x1.fffffcp-2, 0x1.555492p-3, 0x1.5558f2p-5, 0x1.1239e2p-7, 0x1.6a2434p-10};

Value tenon::expPolynomial(Lanes &l, Value x) {
  x = clampAbove(l, clampBelow(l, x, -87.5), 89);
  PowerOfTwo power = powerOfTwo(l, x, log2e);
  Value r = reduced(l, x, power.exponent);
  // Twice the polynomial, as the scale is half the power.
  SmallVector<double> c = {2, 2};
  for (double coefficient : expTail)
    c.push_back(2 * coefficient);
  return l.mul(horner(l, r, c), power.scale);
}

Value tenon::exp2Polynomial(Lanes &l, Value x) {
  x = clampAbove(l, clampBelow(l, x, -126.25), 128.25);
  PowerOfTwo power = powerOfTwo(l, x, 1);
  Value r = l.sub(x, power.exponent);
  return l.mul(
      horner(l, r, {2, 0x1.62e43p+0, 0x1.ebfbd8p-2, 0x1.c6aeecp-4, 0x1.3b2d4cp-6, 0x1.5f3e52p-9, 0x1.41fbbcp-12}),
      power.scale);
}

/// e^x - 1 = 2^n (e^r - 1) + (2^n - 1), with half the power until the end.
static Value expm1OfClamped(Lanes &l, Value x) {
  PowerOfTwo power = powerOfTwo(l, x, log2e);
  Value r = reduced(l, x, power.exponent);
  Value lessOne = l.fma(l.mul(r, r), horner(l, r, expTail), r);
  Value half = l.fma(lessOne, power.scale, l.add(power.scale, l.number(-0.5)));
  return l.add(half, half);
}

Value tenon::expm1Polynomial(Lanes &l, Value x) {
  Value result = expm1OfClamped(l, clampAbove(l, clampBelow(l, x, -87.5), 89));
  return l.copySign(result, x); // -0
}

/// tanh |x| = -y / (y + 2) for y = e^(-2 |x|) - 1, which is between -1 and 0.
Value tenon::tanhPolynomial(Lanes &l, Value x) {
  Value y = expm1OfClamped(l, clampBelow(l, l.mul(l.abs(x), l.number(-2)), -87.5));
  Value quotient = arith::DivFOp::create(l.b, y, l.add(y, l.number(2)));
  return l.copySign(quotient, x);
}

namespace {
/// log(u) = exponent ln 2 + f + rest, f within sqrt(1/2) - 1 and sqrt(2) - 1.
struct Logarithm {
  Value exponent, f, tail, square; // tail: log(1 + f) - f + square / 2
};
} // namespace

/// Of a normal positive u; `offset` is added to the exponent where given.
static Logarithm logarithm(Lanes &l, Value u, Value offset) {
  Value all = l.bits(u);
  // The exponent that leaves a mantissa of sqrt(1/2) or more.
  Value exponent = arith::ShRSIOp::create(l.b, l.sub(all, l.integer(0x3F3504F3)), l.integer(23)).getResult();
  Value mantissa = l.fromBits(l.sub(all, l.shiftLeft(exponent, 23)));
  Value f = l.sub(mantissa, l.number(1)), square = l.mul(f, f);
  Value p = horner(l, f,
                   {0x1.555554p-2, -0x1.000226p-2, 0x1.99a008p-3, -0x1.547244p-3, 0x1.22da1cp-3, -0x1.0d8542p-3,
                    0x1.055b6cp-3, -0x1.38b582p-4});
  if (offset)
    exponent = l.add(exponent, offset);
  return {l.cast<arith::SIToFPOp>(exponent, l.b.getF32Type()), f, l.mul(l.mul(f, square), p), square};
}

static Value combined(Lanes &l, const Logarithm &log, Value correction) {
  Value rest = l.fma(log.exponent, l.number(ln2Low), log.tail);
  rest = l.fma(log.square, l.number(-0.5), rest);
  if (correction)
    rest = l.add(rest, correction);
  return l.fma(log.exponent, l.number(ln2High), l.add(log.f, rest));
}

/// `result` but for arguments where a logarithm has a pole (`pole` -> -Inf), is not defined (below), or Inf or NaN
/// (itself).
static Value withSpecials(Lanes &l, Value x, double pole, Value result) {
  result = l.select(l.compare(FP::OLT, x, l.number(infinity)), result, x);
  result = l.select(l.compare(FP::OEQ, x, l.number(pole)), l.number(-infinity), result);
  return l.select(l.compare(FP::OLT, x, l.number(pole)), l.number(std::numeric_limits<double>::quiet_NaN()), result);
}

/// Denormals are brought into the normal range by 2^23.
static Logarithm logarithmOfAny(Lanes &l, Value x) {
  Value isDenormal = l.compare(FP::OLT, x, l.number(0x1p-126));
  Value scaled = l.select(isDenormal, l.mul(x, l.number(0x1p23)), x);
  return logarithm(l, scaled, l.select(isDenormal, l.integer(-23), l.integer(0)));
}

Value tenon::logPolynomial(Lanes &l, Value x) { return withSpecials(l, x, 0, combined(l, logarithmOfAny(l, x), {})); }

Value tenon::log2Polynomial(Lanes &l, Value x) {
  Logarithm log = logarithmOfAny(l, x);
  // log2(e) - 1 apart, so that f and its tail are added as they are.
  Value factor = l.number(0x1.c551dap-2);
  Value tail = l.fma(log.square, l.number(-0.5), log.tail);
  Value sum = l.fma(tail, factor, l.fma(log.f, factor, tail));
  return withSpecials(l, x, 0, l.add(log.exponent, l.add(sum, log.f)));
}

/// log(u) + c / u for u = 1 + x as rounded and c what the rounding lost.
Value tenon::log1pPolynomial(Lanes &l, Value x) {
  Value u = l.add(x, l.number(1));
  Value lost = l.sub(x, l.add(u, l.number(-1)));
  Value correction = arith::DivFOp::create(l.b, lost, u);
  Value result = combined(l, logarithm(l, u, {}), correction);
  return l.copySign(withSpecials(l, x, -1, result), x); // -0
}

/// x P(x^2) up to 3.8, where erf is 1 but for 1.3 units. P is written around the middle of its range: around 0 its
/// coefficients would cancel. Near 0 those here have one sign, so that the relative error is small where erf is.
/// One unit could be had for half as many operations again (two ranges and an exponential); behind the one user, gelu's
/// 1 + erf, nobody would see it.
Value tenon::erfPolynomial(Lanes &l, Value x) {
  static constexpr double end = 0x1.e66666p+1;
  x = clampAbove(l, clampBelow(l, x, -end), end);
  Value v = l.fma(l.mul(x, x), l.number(2 / (end * end)), l.number(-1));
  return l.mul(x, horner(l, v,
                         {0x1.7d09c8p-2, -0x1.7c3154p-3, 0x1.1a17dcp-3, -0x1.c7757p-4, 0x1.73f3d8p-4, -0x1.2885fcp-4,
                          0x1.c4580cp-5, -0x1.442548p-5, 0x1.acfc8cp-6, -0x1.11456cp-6, 0x1.60e4c6p-7, -0x1.703b1ap-8,
                          0x1.c26b7ap-10, -0x1.124708p-10, 0x1.4082f2p-10, -0x1.ea3fep-12}));
}

Value tenon::erfcPolynomial(Lanes &l, Value x) { return l.sub(l.number(1), erfPolynomial(l, x)); }
