// Small models through the whole compiler, on this machine, against the float64 reference.
#include "lib/Compiler/CodeGeneration.h"
#include "lib/Runtime/HostFeatures.h"
#include "test/unit/CompiledModel.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tenon::test {
namespace {

const double ulp = 0x1p-24;

class CompiledModel : public testing::TestWithParam<ModelCase> {};

TEST_P(CompiledModel, MatchesTheReference) { expectMatchesReference(GetParam()); }

TEST_P(CompiledModel, MatchesTheReferenceOnHaswell) {
  if (!runsHaswell())
    GTEST_SKIP() << "this machine has no AVX2";
  expectMatchesReference(GetParam(), {"graph", "cpu:haswell"});
}

TEST(CpuTarget, RequiresOnlyWhatTheRuntimeCanCheckFor) {
  for (const char *name : {"cpu", "cpu:haswell", "cpu:skylake-avx512", "cpu:znver5"}) {
    auto target = CpuTarget::parse(name);
    ASSERT_TRUE(target.ok()) << target.status().message();
    for (const std::string &feature : target->requiredFeatures())
      EXPECT_EQ(hostFeatures().count(feature), 1u) << name << " needs " << feature;
  }
}

/// @main of static arguments: `types` of %0, %1, ..; `op` without its types.
std::string attention(const std::string &op, std::vector<std::string> types, const std::string &result) {
  std::string signature, operands;
  for (size_t index = 0; index < types.size(); ++index) {
    signature += (index ? ", %" : "%") + std::to_string(index) + ": " + types[index];
    operands += (index ? ", " : "") + types[index];
  }
  return "func.func @main(" + signature + ") -> " + result + " {\n  %r = tenon.attention " + op + " : (" + operands +
         ") -> " + result + "\n  return %r : " + result + "\n}";
}

/// Key 2 of every row is hidden, and all keys of query 1.
void hideKeys(unsigned index, ReferenceTensor &tensor) {
  if (index != 3)
    return;
  int64_t numKeys = tensor.shape.back();
  for (int64_t at = 0; at < tensor.size(); ++at) {
    bool hidden = at % numKeys == 2 || at / numKeys % tensor.shape[tensor.rank() - 2] == 1;
    if (tensor.isFloat())
      tensor.floats[at] = hidden ? -INFINITY : tensor.floats[at];
    else
      tensor.integers[at] = !hidden;
  }
}

/// As above, and what is hidden is NaN or infinite.
void hidePoison(unsigned index, ReferenceTensor &tensor) {
  hideKeys(index, tensor);
  int64_t width = tensor.shape.back();
  if (index == 1 || index == 2)
    for (int64_t at = 2 * width; at < 3 * width; ++at)
      tensor.floats[at] = index == 1 ? NAN : INFINITY;
}

const ModelCase cases[] = {
    {"softmax_linear_gelu_select",
     R"(
       module attributes {tenon.dim_bounds = {n = array<i64: 0, 64>}} {
         func.func @main(%x: tensor<?x8xf32> {tenon.dims = ["n", ""]}, %m: tensor<?x8xi1> {tenon.dims = ["n", ""]})
             -> (tensor<?x16xf32>, tensor<?x8xf32>) {
           %w = tenon.weight "w" : tensor<16x8xf32>
           %0 = tenon.softmax %x {axis = 1} : (tensor<?x8xf32>) -> tensor<?x8xf32>
           %1 = tenon.linear %0, %w : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
           %2 = tenon.gelu %1 : (tensor<?x16xf32>) -> tensor<?x16xf32>
           %3 = tenon.select %m, %x, %0 : (tensor<?x8xi1>, tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
           return %2, %3 : tensor<?x16xf32>, tensor<?x8xf32>
         }
       })",
     {{"n", 5}},
     8 * ulp},
    {"cumsum_bf16",
     R"(
       func.func @main(%x: tensor<5x6xbf16>) -> tensor<5x6xbf16> {
         %y = tenon.cumsum %x {axis = 0} : (tensor<5x6xbf16>) -> tensor<5x6xbf16>
         return %y : tensor<5x6xbf16>
       })",
     {},
     16 * ulp},
    {"avg_pool_windows_are_no_rows", // its input is read at p * stride + w
     R"(
       func.func @main(%x: tensor<2x3x7x9xf32>) -> tensor<2x3x4x4xf32> {
         %r = tenon.avg_pool %x {window = array<i64: 2, 3>, stride = array<i64: 2, 2>, padding = array<i64: 1, 0>}
             : (tensor<2x3x7x9xf32>) -> tensor<2x3x4x4xf32>
         return %r : tensor<2x3x4x4xf32>
       })",
     {},
     8 * ulp},
    {"attention_grouped_heads_causal_more_keys",
     attention("%0, %1, %2 {causal}", {"tensor<2x4x3x8xf32>", "tensor<2x2x5x8xf32>", "tensor<2x2x5x6xf32>"},
               "tensor<2x4x3x6xf32>"),
     {},
     32 * ulp},
    {"attention_causal_fewer_keys_than_queries",
     attention("%0, %1, %2 {causal, scale = 0.25 : f64}",
               {"tensor<1x2x5x8xf32>", "tensor<1x2x3x8xf32>", "tensor<1x2x3x8xf32>"}, "tensor<1x2x5x8xf32>"),
     {},
     32 * ulp},
    {"attention_window",
     attention("%0, %1, %2 {causal, window = 2}", {"tensor<1x2x6x8xf32>", "tensor<1x1x6x8xf32>", "tensor<1x1x6x8xf32>"},
               "tensor<1x2x6x8xf32>"),
     {},
     32 * ulp},
    {"attention_boolean_mask_and_poison",
     attention("%0, %1, %2 mask(%3)",
               {"tensor<1x1x3x8xf32>", "tensor<1x1x5x8xf32>", "tensor<1x1x5x8xf32>", "tensor<1x1x3x5xi1>"},
               "tensor<1x1x3x8xf32>"),
     {},
     32 * ulp,
     2,
     hidePoison},
    {"attention_additive_mask_broadcast",
     attention("%0, %1, %2 mask(%3)",
               {"tensor<2x3x4x8xf32>", "tensor<2x3x5x8xf32>", "tensor<2x3x5x8xf32>", "tensor<2x1x4x5xf32>"},
               "tensor<2x3x4x8xf32>"),
     {},
     32 * ulp,
     2,
     hideKeys},
    {"attention_bf16",
     attention("%0, %1, %2 mask(%3)",
               {"tensor<1x2x4x8xbf16>", "tensor<1x2x5x8xbf16>", "tensor<1x2x5x8xbf16>", "tensor<4x5xbf16>"},
               "tensor<1x2x4x8xbf16>"),
     {},
     32 * ulp,
     2,
     hideKeys},
    {"attention_soft_cap",
     attention("%0, %1, %2 mask(%3) {soft_cap = 0.5 : f64}",
               {"tensor<2x3x4x8xf32>", "tensor<2x3x5x8xf32>", "tensor<2x3x5x8xf32>", "tensor<2x1x4x5xf32>"},
               "tensor<2x3x4x8xf32>"),
     {},
     32 * ulp,
     2,
     hideKeys},
    {"attention_f64",
     attention("%0, %1, %2", {"tensor<1x2x4x8xf64>", "tensor<1x2x5x8xf64>", "tensor<1x2x5x8xf64>"},
               "tensor<1x2x4x8xf64>"),
     {},
     32 * 0x1p-53},
};

INSTANTIATE_TEST_SUITE_P(Compile, CompiledModel, testing::ValuesIn(cases),
                         [](const auto &info) { return info.param.name; });

} // namespace
} // namespace tenon::test
