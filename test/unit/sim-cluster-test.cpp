// Clusters under the simulator: right values and no finding with all that keeps CTAs together, and the finding that
// belongs to it without one op of that.
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

class SimCluster : public testing::Test {
protected:
  SimCluster() {
    DialectRegistry registry;
    registerDialects(registry);
    context.appendDialectRegistry(registry);
  }

  /// The kernel on 256 words, without the `index`th op of that name (-1: the last).
  sim::Report run(const std::string &text, const std::string &without = "", int index = 0, uint64_t seed = 0) {
    OwningOpRef<ModuleOp> source = parseSourceString<ModuleOp>(text, &context);
    EXPECT_TRUE(source) << text;
    if (!source)
      return {};
    SmallVector<Operation *> named;
    source->walk([&](Operation *op) {
      if (op->getName().getStringRef() == without)
        named.push_back(op);
    });
    if (!without.empty())
      named[index < 0 ? named.size() - 1 : static_cast<size_t>(index)]->erase();
    auto compiled = SimulatedModule::compile(*source);
    EXPECT_TRUE(compiled.ok()) << compiled.status().message();
    if (!compiled.ok())
      return {};
    x.resize(256);
    std::iota(x.begin(), x.end(), 0);
    y.assign(256, -1);
    auto buffer = [](const char *name, std::vector<int32_t> &data) {
      return sim::Buffer{name, data.data(), static_cast<int64_t>(4 * data.size())};
    };
    sim::Options options;
    options.seed = seed;
    auto report = (*compiled)->run("k", {{buffer("x", x)}, {buffer("y", y)}, {}}, options);
    EXPECT_TRUE(report.ok()) << report.status().message();
    return report.ok() ? report.take() : sim::Report();
  }

  MLIRContext context;
  std::vector<int32_t> x, y;
};

void expectFinding(const sim::Report &report, sim::FindingKind kind, const std::vector<std::string> &parts) {
  const sim::Finding *finding = report.find(kind);
  ASSERT_TRUE(finding) << "no " << sim::findingKindName(kind) << " in: " << report.text();
  for (const std::string &part : parts)
    EXPECT_NE(finding->text.find(part), std::string::npos) << part << " in: " << finding->text;
}

const char *const head =
    R"(llvm.mlir.global external @shared() {addr_space = 3 : i32, alignment = 1024 : i64} : !llvm.array<0 x i8>
  llvm.func @k(%x: !llvm.ptr<1>, %y: !llvm.ptr<1>, %workspace: !llvm.ptr<1>MAPS) attributes {nvvm.kernel,
      nvvm.reqntid = array<i32: 64>, tenon.grid = affine_map<() -> (4, 1, 1)>, tenon.cluster = array<i64: 2, 1, 1>,
      tenon.shared_bytes = 2048 : i64 ATTRIBUTES} {
    %zero = arith.constant 0 : i32
    %one = arith.constant 1 : i32
    %shared = llvm.mlir.addressof @shared : !llvm.ptr<3>
    %t = nvvm.read.ptx.sreg.tid.x : i32
    %cta = nvvm.read.ptx.sreg.ctaid.x : i32
    %rank = nvvm.read.ptx.sreg.cluster.ctarank : i32
    %c64 = arith.constant 64 : i32
    %first = arith.muli %cta, %c64 : i32
    %at = arith.addi %first, %t : i32
    %from = llvm.getelementptr %x[%at] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i32
    %to = llvm.getelementptr %y[%at] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i32
)";

std::string kernel(std::string body, const std::string &maps = "", const std::string &attributes = "") {
  std::string text = head;
  text.replace(text.find("MAPS"), 4, maps);
  text.replace(text.find("ATTRIBUTES"), 10, attributes);
  return text + body + "llvm.return\n}\n";
}

const char *const sync = "nvvm.cluster.arrive {aligned}\nnvvm.cluster.wait {aligned}\n";

