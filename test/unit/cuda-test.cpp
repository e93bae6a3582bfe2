// Models on a GPU: calls, streams, graphs, several GPUs and threads, on the fake driver.
#include "test/unit/CudaModel.h"

#include "lib/Runtime/ShapePlan.h"
#include "lib/Runtime/Weights.h"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>

using namespace tenon;
using namespace tenon::test;

namespace {
class Cuda : public testing::Test {
protected:
  Cuda() { addModelKernels(fake); }
  // Whatever a test did, it leaves nothing behind and broke no rule of the driver.
  void TearDown() override {
    EXPECT_EQ(fake.live(), 0);
    EXPECT_STREQ(fake.violations(), "");
  }
  std::shared_ptr<const Executable> load(int device = 0) {
    auto exe = loadCudaModel(device);
    EXPECT_TRUE(exe.ok()) << exe.status().message();
    return *exe;
  }
  FakeCuda fake;
};

void expectError(const Status &status, ErrorKind kind, const char *text) {
  ASSERT_FALSE(status.ok()) << text;
  EXPECT_EQ(status.kind(), kind) << status.message();
  EXPECT_NE(status.message().find(text), std::string::npos) << status.message();
}
} // namespace

static void runOnHost(Context &context, int64_t batch) {
  ModelTensors tensors(batch);
  Status status = context.run(tensors.inputs(), tensors.outputs());
  ASSERT_TRUE(status.ok()) << status.message();
  tensors.check();
}

TEST_F(Cuda, HostTensorsForAllShapes) {
  Context context(load());
  for (int64_t batch : {1, 7, 100, 7, 1})
    runOnHost(context, batch);
  int64_t held = context.arenaBytes();
  EXPECT_GE(held, 2 * 100 * 16);
  runOnHost(context, 100);
  EXPECT_EQ(context.arenaBytes(), held);
  auto outputs = context.run(ModelTensors(3).inputs());
  ASSERT_TRUE(outputs.ok()) << outputs.status().message();
  EXPECT_EQ((*outputs)[0].shape, (std::vector<int64_t>{3, 4}));
}

TEST_F(Cuda, AKnownShapeAllocatesNothing) {
  Context context(load());
  DeviceTensors tensors(context.executable().cuda()->device(), 9);
  for (int i = 0; i < 3; ++i) {
    int before = fake.calls("cuMemAlloc_v2"), encoded = fake.calls("cuTensorMapEncodeTiled");
    ASSERT_TRUE(context.run(tensors.inputs(), tensors.outputs()).ok());
    if (i) {
      EXPECT_EQ(fake.calls("cuMemAlloc_v2"), before);
      EXPECT_EQ(fake.calls("cuTensorMapEncodeTiled"), encoded);
    }
  }
  ASSERT_TRUE(context.synchronize().ok());
}

TEST_F(Cuda, DeviceTensorsAreUsedInPlaceAndNobodyWaits) {
  Context context(load());
  DeviceTensors tensors(context.executable().cuda()->device(), 5);
  ASSERT_TRUE(context.outputShapes(tensors.inputs()).ok()); // makes what the first call needs
  int copies = fake.calls("cuMemcpyDtoDAsync_v2"), waits = fake.calls("cuStreamSynchronize");
  Status status = context.run(tensors.inputs(), tensors.outputs());
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(fake.calls("cuMemcpyDtoDAsync_v2") - copies, 2); // z and n are copies by the plan
  EXPECT_EQ(fake.calls("cuStreamSynchronize"), waits);
  EXPECT_NE(*static_cast<int64_t *>(tensors.n.data), 5); // not yet
  ASSERT_TRUE(context.synchronize().ok());
  tensors.check();
}

TEST_F(Cuda, TensorsMayBeginAnywhere) {
  Context context(load());
  DeviceTensors tensors(context.executable().cuda()->device(), 5, /*shift=*/8);
  ASSERT_TRUE(context.run(tensors.inputs(), tensors.outputs()).ok());
  ASSERT_TRUE(context.synchronize().ok());
  tensors.check();
  DeviceTensors larger(context.executable().cuda()->device(), 50, /*shift=*/8); // the copies grow under queued work
  ASSERT_TRUE(context.run(tensors.inputs(), tensors.outputs()).ok());
  ASSERT_TRUE(context.run(larger.inputs(), larger.outputs()).ok());
  ASSERT_TRUE(context.synchronize().ok());
  larger.check();
}

