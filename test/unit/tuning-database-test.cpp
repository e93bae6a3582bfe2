// The database of measured schedules: what is read, what is refused and where, which record a kernel gets.
#include "dialects/Tile/Tile.h"
#include "lib/Schedule/TileSchedule.h"
#include "lib/Schedule/TuningDatabase.h"

#include "mlir/AsmParser/AsmParser.h"
#include "gtest/gtest.h"

#include <cstdio>

using namespace tenon;

namespace {

std::string record(const std::string &shape, const std::string &build, const std::string &date,
                   const std::string &schedule = "#tile.gemm<rows = 64, columns = 32, depth = 64>") {
  return R"({"op": "product nt", "shape": ")" + shape +
         R"(", "types": "bf16*bf16->bf16", "epilogue": "", "arch": "sm_90a", "build": ")" + build +
         R"(", "schedule": ")" + schedule +
         R"(", "us": 2.5, "model_schedule": "", "model_us": 3, "candidates": 4, "device": "H", "date": ")" + date +
         "\"}\n";
}
const std::string header = "{\"tenon-tuning\": 1}\n";
const TuningKey key{"product nt", "1x16x32x64", "bf16*bf16->bf16", "", "sm_90a"};

TEST(TuningDatabase, FindsItsOwnBuildElseTheNewest) {
  auto read = TuningDatabase::parse(
      header + record("1x16x32x64", "0.2", "2026-01-03") + "\n" + record("1x16x32x64", "0.1", "2026-01-02") +
          record("1x16x32x64", "0.3", "2026-01-01") + record("1x1x32x64", "0.1", "2026-01-09"),
      "d.jsonl");
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(read->find(key, "0.1")->build, "0.1");
  EXPECT_EQ(read->find(key, "0.9")->build, "0.2");
  EXPECT_EQ(read->find(key, "0.9")->source, "the database d.jsonl");
  EXPECT_DOUBLE_EQ(read->find(key, "0.9")->seconds, 2.5e-6);
  EXPECT_EQ(read->find(key, "0.9")->candidates, 4);
  TuningKey other = key;
  other.epilogue = "addf(n)";
  EXPECT_EQ(read->find(other, "0.1"), nullptr);
  EXPECT_EQ(read->records().size(), 4u);
}

TEST(TuningDatabase, RefusesWithTheLine) {
  std::string good = record("1x16x32x64", "0.1", "d"), noTime = good, noText = good;
  noTime.replace(noTime.find("2.5"), 3, "0.0");
  noText.replace(noText.find("\"H\""), 3, "17");
  for (auto [text, said, kind] :
       {std::tuple(std::string(), "d: the file is empty", ErrorKind::Corrupt),
        {"\n \n", "d: the file is empty", ErrorKind::Corrupt},
        {good, "d:1: expected {\"tenon-tuning\": 1}", ErrorKind::Corrupt},
        {"[]", "d:1: expected {\"tenon-tuning\": 1}", ErrorKind::Corrupt},
        {"{\"tenon-tuning\": 2}", "d:1: the database has version 2, this compiler reads 1", ErrorKind::Unsupported},
        {"{\"tenon-tuning\": \"1\"}", "d:1: expected", ErrorKind::Corrupt},
        {header + "nonsense", "d:2: expected a JSON object", ErrorKind::Corrupt},
        {header + "[1]", "d:2: expected a JSON object", ErrorKind::Corrupt},
        {header + "{}", "d:2: 'op' is missing or not text", ErrorKind::Corrupt},
        {header + noTime, "d:2: 'us' is missing or not a number above 0", ErrorKind::Corrupt},
        {header + noText, "d:2: 'device' is missing or not text", ErrorKind::Corrupt},
        {header + good + "\n" + good, "d:4: a second record of product nt 1x16x32x64", ErrorKind::Corrupt}}) {
    auto read = TuningDatabase::parse(text, "d");
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_EQ(read.status().message().substr(0, std::string(said).size()), said);
    EXPECT_EQ(read.status().kind(), kind) << text;
  }
}

TEST(TuningDatabase, ComesWithTenon) {
  auto shipped = TuningDatabase::open("");
  ASSERT_TRUE(shipped.ok()) << shipped.status().message();
  mlir::MLIRContext context;
  context.loadDialect<tenon::tile::TileDialect>();
  EXPECT_GE(shipped->records().size(), 110u);
  for (const TuningRecord *record : shipped->records()) {
    const TuningKey &key = record->key;
    EXPECT_EQ(key.arch, "sm_90a");
    EXPECT_EQ(shipped->find(key, record->build), record);
    int64_t batch, rows, columns, depth;
    ASSERT_EQ(sscanf(key.shape.c_str(), "%ldx%ldx%ldx%ld", &batch, &rows, &columns, &depth), 4) << key.shape;
    EXPECT_EQ(rows, tuningRowsOf(rows)) << "no kernel has this key: " << key.shape;
    for (const std::string &text : {record->schedule, record->modelSchedule}) {
      auto schedule = llvm::dyn_cast_or_null<tile::GemmAttr>(mlir::parseAttribute(text, &context));
      ASSERT_TRUE(schedule) << text;
      EXPECT_TRUE(schedule.getSplitK() == 1 || depth % (schedule.getSplitK() * schedule.getDepth()) == 0) << text;
    }
    EXPECT_LE(record->seconds, record->modelSeconds) << key.shape;
  }
  auto none = TuningDatabase::open("none");
  ASSERT_TRUE(none.ok());
  EXPECT_TRUE(none->records().empty());
  auto missing = TuningDatabase::open("/nowhere/d.jsonl");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.status().kind(), ErrorKind::NotFound);
}

TEST(TuningDatabase, RowsOfAClassAreAsManyPrograms) {
  for (int64_t rows = 2; rows <= 2100; ++rows) {
    int64_t most = tuningRowsOf(rows);
    EXPECT_GE(most, rows);
    EXPECT_EQ(tuningRowsOf(most), most);
    for (int64_t tile : {16, 32, 64, 128, 256})
      if (tile >= std::min<int64_t>(128, most / 2)) {
        EXPECT_EQ((rows + tile - 1) / tile, (most + tile - 1) / tile) << rows << " by " << tile;
      }
  }
  EXPECT_EQ(tuningRowsOf(0), 1);
  EXPECT_EQ(tuningRowsOf(1), 1);
  EXPECT_EQ(tuningRowsOf(4095), 4096);
}

} // namespace
