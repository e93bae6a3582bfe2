// Launches of many CTAs under the simulator: on several threads of the host they give what they give on one, reports
// included; and threads whose stack is spent end with a finding.
#include "lib/Pipelines/Phases.h"
#include "lib/Target/SimulatedModule.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>
#include <numeric>

using namespace mlir;

namespace tenon::test {
namespace {

class SimLaunch : public testing::Test {
protected:
  SimLaunch() {
    DialectRegistry registry;
    registerDialects(registry);
    context.appendDialectRegistry(registry);
  }

  std::unique_ptr<SimulatedModule> compile(const std::string &text) {
    OwningOpRef<ModuleOp> source = parseSourceString<ModuleOp>(text, &context);
    EXPECT_TRUE(source) << text;
    if (!source)
      return nullptr;
    auto compiled = SimulatedModule::compile(*source);
    EXPECT_TRUE(compiled.ok()) << compiled.status().message();
    return compiled.ok() ? compiled.take() : nullptr;
  }

  /// `numCtas` CTAs of 64 threads that read x, and write y, of 64 floats each; the workspace is zeroed.
  struct Outcome {
    sim::Report report;
    std::vector<float> y;
  };
  Outcome run(const SimulatedModule &module, int64_t hostThreads, uint64_t seed = 0, bool counts = false) {
    std::vector<float> x(64 * numCtas), y(64 * numCtas, -1);
    for (size_t i = 0; i < x.size(); ++i)
      x[i] = 1.0F / static_cast<float>(i + 1); // sums depend on their order
    sim::Options options;
    options.hostThreads = hostThreads;
    options.seed = seed;
    options.counts = counts;
    auto buffer = [](const char *name, std::vector<float> &data) {
      return sim::Buffer{name, data.data(), static_cast<int64_t>(4 * data.size())};
    };
    auto report = module.run("k", {{buffer("x", x)}, {buffer("y", y)}, {}}, options);
    EXPECT_TRUE(report.ok()) << report.status().message();
    return {report.ok() ? report.take() : sim::Report(), y};
  }

  /// The same with any number of threads, for several orders.
  Outcome runOnSeveral(const std::string &text) {
    std::unique_ptr<SimulatedModule> module = compile(text);
    Outcome first;
    for (uint64_t seed : {0, 1, 2}) {
      Outcome alone = run(*module, 1, seed);
      if (seed == 0)
        first = alone;
      for (int64_t hostThreads : {2, 5, 0}) {
        Outcome other = run(*module, hostThreads, seed);
        EXPECT_EQ(other.report.text(), alone.report.text()) << hostThreads;
        EXPECT_EQ(other.report.numSwitches, alone.report.numSwitches) << hostThreads;
        EXPECT_EQ(std::memcmp(other.y.data(), alone.y.data(), 4 * alone.y.size()), 0) << hostThreads;
      }
    }
    return first;
  }

