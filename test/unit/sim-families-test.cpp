// Attention and rows as the compiler makes them, for both kinds of GPU, under the simulator: no finding in any order of
// threads, and the finding that belongs to it with one op taken out or changed. Their values are compared in
// test/python/test_simulator.py.
#include "test/unit/GeneratedKernel.h"

#include <cstring>
#include <gtest/gtest.h>
#include <random>

using namespace mlir;

namespace tenon::test {
namespace {

struct Family {
  std::string name, arch, model;
  std::vector<int64_t> operands, results; ///< elements
  int64_t elementBytes;
  std::vector<Mutant> mutants;
};

void PrintTo(const Family &family, std::ostream *stream) { *stream << family.name; }

class SimFamily : public testing::TestWithParam<Family> {
protected:
  SimFamily() { prepare(context); }

  sim::Report run(ModuleOp module, uint64_t seed = 0) {
    const Family &family = GetParam();
    auto compiled = SimulatedModule::compile(module);
    EXPECT_TRUE(compiled.ok()) << compiled.status().message();
    if (!compiled.ok())
      return {};
    std::vector<std::vector<char>> data;
    std::mt19937 random(1);
    SimulatedCall call;
    call.isProgrammatic = family.arch == "sm_90a"; // as plans have it
    for (int64_t count : family.operands) {
      std::vector<char> &bytes = data.emplace_back(count * family.elementBytes);
      for (int64_t i = 0; i < count; ++i) { // bf16 is the upper half of f32
        float value = static_cast<float>(random() % 5) / 2 - 1;
        std::memcpy(&bytes[i * family.elementBytes], reinterpret_cast<char *>(&value) + 4 - family.elementBytes,
                    family.elementBytes);
      }
      call.operands.push_back({"operand", bytes.data(), static_cast<int64_t>(bytes.size())});
    }
    for (int64_t count : family.results) {
      std::vector<char> &bytes = data.emplace_back(count * family.elementBytes);
      call.results.push_back({"result", bytes.data(), static_cast<int64_t>(bytes.size())});
    }
    sim::Options options;
    options.seed = seed;
    auto report = (*compiled)->run((*compiled)->kernelNames().front(), call, options);
    EXPECT_TRUE(report.ok()) << report.status().message();
    return report.ok() ? report.take() : sim::Report();
  }

  MLIRContext context;
};

TEST_P(SimFamily, IsFreeOfFindings) {
  OwningOpRef<ModuleOp> module = lowerToThreads(context, GetParam().model, GetParam().arch);
  for (uint64_t seed : {0, 1}) {
    sim::Report report = run(*module, seed);
    EXPECT_TRUE(report.ok()) << "seed " << seed << ": " << report.text();
  }
}

TEST_P(SimFamily, MutantsAreFound) {
  OwningOpRef<ModuleOp> module = lowerToThreads(context, GetParam().model, GetParam().arch);
  for (const Mutant &mutant : GetParam().mutants) {
    OwningOpRef<ModuleOp> mutated(module->clone());
    ASSERT_GT(mutate(*mutated, mutant), 0) << mutant.name;
    sim::Report report = run(*mutated);
    EXPECT_TRUE(isFound(report, mutant)) << mutant.name << ": " << report.text();
  }
}

using sim::FindingKind;
using Kinds = std::vector<FindingKind>;

const Kinds disorder = {FindingKind::Race, FindingKind::AsyncCopy, FindingKind::Uninitialised};

std::string attention(int64_t queries) {
  std::string type = "tensor<1x2x" + std::to_string(queries) + "x64xbf16>", types = type + ", " + type + ", " + type;
  return "func.func @main(%q: " + type + ", %k: " + type + ", %v: " + type + ") -> " + type +
         " {\n%y = tenon.attention %q, %k, %v {causal} : (" + types + ") -> " + type + "\nreturn %y : " + type + "\n}";
}

std::string norm(int64_t columns) {
  std::string type = "tensor<3x" + std::to_string(columns) + "xf32>";
  return "func.func @main(%x: " + type + ") -> " + type + " {\n%y = tenon.layer_norm %x {epsilon = 1.0e-5 : f64} : (" +
         type + ") -> " + type + "\nreturn %y : " + type + "\n}";
}

constexpr int64_t queries = 72, elements = 2 * queries * 64;

const Family hopperAttention = {
    "attention_sm_90a",
    "sm_90a",
    attention(queries),
    {elements, elements, elements},
    {elements},
    2,
    {
        {"no fence", "nvvm.fence.proxy", {FindingKind::Race}, "no fence.proxy.async"},
        {"no wait for phases", "ptx.mbarrier.wait", disorder, ""},
        {"no wait for products", "ptx.wgmma.wait", {FindingKind::Race}, "an accumulator of ptx.wgmma"},
        {"a wait for fewer products", "ptx.wgmma.wait", disorder, "ptx.wgmma", Change::WaitForLess},
        {"no wait for stores", "nvvm.cp.async.bulk.wait_group", disorder, "cp.async.bulk.tensor.global"},
        {"no commit of stores", "nvvm.cp.async.bulk.commit.group", disorder, "a commit is missing"},
        {"no wait for the launch ahead", "nvvm.griddepcontrol", {FindingKind::Race}, "griddepcontrol.wait"},
    }};

const Family portableAttention = {
    "attention_sm_80",
    "sm_80",
    attention(queries),
    {elements, elements, elements},
    {elements},
    2,
    {
        {"no barriers", "nvvm.barrier0", disorder, ""},
        {"no wait for copies", "nvvm.cp.async.wait.group", {FindingKind::AsyncCopy}, "nvvm.ldmatrix"},
        {"a wait for fewer copies",
         "nvvm.cp.async.wait.group",
         {FindingKind::AsyncCopy},
         "nvvm.ldmatrix",
         Change::WaitForLess},
        {"no commit", "nvvm.cp.async.commit.group", {FindingKind::AsyncCopy}, "nvvm.ldmatrix"},
        {"stores past the end",
         "ptx.st.global",
         {FindingKind::OutOfBounds, FindingKind::Race},
         "ptx.st.global",
         Change::Unconditional},
    }};

const Family rows = {
    "norm_sm_90a",
    "sm_90a",
    norm(3001),
    {3 * 3001},
    {3 * 3001},
    4,
    {
        {"no barriers", "nvvm.barrier0", disorder, "shared memory"},
        {"no second barrier", "nvvm.barrier0", disorder, "shared memory", Change::Remove, 1},
        {"loads past the end", "ptx.ld.global", {FindingKind::OutOfBounds}, "ptx.ld.global", Change::Unconditional},
        {"stores past the end",
         "ptx.st.global",
         {FindingKind::OutOfBounds, FindingKind::Race},
         "ptx.st.global",
         Change::Unconditional},
    }};

INSTANTIATE_TEST_SUITE_P(Sim, SimFamily, testing::Values(hopperAttention, portableAttention, rows),
                         [](const auto &info) { return info.param.name; });

} // namespace
} // namespace tenon::test
