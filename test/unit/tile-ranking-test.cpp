// The model of a product's time against what was measured: how near to the fastest its picks are.
#include "lib/Schedule/TileSchedule.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <sstream>

using namespace tenon;

namespace {

struct Measured {
  GemmShape shape;
  std::vector<std::pair<GemmTile, double>> times; ///< microseconds
  double fastest = INFINITY;

  static bool same(const GemmTile &a, const GemmTile &b) {
    return a.rows == b.rows && a.columns == b.columns && a.depth == b.depth && a.splits == b.splits &&
           a.parts == b.parts && a.isSwapped == b.isSwapped;
  }
  /// 0: not measured.
  double timeOf(const GemmTile &tile) const {
    for (const auto &[other, time] : times)
      if (same(tile, other))
        return time;
    return 0;
  }
};

std::vector<Measured> readMeasured() {
  std::ifstream file(TENON_SOURCE_DIR "/test/unit/measured-products.txt");
  std::vector<Measured> all;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#')
      continue;
    std::istringstream words(line);
    Measured kernel{{1, 0, 0, 0, 0, 16, true}, {}};
    GemmShape &shape = kernel.shape;
    words >> shape.rows >> shape.columns >> shape.depth >> shape.operandBits >> shape.isPromoted >> shape.depthBlock >>
        shape.opsBehind;
    shape.columnBlock = shape.depthBlock;
    shape.isTensorCore = shape.operandBits <= 16;
    shape.resultBits = shape.isTensorCore ? 16 : 32;
    for (std::string word; words >> word;) {
      GemmTile tile;
      std::string::size_type equals = word.find('=');
      EXPECT_TRUE(equals != std::string::npos && equals > 0 &&
                  sscanf(word.c_str(), "%ldx%ldx%ld/%ld/%ld", &tile.rows, &tile.columns, &tile.depth, &tile.splits,
                         &tile.parts) == 5)
          << word;
      tile.isSwapped = word[equals - 1] == 's';
      double time = std::stod(word.substr(equals + 1));
      kernel.times.emplace_back(tile, time);
      kernel.fastest = std::min(kernel.fastest, time);
    }
    all.push_back(kernel);
  }
  return all;
}

TEST(TileRanking, PicksAreNearTheFastestMeasured) {
  const GpuArch &gpu = **findGpuArch("sm_90a");
  std::vector<Measured> kernels = readMeasured();
  ASSERT_GE(kernels.size(), 110u);
  double logs = 0, squares = 0, count = 0;
  int64_t near = 0;
  for (const Measured &kernel : kernels) {
    const GemmShape &shape = kernel.shape;
    std::string name = std::to_string(shape.rows) + "x" + std::to_string(shape.columns) + "x" +
                       std::to_string(shape.depth) + " of " + std::to_string(shape.operandBits) + " bits, " +
                       std::to_string(shape.opsBehind) + " ops behind";
    std::vector<GemmCandidate> ranked = rankGemmTiles(shape, gpu);
    const GemmTile &pick = ranked.front().tile;
    double time = kernel.timeOf(pick);
    ASSERT_GT(time, 0) << name << ": " << pick.rows << " x " << pick.columns << " x " << pick.depth << " in "
                       << pick.splits << " splits was not measured";
    EXPECT_LE(time, 1.2 * kernel.fastest) << name << ": " << pick.rows << " x " << pick.columns;
    logs += std::log(time / kernel.fastest);
    near += time <= 1.03 * kernel.fastest;
    // Columns that whole lines of a cache do not divide: each store of theirs is two.
    for (const GemmCandidate &candidate : ranked)
      if (double measured = kernel.timeOf(candidate.tile); measured > 0 && shape.columns % 8 == 0) {
        squares += std::pow(std::log(candidate.seconds * 1e6 / measured), 2);
        ++count;
      }
  }
  double mean = std::exp(logs / kernels.size()), deviation = std::sqrt(squares / count);
  RecordProperty("mean", std::to_string(mean));
  RecordProperty("near", std::to_string(near));
  RecordProperty("deviation", std::to_string(deviation));
  EXPECT_LE(mean, 1.01);
  EXPECT_GE(near, int64_t(kernels.size() * 9 / 10));
  EXPECT_LE(deviation, 0.12);
}

} // namespace
