#include "lib/Sim/Cta.h"
#include "lib/Sim/MemoryAccess.h"

#include <algorithm>
#include <cstring>

namespace tenon::sim {

static thread_local Cta *currentCta = nullptr;
static constexpr uint32_t warpSize = 32, warpsOfGroup = 4;
static constexpr int maxIdleRounds = 10000;
static constexpr size_t stackOfProducts = 112 << 10; // wgmma has a step's operands there

Cta &Cta::current() { return *currentCta; }

Cta::Cta(const Kernel &kernel, const Launch &launch, const Options &options, Memory &memory, StackPool &stacks,
         Report &report, Counts *counts, ClusterOrder *order)
    : code(kernel), plan(launch), options(options), allMemory(memory), stacks(stacks), report(report),
      accessCounts(counts), order(order) {
  auto [x, y, z] = kernel.block;
  ctaIds.resize(static_cast<size_t>(launch.cluster[0] * launch.cluster[1] * launch.cluster[2]));
  threads = std::vector<Thread>(static_cast<size_t>(x * y * z) * ctaIds.size());
  for (uint32_t index = 0; index < numThreads(); ++index) {
    Thread &thread = threads[index];
    thread.index = index;
    thread.warp = index / warpSize;
    thread.lane = index % warpSize;
    thread.rank = index / threadsOfCta();
    uint32_t number = index % threadsOfCta();
    thread.id = {static_cast<uint32_t>(number % x), static_cast<uint32_t>(number / x % y),
                 static_cast<uint32_t>(number / (x * y))};
  }
}

Dim3 Cta::placeInCluster() const {
  uint32_t rank = threads[running].rank;
  auto x = static_cast<uint32_t>(plan.cluster[0]), y = static_cast<uint32_t>(plan.cluster[1]);
  return {rank % x, rank / x % y, rank / (x * y)};
}

uint32_t Cta::rankOfActor(uint32_t actor) const {
  if (actor < numThreads())
    return threads[actor].rank;
  if (actor == tmaActor() || actor >= storeActor(numWarps()))
    return 0;
  uint32_t warp = actor < tmaActor() ? actor - numThreads() : actor - storeActor(0);
  return std::min(warp / warpsOfCta(), numCtas() - 1);
}

Dim3 Cta::ctaIdOf(uint32_t rank, uint32_t cluster) const {
  std::array<uint32_t, 3> of, clusters;
  for (size_t axis = 0; axis < 3; ++axis) {
    of[axis] = static_cast<uint32_t>(plan.cluster[axis]);
    clusters[axis] = static_cast<uint32_t>(plan.grid[axis]) / of[axis];
  }
  return {cluster % clusters[0] * of[0] + rank % of[0],
          cluster / clusters[0] % clusters[1] * of[1] + rank / of[0] % of[1],
          cluster / (clusters[0] * clusters[1]) * of[2] + rank / (of[0] * of[1])};
}

bool Cta::tracks(FindingKind kind) const {
  return kind == FindingKind::Uninitialised ? options.uninitialised : options.races;
}

uint32_t Cta::warpMask(uint32_t warp) const {
  uint32_t lanes = std::min(warpSize, numThreads() - warp * warpSize);
  return lanes == warpSize ? ~0U : (1U << lanes) - 1;
}

uint32_t Cta::liveMask(uint32_t warp) const {
  uint32_t mask = 0;
  for (uint32_t lane = 0; lane < warpSize && warp * warpSize + lane < numThreads(); ++lane)
    mask |= uint32_t{threads[warp * warpSize + lane].state != ThreadState::Done} << lane;
  return mask;
}

void Cta::runThread(void *self) {
  auto &cta = *static_cast<Cta *>(self);
  cta.code.entry(cta.arguments);
  cta.endThread();
  cta.thread().fiber.leave();
}

bool Cta::run(uint32_t number, void *const *kernelArguments) {
  clusterNumber = number;
  for (uint32_t rank = 0; rank < numCtas(); ++rank)
    ctaIds[rank] = ctaIdOf(rank, number);
  clusterPlace = {ctaIds[0].x / static_cast<uint32_t>(plan.cluster[0]),
                  ctaIds[0].y / static_cast<uint32_t>(plan.cluster[1]),
                  ctaIds[0].z / static_cast<uint32_t>(plan.cluster[2])};
  liveOfCta.assign(numCtas(), threadsOfCta());
  peerAccesses.assign(numCtas(), {});
  clusterBarrier = {};
  arguments = kernelArguments;
  numLive = numThreads();
  hasFailed = hasAwaitedLaunch = hasFenced = false;
  random.seed(options.seed + number);
  allMemory.resetShared();
  collectives.assign((numThreads() + warpSize - 1) / warpSize, {});
  barriers.assign(numCtas(), {});
  bulk = {};
  warpRegisters.assign(numWarps(), registersAtLaunch());
  products.assign(numWarps(), {});
  productSites.assign(numWarps() / warpsOfGroup + 1, {});
  numProducts.assign(numWarps(), 0);
  moments.assign(numActors(), 0);
  clocks.assign(static_cast<size_t>(numThreads()) * numActors(), 0);
  fenced.assign(clocks.size(), 0);
  reads.assign(clocks.size(), 0);
  barrierResults.assign(numThreads(), 0);
  learnt.clear();
  for (uint32_t actor = numThreads(); actor < numActors(); ++actor)
    moments[actor] = 1;
  for (Thread &thread : threads) {
    char *stack = stacks.stack(thread.index);
    if (!stack) {
      find(FindingKind::Misuse, 0, 0, [] { return "this machine has no memory for the threads' stacks"; });
      return false;
    }
    thread.stack = stack;
    thread.state = ThreadState::Ready;
    thread.openGroup.clear();
    thread.groups.clear();
    thread.accumulators.clear();
    thread.openStores.clear();
    thread.stores.clear();
    thread.clusterArrivals = thread.clusterWaits = 0;
    thread.atFence.clear();
    thread.read.clear();
    thread.fenceMoment = 0;
    thread.site = 0;
    startMoment(thread.index);
    thread.fiber.prepare(stack, stacks.bytes(), runThread, this);
  }
  if (options.trace)
    for (uint32_t rank = 0; rank < numCtas(); ++rank)
      options.trace->beginCta(code.name + ", " + peerText(rank), rank, warpsOfCta());
  Cta *outer = currentCta;
  currentCta = this;
  schedule();
  currentCta = outer;
  if (accessCounts)
    accessCounts->endCta();
  if (plan.isProgrammatic && !hasFailed && !hasAwaitedLaunch)
    find(FindingKind::Race, 0, 0, [&] {
      return peerText(0) +
             " ended without griddepcontrol.wait, in a launch that may start while the one ahead runs: a later "
             "launch takes its end for the end of both";
    });
  return !hasFailed;
}

/// Seed 0: threads as they are numbered, in rounds. Of the others a third each: threads at random; warps by priority,
/// the first of which goes on as long as it can; and that with copies that arrive at any moment, as they do for threads
/// at random, not as late as may be. Every other priority is a warpgroup's, as roles have, of unlike speed.
void Cta::schedule() {
  bool isRandom = options.seed % 3 == 1, hasPriorities = options.seed != 0 && !isRandom;
  bool arriveAnytime = options.seed != 0 && options.seed % 3 != 2;
  std::vector<uint32_t> order(numThreads());
  for (uint32_t index = 0; index < numThreads(); ++index)
    order[index] = index;
  if (hasPriorities) {
    std::vector<uint64_t> priorities(numWarps());
    bool isOfRoles = options.seed / 3 % 2 == 0;
    for (uint32_t warp = 0; warp < numWarps(); ++warp)
      priorities[warp] = isOfRoles && warp % warpsOfGroup != 0 ? priorities[warp - 1] : random();
    std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
      return std::pair(priorities[a / warpSize], a) < std::pair(priorities[b / warpSize], b);
    });
  }
  int idleRounds = 0;
  while (numLive > 0) {
    if (isRandom)
      std::shuffle(order.begin(), order.end(), random);
    bool hasRun = false;
    hasProgress = false;
    for (size_t place = 0; place < order.size(); ++place) {
      if (threads[order[place]].state != ThreadState::Ready)
        continue;
      hasRun = true;
      enter(order[place]);
      if (hasFailed)
        return;
      // What it made ready in warps ahead of it runs first, and its own warp again, unless all they do is spin.
      if (hasPriorities && hasProgress && threads[running].state != ThreadState::Ready &&
          (place + 1 == order.size() || order[place + 1] / warpSize != running / warpSize))
        break;
    }
    if (!bulk.copies.empty() && (!hasRun || (arriveAnytime && random() % 4 == 0))) {
      completeOldestCopy(*this);
      if (hasFailed)
        return;
      continue;
    }
    idleRounds = hasProgress ? 0 : idleRounds + 1;
    if (!hasRun || idleRounds == maxIdleRounds) {
      reportDeadlock(hasRun);
      hasFailed = true;
      return;
    }
  }
}

