// The elementary functions as compiled code computes them in f32, over the whole range of arguments, against f64: each
// keeps the bound that lib/Arithmetic/MathPolynomials.h states.
#include "test/unit/CompiledModel.h"

#include "llvm/ADT/bit.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

using namespace mlir;

namespace tenon::test {
namespace {

struct Function {
  const char *name; // of the op in dialect math
  double (*exact)(double);
  double bound;            // units of the last place of the result
  double flushedBelow = 0; // results of a smaller magnitude may be 0
  std::vector<double> special = {};
};

void PrintTo(const Function &test, std::ostream *os) { *os << test.name; }

class MathFunctions : public testing::TestWithParam<Function> {};

/// About a million floats: of every exponent and sign, denormals included, and all those around 0 of the integers'
/// neighbours and of the special arguments.
std::vector<double> arguments(const std::vector<double> &special) {
  std::vector<double> values;
  auto add = [&](uint32_t bits) { values.push_back(llvm::bit_cast<float>(bits)); };
  // A prime step: mantissas differ from exponent to exponent. MATH_STEP=1 tries every float there is.
  const char *given = std::getenv("MATH_STEP");
  uint64_t step = given ? std::max(std::atoll(given), 1LL) : 4999;
  for (uint64_t bits = 0; bits < uint64_t(1) << 32; bits += step)
    add(bits);
  std::vector<double> around = special;
  for (double value : {0.0, -0.0, 0.35, 0.5, 0.70710678, 1.0, 1.41421356, 2.0, 3.8, 4.0, 9.0, 88.72284, 87.0, 103.97})
    around.insert(around.end(), {value, -value});
  for (double value : around) {
    float middle = float(value);
    auto bits = llvm::bit_cast<uint32_t>(middle);
    for (int beside = -64; beside <= 64; ++beside)
      if (std::isfinite(middle) && (bits & 0x7FFFFFFF) >= 64)
        add(bits + beside);
  }
  values.insert(values.end(), {0.0, -0.0, INFINITY, -INFINITY, NAN, 0x1p-149, -0x1p-149, 0x1.fffffep127});
  return values;
}

/// The distance in units of the last place of `want` as an f32.
double distance(double have, double want) {
  int exponent = want == 0 ? -126 : std::max(std::ilogb(want), -126);
  return std::fabs(have - want) / std::ldexp(1.0, exponent - 23);
}

bool isGood(const Function &test, double have, double want) {
  if (std::isnan(want))
    return std::isnan(have);
  if (want == 0 && !(have == 0 && std::signbit(have) == std::signbit(want)))
    return false;
  if (have == 0 && std::fabs(want) < test.flushedBelow)
    return true;
  // Where f32 overflows, the largest number is as far from infinity as the next power of two.
  if (std::isinf(have))
    have = std::copysign(0x1p128, have);
  if (std::fabs(want) > 0x1p128)
    want = std::copysign(0x1p128, want);
  return distance(have, want) <= test.bound;
}

void expectKeepsItsBound(const Function &test, const std::string &target) {
  MLIRContext context;
  ReferenceTensor input(Float32Type::get(&context), {0});
  input.floats = arguments(test.special);
  input.shape = {int64_t(input.floats.size())};
  std::string type = "tensor<" + std::to_string(input.size()) + "xf32>";
  std::string text = R"(
    func.func @main(%x: TYPE) -> TYPE {
      %y = tenon.kernel @function(%X = %x) : (TYPE) -> TYPE {
        %like = tensor.empty() : TYPE
        %r = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
            ins(%X : TYPE) outs(%like : TYPE) {
        ^bb0(%a: f32, %b: f32):
          %v = math.NAME %a : f32
          linalg.yield %v : f32
        } -> TYPE
        tenon.yield %r : TYPE
      }
      return %y : TYPE
    })";
  auto replace = [&](const std::string &what, const std::string &by) {
    for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
      text.replace(at, what.size(), by);
  };
  replace("TYPE", type);
  replace("NAME", test.name);
  std::vector<ReferenceTensor> outputs = runCompiled(text, {input}, {}, {"cpu", target});
  ASSERT_EQ(outputs.size(), 1u);
  int shown = 0;
  double worst = 0;
  for (int64_t at = 0; at < input.size() && shown < 5; ++at) {
    double x = input.floats[at], want = test.exact(x), have = outputs[0].floats[at];
    if (std::isfinite(want) && std::isfinite(have) && std::fabs(want) >= test.flushedBelow)
      worst = std::max(worst, distance(have, want));
    if (isGood(test, have, want))
      continue;
    ADD_FAILURE() << test.name << "(" << x << ") is " << have << ", expected " << want << ": " << distance(have, want)
                  << " units off";
    ++shown;
  }
  std::printf("%s: at most %.3f units of the last place\n", test.name, worst);
}

TEST_P(MathFunctions, KeepsItsBound) { expectKeepsItsBound(GetParam(), "cpu"); }

TEST_P(MathFunctions, KeepsItsBoundOnHaswell) {
  if (!runsHaswell())
    GTEST_SKIP() << "this machine has no AVX2";
  expectKeepsItsBound(GetParam(), "cpu:haswell");
}

const Function functions[] = {
    {"exp", std::exp, 1.0, 0x1p-125, {-87.5, -86.99, 88.38}},
    {"exp2", std::exp2, 1.0, 0x1p-125, {-126, -125.5, 127.5, 128}},
    {"expm1", std::expm1, 1.6, 0, {-17.33, 0.3466, 88.38}},
    {"log", std::log, 1.0},
    {"log2", std::log2, 1.5},
    {"log1p", std::log1p, 1.6},
    {"tanh", std::tanh, 2.5, 0, {9.011, 0.1733}},
    {"erf", std::erf, 4.0, 0, {3.92}},
};

INSTANTIATE_TEST_SUITE_P(Compile, MathFunctions, testing::ValuesIn(functions),
                         [](const auto &info) { return info.param.name; });

} // namespace
} // namespace tenon::test