  static constexpr int64_t numCtas = 24;
  MLIRContext context;
};

std::string kernel(const std::string &body, const std::string &attributes = "") {
  return R"(llvm.mlir.global internal @tile() {addr_space = 3 : i32, alignment = 16 : i64} : !llvm.array<256 x i8>
  llvm.func @k(%x: !llvm.ptr<1>, %y: !llvm.ptr<1>, %w: !llvm.ptr<1>) attributes {nvvm.kernel, nvvm.reqntid = array<i32: 64>,
      tenon.grid = affine_map<() -> (24, 1, 1)>, tenon.scratch_bytes = affine_map<() -> (8192)>,
      tenon.zeroed_bytes = affine_map<() -> (8192)> )" +
         attributes + R"(} {
    %zero = arith.constant 0 : i32
    %one = arith.constant 1 : i32
    %c64 = arith.constant 64 : i32
    %t = nvvm.read.ptx.sreg.tid.x : i32
    %cta = nvvm.read.ptx.sreg.ctaid.x : i32
    %start = arith.muli %cta, %c64 : i32
    %at = arith.addi %start, %t : i32
    %from = llvm.getelementptr %x[%at] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
    %to = llvm.getelementptr %y[%at] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
    %v = llvm.load %from : !llvm.ptr<1> -> f32
)" + body +
         "llvm.return\n}\n";
}

TEST_F(SimLaunch, CtasOnThreadsOfTheHost) {
  // Each CTA turns its row around through shared memory.
  Outcome outcome = runOnSeveral(kernel(R"(
    %tile = llvm.mlir.addressof @tile : !llvm.ptr<3>
    %c63 = arith.constant 63 : i32
    %back = arith.subi %c63, %t : i32
    %there = llvm.getelementptr %tile[%t] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, f32
    llvm.store %v, %there : f32, !llvm.ptr<3>
    nvvm.barrier0
    %other = llvm.getelementptr %tile[%back] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, f32
    %r = llvm.load %other : !llvm.ptr<3> -> f32
    llvm.store %r, %to : f32, !llvm.ptr<1>
)"));
  EXPECT_TRUE(outcome.report.ok()) << outcome.report.text();
  for (int i = 0; i < 64 * numCtas; ++i)
    ASSERT_EQ(outcome.y[i], 1.0F / static_cast<float>(i / 64 * 64 + 63 - i % 64 + 1));
}

TEST_F(SimLaunch, CountsOfAccessesDoNotDependOnThreads) {
  auto module = compile(kernel("llvm.store %v, %to : f32, !llvm.ptr<1>\n"));
  sim::Report alone = run(*module, 1, 0, true).report, other = run(*module, 4, 0, true).report;
  ASSERT_EQ(alone.counts.size(), 2u);
  ASSERT_EQ(other.counts.size(), alone.counts.size());
  for (size_t i = 0; i < alone.counts.size(); ++i) {
    EXPECT_EQ(alone.counts[i].accesses, 2u * numCtas);
    EXPECT_EQ(other.counts[i].accesses, alone.counts[i].accesses);
    EXPECT_EQ(other.counts[i].sectors, alone.counts[i].sectors);
  }
}

TEST_F(SimLaunch, AtomicAccessesKeepTheOrderOfCtas) {
  // Sums of floats by atomics: as CTAs are numbered, so that they are the same bits every time.
  Outcome outcome = runOnSeveral(kernel(R"(
    %sum = llvm.getelementptr %w[%t] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
    %before = llvm.atomicrmw fadd %sum, %v monotonic : !llvm.ptr<1>, f32
    llvm.store %before, %to : f32, !llvm.ptr<1>
)"));
  EXPECT_TRUE(outcome.report.ok()) << outcome.report.text();
  float sum = 0;
  for (int i = 0; i < numCtas; ++i) {
    ASSERT_EQ(outcome.y[i * 64 + 3], sum);
    sum += 1.0F / static_cast<float>(i * 64 + 4);
  }
}

TEST_F(SimLaunch, ACounterOfTilesGivesEachCtaTheSame) {
  Outcome outcome = runOnSeveral(kernel(R"(
    %isFirst = arith.cmpi eq, %t, %zero : i32
    scf.if %isFirst {
      %tile = llvm.atomicrmw add %w, %one monotonic : !llvm.ptr<1>, i32
      %isMine = arith.cmpi eq, %tile, %cta : i32
      %number = arith.uitofp %isMine : i1 to f32
      llvm.store %number, %to : f32, !llvm.ptr<1>
    }
)"));
  EXPECT_TRUE(outcome.report.ok()) << outcome.report.text();
  for (int i = 0; i < numCtas; ++i)
    ASSERT_EQ(outcome.y[i * 64], 1);
}

TEST_F(SimLaunch, ARaceBetweenCtasIsTheSameReport) {
  // Each CTA reads what the one before it wrote.
  Outcome outcome = runOnSeveral(kernel(R"(
    %sum = llvm.getelementptr %w[%at] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
    %next = llvm.getelementptr %sum[%c64] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
    llvm.store %v, %next : f32, !llvm.ptr<1>
    %r = llvm.load %sum : !llvm.ptr<1> -> f32
    llvm.store %r, %to : f32, !llvm.ptr<1>
)"));
  const sim::Finding *race = outcome.report.find(sim::FindingKind::Race);
  ASSERT_TRUE(race) << outcome.report.text();
  EXPECT_NE(race->text.find("thread 0 of CTA (1, 0, 0) reads bytes 256 to 259 of 'workspace' by llvm.load"),
            std::string::npos)
      << race->text;
  EXPECT_NE(race->text.find("thread 0 of CTA (0, 0, 0) writes bytes 256 to 259 of 'workspace' by llvm.store"),
            std::string::npos)
      << race->text;
}

/// Each CTA leaves 64 numbers and counts itself; the last one adds them all up.
std::string lastCtaAddsUp(const std::string &before, const std::string &ordering, const std::string &after) {
  return kernel(R"(
    %tile = llvm.mlir.addressof @tile : !llvm.ptr<3>
    %c23 = arith.constant 23 : i32
    %c24 = arith.constant 24 : i32
    %partials = llvm.getelementptr %w[%c64] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
    %mine = llvm.getelementptr %partials[%at] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
    llvm.store %v, %mine : f32, !llvm.ptr<1>
)" + before + R"(
    nvvm.barrier0
    %isFirst = arith.cmpi eq, %t, %zero : i32
    scf.if %isFirst {
      %before = llvm.atomicrmw add %w, %one )" +
                ordering + R"( : !llvm.ptr<1>, i32
)" + after + R"(
      llvm.store %before, %tile : i32, !llvm.ptr<3>
    }
    nvvm.barrier0
    %count = llvm.load %tile : !llvm.ptr<3> -> i32
    %isLast = arith.cmpi eq, %count, %c23 : i32
    scf.if %isLast {
      %none = arith.constant 0.0 : f32
      %sum = scf.for %i = %zero to %c24 step %one iter_args(%total = %none) -> (f32) : i32 {
        %first = arith.muli %i, %c64 : i32
        %there = arith.addi %first, %t : i32
        %place = llvm.getelementptr %partials[%there] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
        %each = llvm.load %place : !llvm.ptr<1> -> f32
        %more = arith.addf %total, %each : f32
        scf.yield %more : f32
      }
      %result = llvm.getelementptr %y[%t] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
      llvm.store %sum, %result : f32, !llvm.ptr<1>
    }
)");
}

TEST_F(SimLaunch, AtomicAccessesTellOfOthers) {
  const std::string fence = "nvvm.memory.barrier #nvvm.mem_scope<gpu>",
                    ctaFence = "nvvm.memory.barrier #nvvm.mem_scope<cta>";
  for (const std::string &text : {lastCtaAddsUp(fence, "monotonic", fence), lastCtaAddsUp("", "acq_rel", ""),
                                  lastCtaAddsUp("llvm.fence release", "monotonic", "llvm.fence acquire")}) {
    Outcome outcome = runOnSeveral(text);
    EXPECT_TRUE(outcome.report.ok()) << outcome.report.text();
    float sum = 0;
    for (int i = 0; i < numCtas; ++i)
      sum += 1.0F / static_cast<float>(i * 64 + 6);
    EXPECT_EQ(outcome.y[5], sum);
  }
  for (const std::string &text : {lastCtaAddsUp("", "monotonic", ""), lastCtaAddsUp("", "monotonic", fence),
                                  lastCtaAddsUp(fence, "monotonic", ""), lastCtaAddsUp(ctaFence, "monotonic", ctaFence),
                                  lastCtaAddsUp("", "acquire", ""), lastCtaAddsUp("", "release", "")}) {
    Outcome outcome = runOnSeveral(text);
    const sim::Finding *found = outcome.report.find(sim::FindingKind::Race);
    ASSERT_TRUE(found);
    for (const char *part : {"of CTA (23, 0, 0) reads bytes", "of 'workspace' by llvm.load", "of CTA (0, 0, 0) writes"})
      EXPECT_NE(found->text.find(part), std::string::npos) << found->text;
  }
}

TEST_F(SimLaunch, EqualValuesOfSeveralCtasAreNoRace) {
  Outcome outcome = runOnSeveral(kernel(R"(
    %constant = arith.constant 7.0 : f32
    llvm.store %constant, %w : f32, !llvm.ptr<1>
    llvm.store %v, %to : f32, !llvm.ptr<1>
)"));
  EXPECT_TRUE(outcome.report.ok()) << outcome.report.text();
}

/// What a launch is refused for; the kernel does nothing.
TEST_F(SimLaunch, RefusedTensorMaps) {
  struct Case {
    const char *box, *offset, *sizes, *strides;
    int swizzle;
    const char *part;
  };
  const Case cases[] = {
      {"64, 8", "0", "64, 16", "128", 128, ""},
      {"4", "0", "32", "", 0, ""},
      {"64, 8", "0", "64, 16", "128", 64, "a box of 128 bytes a row; expected a multiple of 16 within the swizzle"},
      {"4, 8", "0", "64, 16", "128", 128, "a box of 8 bytes a row; expected a multiple of 16 within the swizzle"},
      {"64, 257", "0", "64, 16", "128", 128, "a box of 257 elements; expected 1 to 256"},
      {"64, 0", "0", "64, 16", "128", 128, "a box of 0 elements; expected 1 to 256"},
      {"64, 8", "8", "64, 16", "128", 128, "an offset of 8 bytes; expected a multiple of 16"},
      {"64, 8", "0", "64, 16", "136", 128, "a stride of 136 bytes; expected a multiple of 16 below 2^40"},
      {"64, 8", "0", "0, 16", "128", 128, "a size of 0; expected 1 to 2^32"},
      {"64, 8", "0", "64, 16", "128", 48, "a swizzle of 48 bytes; expected 0, 32, 64 or 128"},
      {"64, 8", "0", "64, 17", "128", 128, "elements up to byte 2176 of 2048"},
      {"8, 1, 1, 1, 1, 1", "0", "8, 1, 1, 1, 1, 1", "16, 16, 16, 16, 16", 0, "rank 6"},
  };
  for (const Case &each : cases) {
    auto map = [](const char *values) { return std::string("affine_map<() -> (") + values + ")>"; };
    std::string element = std::string(each.box) == "4" ? "f32" : "bf16";
    auto module =
        compile("llvm.func @k(%x: !llvm.ptr<1>, %w: !llvm.ptr<1>, %map: !llvm.ptr {llvm.align = 64 : i64, llvm.byval = "
                "!llvm.array<128 x i8>, nvvm.grid_constant}) attributes {nvvm.kernel, nvvm.reqntid = array<i32: 32>, "
                "tenon.tensor_maps = [{argument = 0 : i64, box = array<i64: " +
                std::string(each.box) + ">, element = " + element + ", offset = " + map(each.offset) +
                ", sizes = " + map(each.sizes) + ", strides = " + map(each.strides) +
                ", swizzle = " + std::to_string(each.swizzle) + " : i64}]} {\nllvm.return\n}\n");
    std::vector<char> x(2048);
    auto report = module->run("k", {{{"x", x.data(), static_cast<int64_t>(x.size())}}, {}, {}});
    EXPECT_EQ(report.ok(), *each.part == '\0') << each.part;
    if (!report.ok()) {
      EXPECT_NE(report.status().message().find("a tensor map of 'x' has "), std::string::npos);
      EXPECT_NE(report.status().message().find(each.part), std::string::npos) << report.status().message();
    }
  }
}

TEST_F(SimLaunch, RefusedLaunches) {
  struct Case {
    const char *attributes, *part;
  };
  const Case cases[] = {
      {"tenon.shared_bytes = 232448 : i64", ""},
      {"tenon.shared_bytes = 232449 : i64", "232449 bytes of shared memory; a CTA has at most 232448"},
      {"tenon.block = array<i64: 1025, 1, 1>", "a block of 1025 x 1 x 1 threads; expected 1 to 1024 in all"},
      {"tenon.cluster = array<i64: 17, 1, 1>, tenon.grid = affine_map<() -> (17, 1, 1)>",
       "a cluster of 17 x 1 x 1 CTAs; expected 1 to 16 in all, and a grid of whole clusters"},
      {"tenon.cluster = array<i64: 2, 1, 1>, tenon.grid = affine_map<() -> (3, 1, 1)>", "a grid of whole clusters"},
      {"tenon.grid = affine_map<() -> (0, 1, 1)>", ""},
  };
  for (const Case &each : cases) {
    auto module = compile("llvm.func @k(%w: !llvm.ptr<1>) attributes {nvvm.kernel, nvvm.reqntid = array<i32: 32>, " +
                          std::string(each.attributes) + "} {\nllvm.return\n}\n");
    auto report = module->run("k", {});
    EXPECT_EQ(report.ok(), *each.part == '\0') << each.attributes;
    if (!report.ok())
      EXPECT_NE(report.status().message().find(each.part), std::string::npos) << report.status().message();
  }
}

void expectOverflow(const sim::Report &report, const std::string &part) {
  const sim::Finding *finding = report.find(sim::FindingKind::StackOverflow);
  ASSERT_TRUE(finding) << report.text();
  EXPECT_TRUE(report.hasStopped);
  EXPECT_NE(finding->text.find("of CTA (0, 0, 0) has not enough left of its stack of 262144 bytes for " + part),
            std::string::npos)
      << finding->text;
}

TEST_F(SimLaunch, AFrameBeyondTheStack) {
  // 4 MB: more than the guard has. Its first byte is touched, and its last.
  auto module = compile(kernel(R"(
    %bytes = arith.constant 4194304 : i32
    %array = llvm.alloca %bytes x i8 : (i32) -> !llvm.ptr
    %place = llvm.getelementptr %array[%t] : (!llvm.ptr, i32) -> !llvm.ptr, f32
    llvm.store volatile %v, %place : f32, !llvm.ptr
    llvm.store %v, %to : f32, !llvm.ptr<1>
)"));
  for (int64_t hostThreads : {1, 3})
    expectOverflow(run(*module, hostThreads).report, "llvm.call at -:2:3");
  // The process goes on.
  EXPECT_TRUE(run(*compile(kernel("llvm.store %v, %to : f32, !llvm.ptr<1>\n")), 1).report.ok());
}

TEST_F(SimLaunch, CallsWithoutEnd) {
  std::string text = kernel("%r = llvm.call @f(%t) : (i32) -> i32\nllvm.store %r, %to : i32, !llvm.ptr<1>\n") + R"(
  llvm.func @f(%n: i32) -> i32 {
    %one = llvm.mlir.constant(1 : i32) : i32
    %more = llvm.add %n, %one : i32
    %deep = llvm.call @f(%more) : (i32) -> i32
    %sum = llvm.sub %n, %deep : i32
    llvm.return %sum : i32
  })";
  auto module = compile(text);
  expectOverflow(run(*module, 1).report, "llvm.call at -:2");
}

TEST_F(SimLaunch, AnAccessWithLittleStackLeft) {
  // What the simulator's own functions need is asked for ahead of them.
  auto module = compile(kernel(R"(
    %bytes = arith.constant 245760 : i32
    %array = llvm.alloca %bytes x i8 : (i32) -> !llvm.ptr
    %place = llvm.getelementptr %array[%t] : (!llvm.ptr, i32) -> !llvm.ptr, f32
    llvm.store volatile %v, %place : f32, !llvm.ptr
    llvm.store %v, %to : f32, !llvm.ptr<1>
)"));
  expectOverflow(run(*module, 1).report, "llvm.");
}

} // namespace
} // namespace tenon::test
