// A launch that updates an operand: with the operand's memory for the result, with memory of its own, in a graph; on
// the fake driver. The model is a cache of rows that one row is put into.
#include "test/unit/CudaModel.h"

#include <gtest/gtest.h>

#include <cstring>

using namespace tenon;
using namespace tenon::test;

/// Values: 0 cache [8, 4] input, 1 row [4] input, 2 the cache with the row as its last, output, 3 sum of both, output.
static LaunchPlan cachePlan() {
  LaunchPlan plan;
  plan.format = LaunchPlan::updatesFormat;
  plan.compiler = "test";
  plan.target = "cuda:sm_90a";
  const char *names[] = {"cache", "row", "next", "sum"};
  for (int64_t id = 0; id < 4; ++id) {
    PlanValue value;
    value.id = id;
    value.kind = id < 2 ? ValueKind::Input : ValueKind::Output;
    value.name = names[id];
    value.shape = {Expr::constant(4)};
    if (id == 0 || id == 2)
      value.shape.insert(value.shape.begin(), Expr::constant(8));
    plan.values.push_back(value);
  }
  plan.inputs = {0, 1};
  plan.outputs = {2, 3};
  plan.launches = {{"put", {0, 1}, {2}, {}}, {"sum", {2}, {3}, {}}};
  plan.launches[0].programmatic = true;
  for (const char *name : {"put", "sum"}) {
    PlanKernel &kernel = plan.kernels[name];
    kernel.symbol = std::string("fake_") + name;
    kernel.cuda.emplace();
    kernel.cuda->cubin = "cache";
  }
  plan.kernels["put"].updates = {0};
  plan.values[2].over = 0;
  return plan;
}

static void put(const FakeLaunch &launch) {
  std::memcpy(launch.get<float *>(2) + 28, launch.get<const float *>(1), 16);
}

static void sum(const FakeLaunch &launch) {
  auto *cache = launch.get<const float *>(0);
  for (int i = 0; i < 4; ++i) {
    launch.get<float *>(1)[i] = 0;
    for (int row = 0; row < 8; ++row)
      launch.get<float *>(1)[i] += cache[4 * row + i];
  }
}

namespace {
class Updates : public testing::Test {
protected:
  Updates() {
    static const size_t four[] = {8, 8, 8, 8, 0}, three[] = {8, 8, 8, 0};
    fake.addKernel("fake_put", put, four);
    fake.addKernel("fake_sum", sum, three);
    std::map<std::string, std::string_view> cubins = {{"cache", "FAKE\nfake_put\nfake_sum"}};
    auto loaded = Executable::createCuda(cachePlan(), cubins, "", nullptr, 0);
    EXPECT_TRUE(loaded.ok()) << loaded.status().message();
    exe = *loaded;
    cache = make({8, 4});
    row = make({4});
    next = make({8, 4});
    total = make({4});
    std::fill_n(floats(cache), 32, 1.0f);
    std::fill_n(floats(row), 4, 10.0f);
  }
  void TearDown() override {
    memories.clear();
    exe.reset();
    EXPECT_EQ(fake.live(), 0);
    EXPECT_STREQ(fake.violations(), "");
  }
  TensorRef make(std::vector<int64_t> shape) {
    TensorRef tensor{nullptr, DataType::F32, std::move(shape), 0};
    auto memory = exe->cuda()->device().allocate(tensor.bytes(), "a test");
    EXPECT_TRUE(memory.ok());
    tensor.data = memory->data();
    memories.push_back(memory.take());
    return tensor;
  }
  static float *floats(const TensorRef &tensor) { return static_cast<float *>(tensor.data); }
  int copies() { return fake.calls("cuMemcpyDtoDAsync_v2"); }

  FakeCuda fake;
  std::shared_ptr<const Executable> exe;
  std::vector<cuda::Memory> memories;
  TensorRef cache, row, next, total;
};
} // namespace

TEST_F(Updates, InTheMemoryOfTheOperandNothingIsCopied) {
  Context context(exe);
  for (int call = 0; call < 2; ++call)
    ASSERT_TRUE(context.run({cache, row}, {cache, total}).ok());
  ASSERT_TRUE(context.synchronize().ok());
  EXPECT_EQ(copies(), 0);
  EXPECT_EQ(floats(cache)[27], 1);
  EXPECT_EQ(floats(cache)[28], 10);
  EXPECT_EQ(floats(total)[0], 7 * 1 + 10);
}

TEST_F(Updates, InMemoryOfItsOwnTheRestIsCopied) {
  Context context(exe);
  ASSERT_TRUE(context.run({cache, row}, {next, total}).ok());
  ASSERT_TRUE(context.synchronize().ok());
  EXPECT_EQ(copies(), 1);
  EXPECT_EQ(floats(cache)[28], 1);
  EXPECT_EQ(floats(next)[28], 10);
  EXPECT_EQ(floats(total)[3], 7 * 1 + 10);
  std::vector<float> host(32, 2), result(32), sums(4);
  TensorRef onHost{host.data(), DataType::F32, {8, 4}};
  ASSERT_TRUE(context.run({onHost, row}, {onHost, {sums.data(), DataType::F32, {4}}}).ok());
  EXPECT_EQ(host[0], 2);
  EXPECT_EQ(host[31], 10);
  EXPECT_EQ(sums[1], 7 * 2 + 10);
}

