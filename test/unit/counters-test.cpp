// Counters that stay in a launch's workspace from launch to launch: nothing else is written there, whatever the sizes
// of a call, and they are zeroed once for each arena; on the fake driver.
#include "test/unit/CudaModel.h"

#include <gtest/gtest.h>

#include <cstring>

using namespace tenon;
using namespace tenon::test;

namespace {
constexpr int64_t counterBytes = 16;

/// Values: 0 x [n, 4] input; 1, 2 temporaries; 3 y, output. Each launch adds 1.
LaunchPlan countingPlan() {
  LaunchPlan plan;
  plan.format = LaunchPlan::cudaFormat;
  plan.compiler = "test";
  plan.target = "cuda:sm_90a";
  plan.dims = {{"n", 1, 1000}};
  for (int64_t id = 0; id < 4; ++id) {
    PlanValue value;
    value.id = id;
    value.kind = id == 0 ? ValueKind::Input : id == 3 ? ValueKind::Output : ValueKind::Temp;
    value.name = id == 0 ? "x" : id == 3 ? "y" : "";
    value.shape = {Expr::dimension("n"), Expr::constant(4)};
    plan.values.push_back(value);
  }
  plan.inputs = {0};
  plan.outputs = {3};
  Expr n = Expr::dimension("n");
  plan.launches = {{"count", {0}, {1}, {n}}, {"plain", {1}, {2}, {n}}, {"count_more", {2}, {3}, {n}}};
  for (const char *name : {"count", "plain", "count_more"}) {
    PlanKernel &kernel = plan.kernels[name];
    kernel.symbol = std::string(name) == "plain" ? "fake_plain" : "fake_count";
    kernel.cuda.emplace();
    kernel.cuda->cubin = "counting";
    kernel.scratch = Expr::constant(std::string(name) == "count" ? 512 : 2048);
    kernel.cuda->counterBytes = std::string(name) == "plain" ? 0 : counterBytes;
  }
  return plan;
}

void addOne(const FakeLaunch &launch) {
  for (int64_t i = 0; i < 4 * launch.get<int64_t>(2); ++i)
    launch.get<float *>(1)[i] = launch.get<const float *>(0)[i] + 1;
}

void count(const FakeLaunch &launch) {
  auto *workspace = launch.get<char *>(3);
  for (int64_t i = 0; i < counterBytes; ++i)
    EXPECT_EQ(workspace[i], 0) << i;
  std::memset(workspace + counterBytes, 0x55, 512 - counterBytes);
  addOne(launch);
}

void plain(const FakeLaunch &launch) {
  std::memset(launch.get<char *>(3), 0x77, 2048);
  addOne(launch);
}

class Counters : public testing::Test {
protected:
  Counters() {
    static const size_t four[] = {8, 8, 8, 8, 0};
    fake.addKernel("fake_count", count, four);
    fake.addKernel("fake_plain", plain, four);
  }
  void TearDown() override {
    EXPECT_EQ(fake.live(), 0);
    EXPECT_STREQ(fake.violations(), "");
  }
  static auto load(const LaunchPlan &plan) {
    std::map<std::string, std::string_view> cubins = {{"counting", "FAKE\nfake_count\nfake_plain"}};
    return Executable::createCuda(plan, cubins, "", nullptr, 0);
  }
  static void run(Context &context, int64_t n) {
    std::vector<float> x(4 * n, 2), y(4 * n);
    Status status = context.run({{x.data(), DataType::F32, {n, 4}}}, {{y.data(), DataType::F32, {n, 4}}});
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(y, std::vector<float>(4 * n, 5));
  }
  FakeCuda fake;
};
} // namespace

TEST_F(Counters, StayZeroFromCallToCall) {
  auto exe = *load(countingPlan());
  Context context(exe), other(exe);
  for (int64_t n : {3, 3, 1, 2})
    run(context, n);
  EXPECT_EQ(fake.calls("cuMemsetD8Async"), 1); // when its arena was made
  run(context, 500);                           // of another arena
  run(context, 3);
  EXPECT_EQ(fake.calls("cuMemsetD8Async"), 2);
  run(other, 3); // counters of its own
  EXPECT_EQ(fake.calls("cuMemsetD8Async"), 3);
  std::vector<float> x(12, 2), y(12);
  auto graph = context.capture({{x.data(), DataType::F32, {3, 4}}});
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  for (int repeat = 0; repeat < 2; ++repeat)
    ASSERT_TRUE((*graph)->run({{x.data(), DataType::F32, {3, 4}}}, {{y.data(), DataType::F32, {3, 4}}}).ok());
  EXPECT_EQ(y, std::vector<float>(12, 5));
  EXPECT_EQ(fake.calls("cuMemsetD8Async"), 3);
}

// A launch that is left out leaves its counters as they were.
TEST_F(Counters, StayZeroInGraphsWithoutKernels) {
  Context context(*load(countingPlan()));
  std::vector<float> x(12, 2), y(12);
  TensorRef from = {x.data(), DataType::F32, {3, 4}}, to = {y.data(), DataType::F32, {3, 4}};
  for (const char *kernel : {"count", "plain", "count_more"}) {
    auto graph = context.capture({from}, {kernel});
    ASSERT_TRUE(graph.ok()) << graph.status().message();
    for (int repeat = 0; repeat < 2; ++repeat)
      ASSERT_TRUE((*graph)->run({from}, {to}).ok());
    run(context, 3);
  }
}

// All launches of a kernel that is left out have the results of its last, here the sum of two.
TEST_F(Counters, AKernelOfTwoLaunchesIsLeftOut) {
  LaunchPlan plan = countingPlan();
  plan.launches[1].kernel = "count";
  plan.kernels.erase("plain");
  Context context(*load(plan));
  std::vector<float> x(12, 2), y(12);
  TensorRef from = {x.data(), DataType::F32, {3, 4}}, to = {y.data(), DataType::F32, {3, 4}};
  auto graph = context.capture({from}, {"count"});
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  std::fill(x.begin(), x.end(), 100.0f);
  ASSERT_TRUE((*graph)->run({from}, {to}).ok());
  EXPECT_EQ(y, std::vector<float>(12, 5));
}

TEST_F(Counters, PlansThatMakeNoSense) {
  LaunchPlan different = countingPlan();
  different.kernels["count"].cuda->counterBytes = 8;
  Status status = validateLaunchPlan(different);
  EXPECT_EQ(status.kind(), ErrorKind::Corrupt);
  EXPECT_NE(status.message().find("kernel 'count': 8 bytes of counters, expected 16"), std::string::npos)
      << status.message();
  for (bool isZeroed : {false, true}) {
    LaunchPlan plan = countingPlan();
    PlanKernel &kernel = plan.kernels["count"];
    if (isZeroed)
      kernel.cuda->zeroedBytes = Expr::constant(16);
    else
      kernel.scratch = Expr::constant(8);
    auto exe = load(plan);
    ASSERT_TRUE(exe.ok()) << exe.status().message();
    Context context(*exe);
    std::vector<float> x(4), y(4);
    Status ran = context.run({{x.data(), DataType::F32, {1, 4}}}, {{y.data(), DataType::F32, {1, 4}}});
    EXPECT_EQ(ran.kind(), ErrorKind::Corrupt);
    EXPECT_NE(ran.message().find("16 of counters makes no sense"), std::string::npos) << ran.message();
  }
  LaunchPlan plan = countingPlan();
  auto read = readLaunchPlan(writeLaunchPlan(plan));
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(read->kernels.at("count").cuda->counterBytes, counterBytes);
}
