// One CTA as it runs, or the CTAs of one cluster: their threads as fibers, the warps' collectives, the barriers, and
// the clocks that tell what happened before what. A thread runs until it has to wait; then the next that can goes on.
//
// Threads and warps of a cluster are numbered through, CTA by CTA; messages count them in their CTA. What is said of
// "the CTA" is about that of the current thread.
#pragma once

#include "lib/Sim/ClusterOrder.h"
#include "lib/Sim/Counts.h"
#include "lib/Sim/Fiber.h"
#include "lib/Sim/Memory.h"
#include "lib/Sim/Report.h"
#include "lib/Sim/Simulator.h"
#include "lib/Sim/Trace.h"
#include "lib/Sim/Transfers.h"

#include <array>
#include <deque>
#include <functional>
#include <random>
#include <set>
#include <vector>

namespace tenon::sim {

struct Dim3 {
  uint32_t x, y, z;
};

/// A cp.async that nobody waited for yet: its bytes are copied at the wait, as late as the hardware may.
struct AsyncCopy {
  char *destination;
  const char *source;
  uint32_t bytes, sourceBytes; ///< the rest is zeros
  uint32_t record;             ///< of AccessHistory, 0 without it
  uint32_t site;
  uint64_t begin; ///< by the trace
};

/// A register that wgmma adds to. Until its wait the kernel has a name of it in place of the value.
struct Accumulator {
  uint32_t value;        ///< its bits
  uint32_t moment, site; ///< of the group that adds last; moment 0: free
};

/// "lanes 0-3, 8" of a mask.
std::string lanesText(uint32_t mask);

enum class ThreadState : uint8_t { Ready, Waiting, Done };

struct Thread {
  Fiber fiber;
  char *stack = nullptr;                            ///< its lowest byte
  uint32_t index = 0, warp = 0, lane = 0, rank = 0; ///< rank: of its CTA in the cluster
  Dim3 id = {};
  ThreadState state = ThreadState::Ready;
  uint32_t site = 0;         ///< where it waits
  bool waitsAligned = false; ///< and needs every lane of the warp there
  int barrier = -1;          ///< that it waits at
  uint64_t mbarrier = 0;     ///< its address
  uint32_t clusterArrivals = 0, clusterWaits = 0;
  bool waitsForCluster = false;
  uint32_t registers = 0; ///< that it wants; where none of these is, it waits for lanes of its warp
  std::vector<AsyncCopy> openGroup;
  std::deque<std::vector<AsyncCopy>> groups; ///< committed, oldest first
  std::vector<Accumulator> accumulators;
  // By cluster: what it knew at its last fence, and what its relaxed atomic reads would tell it at the next.
  ClocksOfClusters atFence, read;
  uint32_t fenceMoment = 0;          ///< of that fence
  std::vector<BulkStore> openStores; ///< of TMA, without a group as yet
  std::deque<StoreGroup> stores;     ///< oldest first
};

/// What lanes of a warp do together once all have come: `arguments[lane]` is null where a lane takes no part.
using Together = void (*)(class Cta &cta, uint32_t warp, void *const *arguments, uint32_t site);

class Cta {
public:
  /// `order`: of the clusters that other threads of the host run meanwhile, or null.
  Cta(const Kernel &kernel, const Launch &launch, const Options &options, Memory &memory, StackPool &stacks,
      Report &report, Counts *counts, ClusterOrder *order);

  /// Runs the cluster of this number to its end; false after a fault that ends the launch.
  bool run(uint32_t number, void *const *arguments);

