// The device simulator on hand-written kernels of the thread level: right values and no finding on each, and the right
// finding, at the right op, on each with one op taken out.
#include "lib/Pipelines/Phases.h"
#include "lib/Sim/Numbers.h"
#include "lib/Target/SimulatedModule.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>
#include <random>

using namespace mlir;

namespace tenon::test {
namespace {

class Sim : public testing::Test {
protected:
  Sim() {
    DialectRegistry registry;
    registerDialects(registry);
    context.appendDialectRegistry(registry);
  }

  /// The file, without the `index`th op of that name (0: the first) when one is given.
  std::unique_ptr<SimulatedModule> kernels(const std::string &file, const std::string &without = "", int index = 0) {
    std::string path = std::string(TENON_SOURCE_DIR) + "/test/sim/Inputs/" + file;
    source = parseSourceFile<ModuleOp>(path, &context);
    EXPECT_TRUE(source) << path;
    if (!without.empty()) {
      Operation *gone = nullptr;
      source->walk([&](Operation *op) {
        if (op->getName().getStringRef() == without && index-- == 0)
          gone = op;
      });
      EXPECT_TRUE(gone) << without;
      gone->erase();
    }
    auto compiled = SimulatedModule::compile(*source);
    EXPECT_TRUE(compiled.ok()) << compiled.status().message();
    return compiled.ok() ? compiled.take() : nullptr;
  }

  std::unique_ptr<SimulatedModule> inlineKernels(const std::string &text) {
    source = parseSourceString<ModuleOp>(text, &context);
    EXPECT_TRUE(source) << text;
    auto compiled = SimulatedModule::compile(*source);
    EXPECT_TRUE(compiled.ok()) << compiled.status().message();
    return compiled.ok() ? compiled.take() : nullptr;
  }

