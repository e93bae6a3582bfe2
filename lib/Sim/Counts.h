// How a warp's accesses meet the memory: banks of shared memory, sectors of global memory, op by op. These are counts
// of what the addresses ask for, no times.
#pragma once

#include "lib/Sim/Report.h"

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <vector>

namespace tenon::sim {

/// Gathers the lanes' accesses to those of their warp: the nth of each lane at an op is the warp's nth.
class Counts {
public:
  void touch(uint32_t warp, uint32_t lane, uint32_t lanesOfWarp, uint32_t site, uint64_t address, uint32_t bytes,
             bool isShared);
  /// A copy of TMA, row by row.
  void bulkRow(uint32_t site, uint64_t address, uint32_t bytes);
  void bulkCopy(uint32_t site) { ++of(site, false).accesses; }
  void endCta();
  /// What another thread of the host counted.
  void add(const Counts &other);

  /// Of an op; one that reads global and writes shared memory has two.
  const std::map<std::pair<uint32_t, bool>, AccessCount> &bySite() const { return counts; }

private:
  struct Lanes {
    uint32_t numLanes = 0, bytes = 0;
    std::array<uint64_t, 32> addresses;
    uint32_t mask = 0;
  };
  struct Pending {
    std::array<uint64_t, 32> next = {}; ///< of a lane: the number of its next access
    uint64_t first = 0;                 ///< of accesses
    std::deque<Lanes> accesses;
  };
  AccessCount &of(uint32_t site, bool isShared) {
    AccessCount &count = counts[{site, isShared}];
    count.site = site;
    count.isShared = isShared;
    return count;
  }
  void finish(uint32_t site, const Lanes &access, bool isShared);

  std::map<std::array<uint32_t, 3>, Pending> warps; ///< of a warp at a site, in shared memory (1) or global (0)
  std::map<std::pair<uint32_t, bool>, AccessCount> counts;
};

} // namespace tenon::sim