TEST_F(Cuda, WrongCallsNameArgumentGotAndExpected) {
  Context context(load());
  DeviceTensors tensors(context.executable().cuda()->device(), 2);
  auto run = [&](std::vector<TensorRef> inputs, std::vector<TensorRef> outputs) {
    return context.run(inputs, outputs);
  };
  TensorRef elsewhere = tensors.x, odd = tensors.x, five = tensors.x;
  elsewhere.device = 1;
  odd.data = static_cast<char *>(odd.data) + 2;
  five.shape = {2, 5};
  expectError(run({elsewhere}, tensors.outputs()), ErrorKind::InvalidArgument,
              "input 0 is in cuda:1, expected host memory or cuda:0, where the model is");
  expectError(run({odd}, tensors.outputs()), ErrorKind::InvalidArgument, "not aligned to its elements");
  expectError(run({five}, tensors.outputs()), ErrorKind::InvalidArgument, "has size 5 at axis 1, expected 4");
  expectError(run({tensors.x}, {tensors.x, tensors.z, tensors.n}), ErrorKind::InvalidArgument,
              "output 0 'y' overlaps input 0 'x'");
  elsewhere = tensors.y;
  elsewhere.device = 1;
  expectError(run({tensors.x}, {elsewhere, tensors.z, tensors.n}), ErrorKind::InvalidArgument, "output 0 is in cuda:1");

  auto cpu = Executable::load(*openArtefactBytes(modelArtefact()));
  Context onCpu(*cpu);
  expectError(onCpu.run(tensors.inputs(), tensors.outputs()), ErrorKind::InvalidArgument,
              "input 0 is in cuda:0, expected host memory: the model was compiled for the CPU");
  expectError(onCpu.capture(tensors.inputs()).status(), ErrorKind::Unsupported, "graphs are for models on a GPU");
  expectError(onCpu.setStream(nullptr), ErrorKind::Unsupported, "streams are for models on a GPU");
}

TEST_F(Cuda, LoadSaysWhatDoesNotFit) {
  auto load = [](const LaunchPlan &plan, const char *cubin = modelCubin,
                 std::shared_ptr<const WeightSource> weights = modelWeightSource()) {
    std::map<std::string, std::string_view> cubins;
    if (cubin)
      cubins["model"] = cubin;
    return Executable::createCuda(plan, cubins, "", weights, 0).status();
  };
  LaunchPlan plan = cudaModelPlan();
  EXPECT_TRUE(load(plan).ok());
  expectError(load(plan, nullptr), ErrorKind::NotFound, "there is no cubin 'model'");
  expectError(load(plan, "ELF"), ErrorKind::Unsupported, "cuModuleLoadData");
  expectError(load(plan, "FAKE\nfake_pack"), ErrorKind::NotFound, "symbol 'fake_add'");
  expectError(load(plan, modelCubin, nullptr), ErrorKind::NotFound, "no weights were given");
  fake.setCapability(8, 6);
  expectError(load(plan), ErrorKind::Unsupported, "compiled for sm_90a, cuda:0 (Fake GPU) is sm_86: compile the model");
  plan.target = "cuda:sm_80";
  EXPECT_TRUE(load(plan).ok());
  plan.target = "cuda:sm_89";
  expectError(load(plan), ErrorKind::Unsupported, "compiled for sm_89");
  fake.setCapability(9, 0);
  plan = cudaModelPlan();
  plan.launches[0].dims.clear();
  expectError(load(plan), ErrorKind::Corrupt, "its cubin has 8 bytes for parameter 4, the launch plan none");
  plan = cudaModelPlan();
  plan.kernels["scale"].cuda->tensorMaps.clear();
  expectError(load(plan), ErrorKind::Corrupt, "its cubin has 128 bytes for parameter 5, the launch plan none");
  plan = cudaModelPlan();
  plan.launches[1].dims.push_back(Expr::constant(1));
  expectError(load(plan), ErrorKind::Corrupt, "its cubin has 128 bytes for parameter 5, the launch plan 8 bytes");
  expectError(Executable::create(plan, nullptr, "", nullptr).status(), ErrorKind::InvalidArgument, "has cubins");
}

