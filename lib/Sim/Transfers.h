// mbarriers and the copies of TMA, of one CTA.
#pragma once

#include "lib/Sim/Simulator.h"

#include <cstdint>
#include <deque>
#include <map>
#include <vector>

namespace tenon::sim {

struct Mbarrier {
  uint32_t expected = 0, missing = 0; ///< arrivals a phase, and those that the current one lacks
  int64_t missingBytes = 0;
  uint32_t phase = 0;                           ///< the current one, counted from 0
  std::vector<uint32_t> clocks, fenced;         ///< of those that arrived in the current phase
  std::vector<uint32_t> doneClocks, doneFenced; ///< in the last complete one
};

/// One box on its way from global to shared memory.
struct BulkCopy {
  const TensorMap *map;
  std::array<int64_t, 5> place;  ///< of the box's first element, innermost dimension first
  uint64_t destination, barrier; ///< addresses in shared memory
  uint32_t record, site;         ///< of AccessHistory; the op

  int64_t bytes() const;
};

struct Transfers {
  std::map<uint64_t, Mbarrier> barriers; ///< by address
  std::deque<BulkCopy> copies;           ///< under way, oldest first
};

/// Completes the oldest copy: its bytes are in shared memory, and counted on its barrier.
void completeOldestCopy(class Cta &cta);
/// "1 of 8 arrivals and 16384 bytes": what the barrier's phase lacks.
std::string missingText(const Mbarrier &barrier);

} // namespace tenon::sim