/// Each CTA gives the other its words: by a read there, between two syncs.
std::string reader() {
  return kernel(std::string(R"(%v = llvm.load %from : !llvm.ptr<1> -> i32
    %mine = llvm.getelementptr %shared[%t] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i32
    llvm.store %v, %mine : i32, !llvm.ptr<3>
)") + sync + R"(%other = arith.xori %rank, %one : i32
    %there = nvvm.mapa %mine, %other : !llvm.ptr<3> -> !llvm.ptr<7>
    %w = llvm.load %there : !llvm.ptr<7> -> i32
)" + sync + "llvm.store %w, %to : i32, !llvm.ptr<1>\n");
}

TEST_F(SimCluster, ReadsOfAPeer) {
  for (uint64_t seed : {0, 1, 2, 3}) {
    sim::Report report = run(reader(), "", 0, seed);
    EXPECT_TRUE(report.ok()) << report.text();
    for (int i = 0; i < 256; ++i)
      ASSERT_EQ(y[i], (i / 64 ^ 1) * 64 + i % 64);
  }
}

TEST_F(SimCluster, MissingSyncs) {
  // Without the first nothing was written there yet, and the CTA may not have started.
  std::string text = reader();
  text.erase(text.find(sync), std::string(sync).size());
  sim::Report report = run(text);
  expectFinding(report, sim::FindingKind::Race,
                {"touches the shared memory of CTA (1, 0, 0) by llvm.load", "nothing says that that CTA has started"});
  EXPECT_FALSE(report.find(sim::FindingKind::Uninitialised)) << report.text(); // it is written later
  // Without the second it may have ended.
  text = reader();
  text.erase(text.rfind(sync), std::string(sync).size());
  expectFinding(run(text), sim::FindingKind::Race, {"by llvm.load", "that CTA may have ended"});
  expectFinding(run(reader(), "nvvm.cluster.wait"), sim::FindingKind::Misuse, {"without a wait in between"});
  expectFinding(run(reader(), "nvvm.cluster.arrive"), sim::FindingKind::Misuse, {"at which it has not arrived"});
}

TEST_F(SimCluster, ARelaxedArrivalOrdersNothing) {
  std::string text = reader(), plain = "nvvm.cluster.arrive {aligned}";
  text.replace(text.find(plain), plain.size(), "nvvm.cluster.arrive.relaxed {aligned}");
  expectFinding(run(text), sim::FindingKind::Race, {"llvm.load", "llvm.store", "nothing orders the two"});
}

TEST_F(SimCluster, OneCtaDoesNotCome) {
  std::string text = kernel(std::string("%isFirst = arith.cmpi eq, %rank, %zero : i32\nscf.if %isFirst {\n"
                                        "%before = llvm.load volatile %from : !llvm.ptr<1> -> i32\n") +
                            sync + "} else {\nnvvm.barrier id = %one number_of_threads = %c128\n}\n");
  text.replace(text.find("%c64 ="), 0, "%c128 = arith.constant 64 : i32\n");
  // The second CTA ends, and counts no more.
  EXPECT_TRUE(run(text).ok()) << run(text).text();
  std::string hang = kernel(std::string("%isFirst = arith.cmpi eq, %rank, %zero : i32\nscf.if %isFirst {\n") + sync +
                            "} else {\n%c32 = arith.constant 32 : i32\n%isLow = arith.cmpi ult, %t, %c32 : i32\n"
                            "scf.if %isLow {\nnvvm.barrier id = %one number_of_threads = %c64\n}\n}\n");
  expectFinding(run(hang), sim::FindingKind::Deadlock,
                {"CTA (0, 0, 0) cannot go on: threads 0-63 wait at nvvm.cluster.wait",
                 "the barrier of its cluster in phase 0, where 64 of 96 came",
                 "CTA (1, 0, 0) cannot go on: threads 0-31 wait"});
}

TEST_F(SimCluster, APeerThatIsNotThere) {
  std::string text = reader();
  text.replace(text.find("%rank, %one : i32"), 17, "%rank, %c64 : i32");
  expectFinding(run(text), sim::FindingKind::Misuse, {"nvvm.mapa", "of its cluster, which has 2"});
}

/// The first CTA loads 128 words for both; each waits for its own mbarrier.
std::string multicast(const std::string &mask = "3", const std::string &end = sync) {
  return kernel(std::string(R"(%isFirst = arith.cmpi eq, %t, %zero : i32
    %c256 = arith.constant 256 : i32
    %barrier = llvm.getelementptr %shared[%c256] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i32
    scf.if %isFirst {
      nvvm.mbarrier.init %barrier, %one : !llvm.ptr<3>, i32
      nvvm.fence.mbarrier.init
    }
)") + sync + R"(scf.if %isFirst {
      %bytes = arith.constant 512 : i32
      nvvm.mbarrier.arrive.expect_tx %barrier, %bytes : !llvm.ptr<3>, i32
      %isLoader = arith.cmpi eq, %rank, %zero : i32
      scf.if %isLoader {
        %mask = arith.constant )" +
                    mask + R"( : i16
        %box = llvm.addrspacecast %shared : !llvm.ptr<3> to !llvm.ptr<7>
        nvvm.cp.async.bulk.tensor.shared.cluster.global %box, %map, %barrier, box[%zero] multicast_mask = %mask : !llvm.ptr<7>, !llvm.ptr
      }
    }
    ptx.mbarrier.wait %barrier, %zero
    %mine = llvm.getelementptr %shared[%t] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i32
    %v = llvm.load %mine : !llvm.ptr<3> -> i32
    llvm.store %v, %to : i32, !llvm.ptr<1>
)" + end,
                ", %map: !llvm.ptr {llvm.align = 64 : i64, llvm.byval = !llvm.array<128 x i8>, nvvm.grid_constant}",
                ", tenon.tensor_maps = [{argument = 0 : i64, box = array<i64: 128>, element = i32, offset = "
                "affine_map<() -> (0)>, "
                "sizes = affine_map<() -> (256)>, strides = affine_map<() -> ()>, swizzle = 0 : i64}]");
}