TEST_F(Cuda, ArtefactHoldsCubins) {
  auto artefact = openArtefactBytes(cudaModelArtefact());
  ASSERT_TRUE(artefact.ok()) << artefact.status().message();
  EXPECT_EQ((*artefact)->entries.front().cubins.at("model"), modelCubin);
  EXPECT_EQ(cudaModelArtefact(), cudaModelArtefact());
  ArtefactParts parts;
  parts.entries = {{"main", cudaModelPlan()}};
  expectError(writeArtefact(parts).status(), ErrorKind::Corrupt, "is in the cubin 'model', which is not there");
}

TEST_F(Cuda, WeightsOnTheGpuAreUsedInPlace) {
  LaunchPlan plan = cudaModelPlan();
  plan.launches[1].operands[1] = 1; // scale by the weight itself
  auto device = *cuda::Device::open(0);
  auto memory = device->allocate(64, "a test").take();
  auto *w = reinterpret_cast<float *>(memory.data());
  for (int shift : {0, 1}) {
    for (int i = 0; i < 4; ++i)
      w[i + shift] = static_cast<float>(i + 1);
    TensorRef weight{w + shift, DataType::F32, {4}, 0};
    auto exe = Executable::createCuda(plan, {{"model", modelCubin}}, "", weightsFromTensors({{"w", weight}}), 0);
    ASSERT_TRUE(exe.ok()) << exe.status().message();
    EXPECT_EQ((*exe)->staticAddress(1) == weight.data, shift == 0);
    Context context(*exe);
    ModelTensors tensors(3);
    ASSERT_TRUE(context.run(tensors.inputs(), tensors.outputs()).ok());
    EXPECT_EQ(tensors.y[3], 2 * 3 * 4);
  }
  TensorRef elsewhere{w, DataType::F32, {4}, 1};
  expectError(
      Executable::createCuda(plan, {{"model", modelCubin}}, "", weightsFromTensors({{"w", elsewhere}}), 0).status(),
      ErrorKind::InvalidArgument, "weight 'w' is on cuda:1, but the model is loaded on cuda:0");
  TensorRef here{w, DataType::F32, {4}, 0};
  expectError(Executable::load(*openArtefactBytes(modelArtefact(false)), weightsFromTensors({{"w", here}})).status(),
              ErrorKind::InvalidArgument, "compiled for the CPU: give it in host memory");
}

TEST_F(Cuda, LargeWeightsGoInChunks) {
  LaunchPlan plan;
  plan.format = LaunchPlan::cudaFormat;
  plan.target = "cuda:sm_90a";
  int64_t count = (20 << 20) / 4 + 3;
  PlanValue weight, copy;
  weight.kind = ValueKind::Weight;
  weight.name = "w";
  copy.id = 1;
  copy.kind = ValueKind::Output;
  copy.name = "y";
  copy.source = 0;
  weight.shape = copy.shape = {Expr::constant(count)};
  plan.values = {weight, copy};
  plan.outputs = {1};
  std::vector<float> w(static_cast<size_t>(count));
  for (size_t i = 0; i < w.size(); ++i)
    w[i] = static_cast<float>(i);
  TensorRef given{w.data(), DataType::F32, {count}};
  auto exe = Executable::createCuda(plan, {}, "", weightsFromTensors({{"w", given}}), 0);
  ASSERT_TRUE(exe.ok()) << exe.status().message();
  EXPECT_EQ(fake.calls("cuMemcpyHtoDAsync_v2"), 3);
  Context context(*exe);
  auto out = context.run(std::vector<TensorRef>{});
  ASSERT_TRUE(out.ok()) << out.status().message();
  EXPECT_EQ(std::memcmp((*out)[0].buffer.data(), w.data(), w.size() * 4), 0);
}

//===--- launches ------------------------------------------------------------------------------------------------===//

