// Which tiles a contraction may have, ranked by the model of its time (GemmModel.h).
#include "lib/Schedule/GemmModel.h"

#include <algorithm>
#include <tuple>

namespace tenon {

namespace {
constexpr int64_t mostResults = 128 * 256; // of a program
// A turn of few rows brings as many bytes of the other operand: memory's latency at its full rate takes 100 KB in
// flight (16 KB a turn: 3.5 TB/s of an H200, 28 KB: 3.8).
constexpr int64_t fewRows = 16, bytesOfFewRows = 32 * 1024;
constexpr int64_t fewSwappedRows = 64, mostSwappedRows = 128, mostSwappedParts = 3;
constexpr int64_t slotsOfDeepTurns = 4; // of a ring: with fewer a copy is not hidden
constexpr int64_t mostJoinedSplits = 4, mostSplitsByLast = 8;
constexpr int64_t turnsUnrolled = 4; // of a loop, at most

int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// All legal ones, judged.
class GemmCandidates {
public:
  GemmCandidates(const GemmShape &shape, const GpuArch &arch, int64_t refusals, bool mayHaveTeams)
      : shape(shape), arch(arch), model(shape, arch), refusals(refusals), mayHaveTeams(mayHaveTeams),
        line(lineOf(shape)),
        hasFewRows(shape.isTensorCore && shape.rows > 0 && shape.rows <= fewRows && shape.depthBlock <= 0) {}

  std::vector<GemmCandidate> ranked() {
    offerPlain();
    offerTeams();
    offerSwapped();
    std::sort(candidates.begin(), candidates.end(),
              [&](const GemmCandidate &a, const GemmCandidate &b) { return keyOf(a) < keyOf(b); });
    return std::move(candidates);
  }

private:
  static int64_t lineOf(const GemmShape &shape);
  int64_t plainDepth(int64_t columns) const;
  int64_t swappedDepth(int64_t rows, int64_t columns) const;
  int64_t swappedTileRows() const;
  bool canSplit(const GemmTile &tile) const;
  bool isOfAllWidths(const GemmTile &tile) const;
  void offerPlain();
  void offerTeams();
  void offerDepths(GemmTile tile);
  void offerSwapped();
  void offer(const GemmTile &tile, int64_t slots = 0);
  std::tuple<double, int64_t, double, int64_t, int64_t, int64_t> keyOf(const GemmCandidate &candidate) const;

