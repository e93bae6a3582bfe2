// Artefacts with several entries: what they share is in memory once, on the CPU and on the fake GPU; the file, the C
// API and every error.
#include "test/unit/CudaModel.h"

#include "lib/Runtime/Program.h"
#include "lib/Runtime/Weights.h"
#include "tenon-c/tenon.h"

#include <gtest/gtest.h>

using namespace tenon;
using namespace tenon::test;

static void expectError(const Status &status, ErrorKind kind, const std::string &text) {
  ASSERT_FALSE(status.ok()) << text;
  EXPECT_EQ(status.kind(), kind) << status.message();
  EXPECT_NE(status.message().find(text), std::string::npos) << status.message();
}

/// "prefill" packs the weight; "decode" has the same plan, but that it may make another thing of it; "plain" scales by
/// the weight as it is.
static std::vector<ArtefactEntry> entriesOf(LaunchPlan plan, bool isSamePacking = true) {
  std::vector<ArtefactEntry> entries(3);
  plan.values[2].name = "packed w";
  entries[0].name = "prefill";
  entries[1].name = "decode";
  entries[2].name = "plain";
  for (ArtefactEntry &entry : entries)
    entry.plan = plan;
  if (!isSamePacking)
    entries[1].plan.values[2].name = "packed otherwise";
  LaunchPlan &plain = entries[2].plan;
  plain.launches[1].operands[1] = 1;
  plain.init.clear();
  plain.values.erase(plain.values.begin() + 2);
  for (PlanValue &value : plain.values) {
    value.id -= value.id > 2;
    value.source -= value.source > 2;
  }
  auto renumber = [](std::vector<int64_t> &ids) {
    for (int64_t &id : ids)
      id -= id > 2;
  };
  renumber(plain.outputs);
  for (PlanLaunch &launch : plain.launches) {
    renumber(launch.operands);
    renumber(launch.results);
  }
  plain.kernels.erase("pack");
  return entries;
}

static std::string cpuArtefact(bool isSamePacking = true) {
  std::string kernels = testKernels(), weights = modelWeights();
  ArtefactParts parts = {entriesOf(modelPlan(), isSamePacking), weights, "module {}\n"};
  for (ArtefactEntry &entry : parts.entries)
    entry.kernels = kernels;
  return *writeArtefact(parts);
}

static std::string gpuArtefact(bool isSamePacking = true) {
  std::string weights = modelWeights();
  ArtefactParts parts = {entriesOf(cudaModelPlan(), isSamePacking), weights};
  for (ArtefactEntry &entry : parts.entries)
    entry.cubins = {{"model", modelCubin}};
  return *writeArtefact(parts);
}

static std::shared_ptr<const Program> load(const std::string &bytes) {
  auto artefact = openArtefactBytes(bytes);
  EXPECT_TRUE(artefact.ok()) << artefact.status().message();
  auto program = Program::load(*artefact);
  EXPECT_TRUE(program.ok()) << program.status().message();
  return *program;
}

/// Row 0 of y for x = 1, 2, 3, 4.
static std::vector<float> scaled(const std::shared_ptr<const Executable> &executable) {
  std::vector<float> x = {1, 2, 3, 4};
  Context context(executable);
  auto out = context.run({{x.data(), DataType::F32, {1, 4}}});
  EXPECT_TRUE(out.ok()) << out.status().message();
  auto *y = static_cast<float *>((*out)[0].buffer.data());
  return {y, y + 4};
}

static const std::vector<float> byPacked = {4, 16, 36, 64}, byWeight = {2, 8, 18, 32};

TEST(Entries, OneFileOfMany) {
  auto artefact = openArtefactBytes(cpuArtefact());
  ASSERT_TRUE(artefact.ok()) << artefact.status().message();
  ASSERT_EQ((*artefact)->entries.size(), 3u);
  EXPECT_EQ((*artefact)->entries[1].name, "decode");
  EXPECT_EQ((*artefact)->entries[1].plan.values[2].name, "packed w");
  EXPECT_EQ((*artefact)->entries[2].kernels, testKernels());
  EXPECT_EQ((*artefact)->weights, modelWeights());
  EXPECT_EQ(cpuArtefact(), cpuArtefact());
  // A model with the entry "main" alone is as it always was.
  EXPECT_EQ((*openArtefactBytes(modelArtefact()))->manifest, writeLaunchPlan(modelPlan()));
}

