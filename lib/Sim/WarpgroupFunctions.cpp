// wgmma: a warp of the four multiplies its 16 rows of A with all of B, both read from shared memory through descriptors
// (A from registers too). The reads are the Tensor Core's, which is an actor of its own: ordered after what its warp
// knows to be written and fenced, and before what follows a wait for their group. Operands are read when the step is
// issued.
#include "lib/Sim/DeviceFunctions.h"
#include "lib/Sim/MemoryAccess.h"
#include "lib/Sim/Numbers.h"
#include "lib/Sim/TensorCore.h"

#include <utility>

namespace tenon::sim {
namespace {

constexpr uint32_t depth = 16, chunkElements = 8, chunkBytes = 16; // of a step; of what a swizzle moves as one

/// PTX ISA, "Matrix Descriptor Format": offsets in bytes, and the pattern that the address is xored by.
struct Descriptor {
  uint64_t start, leading, stride;
  uint32_t span; ///< bytes of a row that the swizzle mixes: 128, 64 or 32; 16 without

  explicit Descriptor(uint64_t bits)
      : start((bits & 0x3FFF) << 4), leading((bits >> 16 & 0x3FFF) << 4), stride((bits >> 32 & 0x3FFF) << 4),
        span(std::array<uint32_t, 4>{16, 128, 64, 32}[bits >> 62]) {}