TEST_F(SimCluster, Multicast) {
  for (uint64_t seed : {0, 1, 2, 3}) {
    sim::Report report = run(multicast(), "", 0, seed);
    EXPECT_TRUE(report.ok()) << report.text();
    for (int i = 0; i < 256; ++i)
      ASSERT_EQ(y[i], i % 64);
  }
}

TEST_F(SimCluster, FencesOfInitialisation) {
  // A relaxed arrival tells the peer of the mbarrier, if the fence is ahead of it, and of nothing else.
  std::string relaxed = multicast("3"), plain = "nvvm.cluster.arrive {aligned}", fence = "nvvm.fence.mbarrier.init";
  relaxed.replace(relaxed.find(plain), plain.size(), "nvvm.cluster.arrive.relaxed {aligned}");
  for (uint64_t seed : {0, 1, 2, 3}) {
    sim::Report report = run(relaxed, "", 0, seed);
    EXPECT_TRUE(report.ok()) << report.text();
  }
  expectFinding(run(relaxed, fence), sim::FindingKind::Race, {"nvvm.mbarrier.init", "nothing orders the two"});
  // A full arrival tells the peer's threads; TMA also needs the fence, or that of proxies.
  sim::Report report = run(multicast(), fence);
  expectFinding(report, sim::FindingKind::Race,
                {"nvvm.cp.async.bulk.tensor.shared.cluster.global at ", "signals the mbarrier that thread 0 of CTA (",
                 "initialised by nvvm.mbarrier.init at ", "no fence.mbarrier.init or fence.proxy.async is between"});
  std::string proxy = multicast();
  proxy.replace(proxy.find(fence), fence.size(), "nvvm.fence.proxy {kind = #nvvm.proxy_kind<async>}");
  EXPECT_TRUE(run(proxy).ok()) << run(proxy).text();
}

TEST_F(SimCluster, MulticastWithoutOneOp) {
  expectFinding(run(multicast("1")), sim::FindingKind::Deadlock,
                {"CTA (1, 0, 0) cannot go on: threads 0-63 wait at ptx.mbarrier.wait", "lacks", "512 bytes"});
  expectFinding(run(multicast("7")), sim::FindingKind::Misuse, {"for CTAs of mask 7; its cluster has 2"});
  expectFinding(run(multicast(), "nvvm.mbarrier.init"), sim::FindingKind::Misuse, {"in which no mbarrier.init was"});
  // The CTA that only receives ends while the copy is on its way.
  expectFinding(run(multicast(), "ptx.mbarrier.wait"), sim::FindingKind::AsyncCopy,
                {"nvvm.cp.async.bulk.tensor.shared.cluster.global"});
  std::string text = multicast("3", "");
  std::string wait = "ptx.mbarrier.wait %barrier, %zero";
  text.replace(text.find(wait), wait.size(), "scf.if %isFirst {\n" + wait + "\n}");
  EXPECT_FALSE(run(text).ok());
}