// Sizes that TMA cannot take go to the fallback, or are refused where there is none.
TEST_F(Cuda, TensorMapsThatCannotBeEncoded) {
  LaunchPlan plan = cudaModelPlan();
  auto &map = plan.kernels["scale"].cuda->tensorMaps[0];
  map.strides = {Expr::binary(Expr::Kind::Mul, Expr::dimension("d0"), Expr::constant(4))}; // 16 for a batch of 4
  map.sizes[1] = Expr::binary(Expr::Kind::Min, Expr::dimension("d0"), Expr::constant(1));
  std::map<std::string, std::string_view> cubins = {{"model", modelCubin}};
  auto weights = modelWeightSource();
  {
    auto exe = *Executable::createCuda(plan, cubins, "", weights, 0);
    Context context(exe);
    runOnHost(context, 5);
    const std::map<std::string, cuda::Kernel> &kernels = exe->cuda()->kernels();
    std::vector<int64_t> bytes(10, 1 << 20);
    auto prepare = [&](int64_t batch) {
      return cuda::prepareLaunch(
          exe->plan(), kernels, exe->plan().launches[1], [&](std::string_view) { return &batch; }, bytes);
    };
    EXPECT_EQ(prepare(4)->kernel, &kernels.at("scale"));
    EXPECT_EQ(prepare(5)->kernel, &kernels.at("scale_plain"));
    EXPECT_TRUE(prepare(0)->isEmpty);
    EXPECT_TRUE(prepare(0)->maps[0].isEmpty);
    bytes[5] = 15;
    expectError(prepare(4).status(), ErrorKind::Corrupt, "it reaches to byte 16 of 15");
  }
  plan.kernels["scale"].cuda->fallback.clear();
  Context context(*Executable::createCuda(plan, cubins, "", weights, 0));
  ModelTensors five(5);
  expectError(context.run(five.inputs(), five.outputs()), ErrorKind::Unsupported,
              "kernel 'scale': tensor map 0 of argument 0: stride 20 of dimension 1, expected a multiple of 16");
}

TEST_F(Cuda, TensorMapsThatRound) {
  static int type = -1;
  static const size_t parameters[] = {8, 8, 8, 8, 8, 128, 0};
  auto scale = [](const FakeLaunch &launch) { type = launch.get<FakeTensorMap>(5).type; };
  fake.addKernel("fake_scale", scale, parameters);
  LaunchPlan plan = cudaModelPlan();
  plan.format = LaunchPlan::tf32Format;
  plan.kernels["scale"].cuda->tensorMaps[0].roundsToTf32 = true;
  std::map<std::string, std::string_view> cubins = {{"model", modelCubin}};
  Context context(*Executable::createCuda(plan, cubins, "", modelWeightSource(), 0));
  ModelTensors three(3);
  ASSERT_TRUE(context.run(three.inputs(), three.outputs()).ok());
  EXPECT_EQ(type, 11); // CU_TENSOR_MAP_DATA_TYPE_TFLOAT32
}

TEST_F(Cuda, LaunchesThatMakeNoSense) {
  struct Case {
    std::function<void(PlanKernel &)> change;
    ErrorKind kind;
    const char *message;
  } cases[] = {
      {[](PlanKernel &k) { k.cuda->grid[0] = Expr::constant(3); }, ErrorKind::Corrupt, "in clusters of 2"},
      {[](PlanKernel &k) { k.cuda->grid[1] = Expr::constant(65536); }, ErrorKind::Corrupt, "expected 0 to 65535"},
      {[](PlanKernel &k) { k.cuda->grid[2] = Expr::constant(-1); }, ErrorKind::Corrupt, "a grid of -1 CTAs"},
      {[](PlanKernel &k) { k.cuda->sharedBytes = Expr::constant(232449); }, ErrorKind::Unsupported,
       "232449 bytes of dynamic shared memory, this GPU has 232448"},
      {[](PlanKernel &k) { k.cuda->zeroedBytes = Expr::constant(1 << 20); }, ErrorKind::Corrupt, "a workspace of"},
      {[](PlanKernel &k) { k.scratch = Expr::constant(-1); }, ErrorKind::Corrupt, "a workspace of -1 bytes"},
      {[](PlanKernel &k) { k.cuda->countedSizes = {Expr::constant(7), Expr::constant(int64_t(1) << 31)}; },
       ErrorKind::Unsupported, "kernel 'add': a dimension of 2147483648 elements, which it counts in 32 bits"},
      {[](PlanKernel &k) { k.cuda->grid[0] = Expr::dimension("d7"); }, ErrorKind::InvalidArgument,
       "kernel 'add': size expression names the unknown dimension 'd7'"},
  };
  for (const Case &c : cases) {
    LaunchPlan plan = cudaModelPlan();
    c.change(plan.kernels["add"]);
    auto exe = Executable::createCuda(plan, {{"model", modelCubin}}, "", modelWeightSource(), 0);
    ASSERT_TRUE(exe.ok()) << exe.status().message();
    Context context(*exe);
    ModelTensors tensors(2);
    expectError(context.run(tensors.inputs(), tensors.outputs()), c.kind, c.message);
  }
}

