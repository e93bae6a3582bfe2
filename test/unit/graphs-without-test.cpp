// Graphs without some kernels' launches, which are for measuring: what is left reads what a whole call gave, and runs
// as ever; on the fake driver.
// Counters and updates in them: counters-test.cpp, updates-test.cpp.
#include "test/unit/CudaModel.h"

#include <gtest/gtest.h>

using namespace tenon;
using namespace tenon::test;

namespace {
class GraphsWithout : public testing::Test {
protected:
  GraphsWithout() { addModelKernels(fake); }
  void TearDown() override {
    EXPECT_EQ(fake.live(), 0);
    EXPECT_STREQ(fake.violations(), "");
  }
  auto captured(Context &context, const std::vector<std::string> &without) {
    auto graph = context.capture(ModelTensors(6).inputs(), without);
    EXPECT_TRUE(graph.ok()) << graph.status().message();
    return *graph;
  }
  FakeCuda fake;
};
} // namespace

TEST_F(GraphsWithout, WhatIsLeftReadsResultsOfACall) {
  Context context(*loadCudaModel());
  auto withoutAdd = captured(context, {"add"}), withoutScale = captured(context, {"scale"});
  ModelTensors first(6), other(6);
  ASSERT_TRUE(captured(context, {})->run(first.inputs(), first.outputs()).ok());
  first.check();
  std::fill(other.x.begin(), other.x.end(), 100.0f);
  for (int repeat = 0; repeat < 2; ++repeat) {
    ASSERT_TRUE(withoutScale->run(other.inputs(), {}).ok()); // writes sums where those of calls are
    ASSERT_TRUE(withoutAdd->run(other.inputs(), other.outputs()).ok());
    EXPECT_EQ(other.y, first.y);
    EXPECT_EQ(other.z, other.x); // copies are no launches
    EXPECT_EQ(other.n, 6);
  }
}

TEST_F(GraphsWithout, WhatALaunchZeroesGoesWithIt) {
  Context context(*loadCudaModel());
  int before = fake.calls("cuMemsetD8Async");
  captured(context, {"add"});
  EXPECT_EQ(fake.calls("cuMemsetD8Async"), before + 1); // of the call
  captured(context, {"scale"});
  EXPECT_EQ(fake.calls("cuMemsetD8Async"), before + 3);
}

TEST_F(GraphsWithout, NoLaunchIsLeft) {
  Context context(*loadCudaModel());
  ModelTensors tensors(6);
  int before = fake.calls("cuLaunchKernelEx");
  auto graph = captured(context, {"scale", "add", "add"});
  EXPECT_EQ(fake.calls("cuLaunchKernelEx"), before + 2); // of the call
  ASSERT_TRUE(graph->run(tensors.inputs(), tensors.outputs()).ok());
  EXPECT_EQ(tensors.z, tensors.x);
}

TEST_F(GraphsWithout, MemoryThatIsShortIsAnError) {
  Context context(*loadCudaModel());
  ASSERT_TRUE(context.outputShapes(ModelTensors(6).inputs()).ok());
  for (const char *function : {"cuMemAlloc_v2", "cuMemcpyDtoDAsync_v2"}) {
    fake.fail(function, 0, 2);
    EXPECT_FALSE(context.capture(ModelTensors(6).inputs(), {"add"}).ok()) << function;
    fake.fail(function, 0, 0);
  }
  ModelTensors tensors(6);
  ASSERT_TRUE(context.run(tensors.inputs(), tensors.outputs()).ok());
  tensors.check();
}

TEST_F(GraphsWithout, AnErrorListsWhatACallLaunches) {
  auto messageOf = [](Context &context, const char *name, ErrorKind kind) {
    Status status = context.capture(ModelTensors(6).inputs(), {"add", name}).status();
    EXPECT_EQ(status.kind(), kind);
    return status.message();
  };
  Context context(*loadCudaModel()), onCpu(*Executable::load(*openArtefactBytes(modelArtefact())));
  for (const char *name : {"", "scale_plain", "pack", "ad"}) // a fallback and one of loading are none of a call's
    EXPECT_EQ(messageOf(context, name, ErrorKind::NotFound),
              "a call launches no kernel '" + std::string(name) + "'; it launches add, scale");
  EXPECT_EQ(fake.calls("cuStreamBeginCapture_v2"), 0);
  EXPECT_NE(messageOf(onCpu, "add", ErrorKind::Unsupported).find("graphs are for models on a GPU"), std::string::npos);
}
