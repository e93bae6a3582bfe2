// The short floats of the simulator against LLVM's APFloat: every value back to its bits, and numbers on and beside the
// middle between two.
#include "lib/Sim/Numbers.h"

#include "llvm/ADT/APFloat.h"

#include <gtest/gtest.h>

using llvm::APFloat;

namespace tenon::sim {
namespace {

struct Float8 {
  const char *name;
  const llvm::fltSemantics &semantics;
  uint8_t (*convert)(float);
  float (*widen)(uint8_t);
};

class Floats8 : public testing::TestWithParam<Float8> {};

float valueOf(const llvm::fltSemantics &semantics, unsigned bits) {
  return APFloat(semantics, llvm::APInt(8, bits)).convertToFloat();
}

TEST_P(Floats8, ValuesKeepTheirBits) {
  for (unsigned bits = 0; bits < 256; ++bits)
    if (APFloat value(GetParam().semantics, llvm::APInt(8, bits)); value.isFinite())
      EXPECT_EQ(GetParam().convert(value.convertToFloat()), bits);
}

TEST_P(Floats8, F16HasEveryValue) {
  for (unsigned bits = 0; bits < 256; ++bits) {
    float value = GetParam().widen(static_cast<uint8_t>(bits)), expected = valueOf(GetParam().semantics, bits);
    EXPECT_TRUE(value == expected || (std::isnan(value) && std::isnan(expected))) << bits;
    EXPECT_EQ(std::signbit(value), std::signbit(expected)) << bits;
    EXPECT_TRUE(std::isnan(value) || fromF16(toF16(value)) == value) << bits;
  }
}

TEST_P(Floats8, TiesGoToEvenAndOthersToTheNearest) {
  for (unsigned bits = 0; APFloat(GetParam().semantics, llvm::APInt(8, bits + 1)).isFinite(); ++bits) {
    float middle = (valueOf(GetParam().semantics, bits) + valueOf(GetParam().semantics, bits + 1)) / 2;
    EXPECT_EQ(GetParam().convert(middle), bits + (bits & 1)) << middle;
    EXPECT_EQ(GetParam().convert(std::nextafter(middle, 0.0F)), bits) << middle;
    EXPECT_EQ(GetParam().convert(std::nextafter(-middle, -INFINITY)), (bits + 1) | 0x80) << middle;
  }
}

TEST_P(Floats8, WhatIsTooLargeBecomesTheLargest) {
  auto largest = static_cast<unsigned>(APFloat::getLargest(GetParam().semantics).bitcastToAPInt().getZExtValue());
  for (float value : {1e6F, 3e38F, INFINITY}) {
    EXPECT_EQ(GetParam().convert(value), largest);
    EXPECT_EQ(GetParam().convert(-value), largest | 0x80);
  }
  EXPECT_EQ(GetParam().convert(NAN), 0x7F);
  EXPECT_EQ(GetParam().convert(-NAN), 0x7F);
}

INSTANTIATE_TEST_SUITE_P(Formats, Floats8,
                         testing::Values(Float8{"E4M3", APFloat::Float8E4M3FN(), toE4M3, fromE4M3},
                                         Float8{"E5M2", APFloat::Float8E5M2(), toE5M2, fromE5M2}),
                         [](const auto &info) { return info.param.name; });

} // namespace
} // namespace tenon::sim
