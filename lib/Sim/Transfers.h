// mbarriers and the copies of TMA, of one CTA. Loads count on an mbarrier; stores are in groups of the thread that
// issues them, and read shared memory until that thread waits for its group.
#pragma once

#include "lib/Sim/AccessHistory.h"
#include "lib/Sim/DeviceFunctions.h"
#include "lib/Sim/Simulator.h"

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <vector>

namespace tenon::sim {

struct Mbarrier {
  uint32_t expected = 0, missing = 0; ///< arrivals a phase, and those that the current one lacks
  int64_t missingBytes = 0;
  uint32_t phase = 0; ///< the current one, counted from 0
  uint32_t initThread = 0, initMoment = 0, initSite = 0;
  uint32_t number = 0; ///< of the CTA's, in the order of their initialisation
  /// After a fence of that thread: for TMA, and for who comes after that phase of the cluster's barrier (0: none),
  /// though the arrival there was relaxed.
  bool isFenced = false;
  uint32_t clusterPhase = 0;
  Known known, done; ///< by those that arrived in the current phase, and in the last complete one
};

/// A box of a tensor, and where it lies in shared memory.
struct Box {
  const TensorMap *map;
  std::array<int64_t, 5> place; ///< of its first element, innermost dimension first
  uint64_t shared;              ///< address

  int64_t bytes() const;
  /// From one row to the next in shared memory: with a swizzle, all of what it mixes.
  int64_t pitch() const;
  int64_t sharedBytes() const;
};

/// One row of a box. Only `count` elements from `first` on are inside of the tensor, and lie at `global` on.
struct BoxRow {
  uint64_t shared; ///< before the swizzle
  char *global;
  int64_t first, count;
};
void forEachRow(const Box &box, const std::function<void(const BoxRow &)> &visit);
/// Where a byte of shared memory lies once the map's swizzle has moved its 16 bytes.
uint64_t swizzled(const TensorMap &map, uint64_t address);

constexpr uint32_t boxAlignment = 128; ///< of a box in shared memory
/// The box that an op names; ends the launch where it names none.
Box boxAt(class Cta &cta, const void *descriptor, const void *shared, const int32_t *place, uint32_t rank,
          uint32_t site);
/// The rows of global memory, as accesses of that actor; the records of writes, which are under way from now on.
std::vector<uint32_t> touchGlobal(class Cta &cta, const Box &box, uint32_t actor, bool isWrite, bool isUpdate,
                                  uint32_t site);

/// One box on its way from global to shared memory.
struct BulkCopy {
  Box box;
  uint64_t barrier;      ///< address in shared memory
  uint32_t rank;         ///< the CTA it comes to
  uint32_t record, site; ///< of AccessHistory; the op
  uint32_t warp;         ///< that issued it
  uint64_t begin;        ///< by the trace
};

/// The bits of `old` and `given` combined.
uint64_t combined(BulkWrite kind, MapElement element, uint64_t old, uint64_t given);

/// One box on its way from shared to global memory. What it reads comes to `staged` when that is waited for.
struct BulkStore {
  Box box;
  BulkWrite kind;
  std::vector<uint32_t> records; ///< of AccessHistory, one a row that is inside
  uint32_t site;
  uint64_t begin; ///< by the trace
  std::vector<char> staged;
};
struct StoreGroup {
  std::vector<BulkStore> stores;
  uint32_t moment; ///< of the warp's stores
  bool isRead;     ///< shared memory is free again
};

/// How 128 bytes of shared memory were swizzled when TMA wrote them.
struct SwizzledLine {
  uint32_t span = 0;   ///< bytes of a row that the swizzle mixes, 16 without one; 0: threads wrote there
  uint32_t site = 0;   ///< of the copy
  uint64_t boxEnd = 0; ///< offset of the first byte behind the copy's box
};
constexpr uint64_t lineBytes = 128;

struct Transfers {
  std::map<uint64_t, Mbarrier> barriers;        ///< by address
  std::deque<BulkCopy> copies;                  ///< under way, oldest first
  std::vector<std::vector<SwizzledLine>> lines; ///< of the shared memory of each CTA

  /// The line of that byte; grows with what is asked for.
  SwizzledLine &lineAt(uint32_t rank, uint64_t offset) {
    if (rank >= lines.size())
      lines.resize(rank + 1);
    if (offset / lineBytes >= lines[rank].size())
      lines[rank].resize(offset / lineBytes + 1);
    return lines[rank][offset / lineBytes];
  }
};

/// Ends the oldest groups of the thread's stores until `left` are pending; with `onlyReads`, their reads alone.
void completeStores(class Cta &cta, struct Thread &thread, size_t left, bool onlyReads);
/// Completes the oldest copy: its bytes are in shared memory, and counted on its barrier.
void completeOldestCopy(class Cta &cta);
/// "1 of 8 arrivals and 16384 bytes": what the barrier's phase lacks.
std::string missingText(const Mbarrier &barrier);

} // namespace tenon::sim
