// What a program multiplies, reads from shared memory and copies in, a turn of the loop over the depth, the slowest of
// which counts; times the programs that the busiest multiprocessor gets. Beside it stands what memory takes for all
// operands once, and what it takes to add up a sum that programs share. The constants are fitted to times measured on
// an H200; docs/performance/tuning.md says how well they rank.
#include "lib/Schedule/GemmModel.h"

#include "lib/Schedule/ReadsBehind.h"
#include "lib/Schedule/WarpSchedule.h"

#include <algorithm>
#include <cmath>

namespace tenon {

namespace {
// Clocks and bytes a clock that hold well enough on all architectures of the table.
constexpr double startClocks = 1500;     // a program's first copy from memory, and its last store
constexpr double copyBytesPerClock = 40; // into one multiprocessor, from the second-level cache
constexpr double storeBytesPerClock = 32;
// Neighbours that read the same of the second-level cache at the same time are served as one; the CTAs of a cluster,
// which have other parts of the depth, are not. Rows that begin within a line are read by one more.
constexpr double clustersRate = 5950, linesBetween = 0.5;
// A slot of the ring is filled again no sooner than the cache's latency after it was free: all programs of a wave want
// the same part of the depth at once, which one of them waits for. Beside that a turn has its barriers, and half as
// many again for each more part of its rows.
constexpr double latencyClocks = 1340, turnClocks = 108;
constexpr double wgmmaStartClocks = 1880;
constexpr double stagedBytesPerClock = 21.7;               // of results, which leave through shared memory
constexpr int64_t mostStages = 5, stagedBytesPerRow = 256; // of its ring; of the slabs beside it
// A thread has half a row's results and computes what is behind the product for one after the other.
constexpr double clocksPerOp = 2;
// Of teams: what one computes behind its product takes so much of the other's time, for both read the banks of the same
// registers. A turn's barriers are beside the other's as well.
constexpr double besideDots = 0.35, teamsTurnClocks = 80;
constexpr double readBytesPerClock = 20; // of a residual that is read where the product is done
// Of memory at the rate that it has, by products of one row: 24 KB in flight a multiprocessor gave 2.45 TB/s of an
// H200.
constexpr double busyLatencyClocks = 2500;
// Of multiply-adds, fitted to 160 times of ten products of f32 on an H200. A warp computes addresses and waits for what
// it reads as well; programs that share a multiprocessor hide each other's barriers.
constexpr double fmaIssue = 1.2, fmaReads = 0.4, fmaWaits = 700;
constexpr double launchSeconds = 3.5e-6, secondLaunchSeconds = 2.5e-6;
constexpr double cacheRate = 1.4;    // of memory's: what a second kernel reads is in the second-level cache
constexpr double memoryShare = 0.88; // what a copy reaches of memory's rate: 4.24 TB/s of an H200
constexpr double bothBounds = 4;     // the power of the sum of two bounds: near both is slower than at one
constexpr double warpRate = 0.62;    // of the peak, by instructions of a warp where those of a warpgroup have all of it
constexpr int64_t assumedRows = 8192; // where known only at run time
constexpr int64_t assumedDepth = 1024;
constexpr int64_t accumulators = 128; // of f32 that a thread holds beside the rest
constexpr int64_t promoted = 192;     // the same of a warpgroup's thread that adds products to other sums
// The same of a warpgroup that has a program by itself: what is behind a product needs no registers while it
// multiplies.
constexpr int64_t teamsSums = 192;
constexpr int64_t teamsSumsOfGates = 160; // those of one product are kept while they wait for the other's
// The same of a thread that multiplies and adds by itself: 120 registers, so that 16 warps share a multiprocessor.
constexpr int64_t promotedByFma = 64;
constexpr int64_t leastStages = 3; // of a ring that hides a copy behind a product
constexpr int64_t fewRows = 16;

// The transposed dot has columns in the places of a warpgroup's rows, with as many of few rows as there are in eights.
// Its results leave by stores of single elements.
constexpr double swappedHandicap = 1.015;
// Of two products a turn may have too little of each row of the weights, and without a producer they do not come early:
// gates of 1 and 16 sequences took 1.07 and 1.02 times as long by 128 bytes a row and cp.async as by 256 and TMA. Of 16
// by TMA 128 bytes of 128 columns are 1.016 times as fast as 256 of 64.
constexpr double shortRowsHandicap = 1.05, shortRowBytes = 256;

// Programs of a cluster wait for one another and send each other their parts of a sum in f32, 16 bytes a thread.
constexpr double exchangeClocks = 600, exchangeBytesPerClock = 10;
// Programs of a sum that the last of them adds up store their parts in the second-level cache, in f32, and count
// themselves in behind a fence of the whole GPU; the last reads them.
constexpr double lastClocks = 2450, lastBytesPerClock = 30;

int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// Of the dot: its own rows and columns.
int64_t dotRows(const GemmTile &tile) { return tile.isSwapped ? tile.columns : tile.rows; }
int64_t dotColumns(const GemmTile &tile) { return tile.isSwapped ? tile.rows : tile.columns; }

/// Whether a program stores sums of a part of the depth, which another kernel adds up.
bool storesParts(const GemmTile &tile) { return tile.splits > 1 && !tile.isJoined && !tile.isByLast; }
} // namespace

GemmModel::GemmModel(const GemmShape &shape, const GpuArch &arch)
    : batch(shape.batch < 0 ? 1 : shape.batch), rows(shape.rows < 0 ? assumedRows : shape.rows),
      columns(shape.columns < 0 ? assumedDepth : shape.columns), depth(shape.depth < 0 ? assumedDepth : shape.depth),
      shape(shape), arch(arch) {}

bool GemmModel::isWgmma(const GemmTile &tile) const {
  return arch.hasWgmma && shape.isTensorCore && dotRows(tile) % 64 == 0;
}

bool GemmModel::fitsBlocks(const GemmTile &tile) const {
  return shape.columnBlock % 16 != 0 || shape.columnBlock % tile.columns == 0;
}

/// Registers of a thread for the program's sums and, where they are promoted, for those of a turn.
int64_t GemmModel::sumsOf(const GemmTile &tile, int64_t warps) const {
  int64_t all = tile.rows + (shape.isPromoted ? tile.rows / tile.parts : 0), each = shape.operandBits > 32 ? 2 : 1;
  return each * shape.products * all * tile.columns / (32 * warps);
}

bool GemmModel::isLegal(const GemmTile &tile) const {
  int64_t warps = isWgmma(tile) ? dotRows(tile) / tile.parts / 16
                                : std::max<int64_t>(4, ceilDiv(tile.rows, 64) * ceilDiv(tile.columns, 32));
  double ring = sidesOf(tile) * tile.depth * bytes() * leastStages;
  int64_t most = isForTeams(tile)      ? (shape.products > 1 ? teamsSumsOfGates : teamsSums)
                 : !shape.isPromoted   ? accumulators
                 : isWgmma(tile)       ? promoted
                 : !shape.isTensorCore ? promotedByFma
                                       : accumulators;
  return ring <= arch.sharedBytesPerBlock && sumsOf(tile, warps) <= most && warps <= 16;
}

double GemmModel::rateOf(const GemmTile &tile) const {
  if (!shape.isTensorCore)
    return arch.rates.f32;
  double peak = shape.operandBits == 16  ? arch.rates.tensor16
                : shape.operandBits == 8 ? std::max(arch.rates.tensor8, 1)
                                         : arch.rates.tensorTf32;
  return arch.hasWgmma && !isWgmma(tile) ? peak * warpRate : peak;
}

int64_t GemmModel::slotsOf(const GemmTile &tile) const {
  int64_t slab = sidesOf(tile) * tile.depth * bytes();
  if (tile.isJoined)
    return chooseDotWarps(dotRows(tile), dotColumns(tile), slab, /*outerBytes=*/0, exchangedBytes(tile),
                          DotKind::Warpgroup, arch)
        .stages;
  return std::clamp<int64_t>((arch.sharedBytesPerBlock - dotRows(tile) * stagedBytesPerRow) / slab, 1, mostStages);
}

GemmModel::Turn GemmModel::turnOf(const GemmTile &tile, double programs) const {
  double r = dotRows(tile), c = dotColumns(tile), d = tile.depth;
  bool isWarpgroup = isWgmma(tile);
  double multiply = shape.products * r * c * d / rateOf(tile);
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
  double shared = shape.products * reads * d * bytes() / sharedBytesPerClock;
  return {multiply, shared, copyClocks(tile, programs)};
}

/// Of a turn's operands into shared memory. Rows that there are not cost a copy's instructions as well.
double GemmModel::copyClocks(const GemmTile &tile, double programs) const {
  double slab = sidesOf(tile) * tile.depth * bytes();
  if (!isWgmma(tile)) {
    double each = std::ceil(programs / arch.numSms);
    return std::max(slab / copyBytesPerClock, busyLatencyClocks / (leastStages * std::min(each, 4.0)));
  }
  constexpr int64_t line = 128;
  bool areWholeLines = int64_t(depth * bytes()) % line == 0;
  double together = (tile.isJoined ? clustersRate : cacheBytesPerClock) / (areWholeLines ? 1 : 1 + linesBetween);
  double rate = std::min(tmaBytesPerClock, together / std::min<double>(programs, arch.numSms));
  return std::max(slab / rate, latencyClocks / slotsOf(tile));
}

/// How many run at the same time. Clusters of 4 lie within a group of multiprocessors, which has no multiple of 4 of
/// them: an H200 holds 66 clusters of 2, and 30 of 4.
int64_t GemmModel::programsAtATime(const GemmTile &tile) const {
  return tile.isJoined && tile.splits > 2 ? arch.numSms * 10 / 11 / tile.splits * tile.splits : arch.numSms;
}

/// Columns of the results that a program finishes.
double GemmModel::ownColumns(const GemmTile &tile) const {
  return double(dotColumns(tile)) / (tile.isJoined ? tile.splits : 1);
}

/// A program's results leave.
double GemmModel::storeClocks(const GemmTile &tile) const {
  double elementBytes = storesParts(tile) ? 4 : shape.resultBits / 8.0;
  double rate = isWgmma(tile) ? stagedBytesPerClock : storeBytesPerClock;
  return dotRows(tile) * ownColumns(tile) * elementBytes / rate;
}

/// What stands behind the product is computed of its sums.
double GemmModel::behindClocks(const GemmTile &tile) const {
  if (!isWgmma(tile) || storesParts(tile))
    return 0;
  double each = ownColumns(tile) / 2 * clocksPerOp * shape.opsBehind;
  if (isForTeams(tile))
    return tile.parts * each;
  // What the producer brings while the product runs is there.
  double read = double(dotRows(tile)) * ownColumns(tile) * shape.resultBits / 8;
  bool isEarly = !tile.isByLast && !tile.isJoined && !tile.isSwapped &&
                 makesRoomFor(read, dotRows(tile), sidesOf(tile) * tile.depth * bytes(), arch);
  return shape.readsBehind && !isEarly ? each + read / readBytesPerClock : each;
}

/// Of programs that add up their sum themselves.
double GemmModel::addingClocks(const GemmTile &tile) const {
  double part = 4.0 * tile.rows * tile.columns, others = part * (tile.splits - 1);
  return tile.isJoined   ? exchangeClocks + others / tile.splits / exchangeBytesPerClock
         : tile.isByLast ? lastClocks + (part + others) / lastBytesPerClock
                         : 0;
}

/// Of memory, for operands and results once.
double GemmModel::leastSeconds() const {
  double traffic = batch * (double(rows) * depth + shape.products * double(columns) * depth) * bytes() +
                   double(batch) * rows * columns * shape.resultBits / 8.0;
  return traffic / (memoryShare * arch.memoryBytesPerSecond);
}

double GemmModel::secondKernelSeconds(const GemmTile &tile) const {
  return (shape.isAddedByReader ? 0 : secondLaunchSeconds) +
         2.0 * tile.splits * batch * rows * columns * 4 / (cacheRate * arch.memoryBytesPerSecond);
}

GemmCandidate GemmModel::judge(const GemmTile &tile) const {
  int64_t programs = batch * ceilDiv(rows, tile.rows) * ceilDiv(columns, tile.columns) * tile.splits;
  double each = ceilDiv(programs, programsAtATime(tile));
  double turns = ceilDiv(ceilDiv(depth, tile.splits), tile.depth);
  auto [multiply, shared, copy] = turnOf(tile, programs);
  double slowest = std::max({multiply, shared, copy});
  double turn = !shape.isTensorCore ? multiply + fmaReads * shared + fmaWaits / std::min(each, 4.0)
                : isForTeams(tile)  ? slowest + teamsTurnClocks
                : isWgmma(tile)     ? slowest + (1 + tile.parts) * turnClocks / 2
                                    : slowest;
  // Programs that share a multiprocessor start while others multiply; a producer brings the next one's operands.
  bool isShared = 2 * leastStages * sidesOf(tile) * tile.depth * bytes() <= arch.sharedBytesPerSm;
  double starts = isWgmma(tile) ? wgmmaStartClocks + copy : startClocks * (isShared ? std::max(1.0, each / 2) : each);
  double store = storeClocks(tile), behind = behindClocks(tile), beside = besideDots * behind;
  double clocks = isForTeams(tile) // what is behind the last program's product is beside none
                      ? starts + each * std::max(turns * turn + beside, (store + behind) / 2) + store + behind - beside
                      : starts + each * (turns * turn + store + behind);
  double busy = clocks / arch.clockHz, least = leastSeconds();
  double seconds = std::pow(std::pow(busy, bothBounds) + std::pow(least, bothBounds), 1 / bothBounds) + launchSeconds +
                   each * addingClocks(tile) / arch.clockHz;
  if (tile.isSwapped)
    seconds *= swappedHandicap;
  if (shape.products > 1 && rows <= fewRows && ((tile.depth * bytes() < shortRowBytes && rows <= 8) || !isWgmma(tile)))
    seconds *= shortRowsHandicap;
  if (storesParts(tile))
    seconds += secondKernelSeconds(tile);
  const char *bound = least > busy          ? "memory"
                      : slowest == multiply ? "the products"
                      : slowest == shared   ? "reads of shared memory"
                                            : "copies into shared memory";
  std::string reason = std::to_string(programs) + " programs, " + std::to_string(int64_t(each)) +
                       " on the busiest multiprocessor, bound by " + bound;
  return {tile, seconds, busy, reason};
}

} // namespace tenon
