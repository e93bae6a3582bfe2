// Processors have no instructions for 8-bit floats, and few for bf16; LLVM calls a library function an element, where
// it knows the type at all. Here the conversions are integer arithmetic, the same on every processor: rounding to
// nearest even, denormals kept even where a host program has them flushed, NaN for what f8E4M3FN cannot hold (it has no
// Inf).
#include "lib/Arithmetic/Expansions.h"
#include "lib/Arithmetic/Lanes.h"

using namespace mlir;
using namespace tenon;

using FP = arith::CmpFPredicate;
using IP = arith::CmpIPredicate;

/// Both formats of 8 bits as f32 sees them. Bits are of an f32 without its sign.
namespace {
struct ByteFormat {
  int mantissa;     // bits
  int bias;         // of the exponent
  int64_t overflow; // from here on: `infinity`, or NaN where there is none
  int64_t infinity; // byte
  static ByteFormat of(Type type) {
    if (isa<Float8E5M2Type>(type))
      return {2, 15, int64_t(127 + 16) << 23, 0x7C};
    return {3, 7, 0x43F00000 /* 480, the encoding of NaN if it were a number */, 0x7F};
  }
};
} // namespace

static bool isByteFloat(Type type) { return isa<Float8E4M3FNType, Float8E5M2Type>(getElementTypeOrSelf(type)); }

/// f32 -> byte, to nearest even.
static Value toByte(Lanes &l, Value x, ByteFormat format) {
  int shift = 23 - format.mantissa;
  Value all = l.bits(x), magnitude = l.bitAnd(all, l.integer(0x7FFFFFFF));
  Value sign = l.bitAnd(l.shiftRight(all, 24), l.integer(0x80));
  // Normal: moves the exponent, rounds the mantissa by adding just under a half, or a half if it is odd; the carry
  // goes on into the exponent as it should.
  Value isOdd = l.bitAnd(l.shiftRight(magnitude, shift), l.integer(1));
  int64_t rebias = (int64_t(format.bias) - 127) * (1 << 23) + (1 << (shift - 1)) - 1;
  Value normal = l.shiftRight(l.add(l.add(magnitude, l.integer(rebias)), isOdd), shift);
  // Denormal: added to a float whose last bit is the least denormal, x is rounded by the addition.
  int64_t magic = int64_t(127 + 23 - format.mantissa + 1 - format.bias) << 23;
  Value moved = l.add(l.fromBits(magnitude), l.fromBits(l.integer(magic)));
  Value denormal = l.sub(l.bits(moved), l.integer(magic));
  Value isDenormal = l.compare(IP::ult, magnitude, l.integer(int64_t(127 + 1 - format.bias) << 23));
  Value byte = l.select(isDenormal, denormal, normal);
  Value isTooLarge = l.compare(IP::uge, magnitude, l.integer(format.overflow));
  byte = l.select(isTooLarge, l.integer(format.infinity), byte);
  Value isNan = l.compare(IP::ugt, magnitude, l.integer(0x7F800000));
  byte = l.select(isNan, l.integer(0x7F), byte);
  return l.cast<arith::TruncIOp>(l.bitOr(byte, sign), l.b.getI8Type());
}

/// Byte -> f32; exact.
static Value fromByte(Lanes &l, Value byte, ByteFormat format) {
  int shift = 23 - format.mantissa;
  Value wide = l.cast<arith::ExtUIOp>(byte, l.b.getI32Type());
  Value magnitude = l.bitAnd(wide, l.integer(0x7F)), sign = l.shiftLeft(l.bitAnd(wide, l.integer(0x80)), 24);
  Value moved = l.shiftLeft(magnitude, shift);
  Value normal = l.add(moved, l.integer(int64_t(127 - format.bias) << 23));
  // Denormal: with the exponent of the least normal number and its leading one taken off again.
  Value least = l.integer(int64_t(127 + 1 - format.bias) << 23);
  Value denormal = l.bits(l.sub(l.fromBits(l.add(moved, least)), l.fromBits(least)));
  Value isDenormal = l.compare(IP::ult, magnitude, l.integer(1 << format.mantissa));
  Value result = l.select(isDenormal, denormal, normal);
  if (format.infinity != 0x7F) {
    Value isInfinite = l.compare(IP::eq, magnitude, l.integer(format.infinity));
    result = l.select(isInfinite, l.integer(0x7F800000), result);
  }
  Value isNan = format.infinity == 0x7F ? l.compare(IP::eq, magnitude, l.integer(0x7F))
                                        : l.compare(IP::ugt, magnitude, l.integer(format.infinity));
  result = l.select(isNan, l.integer(0x7FC00000), result);
  return l.fromBits(l.bitOr(result, sign));
}

