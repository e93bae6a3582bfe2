// Products, attention and rows as the compiler makes them, for both kinds of GPU, under the simulator: no finding in
// any order of threads, and the finding that belongs to it, at the op that belongs to it, with one op taken out or
// changed. Values are compared in sim-products-test.cpp and test/python/test_simulator.py.
#include "test/unit/GeneratedKernel.h"

#include <cstring>
#include <gtest/gtest.h>
#include <limits>
#include <random>

using namespace mlir;

namespace tenon::test {
namespace {

/// A model of one kernel at a size, and the elements of its operands and its result.
struct Model {
  std::string text;
  std::vector<int64_t> operands;
  int64_t result;
};

struct Family {
  std::string name, arch;
  int64_t elementBytes;
  Model (*model)(int64_t size);
  std::vector<int64_t> sizes; ///< the first is that of the mutants
  std::vector<Mutant> mutants;
  std::string tiles = "", warps = ""; ///< schedules by hand, or empty
  bool hasNan = false;                ///< the first element of the first operand
};

void PrintTo(const Family &family, std::ostream *stream) { *stream << family.name; }

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
    sim::Report report = run(family, *compile(*mutated), family.sizes.front());
    EXPECT_TRUE(isFound(report, mutant)) << mutant.name << ": " << report.text();
  }
}

using sim::FindingKind;
using Kinds = std::vector<FindingKind>;

const Kinds race = {FindingKind::Race}, asyncCopy = {FindingKind::AsyncCopy}, hangs = {FindingKind::Deadlock};
const Kinds outside = {FindingKind::OutOfBounds}, misuse = {FindingKind::Misuse};
const Kinds disorder = {FindingKind::Race, FindingKind::AsyncCopy, FindingKind::Uninitialised};

std::string tensor(std::initializer_list<int64_t> sizes, const std::string &element) {
  std::string text = "tensor<";
  for (int64_t size : sizes)
    text += std::to_string(size) + "x";
  return text + element + ">";
}

Model product(int64_t m, int64_t n, int64_t k, const std::string &element) {
  std::string x = tensor({m, k}, element), w = tensor({n, k}, element), y = tensor({m, n}, element);
  return {"func.func @main(%x: " + x + ", %w: " + w + ") -> " + y + " {\n%y = tenon.linear %x, %w : (" + x + ", " + w +
              ") -> " + y + "\nreturn %y : " + y + "\n}",
          {m * k, n * k},
          m * n};
}
Model productBF16(int64_t m) { return product(m, 96, 320, "bf16"); }
Model productF32(int64_t m) { return product(m, 40, 96, "f32"); }
Model longProduct(int64_t m) { return product(m, 96, 128, "bf16"); }

Model attention(int64_t queries) {
  std::string type = tensor({1, 2, queries, 64}, "bf16"), types = type + ", " + type + ", " + type;
  int64_t elements = 2 * queries * 64;
  return {"func.func @main(%q: " + type + ", %k: " + type + ", %v: " + type + ") -> " + type +
              " {\n%y = tenon.attention %q, %k, %v {causal} : (" + types + ") -> " + type + "\nreturn %y : " + type +
              "\n}",
          {elements, elements, elements},
          elements};
}

Model norm(int64_t columns) {
  std::string type = tensor({3, columns}, "f32");
  return {"func.func @main(%x: " + type + ") -> " + type + " {\n%y = tenon.layer_norm %x {epsilon = 1.0e-5 : f64} : (" +
              type + ") -> " + type + "\nreturn %y : " + type + "\n}",
          {3 * columns},
          3 * columns};
}

// Of the descriptor of a product: a swizzle of 64 bytes in place of 128; groups of 8 rows 512 bytes apart in place of
// 1024, and 2048.
constexpr uint64_t otherSwizzle = uint64_t{3} << 62, shortStride = uint64_t{0x60} << 32,
                   longStride = uint64_t{0xC0} << 32;
const char *const load = "nvvm.cp.async.bulk.tensor.shared.cluster.global", *const copy = "nvvm.cp.async.shared.global";

const Mutant withoutBarriers = {"no barrier", "nvvm.barrier0", disorder, copy};
const Mutant withoutWaits = {"no wait for copies", "nvvm.cp.async.wait.group", asyncCopy, copy};
const Mutant waitsForLess = {"a wait for fewer copies", "nvvm.cp.async.wait.group", asyncCopy, copy,
                             Change::WaitForLess};
const Mutant withoutCommits = {"no commit", "nvvm.cp.async.commit.group", asyncCopy, copy};
const Mutant tailOfCopies = {"one row too many is copied", copy, outside, copy, Change::TailMoved};
const Mutant tailOfLoads = {"one element too many is loaded", "ptx.ld.global", outside, "ptx.ld.global",
                            Change::TailMoved};
