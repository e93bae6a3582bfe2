// The schedules of programs on tiles: what is offered is legal, what is picked fills the processor.
#include "lib/Schedule/TileSchedule.h"

#include "gtest/gtest.h"

#include <algorithm>

#include <numeric>

using namespace tenon;

namespace {

const GpuArch &arch(const char *name) { return **findGpuArch(name); }

TEST(TileSchedule, PaddedTilesAreSmallFactorsTimesAWarp) {
  for (auto [size, tile] : {std::pair(1, 1),
                            {3, 4},
                            {17, 32},
                            {32, 32},
                            {33, 64},
                            {77, 96},
                            {129, 160},
                            {197, 224},
                            {384, 384},
                            {768, 768},
                            {4096, 4096},
                            {14336, 14336},
                            {50257, 57344}})
    EXPECT_EQ(paddedTile(size), tile) << size;
  EXPECT_EQ(paddedDepth(0), 16);
  EXPECT_EQ(paddedDepth(80), 80);
  EXPECT_EQ(paddedDepth(81), 96);
  EXPECT_EQ(paddedDepth(33, 8), 64);
}

class GemmTiles : public testing::TestWithParam<const char *> {};

TEST_P(GemmTiles, AreLegalAndRanked) {
  const GpuArch &gpu = arch(GetParam());
  for (int64_t bits : {8, 16, 32, 64})
    for (int64_t rows : {-1, 1, 17, 64, 4096})
      for (int64_t columns : {-1, 2, 96, 50257})
        for (int64_t depth : {-1, 8, 768, 4096}) {
          std::vector<GemmCandidate> ranked = rankGemmTiles({1, rows, columns, depth, bits, bits, bits <= 16}, gpu);
          ASSERT_FALSE(ranked.empty());
          for (size_t at = 0; at < ranked.size(); ++at) {
            const GemmTile &tile = ranked[at].tile;
            EXPECT_LE((tile.rows + tile.columns) * tile.depth * bits / 8, gpu.sharedBytesPerBlock);
            EXPECT_TRUE(tile.splits == 1 || depth % tile.splits == 0);
            EXPECT_TRUE(at == 0 || ranked[at - 1].seconds <= ranked[at].seconds);
            EXPECT_FALSE(ranked[at].reason.empty());
          }
        }
}

TEST_P(GemmTiles, FillTheProcessor) {
  const GpuArch &gpu = arch(GetParam());
  // One row: the flattest tile; three turns of all programs are what memory delivers in half a microsecond.
  for (int64_t columns : {1024, 4096, 14336}) {
    GemmTile tile = rankGemmTiles({1, 1, columns, 4096, 16, 16, true}, gpu).front().tile;
    EXPECT_EQ(tile.rows, tile.isSwapped ? 8 : 16) << columns;
    int64_t programs = (columns + tile.columns - 1) / tile.columns * tile.splits;
    EXPECT_GE(3.0 * programs * tile.columns * tile.depth * 2, gpu.memoryBytesPerSecond * 0.5e-6) << columns;
  }
  // Large products: large tiles, in one.
  GemmTile large = rankGemmTiles({1, 8192, 8192, 8192, 16, 16, true}, gpu).front().tile;
  EXPECT_EQ(large.rows, 128);
  EXPECT_GE(large.columns, 128);
  EXPECT_EQ(large.splits, 1);
}

INSTANTIATE_TEST_SUITE_P(Archs, GemmTiles, testing::Values("sm_80", "sm_86", "sm_89", "sm_90a"),
                         [](const auto &info) { return std::string(info.param); });

TEST(TileSchedule, FewRows) {
  const GpuArch &gpu = arch("sm_90a");
  // A wave of programs that nearly all multiprocessors share, and no second kernel.
  for (int64_t rows : {1, 16}) {
    GemmTile tile = rankGemmTiles({1, rows, 4096, 14336, 16, 16, true}, gpu).front().tile;
    EXPECT_EQ(tile.splits, 1) << rows;
    EXPECT_EQ(4096 / tile.columns, 128) << rows;
  }
  // Enough columns: no second kernel.
  EXPECT_EQ(rankGemmTiles({1, 1, 28672, 4096, 16, 16, true}, gpu).front().tile.splits, 1);
}

TEST(TileSchedule, PromotedSums) {
  const GpuArch &gpu = arch("sm_90a");
  auto bestOf = [&](int64_t side, int64_t depthBlock, int64_t columnBlock) {
    GemmShape shape{1, side, side, side, 8, 16, true, /*isPromoted=*/true, depthBlock, columnBlock};
    return rankGemmTiles(shape, gpu).front().tile;
  };
  auto expect = [](GemmTile tile, int64_t rows, int64_t columns, int64_t parts) {
    EXPECT_EQ(tile.rows, rows);
    EXPECT_EQ(tile.columns, columns);
    EXPECT_EQ(tile.depth, 128);
    EXPECT_EQ(tile.parts, parts);
  };
  // As measured: in whole waves by 192 columns at 8192, by two parts of rows at 4096. One scale a turn where columns
  // have blocks.
  expect(bestOf(8192, 0, 0), 128, 192, 1);
  expect(bestOf(4096, 0, 0), 256, 128, 2);
  expect(bestOf(8192, 128, 128), 256, 128, 2);
}

TEST(TileSchedule, ProgramsThatAddUpTheirSums) {
  GemmShape shape{1, 256, 4096, 4096, 16, 16, true};
  auto why = [&](GemmTile tile, bool byLast, const char *name = "sm_90a") {
    tile.isJoined = !byLast;
    tile.isByLast = byLast;
    return whyNotJoined(shape, tile, arch(name));
  };
  EXPECT_EQ(why({128, 128, 64, 2}, false), "");
  EXPECT_EQ(why({128, 128, 64, 2}, true), "");
  EXPECT_EQ(why({64, 64, 64, 2, 1, /*isSwapped=*/true}, false), "");
  const char *noDot = "no dot of warpgroups makes its sums",
             *noParts = "its tile has no equal parts in whole fragments";
  EXPECT_EQ(why({128, 128, 64, 2}, false, "sm_80"), noDot);
  EXPECT_EQ(why({128, 48, 64, 2}, false), noParts); // by the last it is whole
  EXPECT_EQ(why({128, 48, 64, 2}, true), "");
  EXPECT_EQ(why({2, 64, 64, 4, 1, true}, false), noParts);
  EXPECT_EQ(why({64, 32, 64, 2}, true), "its tiles are more than 256, or known only at run time");
  EXPECT_EQ(why({128, 256, 128, 2}, false),
            "shared memory does not hold three slots of its operands beside the sums of others");
  EXPECT_EQ(why({128, 128, 64, 8}, true), "a thread has no registers for its sum beside the parts of others");
  EXPECT_EQ(why({128, 128, 64, 64}, false), "a part of its depth has one turn, or it is known only at run time");
  shape.depth = -1;
  EXPECT_EQ(why({128, 128, 64, 2}, false), "a part of its depth has one turn, or it is known only at run time");
  shape.depth = 4096, shape.rows = -1;
  EXPECT_EQ(why({128, 128, 64, 2}, true), "its tiles are more than 256, or known only at run time");
  shape.rows = 1, shape.hasRows = false;
  EXPECT_EQ(why({8, 64, 64, 2, 1, true}, true), noDot);
  shape.hasRows = true, shape.products = 2;
  EXPECT_EQ(why({8, 64, 64, 2, 1, true}, true), "a program of it has more sums than one");
}

TEST(TileSchedule, TeamsOfWarpgroups) {
  const GpuArch &gpu = arch("sm_90a");
  auto teamsOf = [&](GemmShape shape, int64_t refusals = 0) {
    std::vector<GemmCandidate> ranked = rankGemmTiles(shape, gpu, refusals);
    return std::count_if(ranked.begin(), ranked.end(), [](auto &candidate) { return isForTeams(candidate.tile); });
  };
  // Several programs a multiprocessor, a short depth: one stores while the other multiplies.
  GemmShape shape{1, 4096, 2304, 768, 16, 16, true};
  GemmTile best = rankGemmTiles(shape, gpu).front().tile;
  EXPECT_TRUE(isForTeams(best)) << best.rows << " x " << best.columns;
  EXPECT_GT(teamsOf(shape), 5);
  EXPECT_EQ(teamsOf(shape, /*refusals=*/1), 0);
  // Without teams other tiles are as large as they were.
  GemmTile next = rankGemmTiles(shape, gpu, /*refusals=*/1).front().tile;
  EXPECT_GT(next.rows * next.columns, 128 * 128) << next.rows << " x " << next.columns;
  EXPECT_EQ(teamsOf({1, 512, 2304, 768, 16, 16, true}), 0);  // a program a multiprocessor
  EXPECT_EQ(teamsOf({1, 4096, 2304, 256, 16, 16, true}), 0); // few turns
  EXPECT_EQ(teamsOf({1, 4096, 2303, 768, 16, 16, true}), 0); // stores that TMA does not take
  EXPECT_EQ(teamsOf({1, 4096, 2304, 764, 16, 16, true}), 0); // operands that it does not take
  EXPECT_EQ(teamsOf({1, 4096, 2304, 768, 8, 16, true}), 0);
  shape.readsBehind = true;
  EXPECT_EQ(teamsOf(shape), 0);
  shape.readsBehind = false;
  // Gates: a thread has the sums of both, and what of one waits for the other.
  shape.products = 2;
  EXPECT_GT(teamsOf(shape), 1);
  for (const GemmCandidate &candidate : rankGemmTiles(shape, gpu))
    if (isForTeams(candidate.tile)) {
      EXPECT_LE(2 * candidate.tile.rows * candidate.tile.columns, 160 * 128);
      EXPECT_EQ(candidate.tile.columns % 16, 0);
    }
  EXPECT_EQ(teamsOf({1, 64, 28672, 4096, 16, 16, true}), 0); // half the tile's rows at most
}

TEST(TileSchedule, IntegersHaveFewerWidths) {
  auto areSwapped = [](int64_t rows, bool isInteger) {
    GemmShape shape{1, rows, 4096, 14336, 8, 16, true};
    shape.isInteger = isInteger;
    std::vector<int64_t> found;
    for (const GemmCandidate &candidate : rankGemmTiles(shape, arch("sm_90a")))
      if (candidate.tile.isSwapped && (found.empty() || found.back() != candidate.tile.rows))
        found.push_back(candidate.tile.rows);
    return found;
  };
  EXPECT_EQ(areSwapped(40, false), std::vector<int64_t>{40});
  EXPECT_EQ(areSwapped(40, true), std::vector<int64_t>{48});
  EXPECT_EQ(areSwapped(100, true), std::vector<int64_t>{112});
  EXPECT_EQ(areSwapped(20, true), std::vector<int64_t>{24});
  EXPECT_EQ(areSwapped(5, true), std::vector<int64_t>{8});
}

TEST(TileSchedule, SumsOfF64TakeTwoRegisters) {
  GemmShape shape{1, 4096, 4096, 4096, 64, 64, false};
  GemmTile one = rankGemmTiles(shape, arch("sm_90a")).front().tile;
  shape.products = 2;
  GemmTile gates = rankGemmTiles(shape, arch("sm_90a")).front().tile;
  EXPECT_EQ(one.rows * one.columns, 128 * 128);
  EXPECT_LE(2 * gates.rows * gates.columns, 128 * 128); // 128 x 128 spilled, and gates took the general path
}

TEST(TileSchedule, WhoAddsUpSums) {
  const GpuArch &gpu = arch("sm_90a");
  auto bestOf = [&](GemmShape shape) { return rankGemmTiles(shape, gpu).front().tile; };
  // Few tiles of a long depth: the programs of a cluster, or the last one.
  GemmTile joined = bestOf({1, 128, 768, 3072, 16, 16, true}), byLast = bestOf({1, 256, 4096, 14336, 16, 16, true});
  EXPECT_TRUE(joined.isJoined && joined.splits > 1);
  EXPECT_TRUE(byLast.isByLast && byLast.splits == 2);
  // Enough programs without splits.
  EXPECT_EQ(bestOf({1, 1024, 4096, 4096, 16, 16, true}).splits, 1);
  for (const GemmShape &never : {GemmShape{1, 128, 768, 3072, 32, 32, false}, {1, 128, 768, 3072, 8, 16, true}})
    for (const GemmCandidate &candidate : rankGemmTiles(never, gpu))
      EXPECT_FALSE(candidate.tile.isJoined || candidate.tile.isByLast);
  GemmShape gates{1, 128, 768, 3072, 16, 16, true};
  gates.products = 2;
  for (const GemmCandidate &candidate : rankGemmTiles(gates, gpu))
    EXPECT_EQ(candidate.tile.splits, 1);
  // What was refused as machine code had too few registers.
  for (const GemmCandidate &candidate : rankGemmTiles({1, 128, 768, 3072, 16, 16, true}, gpu, /*refusals=*/1))
    EXPECT_FALSE(candidate.tile.isJoined || candidate.tile.isByLast);
  // Those that are ranked can be carried out, of depths that parts do not divide, too.
  for (GemmShape shape : {GemmShape{1, 1000, 1000, 1000, 16, 16, true},
                          {1, 40, 4096, 4096, 16, 16, true},
                          {12, 100, 64, 520, 16, 16, true},
                          {1, 128, 768, 3072, 32, 32, true}})
    for (const GemmCandidate &candidate : rankGemmTiles(shape, gpu))
      if (candidate.tile.isJoined || candidate.tile.isByLast)
        EXPECT_EQ(whyNotJoined(shape, candidate.tile, gpu), "");
}

TEST(TileSchedule, ProductsOfTf32) {
  // As of 16 bits with half the depth a turn, where warpgroups multiply; of a warp's instructions the largest squares.
  GemmShape shape{1, 4096, 4096, 4096, 32, 32, true};
  auto bestOf = [&](const char *name) { return rankGemmTiles(shape, arch(name)).front(); };
  GemmCandidate best = bestOf("sm_90a");
  EXPECT_EQ(std::tuple(best.tile.rows, best.tile.columns, best.tile.depth), std::tuple(128, 256, 32));
  GemmShape half{1, 4096, 4096, 4096, 16, 16, true};
  double seconds = rankGemmTiles(half, arch("sm_90a")).front().seconds;
  EXPECT_GT(best.seconds, 1.8 * seconds);
  EXPECT_LT(best.seconds, 2.2 * seconds);
  EXPECT_EQ(bestOf("sm_80").tile.rows * bestOf("sm_80").tile.columns, 128 * 128);
  // Few tiles of a long depth are shared out.
  shape = {1, 256, 4096, 14336, 32, 32, true};
  EXPECT_GT(bestOf("sm_90a").tile.splits, 1);
}

TEST(TileSchedule, RowsOfAProgram) {
  const GpuArch &gpu = arch("sm_90a");
  struct Case {
    RowShape shape;
    int64_t rows, columns, part;
  };
  const Case cases[] = {
      {{{8192, 4096}, true}, 1, 4096, 1},                       // a norm: a row each
      {{{8192, 384}, true}, 16, 384, 16},                       // short rows: several
      {{{8192, 768}, true}, 8, 768, 8},                         // a warp has one
      {{{8192, 2048}, true}, 2, 2048, 2},                       // warps share longer ones
      {{{4, 50257}, true}, 1, 4096, 1},                         // long rows are walked through
      {{{64, -1}, true}, 1, 1024, 4},                           // and those that may be long
      {{{8192, 14336}}, 2, 2048, 1},                            // independent elements
      {{{1, 4096}}, 1, 128, 1},                                 // few of them: more programs
      {{{768, 3072}, false, true}, 64, 64, 1},                  // transposes: squares
      {{{512}, false, false, 300, true}, 1, 8, 320},            // sums of neighbours: few results
      {{{64, 768}, false, false, 512}, 1, 128, 32},             // sums of columns: many
      {{{768}, false, false, 512}, 1, 32, 128},                 // fewer, for more programs
      {{{4096}, false, false, 128256, true, true}, 1, 4, 1024}, // a program a result, or several
  };
  for (const Case &one : cases) {
    RowTile tile = chooseRowTile(one.shape, gpu).tile;
    SCOPED_TRACE(one.shape.sizes.back());
    EXPECT_EQ(tile.rows, one.rows);
    EXPECT_EQ(tile.columns, one.columns);
    EXPECT_EQ(tile.part, one.part);
  }
}

/// Few results of much that is folded.
TEST(TileSchedule, FoldsThatProgramsShare) {
  const GpuArch &gpu = arch("sm_90a");
  struct Case {
    std::vector<int64_t> sizes;
    int64_t reduced;
    bool mayShare;
    int64_t columns, part, splits;
  };
  const Case cases[] = {
      {{1}, 128256, true, 1, 1024, 128},                                      // argmax over a vocabulary
      {{64}, 128256, true, 1, 2048, 16},                                      // eight programs a multiprocessor
      {{8, 8}, 128256, true, 1, 2048, 16}, {{}, 1 << 24, true, 1, 2048, 128}, // one number of all
      {{1}, 4096, true, 1, 1024, 4},       {{1}, 4095, true, 1, 1024, 1},     // as long as counting programs in takes
      {{1}, 128256, false, 1, 1024, 1},                                       // there is something else to fold
      {{132}, 128256, true, 4, 1024, 1},                                      // a program for every multiprocessor
      {{-1}, 128256, true, 4, 1024, 1},                                       // how many is known at a call only
      {{1}, -1, true, 1, 2048, 32},
  };
  for (const Case &one : cases) {
    RowShape shape{one.sizes, false, false, one.reduced, true, one.mayShare};
    RowTile tile = chooseRowTile(shape, gpu).tile;
    SCOPED_TRACE(one.reduced);
    EXPECT_EQ(tile.rows, 1);
    EXPECT_EQ(tile.columns, one.columns);
    EXPECT_EQ(tile.part, one.part);
    EXPECT_EQ(tile.splits, one.splits);
  }
}

TEST(TileSchedule, QueriesOfAProgram) {
  const GpuArch &gpu = arch("sm_90a");
  auto queries = [&](TileAttentionShape shape) { return chooseAttentionTile(shape, gpu).tile.queries; };
  EXPECT_EQ(queries({8, 32, 4096, 4096, 128, 16}), 128);
  EXPECT_EQ(queries({1, 12, 512, 512, 64, 16}), 64); // 48 programs of 128
  EXPECT_EQ(queries({-1, 12, -1, -1, 64, 16}), 128);
  EXPECT_EQ(queries({-1, 8, 4, -1, 128, 16}), 16);
  EXPECT_EQ(chooseAttentionTile({8, 32, 4096, 4096, 256, 16}, gpu).tile.keys, 64);
  EXPECT_EQ(chooseAttentionTile({64, 12, 197, 197, 64, 16}, gpu).tile.keys, 208);  // at once
  EXPECT_EQ(chooseAttentionTile({64, 12, 197, 197, 128, 16}, gpu).tile.keys, 112); // two turns, filled
  EXPECT_EQ(chooseAttentionTile({64, 12, 220, 220, 64, 16}, gpu).tile.keys, 112);
  EXPECT_EQ(chooseAttentionTile({32, 12, 128, 128, 64, 16}, gpu).tile.keys, 128);
  EXPECT_EQ(chooseAttentionTile({1, 12, 128, 128, 64, 16}, gpu).tile.keys, 64); // few programs
  EXPECT_EQ(chooseAttentionTile({8, 32, 4096, 4096, 128, 32}, gpu).tile.keys, 64);
}

TEST(TileSchedule, WarpgroupsOfAnAttention) {
  const GpuArch &gpu = arch("sm_90a");
  struct Case {
    TileAttentionShape shape;
    int64_t queries, keys;
    bool byFirst;
  };
  for (const Case &one : {
           Case{{4, 16, 4096, 4096, 128, 16}, 128, 128, true},
           {{4, 16, 4096, 4096, 128, 16, /*isCausal=*/true}, 128, 128, true},
           {{16, 16, 512, 512, 128, 16, true}, 128, 128, true},
           {{16, 16, 512, 512, 128, 16}, 128, 128, true},
           {{1, 12, 1024, 1024, 64, 16, true}, 64, 128, true}, // few programs
           {{64, 12, 197, 197, 64, 16}, 128, 208, true},
           {{64, 12, 197, 197, 64, 16, false, true}, 128, 112, false}, // two turns
           {{1, 12, 197, 197, 64, 16}, 64, 112, false},
           {{32, 12, 128, 128, 64, 16}, 64, 128, true}, // three programs a multiprocessor
           {{64, 12, 128, 128, 32, 16}, 64, 128, true},
           {{32, 12, 128, 128, 64, 16, true}, 128, 128, false},
           {{32, 12, 128, 128, 64, 16, false, true}, 128, 128, false},
           {{12, 12, 128, 128, 64, 16}, 128, 128, true}, // too few for three
           {{32, 12, 256, 256, 64, 16, true}, 128, 128, false},
           {{4, 16, 4096, 4096, 64, 16}, 192, 128, true},
           {{4, 16, 4096, 4096, 64, 16, true}, 192, 128, true},
           {{32, 16, 512, 512, 64, 16, true}, 128, 128, true},
           {{4, 16, 4096, 4096, 64, 16, false, /*isMasked=*/true}, 128, 128, true},
           {{4, 16, 4096, 4096, 128, 16, false, true}, 128, 128, false},
           {{4, 16, -1, -1, 64, 16}, 128, 128, true},
           {{4, 16, 4096, 4096, 128, 32}, 64, 64, false}, // no wgmma for 32 bits
       }) {
    AttentionTile tile = chooseAttentionTile(one.shape, gpu).tile;
    SCOPED_TRACE(testing::Message() << one.shape.queries << " queries of " << one.shape.headSize);
    EXPECT_EQ(tile.queries, one.queries);
    EXPECT_EQ(tile.keys, one.keys);
    EXPECT_EQ(tile.byFirst, one.byFirst);
  }
  AttentionTile refused = chooseAttentionTile({4, 16, 4096, 4096, 64, 16}, gpu, /*refusals=*/1).tile;
  EXPECT_EQ(refused.queries, 128);
  EXPECT_FALSE(refused.byFirst);
  EXPECT_FALSE(chooseAttentionTile({4, 16, 4096, 4096, 64, 16}, arch("sm_80")).tile.byFirst);
}

TEST(TileSchedule, ProgramsShareKeys) {
  const GpuArch &gpu = arch("sm_90a");
  auto splits = [&](int64_t batch, int64_t heads, int64_t queries, int64_t keys) {
    return chooseAttentionTile({batch, heads, queries, keys, 128, 16}, gpu).tile.splits;
  };
  // A decoder's step over 8 heads of keys: enough programs, none without keys.
  for (int64_t batch : {1, 2, 4})
    for (int64_t keys : {1024, 8192, 32768, 131072}) {
      AttentionTile tile = chooseAttentionTile({batch, 8, 4, keys, 128, 16}, gpu).tile;
      SCOPED_TRACE(testing::Message() << batch << " of " << keys << " keys");
      EXPECT_GT(tile.splits, 1);
      EXPECT_LE(tile.splits, (keys + tile.keys - 1) / tile.keys);
      EXPECT_GE(batch * 8 * tile.splits, keys >= 8192 ? gpu.numSms : gpu.numSms / 4);
    }
  // The fastest of those that were measured.
  struct Case {
    int64_t batch, keys, splits;
  };
  for (const Case &one : {Case{1, 1024, 32}, {1, 8192, 34}, {16, 1024, 3}, {16, 8192, 2}, {64, 1024, 1}}) {
    AttentionTile tile = chooseAttentionTile({one.batch, 8, 4, one.keys, 128, 16}, gpu).tile;
    SCOPED_TRACE(testing::Message() << one.batch << " of " << one.keys << " keys");
    EXPECT_EQ(tile.keys, 32);
    EXPECT_EQ(tile.splits, one.splits);
  }
  // Keys of 8 bits take half of the memory and come in half of the time: more programs, on a multiprocessor and in all.
  auto ofBytes = [&](int64_t batch, int64_t queries) {
    return chooseAttentionTile({batch, 8, queries, 8192, 128, 8}, gpu).tile;
  };
  EXPECT_EQ(ofBytes(64, 4).splits, 1); // measured: 2 take 1.38 times as long
  EXPECT_EQ(ofBytes(64, 4).keys, 32);
  EXPECT_GT(ofBytes(16, 4).splits, 2);
  EXPECT_GE(ofBytes(1, 4).splits, 48);
  EXPECT_EQ(ofBytes(1, 64).splits, 1); // whose values are packed
  // Enough programs already, or nothing to share.
  EXPECT_EQ(splits(256, 8, 4, 8192), 1);
  EXPECT_EQ(splits(64, 8, 4, 8192), 1);
  EXPECT_EQ(splits(1, 8, 4, 64), 1);
  EXPECT_EQ(splits(1, 12, 128, 128), 1);
  EXPECT_EQ(splits(4, 16, 4096, 4096), 1);
  EXPECT_EQ(splits(4, 16, -1, -1), 1);
  // Of unknown sizes a usual one is assumed.
  EXPECT_GT(splits(-1, 8, 4, -1), 1);
}

} // namespace