TEST_F(Cuda, ManyProgramsAreLaunchedAsOneWave) {
  LaunchPlan plan = cudaModelPlan();
  PlanCudaKernel &add = *plan.kernels["add"].cuda;
  auto gridsOf = [&](int64_t resident, std::array<int64_t, 3> cluster, std::vector<int64_t> batches) {
    add.waveCtas = resident;
    add.cluster = cluster;
    auto exe = *Executable::createCuda(plan, {{"model", modelCubin}}, "", modelWeightSource(), 0);
    EXPECT_EQ(exe->cuda()->device().numSms(), 5);
    std::vector<int64_t> bytes(10, 1 << 20);
    std::vector<unsigned int> grids;
    for (int64_t batch : batches) {
      auto sizes = [&](std::string_view) { return &batch; };
      auto launch = cuda::prepareLaunch(exe->plan(), exe->cuda()->kernels(), exe->plan().launches[0], sizes, bytes);
      grids.push_back(launch->config.gridDimX);
    }
    return grids;
  };
  using Grids = std::vector<unsigned int>;
  EXPECT_EQ(gridsOf(1, {1, 1, 1}, {1, 4, 1000}), (Grids{2, 4, 5}));
  EXPECT_EQ(gridsOf(2, {1, 1, 1}, {1, 4, 1000}), (Grids{2, 4, 10}));
  EXPECT_EQ(gridsOf(1, {2, 1, 1}, {1, 4, 1000}), (Grids{2, 2, 2})); // one of the parts has room for one cluster of 2
  for (int64_t resident : {0, 1, 3}) {
    add.waveCtas = resident;
    auto read = readLaunchPlan(writeLaunchPlan(plan));
    ASSERT_TRUE(read.ok()) << read.status().message();
    EXPECT_EQ(read->kernels.at("add").cuda->waveCtas, resident);
  }
  add.waveCtas = 40;
  expectError(readLaunchPlan(writeLaunchPlan(plan)).status(), ErrorKind::Corrupt, "40 resident CTAs, expected 1 to 32");
}

//===--- streams -------------------------------------------------------------------------------------------------===//

TEST_F(Cuda, CallsFollowEachOtherOverStreams) {
  auto exe = load();
  cuda::Device &device = exe->cuda()->device();
  cuda::Current current(device);
  Context context(exe);
  DeviceTensors a(device, 3), b(device, 3), c(device, 3);
  ASSERT_TRUE(context.run(a.inputs(), a.outputs()).ok());
  {
    auto stream = cuda::makeStream(device).take();
    ASSERT_TRUE(context.setStream(stream.get()).ok());
    ASSERT_TRUE(context.run(b.inputs(), b.outputs()).ok());
    EXPECT_EQ(fake.calls("cuStreamWaitEvent"), 1);
    ASSERT_TRUE(context.setStream(nullptr).ok()); // the driver's default stream
    ASSERT_TRUE(context.run(c.inputs(), c.outputs()).ok());
    EXPECT_EQ(fake.calls("cuStreamWaitEvent"), 2);
    // Waiting for the last is waiting for all.
    ASSERT_TRUE(context.synchronize().ok());
    a.check();
    b.check();
    c.check();
    ASSERT_TRUE(context.setStream(stream.get()).ok());
    ASSERT_TRUE(context.run(b.inputs(), b.outputs()).ok());
  } // the caller's stream ends before the context
}

