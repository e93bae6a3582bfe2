// An attention's tiles: queries by rules, for what registers hold decides them; keys, and how many programs share them,
// by a model of one multiprocessor's time. A program of few queries is one warp that waits for its copies and then
// computes: several on a multiprocessor hide that from each other, as far as there are several.
#include "lib/Schedule/TileSchedule.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace tenon {

namespace {
// Of a warp with 16 queries, by the decode cases of docs/performance/gpu.md.
constexpr double turnClocks = 50, multiplyAddsPerClock = 102;
// Where programs have few turns, the first copies and the last stores of one are hidden by two others at least.
constexpr int64_t fewTurns = 64, hidingPrograms = 3;
constexpr double wgmmaRate = 0.6;        // of the peak, of a warpgroup between its softmaxes
constexpr double threeGroupsRate = 1.18; // three warpgroups to two, heads of 64: by the same file
// Up to so many turns a program looks at the maximum of each, as its first does anyhow: two of 197 tokens are 1.08
// times as fast so. Where one turn sees all keys, a few scores are looked at in place of all.
constexpr int64_t turnsByMaximum = 2;
// Keys that two warpgroups' registers hold at once with heads of 64: ViT's 197 tokens so 1.09 times as fast as in two
// turns.
constexpr int64_t mostKeysAtOnce = 208;
// A program with one turn of so many keys takes few registers: one warpgroup each, three of them share a multiprocessor
// and fill each other's waits (chooseRowDotWarps): BERT's 128 tokens 1.12 times as fast as two in one, heads of
// 32 1.13.
constexpr int64_t keysOfOneTurn = 128, warpgroupsAtOnce = 3;
constexpr double startClocks = 1500;                    // a program's first copy from memory, and its last store
constexpr double copyBytesPerClock = 40;                // into one multiprocessor
constexpr double launchSeconds = 3e-6;                  // of the kernel that puts parts together
constexpr double partSeconds = 10e-9;                   // of putting one more part to the others
constexpr int64_t assumedBatch = 8, assumedKeys = 4096; // where known only at run time
constexpr double leastGain = 0.95; // of the time: the model is no better than that, a second kernel is certain

int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// The least of 16, 32, 64, .. `most` that holds `size`; `most` where that is unknown.
int64_t fitting(int64_t size, int64_t most) {
  int64_t tile = 16;
  while (tile < most && (size < 0 || tile < size))
    tile *= 2;
  return tile;
}

struct Model {
  const GpuArch &arch;
  int64_t heads, queries, keys, headSize, bytes; // heads: of the whole batch

  Model(const TileAttentionShape &shape, const GpuArch &arch)
      : arch(arch), heads((shape.batch < 0 ? assumedBatch : shape.batch) * std::max<int64_t>(1, shape.heads)),
        queries(shape.queries), keys(shape.keys < 0 ? assumedKeys : shape.keys),
        headSize(std::max<int64_t>(16, shape.headSize)), bytes(std::max<int64_t>(1, shape.operandBits / 8)) {}

  static bool isOneWarp(const AttentionTile &tile) { return tile.queries <= 32; }
  int64_t programs(const AttentionTile &tile) const { return heads * ceilDiv(queries, tile.queries) * tile.splits; }
  int64_t turns(const AttentionTile &tile) const { return ceilDiv(ceilDiv(keys, tile.keys), tile.splits); }
  /// Rows times keys, those that tiles only pad with included, of the multiprocessor that has the most.
  double scores(const AttentionTile &tile, bool isCausal) const {
    int64_t blocks = ceilDiv(queries, tile.queries), all = ceilDiv(keys, tile.keys);
    double scoresPerTurn = double(tile.queries) * tile.keys;
    if (!isCausal)
      return ceilDiv(heads * blocks, arch.numSms) * all * scoresPerTurn;
    double turns = 0;
    for (int64_t block = 1; block <= blocks; ++block)
      turns += std::min(all, ceilDiv(block * tile.queries + std::max<int64_t>(0, keys - queries), tile.keys));
    return turns * heads * scoresPerTurn / arch.numSms;
  }
  double seconds(const AttentionTile &tile) const {
    double turnBytes = 2.0 * tile.keys * headSize * bytes;
    double shared = (isOneWarp(tile) ? 3 : 2) * turnBytes // the ring's stages
                    + double(tile.queries) * headSize * bytes + arch.sharedBytesReserved;
    double resident = std::clamp(std::floor(arch.sharedBytesPerSm / shared), 1.0, 8.0);
    double each = ceilDiv(programs(tile), arch.numSms), active = std::min(each, resident);
    bool isWgmma = arch.hasWgmma && bytes == 2 && tile.queries % 64 == 0;
    double multiplyAdds = 2.0 * tile.keys * headSize;
    double turn = turnClocks + (isWgmma ? tile.queries * multiplyAdds / (arch.rates.tensor16 * wgmmaRate)
                                        : 16 * multiplyAdds / multiplyAddsPerClock);
    double busy = std::max(turnBytes / copyBytesPerClock, turn / active);
    double clocks =
        startClocks * std::ceil(each / resident) + std::max(turns(tile) * turn, each * double(turns(tile)) * busy);
    double traffic = 2.0 * heads * (double(keys) + queries) * headSize * bytes;
    double rate = arch.memoryBytesPerSecond;
    if (isOneWarp(tile) && turns(tile) < fewTurns && active < hidingPrograms)
      rate *= (1 + active) / (1 + hidingPrograms);
    double seconds = std::max(clocks / arch.clockHz, traffic / rate + startClocks / arch.clockHz);
    if (tile.splits > 1)
      seconds += launchSeconds + partSeconds * tile.splits +
                 2.0 * tile.splits * heads * queries * (headSize + 2) * 4 / arch.memoryBytesPerSecond;
    return seconds;
  }
};
} // namespace

