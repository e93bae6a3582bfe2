// Decides how the CPU computes a kernel, from its shape and a few facts of the processor. Free of IR.
#pragma once

#include <cstdint>

namespace tenon {

struct CpuFacts {
  int64_t vectorBits = 512;     ///< of a register: 128, 256 or 512
  int64_t vectorRegisters = 32; ///< that the code may use: 32 with AVX-512, else 16
  static CpuFacts ofVectorBits(int64_t bits) { return {bits, bits == 512 ? 32 : 16}; }
};

/// Sizes of a contraction; negative where known only at run time.
struct ContractionShape {
  int64_t rows, columns, depth;
  int64_t accumulatorBits; ///< 32 or 64
  bool isPacked;           ///< the right-hand side lies in panels already; else each task packs its own
};
struct GemmSchedule {
  int64_t rows, columns, lanes, chunk;
};
GemmSchedule chooseGemm(const CpuFacts &facts, const ContractionShape &shape);

struct AttentionShape {
  int64_t queries; ///< negative where known only at run time
  int64_t accumulatorBits;
};
struct AttentionSchedule {
  int64_t queries, keys, lanes, chunk;
};
AttentionSchedule chooseAttention(const CpuFacts &facts, const AttentionShape &shape);

/// Elements of a vector for work whose widest common type has `bits`.
int64_t chooseLanes(const CpuFacts &facts, int64_t bits);

} // namespace tenon
