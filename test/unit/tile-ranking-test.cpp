// The model of a product's time against what was measured: how near to the fastest its picks are.
#include "lib/Schedule/TileSchedule.h"
#include "lib/Schedule/TuningDatabase.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>

using namespace tenon;

namespace {

struct Measured {
  GemmShape shape;
  std::vector<std::pair<GemmTile, double>> times; ///< microseconds
  double fastest = INFINITY;

  static bool same(const GemmTile &a, const GemmTile &b) {
    return a.rows == b.rows && a.columns == b.columns && a.depth == b.depth && a.splits == b.splits &&
           a.parts == b.parts && a.isSwapped == b.isSwapped && a.isJoined == b.isJoined && a.isByLast == b.isByLast;
  }
  /// 0: not measured.
  double timeOf(const GemmTile &tile) const {
    for (const auto &[other, time] : times)
      if (same(tile, other))
        return time;
    return 0;
  }
};

std::string nameOf(const GemmTile &tile) {
  std::string name = std::to_string(tile.rows) + " x " + std::to_string(tile.columns) + " x " +
                     std::to_string(tile.depth) + " in " + std::to_string(tile.splits) + " splits";
  return name + (tile.parts > 1 ? ", " + std::to_string(tile.parts) + " parts" : "") +
         (tile.isSwapped ? ", swapped" : "") + (tile.isJoined ? ", joined" : "") +
         (tile.isByLast ? ", by the last" : "");
}

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
    for (char flag = words.peek(); flag == 'r' || flag == 'g'; flag = words.peek()) {
      shape.readsBehind |= flag == 'r';
      shape.products += flag == 'g';
      words.get();
    }
    shape.isTensorCore = shape.operandBits <= 16;
    shape.resultBits = shape.isTensorCore ? 16 : 32;
    for (std::string word; words >> word;) {
      GemmTile tile;
      std::string::size_type equals = word.find('=');
      EXPECT_TRUE(equals != std::string::npos && equals > 0 &&
                  sscanf(word.c_str(), "%ldx%ldx%ld/%ld/%ld", &tile.rows, &tile.columns, &tile.depth, &tile.splits,
                         &tile.parts) == 5)
          << word;
      std::string flags = word.substr(0, equals);
      tile.isSwapped = flags.find('s') != std::string::npos;
      tile.isJoined = flags.find('j') != std::string::npos;
      tile.isByLast = flags.find('l') != std::string::npos;
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
    ASSERT_GT(time, 0) << name << ": " << nameOf(pick) << " was not measured";
    EXPECT_LE(time, 1.2 * kernel.fastest) << name << ": " << nameOf(pick);
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

/// What an epilogue of a key computes of each result, as TileCandidates.cpp counts it.
int64_t opsOf(const std::string &epilogue, int64_t resultBits) {
  const std::map<std::string, int64_t> costs = {
      {"erfc", resultBits <= 16 ? 9 : 20}, {"exp", 4}, {"divf", 8}, {"extract_slice", 0}};
  int64_t ops = 0;
  std::istringstream words(epilogue);
  for (std::string word; words >> word;) {
    auto cost = costs.find(word.substr(0, word.find('(')));
    ops += cost == costs.end() ? 1 : cost->second;
  }
  return std::max<int64_t>(0, ops - 1);
}

GemmShape shapeOf(const TuningKey &key) {
  GemmShape shape{0, 0, 0, 0, 16, 16, true};
  EXPECT_EQ(sscanf(key.shape.c_str(), "%ldx%ldx%ldx%ld", &shape.batch, &shape.rows, &shape.columns, &shape.depth), 4);
  if (key.types.rfind("f32*", 0) == 0)
    shape.operandBits = shape.resultBits = 32;
  else if (key.types.rfind("f8", 0) == 0 || key.types.rfind("i8", 0) == 0)
    shape.operandBits = 8;
  shape.isTensorCore = shape.operandBits <= 16;
  shape.isPromoted = shape.operandBits == 32 || key.types.rfind("f8", 0) == 0;
  shape.depthBlock = shape.columnBlock = key.op.find("blocks of 128") == std::string::npos ? 0 : 128;
  shape.opsBehind = opsOf(key.epilogue, shape.resultBits);
  shape.products = key.op.find("gated") == std::string::npos ? 1 : 2;
  shape.readsBehind = key.epilogue.find("(mn)") != std::string::npos;
  return shape;
}

/// Of `#tile.gemm<..>`.
GemmTile tileOf(const std::string &schedule) {
  auto numberOf = [&](const std::string &name, int64_t otherwise) {
    size_t at = schedule.find(name + " = ");
    return at == std::string::npos ? otherwise : std::stol(schedule.substr(at + name.size() + 3));
  };
  auto says = [&](const char *what) { return schedule.find(what) != std::string::npos; };
  return {numberOf("rows", 0),  numberOf("columns", 0), numberOf("depth", 0),  numberOf("split_k", 1),
          numberOf("parts", 1), says("swapped = true"), says("joined = true"), says("by_last = true")};
}

/// How many times as long as the record's schedule another takes: by the record itself, or by that of the products of
/// its class in which both were measured whose time is nearest to the record's. 0: none has both.
double timesAsLong(const TuningRecord &record, const GemmTile &tile, const std::vector<Measured> &kernels) {
  const GemmTile tuned = tileOf(record.schedule);
  if (Measured::same(tile, tuned))
    return 1;
  if (Measured::same(tile, tileOf(record.modelSchedule)))
    return record.modelSeconds / record.seconds;
  const GemmShape shape = shapeOf(record.key);
  double times = 0, nearest = INFINITY;
  for (const Measured &kernel : kernels) {
    const GemmShape &other = kernel.shape;
    double best = kernel.timeOf(tuned), its = kernel.timeOf(tile), apart = std::fabs(best - record.seconds * 1e6);
    if (tuningRowsOf(other.rows) != shape.rows || other.columns != shape.columns || other.depth != shape.depth ||
        other.operandBits != shape.operandBits || other.products != shape.products ||
        other.isPromoted != shape.isPromoted || other.depthBlock != shape.depthBlock || best == 0 || its == 0 ||
        apart >= nearest)
      continue;
    times = its / best;
    nearest = apart;
  }
  return times;
}

TEST(TileRanking, PicksAreNearTheRecordsOfTheDatabase) {
  const GpuArch &gpu = **findGpuArch("sm_90a");
  const std::vector<Measured> kernels = readMeasured();
  Result<TuningDatabase> database = TuningDatabase::open("");
  ASSERT_TRUE(database.ok());
  double logs = 0, count = 0;
  for (const TuningRecord *record : database->records()) {
    GemmCandidate pick = rankGemmTiles(shapeOf(record->key), gpu).front();
    double times = timesAsLong(*record, pick.tile, kernels);
    std::string name = record->key.op + " " + record->key.shape + " " + record->key.types + " " + record->key.epilogue +
                       ": " + nameOf(pick.tile) + " in place of " + record->schedule;
    ASSERT_GT(times, 0) << name << " was not measured";
    EXPECT_LE(times, 1.2) << name;
    logs += std::log(times);
    ++count;
  }
  EXPECT_GE(count, 150);
  EXPECT_LE(std::exp(logs / count), 1.02);
}

} // namespace