  sim::Report run(const SimulatedModule &module, SimulatedCall call, const sim::Options &options = {}) {
    auto report = module.run(module.kernelNames().front(), call, options);
    EXPECT_TRUE(report.ok()) << report.status().message();
    return report.ok() ? report.take() : sim::Report();
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> source;
};

template <typename T>
sim::Buffer buffer(const char *name, std::vector<T> &values) {
  return {name, values.data(), static_cast<int64_t>(values.size() * sizeof(T))};
}

std::vector<float> integers(size_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<float> values(count);
  for (float &value : values)
    value = static_cast<float>(static_cast<int>(random() % 9) - 4);
  return values;
}

void expectFinding(const sim::Report &report, sim::FindingKind kind, const std::vector<std::string> &parts) {
  const sim::Finding *finding = report.find(kind);
  ASSERT_TRUE(finding) << "no " << sim::findingKindName(kind) << " in: " << report.text();
  for (const std::string &part : parts)
    EXPECT_NE(finding->text.find(part), std::string::npos) << part << " in: " << finding->text;
}

TEST_F(Sim, VectorAddWithATail) {
  auto module = kernels("vector-add.mlir");
  for (int64_t n : {1, 127, 128, 300}) {
    std::vector<float> x = integers(n, 1), y = integers(n, 2), z(n), expected(n);
    for (int64_t i = 0; i < n; ++i)
      expected[i] = x[i] + y[i];
    sim::Report report = run(*module, {{buffer("x", x), buffer("y", y)}, {buffer("z", z)}, {n}});
    EXPECT_TRUE(report.ok()) << report.text();
    EXPECT_EQ(z, expected);
  }
}

TEST_F(Sim, OutOfBoundsStopsBeforeTheAccess) {
  auto module = kernels("vector-add.mlir");
  std::vector<float> x = integers(100, 1), y = integers(100, 2), z(99);
  sim::Report report = run(*module, {{buffer("x", x), buffer("y", y)}, {buffer("z", z)}, {100}});
  expectFinding(report, sim::FindingKind::OutOfBounds,
                {"thread 99 of CTA (0, 0, 0) writes 4 bytes by llvm.store at ", "vector-add.mlir:19:7",
                 "0 bytes past the end of 'z' (396 bytes)"});
}

TEST_F(Sim, Transpose) {
  auto module = kernels("transpose.mlir");
  for (auto [m, n] : {std::pair(64, 32), std::pair(37, 70), std::pair(1, 5)}) {
    std::vector<float> x = integers(m * n, 3), y(m * n), expected(m * n);
    for (int i = 0; i < m; ++i)
      for (int j = 0; j < n; ++j)
        expected[j * m + i] = x[i * n + j];
    sim::Report report = run(*module, {{buffer("x", x)}, {buffer("y", y)}, {m, n}});
    EXPECT_TRUE(report.ok()) << report.text();
    EXPECT_EQ(y, expected);
  }
}

TEST_F(Sim, TransposeWithoutItsBarrierRaces) {
  auto module = kernels("transpose.mlir", "nvvm.barrier0");
  std::vector<float> x = integers(32 * 32, 3), y(32 * 32);
  SimulatedCall call = {{buffer("x", x)}, {buffer("y", y)}, {32, 32}};
  // In order, a thread reads ahead of the writers, with others behind some: the same either way.
  for (uint64_t seed : {0, 7}) {
    sim::Options options;
    options.seed = seed;
    sim::Report report = run(*module, call, options);
    expectFinding(report, sim::FindingKind::Race,
                  {"llvm.load", "llvm.store", "transpose.mlir:35:9", "transpose.mlir:52:18"});
    EXPECT_FALSE(report.find(sim::FindingKind::Uninitialised)) << report.text();
  }
}

TEST_F(Sim, RowSums) {
  auto module = kernels("row-sums.mlir");
  const int m = 3, n = 300;
  std::vector<float> x = integers(m * n, 4), y(m), expected(m);
  for (int i = 0; i < m; ++i)
    for (int j = 0; j < n; ++j)
      expected[i] += x[i * n + j];
  for (uint64_t seed : {0, 1, 2}) {
    sim::Options options;
    options.seed = seed;
    sim::Report report = run(*module, {{buffer("x", x)}, {buffer("y", y)}, {m, n}}, options);
    EXPECT_TRUE(report.ok()) << report.text();
    EXPECT_EQ(y, expected);
  }
}

TEST_F(Sim, RowSumsWithoutTheBarrier) {
  auto module = kernels("row-sums.mlir", "nvvm.barrier0");
  std::vector<float> x = integers(300, 4), y(1);
  sim::Report report = run(*module, {{buffer("x", x)}, {buffer("y", y)}, {1, 300}});
  EXPECT_TRUE(report.find(sim::FindingKind::Race) || report.find(sim::FindingKind::Uninitialised)) << report.text();
}

/// bf16 holds small integers exactly in its upper half.
std::vector<uint16_t> bf16(const std::vector<float> &values) {
  std::vector<uint16_t> result;
  for (float value : values)
    result.push_back(static_cast<uint16_t>(sim::asBits(value) >> 16));
  return result;
}

struct Gemm {
  int64_t m, n, k;
  std::vector<uint16_t> a, b;
  std::vector<float> c, expected;

