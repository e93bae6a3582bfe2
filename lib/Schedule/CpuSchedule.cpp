#include "lib/Schedule/CpuSchedule.h"

#include <algorithm>

namespace tenon {

int64_t chooseLanes(const CpuFacts &facts, int64_t bits) { return std::max<int64_t>(1, facts.vectorBits / bits); }

/// The register block: as square as the registers allow. A step along the depth loads `vectors` and `rows` elements for
/// their product of multiplications; one register is left for the broadcast element.
static void chooseBlock(const CpuFacts &facts, int64_t lanes, int64_t columns, int64_t rows, int64_t &blockRows,
                        int64_t &blockColumns) {
  int64_t most = facts.vectorRegisters >= 32 ? 4 : 2;
  int64_t vectors = columns < 0 ? most : std::clamp<int64_t>((columns + lanes - 1) / lanes, 1, most);
  blockRows = std::min<int64_t>((facts.vectorRegisters - vectors - 1) / vectors, 12);
  if (vectors == 4)
    blockRows = 6; // 24 sums, 4 vectors, 1 element: measured the best
  if (rows > 0)
    blockRows = std::min(blockRows, rows);
  blockColumns = vectors * lanes;
}

GemmSchedule chooseGemm(const CpuFacts &facts, const ContractionShape &shape) {
  GemmSchedule schedule;
  schedule.lanes = chooseLanes(facts, shape.accumulatorBits);
  chooseBlock(facts, schedule.lanes, shape.columns, shape.rows, schedule.rows, schedule.columns);
  // A packed panel is read from the second-level cache once a block of rows; tasks of eight blocks leave enough of them
  // to share out. Where a task packs its panel, packing is paid for by as many rows as there are.
  int64_t blocks = shape.isPacked ? 8 : 64;
  if (shape.rows > 0)
    blocks = std::min(blocks, (shape.rows + schedule.rows - 1) / schedule.rows);
  schedule.chunk = schedule.rows * blocks;
  return schedule;
}

AttentionSchedule chooseAttention(const CpuFacts &facts, const AttentionShape &shape) {
  AttentionSchedule schedule;
  schedule.lanes = chooseLanes(facts, shape.accumulatorBits);
  chooseBlock(facts, schedule.lanes, /*columns=*/-1, shape.queries, schedule.queries, schedule.keys);
  // A block of keys is transposed once a task: many queries pay for it.
  int64_t blocks = 32;
  if (shape.queries > 0)
    blocks = std::min(blocks, (shape.queries + schedule.queries - 1) / schedule.queries);
  schedule.chunk = schedule.queries * blocks;
  return schedule;
}

} // namespace tenon