  // What device functions ask for; they are called on the fiber of the current thread.
  static Cta &current();
  Thread &thread() { return threads[running]; }
  Thread &threadAt(uint32_t index) { return threads[index]; }
  uint32_t numThreads() const { return static_cast<uint32_t>(threads.size()); }
  uint32_t warpMask(uint32_t warp) const; ///< the lanes that the warp was launched with
  uint32_t liveMask(uint32_t warp) const; ///< without those that ended
  // Of the cluster, 1 CTA where there is none, and of one CTA.
  uint32_t numCtas() const { return static_cast<uint32_t>(ctaIds.size()); }
  uint32_t threadsOfCta() const { return numThreads() / numCtas(); }
  uint32_t warpsOfCta() const { return numWarps() / numCtas(); }
  uint32_t rankOfActor(uint32_t actor) const;
  Dim3 id() const { return ctaIds[threads[running].rank]; }
  Dim3 clusterId() const { return clusterPlace; }
  Dim3 placeInCluster() const;
  const Kernel &kernel() const { return code; }
  const Launch &launch() const { return plan; }
  Memory &memory() { return allMemory; }
  bool isOnStack(uintptr_t address) const {
    return address - reinterpret_cast<uintptr_t>(threads[running].stack) < stacks.bytes();
  }
  uint32_t number() const { return clusterNumber; }
  bool tracks(FindingKind kind) const;
  bool hasShortSums() const { return options.shortSums; }
  /// Ahead of an access to what other clusters may change: what they leave there must not depend on their speed.
  void awaitTurn() {
    if (order)
      order->awaitTurn(clusterNumber);
  }
  /// Another cluster touched the same bytes, and not both atomically.
  void noteSharing() {
    if (order)
      order->giveUp();
  }
  Counts *counts() { return accessCounts; } ///< null where nobody asks for them
  Trace *trace() { return options.trace; }  ///< as counts
  Actor actor(uint32_t index) const;
  /// The Tensor Core of a warp, which reads what the warp's first lane knows to be written and fenced.
  Actor tensorCore(uint32_t warp) const;
  uint32_t momentOf(uint32_t actor) const { return moments[actor]; }

  /// The lanes of `mask` wait for each other; the last to come does `together`. Aligned ops need every lane of the warp
  /// at the same op.
  void collective(Together together, uint32_t detail, uint32_t mask, bool isAligned, void *arguments, uint32_t site);
  struct BarrierUse {
    uint32_t id, count; ///< count 0: every thread that has not ended
    bool waits, isAligned;
    int reduction; ///< -1, or nvvm's popc, and, or
    bool predicate;
  };
  /// The result of the reduction.
  uint32_t barrier(const BarrierUse &use, uint32_t site);
  /// barrier.cluster.arrive and .wait; a relaxed arrival orders no memory.
  void arriveAtCluster(bool isRelaxed, uint32_t site);
  void waitForCluster(bool isAligned, uint32_t site);
  /// A thread's access to the shared memory of another CTA, which must have started, and go on until then.
  void touchPeer(uint32_t thread, uint32_t rank, uint32_t site);
  /// Lets the other threads go on: this one may wait for what they write. When all do no more than this, the CTA hangs.
  void spin(uint32_t site);
  void noteProgress() { hasProgress = true; }

  /// setmaxnreg by the current thread, whose warp is together there: an increase waits until the others hold few
  /// enough.
  void setRegisters(uint32_t count, bool isIncrease, uint32_t site);

  Transfers &transfers() { return bulk; }
  void waitAtMbarrier(uint64_t address, uint32_t site);
  void wakeAtMbarrier(uint64_t address);

