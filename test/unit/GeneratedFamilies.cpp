#include "test/unit/GeneratedFamilies.h"

namespace tenon::test {
namespace {

using sim::FindingKind;

std::string tensor(std::initializer_list<int64_t> sizes, const std::string &element) {
  std::string text = "tensor<";
  for (int64_t size : sizes)
    text += std::to_string(size) + "x";
  return text + element + ">";
}

Model product(int64_t m, int64_t n, int64_t k, const std::string &element) {
  std::string x = tensor({m, k}, element), w = tensor({n, k}, element), y = tensor({m, n}, element);
  return {"func.func @main(%x: " + x + ", %w: " + w + ") -> " + y + " {\n%y = tenon.linear %x, %w : (" + x + ", " + w +
              ") -> " + y + "\nreturn %y : " + y + "\n}",
          {m * k, n * k},
          m * n};
}
Model productBF16(int64_t m) { return product(m, 96, 320, "bf16"); }
Model longProduct(int64_t m) { return product(m, 40, 584, "bf16"); }
Model productF32(int64_t m) { return product(m, 40, 96, "f32"); }
Model productInParts(int64_t m) { return product(m, 64, 256, "bf16"); }
/// Of the kernel that stores the sums of both parts, in f32: four times as many bytes as the model's result.
Model productOfParts(int64_t m) {
  Model model = product(m, 64, 512, "bf16");
  model.result *= 4;
  return model;
}
Model shortProduct(int64_t m) { return product(m, 96, 128, "bf16"); }

Model attentionOf(int64_t heads, int64_t queries) {
  std::string type = tensor({1, heads, queries, 64}, "bf16"), types = type + ", " + type + ", " + type;
  int64_t elements = heads * queries * 64;
  return {"func.func @main(%q: " + type + ", %k: " + type + ", %v: " + type + ") -> " + type +
              " {\n%y = tenon.attention %q, %k, %v {causal} : (" + types + ") -> " + type + "\nreturn %y : " + type +
              "\n}",
          {elements, elements, elements},
          elements};
}

Model attention(int64_t queries) { return attentionOf(2, queries); }
Model attentionOfOneHead(int64_t queries) { return attentionOf(1, queries); }

Model normOf(int64_t rows, int64_t columns) {
  std::string type = tensor({rows, columns}, "f32");
  return {"func.func @main(%x: " + type + ") -> " + type + " {\n%y = tenon.layer_norm %x {epsilon = 1.0e-5 : f64} : (" +
              type + ") -> " + type + "\nreturn %y : " + type + "\n}",
          {rows * columns},
          rows * columns};
}
Model norm(int64_t columns) { return normOf(3, columns); }
Model normOfOneRow(int64_t columns) { return normOf(1, columns); }

// Of the descriptor of a product: a swizzle of 64 bytes in place of 128; groups of 8 rows 512 bytes apart in place of
// 1024, and 2048.
constexpr uint64_t otherSwizzle = uint64_t{3} << 62, shortStride = uint64_t{0x60} << 32,
                   longStride = uint64_t{0xC0} << 32;

const std::string copy = "nvvm.cp.async.shared.global", wait = "nvvm.cp.async.wait.group",
                  commit = "nvvm.cp.async.commit.group", barrier = "nvvm.barrier0", fence = "nvvm.fence.proxy",
                  load = "nvvm.cp.async.bulk.tensor.shared.cluster.global",
                  store = "nvvm.cp.async.bulk.tensor.global.shared.cta", storeWait = "nvvm.cp.async.bulk.wait_group",
                  storeCommit = "nvvm.cp.async.bulk.commit.group", init = "nvvm.mbarrier.init",
                  expect = "nvvm.mbarrier.arrive.expect_tx", arrive = "ptx.mbarrier.arrive",
                  phaseWait = "ptx.mbarrier.wait", wgmma = "ptx.wgmma", wgmmaWait = "ptx.wgmma.wait",
                  read = "nvvm.ldmatrix", write = "nvvm.stmatrix", globalLoad = "ptx.ld.global",
                  globalStore = "ptx.st.global", launchWait = "nvvm.griddepcontrol", meet = "nvvm.cluster.arrive",
                  arriveAtPeers = "ptx.mbarrier.arrive.cluster", send = "ptx.st.async";

Expected race(Place at, Place with, std::string part = "nothing orders the two") {
  return {FindingKind::Race, at, with, part};
}
Expected underWay(Place at, Place with) { return {FindingKind::AsyncCopy, at, with, "has ended that copy"}; }
Expected hangs(Place at, std::string lacks) { return {FindingKind::Deadlock, at, {}, lacks}; }
Expected outside(Place at) { return {FindingKind::OutOfBounds, at}; }
Expected misuse(Place at, std::string part) { return {FindingKind::Misuse, at, {}, part}; }
Expected unwritten(Place at) { return {FindingKind::Uninitialised, at, {}, "nobody has written"}; }
Expected noFence(Place at, Place with) { return race(at, with, "no fence.proxy.async is between"); }
Expected unwaited(Place at, Place with) { return race(at, with, "an accumulator of ptx.wgmma"); }
Expected aheadOfLaunch(Place at) { return {FindingKind::Race, at, {}, "no griddepcontrol.wait"}; }
Expected atTheEnd(Place at, std::string part) { return {FindingKind::AsyncCopy, at, {}, part}; }

const char *const tiles = "#tile.gemm<rows = 128, columns = 64, depth = 64>";
const char *const tilesByLast = "#tile.gemm<rows = 64, columns = 64, depth = 64, split_k = 2, by_last = true>";
const char *const byTma = "#warp.schedule<warps = [8, 1], stages = 3, tf32 = false, wgmma = true, producer = true>";
const char *const tilesOfCluster = "#tile.gemm<rows = 64, columns = 128, depth = 64>";
const char *const joinedTiles = "#tile.gemm<rows = 64, columns = 64, depth = 64, split_k = 2, joined = true>";
const char *const byFourWarps =
    "#warp.schedule<warps = [4, 1], stages = 3, tf32 = false, wgmma = true, producer = true>";
const char *const byTeams =
    "#warp.schedule<warps = [4, 1], stages = 3, tf32 = false, wgmma = true, producer = true, teams = 2>";
const char *const byClusters =
    "#warp.schedule<warps = [4, 1], stages = 3, tf32 = false, wgmma = true, producer = true, cluster = 2>";
const char *const byClustersOfFour =
    "#warp.schedule<warps = [4, 1], stages = 3, tf32 = false, wgmma = true, producer = true, cluster = 4>";
const char *const byEarlyWeights =
    "#warp.schedule<warps = [4, 1], stages = 3, tf32 = false, wgmma = true, producer = true, early = 4>";
const char *const swappedTiles = "#tile.gemm<rows = 16, columns = 64, depth = 64, swapped = true>";
const char *const deepTiles = "#tile.gemm<rows = 64, columns = 32, depth = 128>";
const char *const squareTiles = "#tile.gemm<rows = 64, columns = 64, depth = 64>";
const char *const splitTiles = "#tile.gemm<rows = 64, columns = 64, depth = 64, split_k = 2>";
const char *const byCopies = "#warp.schedule<warps = [8, 1], stages = 4, tf32 = false, wgmma = true>";

std::vector<Mutant> mutantsOfMma() {
  return {
      {"no barrier", barrier, race({read, 0}, {copy, 0})},
      {"no wait for copies", wait, underWay({read, 0}, {copy, 0})},
      {"a wait for fewer copies", wait, underWay({read, 0}, {copy, 0}), Change::WaitForLess},
      {"no commit", commit, underWay({read, 0}, {copy, 0})},
      {"a copy left out", copy, unwritten({read, 0}), Change::Remove, 0},
      {"one row too many is copied", copy, outside({copy, 0}), Change::TailMoved},
      {"one row too many is stored", globalStore, outside({globalStore, 0}), Change::TailMoved},
  };
}

std::vector<Mutant> mutantsOfFma() {
  const std::string load = "llvm.load";
  return {
      {"no barrier", barrier, race({copy, 0}, {load, 0})},
      {"no wait for copies", wait, underWay({load, 0}, {copy, 0})},
      {"a wait for fewer copies", wait, underWay({load, 0}, {copy, 0}), Change::WaitForLess},
      {"no commit", commit, underWay({load, 0}, {copy, 0})},
      {"a copy left out", copy, unwritten({load, 0}), Change::Remove, 0},
      {"one row too many is copied", copy, outside({copy, 1}), Change::TailMoved},
      {"one row too many is stored", globalStore, outside({globalStore, 0}), Change::TailMoved, 0},
  };
}

std::vector<Mutant> mutantsOfWgmma() {
  return {
      {"no barrier", barrier, race({wgmma, 0}, {copy, 0})},
      {"no wait for copies", wait, underWay({wgmma, 0}, {copy, 0})},
      {"no commit", commit, underWay({wgmma, 0}, {copy, 0})},
      {"no fence", fence, noFence({wgmma, 0}, {copy, 0})},
      {"no wait for products in the loop", wgmmaWait, race({copy, 6}, {wgmma, 0}), Change::Remove, 0},
      {"no wait for the last products", wgmmaWait, unwaited({"llvm.insertelement", 0}, {wgmma, 0}), Change::Remove, 1},
      {"half the stride", wgmma, misuse({wgmma, 0}, "lie at the same place"), Change::OtherBits, -1, shortStride},
  };
}

std::vector<Mutant> mutantsOfTma() {
  return {
      {"no fence", fence, noFence({store, 0}, {write, 0})},
      {"no fence of initialisation", "nvvm.fence.mbarrier.init", race({load, 0}, {init, 0}, "no fence.mbarrier.init")},
      {"no mbarriers", init, misuse({phaseWait, 0}, "in which no mbarrier.init was")},
      {"no wait for free slots", phaseWait, misuse({expect, 0}, "has all its"), Change::Remove, 0},
      {"the other parity of free slots", phaseWait, hangs({phaseWait, 0}, "lacks 8 of 8 arrivals"), Change::OtherParity,
       0},
      {"one arrival too many at full slots", init, hangs({phaseWait, 1}, "lacks 1 of 2 arrivals"), Change::OneMore, 0},
      {"one arrival too many at free slots", init, hangs({phaseWait, 0}, "lacks 1 of 9 arrivals"), Change::OneMore, 1},
      {"one arrival too few", init, race({load, 0}, {wgmma, 0}), Change::OneLess, 1},
      {"no release of slots", arrive, hangs({phaseWait, 0}, "lacks 8 of 8 arrivals"), Change::Remove, 0},
      {"no bytes expected", expect, hangs({phaseWait, 1}, "lacks 1 of 1 arrivals")},
      {"too many bytes expected", expect, hangs({phaseWait, 1}, "and 16 bytes"), Change::MoreBytes},
      {"too few bytes expected", expect, misuse({load, 1}, "16 bytes more than expected"), Change::LessBytes},
      {"no wait for products in the loop", wgmmaWait, race({load, 0}, {wgmma, 0}), Change::Remove, 0},
      {"no wait for the last products", wgmmaWait, unwaited({"llvm.insertelement", 0}, {wgmma, 0}), Change::Remove, 1},
      {"another swizzle", wgmma, misuse({wgmma, 0}, "reads with a swizzle of 64 bytes"), Change::OtherBits, -1,
       otherSwizzle},
      {"half the stride", wgmma, misuse({wgmma, 0}, "lie at the same place"), Change::OtherBits, -1, shortStride},
      {"twice the stride", wgmma, misuse({wgmma, 0}, "outside of the box"), Change::OtherBits, -1, longStride},
      {"a warp that loads takes the role of those that multiply, which takes registers", "scf.if",
       hangs({"nvvm.setmaxregister", 1}, "registers"), Change::RoleMoved},
      {"no wait for the last stores", storeWait, atTheEnd({store, 0}, "expected a wait for its group"), Change::Remove,
       1},
      {"no commit of stores", storeCommit, atTheEnd({store, 0}, "a commit is missing")},
      {"no wait for the launch ahead", launchWait, aheadOfLaunch({load, 0}), Change::Remove, 0},
  };
}

/// Of fewer steps than slots: who does not wait does not release a slot too early besides.
std::vector<Mutant> mutantsOfShortTma() {
  return {
      {"no wait for what is to come", phaseWait, underWay({wgmma, 0}, {load, 0}), Change::Remove, 1},
      {"the other parity of what has come", phaseWait, underWay({wgmma, 0}, {load, 0}), Change::OtherParity, 1},
  };
}

/// Each team waits for its turn at a named barrier, and hands the next one on; the last is taken at the end.
std::vector<Mutant> mutantsOfTeams() {
  const std::string turn = "nvvm.barrier", handOn = "nvvm.barrier.arrive";
  return {
      {"the first turn is given to nobody", handOn, hangs({turn, 0}, "where 128 of 256 came"), Change::Remove, 0},
      {"no turn is handed on", handOn, hangs({turn, 1}, "where 128 of 256 came"), Change::Remove, 1},
      {"no bytes expected", expect, hangs({phaseWait, 1}, "lacks 1 of 1 arrivals")},
      {"half the stride", wgmma, misuse({wgmma, 0}, "lie at the same place"), Change::OtherBits, -1, shortStride},
  };
}

std::vector<Mutant> mutantsOfCluster() {
  return {
      {"a meeting of the CTA alone at the start", meet, race({load, 1}, {}, "nothing says that that CTA has started"),
       Change::OfTheCta, 0},
      {"a meeting of the CTA alone at the end", meet, race({load, 1}, {}, "may have ended"), Change::OfTheCta, 1},
      {"no arrival at the peers", arriveAtPeers, hangs({phaseWait, 0}, "lacks 8 of 8 arrivals"), Change::Remove, 0},
      {"no arrival at the last peer", arriveAtPeers, hangs({phaseWait, 0}, "lacks 8 of 8 arrivals"), Change::OneLess,
       0},
      {"one arrival too few", init, race({load, 0}, {wgmma, 0}), Change::OneLess, 1},
      {"a mask of the first CTA", load, hangs({phaseWait, 1}, "and 16384 bytes"), Change::OtherMask, 1, 1},
      {"a mask of three CTAs", load, misuse({load, 1}, "its cluster has 2"), Change::OtherMask, 1, 7},
      {"no fence of initialisation", "nvvm.fence.mbarrier.init", race({load, 0}, {init, 0}, "no fence.mbarrier.init")},
      {"too few bytes expected", expect, misuse({load, 1}, "more than expected"), Change::LessBytes},
  };
}

/// Two CTAs send each other their parts of a sum. Of the waits the third is for the place in the peer, the fourth for
/// what the peer sends.
std::vector<Mutant> mutantsOfJoined() {
  // Who does not wait arrives once more at the end; who is early tells the peer to send again before that has sent at
  // all.
  const Expected notStarted = {
      FindingKind::Race, {send, 0}, {}, "nothing says that that CTA has started", FindingKind::Misuse};
  const Expected tooEarly = {
      FindingKind::Uninitialised, {"llvm.load", 0}, {}, "nobody has written", FindingKind::Deadlock};
  return {
      {"no parts are sent", send, hangs({phaseWait, 3}, "bytes")},
      {"a part is not sent", send, hangs({phaseWait, 3}, "and 2048 bytes"), Change::Remove, 2},
      {"no wait for the parts", phaseWait, tooEarly, Change::Remove, 3},
      {"the other parity of parts", phaseWait, tooEarly, Change::OtherParity, 3},
      {"no bytes of parts expected", expect, hangs({phaseWait, 3}, "lacks 1 of 1 arrivals"), Change::Remove, 1},
      {"too many bytes of parts expected", expect, hangs({phaseWait, 3}, "and 16 bytes"), Change::MoreBytes, 1},
      {"too few bytes of parts expected", expect, misuse({expect, 1}, "16 bytes more than expected"), Change::LessBytes,
       1},
      {"no wait for the peer to start", "nvvm.cluster.wait", notStarted, Change::Remove, 1},
      {"a meeting of the CTA alone at the end", meet, race({send, 0}, {}, "may have ended"), Change::OfTheCta, 1},
      {"no fence of initialisation", "nvvm.fence.mbarrier.init", race({load, 0}, {init, 0}, "no fence.mbarrier.init")},
  };
}

std::vector<Mutant> mutantsOfManyJoined() {
  return {
      {"nobody tells the peer that its parts are read", arriveAtPeers, hangs({phaseWait, 2}, "lacks 4 of 4 arrivals")},
      {"one arrival too many for what was sent", init, hangs({phaseWait, 2}, "lacks 1 of 5 arrivals"), Change::OneMore,
       7},
  };
}

std::vector<Mutant> mutantsOfManyTiles() {
  return {
      {"a buffer of stores is written again", storeWait, race({write, 0}, {store, 0}), Change::Remove, 0},
      {"a slot is released before its products end", arrive, race({load, 0}, {wgmma, 0}), Change::AheadOfWait},
  };
}

std::vector<Mutant> mutantsOfAttentionByTma() {
  return {
      {"no fence", fence, noFence({store, 0}, {write, 0}), Change::Remove, 0},
      {"no fence of initialisation", "nvvm.fence.mbarrier.init", race({load, 0}, {init, 0}, "no fence.mbarrier.init")},
      {"no mbarriers", init, misuse({phaseWait, 4}, "in which no mbarrier.init was")},
      {"no wait for queries", phaseWait, underWay({wgmma, 0}, {load, 0}), Change::Remove, 5},
      {"no wait for keys", phaseWait, underWay({wgmma, 0}, {load, 1}), Change::Remove, 6},
      {"the other parity of keys", phaseWait, underWay({wgmma, 0}, {load, 1}), Change::OtherParity, 6},
      {"the other parity of free slots", phaseWait, hangs({phaseWait, 1}, "lacks"), Change::OtherParity, 1},
      {"one arrival too many", init, hangs({phaseWait, 5}, "lacks 1 of 2 arrivals"), Change::OneMore, 0},
      {"too many bytes expected", expect, hangs({phaseWait, 5}, "and 16 bytes"), Change::MoreBytes, 0},
      {"too few bytes expected", expect, misuse({load, 0}, "16 bytes more than expected"), Change::LessBytes, 0},
      {"no wait for products", wgmmaWait, unwaited({"arith.select", 0}, {wgmma, 0}), Change::Remove, 0},
      {"a wait for fewer products", wgmmaWait, unwaited({"arith.select", 0}, {wgmma, 0}), Change::WaitForLess, 0},
      {"another swizzle", wgmma, misuse({wgmma, 0}, "reads with a swizzle of 64 bytes"), Change::OtherBits, 0,
       otherSwizzle},
      {"half the stride", wgmma, misuse({wgmma, 0}, "lie at the same place"), Change::OtherBits, 0, shortStride},
      {"a warp that loads takes the role of those that multiply", "scf.if", hangs({phaseWait, 4}, "lacks"),
       Change::RoleMoved},
      {"no wait for the last stores", storeWait, atTheEnd({store, 0}, "expected a wait for its group")},
      {"no commit of stores", storeCommit, atTheEnd({store, 0}, "a commit is missing")},
      {"no wait for the launch ahead", launchWait, aheadOfLaunch({load, 0}), Change::Remove, 0},
  };
}

std::vector<Mutant> mutantsOfAttentionByCopies() {
  return {
      {"no barrier of the loop", barrier, race({read, 0}, {copy, 0}), Change::Remove, 2},
      {"no barrier ahead of the loop", barrier, race({"llvm.store", 0}, {"llvm.load", 1}), Change::Remove, 1},
      {"no wait for copies", wait, underWay({read, 0}, {copy, 0}), Change::Remove, 0},
      {"a wait for fewer copies", wait, underWay({read, 0}, {copy, 0}), Change::WaitForLess, 0},
      {"no commit", commit, underWay({read, 0}, {copy, 0}), Change::Remove, 0},
      {"one row too many is copied", copy, outside({copy, 4}), Change::TailMoved},
  };
}

std::vector<Mutant> mutantsOfOneHead() {
  return {
      {"one row too many is stored", globalStore, outside({globalStore, 8}), Change::TailMoved},
      {"stores past the end", globalStore, outside({globalStore, 0}), Change::Unconditional, 0},
  };
}

/// Of its barriers the first keeps nothing apart, where a CTA has one row.
std::vector<Mutant> mutantsOfNorm() {
  const std::string load = "llvm.load", store = "llvm.store";
  return {
      {"no barrier ahead of the reads of sums", barrier, race({store, 0}, {load, 0}), Change::Remove, 1},
      {"no barrier ahead of the next sums", barrier, race({store, 1}, {load, 0}), Change::Remove, 2},
      {"no barrier ahead of the reads of those", barrier, race({store, 1}, {load, 8}), Change::Remove, 3},
  };
}

std::vector<Mutant> mutantsOfOneRow() {
  return {
      {"one element too many is loaded", globalLoad, outside({globalLoad, 9}), Change::TailMoved},
      {"loads past the end", globalLoad, outside({globalLoad, 9}), Change::Unconditional},
      {"stores past the end", globalStore, outside({globalStore, 8}), Change::Unconditional},
  };
}

std::vector<Mutant> with(std::vector<Mutant> mutants, Mutant more) {
  mutants.push_back(std::move(more));
  return mutants;
}

} // namespace

std::vector<Mutant> mutantsOfLast() {
  const std::string load = "llvm.load", store = "llvm.store", fence = "llvm.fence";
  return {
      {"no barrier ahead of the count", "nvvm.barrier", race({load, 1}, {store, 0}), Change::Remove, 0},
      {"no barrier behind the count", "nvvm.barrier", race({store, 8}, {load, 0}), Change::Remove, 1},
      {"no fence ahead of the count", fence, race({load, 1}, {store, 0}), Change::Remove, 0},
      {"no fence behind the count", fence, race({load, 1}, {store, 0}), Change::Remove, 1},
  };
}

std::vector<Mutant> mutantsOfFour() {
  return {
      {"no arrival at the peers", arriveAtPeers, hangs({phaseWait, 0}, "lacks 16 of 16 arrivals"), Change::Remove, 0},
      {"a mask of three CTAs", load, hangs({phaseWait, 1}, "and 16384 bytes"), Change::OtherMask, 1, 7},
  };
}

/// Of schedules whose mechanism others have mutants of: what they have of it is looked at.
std::vector<Mutant> mutantsOfRings() {
  return {
      {"no bytes expected", expect, hangs({phaseWait, 1}, "lacks 1 of 1 arrivals")},
      {"no release of slots", arrive, hangs({phaseWait, 0}, "lacks 4 of 4 arrivals")},
      {"half the stride", wgmma, misuse({wgmma, 0}, "lie at the same place"), Change::OtherBits, -1, shortStride},
  };
}

const std::vector<Family> &families() {
  const Mutant withoutLaunchWait = {"no wait for the launch ahead", launchWait, aheadOfLaunch({globalLoad, 0}),
                                    Change::Remove, 0};
  static const std::vector<Family> all = {
      {"product_mma", "sm_80", 2, productBF16, {70, 1, 130}, mutantsOfMma()},
      {"product_fma", "sm_80", 4, productF32, {33, 2, 65}, mutantsOfFma()},
      {"product_wgmma", "sm_90a", 2, productBF16, {70, 1, 130}, mutantsOfWgmma(), tiles, byCopies},
      {"product_tma", "sm_90a", 2, productBF16, {70, 1, 130}, mutantsOfTma(), tiles, byTma},
      {"product_tma_short", "sm_90a", 2, shortProduct, {70}, mutantsOfShortTma(), tiles, byTma},
      {"product_tma_many_tiles", "sm_90a", 2, shortProduct, {1100, 600}, mutantsOfManyTiles(), tiles, byTma},
      {"product_teams", "sm_90a", 2, productBF16, {130, 64, 300}, mutantsOfTeams(), tilesOfCluster, byTeams},
      {"product_cluster", "sm_90a", 2, productBF16, {130, 64, 300}, mutantsOfCluster(), tilesOfCluster, byClusters},
      {"product_cluster_of_four",
       "sm_90a",
       2,
       productBF16,
       {200, 64},
       mutantsOfFour(),
       tilesOfCluster,
       byClustersOfFour},
      {"product_swapped", "sm_90a", 2, productBF16, {13, 1, 16}, mutantsOfRings(), swappedTiles, byFourWarps},
      {"product_deep_turns", "sm_90a", 2, longProduct, {70, 1}, mutantsOfRings(), deepTiles, byFourWarps},
      {"product_split", "sm_90a", 2, productOfParts, {70, 1}, mutantsOfRings(), splitTiles, byFourWarps},
      {"product_early_weights", "sm_90a", 2, longProduct, {50, 1}, mutantsOfRings(), squareTiles, byEarlyWeights},
      {"product_joined", "sm_90a", 2, productInParts, {60, 1, 130}, mutantsOfJoined(), joinedTiles, byFourWarps},
      {"product_joined_many_tiles",
       "sm_90a",
       2,
       productInParts,
       {200},
       mutantsOfManyJoined(),
       joinedTiles,
       byFourWarps},
      {"product_by_last", "sm_90a", 2, productBF16, {50, 130, 1}, mutantsOfLast(), tilesByLast, byFourWarps},
      {"attention_sm_90a", "sm_90a", 2, attention, {72, 1, 200}, mutantsOfAttentionByTma()},
      {"attention_sm_80", "sm_80", 2, attention, {72, 1, 200}, mutantsOfAttentionByCopies()},
      {"attention_of_one_head", "sm_80", 2, attentionOfOneHead, {72}, mutantsOfOneHead()},
      {"attention_with_nan",
       "sm_90a",
       2,
       attention,
       {72},
       {{"no named barrier", "nvvm.barrier", race({"llvm.store", 1}, {"llvm.load", 1}), Change::Remove, 0}},
       "",
       "",
       true},
      {"norm_sm_90a", "sm_90a", 4, norm, {3001, 8, 129}, with(mutantsOfNorm(), withoutLaunchWait)},
      {"norm_sm_80", "sm_80", 4, norm, {3001, 8, 129}, mutantsOfNorm()},
      {"row_sm_90a", "sm_90a", 4, normOfOneRow, {3001}, mutantsOfOneRow()},
      {"row_sm_80", "sm_80", 4, normOfOneRow, {3001}, mutantsOfOneRow()},
  };
  return all;
}

} // namespace tenon::test