  Gemm(int64_t m, int64_t n, int64_t k) : m(m), n(n), k(k), c(m * n), expected(m * n) {
    std::vector<float> x = integers(m * k, 5), y = integers(n * k, 6);
    a = bf16(x);
    b = bf16(y);
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j)
        for (int64_t l = 0; l < k; ++l)
          expected[i * n + j] += x[i * k + l] * y[j * k + l];
  }
  SimulatedCall call() { return {{buffer("a", a), buffer("b", b)}, {buffer("c", c)}, {m, n, k}}; }
};

TEST_F(Sim, GemmWithARing) {
  auto module = kernels("gemm.mlir");
  for (auto [m, n, k] : {std::array{32, 32, 32}, std::array{64, 32, 256}, std::array{37, 70, 104}, std::array{1, 5, 8}})
    for (uint64_t seed : {0, 3}) {
      Gemm gemm(m, n, k);
      sim::Options options;
      options.seed = seed;
      sim::Report report = run(*module, gemm.call(), options);
      EXPECT_TRUE(report.ok()) << report.text();
      EXPECT_EQ(gemm.c, gemm.expected);
    }
}

TEST_F(Sim, GemmWithoutTheWaitReadsACopyUnderWay) {
  auto module = kernels("gemm.mlir", "nvvm.cp.async.wait.group");
  Gemm gemm(32, 32, 128);
  expectFinding(run(*module, gemm.call()), sim::FindingKind::AsyncCopy,
                {"nvvm.ldmatrix at", "gemm.mlir:161:15", "nvvm.cp.async.shared.global at", "gemm.mlir:22:5"});
}

TEST_F(Sim, GemmWithoutTheBarrierRaces) {
  auto module = kernels("gemm.mlir", "nvvm.barrier0");
  Gemm gemm(32, 32, 128);
  sim::Report report = run(*module, gemm.call());
  EXPECT_TRUE(report.find(sim::FindingKind::Race) || report.find(sim::FindingKind::AsyncCopy)) << report.text();
}

TEST_F(Sim, GemmWithoutACommit) {
  for (int index : {0, 1}) {
    auto module = kernels("gemm.mlir", "nvvm.cp.async.commit.group", index);
    Gemm gemm(32, 32, 160);
    expectFinding(run(*module, gemm.call()), sim::FindingKind::AsyncCopy, {"nvvm.ldmatrix at"});
  }
}

TEST_F(Sim, NamedBarrier) {
  auto module = kernels("named-barrier.mlir");
  std::vector<float> x = integers(32, 7), y(32);
  sim::Report report = run(*module, {{buffer("x", x)}, {buffer("y", y)}, {}});
  EXPECT_TRUE(report.ok()) << report.text();
  for (int i = 0; i < 32; ++i)
    EXPECT_EQ(y[i], 2 * x[i]);
}

TEST_F(Sim, NamedBarrierWithoutTheArrivalDeadlocks) {
  auto module = kernels("named-barrier.mlir", "nvvm.barrier.arrive");
  std::vector<float> x = integers(32, 7), y(32);
  expectFinding(run(*module, {{buffer("x", x)}, {buffer("y", y)}, {}}), sim::FindingKind::Deadlock,
                {"CTA (0, 0, 0) cannot go on: threads 0-31 ended; threads 32-63 wait at nvvm.barrier at ",
                 "named-barrier.mlir:20:7 for barrier 1 in phase 0, where 32 of 64 came"});
}

TEST_F(Sim, StoresOfTma) {
  auto module = kernels("tma-store.mlir");
  std::vector<float> x = integers(32 * 32, 8);
  for (int64_t rows : {32, 30, 3})
    for (uint64_t seed : {0, 5}) {
      std::vector<float> y(rows * 32);
      sim::Options options;
      options.seed = seed;
      sim::Report report = run(*module, {{buffer("x", x)}, {buffer("y", y)}, {rows}}, options);
      EXPECT_TRUE(report.ok()) << report.text();
      for (int64_t i = 0; i < rows * 32; ++i)
        ASSERT_EQ(y[i], 2 * x[i]) << i;
    }
}

/// Brings four elements of an operand of 32 from the column on to shared memory and stores the first.
static std::string loadOfBox(const std::string &column, const std::string &element) {
  return R"(llvm.mlir.global external @shared() {addr_space = 3 : i32, alignment = 128 : i64} : !llvm.array<0 x i8>
    llvm.func @k(%x: !llvm.ptr<1>, %y: !llvm.ptr<1>, %workspace: !llvm.ptr<1>,
                 %map: !llvm.ptr {llvm.align = 64 : i64, llvm.byval = !llvm.array<128 x i8>, nvvm.grid_constant})
        attributes {nvvm.kernel, nvvm.reqntid = array<i32: 1>, tenon.shared_bytes = 128 : i64,
                    tenon.tensor_maps = [{argument = 0 : i64, box = array<i64: 4>, element = )" +
         element + R"(, offset = affine_map<() -> (0)>,
                                          sizes = affine_map<() -> (32)>, strides = affine_map<() -> ()>, swizzle = 0 : i64}]} {
      %zero = arith.constant 0 : i32
      %one = arith.constant 1 : i32
      %bytes = arith.constant 16 : i32
      %column = arith.constant )" +
         column + R"( : i32
      %shared = llvm.mlir.addressof @shared : !llvm.ptr<3>
      %barrier = llvm.getelementptr %shared[%bytes] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i32
      nvvm.mbarrier.init %barrier, %one : !llvm.ptr<3>, i32
      nvvm.fence.mbarrier.init
      nvvm.mbarrier.arrive.expect_tx %barrier, %bytes : !llvm.ptr<3>, i32
      %to = llvm.addrspacecast %shared : !llvm.ptr<3> to !llvm.ptr<7>
      nvvm.cp.async.bulk.tensor.shared.cluster.global %to, %map, %barrier, box[%column] : !llvm.ptr<7>, !llvm.ptr
      ptx.mbarrier.wait %barrier, %zero
      %v = llvm.load %shared : !llvm.ptr<3> -> f32
      llvm.store %v, %y : f32, !llvm.ptr<1>
      llvm.return
    })";
}

