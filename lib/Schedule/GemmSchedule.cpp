// A contraction's tiles, ranked by a model of one multiprocessor's time: what it multiplies, reads from shared memory
// and copies in, a turn of the loop over the depth, the slowest of which counts; times the programs that the busiest
// one gets. Beside it stands what memory takes for all operands once. The constants are fitted to 1,557
// times of 114 products on an H200; docs/performance/tuning.md says how well they rank.
#include "lib/Schedule/TileSchedule.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace tenon {

namespace {
// Clocks and bytes a clock that hold well enough on all architectures of the table.
constexpr double startClocks = 1500;     // a program's first copy from memory, and its last store
constexpr double copyBytesPerClock = 40; // into one multiprocessor, from the second-level cache
constexpr double sharedBytesPerClock = 128, storeBytesPerClock = 32;
// Of warpgroups fed by TMA. A slot of the ring is filled again no sooner than memory's latency after it was free: all
// programs of a wave want the same part of the depth at once, which one of them waits for. Results leave through shared
// memory.
constexpr double tmaBytesPerClock = 50, wgmmaRate = 0.91, stagedBytesPerClock = 16, latencyClocks = 1950;
constexpr int64_t mostStages = 5, stagedBytesPerRow = 256; // of its ring; of the slabs beside it
// A thread has half a row's results and computes what is behind the product for one after the other.
constexpr double clocksPerOp = 2;
// Of memory at the rate that it has, by products of one row: 24 KB in flight a multiprocessor gave 2.45 TB/s of an
// H200.
constexpr double busyLatencyClocks = 2500;
// Of multiply-adds, fitted to 160 times of ten products of f32 on an H200. A warp computes addresses and waits for what
// it reads as well; programs that share a multiprocessor hide each other's barriers.
constexpr double fmaIssue = 1.2, fmaReads = 0.4, fmaWaits = 700;
constexpr double launchSeconds = 3.5e-6, secondLaunchSeconds = 3e-6;
constexpr double cacheRate = 1.5;    // of memory's: what a second kernel reads is in the second-level cache
constexpr double memoryShare = 0.88; // what a copy reaches of memory's rate: 4.24 TB/s of an H200
constexpr double bothBounds = 4;     // the power of the sum of two bounds: near both is slower than at one
constexpr double warpRate = 0.62;    // of the peak, by instructions of a warp where those of a warpgroup have all of it
constexpr int64_t assumedRows = 8192; // where known only at run time
constexpr int64_t assumedDepth = 1024;
constexpr int64_t accumulators = 128; // of f32 that a thread holds beside the rest
constexpr int64_t promoted = 192;     // the same of a warpgroup's thread that adds products to other sums
// The same of a thread that multiplies and adds by itself: 120 registers, so that 16 warps share a multiprocessor.
constexpr int64_t promotedByFma = 64;
constexpr int64_t mostResults = 128 * 256; // of a program
constexpr int64_t leastStages = 3;         // of a ring that hides a copy behind a product
// A turn of few rows brings as many bytes of the other operand: memory's latency at its full rate takes 100 KB in
// flight (16 KB a turn: 3.5 TB/s of an H200, 28 KB: 3.8).
constexpr int64_t fewRows = 16, bytesOfFewRows = 32 * 1024;

// A turn of a small tile is short beside the barriers around it, and where turns are few there is little else: as long
// again where it brings less than this. (128 rows by 64 x 64 and by 128 x 32 of a depth of 768: BERT of one sequence
// 1.02 times as fast by either.)
constexpr double shortTurnBytes = 20 * 1024;
constexpr int64_t shortDepth = 1024;
// The model was not fitted to tiles of 64 rows by 80 to 112 columns: they are taken where it expects a tenth of them,
// and where tenon-tune measured more.
constexpr double triedHandicap = 1.1;

// The transposed dot has columns in the places of a warpgroup's rows: 64 of them, with as many of few rows as there are
// in eights. Its turns are deep, so that a copy is long: 57 to 58 bytes a clock where 64 programs have all of it. Its
// results leave by stores of single elements. At up to 16 rows it takes 0.97 to 1.03 times as long as the best of the
// others: of equals the other.
constexpr int64_t mostSwappedRows = 64;
constexpr double swappedBytesPerClock = 58, swappedHandicap = 1.03;
// Of two products a turn may have too little of each row of the weights, and without a producer they do not come early:
// gates of 1 and 16 sequences took 1.07 and 1.02 times as long by 128 bytes a row and cp.async as by 256 and TMA. Of 16
// by TMA 128 bytes of 128 columns are 1.016 times as fast as 256 of 64.
constexpr double shortRowsHandicap = 1.05, shortRowBytes = 256;

int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

struct Model {
  const GemmShape &shape;
  const GpuArch &arch;
  int64_t batch, rows, columns, depth;