  // Clocks. Actors are the threads, the warps' Tensor Cores, TMA as it loads, TMA as it stores for each warp, what came
  // by TMA or st.async for each mbarrier (who waits at one knows nothing of the others' bytes), and the launch ahead.
  uint32_t numWarps() const { return (numThreads() + 31) / 32; }
  uint32_t numActors() const { return numThreads() + 2 * numWarps() + numLandings() + 2; }
  uint32_t tmaActor() const { return numThreads() + numWarps(); }
  uint32_t storeActor(uint32_t warp) const { return tmaActor() + 1 + warp; }
  uint32_t landingActor(uint32_t number) const { return storeActor(numWarps()) + number % numLandings(); }
  /// TMA, at work for the current thread: it knows what that thread knows to be written and fenced.
  Actor tma(uint32_t actor) const;
  /// griddepcontrol.wait of the current thread, and whether that came before what an actor does now.
  void awaitLaunchAhead();
  bool isAfterLaunchAhead(const Actor &actor) const;
  uint32_t startMomentOf(uint32_t actor) { return ++moments[actor]; }
  void release(uint32_t thread, Known &to) { releaseFrom(thread, 0, to); }
  /// Not what threads wrote: what was read, and what the Tensor Cores and TMA have done.
  void releaseReads(uint32_t thread, Known &to) { releaseFrom(thread, numThreads(), to); }
  void acquire(uint32_t thread, const Known &from);
  /// Memory order among lanes that meet: bar.warp.sync.
  void joinClocks(uint32_t warp, uint32_t mask);
  /// What the current thread knows to be written may be read by the async proxy from now on: fence.proxy.async.
  void fenceProxy();
  /// An atomic access: it tells of what its thread knows, and tells it what others told there; or, relaxed, what it
  /// knew at its last fence, and at its next fence.
  void synchronise(uintptr_t address, bool releases, bool acquires, bool isRead, bool isWrite);
  /// fence.acq_rel of all of the GPU.
  void fence();
  /// wgmma.commit_group, and wgmma.wait_group by a lane.
  void commitProducts(uint32_t warp, uint32_t site);
  /// The four warps of a warpgroup must come to the same products in the same order; ends the launch where one comes to
  /// another one.
  void joinWarpgroup(uint32_t warp, uint32_t site);
  /// Whether strides, rows and order of an operand are asked about for the first time: the descriptor but for its
  /// start.
  bool isNewDescriptor(uint64_t bits, bool isTransposed, uint32_t rows) {
    return descriptors.insert({bits >> 14, rows << 1 | uint32_t{isTransposed}}).second;
  }
  /// Where the trace ends the warp's groups, once a warp.
  void traceProducts(uint32_t warp, uint32_t pending);
  void awaitProducts(Thread &lane, uint32_t pending);
  /// cp.async.bulk.commit_group of the current thread: the moment of its stores, which ends.
  uint32_t commitStores() { return moments[storeActor(thread().warp)]++; }
  /// What this group of stores read may be written from now on.
  void awaitStoreReads(const Thread &thread, uint32_t moment);
  /// Whether the lane has waited for its warp's products of that moment.
  bool isProductDone(const Thread &lane, uint32_t moment) {
    return clocksOf(lane.index)[numThreads() + lane.warp] >= moment;
  }

  /// Ends the launch where fewer bytes are left on the current thread's stack.
  void requireStack(size_t bytes, uint32_t site);
  /// Where the address is in the guard below the running fiber's stack, ends that fiber; does not return then.
  static void leaveOverflowed(const void *address);

  /// Adds a finding, or counts it where these ops have one of that kind. `text` is called for the former alone.
  void find(FindingKind kind, uint32_t site, uint32_t other, const std::function<std::string()> &text);
  /// Once less than it was found there.
  void withdraw(FindingKind kind, uint32_t site);
  /// As find, and ends the launch when the scheduler goes on.
  void findLast(FindingKind kind, std::string text, uint32_t site) {
    report.findings.push_back({kind, std::move(text), {site, 0}});
    hasFailed = true;
  }
  /// Adds it and ends the launch; does not return.
  [[noreturn]] void fault(FindingKind kind, std::string text, uint32_t site);

  std::string siteText(uint32_t site) const;                      ///< "nvvm.barrier0 at x.mlir:3:4"
  std::string threadText(uint32_t index, uint32_t cluster) const; ///< "thread 3 of CTA (0, 0, 0)"
  std::string threadText() const { return threadText(running, clusterNumber); }
  std::string ctaText(uint32_t rank, uint32_t cluster) const; ///< "CTA (0, 0, 0)"
  std::string ctaText() const { return ctaText(threads[running].rank, clusterNumber); }
  std::string peerText(uint32_t rank) const { return ctaText(rank, clusterNumber); }

private:
  /// More mbarriers than these share them.
  uint32_t numLandings() const { return plan.maps.empty() && numCtas() == 1 ? 0 : 32; }

  struct Collective {
    Together together;
    uint32_t detail, mask, site, arrived;
    bool isAligned;
    std::array<void *, 32> arguments;
  };
  /// The barrier of the cluster.
  struct ClusterBarrier {
    uint32_t arrived = 0, phase = 0; ///< of those that have not ended; phases that are complete
    Known known, done;
  };
  struct PeerAccess {
    uint32_t thread, moment, site;
  };
  struct Barrier {
    uint32_t phase = 0, count = 0, arrived = 0, firstSite = 0;
    uint32_t numTrue = 0;
    std::vector<uint32_t> waiting;
    Known known;
  };