TEST_F(Sim, BoxesStartAtMultiplesOf16Bytes) {
  auto load = [&](const std::string &column) {
    auto module = inlineKernels(loadOfBox(column, "f32"));
    std::vector<float> x = integers(32, 8), y(1);
    sim::Report report = run(*module, {{buffer("x", x)}, {buffer("y", y)}, {}});
    EXPECT_TRUE(!report.ok() || y[0] == x[8]);
    return report;
  };
  EXPECT_TRUE(load("8").ok()) << load("8").text();
  expectFinding(load("9"), sim::FindingKind::Misaligned,
                {"nvvm.cp.async.bulk.tensor.shared.cluster.global", "innermost coordinate 9, byte 36 of a row"});
}

TEST_F(Sim, BoxesOfTf32AreRounded) {
  // As TMA of an H200 does: to nearest even, denormals as well; all NaN are one.
  auto module = inlineKernels(loadOfBox("8", "tf32"));
  for (auto [given, expected] : {std::pair(0x3F801000U, 0x3F800000U),
                                 {0x3F803000U, 0x3F804000U},
                                 {0xBF801001U, 0xBF802000U},
                                 {0x3F800FFFU, 0x3F800000U},
                                 {0x00001001U, 0x00002000U},
                                 {0x80000001U, 0x80000000U},
                                 {0x7F7FEFFFU, 0x7F7FE000U},
                                 {0xFF7FF000U, 0xFF800000U},
                                 {0x7F800001U, 0x7FFFE000U},
                                 {0xFFC00000U, 0x7FFFE000U}}) {
    std::vector<float> x(32), y(1);
    std::memcpy(&x[8], &given, sizeof given);
    sim::Report report = run(*module, {{buffer("x", x)}, {buffer("y", y)}, {}});
    ASSERT_TRUE(report.ok()) << report.text();
    uint32_t got = 0;
    std::memcpy(&got, y.data(), sizeof got);
    EXPECT_EQ(got, expected) << std::hex << given;
  }
}

TEST_F(Sim, OtherOrders) {
  // The first seed with a finding is the report's, and replays it; results are those of the first.
  auto module = kernels("transpose.mlir", "nvvm.barrier0");
  std::vector<float> x = integers(32 * 32, 3), y(32 * 32);
  SimulatedCall call = {{buffer("x", x)}, {buffer("y", y)}, {32, 32}};
  sim::Options options;
  options.uninitialised = false;
  options.numSeeds = 8;
  sim::Report report = run(*module, call, options);
  ASSERT_TRUE(report.find(sim::FindingKind::Race)) << report.text();
  options.seed = report.seed;
  options.numSeeds = 1;
  EXPECT_EQ(run(*module, call, options).text(), report.text());
  auto whole = kernels("transpose.mlir");
  options.numSeeds = 9;
  EXPECT_TRUE(run(*whole, call, options).ok());
  EXPECT_EQ(y[1], x[32]);
}

TEST_F(Sim, StoresOfTmaWithoutOneOp) {
  struct Mutant {
    const char *without;
    int index;
    sim::FindingKind kind;
    std::vector<std::string> parts;
  };
  const std::string store = "nvvm.cp.async.bulk.tensor.global.shared.cta at ";
  const Mutant mutants[] = {
      {"nvvm.fence.proxy",
       0,
       sim::FindingKind::Race,
       {"TMA of CTA (0, 0, 0) reads bytes 0 to 15 of shared memory by " + store, "no fence.proxy.async is between"}},
      // The buffer of two turns ago is written again while its store reads it.
      {"nvvm.cp.async.bulk.wait_group",
       0,
       sim::FindingKind::Race,
       {"of shared memory by llvm.store", "TMA of CTA (0, 0, 0) reads", store, "nothing orders"}},
      {"nvvm.barrier0", 0, sim::FindingKind::Race, {"by llvm.store", store, "nothing orders the two"}},
      {"nvvm.barrier0", 1, sim::FindingKind::Race, {"TMA of CTA (0, 0, 0) reads", store, "nothing orders the two"}},
      {"nvvm.cp.async.bulk.wait_group",
       1,
       sim::FindingKind::AsyncCopy,
       {store, "still reads shared memory when that thread ends; expected a wait for its group"}},
      {"nvvm.cp.async.bulk.commit.group", 0, sim::FindingKind::AsyncCopy, {store, "a commit is missing"}},
  };
  for (const Mutant &mutant : mutants) {
    SCOPED_TRACE(std::string("without ") + mutant.without + " " + std::to_string(mutant.index));
    auto module = kernels("tma-store.mlir", mutant.without, mutant.index);
    std::vector<float> x = integers(32 * 32, 8), y(32 * 32);
    expectFinding(run(*module, {{buffer("x", x)}, {buffer("y", y)}, {32}}), mutant.kind, mutant.parts);
  }
}