void Cta::enter(uint32_t index) {
  running = index;
  allMemory.setCurrent(threads[index].rank);
  ++report.numSwitches;
  threads[index].fiber.enter();
  if (!hasOverflowed)
    return;
  hasOverflowed = false;
  hasFailed = true;
  uint32_t site = threads[index].site;
  find(FindingKind::StackOverflow, site, 0, [&] { return overflowText(site); });
}

void Cta::leaveOverflowed(const void *address) {
  Cta *cta = currentCta;
  auto at = reinterpret_cast<uintptr_t>(address);
  if (!cta || reinterpret_cast<uintptr_t>(cta->thread().stack) - at - 1 >= cta->stacks.guardBytes())
    return;
  cta->hasOverflowed = true;
  cta->thread().state = ThreadState::Done;
  cta->thread().fiber.abandon();
}

void Cta::wait(uint32_t site, bool isAligned, int barrier, uint32_t registers) {
  Thread &self = thread();
  self.state = ThreadState::Waiting;
  self.site = site;
  self.waitsAligned = isAligned;
  self.barrier = barrier;
  self.mbarrier = 0;
  self.registers = registers;
  leaveWaiting(site);
}

/// Until it is ready again.
void Cta::leaveWaiting(uint32_t site) {
  Thread &self = thread();
  uint64_t begin = options.trace ? options.trace->step() : 0;
  self.fiber.leave();
  if (options.trace)
    options.trace->add(Trace::Kind::Wait, self.warp, siteText(site), begin);
}