AttentionCandidate chooseAttentionTile(const TileAttentionShape &shape, const GpuArch &arch, int64_t refusals) {
  // Scores of a tile are held in registers, keys and values in shared memory: wide elements halve both.
  int64_t wide = shape.operandBits > 16 ? 2 : 1;
  // A depth of bytes, which the keys are of the second product, comes in 32s.
  AttentionTile tile{
      fitting(shape.queries, 128 / wide),
      std::max<int64_t>(shape.operandBits == 8 ? 32 : 16, ((shape.headSize > 128 ? 64 : 128) / wide) >> refusals)};
  std::string reason = "queries at a time as registers hold them";
  bool isWgmma = arch.hasWgmma && shape.operandBits == 16 && refusals == 0;
  // No look at maxima, and warpgroups in turns: 1.05 to 1.07 times as fast. With heads of 128 nothing was gained where
  // a mask hides keys.
  auto chosen = [&](AttentionTile tile) -> AttentionCandidate {
    bool isWide = shape.headSize < 0 || shape.headSize > 64;
    int64_t turns = shape.keys < 0 ? assumedKeys : ceilDiv(shape.keys, tile.keys);
    bool seesAll = turns == 1 && !shape.isCausal && !shape.isMasked;
    bool isShort = turns <= turnsByMaximum && !seesAll;
    tile.byFirst = isWgmma && tile.queries >= 64 && tile.splits == 1 && !isShort && !(isWide && shape.isMasked);
    return {tile, reason + (tile.byFirst ? "; relative to the first keys' maximum" : "")};
  };
  if (shape.queries < 0)
    return chosen(tile);
  Model model(shape, arch);
  // The last try before the general path is the plainest.
  const int64_t mostSplits = refusals > 1 ? 1 : 64;
  if (shape.batch >= 0 && shape.heads >= 0 && tile.queries == 128 && model.programs(tile) < arch.numSms) {
    reason = "fewer queries at a time: " + std::to_string(model.programs(tile)) + " programs for " +
             std::to_string(arch.numSms) + " multiprocessors";
    tile.queries = 64;
  }
  if (shape.operandBits == 8 && tile.queries >= 64) // whose values are packed (tenon-pack-values)
    return chosen(tile);
  // Three warpgroups share what is read of keys and values, where their registers hold it: heads of 64.
  bool isSmall = shape.headSize >= 0 && shape.headSize <= 64;
  AttentionTile three{192, 128};
  if (isWgmma && tile.queries == 128 && shape.batch >= 0 && shape.heads >= 0 && shape.keys >= 0 && !shape.isMasked &&
      isSmall && model.programs(three) >= arch.numSms &&
      model.scores(three, shape.isCausal) < threeGroupsRate * model.scores(tile, shape.isCausal)) {
    reason = "192 queries at a time, for three warpgroups";
    tile = three;
  }
  // As many keys a turn as fill all turns; where there is one turn of few programs two, so that the first product
  // begins when half of the keys are there: BERT of one sequence 1.026, ViT's 197 tokens 1.01 times as fast.
  if (isWgmma && !shape.isCausal && shape.keys > 64 && tile.queries >= 64) {
    int64_t turns = ceilDiv(shape.keys, tile.keys);
    bool isKnown = shape.batch >= 0 && shape.heads >= 0, isFew = isKnown && model.programs(tile) < arch.numSms;
    bool isOfTwoGroups = isKnown && !isFew && isSmall && !shape.isMasked && tile.queries == 128;
    if (turns == 1 && isFew)
      turns = 2;
    if (turns > 1 && isOfTwoGroups && shape.keys <= mostKeysAtOnce)
      turns = 1;
    tile.keys = ceilDiv(ceilDiv(shape.keys, turns), 16) * 16;
    AttentionTile one{64, tile.keys};
    if (turns == 1 && isOfTwoGroups && tile.keys <= keysOfOneTurn &&
        model.programs(one) >= warpgroupsAtOnce * arch.numSms) {
      reason = "64 queries at a time, for three programs a multiprocessor";
      tile = one;
    }
  }
  // Fewer keys a turn where a program is one warp: more programs on a multiprocessor.
  AttentionTile whole = tile, best = tile;
  auto key = [&](const AttentionTile &t) { return std::tuple(model.seconds(t), t.splits, t.keys); };
  for (int64_t keys = tile.keys; keys >= std::min<int64_t>(tile.keys, Model::isOneWarp(tile) ? 32 / wide : tile.keys);
       keys /= 2)
    for (int64_t splits = 1; splits <= std::min(mostSplits, ceilDiv(model.keys, keys)); ++splits)
      if (AttentionTile other{tile.queries, keys, splits}; key(other) < key(best))
        best = other;
  if (model.seconds(best) > leastGain * model.seconds(whole))
    best = whole;
  if (best.splits > 1)
    reason += "; keys over " + std::to_string(best.splits) + " programs, for " + std::to_string(model.programs(whole)) +
              " were few for " + std::to_string(arch.numSms) + " multiprocessors";
  return chosen(best);
}

} // namespace tenon
