// Layouts as numbers: what registers, lanes and warps a layout gives is compared with the digits read one by one, for
// layouts made at random.
#include "dialects/Warp/Warp.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>

using namespace mlir;
using namespace tenon::warp;

namespace {

using Place = std::vector<int64_t>;

/// A layout and the digits it was made of, in the order they were written.
struct RandomLayout {
  SmallVector<SmallVector<Digit>> dims;
  int64_t registers = 1, lanes = 1, warps = 1; ///< products of the sizes
  int64_t laneEnd = 1, warpEnd = 1;            ///< how far lanes and warps are counted
};

/// Digits of a kind take parts of the number from the lowest up, with gaps here and there: lanes that are in no digit.
RandomLayout makeLayout(std::mt19937 &random) {
  auto below = [&](int64_t bound) { return int64_t(random() % bound); };
  RandomLayout made;
  made.dims.resize(below(4));
  if (made.dims.empty())
    return made;
  auto place = [&](Digit digit) {
    SmallVector<Digit> &dim = made.dims[below(made.dims.size())];
    dim.insert(dim.begin() + below(dim.size() + 1), digit);
  };
  for (int64_t count = below(5); count > 0; --count) {
    int64_t size = 1 + below(4);
    made.registers *= size;
    place(registers(size));
  }
  for (auto [kind, most, product, end] : {std::tuple(DigitKind::Lane, int64_t(32), &made.lanes, &made.laneEnd),
                                          std::tuple(DigitKind::Warp, int64_t(12), &made.warps, &made.warpEnd)}) {
    int64_t stride = 1;
    for (int64_t count = below(5); count > 0; --count) {
      if (below(4) == 0)
        stride *= 2;
      int64_t size = 1 + below(4);
      if (stride * size > most)
        break;
      place({kind, size, stride});
      stride *= size;
      *product *= size;
      *end = std::max(*end, size == 1 ? int64_t(1) : stride);
    }
  }
  return made;
}

/// The places of one thread's registers, read off the digits as they were written: register digits count in that order,
/// the last one fastest.
std::vector<Place> placesOf(const RandomLayout &layout, int64_t lane, int64_t warp) {
  std::vector<Place> places;
  for (int64_t number = 0; number < layout.registers; ++number) {
    int64_t rest = number, slower = layout.registers;
    Place place(layout.dims.size(), 0);
    for (auto [dim, digits] : llvm::enumerate(layout.dims))
      for (const Digit &digit : digits) {
        int64_t value = (digit.kind == DigitKind::Lane ? lane : warp) / digit.stride % digit.size;
        if (digit.kind == DigitKind::Register) {
          slower /= digit.size;
          value = rest / slower;
          rest %= slower;
        }
        place[dim] = place[dim] * digit.size + value;
      }
    places.push_back(place);
  }
  return places;
}

/// The same from the attribute: registerPlaces and, for the thread, its lane and warp digits by their weight.
std::vector<Place> placesOf(LayoutAttr layout, int64_t lane, int64_t warp) {
  std::vector<Place> places;
  Place thread(layout.getRank(), 0);
  for (int64_t dimension = 0; dimension < layout.getRank(); ++dimension)
    thread[dimension] = layout.threadPlace(dimension, lane, warp);
  for (ArrayRef<int64_t> known : layout.registerPlaces()) {
    Place place(known.begin(), known.end());
    for (int64_t dimension = 0; dimension < layout.getRank(); ++dimension)
      place[dimension] += thread[dimension];
    places.push_back(place);
  }
  return places;
}

struct LayoutTest : testing::Test {
  LayoutTest() {
    const char *given = std::getenv("RERUN");
    seed = given ? std::atoi(given) : 20260;
    RecordProperty("seed", seed);
    context.loadDialect<WarpDialect>();
  }
  MLIRContext context;
  int seed;
};

// Over all threads, each element occurs once, times the threads that no digit tells apart.
TEST_F(LayoutTest, RandomLayoutsCoverEveryElementAsOftenAsTheyRepeat) {
  std::mt19937 random(seed);
  for (int number = 0; number < 400; ++number) {
    RandomLayout made = makeLayout(random);
    LayoutAttr layout = LayoutAttr::get(&context, made.dims);
    std::string text = "RERUN=" + std::to_string(seed) + ", layout " + std::to_string(number);
    ASSERT_EQ(layout.getNumRegisters(), made.registers) << text;
    ASSERT_EQ(layout.getNumLanes(), made.lanes) << text;
    ASSERT_EQ(layout.getNumWarps(), made.warps) << text;
    int64_t elements = 1;
    for (int64_t dimension = 0; dimension < layout.getRank(); ++dimension) {
      int64_t reach = 1;
      for (const Digit &digit : made.dims[dimension])
        reach *= digit.size;
      ASSERT_EQ(layout.getReach(dimension), reach) << text;
      elements *= reach;
    }
    std::map<Place, int64_t> times;
    for (int64_t warp = 0; warp < made.warpEnd; ++warp)
      for (int64_t lane = 0; lane < made.laneEnd; ++lane) {
        std::vector<Place> places = placesOf(layout, lane, warp);
        ASSERT_EQ(places, placesOf(made, lane, warp)) << text << ", lane " << lane << ", warp " << warp;
        for (const Place &place : places)
          ++times[place];
      }
    ASSERT_EQ(int64_t(times.size()), elements) << text;
    int64_t repeats = made.laneEnd / made.lanes * (made.warpEnd / made.warps);
    for (auto &[place, count] : times)
      ASSERT_EQ(count, repeats) << text;
  }
}

// Dimensions taken out one by one are what the thread had along them.
TEST_F(LayoutTest, PickedDimensionsKeepTheirPlaces) {
  std::mt19937 random(seed);
  for (int number = 0; number < 100; ++number) {
    RandomLayout made = makeLayout(random);
    LayoutAttr layout = LayoutAttr::get(&context, made.dims);
    for (int64_t dimension = 0; dimension < layout.getRank(); ++dimension) {
      LayoutAttr one = layout.pick({dimension});
      ASSERT_EQ(one.getRank(), 1);
      ASSERT_EQ(one.getReach(0), layout.getReach(dimension));
      ASSERT_EQ(layout.drop(dimension).getRank(), layout.getRank() - 1);
      for (int64_t lane : {0, 5, 31})
        ASSERT_EQ(one.threadPlace(0, lane, 3), layout.threadPlace(dimension, lane, 3));
    }
  }
}

int64_t elementOf(const Place &place, ArrayRef<int64_t> shape) {
  int64_t element = 0;
  for (auto [at, size] : llvm::zip_equal(place, shape))
    element = element * size + at;
  return element;
}

// Under another shape every register of every thread has the element that it had, or there is no layout.
TEST_F(LayoutTest, ReshapedLayoutsKeepElementsInTheirRegisters) {
  std::mt19937 random(seed);
  int64_t found = 0;
  for (int number = 0; number < 400; ++number) {
    RandomLayout made = makeLayout(random);
    LayoutAttr layout = LayoutAttr::get(&context, made.dims);
    SmallVector<int64_t> from, to(1, 1);
    int64_t elements = 1;
    for (int64_t d = 0; d < layout.getRank(); ++d) {
      from.push_back(layout.getReach(d));
      elements *= from.back();
    }
    for (int64_t part : {2, 3, 4, 1, 2, 3, 4})
      if (elements % part == 0 && random() % 2) {
        to.push_back(part);
        elements /= part;
      }
    to[random() % to.size()] *= elements;
    LayoutAttr other = layout.reshape(from, to);
    if (!other)
      continue;
    ++found;
    std::string text = "RERUN=" + std::to_string(seed) + ", layout " + std::to_string(number);
    for (int64_t warp = 0; warp < made.warpEnd; ++warp)
      for (int64_t lane = 0; lane < made.laneEnd; ++lane) {
        std::vector<Place> before = placesOf(layout, lane, warp), after = placesOf(other, lane, warp);
        ASSERT_EQ(before.size(), after.size()) << text;
        for (size_t place = 0; place < before.size(); ++place)
          ASSERT_EQ(elementOf(before[place], from), elementOf(after[place], to)) << text << ", lane " << lane;
      }
    ASSERT_EQ(other.reshape(to, from), layout) << text;
  }
  EXPECT_GT(found, 100);
}

// Scores of m64n32 in the order of the depth in which a left operand of m64k32 has them: the pairs of two blocks of 8
// columns that a thread has are neighbours there.
TEST_F(LayoutTest, PairsOfColumnsBecomeALeftOperandOfBytes) {
  auto schedule = ScheduleAttr::get(&context, 4, 1, 1, false, true, false, 1, false, 1, 1, 0, 1);
  LayoutAttr pairs = schedule.accumulatorLayout(64, 32).reshape({64, 32}, {64, 2, 2, 4, 2});
  ASSERT_TRUE(pairs);
  LayoutAttr operand = pairs.pick({0, 1, 3, 2, 4}).reshape({64, 2, 4, 2, 2}, {64, 32});
  EXPECT_EQ(operand, LayoutAttr::get(&context, WgmmaAttr::get(&context, 32).lhsDigits(64, 32, 4, 1)));
}

// A dimension that is one of the result's keeps what counts past its end.
TEST_F(LayoutTest, ReshapedLayoutsCountPastAnEndOnlyAlongOneDimension) {
  LayoutAttr layout = LayoutAttr::get(&context, {{lanes(32)}, {registers(4)}});
  EXPECT_EQ(layout.reshape({20, 4}, {1, 20, 1, 2, 2}),
            LayoutAttr::get(&context, {{}, {lanes(32)}, {}, {registers(2)}, {registers(2)}}));
  EXPECT_FALSE(layout.reshape({20, 4}, {80}));
  LayoutAttr sixths = LayoutAttr::get(&context, {{registers(6)}, {lanes(8)}});
  EXPECT_TRUE(sixths.reshape({6, 8}, {3, 16}));
  EXPECT_FALSE(sixths.reshape({6, 8}, {16, 3})) << "no lane's digit counts to 3";
}

// The accumulator of m16n8: PTX ISA, "Matrix Fragments for mma.m16n8k16", c0..c3 of lane l are at rows l / 4 and
// l / 4 + 8, columns 2 * (l mod 4) and the next.
TEST_F(LayoutTest, AccumulatorsLieAsTheManualSays) {
  LayoutAttr layout =
      ScheduleAttr::get(&context, 1, 1, 1, false, false, false, 1, false, 1, 1, 0, 1).accumulatorLayout(16, 8);
  for (int64_t lane = 0; lane < 32; ++lane) {
    std::vector<Place> expected;
    for (int64_t number = 0; number < 4; ++number)
      expected.push_back({lane / 4 + (number >= 2 ? 8 : 0), lane % 4 * 2 + number % 2});
    EXPECT_EQ(placesOf(layout, lane, 0), expected) << lane;
  }
}

// Of 8-bit floats that are widened across the depth: even columns of 16 are one instruction's, odd ones the next one's.
TEST_F(LayoutTest, AccumulatorsOfWidenedColumnsAreFourNeighbours) {
  LayoutAttr layout = ScheduleAttr::get(&context, 1, 1, 1, false, false, false, 1, false, 1, 1, 0, 1)
                          .accumulatorLayout(16, 16, /*run=*/4);
  for (int64_t lane = 0; lane < 32; ++lane) {
    std::vector<Place> expected;
    for (int64_t number = 0; number < 8; ++number)
      expected.push_back({lane / 4 + (number >= 4 ? 8 : 0), lane % 4 * 4 + number % 4});
    EXPECT_EQ(placesOf(layout, lane, 0), expected) << lane;
  }
}

// The left operand: "a0..a7 of m16n8k16"; the first two along a row, then 8 rows down, then 8 columns on.
TEST_F(LayoutTest, LeftOperandsLieAsTheManualSays) {
  auto atom = MmaSyncAttr::get(&context, 16, 8, 16);
  LayoutAttr layout = LayoutAttr::get(&context, atom.lhsDigits(16, 16, 1, 1));
  for (int64_t lane = 0; lane < 32; ++lane) {
    std::vector<Place> expected;
    for (int64_t below : {0, 8})
      for (int64_t right : {0, 8})
        for (int64_t next : {0, 1})
          expected.push_back({lane / 4 + below, lane % 4 * 2 + right + next});
    EXPECT_EQ(placesOf(layout, lane, 0), expected) << lane;
  }
}

} // namespace