TEST_F(Sim, ReductionsOfTma) {
  // Every CTA adds its tile to the same rows, which must hold something.
  auto add = [&](int64_t zeroedBytes, const std::string &fence, const std::string &kind = "add") {
    auto module = inlineKernels(
        R"(llvm.mlir.global external @shared() {addr_space = 3 : i32, alignment = 128 : i64} : !llvm.array<0 x i8>
    llvm.func @k(%x: !llvm.ptr<1>, %y: !llvm.ptr<1>, %sums: !llvm.ptr<1>,
                 %map: !llvm.ptr {llvm.align = 64 : i64, llvm.byval = !llvm.array<128 x i8>, nvvm.grid_constant})
        attributes {nvvm.kernel, nvvm.reqntid = array<i32: 32>, tenon.grid = affine_map<() -> (3, 1, 1)>,
                    tenon.shared_bytes = 128 : i64, tenon.scratch_bytes = affine_map<() -> (128)>, tenon.zeroed_bytes = affine_map<() -> ()" +
        std::to_string(zeroedBytes) + R"()>,
                    tenon.tensor_maps = [{argument = 2 : i64, box = array<i64: 32>, element = i32, offset = affine_map<() -> (0)>,
                                          sizes = affine_map<() -> (32)>, strides = affine_map<() -> ()>, swizzle = 0 : i64}]} {
      %zero = arith.constant 0 : i32
      %shared = llvm.mlir.addressof @shared : !llvm.ptr<3>
      %t = nvvm.read.ptx.sreg.tid.x : i32
      %from = llvm.getelementptr %x[%t] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i32
      %to = llvm.getelementptr %shared[%t] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i32
      %v = llvm.load %from : !llvm.ptr<1> -> i32
      llvm.store %v, %to : i32, !llvm.ptr<3>
      )" +
        fence + R"(
      nvvm.barrier0
      %isFirst = arith.cmpi eq, %t, %zero : i32
      scf.if %isFirst {
        nvvm.cp.async.bulk.tensor.reduce %map, %shared, box[%zero] {redKind = #nvvm.tma_redux_kind<)" +
        kind +
        R"(>} : !llvm.ptr, !llvm.ptr<3>
        nvvm.cp.async.bulk.commit.group
        nvvm.cp.async.bulk.wait_group 0
        %sum = llvm.load volatile %sums : !llvm.ptr<1> -> i32
        llvm.store %sum, %y : i32, !llvm.ptr<1>
      }
      llvm.return
    })");
    std::vector<int32_t> x(32, 5), y(1);
    SimulatedCall call = {{buffer("x", x)}, {buffer("y", y)}, {}};
    sim::Report report = run(*module, call);
    return std::pair(report, y[0]);
  };
  const std::string fence = "nvvm.fence.proxy {kind = #nvvm.proxy_kind<async>}";
  EXPECT_EQ(add(128, fence).second, 15);
  // What a CTA reads, the next one changes: no reduction is without order to a plain access.
  expectFinding(add(128, fence).first, sim::FindingKind::Race,
                {"changes bytes 0 to 127 of 'workspace' by nvvm.cp.async.bulk.tensor.reduce", "by llvm.load"});
  expectFinding(add(0, fence).first, sim::FindingKind::Uninitialised, {"nvvm.cp.async.bulk.tensor.reduce"});
  expectFinding(add(128, "").first, sim::FindingKind::Race, {"no fence.proxy.async"});
  // The hardware's illegal instruction.
  expectFinding(add(128, fence, "inc").first, sim::FindingKind::Misuse, {"does not combine elements"});
}

