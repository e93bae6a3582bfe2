// Executable, Context, artefact and the C API on a model with kernels by hand.
#include "test/unit/RuntimeModel.h"

#include "lib/Runtime/HostFeatures.h"
#include "lib/Runtime/Launch.h"
#include "lib/Runtime/ThreadPool.h"
#include "lib/Support/AtomicFile.h"
#include "lib/Support/Safetensors.h"
#include "tenon-c/tenon.h"

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <new>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>

using namespace tenon;
using namespace tenon::test;

// A sanitizer has an allocator of its own.
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ALLOCATIONS_ARE_COUNTED 0
#else
#define ALLOCATIONS_ARE_COUNTED 1
#endif

// Every `new` of this program is counted, whichever thread it is from.
static std::atomic<int64_t> numAllocations;

#if ALLOCATIONS_ARE_COUNTED
void *operator new(size_t size) {
  ++numAllocations;
  if (void *memory = std::malloc(size))
    return memory;
  std::abort();
}
void operator delete(void *memory) noexcept { std::free(memory); }
void operator delete(void *memory, size_t) noexcept { std::free(memory); }
#endif

static std::shared_ptr<const Executable> loadModel() {
  auto artefact = openArtefactBytes(modelArtefact());
  EXPECT_TRUE(artefact.ok()) << artefact.status().message();
  auto exe = Executable::load(*artefact);
  EXPECT_TRUE(exe.ok()) << exe.status().message();
  return *exe;
}

static void checkRun(Context &context, int64_t batch) {
  std::vector<float> x(static_cast<size_t>(batch * 4));
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = static_cast<float>(i % 17);
  auto out = context.run({{x.data(), DataType::F32, {batch, 4}}});
  ASSERT_TRUE(out.ok()) << out.status().message();
  ASSERT_EQ(out->size(), 3u);
  auto *y = static_cast<float *>((*out)[0].buffer.data()), *z = static_cast<float *>((*out)[1].buffer.data());
  for (size_t i = 0; i < x.size(); ++i) {
    ASSERT_EQ(y[i], 2 * x[i] * 2 * static_cast<float>(i % 4 + 1));
    ASSERT_EQ(z[i], x[i]);
  }
  EXPECT_EQ(*static_cast<int64_t *>((*out)[2].buffer.data()), batch);
}

TEST(Executable, RunsAllShapesAndKeepsTheArena) {
  Context context(loadModel());
  for (int64_t batch : {1, 7, 100, 7, 1})
    checkRun(context, batch);
  int64_t held = context.arenaBytes();
  checkRun(context, 100);
  EXPECT_EQ(context.arenaBytes(), held);
}

TEST(Executable, ACallOfKnownSizesAllocatesNothing) {
  if (!ALLOCATIONS_ARE_COUNTED)
    GTEST_SKIP() << "allocations are the sanitizer's";
  Context context(loadModel());
  alignas(64) static float x[400], y[400], z[400];
  int64_t n = 0;
  std::vector<TensorRef> inputs = {{x, DataType::F32, {100, 4}}};
  std::vector<TensorRef> outputs = {
      {y, DataType::F32, {100, 4}}, {z, DataType::F32, {100, 4}}, {&n, DataType::I64, {}}};
  Status first = context.run(inputs, outputs);
  ASSERT_TRUE(first.ok()) << first.message();
  int64_t before = numAllocations, held = context.arenaBytes();
  ASSERT_GT(before, 0) << "nothing is counted";
  bool isGood = true;
  for (int call = 0; call < 10; ++call)
    isGood &= context.run(inputs, outputs).ok();
  EXPECT_EQ(numAllocations - before, 0);
  EXPECT_EQ(context.arenaBytes(), held);
  EXPECT_TRUE(isGood);
}

TEST(Executable, ScratchOfOneTaskIsForOneThread) {
  PreparedLaunch launch;
  launch.scratch = 64;
  launch.grid = 1;
  EXPECT_EQ(launch.scratchOfAll(), 64);
  launch.grid = 2;
  EXPECT_EQ(launch.scratchOfAll(), 64 * ThreadPool::global().numThreads());
}

TEST(Executable, TensorsMayBeginAnywhere) {
  Context context(loadModel());
  alignas(64) float x[16], y[16];
  int64_t n[1];
  for (int start : {0, 1, 3}) {
    for (int i = 0; i < 8; ++i)
      x[start + i] = static_cast<float>(i);
    std::vector<float> copied(8);
    Status done = context.run(
        {{x + start, DataType::F32, {2, 4}}},
        {{y + start, DataType::F32, {2, 4}}, {copied.data(), DataType::F32, {2, 4}}, {n, DataType::I64, {}}});
    ASSERT_TRUE(done.ok()) << done.message();
    for (int i = 0; i < 8; ++i) {
      EXPECT_EQ(y[start + i], 4.0f * i * (i % 4 + 1));
      EXPECT_EQ(copied[i], i);
    }
    EXPECT_EQ(n[0], 2);
  }
}