void Cta::waitAtMbarrier(uint64_t address, uint32_t site) {
  Thread &self = thread();
  hasProgress = true;
  self.state = ThreadState::Waiting;
  self.site = site;
  self.waitsAligned = false;
  self.barrier = -1;
  self.registers = 0;
  self.mbarrier = address;
  leaveWaiting(site);
}

void Cta::wakeAtMbarrier(uint64_t address) {
  for (Thread &thread : threads)
    if (thread.state == ThreadState::Waiting && thread.mbarrier == address) {
      thread.state = ThreadState::Ready;
      thread.mbarrier = 0;
    }
}

void Cta::spin(uint32_t site) {
  thread().site = site;
  thread().fiber.leave();
}

/// Aligned ops: no lane of the warp may wait at another one, or have ended.
void Cta::checkConvergence(uint32_t site) {
  uint32_t warp = thread().warp, live = liveMask(warp), first = warp * warpSize;
  if (uint32_t ended = warpMask(warp) & ~live)
    fault(FindingKind::Divergence,
          siteText(site) + " needs every lane of the warp; " + threadText() + " comes there, but " + lanesText(ended) +
              " of its warp ended",
          site);
  for (uint32_t lane = 0; lane < warpSize && first + lane < numThreads(); ++lane) {
    const Thread &other = threads[first + lane];
    if (other.state == ThreadState::Waiting && other.waitsAligned && other.site != site)
      fault(FindingKind::Divergence,
            siteText(site) + " needs every lane of the warp; " + threadText() + " comes there while thread " +
                std::to_string(inCta(other)) + " of the same warp waits at " + siteText(other.site),
            site);
  }
}

void Cta::collective(Together together, uint32_t detail, uint32_t mask, bool isAligned, void *argument, uint32_t site) {
  Thread &self = thread();
  hasProgress = true;
  requireStack(stackOfProducts, site);
  if (isAligned)
    checkConvergence(site);
  else if (!(mask >> self.lane & 1))
    fault(FindingKind::Misuse,
          threadText() + " executes " + siteText(site) + ", whose mask leaves its lane " + std::to_string(self.lane) +
              " out",
          site);
  auto &pending = collectives[self.warp];
  auto mine = std::find_if(pending.begin(), pending.end(), [&](const Collective &each) {
    return each.together == together && each.detail == detail && each.mask == mask &&
           (!isAligned || each.site == site) && !(each.arrived >> self.lane & 1);
  });
  if (mine == pending.end())
    mine = pending.insert(pending.end(), {together, detail, mask, site, 0, isAligned, {}});
  mine->arrived |= 1U << self.lane;
  mine->arguments[self.lane] = argument;
  if (!completeIfAll(self.warp, static_cast<size_t>(mine - pending.begin())))
    wait(site, isAligned, -1);
}