const Mutant tailOfStores = {"one element too many is stored",
                             "ptx.st.global",
                             {FindingKind::OutOfBounds, FindingKind::Race},
                             "ptx.st.global",
                             Change::TailMoved};
const Mutant withoutFences = {"no fence", "nvvm.fence.proxy", race, "no fence.proxy.async"};
const Mutant withoutInitFence = {"no fence of initialisation", "nvvm.fence.mbarrier.init", race,
                                 "no fence.mbarrier.init"};
const Mutant withoutInit = {"no mbarriers", "nvvm.mbarrier.init", misuse, "in which no mbarrier.init was"};
const Mutant withoutPhaseWaits = {"no wait for phases", "ptx.mbarrier.wait", disorder, load};
const Mutant otherParity = {"the other parity", "ptx.mbarrier.wait", hangs, "ptx.mbarrier.wait", Change::OtherParity};
const Mutant otherParityOfSlots = {
    "the other parity of free slots", "ptx.mbarrier.wait", hangs, "ptx.mbarrier.wait", Change::OtherParity, 0};
const Mutant otherParityOfData = {
    "the other parity of what has come", "ptx.mbarrier.wait", disorder, "ptx.wgmma", Change::OtherParity, 1};
const Mutant withoutWaitForSlots = {
    "no wait for free slots",         "ptx.mbarrier.wait", {FindingKind::Misuse, FindingKind::Race},
    "nvvm.mbarrier.arrive.expect_tx", Change::Remove,      0};
const Mutant withoutWaitForData = {
    "no wait for what is to come", "ptx.mbarrier.wait", disorder, "ptx.wgmma", Change::Remove, 1};
const Mutant oneArrivalMore = {"one arrival too many", "nvvm.mbarrier.init", hangs, "lacks 1 of", Change::OneMore};
const Mutant oneArrivalLess = {
    "one arrival too few", "nvvm.mbarrier.init", {FindingKind::Race, FindingKind::Misuse}, "ptx.", Change::OneLess};
const Mutant withoutReleases = {"no release of slots", "ptx.mbarrier.arrive", hangs, "ptx.mbarrier.wait"};
const Mutant earlyRelease = {"a slot is released before its products end", "ptx.mbarrier.arrive", race, "ptx.wgmma",
                             Change::AheadOfWait};
const Mutant withoutExpectation = {"no bytes expected", "nvvm.mbarrier.arrive.expect_tx", hangs,
                                   "lacks 1 of 1 arrivals"};
const Mutant moreBytes = {"too many bytes expected", "nvvm.mbarrier.arrive.expect_tx", hangs, "16 bytes",
                          Change::MoreBytes};
const Mutant lessBytes = {"too few bytes expected", "nvvm.mbarrier.arrive.expect_tx", misuse, load, Change::LessBytes};
const Mutant withoutProductWaits = {"no wait for products", "ptx.wgmma.wait", race, "an accumulator of ptx.wgmma"};
const Mutant productsOfOtherSwizzle = {"another swizzle", "ptx.wgmma", misuse,      "reads with a swizzle of 64 bytes",
                                       Change::OtherBits, -1,          otherSwizzle};
const Mutant productsOfShortStride = {
    "half the stride", "ptx.wgmma", misuse, "of its operand lie at the same place", Change::OtherBits, -1, shortStride};
const Mutant productsOfLongStride = {"twice the stride",
                                     "ptx.wgmma",
                                     {FindingKind::Race, FindingKind::AsyncCopy, FindingKind::Uninitialised,
                                      FindingKind::OutOfBounds, FindingKind::Misuse},
                                     "ptx.wgmma",
                                     Change::OtherBits,
                                     -1,
                                     longStride};
const Mutant crossedRoles = {"a warp that loads takes the role of those that multiply", "scf.if", hangs,
                             "ptx.mbarrier.wait", Change::RoleMoved};
const Mutant crossedRolesWithRegisters = {"the same, where that role takes registers", "scf.if", hangs,
                                          "nvvm.setmaxregister", Change::RoleMoved};
const Mutant withoutStoreWaits = {"a buffer of stores is written again",
                                  "nvvm.cp.async.bulk.wait_group",
                                  race,
                                  "nvvm.cp.async.bulk.tensor.global.shared.cta",
                                  Change::Remove,
                                  0};
const Mutant withoutLastStoreWait = {"no wait for the last stores", "nvvm.cp.async.bulk.wait_group", asyncCopy,
                                     "still reads shared memory when that thread ends"};