  Model(const GemmShape &shape, const GpuArch &arch)
      : shape(shape), arch(arch), batch(shape.batch < 0 ? 1 : shape.batch),
        rows(shape.rows < 0 ? assumedRows : shape.rows), columns(shape.columns < 0 ? assumedDepth : shape.columns),
        depth(shape.depth < 0 ? assumedDepth : shape.depth) {}

  double bytes() const { return shape.operandBits / 8.0; }
  /// Of the dot: its own rows and columns.
  static int64_t dotRows(const GemmTile &tile) { return tile.isSwapped ? tile.columns : tile.rows; }
  static int64_t dotColumns(const GemmTile &tile) { return tile.isSwapped ? tile.rows : tile.columns; }
  bool isWgmma(const GemmTile &tile) const {
    return arch.hasWgmma && shape.isTensorCore && shape.operandBits <= 16 && dotRows(tile) % 64 == 0;
  }
  /// Registers of a thread for the program's sums and, where they are promoted, for those of a turn.
  int64_t sumsOf(const GemmTile &tile, int64_t warps) const {
    int64_t rows = tile.rows + (shape.isPromoted ? tile.rows / tile.parts : 0);
    return shape.products * rows * tile.columns / (32 * warps);
  }
  double rate(const GemmTile &tile) const {
    if (!shape.isTensorCore)
      return arch.rates.f32;
    double peak = shape.operandBits == 16  ? arch.rates.tensor16
                  : shape.operandBits == 8 ? std::max(arch.rates.tensor8, 1)
                                           : arch.rates.tensorTf32;
    return arch.hasWgmma && !isWgmma(tile) ? peak * warpRate : peak;
  }
  /// Rows and columns that a turn brings.
  int64_t sidesOf(const GemmTile &tile) const { return tile.rows + shape.products * tile.columns; }
  bool isLegal(const GemmTile &tile) const {
    int64_t warps = isWgmma(tile) ? dotRows(tile) / tile.parts / 16
                                  : std::max<int64_t>(4, ceilDiv(tile.rows, 64) * ceilDiv(tile.columns, 32));
    double ring = sidesOf(tile) * tile.depth * bytes() * leastStages;
    int64_t most = !shape.isPromoted     ? accumulators
                   : isWgmma(tile)       ? promoted
                   : !shape.isTensorCore ? promotedByFma
                                         : accumulators;
    return ring <= arch.sharedBytesPerBlock && sumsOf(tile, warps) <= most && warps <= 16;
  }
  /// Columns of one program have one scale a turn, where blocks are no smaller than the least tile.
  bool fitsBlocks(const GemmTile &tile) const {
    return shape.columnBlock % 16 != 0 || shape.columnBlock % tile.columns == 0;
  }
  GemmCandidate judge(const GemmTile &tile) const {
    double turns = ceilDiv(ceilDiv(depth, tile.splits), tile.depth);
    double r = dotRows(tile), c = dotColumns(tile), d = tile.depth;
    bool isWarpgroup = isWgmma(tile);
    double multiply = shape.products * r * c * d / rate(tile) / (isWarpgroup ? wgmmaRate : 1);
    double threads = 32.0 * std::max(4.0, std::ceil(r / 64) * std::ceil(c / 32));
    // Multiply-adds share their issue slots with the reads of their operands, one for four of the depth: a thread with
    // n results reads 2 sqrt(n) rows and columns for 4 n multiply-adds.
    if (!shape.isTensorCore)
      multiply *= fmaIssue * (1 + 0.5 / std::sqrt(r * c / threads));
    // Each warp reads its part of both operands; a warpgroup reads its own rows, and all columns. Multiply-adds read
    // what a thread's square of results needs, half of it for several lanes at once.
    double reads = !shape.isTensorCore ? threads * std::sqrt(r * c / threads)
                   : isWarpgroup       ? r + c * r / 64
                                       : r * std::ceil(c / 32) + c * std::ceil(r / 64);
    reads *= shape.products;
    int64_t programs = batch * ceilDiv(rows, tile.rows) * ceilDiv(columns, tile.columns) * tile.splits;
    double each = ceilDiv(programs, arch.numSms);
    // Rows that there are not cost a copy's instructions as well.
    double slab = sidesOf(tile) * d * bytes();
    double stages =
        std::clamp(std::floor((arch.sharedBytesPerBlock - r * stagedBytesPerRow) / slab), 1.0, double(mostStages));
    double shared = reads * d * bytes() / sharedBytesPerClock;
    double copy =
        isWarpgroup
            ? std::max(slab / (tile.isSwapped ? swappedBytesPerClock : tmaBytesPerClock), latencyClocks / stages)
            : std::max(slab / copyBytesPerClock, busyLatencyClocks / (leastStages * std::min(each, 4.0)));
    double slowest = std::max({multiply, shared, copy});
    double turn = shape.isTensorCore ? slowest : multiply + fmaReads * shared + fmaWaits / std::min(each, 4.0);
    double resultBytes = tile.splits > 1 ? 4 : shape.resultBits / 8.0;
    // Programs that share a multiprocessor start while others multiply; a producer brings the next one's operands.
    bool isShared = 2 * leastStages * slab <= arch.sharedBytesPerSm;
    double starts = isWarpgroup ? 1 : isShared ? std::max(1.0, each / 2) : each;
    double store = r * c * resultBytes / (isWarpgroup ? stagedBytesPerClock : storeBytesPerClock);
    if (isWarpgroup && tile.splits == 1)
      store += c / 2 * clocksPerOp * shape.opsBehind;
    double clocks = starts * startClocks + each * (turns * turn + store);
    double seconds = clocks / arch.clockHz;
    double traffic = batch * (double(rows) * depth + shape.products * double(columns) * depth) * bytes() +
                     double(batch) * rows * columns * shape.resultBits / 8.0;
    double least = traffic / (memoryShare * arch.memoryBytesPerSecond);
    const char *bound = least > seconds       ? "memory"
                        : slowest == multiply ? "the products"
                        : slowest == shared   ? "reads of shared memory"
                                              : "copies into shared memory";
    double busy = seconds;
    seconds = std::pow(std::pow(busy, bothBounds) + std::pow(least, bothBounds), 1 / bothBounds) + launchSeconds;
    if (tile.isSwapped)
      seconds *= swappedHandicap;
    if (shape.products > 1 && rows <= fewRows && ((tile.depth * bytes() < shortRowBytes && rows <= 8) || !isWarpgroup))
      seconds *= shortRowsHandicap;
    if (tile.splits > 1)
      seconds += (shape.isAddedByReader ? 0 : secondLaunchSeconds) +
                 2.0 * tile.splits * batch * rows * columns * 4 / (cacheRate * arch.memoryBytesPerSecond);
    std::string reason = std::to_string(programs) + " programs, " + std::to_string(int64_t(each)) +
                         " on the busiest multiprocessor, bound by " + bound;
    return {tile, seconds, busy, reason};
  }
};
} // namespace