  const GemmShape &shape;
  const GpuArch &arch;
  const GemmModel model;
  const int64_t refusals;
  const bool mayHaveTeams;
  const int64_t line;
  const bool hasFewRows;
  std::vector<GemmCandidate> candidates;
};
} // namespace

/// 128 bytes of the depth: one line of the cache and one period of the shared memory's swizzle.
int64_t GemmCandidates::lineOf(const GemmShape &shape) {
  int64_t line = 1024 / std::max<int64_t>(shape.operandBits, 8), least = 16;
  if (shape.depth >= 0)
    while (line / 2 >= std::max(shape.depth, least))
      line /= 2;
  return shape.depthBlock > 0 ? std::min<int64_t>(shape.depthBlock, 2 * line) : line;
}

int64_t GemmCandidates::plainDepth(int64_t columns) const {
  int64_t deep = line;
  auto fits = [&](int64_t more) {
    return more * shape.products * columns * model.bytes() <= bytesOfFewRows &&
           4 * more * (fewRows + shape.products * columns) * model.bytes() <= arch.sharedBytesPerBlock;
  };
  while (hasFewRows && 2 * deep <= shape.depth && fits(2 * deep))
    deep *= 2;
  return deep;
}

/// As deep a turn as leaves the ring four slots.
int64_t GemmCandidates::swappedDepth(int64_t rows, int64_t columns) const {
  int64_t deep = line;
  while (2 * deep <= shape.depth &&
         4 * 2 * deep * (rows + shape.products * columns) * model.bytes() <= arch.sharedBytesPerBlock &&
         !shape.isPromoted)
    deep *= 2;
  return deep;
}

bool GemmCandidates::canSplit(const GemmTile &tile) const {
  return tile.splits == 1 || (shape.products == 1 && shape.depthBlock == 0 && shape.depth >= 0 &&
                              shape.depth % (tile.splits * tile.depth) == 0);
}

/// Wide tiles are for warpgroups, which hold a row's results in few registers a thread, and so are widths that fit a
/// number of columns to whole waves of programs.
bool GemmCandidates::isOfAllWidths(const GemmTile &tile) const {
  if (hasFewRows && tile.rows == 16)
    return tile.columns <= 128;
  return model.isWgmma(tile) && tile.columns >= 64 &&
         (tile.rows >= 128 || (tile.columns < 128 && !hasFewRows && shape.products == 1));
}

void GemmCandidates::offerPlain() {
  // Of columns no more than a program of every architecture holds without spilling, beside its rows.
  for (int64_t rows : {16, 32, 64, 128, 256})
    for (int64_t columns : {16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256})
      for (int64_t splits : {1, 2, 4, 8, 16}) {
        // Rows in two parts need the registers of a turn's sums once. Each part is waited for: fewer columns are not
        // worth it (256 x 112 took 1.047 times as long as 128 x 192 where both fit the waves).
        GemmTile tile{rows, columns, plainDepth(columns), splits, rows == 256 ? 2 : 1};
        if (tile.parts > 1 && !(shape.isPromoted && model.isWgmma(tile) && columns >= 128))
          continue;
        bool isFitted = columns > 128 || (columns > 64 && columns < 128) || columns == 48;
        if (isFitted && !isOfAllWidths(tile))
          continue;
        // What was refused had too few registers.
        if (rows * columns > (mostResults >> refusals))
          continue;
        bool isNeedless = (rows > 16 && rows / 2 >= model.rows) || (columns > 16 && columns / 2 >= model.columns);
        if (!isNeedless && model.isLegal(tile) && model.fitsBlocks(tile))
          offerDepths(tile);
      }
}

/// Two and three times 64 rows for a warpgroup by itself. With one program a multiprocessor there is nothing to be
/// beside; few turns are unrolled, and registers do not hold what that overlaps; stores that TMA does not take hold a
/// warpgroup up (1024 x 50257: 1.07 times as long); a residual comes with the producer where there are no teams
/// (tenon-stage-copies), which is as fast. Three parts of gates spill (192 x 48: 56 bytes).
void GemmCandidates::offerTeams() {
  constexpr int64_t tmaBits = 128;
  auto isOfTma = [&](int64_t size, int64_t bits) { return size < 0 || size * bits % tmaBits == 0; };
  bool areStoredByTma = isOfTma(shape.columns, shape.resultBits);
  bool areReadByTma = isOfTma(shape.depth, shape.operandBits) &&
                      (shape.swappedRows == 8 || isOfTma(shape.rows, shape.operandBits)); // rows lie innermost
  if (shape.operandBits != 16 || shape.readsBehind || !areStoredByTma || !areReadByTma || shape.isPromoted ||
      !mayHaveTeams || model.depth <= turnsUnrolled * line)
    return;
  for (int64_t parts : {2, 3})
    for (int64_t ofAllProducts : {96, 112, 128, 144, 160, 176, 192}) {
      GemmTile tile{64 * parts, ofAllProducts / shape.products, line, 1, parts};
      bool isNeedless = tile.rows / 2 >= model.rows, spills = shape.products > 1 && parts > 2;
      if (tile.columns % 16 != 0 || isNeedless || spills)
        continue;
      int64_t programs = model.batch * ceilDiv(model.rows, tile.rows) * ceilDiv(model.columns, tile.columns);
      if (programs > arch.numSms && model.isWgmma(tile) && model.isLegal(tile))
        candidates.push_back(model.judge(tile));
    }
}

/// A tile, and with turns of twice and four times the depth: each waits for its copy and has its barriers.
void GemmCandidates::offerDepths(GemmTile tile) {
  offer(tile);
  if (!model.isWgmma(tile) || hasFewRows || shape.isPromoted || shape.products > 1)
    return;
  for (int64_t slots : {slotsOfDeepTurns, slotsOfDeepTurns + 1}) {
    tile.depth *= 2;
    if (model.slotsOf(tile) >= slots && shape.depth > tile.splits * tile.depth)
      offer(tile, slots);
  }
}

/// The rows in equal parts, each in as many eights as it has: more than 64 where that pads them less than tiles of 64.
/// 0: there are too many.
int64_t GemmCandidates::swappedTileRows() const {
  int64_t parts = shape.rows <= fewSwappedRows ? 1 : ceilDiv(shape.rows, mostSwappedRows);
  int64_t eights = shape.swappedRows * ceilDiv(ceilDiv(shape.rows, parts), shape.swappedRows);
  if (shape.isInteger && eights != 8 && eights != 24)
    eights = ceilDiv(eights, 16) * 16;
  bool padsLess = parts * eights < fewSwappedRows * ceilDiv(shape.rows, fewSwappedRows);
  bool isMeasured = parts <= mostSwappedParts && shape.products == 1 && !shape.isPromoted;
  return shape.rows <= fewSwappedRows || (padsLess && isMeasured) ? eights : 0;
}

void GemmCandidates::offerSwapped() {
  if (shape.rows <= 0 || swappedTileRows() == 0)
    return;
  for (int64_t columns : {64, 128})
    for (int64_t splits : {1, 2, 4, 8, 16}) {
      const int64_t rows = swappedTileRows(), deepest = swappedDepth(rows, columns);
      for (int64_t depth = rows <= fewSwappedRows ? deepest : line; depth <= deepest; depth *= 2) {
        GemmTile tile{rows, columns, depth, splits, 1, /*isSwapped=*/true};
        bool isNeedless = columns > 64 && columns / 2 >= model.columns;
        if (isNeedless || !model.isWgmma(tile) || !model.isLegal(tile) || !model.fitsBlocks(tile))
          continue;
        int64_t slots = depth > line ? slotsOfDeepTurns : 0;
        if (rows <= fewSwappedRows || model.slotsOf(tile) >= slots)
          offer(tile, slots);
      }
    }
}

/// Where programs share a sum, a second kernel adds it up, or they do themselves, where `slots` of the ring are left.
void GemmCandidates::offer(const GemmTile &tile, int64_t slots) {
  if (canSplit(tile))
    candidates.push_back(model.judge(tile));
  // What was refused had too few registers, of which a sum that is added up takes more. Of 8 bits none was measured.
  if (tile.splits == 1 || tile.parts > 1 || shape.operandBits == 8 || shape.isPromoted || refusals > 0)
    return;
  GemmTile joined = tile, byLast = tile;
  joined.isJoined = byLast.isByLast = true;
  if (tile.splits <= mostJoinedSplits && whyNotJoined(shape, joined, arch).empty() && model.slotsOf(joined) >= slots)
    candidates.push_back(model.judge(joined));
  if (tile.splits <= mostSplitsByLast && whyNotJoined(shape, byLast, arch).empty())
    candidates.push_back(model.judge(byLast));
}

/// Of equals, which memory bounds, the one that leaves multiprocessors the most time; then the largest tile, which
/// reads operands the least often, of multiply-adds the squarest; then many rows, but with warpgroups, which read all
/// columns each, many columns.
std::tuple<double, int64_t, double, int64_t, int64_t, int64_t>
GemmCandidates::keyOf(const GemmCandidate &candidate) const {
  const GemmTile &tile = candidate.tile;
  int64_t rows = model.isWgmma(tile) ? tile.rows : -tile.rows;
  int64_t sides = shape.isTensorCore ? 0 : tile.rows + tile.columns;
  return {candidate.seconds, tile.splits, candidate.busySeconds, -tile.rows * tile.columns, sides, rows};
}

std::vector<GemmCandidate> rankGemmTiles(const GemmShape &shape, const GpuArch &arch, int64_t refusals) {
  std::vector<GemmCandidate> first = GemmCandidates(shape, arch, 0, /*mayHaveTeams=*/true).ranked();
  if (refusals == 0)
    return first;
  // What was refused had too few registers: of teams, whose threads have the most sums, the same without them comes
  // next.
  bool hadTeams = isForTeams(first.front().tile);
  return GemmCandidates(shape, arch, hadTeams ? refusals - 1 : refusals, /*mayHaveTeams=*/false).ranked();
}

} // namespace tenon
