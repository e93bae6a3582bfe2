// The sixteen barriers of a CTA, and the one of its cluster.
#include "lib/Sim/Cta.h"

#include <algorithm>
#include <utility>

namespace tenon::sim {

static constexpr uint32_t warpSize = 32;

uint32_t Cta::barrier(const BarrierUse &use, uint32_t site) {
  hasProgress = true;
  Thread &self = thread();
  if (use.id >= barriers[self.rank].size())
    fault(FindingKind::Misuse,
          threadText() + " executes " + siteText(site) + " with barrier " + std::to_string(use.id) +
              "; a CTA has barriers 0 to 15",
          site);
  if (use.count % warpSize != 0 || use.count > warpsOfCta() * warpSize)
    fault(FindingKind::Misuse,
          threadText() + " executes " + siteText(site) + " for " + std::to_string(use.count) +
              " threads; expected a multiple of 32 up to the CTA's " + std::to_string(threadsOfCta()),
          site);
  Barrier &barrier = barriers[self.rank][use.id];
  if (barrier.arrived > 0 && barrier.count != use.count)
    fault(FindingKind::Misuse,
          threadText() + " comes to barrier " + std::to_string(use.id) + " at " + siteText(site) + " for " +
              std::to_string(use.count) + " threads, where others came for " + std::to_string(barrier.count) +
              " (0: all of the CTA)",
          site);
  if (use.isAligned)
    checkConvergence(site);
  barrier.count = use.count;
  ++barrier.arrived;
  barrier.numTrue += use.predicate ? 1 : 0;
  release(self.index, barrier.known);
  if (use.waits)
    barrier.waiting.push_back(self.index);
  else
    startMoment(self.index);
  if (barrier.arrived == (use.count ? use.count : liveOfCta[self.rank]))
    completeBarrier(barrier, use.reduction);
  else if (use.waits)
    wait(site, use.isAligned, static_cast<int>(use.id));
  return barrierResults[self.index];
}

void Cta::completeBarrier(Barrier &barrier, int reduction) {
  uint32_t results[] = {barrier.numTrue, barrier.numTrue == barrier.arrived, barrier.numTrue > 0};
  for (uint32_t index : barrier.waiting) {
    acquire(index, barrier.known);
    threads[index].state = ThreadState::Ready;
    barrierResults[index] = reduction >= 0 ? results[reduction] : 0;
  }
  uint32_t next = barrier.phase + 1;
  barrier = Barrier();
  barrier.phase = next;
}

void Cta::arriveAtCluster(bool isRelaxed, uint32_t site) {
  hasProgress = true;
  Thread &self = thread();
  if (self.clusterArrivals != self.clusterWaits)
    fault(FindingKind::Misuse,
          threadText() + " arrives by " + siteText(site) +
              " at the barrier of its cluster once more, without a wait in between",
          site);
  ++self.clusterArrivals;
  ++clusterBarrier.arrived;
  if (!isRelaxed)
    release(self.index, clusterBarrier.known);
  for (auto &[address, barrier] : bulk.barriers)
    if (barrier.initThread == self.index && barrier.isFenced && barrier.clusterPhase == 0)
      barrier.clusterPhase = self.clusterArrivals;
  startMoment(self.index);
  completeClusterBarrierIfAll();
}

void Cta::waitForCluster(bool isAligned, uint32_t site) {
  hasProgress = true;
  Thread &self = thread();
  if (self.clusterArrivals == self.clusterWaits)
    fault(FindingKind::Misuse,
          threadText() + " waits by " + siteText(site) + " at the barrier of its cluster, at which it has not arrived",
          site);
  if (isAligned)
    checkConvergence(site);
  ++self.clusterWaits;
  if (clusterBarrier.phase < self.clusterWaits) {
    self.waitsForCluster = true;
    wait(site, isAligned, -1);
    self.waitsForCluster = false;
  }
  if (!clusterBarrier.done.clocks.empty())
    acquire(self.index, clusterBarrier.done);
}

/// All that have not ended; nobody can arrive twice in a phase.
void Cta::completeClusterBarrierIfAll() {
  ClusterBarrier &barrier = clusterBarrier;
  if (barrier.arrived == 0 || barrier.arrived != numLive)
    return;
  ++barrier.phase;
  barrier.arrived = 0;
  barrier.done = std::exchange(barrier.known, Known());
  for (Thread &each : threads)
    if (each.waitsForCluster)
      each.state = ThreadState::Ready;
}

void Cta::touchPeer(uint32_t thread, uint32_t rank, uint32_t site) {
  if (!options.races)
    return;
  const uint32_t *known = readsOf(thread); // what tells the least tells that
  uint32_t first = rank * threadsOfCta(), last = first + threadsOfCta();
  bool knowsStart = threads[thread].clusterWaits > 0 ||
                    std::any_of(known + first, known + last, [](uint32_t moment) { return moment > 0; });
  if (!knowsStart || liveOfCta[rank] == 0)
    find(FindingKind::Race, site, 0, [&] {
      return threadText(thread, clusterNumber) + " touches the shared memory of " + peerText(rank) + " by " +
             siteText(site) +
             (knowsStart ? ", and that CTA has ended" : ", and nothing says that that CTA has started");
    });
  for (PeerAccess &access : peerAccesses[rank])
    if (access.thread == thread && access.site == site) {
      access.moment = moments[thread];
      return;
    }
  peerAccesses[rank].push_back({thread, moments[thread], site});
}

} // namespace tenon::sim