TEST(Entries, WhatLaunchesAtLoadMakeIsMadeOnce) {
  for (bool isSame : {true, false}) {
    auto program = load(cpuArtefact(isSame));
    EXPECT_EQ(scaled(program->entry(0)), byPacked);
    EXPECT_EQ(scaled(program->entry(1)), byPacked);
    EXPECT_EQ(scaled(program->entry(2)), byWeight);
    EXPECT_EQ(program->entry(0)->staticAddress(2) == program->entry(1)->staticAddress(2), isSame);
    EXPECT_EQ(program->entry(0)->staticAddress(1), program->entry(2)->staticAddress(1)); // in the file
    EXPECT_EQ(program->persistentBytes(), isSame ? 16 : 32);
  }
}

TEST(Entries, AnEntryOutlivesTheOthers) {
  auto decode = load(cpuArtefact())->entry(1);
  EXPECT_EQ(scaled(decode), byPacked);
}

TEST(Entries, AWeightThatHasToBeCopiedIsCopiedOnce) {
  alignas(64) float w[5] = {0, 1, 2, 3, 4};
  std::string kernels = testKernels();
  ArtefactParts parts = {entriesOf(modelPlan())};
  parts.entries.erase(parts.entries.begin());
  parts.entries.push_back(parts.entries.back());
  parts.entries.back().name = "again";
  for (ArtefactEntry &entry : parts.entries)
    entry.kernels = kernels;
  auto artefact = openArtefactBytes(*writeArtefact(parts));
  ASSERT_TRUE(artefact.ok()) << artefact.status().message();
  auto program = Program::load(*artefact, weightsFromTensors({{"w", {w + 1, DataType::F32, {4}}}}));
  ASSERT_TRUE(program.ok()) << program.status().message();
  EXPECT_EQ((*program)->entry(1)->staticAddress(1), (*program)->entry(2)->staticAddress(1));
  EXPECT_EQ((*program)->persistentBytes(), 16 + 16); // packed, and the copy
  for (size_t entry : {1, 2})
    EXPECT_EQ(scaled((*program)->entry(entry)), byWeight);
}

TEST(Entries, ErrorsListTheNames) {
  auto artefact = *openArtefactBytes(cpuArtefact());
  expectError(findEntry(*artefact, "main").status(), ErrorKind::NotFound,
              "has no entry 'main'; its entries are 'prefill', 'decode', 'plain'");
  expectError(findEntry(*artefact, "").status(), ErrorKind::InvalidArgument,
              "has the entries 'prefill', 'decode', 'plain': say which");
  EXPECT_EQ((*findEntry(*artefact, "decode"))->name, "decode");
  auto single = *openArtefactBytes(modelArtefact());
  EXPECT_EQ((*findEntry(*single, ""))->name, "main");
  expectError(findEntry(*single, "decode").status(), ErrorKind::NotFound, "no entry 'decode'; its entry is 'main'");
  expectError(load(cpuArtefact())->find("x").status(), ErrorKind::NotFound, "has no entry 'x'");
  EXPECT_EQ(scaled(*Executable::load(artefact, nullptr, 0, "plain")), byWeight);
  auto without = Program::load(*openArtefactBytes(*writeArtefact({artefact->entries})));
  expectError(without.status(), ErrorKind::NotFound, "entry 'prefill': artefact in memory: weight 'w' is needed");
}

