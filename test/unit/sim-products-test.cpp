// Products that the compiler makes, under the simulator: right values, bit by bit, without a finding. Data are small
// integers, so that sums are exact in every order.
#include "test/unit/GeneratedKernel.h"

#include <gtest/gtest.h>
#include <random>

using namespace mlir;

namespace tenon::test {
namespace {

/// y = x w^T of small integers.
struct Linear {
  std::string name, arch, type;
  std::string schedule; ///< of warps, by hand; empty: the one that is chosen
  int64_t m, n, k;
};

void PrintTo(const Linear &linear, std::ostream *stream) { *stream << linear.name; }

class SimLinear : public testing::TestWithParam<Linear> {
protected:
  SimLinear() {
    prepare(context);
    const Linear &p = GetParam();
    std::mt19937 generator(1);
    auto random = [&] { return static_cast<float>(generator() % 3) - 1; }; // sums below 256 are exact in bf16
    std::generate_n(std::back_inserter(x), p.m * p.k, random);
    std::generate_n(std::back_inserter(w), p.n * p.k, random);
    expected.resize(p.m * p.n);
    for (int64_t i = 0; i < p.m; ++i)
      for (int64_t j = 0; j < p.n; ++j)
        for (int64_t l = 0; l < p.k; ++l)
          expected[i * p.n + j] += x[i * p.k + l] * w[j * p.k + l];
  }

  std::string model() {
    const Linear &p = GetParam();
    std::string k = std::to_string(p.k) + "x" + p.type + ">", n = std::to_string(p.n);
    std::string types = "tensor<?x" + k + ", tensor<" + n + "x" + k, result = "tensor<?x" + n + "x" + p.type + ">";
    return "func.func @main(%x: tensor<?x" + k + " {tenon.dims = [\"m\", \"\"]}, %w: tensor<" + n + "x" + k + ") -> " +
           result + " {\n%y = tenon.linear %x, %w : (" + types + ") -> " + result + "\nreturn %y : " + result + "\n}";
  }

  /// From the model to functions of one thread.
  OwningOpRef<ModuleOp> threads() {
    const Linear &p = GetParam();
    const char *tiles = p.schedule.empty() ? "" : "#tile.gemm<rows = 128, columns = 64, depth = 64>";
    return lowerToThreads(context, model(), p.arch, tiles, p.schedule);
  }

  /// The kernel on the data; `result` holds what it wrote.
  sim::Report run(ModuleOp module, uint64_t seed = 0) {
    const Linear &p = GetParam();
    auto compiled = SimulatedModule::compile(module);
    EXPECT_TRUE(compiled.ok()) << compiled.status().message();
    if (!compiled.ok())
      return {};
    std::vector<char> a = store(x), b = store(w), y(static_cast<size_t>(p.m * p.n * bytes()));
    auto buffer = [](const char *name, std::vector<char> &data) {
      return sim::Buffer{name, data.data(), static_cast<int64_t>(data.size())};
    };
    sim::Options options;
    options.seed = seed;
    SimulatedCall call = {{buffer("x", a), buffer("w", b)}, {buffer("y", y)}, {p.m, p.m}};
    call.isProgrammatic = p.arch == "sm_90a"; // as plans have it
    auto report = (*compiled)->run((*compiled)->kernelNames().front(), call, options);
    EXPECT_TRUE(report.ok()) << report.status().message();
    result = load(y);
    return report.ok() ? report.take() : sim::Report();
  }

  int64_t bytes() const { return GetParam().type == "f32" ? 4 : 2; }

  /// Small integers: bf16 is the upper half of f32.
  std::vector<char> store(const std::vector<float> &values) const {
    std::vector<char> data(values.size() * bytes());
    for (size_t i = 0; i < values.size(); ++i)
      std::memcpy(&data[i * bytes()], reinterpret_cast<const char *>(&values[i]) + 4 - bytes(), bytes());
    return data;
  }
  std::vector<float> load(const std::vector<char> &data) const {
    std::vector<float> values(data.size() / bytes());
    for (size_t i = 0; i < values.size(); ++i)
      std::memcpy(reinterpret_cast<char *>(&values[i]) + 4 - bytes(), &data[i * bytes()], bytes());
    return values;
  }

  MLIRContext context;
  std::vector<float> x, w, expected, result;
};

TEST_P(SimLinear, IsRightAndFreeOfRaces) {
  OwningOpRef<ModuleOp> module = threads();
  for (uint64_t seed : {0, 1}) {
    sim::Report report = run(*module, seed);
    EXPECT_TRUE(report.ok()) << report.text();
    EXPECT_EQ(result, expected);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Sim, SimLinear,
    testing::Values(Linear{"mma_bf16", "sm_80", "bf16", "", 70, 96, 320},
                    Linear{"fma_f32", "sm_80", "f32", "", 33, 40, 96},
                    Linear{"wgmma_bf16", "sm_90a", "bf16",
                           "#warp.schedule<warps = [8, 1], stages = 4, tf32 = false, wgmma = true>", 70, 96, 320},
                    Linear{"tma_bf16", "sm_90a", "bf16",
                           "#warp.schedule<warps = [8, 1], stages = 3, tf32 = false, wgmma = true, producer = true>",
                           70, 96, 320}),
    [](const auto &info) { return info.param.name; });

} // namespace
} // namespace tenon::test
