// Kernels of the general path as machine code: they assemble for every architecture and pass its gates, and what a
// thread computes with is in registers.
#include "lib/Pipelines/Phases.h"
#include "lib/Target/CubinGates.h"
#include "lib/Target/PtxCodeGeneration.h"
#include "test/unit/GpuToolkit.h"
#include "test/unit/ThreadsOnCpu.h"

#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

using namespace mlir;

namespace tenon::test {
namespace {

struct Model {
  std::string name, text;
};

void PrintTo(const Model &model, std::ostream *os) { *os << model.name; }

const Model models[] = {
    {"rows", R"(
      func.func @main(%x: tensor<4x?xbf16> {tenon.dims = ["", "n"]}, %w: tensor<16xf32>, %y: tensor<3x16xf32>)
          -> (tensor<4x?xbf16>, tensor<3x16xf32>, tensor<4xi64>, tensor<4x?xbf16>) {
        %0 = tenon.softmax %x {axis = 1 : i64} : (tensor<4x?xbf16>) -> tensor<4x?xbf16>
        %1 = tenon.layer_norm %y weight(%w) {epsilon = 1.0e-5 : f64} : (tensor<3x16xf32>, tensor<16xf32>) -> tensor<3x16xf32>
        %2 = tenon.argmax %x {axis = 1 : i64} : (tensor<4x?xbf16>) -> tensor<4xi64>
        %3 = tenon.cumsum %x {axis = 1 : i64} : (tensor<4x?xbf16>) -> tensor<4x?xbf16>
        return %0, %1, %2, %3 : tensor<4x?xbf16>, tensor<3x16xf32>, tensor<4xi64>, tensor<4x?xbf16>
      })"},
    {"places", R"(
      func.func @main(%x: tensor<2x5xf16>, %i: tensor<3xi64>, %u: tensor<2x3xf16>) -> (tensor<2x5xf16>, tensor<2x8xf16>, tensor<2x6xf16>) {
        %0 = tenon.scatter %x, %i, %u {axis = 1 : i64} : (tensor<2x5xf16>, tensor<3xi64>, tensor<2x3xf16>) -> tensor<2x5xf16>
        %1 = tenon.concat %x, %u {axis = 1 : i64} : (tensor<2x5xf16>, tensor<2x3xf16>) -> tensor<2x8xf16>
        %2 = tenon.pad %u {low = array<i64: 0, 1>, high = array<i64: 0, 2>, value = -1.0 : f64} : (tensor<2x3xf16>) -> tensor<2x6xf16>
        return %0, %1, %2 : tensor<2x5xf16>, tensor<2x8xf16>, tensor<2x6xf16>
      })"},
    {"windows", R"(
      func.func @main(%x: tensor<1x4x6x5xf16>, %w: tensor<6x2x3x2xf16>) -> (tensor<1x6x3x4xf16>, tensor<1x4x3x2xf16>) {
        %0 = tenon.convolution %x, %w {stride = array<i64: 2, 1>, padding = array<i64: 1, 0>, dilation = array<i64: 1, 1>, groups = 2 : i64}
            : (tensor<1x4x6x5xf16>, tensor<6x2x3x2xf16>) -> tensor<1x6x3x4xf16>
        %1 = tenon.max_pool %x {window = array<i64: 2, 2>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0>}
            : (tensor<1x4x6x5xf16>) -> tensor<1x4x3x2xf16>
        return %0, %1 : tensor<1x6x3x4xf16>, tensor<1x4x3x2xf16>
      })"},
    {"small_types", R"(
      func.func @main(%x: tensor<3x3xf32>, %s: tensor<1xf32>, %f: tensor<4x8xf8E4M3FN>, %g: tensor<4x8xf8E5M2>)
          -> (tensor<3x3xi4>, tensor<4x8xbf16>, tensor<4x8xi1>, tensor<3x3xf8E4M3FN>) {
        %0 = tenon.quantise %x, %s : (tensor<3x3xf32>, tensor<1xf32>) -> tensor<3x3xi4>
        %1 = tenon.cast %f : (tensor<4x8xf8E4M3FN>) -> tensor<4x8xbf16>
        %2 = tenon.cast %g : (tensor<4x8xf8E5M2>) -> tensor<4x8xi1>
        %3 = tenon.cast %x : (tensor<3x3xf32>) -> tensor<3x3xf8E4M3FN>
        return %0, %1, %2, %3 : tensor<3x3xi4>, tensor<4x8xbf16>, tensor<4x8xi1>, tensor<3x3xf8E4M3FN>
      })"},
    {"functions", R"(
      func.func @main(%x: tensor<9xbf16>, %y: tensor<9xf64>) -> (tensor<9xbf16>, tensor<9xf64>, tensor<9xf64>) {
        %0 = tenon.gelu %x : (tensor<9xbf16>) -> tensor<9xbf16>
        %1 = tenon.sin %y : (tensor<9xf64>) -> tensor<9xf64>
        %2 = tenon.pow %y, %y : (tensor<9xf64>, tensor<9xf64>) -> tensor<9xf64>
        return %0, %1, %2 : tensor<9xbf16>, tensor<9xf64>, tensor<9xf64>
      })"},
    {"attention", R"(
      func.func @main(%q: tensor<2x4x?x8xbf16> {tenon.dims = ["", "", "n", ""]}, %k: tensor<2x2x?x8xbf16> {tenon.dims = ["", "", "m", ""]})
          -> tensor<2x4x?x8xbf16> {
        %0 = tenon.attention %q, %k, %k {causal} : (tensor<2x4x?x8xbf16>, tensor<2x2x?x8xbf16>, tensor<2x2x?x8xbf16>) -> tensor<2x4x?x8xbf16>
        return %0 : tensor<2x4x?x8xbf16>
      })"},
};

class GeneralKernels : public testing::TestWithParam<Model> {};

TEST_P(GeneralKernels, AssembleForEveryArchitecture) {
  DialectRegistry registry;
  registerDialects(registry);
  for (const GpuArch &arch : gpuArchs()) {
    MLIRContext context(registry);
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(GetParam().text, &context);
    ASSERT_TRUE(module && succeeded(takeGeneralPath(*module)));
    auto kernels = module->lookupSymbol<ModuleOp>("kernels");
    PtxOptions options;
    options.places = testToolkit();
    ASSERT_TRUE(succeeded(runPasses(*module, std::string("tenon-phases{from=ptx to=ptx gpu=") + arch.name + "}")));
    auto ptx = generatePtx(kernels, arch, options);
    ASSERT_TRUE(ptx.ok()) << ptx.status().message();
    std::vector<KernelExpectation> expected;
    for (const std::string &name : ptx->kernels)
      expected.push_back({name});
    Assembly assembly = assembleReal(ptx->ptx, arch.name);
    auto facts = checkCubin(assembly.cubin, assembly.log, arch, expected);
    ASSERT_TRUE(facts.ok()) << facts.status().message();
    for (const KernelFacts &kernel : *facts)
      if (kernel.info.name != "sin") // libdevice reduces large angles in an array
        EXPECT_EQ(kernel.info.stackBytes, 0) << arch.name << ": " << kernel.info.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Ptx, GeneralKernels, testing::ValuesIn(models),
                         [](const auto &info) { return info.param.name; });

} // namespace
} // namespace tenon::test