TEST_F(Updates, AnythingElseOverlapsAsEver) {
  Context context(exe);
  auto message = [&](std::vector<TensorRef> outputs) { return context.run({cache, row}, outputs).message(); };
  TensorRef shifted = cache;
  shifted.data = floats(cache) + 4;
  EXPECT_NE(message({shifted, total}).find("or all of that input's"), std::string::npos);
  EXPECT_NE(message({next, row}).find("output 1 'sum' overlaps input 1 'row': give it memory of its own"),
            std::string::npos);
}

TEST_F(Updates, AGraphUsesTheCacheWhereItLies) {
  Context context(exe);
  auto graph = context.capture({cache, row});
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  EXPECT_EQ((*graph)->inputs()[0].data, cache.data);
  EXPECT_EQ((*graph)->outputs()[0].data, cache.data);
  int before = copies();
  ASSERT_TRUE((*graph)->run({cache, row}, {cache, total}).ok());
  EXPECT_EQ(copies() - before, 2); // the row in, the sum out
  ASSERT_TRUE(context.synchronize().ok());
  EXPECT_EQ(floats(cache)[31], 10);
  EXPECT_EQ(floats(total)[0], 17);

  std::vector<float> host(32, 3); // a cache in host memory: the graph has memory of its own for it
  auto own = context.capture({{host.data(), DataType::F32, {8, 4}}, row});
  ASSERT_TRUE(own.ok()) << own.status().message();
  EXPECT_EQ((*own)->inputs()[0].data, (*own)->outputs()[0].data);
  ASSERT_TRUE((*own)->run({{host.data(), DataType::F32, {8, 4}}, row}, {next, total}).ok());
  ASSERT_TRUE(context.synchronize().ok());
  EXPECT_EQ(floats(next)[0], 3);
  EXPECT_EQ(floats(next)[31], 10);
}

TEST_F(Updates, AGraphWithoutTheUpdateCopiesNothingEither) {
  Context context(exe);
  std::vector<float> host(32, 3); // the graph has memory of its own for the cache
  auto graph = context.capture({{host.data(), DataType::F32, {8, 4}}, row}, {"put"});
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  ASSERT_TRUE((*graph)->run({{host.data(), DataType::F32, {8, 4}}, row}, {next, total}).ok());
  ASSERT_TRUE(context.synchronize().ok());
  EXPECT_EQ(floats(next)[31], 3);
  EXPECT_EQ(floats(total)[0], 8 * 3);
}

TEST(UpdatesPlan, IsReadAndJudged) {
  LaunchPlan plan = cachePlan();
  auto read = readLaunchPlan(writeLaunchPlan(plan));
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(read->values[2].over, 0);
  EXPECT_EQ(read->kernels.at("put").updates, std::vector<int64_t>{0});

  auto message = [](LaunchPlan plan) { return validateLaunchPlan(plan).message(); };
  auto changed = [&](auto change) {
    LaunchPlan copy = plan;
    change(copy);
    return message(copy);
  };
  const char *none = "is said to be over value 0, which is no input that it updates and nothing reads after it";
  EXPECT_NE(changed([](LaunchPlan &p) { p.launches[1].operands = {0}; }).find(none), std::string::npos);
  EXPECT_NE(changed([](LaunchPlan &p) { p.kernels["put"].updates.clear(); }).find(none), std::string::npos);
  EXPECT_NE(changed([](LaunchPlan &p) { p.values[3].over = 1; }).find("is said to be over value 1"), std::string::npos);
  EXPECT_NE(changed([](LaunchPlan &p) { p.values[0].over = 1; }).find("is said to be over value 1"), std::string::npos);
  EXPECT_NE(changed([](LaunchPlan &p) { p.kernels["put"].updates = {2}; }).find("a result updates operand 2"),
            std::string::npos);
  EXPECT_NE(changed([](LaunchPlan &p) { p.kernels["put"].updates = {0, 0}; }).find("says of 2 results"),
            std::string::npos);
  EXPECT_NE(changed([](LaunchPlan &p) { p.format = LaunchPlan::cudaFormat; }).find("which format 2 cannot say"),
            std::string::npos);
  LaunchPlan copied = plan; // the old cache is an output too: it is read at the end
  PlanValue value = copied.values[0];
  value.id = 4;
  value.kind = ValueKind::Output;
  value.source = 0;
  copied.values.push_back(value);
  copied.outputs.push_back(4);
  EXPECT_NE(message(copied).find(none), std::string::npos);
}