TEST(Executable, ManyContextsAtOnce) {
  auto exe = loadModel();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      Context context(exe);
      for (int i = 0; i < 300; ++i)
        checkRun(context, 1 + (i * 7 + t) % 100);
    });
  for (std::thread &thread : threads)
    thread.join();
}

TEST(Executable, WrongCallsNameArgumentGotAndExpected) {
  Context context(loadModel());
  alignas(64) float data[1024] = {};
  int64_t n = 0;
  struct Case {
    std::vector<TensorRef> inputs;
    const char *message;
  } cases[] = {
      {{}, "got 0 inputs, expected 1"},
      {{{data, DataType::F16, {2, 4}}}, "input 0 'x' is f16, expected f32"},
      {{{data, DataType::F32, {2, 4, 1}}}, "input 0 'x' has rank 3 [2, 4, 1], expected rank 2 [batch, 4]"},
      {{{data, DataType::F32, {2, 5}}}, "input 0 'x' has size 5 at axis 1, expected 4"},
      {{{data, DataType::F32, {101, 4}}}, "input 0 'x' has size 101 at axis 0 (batch), expected 1 to 100"},
      {{{data, DataType::F32, {0, 4}}}, "input 0 'x' has size 0 at axis 0 (batch), expected 1 to 100"},
      {{{data, DataType::F32, {-1, 4}}}, "impossible shape [-1, 4]"},
      {{{nullptr, DataType::F32, {2, 4}}}, "input 0 'x' has no data"},
      {{{reinterpret_cast<char *>(data) + 1, DataType::F32, {2, 4}}}, "not aligned to its elements of 4 bytes"},
  };
  for (const Case &c : cases) {
    Status status = context.run(c.inputs, {}).ok() ? Status() : context.run(c.inputs, {});
    ASSERT_FALSE(status.ok()) << c.message;
    EXPECT_EQ(status.kind(), ErrorKind::InvalidArgument);
    EXPECT_NE(status.message().find(c.message), std::string::npos) << status.message();
  }
  TensorRef x{data, DataType::F32, {2, 4}}, z{data + 64, DataType::F32, {2, 4}}, count{&n, DataType::I64, {}};
  struct OutputCase {
    std::vector<TensorRef> outputs;
    const char *message;
  } outputCases[] = {
      {{}, "got 0 outputs, expected 3"},
      {{{data + 32, DataType::F32, {3, 4}}, z, count}, "output 0 'y' has the shape [3, 4], expected [2, 4]"},
      {{{data + 4, DataType::F32, {2, 4}}, z, count}, "output 0 'y' overlaps input 0 'x'"},
      {{z, z, count}, "output 1 'z' overlaps output 0"},
      {{z, {data + 128, DataType::I32, {2, 4}}, count}, "output 1 'z' is i32, expected f32"},
  };
  for (const OutputCase &c : outputCases) {
    Status status = context.run({x}, c.outputs);
    ASSERT_FALSE(status.ok()) << c.message;
    EXPECT_NE(status.message().find(c.message), std::string::npos) << status.message();
  }
}

TEST(Executable, WeightsMissingOrWrong) {
  float w[5] = {};
  std::string_view bytes(reinterpret_cast<const char *>(w), 16);
  auto artefact = *openArtefactBytes(modelArtefact(/*withWeights=*/false));
  auto none = Executable::load(artefact);
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.status().kind(), ErrorKind::NotFound);
  EXPECT_NE(none.status().message().find("no weights were given"), std::string::npos);
  struct Case {
    std::map<std::string, TensorRef> tensors;
    ErrorKind kind;
    const char *message;
  } cases[] = {
      {{{"model.w", {w, DataType::F32, {4}}}}, ErrorKind::NotFound, "nearest of its 1: 'model.w'"},
      {{{"w", {w, DataType::F32, {5}}}}, ErrorKind::InvalidArgument, "weight 'w' is f32 [5], expected f32 [4]"},
      {{{"w", {w, DataType::I32, {4}}}}, ErrorKind::InvalidArgument, "weight 'w' is i32 [4], expected f32 [4]"},
  };
  for (const Case &c : cases) {
    auto exe = Executable::load(artefact, weightsFromTensors(c.tensors));
    ASSERT_FALSE(exe.ok());
    EXPECT_EQ(exe.status().kind(), c.kind);
    EXPECT_NE(exe.status().message().find(c.message), std::string::npos) << exe.status().message();
  }
}

