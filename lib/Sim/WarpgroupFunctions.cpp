// wgmma: a warp of the four multiplies its 16 rows of A with all of B, both read from shared memory through descriptors
// (A from registers too). The reads are the Tensor Core's, which is an actor of its own: ordered after what its warp
// knows to be written and fenced, and before what follows a wait for their group. Operands are read when the step is
// issued.
#include "lib/Sim/DeviceFunctions.h"
#include "lib/Sim/MemoryAccess.h"
#include "lib/Sim/Numbers.h"
#include "lib/Sim/TensorCore.h"

#include <algorithm>
#include <utility>

namespace tenon::sim {
namespace {

constexpr uint32_t depthBytes = 32, chunkBytes = 16; // of a step; of what a swizzle moves as one
constexpr uint32_t mostDepth = depthBytes;           // elements of a step, where they have 8 bits

/// PTX ISA, "Matrix Descriptor Format": offsets in bytes, and the pattern that the address is xored by.
struct Descriptor {
  uint64_t start, leading, stride;
  uint32_t span; ///< bytes of a row that the swizzle mixes: 128, 64 or 32; 16 without

  /// Bits of the fields that are modelled; the base offset is of buffers off multiples of 1024 bytes.
  static constexpr uint64_t known =
      uint64_t{0x3FFF} | uint64_t{0x3FFF} << 16 | uint64_t{0x3FFF} << 32 | uint64_t{3} << 62;

  explicit Descriptor(uint64_t bits)
      : start((bits & 0x3FFF) << 4), leading((bits >> 16 & 0x3FFF) << 4), stride((bits >> 32 & 0x3FFF) << 4),
        span(std::array<uint32_t, 4>{16, 128, 64, 32}[bits >> 62]) {}

