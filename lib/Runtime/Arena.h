// One block of memory for all temporaries of a call: two buffers share bytes when their lifetimes do not meet. Offsets
// are found greedily, biggest buffer first, each into the tightest gap between those alive at the same time.
#pragma once

#include <cstdint>
#include <vector>

namespace tenon {

/// A buffer of `bytes` alive from step `first` to step `last`, both inclusive.
struct Lifetime {
  int64_t bytes = 0, first = 0, last = 0;
};

struct ArenaPlan {
  std::vector<int64_t> offsets; ///< per lifetime, multiples of the alignment
  int64_t bytes = 0;
};

/// Precondition: the sum of all sizes, each rounded up to `alignment`, fits in 63 bits.
ArenaPlan planArena(const std::vector<Lifetime> &lifetimes, int64_t alignment = 64);

} // namespace tenon