TEST(Entries, ManifestsThatAreNone) {
  LaunchPlan plan = modelPlan(), other = plan;
  auto write = [&](std::vector<NamedPlan> plans) { return writeManifest(plans).status(); };
  expectError(write({}), ErrorKind::Corrupt, "it has no entries");
  expectError(write({{"a/b", &plan}}), ErrorKind::Corrupt, "the name of entry 'a/b' must be letters");
  expectError(write({{"a", &plan}, {"a", &plan}}), ErrorKind::Corrupt, "there are two entries 'a'");
  other.target = "cpu:haswell";
  expectError(write({{"a", &plan}, {"b", &other}}), ErrorKind::Corrupt,
              "entry 'b' is for 'cpu:haswell', entry 'a' for 'cpu'");
  other = plan;
  other.values[1].dtype = DataType::F16;
  expectError(write({{"a", &plan}, {"b", &other}}), ErrorKind::Corrupt, "the weight 'w' has another type in entry 'b'");
  other = plan;
  plan.values[2].name = other.values[2].name = "packed";
  other.values[2].shape = {Expr::constant(5)};
  expectError(write({{"a", &plan}, {"b", &other}}), ErrorKind::Corrupt,
              "the persistent 'packed' has another type in entry 'b'");
  auto read = [](const char *text) { return readManifest(text).status(); };
  expectError(read("[]"), ErrorKind::Corrupt, "manifest: not a JSON object");
  expectError(read(R"({"format": 6})"), ErrorKind::Unsupported, "manifest: format 6, this runtime reads 1 to 5");
  expectError(read(R"({"format": 4, "plans": []})"), ErrorKind::Corrupt, "and an array 'entries'");
  expectError(read(R"({"format": 4, "entries": []})"), ErrorKind::Corrupt, "it has no entries");
  expectError(read(R"({"format": 4, "entries": [{"name": 1, "plan": {}}]})"), ErrorKind::Corrupt,
              "entry 0 is no object of 'name' and 'plan'");
  expectError(read(R"({"format": 4, "entries": [{"name": "a", "plan": {}}]})"), ErrorKind::Corrupt,
              "entry 'a': launch plan: field 'format' is missing");
  std::string good = *writeManifest({{"a", &plan}, {"b", &plan}});
  auto again = readManifest(good);
  ASSERT_TRUE(again.ok()) << again.status().message();
  EXPECT_EQ(*writeManifest({{"a", &(*again)[0].second}, {"b", &(*again)[1].second}}), good);
}

TEST(Entries, CApi) {
  std::string bytes = cpuArtefact();
  tenon_artefact *artefact = nullptr;
  tenon_executable *first = nullptr, *plain = nullptr;
  ASSERT_EQ(tenon_artefact_open_bytes(bytes.data(), bytes.size(), &artefact), nullptr);
  ASSERT_EQ(tenon_executable_load(artefact, nullptr, &first), nullptr);
  ASSERT_EQ(tenon_executable_num_entries(first), 3u);
  EXPECT_STREQ(tenon_executable_entry_name(first, 1), "decode");
  EXPECT_EQ(tenon_executable_entry_name(first, 3), nullptr);
  ASSERT_EQ(tenon_executable_entry(first, "plain", &plain), nullptr);
  EXPECT_EQ(tenon_executable_persistent_bytes(first), 16);
  tenon_error *error = tenon_executable_entry(first, "plane", &plain);
  ASSERT_NE(error, nullptr);
  EXPECT_EQ(tenon_error_get_kind(error), TENON_NOT_FOUND);
  EXPECT_NE(std::string(tenon_error_message(error)).find("its entries are 'prefill', 'decode', 'plain'"),
            std::string::npos);
  tenon_error_free(error);
  error = tenon_executable_entry(first, nullptr, &plain);
  EXPECT_EQ(tenon_error_get_kind(error), TENON_INVALID_ARGUMENT);
  tenon_error_free(error);
  // A handle is by itself: the others may go.
  tenon_executable_free(first);
  tenon_artefact_free(artefact);
  tenon_context *context = nullptr;
  ASSERT_EQ(tenon_context_create(plain, &context), nullptr);
  float x[4] = {1, 2, 3, 4}, y[4], z[4];
  int64_t n = 0;
  const int64_t shape[] = {1, 4};
  auto tensor = [&](void *data, int32_t dtype, int32_t rank) {
    return tenon_tensor{sizeof(tenon_tensor), data, dtype, rank, shape, nullptr, TENON_HOST, 0};
  };
  tenon_tensor inputs[] = {tensor(x, TENON_F32, 2)};
  tenon_tensor outputs[] = {tensor(y, TENON_F32, 2), tensor(z, TENON_F32, 2), tensor(&n, TENON_I64, 0)};
  ASSERT_EQ(tenon_context_run(context, inputs, 1, outputs, 3), nullptr);
  EXPECT_EQ(std::vector<float>(y, y + 4), byWeight);
  tenon_context_free(context);
  tenon_executable_free(plain);
}

//===--- on a GPU ------------------------------------------------------------------------------------------------===//