bool Cta::completeIfAll(uint32_t warp, size_t index) {
  Collective &meeting = collectives[warp][index];
  uint32_t needed = meeting.isAligned ? meeting.mask : meeting.mask & liveMask(warp);
  if (meeting.arrived != needed)
    return false;
  Collective done = meeting;
  collectives[warp].erase(collectives[warp].begin() + static_cast<std::ptrdiff_t>(index));
  done.together(*this, warp, done.arguments.data(), done.site);
  for (uint32_t lane = 0; lane < warpSize; ++lane)
    if (done.arrived >> lane & 1)
      threads[warp * warpSize + lane].state = ThreadState::Ready;
  return true;
}

void Cta::endThread() {
  hasProgress = true;
  Thread &self = thread();
  completeCopies(*this, self, 0, /*withOpen=*/true);
  endStores(self);
  endWarpgroup(self);
  self.state = ThreadState::Done;
  --numLive;
  --liveOfCta[self.rank];
  uint32_t first = self.warp * warpSize;
  for (uint32_t lane = 0; lane < warpSize && first + lane < numThreads(); ++lane) {
    const Thread &other = threads[first + lane];
    if (other.state == ThreadState::Waiting && other.waitsAligned) {
      find(FindingKind::Divergence, other.site, 0, [&] {
        return siteText(other.site) + " needs every lane of the warp; " + threadText() + " ended while thread " +
               std::to_string(inCta(other)) + " of the same warp waits there";
      });
      hasFailed = true;
      return;
    }
  }
  for (size_t index = collectives[self.warp].size(); index-- > 0;)
    if (!collectives[self.warp][index].isAligned)
      completeIfAll(self.warp, index);
  for (Barrier &barrier : barriers[self.rank])
    if (barrier.arrived > 0 && barrier.count == 0 && barrier.arrived == liveOfCta[self.rank])
      completeBarrier(barrier, -1);
  if (self.clusterArrivals > clusterBarrier.phase) // it counts no more
    --clusterBarrier.arrived;
  completeClusterBarrierIfAll();
  if (liveOfCta[self.rank] == 0)
    endCta(self.rank);
}

/// What others do in its shared memory must be over: from now on that is another CTA's.
void Cta::endCta(uint32_t rank) {
  for (const BulkCopy &copy : bulk.copies)
    if (copy.rank == rank)
      find(FindingKind::AsyncCopy, copy.site, 0, [&] {
        return siteText(copy.site) + " still writes to shared memory when " + peerText(rank) + " has ended";
      });
  Known known;
  for (uint32_t index = rank * threadsOfCta(); index < (rank + 1) * threadsOfCta(); ++index)
    release(index, known);
  for (const PeerAccess &access : peerAccesses[rank])
    if (options.races && known.reads[access.thread] < access.moment)
      find(FindingKind::Race, access.site, 0, [&] {
        return threadText(access.thread, clusterNumber) + " touches the shared memory of " + peerText(rank) + " by " +
               siteText(access.site) + ", and that CTA may have ended: it waits for nothing that comes after";
      });
}

/// Nobody can wait for the stores of a thread that ended, so they may still read when the CTA's memory is another's.
void Cta::endStores(Thread &thread) {
  auto tell = [&](const BulkStore &store, const char *why) {
    find(FindingKind::AsyncCopy, store.site, 0, [&] {
      return siteText(store.site) + " of " + threadText() + " still reads shared memory when that thread ends; " + why;
    });
  };
  for (const StoreGroup &group : thread.stores)
    if (!group.isRead)
      tell(group.stores.front(), "expected a wait for its group, of the reads at least");
  for (const BulkStore &store : thread.openStores)
    tell(store, "it is in no group: a commit is missing");
  if (!thread.openStores.empty())
    thread.stores.push_back({std::move(thread.openStores), commitStores(), false});
  completeStores(*this, thread, 0, /*onlyReads=*/false);
}

} // namespace tenon::sim