  static void runThread(void *self);
  void schedule();
  void wait(uint32_t site, bool isAligned, int barrier, uint32_t registers = 0);
  void leaveWaiting(uint32_t site);
  void endThread();
  void endStores(Thread &thread);
  bool completeIfAll(uint32_t warp, size_t index);
  void completeBarrier(Barrier &barrier, int reduction);
  void completeClusterBarrierIfAll();
  void endCta(uint32_t rank);
  void endWarpgroup(const Thread &thread);
  Dim3 ctaIdOf(uint32_t rank, uint32_t cluster) const;
  uint32_t inCta(const Thread &thread) const { return thread.index % threadsOfCta(); } ///< its number there
  void enter(uint32_t index);
  ClocksOfClusters knownTo(uint32_t thread) const;
  void learn(uint32_t thread, const ClocksOfClusters &told);
  std::string overflowText(uint32_t site) const;
  void checkConvergence(uint32_t site);
  void reportDeadlock(bool isLivelock);
  uint32_t registersAtLaunch() const; ///< a thread may have at most
  uint32_t registersHeld() const;     ///< by all warps, of a thread each
  std::string waitText(const Thread &thread) const;
  uint32_t *clocksOf(uint32_t thread) { return &clocks[static_cast<size_t>(thread) * numActors()]; }
  uint32_t *fencedOf(uint32_t thread) { return &fenced[static_cast<size_t>(thread) * numActors()]; }
  uint32_t *readsOf(uint32_t thread) { return &reads[static_cast<size_t>(thread) * numActors()]; }
  void startMoment(uint32_t thread) { clocksOf(thread)[thread] = readsOf(thread)[thread] = ++moments[thread]; }
  /// Reads of all actors; of the rest, of those from `first` on.
  void releaseFrom(uint32_t thread, uint32_t first, Known &to);
  void noteEnd(uint32_t thread, uint32_t actor, uint32_t moment);

  const Kernel &code;
  const Launch &plan;
  const Options &options;
  Memory &allMemory;
  StackPool &stacks;
  Report &report;
  Counts *accessCounts;
  ClusterOrder *order;

  uint32_t clusterNumber = 0, running = 0, numLive = 0;
  Dim3 clusterPlace = {};
  std::vector<Dim3> ctaIds;        ///< one a CTA
  std::vector<uint32_t> liveOfCta; ///< threads that have not ended
  ClusterBarrier clusterBarrier;
  std::vector<std::vector<PeerAccess>> peerAccesses; ///< to the shared memory of each CTA, by others
  void *const *arguments = nullptr;
  bool hasFailed = false, hasProgress = false, hasAwaitedLaunch = false, hasOverflowed = false, hasFenced = false;
  std::vector<Thread> threads;
  std::vector<std::vector<Collective>> collectives; ///< a list a warp
  std::vector<std::array<Barrier, 16>> barriers;    ///< of each CTA
  std::vector<uint32_t> warpRegisters;              ///< of a thread, one a warp
  struct ProductGroup {
    uint64_t begin;
    uint32_t site;
  };
  std::vector<std::deque<ProductGroup>> products;  ///< under way in a warp, for the trace
  std::vector<std::vector<uint32_t>> productSites; ///< of a warpgroup, in their order
  std::vector<size_t> numProducts;                 ///< of a warp, of these
  std::set<std::pair<uint64_t, uint32_t>> descriptors;
  Transfers bulk;
  std::vector<Learnt> learnt;
  std::vector<uint32_t> moments;        ///< one an actor
  std::vector<uint32_t> clocks;         ///< a row a thread, a column an actor
  std::vector<uint32_t> fenced;         ///< as clocks, for the async proxy
  std::vector<uint32_t> reads;          ///< as clocks, of reads alone
  std::vector<uint32_t> barrierResults; ///< of the last reduction, one a thread
  std::mt19937_64 random;
};

} // namespace tenon::sim
