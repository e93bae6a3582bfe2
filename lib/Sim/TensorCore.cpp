#include "lib/Sim/TensorCore.h"

#include "lib/Sim/Numbers.h"

#include <algorithm>

namespace tenon::sim {

uint32_t bitsOf(MmaType type) {
  return type == MmaType::TF32 ? 32 : type == MmaType::F16 || type == MmaType::BF16 ? 16 : 8;
}

double decode(MmaType type, uint32_t word, uint32_t index) {
  switch (type) {
  case MmaType::F16:
    return fromF16(static_cast<uint16_t>(word >> 16 * index));
  case MmaType::BF16:
    return fromBF16(static_cast<uint16_t>(word >> 16 * index));
  case MmaType::TF32:
    return asFloat(word & ~0x1FFFU);
  case MmaType::S8:
    return static_cast<int8_t>(word >> 8 * index);
  case MmaType::U8:
    return static_cast<uint8_t>(word >> 8 * index);
  case MmaType::E4M3:
    return fromE4M3(static_cast<uint8_t>(word >> 8 * index));
  case MmaType::E5M2: // the upper half of an f16
    return fromF16(static_cast<uint16_t>(word >> 8 * index << 8));
  }
  return 0;
}

/// Of sums: bits behind the point that terms keep when they are aligned, relative to the largest, and those of the
/// result.
struct SumPrecision {
  int aligned, result;
};
static constexpr SumPrecision longSums = {25, 23}, shortSums = {13, 13};

/// Of a double that is finite and no denormal; of 0 the least.
static int exponentOf(double value) { return static_cast<int>(asBits(value) >> 52 & 0x7FF) - 1023; }

static double powerOfTwo(int exponent) { return asDouble(static_cast<uint64_t>(exponent + 1023) << 52); }

/// Of the least normal number, which denormals have too.
static int leastExponent(MmaType type) {
  return type == MmaType::E4M3 ? -6 : type == MmaType::F16 || type == MmaType::E5M2 ? -14 : -126;
}

float sumOfProducts(const double *a, const double *b, MmaType typeA, MmaType typeB, uint32_t count, float c,
                    bool isShort) {
  double plain = c;
  int leastA = leastExponent(typeA), leastB = leastExponent(typeB);
  int top = c == 0 ? -2000 : std::max(exponentOf(c), -126);
  for (uint32_t k = 0; k < count; ++k) {
    plain += a[k] * b[k];
    if (a[k] * b[k] != 0)
      top = std::max(top, std::max(exponentOf(a[k]), leastA) + std::max(exponentOf(b[k]), leastB));
  }
  if (!std::isfinite(plain))
    return std::isnan(plain) ? asFloat(0x7FFFFFFF) : static_cast<float>(plain);
  if (top == -2000)
    return static_cast<float>(plain); // zeros, and the sign of their sum
  auto [aligned, kept] = isShort ? shortSums : longSums;
  int scale = aligned - top;
  double factor = powerOfTwo(scale);
  auto sum = static_cast<int64_t>(c * factor);
  for (uint32_t k = 0; k < count; ++k)
    sum += static_cast<int64_t>(a[k] * b[k] * factor);
  auto magnitude = static_cast<uint64_t>(std::abs(sum));
  int extra = 0;
  for (; magnitude >> extra >= (uint64_t{2} << kept);)
    ++extra;
  magnitude = magnitude >> extra << extra;
  double result = static_cast<double>(magnitude) * powerOfTwo(-scale);
  float rounded = result > 3.4028234663852886e38 ? INFINITY : static_cast<float>(result);
  return sum < 0 ? -rounded : rounded;
}

uint32_t sumOfIntegers(const double *a, const double *b, uint32_t count, uint32_t c, bool saturates) {
  int64_t sum = static_cast<int32_t>(c);
  for (uint32_t k = 0; k < count; ++k)
    sum += static_cast<int64_t>(a[k] * b[k]);
  if (saturates)
    sum = std::clamp<int64_t>(sum, INT32_MIN, INT32_MAX);
  return static_cast<uint32_t>(sum);
}

} // namespace tenon::sim
