// The paths of kernels that have no good form, with every kernel sent down them. On the CPU: phase cpu without its
// emitters, so that all becomes bufferized scalar loops with temporaries in the scratch memory. On a GPU: one thread an
// element; its threads run here one after the other.
#include "test/unit/CompiledModel.h"
#include "test/unit/ThreadsOnCpu.h"

#include "lib/Pipelines/Phases.h"

#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

using namespace mlir;

namespace tenon::test {
namespace {

const double ulp = 0x1p-24;

/// The model after a phase cpu that emits no vectors.
std::string onGeneralPath(const std::string &text) {
  DialectRegistry registry;
  registerDialects(registry);
  MLIRContext context(registry);
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
  EXPECT_TRUE(succeeded(runPasses(
      *module, "tenon-phases{from=graph to=kernel}, tenon-resolve-sizes, tenon-cpu-outline-kernels, canonicalize, cse, "
               "tenon-expand-attention, tenon-cpu-lower-to-loops, canonicalize, cse, tenon-verify-cpu")));
  std::string lowered;
  llvm::raw_string_ostream(lowered) << *module;
  return lowered;
}

class GeneralPath : public testing::TestWithParam<ModelCase> {};

TEST_P(GeneralPath, MatchesTheReference) { expectMatchesReference(GetParam(), {"llvm", "cpu", onGeneralPath}); }
TEST_P(GeneralPath, MatchesTheReferenceOnThreads) { expectMatchesReference(GetParam(), {"llvm", "cpu", onThreads}); }

const ModelCase cases[] = {
    {"contractions",
     R"(
       func.func @main(%x: tensor<3x8xf32>, %b: tensor<5xf32>, %i: tensor<1x4x6x5xf32>, %w: tensor<6x2x3x2xf32>)
           -> (tensor<3x5xf32>, tensor<1x6x3x4xf32>) {
         %v = tenon.weight "v" : tensor<5x8xf32>
         %0 = tenon.linear %x, %v, %b : (tensor<3x8xf32>, tensor<5x8xf32>, tensor<5xf32>) -> tensor<3x5xf32>
         %1 = tenon.convolution %i, %w {stride = array<i64: 2, 1>, padding = array<i64: 1, 0>,
                                        dilation = array<i64: 1, 1>, groups = 2 : i64}
             : (tensor<1x4x6x5xf32>, tensor<6x2x3x2xf32>) -> tensor<1x6x3x4xf32>
         return %0, %1 : tensor<3x5xf32>, tensor<1x6x3x4xf32>
       })",
     {},
     64 * ulp},
    {"attention_of_views",
     R"(
       module attributes {tenon.dim_bounds = {b = array<i64: 1, 4>, s = array<i64: 1, 16>}} {
         func.func @main(%x: tensor<?x?x24xf32> {tenon.dims = ["b", "s", ""]}, %m: tensor<?x?xi1> {tenon.dims = ["b", "s"]})
             -> tensor<?x?x8xf32> {
           %b = tenon.dim %x {axis = 0} : (tensor<?x?x24xf32>) -> tensor<i64>
           %s = tenon.dim %x {axis = 1} : (tensor<?x?x24xf32>) -> tensor<i64>
           %q, %k, %v = tenon.split %x {axis = 2, sizes = array<i64: 8, 8, 8>}
               : (tensor<?x?x24xf32>) -> (tensor<?x?x8xf32>, tensor<?x?x8xf32>, tensor<?x?x8xf32>)
           %q4 = tenon.reshape %q, %b, %s : (tensor<?x?x8xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x2x4xf32>
           %k4 = tenon.reshape %k, %b, %s : (tensor<?x?x8xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x2x4xf32>
           %v4 = tenon.reshape %v, %b, %s : (tensor<?x?x8xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x2x4xf32>
           %qt = tenon.transpose %q4 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x4xf32>) -> tensor<?x2x?x4xf32>
           %kt = tenon.transpose %k4 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x4xf32>) -> tensor<?x2x?x4xf32>
           %vt = tenon.transpose %v4 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x4xf32>) -> tensor<?x2x?x4xf32>
           %m4 = tenon.reshape %m, %b, %s : (tensor<?x?xi1>, tensor<i64>, tensor<i64>) -> tensor<?x1x1x?xi1>
           %a = tenon.attention %qt, %kt, %vt mask(%m4) {causal}
               : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x1x1x?xi1>) -> tensor<?x2x?x4xf32>
           %t = tenon.transpose %a {permutation = array<i64: 0, 2, 1, 3>} : (tensor<?x2x?x4xf32>) -> tensor<?x?x2x4xf32>
           %r = tenon.reshape %t, %b, %s : (tensor<?x?x2x4xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x8xf32>
           return %r : tensor<?x?x8xf32>
         }
       })",
     {{"b", 2}, {"s", 7}},
     32 * ulp},
    // Scores of 50 and -50: an f32 has no e^-100, and an infinite value has a weight all the same.
    {"attention_of_infinities_far_below",
     R"(
       func.func @main(%q: tensor<1x2x3x4xbf16>, %k: tensor<1x1x6x4xbf16>, %v: tensor<1x1x6x5xbf16>) -> tensor<1x2x3x5xbf16> {
         %0 = tenon.attention %q, %k, %v {causal, scale = 100.0 : f64, soft_cap = 50.0 : f64}
             : (tensor<1x2x3x4xbf16>, tensor<1x1x6x4xbf16>, tensor<1x1x6x5xbf16>) -> tensor<1x2x3x5xbf16>
         return %0 : tensor<1x2x3x5xbf16>
       })",
     {},
     32 * ulp,
     4,
     [](unsigned argument, ReferenceTensor &tensor) {
       for (auto [at, value] : llvm::enumerate(tensor.floats)) {
         if (argument == 0)
           value = 1;
         else if (argument == 1)
           value = at / 4 == 2 ? -1 : 1; // the third key's
         else if (at == 2 * 5 + 1)
           value = -std::numeric_limits<double>::infinity();
       }
     }},
    {"rows",
     R"(
       func.func @main(%x: tensor<2x4x6xf32>, %w: tensor<6xf32>, %g: tensor<4xf32>)
           -> (tensor<2x4x6xf32>, tensor<2x4x6xf32>, tensor<2x4x6xf32>, tensor<2x4xi64>, tensor<2x4x6xf32>) {
         %0 = tenon.layer_norm %x weight(%w) {epsilon = 1.0e-5 : f64} : (tensor<2x4x6xf32>, tensor<6xf32>) -> tensor<2x4x6xf32>
         %1 = tenon.group_norm %x weight(%g) {groups = 2 : i64, epsilon = 1.0e-5 : f64}
             : (tensor<2x4x6xf32>, tensor<4xf32>) -> tensor<2x4x6xf32>
         %2 = tenon.log_softmax %x {axis = 1 : i64} : (tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
         %3 = tenon.argmax %x {axis = 2 : i64} : (tensor<2x4x6xf32>) -> tensor<2x4xi64>
         %4 = tenon.cumsum %x {axis = 1 : i64} : (tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
         return %0, %1, %2, %3, %4 : tensor<2x4x6xf32>, tensor<2x4x6xf32>, tensor<2x4x6xf32>, tensor<2x4xi64>, tensor<2x4x6xf32>
       })",
     {},
     128 * ulp},
    {"places",
     R"(
       func.func @main(%x: tensor<2x5xf32>, %i: tensor<3xi64>, %u: tensor<2x3xf32>, %e: tensor<2x3xi64>)
           -> (tensor<2x5xf32>, tensor<2x3xf32>, tensor<5x2xf32>, tensor<2x9xf32>, tensor<2x4xf32>) {
         %0 = tenon.scatter %x, %i, %u {axis = 1 : i64} : (tensor<2x5xf32>, tensor<3xi64>, tensor<2x3xf32>) -> tensor<2x5xf32>
         %1 = tenon.gather_elements %x, %e {axis = 1 : i64} : (tensor<2x5xf32>, tensor<2x3xi64>) -> tensor<2x3xf32>
         %2 = tenon.transpose %x {permutation = array<i64: 1, 0>} : (tensor<2x5xf32>) -> tensor<5x2xf32>
         %p = tenon.pad %u {low = array<i64: 0, 1>, high = array<i64: 0, 0>, value = -1.0 : f64} : (tensor<2x3xf32>) -> tensor<2x4xf32>
         %3 = tenon.concat %x, %p {axis = 1 : i64} : (tensor<2x5xf32>, tensor<2x4xf32>) -> tensor<2x9xf32>
         return %0, %1, %2, %3, %p : tensor<2x5xf32>, tensor<2x3xf32>, tensor<5x2xf32>, tensor<2x9xf32>, tensor<2x4xf32>
       })",
     {},
     0},
    {"pools",
     R"(
       func.func @main(%x: tensor<1x2x5x6xf16>) -> (tensor<1x2x3x3xf16>, tensor<1x2x2x3xf16>) {
         %0 = tenon.max_pool %x {window = array<i64: 3, 2>, stride = array<i64: 2, 2>, padding = array<i64: 1, 0>}
             : (tensor<1x2x5x6xf16>) -> tensor<1x2x3x3xf16>
         %1 = tenon.avg_pool %x {window = array<i64: 2, 2>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0>}
             : (tensor<1x2x5x6xf16>) -> tensor<1x2x2x3xf16>
         return %0, %1 : tensor<1x2x3x3xf16>, tensor<1x2x2x3xf16>
       })",
     {},
     8 * ulp},
    {"small_types",
     R"(
       func.func @main(%x: tensor<4x8xf32>, %s: tensor<4x1xf32>, %q: tensor<4x8xi4>, %f: tensor<4x8xf8E4M3FN>)
           -> (tensor<4x8xf32>, tensor<4x8xbf16>, tensor<4x8xi1>, tensor<8x4xf8E4M3FN>) {
         %0 = tenon.dequantise %q, %s : (tensor<4x8xi4>, tensor<4x1xf32>) -> tensor<4x8xf32>
         %1 = tenon.cast %f : (tensor<4x8xf8E4M3FN>) -> tensor<4x8xbf16>
         %2 = tenon.compare %x, %0 {predicate = #tenon.compare<lt>} : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xi1>
         %3 = tenon.transpose %f {permutation = array<i64: 1, 0>} : (tensor<4x8xf8E4M3FN>) -> tensor<8x4xf8E4M3FN>
         return %0, %1, %2, %3 : tensor<4x8xf32>, tensor<4x8xbf16>, tensor<4x8xi1>, tensor<8x4xf8E4M3FN>
       })",
     {},
     2 * ulp},
};

INSTANTIATE_TEST_SUITE_P(Compile, GeneralPath, testing::ValuesIn(cases),
                         [](const auto &info) { return info.param.name; });

} // namespace
} // namespace tenon::test