TEST(Executable, UnalignedWeightsAreStillRight) {
  alignas(64) float w[5] = {0, 1, 2, 3, 4};
  auto artefact = *openArtefactBytes(modelArtefact(false));
  auto exe = Executable::load(artefact, weightsFromTensors({{"w", {w + 1, DataType::F32, {4}}}}));
  ASSERT_TRUE(exe.ok()) << exe.status().message();
  Context context(*exe);
  checkRun(context, 3);
}

TEST(Artefact, SameContentSameBytes) { EXPECT_EQ(modelArtefact(), modelArtefact()); }

TEST(Artefact, WeightsAreUsedWhereTheyLieWhateverTheirHeader) {
  ArtefactParts parts;
  std::string kernels = testKernels();
  parts.entries = {{"main", modelPlan(), kernels}};
  int64_t persistent = loadModel()->persistentBytes();
  for (size_t spaces : {0, 1, 8, 63}) {
    std::string header = R"({"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}})" + std::string(spaces, ' ');
    uint64_t size = header.size();
    std::string weights = std::string(reinterpret_cast<const char *>(&size), 8) + header + std::string(16, '\0');
    parts.weights = weights;
    auto artefact = openArtefactBytes(*writeArtefact(parts));
    ASSERT_TRUE(artefact.ok()) << artefact.status().message();
    auto exe = Executable::load(*artefact);
    ASSERT_TRUE(exe.ok()) << exe.status().message();
    EXPECT_EQ((*exe)->persistentBytes(), persistent);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(readSafetensors((*artefact)->weights)->at("w").bytes.data()) % 64, 0u);
  }
}

TEST(Artefact, TruncatedOrForeignIsATypedError) {
  std::string whole = modelArtefact();
  for (size_t size : {size_t(0), size_t(1), size_t(21), size_t(100), whole.size() / 2, whole.size() - 1}) {
    auto artefact = openArtefactBytes(whole.substr(0, size));
    ASSERT_FALSE(artefact.ok());
    EXPECT_EQ(artefact.status().kind(), ErrorKind::Corrupt);
    EXPECT_NE(artefact.status().message().find("not a Tenon artefact"), std::string::npos);
  }
  EXPECT_EQ(openArtefact("/nonexistent/m.tnx").status().kind(), ErrorKind::NotFound);
  EXPECT_EQ(openArtefact("/tmp").status().kind(), ErrorKind::InvalidArgument);
}

TEST(Artefact, AFeatureTheHostLacksIsRefused) {
  LaunchPlan plan = modelPlan();
  plan.features = {"avx2", "avx512f"};
  EXPECT_TRUE(checkFeatures(plan, {{"avx2", true}, {"avx512f", true}}).ok());
  Status lacking = checkFeatures(plan, {{"avx2", true}, {"avx512f", false}});
  ASSERT_FALSE(lacking.ok());
  EXPECT_EQ(lacking.kind(), ErrorKind::Unsupported);
  EXPECT_NE(lacking.message().find("need avx512f, which this machine lacks"), std::string::npos) << lacking.message();
}

TEST(Artefact, AFeatureTheRuntimeDoesNotKnowIsRefused) {
  ArtefactParts parts;
  std::string kernels = testKernels(), weights = modelWeights();
  parts.entries = {{"main", modelPlan(), kernels}};
  parts.entries.front().plan.features = {"avx99"};
  parts.weights = weights;
  auto exe = Executable::load(*openArtefactBytes(*writeArtefact(parts)));
  ASSERT_FALSE(exe.ok());
  EXPECT_EQ(exe.status().kind(), ErrorKind::Unsupported);
  EXPECT_NE(exe.status().message().find("need avx99, which this runtime does not know"), std::string::npos)
      << exe.status().message();
}

TEST(Artefact, CodeOfAForeignMachineIsRefused) {
  std::string foreign = testKernels();
  foreign[18] = 8; // e_machine: MIPS
  foreign[19] = 0;
  EXPECT_EQ(openSharedObject(foreign).status().kind(), ErrorKind::Unsupported);
}

TEST(AtomicFile, DiskFullKeepsTheOldFile) {
  Status full = writeFileAtomically("/dev/full", "text");
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.kind(), ErrorKind::Io);
  EXPECT_NE(full.message().find("No space left"), std::string::npos) << full.message();

  std::string path = temporaryPath("kept.tnx");
  ASSERT_TRUE(writeFileAtomically(path, "old").ok());
  rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small{4096, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  Status status = writeFileAtomically(path, std::string(1 << 20, 'x'));
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.kind(), ErrorKind::Io);
  EXPECT_EQ(readAll(path), "old");
  EXPECT_EQ(writeFileAtomically("/nonexistent/x", "y").kind(), ErrorKind::NotFound);
}

