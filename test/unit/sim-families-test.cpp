// Products, attention and rows as the compiler makes them, for both kinds of GPU, under the simulator: no finding in
// any order of threads, and the finding that belongs to it, at the op that belongs to it, with one op taken out or
// changed. Values are compared in sim-products-test.cpp and test/python/test_simulator.py.
#include "test/unit/GeneratedFamilies.h"

#include <cstring>
#include <gtest/gtest.h>
#include <limits>
#include <random>

using namespace mlir;

namespace tenon::test {
namespace {

class SimFamilies : public testing::Test {
protected:
  SimFamilies() { prepare(context); }

  OwningOpRef<ModuleOp> threads(const Family &family, int64_t size) {
    return lowerToThreads(context, family.model(size).text, family.arch, family.tiles, family.warps);
  }

  std::unique_ptr<SimulatedModule> compile(ModuleOp module) {
    auto compiled = SimulatedModule::compile(module);
    EXPECT_TRUE(compiled.ok()) << compiled.status().message();
    return compiled.ok() ? compiled.take() : nullptr;
  }

  sim::Report run(const Family &family, const SimulatedModule &module, int64_t size, uint64_t seed = 0) {
    Model model = family.model(size);
    std::vector<std::vector<char>> data;
    std::mt19937 random(1);
    SimulatedCall call;
    call.isProgrammatic = family.arch == "sm_90a"; // as plans have it
    for (int64_t count : model.operands) {
      std::vector<char> &bytes = data.emplace_back(count * family.elementBytes);
      for (int64_t i = 0; i < count; ++i) { // bf16 is the upper half of f32
        float value = static_cast<float>(random() % 5) / 2 - 1;
        if (family.hasNan && data.size() == 1 && i == 0)
          value = std::numeric_limits<float>::quiet_NaN();
        std::memcpy(&bytes[i * family.elementBytes], reinterpret_cast<char *>(&value) + 4 - family.elementBytes,
                    family.elementBytes);
      }
      call.operands.push_back({"operand", bytes.data(), static_cast<int64_t>(bytes.size())});
    }
    std::vector<char> &bytes = data.emplace_back(model.result * family.elementBytes);
    call.results.push_back({"result", bytes.data(), static_cast<int64_t>(bytes.size())});
    sim::Options options;
    options.seed = seed;
    auto report = module.run(module.kernelNames().front(), call, options);
    EXPECT_TRUE(report.ok()) << report.status().message();
    return report.ok() ? report.take() : sim::Report();
  }

  MLIRContext context;
};

class SimMutants : public SimFamilies, public testing::WithParamInterface<Family> {};

TEST_P(SimMutants, AreFound) {
  const Family &family = GetParam();
  OwningOpRef<ModuleOp> module = threads(family, family.sizes.front());
  for (const Mutant &mutant : family.mutants) {
    OwningOpRef<ModuleOp> mutated(module->clone());
    ASSERT_GT(mutate(*mutated, mutant), 0) << mutant.name;
    std::unique_ptr<SimulatedModule> compiled = compile(*mutated);
    sim::Report report = run(family, *compiled, family.sizes.front());
    const std::vector<sim::Site> &sites = *compiled->find(compiled->kernelNames().front())->sites;
    EXPECT_EQ(differs(report, sites, mutant.expected, *module), "") << mutant.name << ": " << report.text();
  }
}

TEST_F(SimFamilies, NoFindingInTwoHundredKernelsShapesAndOrders) {
  constexpr uint64_t numSeeds = 8;
  int64_t numTriples = 0, numMutants = 0;
  for (const Family &family : families()) {
    numMutants += static_cast<int64_t>(family.mutants.size());
    for (int64_t size : family.sizes) {
      OwningOpRef<ModuleOp> module = threads(family, size);
      std::unique_ptr<SimulatedModule> compiled = compile(*module);
      for (uint64_t seed = 0; seed < numSeeds; ++seed, ++numTriples) {
        sim::Report report = run(family, *compiled, size, seed);
        EXPECT_TRUE(report.ok()) << family.name << " at " << size << ", seed " << seed << ": " << report.text();
      }
    }
  }
  RecordProperty("triples", static_cast<int>(numTriples));
  RecordProperty("mutants", static_cast<int>(numMutants));
  EXPECT_GE(numTriples, 200);
  EXPECT_GE(numMutants, 110);
}

INSTANTIATE_TEST_SUITE_P(Sim, SimMutants, testing::ValuesIn(families()),
                         [](const auto &info) { return info.param.name; });

} // namespace
} // namespace tenon::test