//===--- graphs --------------------------------------------------------------------------------------------------===//

TEST_F(Cuda, GraphsReplayWithFreshOutputs) {
  auto exe = load();
  cuda::Device &device = exe->cuda()->device();
  auto context = std::make_unique<Context>(exe);
  ModelTensors shape(6);
  auto graph = context->capture(shape.inputs());
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  int launches = fake.calls("cuLaunchKernelEx");
  DeviceTensors a(device, 6), b(device, 6);
  static_cast<float *>(b.x.data)[0] = 77;
  ASSERT_TRUE((*graph)->run(a.inputs(), a.outputs()).ok());
  ASSERT_TRUE((*graph)->run(b.inputs(), b.outputs()).ok());
  runOnHost(*context, 100); // between replays; the arena grows, the graph keeps the old one
  ASSERT_TRUE((*graph)->run(shape.inputs(), shape.outputs()).ok());
  shape.check();
  a.check();
  b.check();
  EXPECT_EQ(fake.calls("cuGraphLaunch"), 3);
  EXPECT_EQ(fake.calls("cuLaunchKernelEx"), launches + 2); // those of runOnHost alone

  // In place: no copies but the plan's own.
  int copies = fake.calls("cuMemcpyDtoDAsync_v2");
  static_cast<float *>((*graph)->inputs()[0].data)[5] = 1000;
  ASSERT_TRUE((*graph)->run({}, {}).ok());
  context.reset(); // the graph goes on
  ASSERT_TRUE((*graph)->run({}, {}).ok());
  EXPECT_EQ(fake.calls("cuMemcpyDtoDAsync_v2"), copies);
  ASSERT_TRUE((*graph)->run({}, shape.outputs()).ok());
  EXPECT_EQ(shape.y[5], 1000 * 2 * 2 * 2);

  ModelTensors other(7);
  expectError((*graph)->run(other.inputs(), {}), ErrorKind::InvalidArgument,
              "input 0 'x' is f32 [7, 4], but the graph was captured for f32 [6, 4]: capture one for these sizes");
  expectError((*graph)->run({}, {shape.outputs()[0]}), ErrorKind::InvalidArgument, "got 1 outputs, expected 3");
  TensorRef elsewhere = a.x;
  elsewhere.device = 1;
  expectError((*graph)->run({elsewhere}, {}), ErrorKind::InvalidArgument, "input 0 'x' is in cuda:1");
}

TEST_F(Cuda, GraphEndsWhileItRuns) {
  Context context(load());
  DeviceTensors tensors(context.executable().cuda()->device(), 6);
  auto graph = context.capture(tensors.inputs());
  ASSERT_TRUE((*graph)->run(tensors.inputs(), tensors.outputs()).ok());
  graph->reset(); // waits
  tensors.check();
}

//===--- many ----------------------------------------------------------------------------------------------------===//

TEST_F(Cuda, TwoGpus) {
  auto first = load(0), second = load(1);
  Context a(first), b(second);
  DeviceTensors onA(first->cuda()->device(), 4), onB(second->cuda()->device(), 4);
  ASSERT_TRUE(a.run(onA.inputs(), onA.outputs()).ok());
  ASSERT_TRUE(b.run(onB.inputs(), onB.outputs()).ok());
  ASSERT_TRUE(a.synchronize().ok());
  ASSERT_TRUE(b.synchronize().ok());
  onA.check();
  onB.check();
  expectError(a.run(onB.inputs(), onA.outputs()), ErrorKind::InvalidArgument, "input 0 is in cuda:1");
}

TEST_F(Cuda, ManyContextsAtOnce) {
  auto exe = load();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      Context context(exe);
      for (int i = 0; i < 40; ++i)
        runOnHost(context, 1 + (i * 7 + t) % 100);
      ModelTensors shape(1 + t);
      auto graph = context.capture(shape.inputs());
      ASSERT_TRUE(graph.ok()) << graph.status().message();
      for (int i = 0; i < 20; ++i) {
        ModelTensors tensors(1 + t);
        ASSERT_TRUE((*graph)->run(tensors.inputs(), tensors.outputs()).ok());
        tensors.check();
      }
    });
  for (std::thread &thread : threads)
    thread.join();
}
