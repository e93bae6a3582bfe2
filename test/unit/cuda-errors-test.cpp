// What goes wrong on a GPU: memory that is short, kernels that break the context, and each call of the driver made to
// fail once and always, with every error typed and nothing left behind.
#include "test/unit/CudaModel.h"

#include <gtest/gtest.h>

#include <thread>

using namespace tenon;
using namespace tenon::test;

namespace {
class CudaErrors : public testing::Test {
protected:
  CudaErrors() { addModelKernels(fake); }
  void TearDown() override {
    EXPECT_EQ(fake.live(), 0);
    EXPECT_EQ(fake.leaked(), 0);
    EXPECT_STREQ(fake.violations(), "");
  }
  FakeCuda fake;
};
} // namespace

TEST_F(CudaErrors, ShortOfMemoryIsTriedAgainWithoutCaches) {
  auto device = *cuda::Device::open(0);
  fake.setMemory(1 << 20);
  ASSERT_TRUE(device->allocate(700 << 10, "a test").ok());
  EXPECT_EQ(fake.live(), 1); // kept for the next
  auto larger = device->allocate(900 << 10, "a test");
  EXPECT_TRUE(larger.ok()) << larger.status().message();
  EXPECT_EQ(fake.calls("cuMemAlloc_v2"), 3);
  auto never = device->allocate(2 << 20, "a test");
  ASSERT_FALSE(never.ok());
  EXPECT_EQ(never.status().kind(), ErrorKind::OutOfMemory);
  for (const char *text : {"no memory for 2097152 bytes of a test", "126976 of its 1048576 bytes are free"})
    EXPECT_NE(never.status().message().find(text), std::string::npos) << never.status().message();
  int64_t free = 0, total = 0;
  ASSERT_TRUE(device->memoryInfo(free, total).ok());
  EXPECT_EQ(free, 126976);
  EXPECT_EQ(total, 1048576);
}

TEST_F(CudaErrors, ACallThatIsShortOfMemoryIsAnErrorOfThisCallAlone) {
  auto exe = *loadCudaModel();
  Context context(exe);
  ModelTensors tensors(50);
  fake.setMemory(4 << 10);
  Status status = context.run(tensors.inputs(), tensors.outputs());
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.kind(), ErrorKind::OutOfMemory) << status.message();
  fake.setMemory(1 << 20);
  status = context.run(tensors.inputs(), tensors.outputs());
  ASSERT_TRUE(status.ok()) << status.message();
  tensors.check();
}

TEST_F(CudaErrors, FatalErrorsNameTheFirstAndItsKernelEverAfter) {
  auto exe = *loadCudaModel(), other = *loadCudaModel(1);
  Context context(exe), second(exe), elsewhere(other);
  ModelTensors tensors(2);
  ASSERT_TRUE(second.run(tensors.inputs(), tensors.outputs()).ok());
  fake.failKernel("fake_scale", cuda::CUDA_ERROR_ILLEGAL_ADDRESS);
  Status first = context.run(tensors.inputs(), tensors.outputs());
  ASSERT_FALSE(first.ok());
  EXPECT_EQ(first.kind(), ErrorKind::Device);
  for (const char *text : {"cuda:0 (Fake GPU)", "(700)", "one of the launches from kernel 'add' to kernel 'scale'",
                           "The GPU is lost to this process", "TENON_CHECK=1"})
    EXPECT_NE(first.message().find(text), std::string::npos) << text << " | " << first.message();
  fake.failKernel("fake_scale", 0);
  for (Context *later : {&context, &second})
    EXPECT_EQ(later->run(tensors.inputs(), tensors.outputs()).message(), first.message());
  EXPECT_EQ(context.synchronize().message(), first.message());
  EXPECT_EQ(context.capture(tensors.inputs()).status().message(), first.message());
  EXPECT_EQ(loadCudaModel().status().kind(), ErrorKind::Device);
  EXPECT_TRUE(elsewhere.run(tensors.inputs(), tensors.outputs()).ok()); // the other GPU is not concerned
}

TEST_F(CudaErrors, CheckingNamesTheKernel) {
  setenv("TENON_CHECK", "1", 1);
  Context context(*loadCudaModel());
  unsetenv("TENON_CHECK");
  ModelTensors tensors(2);
  fake.failKernel("fake_add", 719);
  Status status = context.run(tensors.inputs(), tensors.outputs());
  EXPECT_NE(status.message().find("at kernel 'add'"), std::string::npos) << status.message();
}

