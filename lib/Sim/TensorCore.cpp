#include "lib/Sim/TensorCore.h"

#include "lib/Sim/Numbers.h"

#include <algorithm>

namespace tenon::sim {

uint32_t bitsOf(MmaType type) {
  return type == MmaType::TF32 ? 32 : type == MmaType::S8 || type == MmaType::U8 ? 8 : 16;
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
  }
  return 0;
}

/// Bits below the last of f32 that terms keep when they are aligned.
static constexpr int guardBits = 2;

/// Of a number as the format has it: denormals have the exponent of the least normal number.
static int exponentOf(double value, MmaType type) {
  int least = type == MmaType::F16 ? -14 : -126;
  return value == 0 ? least : std::max(std::ilogb(value), least);
}

float sumOfProducts(const double *a, const double *b, MmaType type, uint32_t count, float c) {
  double plain = c;
  int top = c == 0 ? -2000 : std::max(std::ilogb(c), -126);
  for (uint32_t k = 0; k < count; ++k) {
    plain += a[k] * b[k];
    if (a[k] * b[k] != 0)
      top = std::max(top, exponentOf(a[k], type) + exponentOf(b[k], type));
  }
  if (!std::isfinite(plain))
    return std::isnan(plain) ? asFloat(0x7FFFFFFF) : static_cast<float>(plain);
  if (top == -2000)
    return static_cast<float>(plain); // zeros, and the sign of their sum
  int scale = 23 + guardBits - top;
  auto sum = static_cast<int64_t>(std::ldexp(static_cast<double>(c), scale));
  for (uint32_t k = 0; k < count; ++k)
    sum += static_cast<int64_t>(std::ldexp(a[k] * b[k], scale));
  auto magnitude = static_cast<uint64_t>(std::abs(sum));
  int extra = 0;
  for (; magnitude >> extra >= (uint64_t{1} << 24);)
    ++extra;
  magnitude = magnitude >> extra << extra;
  double result = std::ldexp(static_cast<double>(magnitude), -scale);
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
