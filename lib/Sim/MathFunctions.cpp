// The library functions of the device, which are those of the host here: correct to an ulp or two as the device's are,
// but not bit by bit.
#include "lib/Sim/DeviceFunctions.h"
#include "lib/Sim/Numbers.h"

#include <cmath>
#include <cstring>

namespace tenon::sim {
namespace {

using F32 = float (*)(float);
using F32x2 = float (*)(float, float);
using F64 = double (*)(double);
using F64x2 = double (*)(double, double);

float rsqrtF32(float x) { return static_cast<float>(1 / std::sqrt(static_cast<double>(x))); }
double rsqrtF64(double x) { return 1 / std::sqrt(x); }
float exp10F32(float x) { return static_cast<float>(std::pow(10.0, static_cast<double>(x))); }
double exp10F64(double x) { return std::pow(10.0, x); }
float reciprocalF32(float x) { return 1 / x; }
float divideF32(float x, float y) { return x / y; }
float fmaF32(float x, float y, float z) { return std::fma(x, y, z); }
double fmaF64(double x, double y, double z) { return std::fma(x, y, z); }

/// What code generation calls for conversions; a 16-bit float travels in the low half of an SSE register.
float truncateToF16(float x) { return asFloat(toF16(static_cast<double>(x))); }
float truncateF64ToF16(double x) { return asFloat(toF16(x)); }
float extendF16(float x) { return fromF16(static_cast<uint16_t>(asBits(x))); }
float truncateToBF16(float x) { return asFloat(toBF16(x)); }
uint16_t bitsOfBF16(double x) {
  // To odd first, so that the second rounding sees what was cut off.
  auto single = static_cast<float>(x);
  if (std::isfinite(single) && static_cast<double>(single) != x && !(asBits(single) & 1))
    single = std::nextafter(single, x > static_cast<double>(single) ? INFINITY : -INFINITY);
  return toBF16(single);
}
float truncateF64ToBF16(double x) { return asFloat(bitsOfBF16(x)); }

/// llvm.frem, for which the host's code generation calls fmod and a GPU's writes these four instructions: not exact,
/// and an infinity where the quotient is one. (__nv_fmod is exact.)
template <typename Number>
Number remainder(Number x, Number y) {
  return std::isinf(y) ? x : std::fma(-std::trunc(x / y), y, x);
}

/// fma.rn.bf16 of numbers that are bf16. Their product is exact in f64; the sum is rounded to odd there.
uint32_t fmaBF16(float x, float y, float z, uint32_t) {
  double product = static_cast<double>(x) * static_cast<double>(y), addend = static_cast<double>(z);
  double sum = product + addend, kept = sum - product;
  double rest = (product - (sum - kept)) + (addend - kept); // what the sum lacks, exactly
  if (std::isfinite(rest) && rest != 0 && !(asBits(sum) & 1))
    sum = std::nextafter(sum, rest > 0 ? HUGE_VAL : -HUGE_VAL);
  return bitsOfBF16(sum);
}

/// ex2.approx.ftz: denormals count as 0, on either side.
float exp2Approximate(float x, uint32_t) {
  float result = std::exp2(std::fabs(x) < 0x1p-126F ? 0.0F : x);
  return result < 0x1p-126F ? 0.0F : result;
}
/// rcp.approx.ftz: the same.
float reciprocalApproximate(float x, uint32_t) {
  float result = 1 / (std::fabs(x) < 0x1p-126F ? std::copysign(0.0F, x) : x);
  return std::fabs(result) < 0x1p-126F ? std::copysign(0.0F, result) : result;
}
float tanhApproximate(float x, uint32_t) { return std::tanh(x); }

/// cvt.tf32.f32: to 10 bits, to nearest even (0), to nearest away from zero (1) or towards it (2). NaN as an H200 has
/// it.
uint32_t convertToTF32(float x, uint32_t rounding, uint32_t) {
  constexpr uint32_t cut = 13, half = 1U << (cut - 1);
  if (rounding == 0 || (rounding == 2 && std::isnan(x)))
    return toTF32(x);
  uint32_t bits = asBits(x);
  if (rounding == 1 && !std::isnan(x))
    bits += half;
  return bits >> cut << cut;
}

/// cvt.rn.satfinite.e4m3x2.f32, or e5m2x2: the first of two is the upper byte.
uint32_t toFloat8s(float high, float low, uint32_t isE5M2, uint32_t) {
  auto convert = isE5M2 ? toE5M2 : toE4M3;
  return uint32_t{convert(high)} << 8 | convert(low);
}

/// cvt.rn.f16x2.e4m3x2, or e5m2x2.
uint32_t widenFloat8s(uint32_t pair, uint32_t isE5M2, uint32_t) {
  auto widen = [&](uint8_t bits) -> uint32_t { return toF16(isE5M2 ? fromE5M2(bits) : fromE4M3(bits)); };
  return widen(uint8_t(pair >> 8)) << 16 | widen(uint8_t(pair));
}

} // namespace

void addMathFunctions(std::vector<DeviceFunction> &table) {
  table.insert(table.end(), {
                                deviceFunction("tenon_sim_ex2", exp2Approximate),
                                deviceFunction("tenon_sim_rcp", reciprocalApproximate),
                                deviceFunction("tenon_sim_tanh", tanhApproximate),
                                deviceFunction("tenon_sim_tf32", convertToTF32),
                                deviceFunction("tenon_sim_float8s", toFloat8s),
                                deviceFunction("tenon_sim_widen_float8s", widenFloat8s),
                                deviceFunction("tenon_sim_fma_bf16", fmaBF16),
                                deviceFunction("__truncsfhf2", truncateToF16),
                                deviceFunction("__truncdfhf2", truncateF64ToF16),
                                deviceFunction("__extendhfsf2", extendF16),
                                deviceFunction("__truncsfbf2", truncateToBF16),
                                deviceFunction("__truncdfbf2", truncateF64ToBF16),
                                deviceFunction("fmodf", static_cast<F32x2>(remainder<float>)),
                                deviceFunction("fmod", static_cast<F64x2>(remainder<double>)),
                                deviceFunction("__nv_rsqrtf", rsqrtF32),
                                deviceFunction("__nv_rsqrt", rsqrtF64),
                                deviceFunction("__nv_exp10f", exp10F32),
                                deviceFunction("__nv_exp10", exp10F64),
                                deviceFunction("__nv_fmaf", fmaF32),
                                deviceFunction("__nv_fma", fmaF64),
                                deviceFunction("__nv_frcp_rn", reciprocalF32),
                                deviceFunction("__nv_fdividef", divideF32),
                                deviceFunction("__nv_fast_fdividef", divideF32),
                            });
#define UNARY(name, function)                                                                                          \
  table.push_back(deviceFunction("__nv_" #name "f", static_cast<F32>(function)));                                      \
  table.push_back(deviceFunction("__nv_" #name, static_cast<F64>(function)));
#define BINARY(name, function)                                                                                         \
  table.push_back(deviceFunction("__nv_" #name "f", static_cast<F32x2>(function)));                                    \
  table.push_back(deviceFunction("__nv_" #name, static_cast<F64x2>(function)));
  UNARY(exp, std::exp)
  UNARY(exp2, std::exp2)
  UNARY(expm1, std::expm1)
  UNARY(log, std::log)
  UNARY(log2, std::log2)
  UNARY(log10, std::log10)
  UNARY(log1p, std::log1p)
  UNARY(sqrt, std::sqrt)
  UNARY(cbrt, std::cbrt)
  UNARY(sin, std::sin)
  UNARY(cos, std::cos)
  UNARY(tan, std::tan)
  UNARY(asin, std::asin)
  UNARY(acos, std::acos)
  UNARY(atan, std::atan)
  UNARY(sinh, std::sinh)
  UNARY(cosh, std::cosh)
  UNARY(tanh, std::tanh)
  UNARY(asinh, std::asinh)
  UNARY(acosh, std::acosh)
  UNARY(atanh, std::atanh)
  UNARY(erf, std::erf)
  UNARY(erfc, std::erfc)
  UNARY(fabs, std::fabs)
  UNARY(floor, std::floor)
  UNARY(ceil, std::ceil)
  UNARY(trunc, std::trunc)
  UNARY(round, std::round)
  UNARY(rint, std::nearbyint)
  BINARY(pow, std::pow)
  BINARY(atan2, std::atan2)
  BINARY(fmod, std::fmod)
  BINARY(fmin, std::fmin)
  BINARY(fmax, std::fmax)
  BINARY(copysign, std::copysign)
#undef UNARY
#undef BINARY
  for (auto [fast, exact] : {std::pair("__nv_fast_expf", static_cast<F32>(std::exp)),
                             std::pair("__nv_fast_exp2f", static_cast<F32>(std::exp2)),
                             std::pair("__nv_fast_logf", static_cast<F32>(std::log)),
                             std::pair("__nv_fast_log2f", static_cast<F32>(std::log2)),
                             std::pair("__nv_fast_log10f", static_cast<F32>(std::log10)),
                             std::pair("__nv_fast_sinf", static_cast<F32>(std::sin)),
                             std::pair("__nv_fast_cosf", static_cast<F32>(std::cos)),
                             std::pair("__nv_fast_tanf", static_cast<F32>(std::tan)),
                             std::pair("__nv_fast_tanhf", static_cast<F32>(std::tanh))})
    table.push_back(deviceFunction(fast, exact));
  table.push_back(deviceFunction("__nv_fast_powf", static_cast<F32x2>(std::pow)));
}

} // namespace tenon::sim