TEST_F(Sim, RegistersFromOneWarpgroupToAnother) {
  // Of 256 threads each may have 248 or so; two warpgroups share what both have at the launch.
  auto share = [&](const std::string &few, const std::string &many) {
    return run(
        *inlineKernels("llvm.func @k(%p: !llvm.ptr<1>) attributes {nvvm.kernel, nvvm.reqntid = array<i32: 512>} {\n"
                       "%c256 = arith.constant 256 : i32\n%t = nvvm.read.ptx.sreg.tid.x : i32\n"
                       "%first = arith.cmpi ult, %t, %c256 : i32\nscf.if %first {\n" +
                       many + "\n} else {\n" + few + "\n}\nllvm.return\n}"),
        {});
  };
  EXPECT_TRUE(share("nvvm.setmaxregister decrease 40", "nvvm.setmaxregister increase 216").ok());
  expectFinding(share("nvvm.setmaxregister decrease 40", "nvvm.setmaxregister increase 224"),
                sim::FindingKind::Deadlock, {"wait at nvvm.setmaxregister", "for 224 registers; the warps hold"});
  expectFinding(share("", "nvvm.setmaxregister increase 216"), sim::FindingKind::Deadlock, {"for 216 registers"});
  expectFinding(share("nvvm.setmaxregister decrease 136", ""), sim::FindingKind::Misuse,
                {"with 136 registers; its warp has 128"});
}

TEST_F(Sim, TilesByACounter) {
  // Each CTA takes tiles, of one element, until there are no more: a counter that is 0 at the start.
  auto module =
      inlineKernels(R"(llvm.func @k(%y: !llvm.ptr<1>, %n: i64, %counter: !llvm.ptr<1>) attributes {nvvm.kernel,
      nvvm.reqntid = array<i32: 1>, tenon.grid = affine_map<(d0) -> (3, 1, 1)>,
      tenon.scratch_bytes = affine_map<(d0) -> (8)>, tenon.zeroed_bytes = affine_map<(d0) -> (8)>} {
    %one = arith.constant 1 : i64
    %tile = llvm.atomicrmw add %counter, %one monotonic : !llvm.ptr<1>, i64
    cf.br ^next(%tile : i64)
  ^next(%at: i64):
    %isLeft = arith.cmpi slt, %at, %n : i64
    cf.cond_br %isLeft, ^work, ^end
  ^work:
    %to = llvm.getelementptr %y[%at] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i64
    llvm.store %at, %to : i64, !llvm.ptr<1>
    %following = llvm.atomicrmw add %counter, %one monotonic : !llvm.ptr<1>, i64
    cf.br ^next(%following : i64)
  ^end:
    llvm.return
  })");
  std::vector<int64_t> y(7, -1);
  sim::Report report = run(*module, {{}, {buffer("y", y)}, {7}});
  EXPECT_TRUE(report.ok()) << report.text();
  EXPECT_EQ(y, (std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6}));
}

TEST_F(Sim, AtomicAccesses) {
  auto after = [&](const std::string &access, const std::string &then) {
    auto module = inlineKernels(
        "llvm.mlir.global external @shared() {addr_space = 3 : i32, alignment = 16 : i64} : !llvm.array<0 x i8>\n"
        "llvm.func @k(%y: !llvm.ptr<1>) attributes {nvvm.kernel, nvvm.reqntid = array<i32: 64>, "
        "tenon.shared_bytes = 16 : i64} {\n%shared = llvm.mlir.addressof @shared : !llvm.ptr<3>\n"
        "%one = arith.constant 1 : i32\n" +
        access + "\n" + then + "\nllvm.return\n}");
    return run(*module, {});
  };
  const std::string store = "llvm.store %one, %shared atomic monotonic {alignment = 4 : i64} : i32, !llvm.ptr<3>";
  const std::string load = "%a = llvm.load %shared atomic monotonic {alignment = 4 : i64} : !llvm.ptr<3> -> i32";
  const std::string update = "%b = llvm.atomicrmw add %shared, %one monotonic : !llvm.ptr<3>, i32";
  EXPECT_TRUE(after(store, update).ok());
  EXPECT_TRUE(after(store, load).ok());
  expectFinding(after(update, ""), sim::FindingKind::Uninitialised,
                {"changes bytes 0 to 3 of shared memory by llvm.atom"});
  expectFinding(after(load, ""), sim::FindingKind::Uninitialised, {"reads bytes 0 to 3 of shared memory by llvm.load"});
  expectFinding(after("llvm.store %one, %shared : i32, !llvm.ptr<3>", load), sim::FindingKind::Race,
                {"reads bytes 0 to 3", "writes bytes 0 to 3", "nothing orders the two"});
}

