// Who touched each byte last, and whether a new access is ordered after it.
//
// Every thread has a vector clock: clocks[u] is the latest moment of thread u that happened before its own now. A
// moment of u passes whenever u releases (a barrier, a warp sync), and whoever acquires takes the maximum. So an
// earlier access of u at moment c happened before an access of t if t's clocks[u] >= c, else nothing orders the two.
// (FastTrack, Flanagan and Freund 2009, with lists of concurrent reads.)
//
// What is written by threads (the generic proxy) and read by wgmma (the async proxy) needs a fence besides. Each actor
// has a second row of clocks for what came before a fence of its own, or before one that happened before its now.
//
// A third row is of reads alone: an arrival at the mbarrier of a peer tells that CTA what was read, so that it may be
// written again, and not what was written, unless its scope is the cluster.
//
// Clusters know nothing of each other but by atomic accesses that release and acquire.
//
// Bytes under an asynchronous copy belong to it from its issue to its wait: nobody may touch them. Who comes after the
// issue, and not after the wait, lacks that wait; who comes after neither lacks order, which is a race. Nobody comes
// after an issue of TMA but by the wait for its bytes.
//
// A read of what nobody has written is a race too once an unordered write comes to these bytes, and no longer counts as
// uninitialised.
//
// Four bytes share what is known of them until an access touches only some: then each has its own.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <vector>

namespace tenon::sim {

/// Moments of the actors of a cluster, as one that releases leaves them for those that acquire.
struct Known {
  std::vector<uint32_t> clocks, fenced, reads; ///< in general, for the async proxy, and of reads alone
};

/// What a thread learnt of other clusters by an atomic access: their threads' moments, by cluster. Whoever knows that
/// moment of the thread knows it too.
struct Learnt {
  uint32_t thread, moment;
  std::map<uint32_t, std::vector<uint32_t>> clocks;
};

/// Who accesses: a thread, or after them the Tensor Core of a warp (wgmma), then TMA.
struct Actor {
  uint32_t cta = 0, thread = 0;
  const uint32_t *clocks = nullptr; ///< one an actor of the CTA
  /// The clocks but for the fence between proxies: what is ordered by these alone lacks a fence.proxy.async.
  const uint32_t *unfenced = nullptr;
  const uint32_t *reads = nullptr;             ///< what was read before, which needs no fence to be written
  const std::vector<Learnt> *learnt = nullptr; ///< in its cluster
};

enum class Copy : uint8_t { None, OfThread, Load, Store }; ///< cp.async, or TMA's

struct Access {
  uint32_t cta, thread, moment, site;
  uint64_t first; ///< offset in the allocation
  uint32_t bytes;
  bool isWrite, isAtomic, isUpdate; ///< an update is a write that reads first
  Copy copy = Copy::None;
  uint32_t issue = 0;       ///< of a copy: the record of when it began
  bool isUnwritten = false; ///< a read of what nobody had written
};

/// WrittenLate: `other`, which was told as uninitialised, is a race with this write.
enum class Conflict { Race, MissingFence, AsyncCopy, Uninitialised, WrittenLate };

class AccessHistory {
public:
  /// `other` is null for an uninitialised read; `at` is the first byte concerned.
  using Found = std::function<void(Conflict conflict, const Access &mine, const Access *other, uint64_t at)>;

  /// `bytes` bytes, of which the first `initialised` count as written before the launch.
  void reset(int64_t bytes, int64_t initialised);
  bool isTracked() const { return !words.empty(); }

  void access(const Access &access, const Actor &actor, const Found &found);
  /// The copy owns the bytes until complete() with what this returns.
  uint32_t beginCopy(const Access &access, const Actor &actor, const Found &found);
  /// The bytes count as written at that moment of the thread, or other actor.
  void completeCopy(uint32_t copy, uint32_t thread, uint32_t moment);

private:
  struct Cell {
    uint32_t write = 0, reads = 0, copy = 0;           // records; heads of lists
    uint32_t numReads = 0, mostReads = firstMostReads; // of the list, and when it is looked through
  };
  using Split = std::array<Cell, 4>;
  struct Read {
    uint32_t record, next;
  };
  static constexpr uint32_t beforeLaunch = 1, firstMostReads = 8;
  static constexpr uint64_t wordBytes = 4;

  uint32_t record(const Access &access);
  Conflict conflictWith(uint32_t write, bool isUnderWay, const Access &mine, const Actor &actor) const;
  bool isOrdered(uint32_t earlier, const Access &mine, const Actor &actor, const uint32_t *clocks) const;
  void read(Cell &cell, uint32_t mine, const Actor &actor);
  void addRead(Cell &cell, uint32_t mine);
  void dropReads(Cell &cell, const Actor *after);
  Split &split(uint64_t word);
  /// visit(cell, its first byte) for all that have some of the bytes.
  template <typename Visit>
  void forEachCell(uint64_t first, uint64_t bytes, Visit &&visit);

  std::vector<Cell> words;
  std::vector<uint32_t> splitOf; ///< of a word: 0, or 1 + its index in `splits`
  std::vector<Split> splits;
  std::vector<Access> records;
  std::vector<Read> readNodes;
  uint32_t freeReads = 0;
};

} // namespace tenon::sim