TEST_F(SimCluster, ExitWhileAPeerMulticasts) {
  std::string text = multicast("3", "");
  for (std::string gone : {"ptx.mbarrier.wait %barrier, %zero\n", "%v = llvm.load %mine : !llvm.ptr<3> -> i32\n",
                           "llvm.store %v, %to : i32, !llvm.ptr<1>\n"})
    text.erase(text.find(gone), gone.size());
  expectFinding(
      run(text), sim::FindingKind::AsyncCopy,
      {"nvvm.cp.async.bulk.tensor.shared.cluster.global", "still writes to shared memory when CTA (", "has ended"});
}

/// Each thread has a word of its CTA's shared memory, `mine`, and the same of the peer, `peer`; then both CTAs go on.
std::string withPeersMbarrier(const std::string &body) {
  return kernel(std::string(R"(%isFirst = arith.cmpi eq, %t, %zero : i32
    %c256 = arith.constant 256 : i32
    %barrier = llvm.getelementptr %shared[%c256] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i32
    %other = arith.xori %rank, %one : i32
    %there = nvvm.mapa %barrier, %other : !llvm.ptr<3> -> !llvm.ptr<7>
    scf.if %isFirst {
      nvvm.mbarrier.init %barrier, %c64 : !llvm.ptr<3>, i32
      nvvm.fence.mbarrier.init
    }
    %mine = llvm.getelementptr %shared[%t] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i32
    %peer = nvvm.mapa %mine, %other : !llvm.ptr<3> -> !llvm.ptr<7>
    %v = llvm.load %from : !llvm.ptr<1> -> i32
    llvm.store %v, %mine : i32, !llvm.ptr<3>
)") + sync + body +
                sync);
}