std::vector<GemmCandidate> rankGemmTiles(const GemmShape &shape, const GpuArch &arch, int64_t refusals) {
  Model model(shape, arch);
  // 128 bytes of the depth: one line of the cache and one period of the shared memory's swizzle.
  int64_t line = 1024 / std::max<int64_t>(shape.operandBits, 8), least = 16;
  if (shape.depth >= 0)
    while (line / 2 >= std::max(shape.depth, least))
      line /= 2;
  if (shape.depthBlock > 0)
    line = std::min<int64_t>(shape.depthBlock, 2 * line);
  std::vector<GemmCandidate> candidates;
  const bool hasFewRows = shape.isTensorCore && shape.rows > 0 && shape.rows <= fewRows && shape.depthBlock <= 0;
  auto depthOf = [&](int64_t columns) {
    int64_t deep = line;
    auto fits = [&](int64_t more) {
      return more * shape.products * columns * model.bytes() <= bytesOfFewRows &&
             4 * more * (fewRows + shape.products * columns) * model.bytes() <= arch.sharedBytesPerBlock;
    };
    while (hasFewRows && 2 * deep <= shape.depth && fits(2 * deep))
      deep *= 2;
    return deep;
  };
  // Of columns no more than a program of every architecture holds without spilling, beside its rows.
  for (int64_t rows : {16, 32, 64, 128, 256})
    for (int64_t columns : {16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256})
      for (int64_t splits : {1, 2, 4, 8, 16}) {
        const int64_t depth = depthOf(columns);
        // Rows in two parts need the registers of a turn's sums once. Each part is waited for: fewer columns are not
        // worth it (256 x 112 took 1.047 times as long as 128 x 192 where both fit the waves).
        GemmTile tile{rows, columns, depth, splits, rows == 256 ? 2 : 1};
        if (tile.parts > 1 && !(shape.isPromoted && model.isWgmma(tile) && columns >= 128))
          continue;
        // Wide tiles are for warpgroups, which hold a row's results in few registers a thread, and so are widths that
        // fit a number of columns to whole waves of programs.
        bool isFitted = columns > 128 || (columns > 64 && columns < 128) || columns == 48;
        bool fitsFew = hasFewRows && rows == 16 && columns <= 128;
        // 197 x 768 x 3072 by 64 x 96 in 4 splits: ViT of one image 1.07 times as fast; more splits lose.
        bool fitsReader = shape.isAddedByReader && rows == 64 && columns == 96 && splits <= 4;
        bool isToTry = rows == 64 && columns > 64 && columns < 128 && splits == 1 && model.isWgmma(tile) &&
                       shape.rows > 64 && shape.rows <= 1024 && shape.products == 1 && !shape.isPromoted;
        if (isFitted && !fitsFew && !fitsReader && !isToTry && (rows < 128 || columns < 64 || !model.isWgmma(tile)))
          continue;
        // What was refused had too few registers.
        if (rows * columns > (mostResults >> refusals))
          continue;
        bool isNeedless = (rows > 16 && rows / 2 >= model.rows) || (columns > 16 && columns / 2 >= model.columns);
        bool canSplit =
            shape.products == 1 && shape.depth >= 0 && shape.depthBlock == 0 && shape.depth % (splits * depth) == 0;
        if (isNeedless || !model.isLegal(tile) || !model.fitsBlocks(tile) || (splits > 1 && !canSplit))
          continue;
        auto add = [&](bool isTried) {
          candidates.push_back(model.judge(tile));
          if (isTried)
            candidates.back().seconds *= triedHandicap;
        };
        add(isToTry && !fitsReader);
        tile.depth *= 2;
        bool isShort = model.isWgmma(tile) && !hasFewRows && !shape.isPromoted && shape.products == 1 &&
                       model.sidesOf(tile) * depth * model.bytes() <= shortTurnBytes;
        if (isShort && (shape.depth <= shortDepth || isToTry) && shape.depth % (splits * tile.depth) == 0 &&
            shape.depth > splits * tile.depth)
          add(isToTry);
      }
  // As deep a turn as leaves the ring four slots.
  auto swappedDepth = [&](int64_t rows, int64_t columns) {
    int64_t deep = line;
    while (2 * deep <= shape.depth &&
           4 * 2 * deep * (rows + shape.products * columns) * model.bytes() <= arch.sharedBytesPerBlock &&
           !shape.isPromoted)
      deep *= 2;
    return deep;
  };
  const int64_t eights = shape.swappedRows * ceilDiv(shape.rows, shape.swappedRows);
  if (shape.rows > 0 && eights <= mostSwappedRows)
    for (int64_t columns : {64, 128})
      for (int64_t splits : {1, 2, 4, 8, 16}) {
        GemmTile tile{eights, columns, swappedDepth(eights, columns), splits, 1, /*isSwapped=*/true};
        bool canSplit = shape.products == 1 && shape.depthBlock == 0 && shape.depth >= 0 &&
                        shape.depth % (splits * tile.depth) == 0;
        bool isNeedless = columns > 64 && columns / 2 >= model.columns;
        if (!isNeedless && model.isWgmma(tile) && model.isLegal(tile) && model.fitsBlocks(tile) &&
            (splits == 1 || canSplit))
          candidates.push_back(model.judge(tile));
      }
  // Of equals, which memory bounds, the one that leaves multiprocessors the most time; then the largest tile, which
  // reads operands the least often, of multiply-adds the squarest; then many rows, but with warpgroups, which read all
  // columns each, many columns.
  auto key = [&](const GemmCandidate &c) {
    int64_t rows = model.isWgmma(c.tile) ? c.tile.rows : -c.tile.rows;
    int64_t sides = shape.isTensorCore ? 0 : c.tile.rows + c.tile.columns;
    return std::tuple(c.seconds, c.tile.splits, c.busySeconds, -c.tile.rows * c.tile.columns, sides, rows);
  };
  std::sort(candidates.begin(), candidates.end(),
            [&](const GemmCandidate &a, const GemmCandidate &b) { return key(a) < key(b); });
  return candidates;
}

} // namespace tenon