  /// Where the chunk from (row, k) on lies, along k or, transposed, along rows (of M or N).
  uint64_t chunk(uint32_t row, uint32_t k, bool isTransposed, uint32_t elementBytes) const {
    uint32_t inner = (isTransposed ? row : k) * elementBytes, outer = isTransposed ? k : row;
    uint64_t address = start + outer / 8 * stride + outer % 8 * span + inner / span * leading + inner % span;
    // Bits 4.. of the address are xored by bits 7..: as many as the span has chunks.
    return address ^ (address >> 7 & (span / chunkBytes - 1)) << 4;
  }
};

struct StepArguments {
  WgmmaStep step;
  uint32_t *accumulators;
  const uint32_t *words; ///< of A, 4, or null
  uint64_t a, b;
};

/// Ends the launch where two rows, or two parts of one, lie at the same place: no layout of an operand does, so that a
/// stride is wrong. The swizzle moves chunks, and never two to one place.
void checkPlaces(Cta &cta, uint64_t bits, bool isTransposed, uint32_t rows, uint32_t depth, uint32_t elementBytes,
                 uint32_t site) {
  for (uint32_t bit = 0; bit < 64; ++bit)
    if (bits >> bit & ~Descriptor::known >> bit & 1)
      cta.fault(FindingKind::Misuse,
                cta.siteText(site) + " of " + cta.threadText() + " has a descriptor with bit " + std::to_string(bit) +
                    " set, which is of no field, or of the base offset",
                site);
  Descriptor descriptor(bits);
  uint32_t chunkElements = chunkBytes / elementBytes;
  std::vector<std::array<uint64_t, 3>> places; // and row, k
  for (uint32_t outer = 0; outer < (isTransposed ? depth : rows); ++outer)
    for (uint32_t inner = 0; inner < (isTransposed ? rows : depth); inner += chunkElements) {
      uint32_t row = isTransposed ? inner : outer, k = isTransposed ? outer : inner;
      places.push_back({descriptor.chunk(row, k, isTransposed, elementBytes), row, k});
    }
  std::sort(places.begin(), places.end());
  for (size_t index = 1; index < places.size(); ++index)
    if (auto [place, row, k] = places[index]; place == places[index - 1][0])
      cta.fault(FindingKind::Misuse,
                cta.siteText(site) + " of " + cta.threadText() + " has a descriptor with strides of " +
                    std::to_string(descriptor.leading) + " and " + std::to_string(descriptor.stride) +
                    " bytes, by which (" + std::to_string(places[index - 1][1]) + ", " +
                    std::to_string(places[index - 1][2]) + ") and (" + std::to_string(row) + ", " + std::to_string(k) +
                    ") of its operand lie at the same place",
                site);
}

/// A stride by which rows of the operand are outside of the box of TMA that has its first row, and all others behind
/// it.
void checkStride(Cta &cta, const Descriptor &descriptor, bool isTransposed, uint32_t first, uint32_t count,
                 uint32_t elementBytes, uint32_t site) {
  auto offsetOf = [&](uint32_t outer) { // of the line of 128 bytes
    uint64_t place =
        isTransposed ? descriptor.chunk(0, outer, true, elementBytes) : descriptor.chunk(outer, 0, false, elementBytes);
    return Memory::offsetOf(place) / lineBytes * lineBytes;
  };
  uint64_t begin = offsetOf(first), last = offsetOf(first + count - 1);
  SwizzledLine line = cta.transfers().lineAt(cta.thread().rank, begin);
  if (line.span != descriptor.span || begin + count * descriptor.span > line.boxEnd || last < line.boxEnd)
    return;
  cta.fault(FindingKind::Misuse,
            cta.siteText(site) + " of " + cta.threadText() + " has a descriptor with a stride of " +
                std::to_string(descriptor.stride) + " bytes from 8 rows to the next, by which row " +
                std::to_string(first + count - 1) + " of its operand is outside of the box that TMA wrote by " +
                cta.siteText(line.site) + ", which has all of them",
            site);
}

/// What TMA swizzled otherwise than the descriptor says.
void checkSwizzle(Cta &cta, uint64_t address, uint32_t span, uint32_t site) {
  uint32_t rank = cta.thread().rank;
  SwizzledLine line = cta.transfers().lineAt(rank, Memory::offsetOf(address));
  if (line.span == 0 || line.span == span)
    return;
  auto text = [](uint32_t bytes) {
    return bytes == chunkBytes ? std::string("no swizzle") : "a swizzle of " + std::to_string(bytes) + " bytes";
  };
  cta.fault(FindingKind::Misuse,
            cta.siteText(site) + " of " + cta.threadText() + " reads with " + text(span) +
                " by its descriptor what TMA wrote with " + text(line.span) + " by " + cta.siteText(line.site),
            site);
}

/// An operand of `rows` rows and a step of the depth, from `firstRow` on, as numbers.
void readOperand(Cta &cta, uint32_t warp, uint64_t bits, bool isTransposed, MmaType type, uint32_t firstRow,
                 uint32_t rows, uint32_t site, double (*values)[mostDepth]) {
  Descriptor descriptor(bits);
  uint32_t each = 32 / bitsOf(type), depth = 8 * each, chunkElements = 4 * each; // elements a word
  if (cta.isNewDescriptor(bits, isTransposed, rows))
    checkPlaces(cta, bits, isTransposed, rows, depth, 4 / each, site);
  if (descriptor.stride != uint64_t{8} * descriptor.span)
    checkStride(cta, descriptor, isTransposed, isTransposed ? 0 : firstRow, isTransposed ? depth : rows, 4 / each,
                site);
  for (uint32_t outer = 0; outer < (isTransposed ? depth : rows); ++outer)
    for (uint32_t inner = 0; inner < (isTransposed ? rows : depth); inner += chunkElements) {
      uint32_t row = isTransposed ? inner : outer, k = isTransposed ? outer : inner;
      uint64_t place = descriptor.chunk(firstRow + row, k, isTransposed, 4 / each);
      const void *from = cta.memory().sharedPointer(place);
      checkSwizzle(cta, place, descriptor.span, site);
      recordTouch(cta, {cta.numThreads() + warp, reinterpret_cast<uintptr_t>(from), chunkBytes, chunkBytes,
                        Space::Shared, false, false, site});
      uint32_t words[4];
      std::memcpy(words, from, chunkBytes);
      for (uint32_t index = 0; index < chunkElements; ++index)
        values[isTransposed ? row + index : row][isTransposed ? k : k + index] =
            decode(type, words[index / each], index % each);
    }
}

void negate(double (*values)[mostDepth], uint32_t rows) {
  for (uint32_t row = 0; row < rows; ++row)
    for (uint32_t k = 0; k < mostDepth; ++k)
      values[row][k] = -values[row][k];
}

void multiplyStep(Cta &cta, uint32_t warp, void *const *arguments, uint32_t site) {
  auto of = [&](uint32_t lane) -> StepArguments & { return *static_cast<StepArguments *>(arguments[lane]); };
  WgmmaStep step = of(0).step;
  uint32_t each = 32 / bitsOf(step.a), depth = 8 * each; // elements a word
  double a[16][mostDepth] = {}, b[256][mostDepth] = {};
  if (of(0).words)
    for (uint32_t lane = 0; lane < 32; ++lane)
      for (uint32_t word = 0; word < 4; ++word)
        for (uint32_t index = 0; index < each; ++index)
          a[lane / 4 + 8 * (word % 2)][4 * each * (word / 2) + lane % 4 * each + index] =
              decode(step.a, of(lane).words[word], index);
  else
    readOperand(cta, warp, of(0).a, step.isTransposedA, step.a, warp % 4 * 16, 16, site, a);
  readOperand(cta, warp, of(0).b, step.isTransposedB, step.b, 0, step.n, site, b);
  bool isShort = cta.hasShortSums() && bitsOf(step.a) == 8;
  if (step.isNegatedA)
    negate(a, 16);
  if (step.isNegatedB)
    negate(b, step.n);
  for (uint32_t lane = 0; lane < 32; ++lane)
    for (uint32_t index = 0; index < step.n / 2; ++index) {
      uint32_t row = lane / 4 + 8 * (index / 2 % 2), column = index / 4 * 8 + lane % 4 * 2 + index % 2;
      uint32_t &sum = of(lane).accumulators[index];
      sum = isInteger(step.a) ? sumOfIntegers(a[row], b[column], depth, sum, /*saturates=*/false)
                              : asBits(sumOfProducts(a[row], b[column], step.a, step.b, depth, asFloat(sum), isShort));
    }
}

void commit(Cta &cta, uint32_t warp, void *const *, uint32_t site) {
  cta.joinWarpgroup(warp, site);
  cta.commitProducts(warp, site);
}
void await(Cta &cta, uint32_t warp, void *const *arguments, uint32_t) {
  if (cta.trace())
    cta.traceProducts(warp, *static_cast<uint32_t *>(arguments[0]));
}

uint32_t meet(Together together, uint32_t detail, void *arguments, uint32_t site) {
  Cta &cta = Cta::current();
  uint32_t warp = cta.thread().warp;
  uint32_t ofCta = warp % ((cta.threadsOfCta() + 31) / 32); // warps are numbered through a cluster
  if ((ofCta / 4 + 1) * 128 > cta.threadsOfCta())           // others of the CTA may be no whole one
    cta.fault(FindingKind::Misuse,
              cta.siteText(site) + " needs whole warpgroups; the CTA has " + std::to_string(cta.threadsOfCta()) +
                  " threads",
              site);
  cta.collective(together, detail, cta.warpMask(warp), /*isAligned=*/true, arguments, site);
  return warp;
}

/// Names of floats are NaN; of integers, numbers so low that no sum of a kernel's depth comes there.
constexpr uint32_t numberMask = 0x000FFFFF;
constexpr uint32_t nameBits(bool isInteger) { return isInteger ? 0x80000000 : 0xFFE00000; }

/// The accumulator that the value names, or null.
Accumulator *named(Thread &thread, uint32_t value, bool isInteger) {
  uint32_t number = value & numberMask;
  if ((value & ~numberMask) != nameBits(isInteger) || number >= thread.accumulators.size() ||
      thread.accumulators[number].moment == 0)
    return nullptr;
  return &thread.accumulators[number];
}

Accumulator &freeAccumulator(Thread &thread) {
  for (Accumulator &each : thread.accumulators)
    if (each.moment == 0)
      return each;
  return thread.accumulators.emplace_back();
}

// What the kernel calls.

/// One group: `accumulators` become their values for the steps, then names again.
void wgmmaBegin(uint32_t *accumulators, uint32_t *names, uint32_t count, uint32_t isInteger, uint32_t) {
  Thread &thread = Cta::current().thread();
  for (uint32_t index = 0; index < count; ++index) {
    names[index] = accumulators[index];
    if (const Accumulator *accumulator = named(thread, accumulators[index], isInteger != 0))
      accumulators[index] = accumulator->value;
  }
}

void wgmmaStep(uint32_t *accumulators, uint32_t *words, uint64_t a, uint64_t b, uint32_t step, uint32_t site) {
  StepArguments mine = {unpackWgmma(step), accumulators, nullptr, a, b};
  if (mine.step.isInRegisters)
    mine.words = words;
  meet(multiplyStep, step, &mine, site);
}

void wgmmaCommit(uint32_t *accumulators, const uint32_t *names, uint32_t count, uint32_t isInteger, uint32_t site) {
  Cta &cta = Cta::current();
  uint32_t moment = cta.momentOf(cta.numThreads() + cta.thread().warp);
  meet(commit, 0, &site, site);
  Thread &thread = cta.thread();
  for (uint32_t index = 0; index < count; ++index) {
    Accumulator *accumulator = named(thread, names[index], isInteger != 0);
    if (!accumulator)
      accumulator = &freeAccumulator(thread);
    *accumulator = {accumulators[index], moment, site};
    accumulators[index] = nameBits(isInteger != 0) | static_cast<uint32_t>(accumulator - thread.accumulators.data());
  }
}

/// What is done by then becomes its value.
void wgmmaWait(uint32_t *values, uint32_t count, uint32_t pending, uint32_t isInteger, uint32_t site) {
  meet(await, pending, &pending, site);
  Cta &cta = Cta::current();
  Thread &thread = cta.thread();
  cta.awaitProducts(thread, pending);
  for (uint32_t index = 0; index < count; ++index)
    if (Accumulator *accumulator = named(thread, values[index], isInteger != 0);
        accumulator && cta.isProductDone(thread, accumulator->moment)) {
      values[index] = accumulator->value;
      accumulator->moment = 0;
    }
}

/// In front of an op that reads a value which may be an accumulator under way.
void readAccumulator(uint32_t value, uint32_t isInteger, uint32_t site) {
  Cta &cta = Cta::current();
  const Accumulator *accumulator = named(cta.thread(), value, isInteger != 0);
  if (!accumulator || !cta.tracks(FindingKind::Race))
    return;
  cta.find(FindingKind::Race, site, accumulator->site, [&] {
    return cta.threadText() + " reads by " + cta.siteText(site) + " an accumulator of " +
           cta.siteText(accumulator->site) + ", for which it has not waited";
  });
}

} // namespace

void addWarpgroupFunctions(std::vector<DeviceFunction> &table) {
  table.insert(table.end(), {
                                deviceFunction("tenon_sim_wgmma_begin", wgmmaBegin),
                                deviceFunction("tenon_sim_wgmma_step", wgmmaStep),
                                deviceFunction("tenon_sim_accumulator", readAccumulator),
                                deviceFunction("tenon_sim_wgmma_commit", wgmmaCommit),
                                deviceFunction("tenon_sim_wgmma_wait", wgmmaWait),
                            });
}

} // namespace tenon::sim