  /// Where the 8 elements from (row, k) on lie, along k or, transposed, along rows (of M or N).
  uint64_t chunk(uint32_t row, uint32_t k, bool isTransposed) const {
    uint32_t spanElements = span / 2, inner = isTransposed ? row : k, outer = isTransposed ? k : row;
    uint64_t address =
        start + outer / 8 * stride + outer % 8 * span + inner / spanElements * leading + inner % spanElements * 2;
    // Bits 4.. of the address are xored by bits 7..: as many as the span has chunks.
    return address ^ (address >> 7 & (span / chunkBytes - 1)) << 4;
  }
};

struct StepArguments {
  WgmmaStep step;
  float *accumulators;
  const uint32_t *words; ///< of A, 4, or null
  uint64_t a, b;
};

/// An operand of `rows` rows and 16 of the depth, from `firstRow` on, as numbers.
void readOperand(Cta &cta, uint32_t warp, uint64_t bits, bool isTransposed, MmaType type, uint32_t firstRow,
                 uint32_t rows, uint32_t site, double (*values)[depth]) {
  Descriptor descriptor(bits);
  for (uint32_t outer = 0; outer < (isTransposed ? depth : rows); ++outer)
    for (uint32_t inner = 0; inner < (isTransposed ? rows : depth); inner += chunkElements) {
      uint32_t row = isTransposed ? inner : outer, k = isTransposed ? outer : inner;
      const void *from = cta.memory().sharedPointer(descriptor.chunk(firstRow + row, k, isTransposed));
      recordTouch(cta, {cta.numThreads() + warp, reinterpret_cast<uintptr_t>(from), chunkBytes, chunkBytes,
                        Space::Shared, false, false, site});
      uint32_t words[4];
      std::memcpy(words, from, chunkBytes);
      for (uint32_t index = 0; index < chunkElements; ++index)
        values[isTransposed ? row + index : row][isTransposed ? k : k + index] =
            decode(type, words[index / 2], index % 2);
    }
}

void multiplyStep(Cta &cta, uint32_t warp, void *const *arguments, uint32_t site) {
  auto of = [&](uint32_t lane) -> StepArguments & { return *static_cast<StepArguments *>(arguments[lane]); };
  WgmmaStep step = of(0).step;
  double a[16][depth], b[256][depth];
  if (of(0).words)
    for (uint32_t lane = 0; lane < 32; ++lane)
      for (uint32_t word = 0; word < 4; ++word)
        for (uint32_t index = 0; index < 2; ++index)
          a[lane / 4 + 8 * (word % 2)][8 * (word / 2) + lane % 4 * 2 + index] =
              decode(step.type, of(lane).words[word], index);
  else
    readOperand(cta, warp, of(0).a, step.isTransposedA, step.type, warp % 4 * 16, 16, site, a);
  readOperand(cta, warp, of(0).b, step.isTransposedB, step.type, 0, step.n, site, b);
  for (uint32_t lane = 0; lane < 32; ++lane)
    for (uint32_t index = 0; index < step.n / 2; ++index) {
      uint32_t row = lane / 4 + 8 * (index / 2 % 2), column = index / 4 * 8 + lane % 4 * 2 + index % 2;
      float &sum = of(lane).accumulators[index];
      sum = sumOfProducts(a[row], b[column], step.type, depth, sum);
    }
}

void commit(Cta &cta, uint32_t warp, void *const *, uint32_t) { cta.commitProducts(warp); }
void await(Cta &, uint32_t, void *const *, uint32_t) {}

uint32_t meet(Together together, uint32_t detail, void *arguments, uint32_t site) {
  Cta &cta = Cta::current();
  uint32_t warp = cta.thread().warp;
  if (cta.numThreads() % 128 != 0)
    cta.fault(FindingKind::Misuse,
              cta.siteText(site) + " needs whole warpgroups; the CTA has " + std::to_string(cta.numThreads()) +
                  " threads",
              site);
  cta.collective(together, detail, cta.warpMask(warp), /*isAligned=*/true, arguments, site);
  return warp;
}

constexpr uint32_t nameBits = 0xFFE00000, numberMask = 0x000FFFFF;

/// The accumulator that the value names, or null.
Accumulator *named(Thread &thread, float value) {
  uint32_t bits = asBits(value), number = bits & numberMask;
  if ((bits & ~numberMask) != nameBits || number >= thread.accumulators.size() ||
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
void wgmmaBegin(float *accumulators, float *names, uint32_t count, uint32_t) {
  Thread &thread = Cta::current().thread();
  for (uint32_t index = 0; index < count; ++index) {
    names[index] = accumulators[index];
    if (const Accumulator *accumulator = named(thread, accumulators[index]))
      accumulators[index] = accumulator->value;
  }
}

void wgmmaStep(float *accumulators, uint32_t *words, uint64_t a, uint64_t b, uint32_t step, uint32_t site) {
  StepArguments mine = {unpackWgmma(step), accumulators, nullptr, a, b};
  if (mine.step.isInRegisters)
    mine.words = words;
  meet(multiplyStep, step, &mine, site);
}

void wgmmaCommit(float *accumulators, const float *names, uint32_t count, uint32_t site) {
  Cta &cta = Cta::current();
  uint32_t moment = cta.momentOf(cta.numThreads() + cta.thread().warp);
  meet(commit, 0, &site, site);
  Thread &thread = cta.thread();
  for (uint32_t index = 0; index < count; ++index) {
    Accumulator *accumulator = named(thread, names[index]);
    if (!accumulator)
      accumulator = &freeAccumulator(thread);
    *accumulator = {accumulators[index], moment, site};
    accumulators[index] = asFloat(nameBits | static_cast<uint32_t>(accumulator - thread.accumulators.data()));
  }
}

/// What is done by then becomes its value.
void wgmmaWait(float *values, uint32_t count, uint32_t pending, uint32_t site) {
  meet(await, pending, &pending, site);
  Cta &cta = Cta::current();
  Thread &thread = cta.thread();
  cta.awaitProducts(thread, pending);
  for (uint32_t index = 0; index < count; ++index)
    if (Accumulator *accumulator = named(thread, values[index]);
        accumulator && cta.isProductDone(thread, accumulator->moment)) {
      values[index] = accumulator->value;
      accumulator->moment = 0;
    }
}

/// In front of an op that reads a value which may be an accumulator under way.
void readAccumulator(float value, uint32_t site) {
  Cta &cta = Cta::current();
  const Accumulator *accumulator = named(cta.thread(), value);
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