// Everything a program does with a model, from load to end; the first error.
static Status wholeLife() {
  TENON_TRY_ASSIGN(std::shared_ptr<const Executable> exe, loadCudaModel());
  cuda::Device &device = exe->cuda()->device();
  std::vector<cuda::Memory> memories; // ends after the context, which waits for what it has queued
  Context context(exe);
  ModelTensors host(3);
  TENON_TRY(context.run(host.inputs(), host.outputs()));
  host.check();
  ModelTensors larger(90);
  TENON_TRY(context.run(larger.inputs(), larger.outputs()));
  TENON_TRY(context.timeLaunches(host.inputs(), host.outputs()).status());
  TENON_TRY_ASSIGN(std::shared_ptr<cuda::Graph> graph, context.capture(host.inputs()));
  TENON_TRY(graph->run(host.inputs(), host.outputs()));
  cuda::Stream stream;
  {
    cuda::Current current(device);
    TENON_TRY(current.status);
    TENON_TRY_ASSIGN(stream, cuda::makeStream(device));
  }
  TENON_TRY(context.setStream(stream.get()));
  TENON_TRY(context.run(host.inputs(), host.outputs()));
  TENON_TRY(graph->run({}, host.outputs()));
  host.check();

  // What is queued on one stream and goes on on others.
  std::vector<TensorRef> outputs = host.outputs();
  for (TensorRef &output : outputs) {
    TENON_TRY_ASSIGN(cuda::Memory memory, device.allocate(output.bytes(), "a test"));
    output.data = memory.data();
    output.device = device.index();
    memories.push_back(std::move(memory));
  }
  for (cuda::CUstream on : {stream.get(), cuda::CUstream()}) {
    TENON_TRY(context.setStream(on));
    TENON_TRY(context.run(graph->inputs(), outputs));
  }
  TENON_TRY(context.setStream(stream.get()));
  TENON_TRY(context.synchronize());

  // A kernel of which the driver says how many clusters run at once.
  LaunchPlan plan = cudaModelPlan();
  plan.kernels["add"].cuda->waveCtas = 1;
  TENON_TRY_ASSIGN(std::shared_ptr<const Artefact> artefact, openArtefactBytes(cudaModelArtefact(plan)));
  TENON_TRY(Executable::load(artefact, nullptr, 0).status());
  int64_t free = 0, total = 0;
  return device.memoryInfo(free, total);
}

TEST_F(CudaErrors, EveryCallFailsOnceAndAlways) {
  ASSERT_TRUE(wholeLife().ok());
  std::map<std::string, int> counts;
#define TENON_COUNT(name, symbol, parameters) counts[#symbol] = fake.calls(#symbol);
  TENON_CUDA_FUNCTIONS(TENON_COUNT)
#undef TENON_COUNT
  for (const char *cleaning : {"cuGetErrorName", "cuGetErrorString"}) // only called after an error
    counts[cleaning] = 1;
  for (const char *start : {"cuInit", "cuDriverGetVersion"}) // once a process; cuda-driver-test.cpp has their failures
    counts.erase(start);
  for (const auto &[function, count] : counts)
    EXPECT_GT(count, 0) << function << " is no part of a whole life";
  struct Injected {
    int result;
    ErrorKind kind;
  } results[] = {{cuda::CUDA_ERROR_INVALID_VALUE, ErrorKind::Internal},
                 {cuda::CUDA_ERROR_OUT_OF_MEMORY, ErrorKind::OutOfMemory},
                 {cuda::CUDA_ERROR_ILLEGAL_ADDRESS, ErrorKind::Device}};
  int runs = 0, failures = 0;
  for (const auto &[function, count] : counts)
    for (int nth = 0; nth <= count; ++nth) // 0: always
      for (const Injected &injected : results) {
        fake.reset();
        fake.fail(function.c_str(), nth, injected.result);
        Status status = wholeLife();
        ++runs;
        failures += !status.ok();
        std::string what = function + " call " + std::to_string(nth) + ": " + status.message();
        if (!status.ok()) {
          // Counting GPUs fails before there is one.
          bool typed = status.kind() == injected.kind ||
                       (function == "cuDeviceGetCount" && status.kind() == ErrorKind::Unsupported);
          ASSERT_TRUE(typed) << what;
          ASSERT_NE(
              status.message().find(injected.kind == ErrorKind::OutOfMemory ? "" : std::to_string(injected.result)),
              std::string::npos)
              << what;
        }
        bool isAllocation = function == "cuMemAlloc_v2" || function == "cuMemHostAlloc";
        if (isAllocation && nth && injected.kind == ErrorKind::OutOfMemory)
          ASSERT_TRUE(status.ok()) << what; // once is mended
        ASSERT_EQ(fake.leaked(), 0) << what << "\n" << fake.violations();
        ASSERT_STREQ(fake.violations(), "") << what;
        ASSERT_EQ(fake.live(), 0) << what;
      }
  fake.reset();
  EXPECT_TRUE(wholeLife().ok()); // and afterwards all is well
  std::printf("%d lives with a fault, %d ended in an error\n", runs, failures);
}

TEST_F(CudaErrors, RangesForProfilers) {
  LaunchPlan plan = cudaModelPlan();
  plan.kernels["add"].sources = {"model.py:7", "model.py:8"};
  plan.kernels["scale"].sources.clear();
  auto artefact = *openArtefactBytes(cudaModelArtefact(plan));
  Context context(*Executable::load(artefact, nullptr, 0));
  ModelTensors tensors(2);
  ASSERT_TRUE(context.run(tensors.inputs(), tensors.outputs()).ok());
  EXPECT_STREQ(fake.ranges(), "model.py:7 {} kernel 'scale' {} ");
}