TEST(AtomicFile, ThreadsKeepTheUmask) {
  mode_t before = umask(027);
  std::string path = temporaryPath("shared-by-threads");
  std::vector<std::thread> threads;
  for (char letter = 'a'; letter < 'i'; ++letter)
    threads.emplace_back([&, letter] {
      for (int i = 0; i < 10; ++i)
        EXPECT_TRUE(writeFileAtomically(path, std::string(1000, letter)).ok());
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(umask(before), 027u);
  struct stat info;
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0640u);
  std::string text = readAll(path);
  EXPECT_EQ(text, std::string(1000, text[0]));
}

TEST(CApi, LoadsDescribesAndRuns) {
  std::string bytes = modelArtefact();
  tenon_artefact *artefact = nullptr;
  ASSERT_EQ(tenon_artefact_open_bytes(bytes.data(), bytes.size(), &artefact), nullptr);
  tenon_executable *exe = nullptr;
  ASSERT_EQ(tenon_executable_load(artefact, nullptr, &exe), nullptr);
  tenon_artefact_free(artefact); // the executable keeps what it needs
  ASSERT_EQ(tenon_executable_num_inputs(exe), 1u);
  ASSERT_EQ(tenon_executable_num_outputs(exe), 3u);
  tenon_io_info info = {};
  info.struct_size = sizeof(info);
  ASSERT_EQ(tenon_executable_input(exe, 0, &info), nullptr);
  EXPECT_STREQ(info.name, "x");
  EXPECT_EQ(info.shape[0], -1);
  EXPECT_STREQ(info.dims[0], "batch");
  EXPECT_EQ(info.upper[0], 100);
  EXPECT_EQ(info.shape[1], 4);

  tenon_context *context = nullptr;
  ASSERT_EQ(tenon_context_create(exe, &context), nullptr);
  float x[8] = {1, 1, 1, 1, 2, 2, 2, 2}, y[8], z[8];
  int64_t shape[2] = {2, 4}, strides[2] = {1, 2}, n = 0;
  tenon_tensor input = {sizeof(tenon_tensor), x, TENON_F32, 2, shape, nullptr, TENON_HOST, 0};
  tenon_tensor outputs[3] = {};
  outputs[0].struct_size = sizeof(tenon_tensor);
  ASSERT_EQ(tenon_context_output_shapes(context, &input, 1, outputs, 3), nullptr);
  EXPECT_EQ(outputs[0].rank, 2);
  EXPECT_EQ(outputs[0].shape[0], 2);
  outputs[0].data = y;
  outputs[1].data = z;
  outputs[2].data = &n;
  for (tenon_tensor &output : outputs)
    output.struct_size = sizeof(tenon_tensor);
  ASSERT_EQ(tenon_context_run(context, &input, 1, outputs, 3), nullptr);
  EXPECT_EQ(y[7], 2 * 2 * 2 * 4);
  EXPECT_EQ(n, 2);

  input.strides = strides;
  tenon_error *error = tenon_context_run(context, &input, 1, outputs, 3);
  ASSERT_NE(error, nullptr);
  EXPECT_EQ(tenon_error_get_kind(error), TENON_INVALID_ARGUMENT);
  EXPECT_NE(std::string(tenon_error_message(error)).find("not dense row-major"), std::string::npos);
  tenon_error_free(error);
  tenon_context_free(context);
  tenon_executable_free(exe);
  error = tenon_artefact_open("/nonexistent.tnx", &artefact);
  EXPECT_EQ(tenon_error_get_kind(error), TENON_NOT_FOUND);
  tenon_error_free(error);
}

TEST(ThreadPool, EveryTaskOnceForEverySize) {
  ThreadPool pool(4);
  for (int64_t tasks : {0, 1, 2, 3, 4, 31, 32, 33, 1000}) {
    std::vector<std::atomic<int>> seen(static_cast<size_t>(tasks));
    for (int repeat = 0; repeat < 50; ++repeat)
      pool.parallelFor(
          tasks,
          [](void *data, int64_t first, int64_t last, int worker) {
            auto &seen = *static_cast<std::vector<std::atomic<int>> *>(data);
            EXPECT_TRUE(worker >= 0 && worker < 4);
            for (int64_t i = first; i < last; ++i)
              ++seen[static_cast<size_t>(i)];
          },
          &seen);
    for (auto &count : seen)
      ASSERT_EQ(count, 50);
  }
}

TEST(ThreadPool, WakesAfterSleep) {
  ThreadPool pool(3);
  std::atomic<int> count{0};
  for (int i = 0; i < 20; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2)); // longer than the spin
    pool.parallelFor(
        64,
        [](void *data, int64_t first, int64_t last, int) {
          *static_cast<std::atomic<int> *>(data) += static_cast<int>(last - first);
        },
        &count);
  }
  EXPECT_EQ(count, 20 * 64);
}