/// An arrival at the mbarrier of a peer tells it what was written where its scope is the cluster, not by default.
TEST_F(SimCluster, ArrivalAtAPeersMbarrierAfterAWrite) {
  std::string text = withPeersMbarrier(R"(llvm.store %v, %peer : i32, !llvm.ptr<7>
    nvvm.mbarrier.arrive %there {scope = #nvvm.mem_scope<cluster>} : !llvm.ptr<7>
    ptx.mbarrier.wait %barrier, %zero
    %w = llvm.load %mine : !llvm.ptr<3> -> i32
    llvm.store %w, %to : i32, !llvm.ptr<1>
)");
  sim::Report report = run(text);
  EXPECT_TRUE(report.ok()) << report.text();
  EXPECT_EQ(y[3], 67);
  expectFinding(run(text, "nvvm.mbarrier.arrive"), sim::FindingKind::Deadlock, {"lacks 64 of 64 arrivals"});
  EXPECT_FALSE(run(text, "ptx.mbarrier.wait").ok());
  std::string scope = "{scope = #nvvm.mem_scope<cluster>} ";
  text.erase(text.find(scope), scope.size());
  expectFinding(run(text), sim::FindingKind::Race,
                {"reads bytes 0 to 3 of shared memory of CTA (1, 0, 0) by llvm.load", "by llvm.store"});
  std::string arrive = "nvvm.mbarrier.arrive %there : !llvm.ptr<7>";
  text.replace(text.find(arrive), arrive.size(),
               "%always = arith.constant true\nptx.mbarrier.arrive.cluster %barrier, %other, %always");
  expectFinding(run(text), sim::FindingKind::Race, {"by llvm.load", "by llvm.store"});
}

/// By default, too, what was read may be written again: by the peer that waits, and by whom that one meets.
TEST_F(SimCluster, ArrivalAtAPeersMbarrierAfterARead) {
  std::string text = withPeersMbarrier(R"(%w = llvm.load %mine : !llvm.ptr<3> -> i32
    nvvm.mbarrier.arrive %there : !llvm.ptr<7>
    scf.if %isFirst {
      ptx.mbarrier.wait %barrier, %zero
    }
    nvvm.barrier0
    llvm.store %w, %peer : i32, !llvm.ptr<7>
    nvvm.cluster.arrive {aligned}
    nvvm.cluster.wait {aligned}
    %back = llvm.load %mine : !llvm.ptr<3> -> i32
    llvm.store %back, %to : i32, !llvm.ptr<1>
)");
  sim::Report report = run(text);
  EXPECT_TRUE(report.ok()) << report.text();
  EXPECT_EQ(y[3], 67);
  expectFinding(run(text, "ptx.mbarrier.wait"), sim::FindingKind::Race, {"by llvm.store", "by llvm.load"});
}

/// Each thread sends four words to the other CTA, whose mbarrier counts them.
std::string sender() {
  return kernel(std::string(R"(%isFirst = arith.cmpi eq, %t, %zero : i32
    %c384 = arith.constant 384 : i32
    %barrier = llvm.getelementptr %shared[%c384] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i32
    %other = arith.xori %rank, %one : i32
    scf.if %isFirst {
      nvvm.mbarrier.init %barrier, %one : !llvm.ptr<3>, i32
      nvvm.fence.mbarrier.init
    }
    %mine = llvm.getelementptr %shared[%t] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, vector<4xi32>
)") + sync + R"(scf.if %isFirst {
      %bytes = arith.constant 1024 : i32
      nvvm.mbarrier.arrive.expect_tx %barrier, %bytes : !llvm.ptr<3>, i32
    }
    %v = llvm.load %from : !llvm.ptr<1> -> i32
    %none = llvm.mlir.poison : vector<4xi32>
    %v0 = llvm.insertelement %v, %none[%zero : i32] : vector<4xi32>
    %v1 = llvm.insertelement %t, %v0[%one : i32] : vector<4xi32>
    %two = arith.constant 2 : i32
    %v2 = llvm.insertelement %t, %v1[%two : i32] : vector<4xi32>
    %three = arith.constant 3 : i32
    %v3 = llvm.insertelement %cta, %v2[%three : i32] : vector<4xi32>
    ptx.st.async %v3, %mine, %barrier, %other : vector<4xi32>
    ptx.mbarrier.wait %barrier, %zero
    %w = llvm.load %mine : !llvm.ptr<3> -> i32
    llvm.store %w, %to : i32, !llvm.ptr<1>
)" + sync);
}

TEST_F(SimCluster, StoresThatAPeersMbarrierCounts) {
  std::string text = sender();
  for (uint64_t seed : {0, 1, 2, 3}) {
    sim::Report report = run(text, "", 0, seed);
    EXPECT_TRUE(report.ok()) << report.text();
    for (int i = 0; i < 256; ++i)
      ASSERT_EQ(y[i], (i / 64 ^ 1) * 64 + i % 64);
  }
  expectFinding(run(text, "ptx.st.async"), sim::FindingKind::Deadlock, {"lacks", "1024 bytes"});
  expectFinding(run(text, "ptx.mbarrier.wait"), sim::FindingKind::AsyncCopy,
                {"llvm.load", "ptx.st.async", "no wait for its mbarrier has ended that copy"});
  std::string few = text, bytes = "constant 1024 :";
  few.replace(few.find(bytes), bytes.size(), "constant 1008 :");
  expectFinding(run(few), sim::FindingKind::Misuse, {"16 bytes more than expected come to the mbarrier"});
}

TEST_F(SimCluster, AStoreThatIsCountedTellsOfNothingElse) {
  // Thread 0 writes a word there before, by a plain store, which the phase does not count.
  std::string text = sender(), send = "ptx.st.async";
  text.insert(text.find(send), R"(%behind = arith.constant 320 : i32
    %word = llvm.getelementptr %shared[%behind] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i32
    %there = nvvm.mapa %word, %other : !llvm.ptr<3> -> !llvm.ptr<7>
    scf.if %isFirst {
      llvm.store %t, %there : i32, !llvm.ptr<7>
    }
    )");
  std::string load = "%w = llvm.load %mine";
  text.replace(text.find(load), load.size(), "%w = llvm.load %word");
  expectFinding(run(text), sim::FindingKind::Race, {"llvm.load", "llvm.store", "nothing orders the two"});
}

} // namespace
} // namespace tenon::test