namespace {
class CudaEntries : public testing::Test {
protected:
  CudaEntries() { addModelKernels(fake); }
  void TearDown() override {
    EXPECT_EQ(fake.live(), 0);
    EXPECT_STREQ(fake.violations(), "");
  }
  FakeCuda fake;
};
} // namespace

TEST_F(CudaEntries, AWeightIsUploadedOnceAndPackedOnce) {
  for (bool isSame : {true, false}) {
    int uploads = fake.calls("cuMemcpyHtoDAsync_v2"), launches = fake.calls("cuLaunchKernelEx");
    auto program = load(gpuArtefact(isSame));
    EXPECT_EQ(fake.calls("cuMemcpyHtoDAsync_v2") - uploads, 1);
    EXPECT_EQ(fake.calls("cuLaunchKernelEx") - launches, isSame ? 1 : 2);
    EXPECT_EQ(scaled(program->entry(0)), byPacked);
    EXPECT_EQ(scaled(program->entry(1)), byPacked);
    EXPECT_EQ(scaled(program->entry(2)), byWeight);
    EXPECT_EQ(program->entry(0)->staticAddress(2) == program->entry(1)->staticAddress(2), isSame);
  }
}

TEST_F(CudaEntries, WhatOneReadsAtLoadAndAnotherAtCallsStays) {
  auto plain = load(gpuArtefact())->entry(2); // the memory is the first entry's, which has gone
  EXPECT_EQ(scaled(plain), byWeight);
  auto decode = load(gpuArtefact())->entry(1);
  EXPECT_EQ(scaled(decode), byPacked);
}

TEST_F(CudaEntries, WhatOnlyLaunchesAtLoadReadGoesAfterTheLastEntry) {
  ArtefactParts parts = {entriesOf(cudaModelPlan(), /*isSamePacking=*/false)};
  parts.entries.pop_back();
  std::string weights = modelWeights();
  parts.weights = weights;
  for (ArtefactEntry &entry : parts.entries)
    entry.cubins = {{"model", modelCubin}};
  int uploads = fake.calls("cuMemcpyHtoDAsync_v2");
  auto program = load(*writeArtefact(parts));
  EXPECT_EQ(fake.calls("cuMemcpyHtoDAsync_v2") - uploads, 1);
  EXPECT_EQ(program->entry(0)->staticAddress(1), nullptr);
  EXPECT_EQ(program->entry(1)->staticAddress(1), nullptr);
  EXPECT_EQ(scaled(program->entry(1)), byPacked);
}

TEST_F(CudaEntries, GraphsOfSeveralEntriesRunSideBySide) {
  auto program = load(gpuArtefact());
  std::vector<std::unique_ptr<Context>> contexts;
  std::vector<std::shared_ptr<cuda::Graph>> graphs;
  cuda::Device &device = program->entry(0)->cuda()->device();
  DeviceTensors tensors(device, 3);
  for (size_t entry : {0, 1, 2}) {
    contexts.push_back(std::make_unique<Context>(program->entry(entry)));
    auto graph = contexts.back()->capture(tensors.inputs());
    ASSERT_TRUE(graph.ok()) << graph.status().message();
    graphs.push_back(*graph);
  }
  for (size_t entry : {0, 1}) {
    ASSERT_TRUE(graphs[entry]->run(tensors.inputs(), tensors.outputs()).ok());
    ASSERT_TRUE(contexts[entry]->synchronize().ok());
    tensors.check();
  }
}

TEST_F(CudaEntries, EachCallOfTheDriverFailsOnceWhileEntriesAreLoaded) {
  std::string bytes = gpuArtefact(false);
  for (const char *function : {"cuMemAlloc_v2", "cuMemcpyHtoDAsync_v2", "cuLaunchKernelEx", "cuStreamSynchronize",
                               "cuModuleLoadData", "cuStreamCreate"})
    for (int nth = 1; nth <= 3; ++nth) {
      fake.reset();
      addModelKernels(fake);
      fake.fail(function, nth, 1 /* CUDA_ERROR_INVALID_VALUE */);
      auto program = Program::load(*openArtefactBytes(bytes));
      if (!program.ok())
        EXPECT_NE(program.status().message().find("entry '"), std::string::npos) << program.status().message();
      else // it is called less often
        EXPECT_EQ((*program)->numEntries(), 3u);
    }
}
