// Graphs without some kernels' launches, which are for measuring: what is left runs as ever; on the fake driver.
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

TEST_F(GraphsWithout, WhatIsLeftFindsWhatLiesInMemory) {
  Context context(*loadCudaModel());
  ModelTensors tensors(6), other(6);
  std::fill(other.x.begin(), other.x.end(), 100.0f);
  ASSERT_TRUE(captured(context, {})->run(tensors.inputs(), tensors.outputs()).ok());
  tensors.check();
  auto withoutAdd = captured(context, {"add"}), withoutScale = captured(context, {"scale"});
  ASSERT_TRUE(withoutAdd->run(other.inputs(), other.outputs()).ok());
  EXPECT_EQ(other.y, tensors.y); // of the sum that the whole graph left
  EXPECT_EQ(other.z, other.x);   // copies are no launches
  EXPECT_EQ(other.n, 6);
  ASSERT_TRUE(withoutScale->run(other.inputs(), {}).ok());
  ASSERT_TRUE(withoutAdd->run({}, other.outputs()).ok());
  EXPECT_EQ(other.y[5], 2 * 100 * 2 * 2); // of the sum that the other graph left
}

TEST_F(GraphsWithout, WhatALaunchZeroesGoesWithIt) {
  Context context(*loadCudaModel());
  int before = fake.calls("cuMemsetD8Async");
  captured(context, {"add"});
  EXPECT_EQ(fake.calls("cuMemsetD8Async"), before);
  captured(context, {"scale"});
  EXPECT_EQ(fake.calls("cuMemsetD8Async"), before + 1);
}

TEST_F(GraphsWithout, NoLaunchIsLeft) {
  Context context(*loadCudaModel());
  ModelTensors tensors(6);
  int before = fake.calls("cuLaunchKernelEx");
  auto graph = captured(context, {"scale", "add", "add"});
  EXPECT_EQ(fake.calls("cuLaunchKernelEx"), before);
  ASSERT_TRUE(graph->run(tensors.inputs(), tensors.outputs()).ok());
  EXPECT_EQ(tensors.z, tensors.x);
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
