// What the model picks has a case on the device: each schedule that it chooses for some product of a grid is in
// test/gpu/picked-schedules.txt, of which test/gpu makes the cases (families `tuned`, where the database has it, and
// `picked`). A new pick is added to that file.
#include "lib/Schedule/TileSchedule.h"

#include "gtest/gtest.h"

#include <fstream>
#include <map>
#include <set>
#include <sstream>

using namespace tenon;

namespace {

/// A section of the file, and the products that it is of. Of bytes its schedules are one a tile: who adds up a sum is
/// what the others have cases for.
struct Section {
  std::string name;
  GemmShape shape; ///< but for its sizes
  bool isOneATile = false;
};

std::vector<Section> sections() {
  GemmShape words{1, 0, 0, 0, 16, 16, true}, bytes{1, 0, 0, 0, 8, 16, true};
  std::vector<Section> all = {{"products", words}, {"products", words},   {"products", words}, {"gates", words},
                              {"i8", bytes, true}, {"e4m3", bytes, true}, {"blocks", bytes}};
  all[1].shape.opsBehind = 12;
  all[2].shape.readsBehind = true;
  all[3].shape.products = 2;
  all[3].shape.opsBehind = 13;
  all[4].shape.isInteger = true;
  all[5].shape.isPromoted = all[6].shape.isPromoted = true;
  all[6].shape.depthBlock = all[6].shape.columnBlock = 128;
  return all;
}

/// As the file has it: `16x64x256/4/1sl`.
std::string nameOf(const GemmTile &tile, bool isOneATile) {
  auto text = [](int64_t number) { return std::to_string(number); };
  std::string name = text(tile.rows) + "x" + text(tile.columns) + "x" + text(tile.depth);
  name += isOneATile ? "" : "/" + text(tile.splits);
  name += "/" + text(tile.parts) + (tile.isSwapped ? "s" : "");
  return isOneATile ? name : name + (tile.isJoined ? "j" : "") + (tile.isByLast ? "l" : "");
}

GemmTile tileOf(const std::string &name) {
  GemmTile tile;
  EXPECT_EQ(
      sscanf(name.c_str(), "%ldx%ldx%ld/%ld/%ld", &tile.rows, &tile.columns, &tile.depth, &tile.splits, &tile.parts), 5)
      << name;
  auto has = [&](char flag) { return name.find(flag) != std::string::npos; };
  tile.isSwapped = has('s');
  tile.isJoined = has('j');
  tile.isByLast = has('l');
  return tile;
}

std::map<std::string, std::vector<GemmTile>> readPicked() {
  std::ifstream file(TENON_SOURCE_DIR "/test/gpu/picked-schedules.txt");
  std::map<std::string, std::vector<GemmTile>> picked;
  std::string section;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line[0] == '#' ? "" : line);
    for (std::string word; words >> word;)
      if (word.back() == ':')
        section = word.substr(0, word.size() - 1);
      else
        picked[section].push_back(tileOf(word));
  }
  return picked;
}

TEST(PickedSchedules, HaveCasesOnTheDevice) {
  const GpuArch &gpu = **findGpuArch("sm_90a");
  const std::map<std::string, std::vector<GemmTile>> picked = readPicked();
  for (Section section : sections()) {
    std::set<std::string> known, missing;
    ASSERT_TRUE(picked.count(section.name)) << section.name;
    for (const GemmTile &tile : picked.at(section.name))
      known.insert(nameOf(tile, section.isOneATile));
    for (int64_t rows : {1, 8, 16, 24, 32, 48, 64, 80, 100, 128, 197, 256, 384, 512, 1024, 2048, 4096, 12608})
      for (int64_t columns : {64, 256, 768, 1152, 2304, 4096, 6144, 14336, 28672})
        for (int64_t depth : {256, 768, 1024, 3072, 4096, 14336}) {
          GemmShape &shape = section.shape;
          shape.rows = rows, shape.columns = columns, shape.depth = depth;
          GemmTile pick = rankGemmTiles(shape, gpu).front().tile;
          if (!known.count(nameOf(pick, section.isOneATile)))
            missing.insert(nameOf(pick, section.isOneATile));
        }
    std::string all;
    for (const std::string &name : missing)
      all += " " + name;
    EXPECT_EQ(all, "") << "add these to '" << section.name << ":' of test/gpu/picked-schedules.txt";
  }
}

} // namespace