TEST_F(Sim, ProgrammaticLaunch) {
  auto copy = [&](const std::string &before, const std::string &after) {
    auto module = inlineKernels("llvm.func @k(%x: !llvm.ptr<1>, %y: !llvm.ptr<1>, %w: !llvm.ptr<1>) attributes "
                                "{nvvm.kernel, nvvm.reqntid = array<i32: 64>} {\n" +
                                before + "\nnvvm.barrier0\n%v = llvm.load %x : !llvm.ptr<1> -> f32\n" + after +
                                "\nnvvm.griddepcontrol launch_dependents\nllvm.return\n}");
    std::vector<float> x = {1}, y = {0};
    SimulatedCall call = {{buffer("x", x)}, {buffer("y", y)}, {}};
    call.isProgrammatic = true;
    return run(*module, call);
  };
  const std::string wait = "nvvm.griddepcontrol wait";
  EXPECT_TRUE(copy(wait, "").ok());
  // One warp waits, the other meets it.
  EXPECT_TRUE(copy("%t = nvvm.read.ptx.sreg.tid.x : i32\n%c = arith.constant 32 : i32\n"
                   "%first = arith.cmpi ult, %t, %c : i32\nscf.if %first {\n" +
                       wait + "\n}",
                   "")
                  .ok());
  expectFinding(copy("", wait), sim::FindingKind::Race,
                {" of CTA (0, 0, 0) reads 'x' by llvm.load at ", "no griddepcontrol.wait is ahead of it"});
  expectFinding(copy("", ""), sim::FindingKind::Race, {"reads 'x'"});
  EXPECT_NE(copy("", "").text().find("CTA (0, 0, 0) ended without griddepcontrol.wait"), std::string::npos);
}

TEST_F(Sim, LanesApart) {
  auto inBranch = [&](const std::string &body) {
    return inlineKernels("llvm.func @k(%p: !llvm.ptr<1>) attributes {nvvm.kernel, nvvm.reqntid = array<i32: 64>} {\n"
                         "%c16 = arith.constant 16 : i32\n%all = arith.constant -1 : i32\n"
                         "%lane = nvvm.read.ptx.sreg.laneid : i32\n%low = arith.cmpi ult, %lane, %c16 : i32\n"
                         "scf.if %low {\n" +
                         body + "\n}\nllvm.return\n}");
  };
  expectFinding(run(*inBranch("nvvm.barrier0"), {}), sim::FindingKind::Divergence,
                {"nvvm.barrier0 at -:7:1 needs every lane of the warp; thread 16 of CTA (0, 0, 0) ended while thread 0 "
                 "of the same warp waits there"});
  // The members that have not ended meet; the rest of the mask does not count.
  EXPECT_TRUE(run(*inBranch("nvvm.bar.warp.sync %all : i32"), {}).ok());
  expectFinding(run(*inBranch("%s = nvvm.shfl.sync idx %all, %lane, %c16, %c16 : i32 -> i32"), {}),
                sim::FindingKind::Misuse, {"takes the value of lane 16", "nvvm.shfl.sync at -:7:6", "takes no part"});
}

TEST_F(Sim, AnUnknownOpIsNamed) {
  source = parseSourceString<ModuleOp>(R"(module {
    llvm.func @k(%p: !llvm.ptr<1>) attributes {nvvm.kernel, nvvm.reqntid = array<i32: 32>} {
      llvm.inline_asm has_side_effects "trap;", "" : () -> ()
      llvm.return
    }
  })",
                                       &context);
  auto compiled = SimulatedModule::compile(*source);
  ASSERT_FALSE(compiled.ok());
  EXPECT_EQ(compiled.status().kind(), ErrorKind::Unsupported);
  EXPECT_NE(compiled.status().message().find("-:3:7: 'llvm.inline_asm' op has no simulation"), std::string::npos)
      << compiled.status().message();
}

} // namespace
} // namespace tenon::test
