// The short floats of the device as bits, and their rounding.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

namespace tenon::sim {

/// Of C++20, where it is std::bit_cast.
template <typename To, typename From>
To bitCast(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}

inline float asFloat(uint32_t bits) { return bitCast<float>(bits); }
inline uint32_t asBits(float value) { return bitCast<uint32_t>(value); }
inline double asDouble(uint64_t bits) { return bitCast<double>(bits); }
inline uint64_t asBits(double value) { return bitCast<uint64_t>(value); }

inline float fromBF16(uint16_t bits) { return asFloat(uint32_t{bits} << 16); }

inline float fromF16(uint16_t bits) {
  uint32_t exponent = bits >> 10 & 31, fraction = bits & 1023;
  float magnitude = exponent == 31  ? (fraction ? NAN : INFINITY)
                    : exponent == 0 ? std::ldexp(static_cast<float>(fraction), -24)
                                    : std::ldexp(static_cast<float>(fraction | 1024), static_cast<int>(exponent) - 25);
  return bits >> 15 ? -magnitude : magnitude;
}

/// No infinities; all bits set are NaN.
inline float fromE4M3(uint8_t bits) {
  uint32_t exponent = bits >> 3 & 15, fraction = bits & 7;
  float magnitude = (bits & 0x7F) == 0x7F ? NAN
                    : exponent == 0 ? std::ldexp(static_cast<float>(fraction), -9)
                                    : std::ldexp(static_cast<float>(fraction | 8), static_cast<int>(exponent) - 10);
  return bits >> 7 ? -magnitude : magnitude;
}

/// The upper half of an f16.
inline float fromE5M2(uint8_t bits) { return fromF16(static_cast<uint16_t>(bits << 8)); }

/// An 8-bit float to nearest even, with the largest finite number for all that are larger; NaN is the device's 0x7F.
/// `least`: the exponent of denormals.
inline uint8_t toFloat8(float value, int mantissaBits, int least, float largest) {
  if (std::isnan(value))
    return 0x7F;
  float magnitude = std::fmin(std::fabs(value), largest);
  int exponent = magnitude < std::ldexp(1.0F, least) ? least : std::ilogb(magnitude);
  auto units = static_cast<uint32_t>(std::nearbyint(std::ldexp(magnitude, mantissaBits - exponent)));
  uint32_t bits = units + (static_cast<uint32_t>(exponent - least) << mantissaBits);
  return static_cast<uint8_t>(bits | (std::signbit(value) ? 0x80 : 0));
}
inline uint8_t toE4M3(float value) { return toFloat8(value, 3, -6, 448); }
inline uint8_t toE5M2(float value) { return toFloat8(value, 2, -14, 57344); }

/// To the 11 bits of tf32, as an f32, to nearest even; NaN is the device's 0x7FFFE000.
inline uint32_t toTF32(float value) {
  uint32_t bits = asBits(value);
  return std::isnan(value) ? 0x7FFFE000 : (bits + 0xFFF + (bits >> 13 & 1)) & ~0x1FFFU;
}

/// To nearest even; NaN is the device's 0x7FFF.
inline uint16_t toBF16(float value) {
  if (std::isnan(value))
    return 0x7FFF;
  uint32_t bits = asBits(value);
  return static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

/// To nearest even; NaN is the device's 0x7FFF. From double, so that f64 is rounded once.
inline uint16_t toF16(double value) {
  if (std::isnan(value))
    return 0x7FFF;
  uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  double magnitude = std::fabs(value);
  if (magnitude >= 65520)
    return sign | 0x7C00;
  int exponent = magnitude < 0x1p-14 ? -14 : std::ilogb(magnitude);
  auto units = static_cast<uint32_t>(std::nearbyint(std::ldexp(magnitude, 10 - exponent))); // 1024 units are one power
  return static_cast<uint16_t>(sign | (units + (static_cast<uint32_t>(exponent + 14) << 10)));
}

} // namespace tenon::sim