const Mutant withoutStoreCommits = {"no commit of stores", "nvvm.cp.async.bulk.commit.group", asyncCopy,
                                    "a commit is missing"};
const Mutant withoutLaunchWait = {"no wait for the launch ahead", "nvvm.griddepcontrol", race, "griddepcontrol.wait"};

const char *const tiles = "#tile.gemm<rows = 128, columns = 64, depth = 64>";
const char *const byTma = "#warp.schedule<warps = [8, 1], stages = 3, tf32 = false, wgmma = true, producer = true>";
const char *const byCopies = "#warp.schedule<warps = [8, 1], stages = 4, tf32 = false, wgmma = true>";

const std::vector<Family> &families() {
  static const std::vector<Family> all = {
      {"product_mma",
       "sm_80",
       2,
       productBF16,
       {70, 1, 130},
       {withoutBarriers, withoutWaits, waitsForLess, withoutCommits, tailOfCopies, tailOfStores}},
      {"product_fma",
       "sm_80",
       4,
       productF32,
       {33, 2, 65},
       {withoutBarriers, withoutWaits, waitsForLess, withoutCommits, tailOfCopies, tailOfStores}},
      {"product_wgmma",
       "sm_90a",
       2,
       productBF16,
       {70, 1, 130},
       {withoutBarriers, withoutWaits, withoutCommits, withoutFences, withoutProductWaits, productsOfShortStride},
       tiles,
       byCopies},
      {"product_tma",
       "sm_90a",
       2,
       productBF16,
       {70, 1, 130},
       {withoutFences,
        withoutInitFence,
        withoutInit,
        withoutWaitForSlots,
        withoutWaitForData,
        otherParityOfSlots,
        otherParityOfData,
        oneArrivalMore,
        oneArrivalLess,
        withoutReleases,
        withoutExpectation,
        moreBytes,
        lessBytes,
        withoutProductWaits,
        productsOfOtherSwizzle,
        productsOfShortStride,
        productsOfLongStride,
        crossedRolesWithRegisters,
        withoutLastStoreWait,
        withoutStoreCommits,
        withoutLaunchWait},
       tiles,
       byTma},
      {"product_tma_many_tiles",
       "sm_90a",
       2,
       longProduct,
       {1100, 600},
       {withoutStoreWaits, earlyRelease},
       tiles,
       byTma},
      {"attention_sm_90a",
       "sm_90a",
       2,
       attention,
       {72, 1, 200},
       {withoutFences,
        withoutInitFence,
        withoutPhaseWaits,
        otherParity,
        oneArrivalMore,
        moreBytes,
        lessBytes,
        withoutProductWaits,
        {"a wait for fewer products", "ptx.wgmma.wait", disorder, "ptx.wgmma", Change::WaitForLess},
        productsOfOtherSwizzle,
        productsOfShortStride,
        crossedRoles,
        withoutLastStoreWait,
        withoutStoreCommits,
        withoutLaunchWait}},
      {"attention_sm_80",
       "sm_80",
       2,
       attention,
       {72, 1, 200},
       {{"no barriers", "nvvm.barrier0", disorder, "shared memory"},
        withoutWaits,
        waitsForLess,
        withoutCommits,
        tailOfCopies,
        tailOfStores,
        {"stores past the end",
         "ptx.st.global",
         {FindingKind::OutOfBounds, FindingKind::Race},
         "ptx.st.global",
         Change::Unconditional}}},
      {"attention_with_nan",
       "sm_90a",
       2,
       attention,
       {72},
       {{"no named barrier", "nvvm.barrier", disorder, "shared memory"}},
       "",
       "",
       true},
      {"norm_sm_90a",
       "sm_90a",
       4,
       norm,
       {3001, 8, 129},
       {{"no barriers", "nvvm.barrier0", disorder, "shared memory"},
        {"no second barrier", "nvvm.barrier0", disorder, "shared memory", Change::Remove, 1},
        {"loads past the end", "ptx.ld.global", outside, "ptx.ld.global", Change::Unconditional},
        tailOfLoads,
        tailOfStores,
        withoutLaunchWait}},
      {"norm_sm_80",
       "sm_80",
       4,
       norm,
       {3001, 8, 129},
       {{"no barriers", "nvvm.barrier0", disorder, "shared memory"},
        {"no second barrier", "nvvm.barrier0", disorder, "shared memory", Change::Remove, 1},
        tailOfLoads,
        tailOfStores}},
  };
  return all;
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
  EXPECT_GE(numTriples, 200);
  EXPECT_GE(numMutants, 24);
}

INSTANTIATE_TEST_SUITE_P(Sim, SimMutants, testing::ValuesIn(families()),
                         [](const auto &info) { return info.param.name; });

} // namespace
} // namespace tenon::test