/// f32 -> bf16, to nearest even.
static Value toBfloat(Lanes &l, Value x) {
  Value all = l.bits(x), high = l.shiftRight(all, 16);
  Value rounded = l.add(l.add(all, l.integer(0x7FFF)), l.bitAnd(high, l.integer(1)));
  Value quiet = l.bitOr(high, l.integer(0x40));
  Value result = l.select(l.isNan(x), quiet, l.shiftRight(rounded, 16));
  return l.fromBits(l.cast<arith::TruncIOp>(result, l.b.getI16Type()), l.b.getBF16Type());
}

/// f64 -> f32 such that rounding the result again, to a shorter type, is as good as rounding once: what is not exact
/// gets an odd mantissa, which no tie has.
static Value toOddSingle(Lanes &l, Value x) {
  Value nearest = l.cast<arith::TruncFOp>(x, l.b.getF32Type());
  Value back = l.cast<arith::ExtFOp>(nearest, l.b.getF64Type());
  Value isAbove = l.compare(FP::OGT, l.abs(back), l.abs(x));
  Value below = l.sub(l.bits(nearest), l.cast<arith::ExtUIOp>(isAbove, l.b.getI32Type()));
  Value odd = l.fromBits(l.bitOr(below, l.integer(1)));
  return l.select(l.compare(FP::ONE, back, x), odd, nearest);
}

/// Anything -> f32; exact.
static Value toSingle(Lanes &l, Value x) {
  Type type = getElementTypeOrSelf(x);
  if (isByteFloat(type))
    return fromByte(l, l.bits(x), ByteFormat::of(type));
  if (type.isBF16())
    return l.fromBits(l.shiftLeft(l.cast<arith::ExtUIOp>(l.bits(x), l.b.getI32Type()), 16));
  return type.isF32() ? x : l.cast<arith::ExtFOp>(x, l.b.getF32Type());
}

