// Casts between floats as compiled code does them: the same bits as LLVM's APFloat, to nearest even, for every value of
// the short types, and for f32 and f64 inputs of every exponent, on and beside each tie.
#include "test/unit/CompiledModel.h"

#include "dialects/Tenon/Tenon.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

using namespace mlir;

namespace tenon::test {
namespace {

struct Conversion {
  std::string from, to;
};

void PrintTo(const Conversion &test, std::ostream *os) { *os << test.from << " to " << test.to; }

class Conversions : public testing::TestWithParam<Conversion> {};

FloatType floatType(const std::string &name, MLIRContext *context) {
  if (name == "f64")
    return Float64Type::get(context);
  if (name == "f32")
    return Float32Type::get(context);
  if (name == "f16")
    return Float16Type::get(context);
  if (name == "bf16")
    return BFloat16Type::get(context);
  return name == "f8E5M2" ? FloatType(Float8E5M2Type::get(context)) : FloatType(Float8E4M3FNType::get(context));
}

/// All values of a type of up to 16 bits; else, for each exponent of f32 (f64: and beyond), mantissas whose bits below
/// each place are those of a tie, just below, just above, or none.
std::vector<double> valuesOf(FloatType type) {
  std::vector<double> values;
  if (type.getWidth() <= 16) {
    for (uint64_t bits = 0; bits < (uint64_t(1) << type.getWidth()); ++bits) {
      llvm::APFloat value(type.getFloatSemantics(), llvm::APInt(type.getWidth(), bits));
      bool loses;
      value.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven, &loses);
      values.push_back(value.convertToDouble());
    }
    return values;
  }
  int least = type.isF64() ? -200 : -149, most = type.isF64() ? 200 : 127;
  int width = type.isF64() ? 52 : 23;
  std::mt19937_64 random(20240607);
  for (int exponent = least; exponent <= most; ++exponent)
    for (int place = 1; place < width; ++place)
      for (int64_t beside : {-1, 0, 1}) {
        int64_t step = int64_t(1) << place, kept = (random() >> (64 - width)) & ~(step - 1);
        int64_t mantissa = (kept | step >> 1) + beside;
        double value = std::ldexp(1 + std::ldexp(double(mantissa), -width), exponent);
        values.push_back(random() & 1 ? -value : value);
      }
  double inf = INFINITY;
  values.insert(values.end(),
                {0.0, -0.0, inf, -inf, NAN, 448, 464, 464.5, 480, 57344, 61439, 61440, 65536, 65520, 3.4e38});
  return values;
}

void expectRoundsToNearestEven(const Conversion &test, const std::string &target) {
  MLIRContext context;
  FloatType from = floatType(test.from, &context), to = floatType(test.to, &context);
  ReferenceTensor input(from, {0});
  input.floats = valuesOf(from);
  input.shape = {int64_t(input.floats.size())};
  input.roundToStorage();
  std::string size = std::to_string(input.size()) + "x";
  std::string source = "tensor<" + size + test.from + ">", result = "tensor<" + size + test.to + ">";
  std::vector<ReferenceTensor> outputs =
      runCompiled("func.func @main(%x: " + source + ") -> " + result + " {\n  %y = tenon.cast %x : (" + source +
                      ") -> " + result + "\n  return %y : " + result + "\n}",
                  {input}, {}, {"graph", target});
  ASSERT_EQ(outputs.size(), 1u);
  int shown = 0;
  for (int64_t at = 0; at < input.size() && shown < 5; ++at) {
    double want = roundTo(to, input.floats[at]), have = outputs[0].floats[at];
    if ((std::isnan(want) && std::isnan(have)) || (want == have && std::signbit(want) == std::signbit(have)))
      continue;
    ADD_FAILURE() << input.floats[at] << " becomes " << have << ", expected " << want;
    ++shown;
  }
}

TEST_P(Conversions, RoundsToNearestEven) { expectRoundsToNearestEven(GetParam(), "cpu"); }

TEST_P(Conversions, RoundsToNearestEvenOnHaswell) {
  if (!runsHaswell())
    GTEST_SKIP() << "this machine has no AVX2";
  expectRoundsToNearestEven(GetParam(), "cpu:haswell");
}

std::vector<Conversion> all() {
  std::vector<Conversion> conversions;
  for (const char *from : {"f64", "f32", "f16", "bf16", "f8E4M3FN", "f8E5M2"})
    for (const char *to : {"f64", "f32", "f16", "bf16", "f8E4M3FN", "f8E5M2"})
      if (std::string(from) != to)
        conversions.push_back({from, to});
  return conversions;
}

INSTANTIATE_TEST_SUITE_P(Compile, Conversions, testing::ValuesIn(all()),
                         [](const auto &info) { return info.param.from + "_to_" + info.param.to; });

} // namespace
} // namespace tenon::test