namespace {
/// `hasBfloat`: the processor converts between bf16 and f32, and compares bf16, itself.
template <typename OpT>
struct ConversionPattern : OpRewritePattern<OpT> {
  ConversionPattern(MLIRContext *context, bool hasBfloat) : OpRewritePattern<OpT>(context), hasBfloat(hasBfloat) {}
  bool hasBfloat;
};

struct ExpandExtension : ConversionPattern<arith::ExtFOp> {
  using ConversionPattern::ConversionPattern;
  LogicalResult matchAndRewrite(arith::ExtFOp op, PatternRewriter &rewriter) const override {
    Type from = getElementTypeOrSelf(op.getIn()), to = getElementTypeOrSelf(op.getType());
    if ((!from.isBF16() && !isByteFloat(from)) || (hasBfloat && from.isBF16() && to.isF32()))
      return rewriter.notifyMatchFailure(op, "is an instruction");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Lanes l(b, op.getType());
    Value single = toSingle(l, op.getIn());
    if (to.isF64())
      single = l.cast<arith::ExtFOp>(single, to);
    else if (to.isBF16())
      single = toBfloat(l, single);
    else if (to.isF16())
      single = l.cast<arith::TruncFOp>(single, to);
    rewriter.replaceOp(op, single);
    return success();
  }
};

struct ExpandTruncation : ConversionPattern<arith::TruncFOp> {
  using ConversionPattern::ConversionPattern;
  LogicalResult matchAndRewrite(arith::TruncFOp op, PatternRewriter &rewriter) const override {
    Type from = getElementTypeOrSelf(op.getIn()), to = getElementTypeOrSelf(op.getType());
    if (to.isF32() || (to.isF16() && from.isF32()) || (hasBfloat && to.isBF16() && from.isF32()))
      return rewriter.notifyMatchFailure(op, "is an instruction");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Lanes l(b, op.getType());
    Value single = from.isF64() ? toOddSingle(l, op.getIn()) : toSingle(l, op.getIn());
    Value result;
    if (to.isBF16())
      result = toBfloat(l, single);
    else if (isByteFloat(to))
      result = l.fromBits(toByte(l, single, ByteFormat::of(to)), to);
    else
      result = l.cast<arith::TruncFOp>(single, to);
    rewriter.replaceOp(op, result);
    return success();
  }
};

/// Integers -> bytes and bf16, rounded once.
template <typename OpT>
struct ExpandFromInteger : OpRewritePattern<OpT> {
  using OpRewritePattern<OpT>::OpRewritePattern;
  LogicalResult matchAndRewrite(OpT op, PatternRewriter &rewriter) const override {
    Type to = getElementTypeOrSelf(op.getType());
    if (!isByteFloat(to) && !to.isBF16())
      return rewriter.notifyMatchFailure(op, "LLVM knows the type");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Lanes l(b, op.getType());
    // What f32 cannot hold is beyond the range of a byte.
    if (isByteFloat(to))
      rewriter.replaceOp(op, l.fromBits(toByte(l, l.cast<OpT>(op.getIn(), b.getF32Type()), ByteFormat::of(to)), to));
    else
      rewriter.replaceOp(op, toBfloat(l, toOddSingle(l, toDouble(l, op.getIn()))));
    return success();
  }

  /// With an odd last bit where it is not exact.
  static Value toDouble(Lanes &l, Value x) {
    Value exact = l.cast<OpT>(x, l.b.getF64Type());
    if (getElementTypeOrSelf(x).getIntOrFloatBitWidth() < 64)
      return exact;
    Value isLow = l.compare(IP::ne, l.bitAnd(x, l.integer(0x7FF, 64)), l.integer(0, 64));
    Value high = l.shiftLeft(arith::ShRSIOp::create(l.b, x, l.integer(11, 64)), 1);
    Value odd = l.cast<OpT>(l.bitOr(high, l.cast<arith::ExtUIOp>(isLow, l.b.getI64Type())), l.b.getF64Type());
    Value scale = l.constant(l.b.getF64Type(), l.b.getF64FloatAttr(0x1p10));
    Value isExact = l.compare(IP::ult, l.add(x, l.integer(int64_t(1) << 53, 64)), l.integer(int64_t(1) << 54, 64));
    return l.select(isExact, exact, l.mul(odd, scale));
  }
};

/// Comparisons of bf16 and bytes are those of f32.
struct ExpandComparison : ConversionPattern<arith::CmpFOp> {
  using ConversionPattern::ConversionPattern;
  LogicalResult matchAndRewrite(arith::CmpFOp op, PatternRewriter &rewriter) const override {
    Type type = getElementTypeOrSelf(op.getLhs());
    if (!isByteFloat(type) && (hasBfloat || !type.isBF16()))
      return rewriter.notifyMatchFailure(op, "is an instruction");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Lanes l(b, op.getType());
    rewriter.replaceOp(op, l.compare(op.getPredicate(), toSingle(l, op.getLhs()), toSingle(l, op.getRhs())));
    return success();
  }
};
} // namespace

void tenon::populateConversionExpansions(RewritePatternSet &patterns, bool hasBfloat) {
  patterns.add<ExpandComparison, ExpandExtension, ExpandTruncation>(patterns.getContext(), hasBfloat);
  patterns.add<ExpandFromInteger<arith::SIToFPOp>, ExpandFromInteger<arith::UIToFPOp>>(patterns.getContext());
}
