// What happened before what: the clocks of threads, Tensor Cores, TMA and the launch ahead.
#include "lib/Sim/Cta.h"

#include <algorithm>

namespace tenon::sim {

static constexpr uint32_t warpSize = 32, warpsOfGroup = 4;

Actor Cta::actor(uint32_t index) const {
  size_t row = static_cast<size_t>(index) * numActors();
  return {clusterNumber, index, &clocks[row], nullptr, &reads[row], &learnt};
}

Actor Cta::tensorCore(uint32_t warp) const {
  size_t row = static_cast<size_t>(warp) * warpSize * numActors();
  return {clusterNumber, numThreads() + warp, &fenced[row], &clocks[row], &reads[row], &learnt};
}

Actor Cta::tma(uint32_t actor) const {
  size_t row = static_cast<size_t>(running) * numActors();
  return {clusterNumber, actor, &fenced[row], &clocks[row], &reads[row], &learnt};
}

static void joinRow(std::vector<uint32_t> &into, const uint32_t *row, uint32_t begin, uint32_t end) {
  for (uint32_t each = begin; each < end; ++each)
    into[each] = std::max(into[each], row[each]);
}

void Cta::releaseFrom(uint32_t thread, uint32_t first, Known &to) {
  for (auto *row : {&to.clocks, &to.fenced, &to.reads})
    row->resize(numActors(), 0);
  joinRow(to.clocks, clocksOf(thread), first, numActors());
  joinRow(to.fenced, fencedOf(thread), first, numActors());
  joinRow(to.reads, readsOf(thread), 0, numActors());
}

void Cta::acquire(uint32_t thread, const Known &from) {
  for (uint32_t each = 0; each < numActors(); ++each) {
    clocksOf(thread)[each] = std::max(clocksOf(thread)[each], from.clocks[each]);
    fencedOf(thread)[each] = std::max(fencedOf(thread)[each], from.fenced[each]);
    readsOf(thread)[each] = std::max(readsOf(thread)[each], from.reads[each]);
  }
  startMoment(thread);
}

void Cta::joinClocks(uint32_t warp, uint32_t mask) {
  Known joined;
  for (uint32_t lane = 0; lane < warpSize; ++lane)
    if (mask >> lane & 1)
      release(warp * warpSize + lane, joined);
  for (uint32_t lane = 0; lane < warpSize; ++lane)
    if (mask >> lane & 1)
      acquire(warp * warpSize + lane, joined);
}

/// The actor's moment, and all before it, are over for the thread.
void Cta::noteEnd(uint32_t thread, uint32_t actor, uint32_t moment) {
  for (uint32_t *row : {clocksOf(thread), readsOf(thread)})
    row[actor] = std::max(row[actor], moment);
}

void Cta::fenceProxy() {
  std::copy_n(clocksOf(running), numActors(), fencedOf(running));
  startMoment(running);
}

ClocksOfClusters Cta::knownTo(uint32_t thread) const {
  const uint32_t *mine = &clocks[static_cast<size_t>(thread) * numActors()];
  ClocksOfClusters known;
  known[clusterNumber].assign(mine, mine + numActors());
  for (const Learnt &each : learnt)
    if (each.thread == thread || mine[each.thread] >= each.moment)
      join(known, each.clocks);
  return known;
}

void Cta::learn(uint32_t thread, const ClocksOfClusters &told) {
  ClocksOfClusters others;
  for (const auto &[cluster, known] : told)
    if (cluster != clusterNumber)
      others[cluster] = known;
    else
      for (uint32_t each = 0; each < numActors(); ++each)
        noteEnd(thread, each, known[each]);
  startMoment(thread);
  if (!others.empty())
    learnt.push_back({thread, moments[thread], std::move(others)});
}

void Cta::synchronise(uintptr_t address, bool releases, bool acquires, bool isRead, bool isWrite) {
  Thread &self = thread();
  auto &all = allMemory.told();
  if (auto told = all.find(address); told != all.end()) {
    if (isRead && acquires)
      learn(self.index, told->second);
    else if (isRead)
      join(self.read, told->second);
    else // it is written over
      all.erase(told);
  }
  if (isWrite && releases) {
    join(all[address], knownTo(self.index));
    startMoment(self.index);
  } else if (isWrite && hasFenced) {
    // What others of the CTA wrote ahead of fences of their own, and this thread comes after.
    ClocksOfClusters known = self.atFence;
    std::vector<uint32_t> &own = known[clusterNumber];
    own.resize(numActors(), 0);
    for (const Thread &each : threads)
      own[each.index] = std::max(own[each.index], std::min(clocksOf(self.index)[each.index], each.fenceMoment));
    join(all[address], known);
  }
}

void Cta::fence() {
  Thread &self = thread();
  learn(self.index, self.read);
  self.read.clear();
  self.atFence = knownTo(self.index);
  self.fenceMoment = moments[self.index];
  hasFenced = true;
  startMoment(self.index);
}

void Cta::awaitLaunchAhead() {
  clocksOf(running)[numActors() - 1] = 1;
  hasAwaitedLaunch = true;
}

bool Cta::isAfterLaunchAhead(const Actor &actor) const {
  return !plan.isProgrammatic || (actor.unfenced ? actor.unfenced : actor.clocks)[numActors() - 1] == 1;
}

void Cta::awaitStoreReads(const Thread &thread, uint32_t moment) {
  noteEnd(thread.index, storeActor(thread.warp), moment);
}

void Cta::commitProducts(uint32_t warp, uint32_t site) {
  ++moments[numThreads() + warp];
  if (options.trace)
    products[warp].push_back({options.trace->step(), site});
}

void Cta::joinWarpgroup(uint32_t warp, uint32_t site) {
  std::vector<uint32_t> &sites = productSites[warp / warpsOfGroup];
  size_t mine = numProducts[warp]++;
  if (mine == sites.size())
    sites.push_back(site);
  else if (sites[mine] != site)
    fault(FindingKind::Divergence,
          siteText(site) + " needs the four warps of a warpgroup; " + threadText() +
              " comes there, where another warp came to " + siteText(sites[mine]),
          site);
  uint32_t first = warp / warpsOfGroup * warpsOfGroup;
  for (uint32_t other = first; other < std::min(first + warpsOfGroup, numWarps()); ++other)
    if (numProducts[other] <= mine && threads[other * warpSize].state == ThreadState::Done)
      fault(FindingKind::Divergence,
            siteText(site) + " needs the four warps of a warpgroup; " + threadText() + " comes there, but " +
                threadText(other * warpSize, clusterNumber) + " has ended",
            site);
}

void Cta::endWarpgroup(const Thread &thread) {
  const std::vector<uint32_t> &sites = productSites[thread.warp / warpsOfGroup];
  size_t mine = numProducts[thread.warp];
  if (thread.lane != 0 || mine == sites.size())
    return;
  find(FindingKind::Divergence, sites[mine], 0, [&] {
    return siteText(sites[mine]) + " needs the four warps of a warpgroup; " + threadText() +
           " ended, where another warp came there";
  });
}

void Cta::traceProducts(uint32_t warp, uint32_t pending) {
  for (auto &groups = products[warp]; groups.size() > pending; groups.pop_front())
    options.trace->add(Trace::Kind::AsyncProduct, warp, siteText(groups.front().site), groups.front().begin);
}

void Cta::awaitProducts(Thread &lane, uint32_t pending) {
  uint32_t core = numThreads() + lane.warp, done = moments[core] - 1; // groups that were committed
  noteEnd(lane.index, core, done > pending ? done - pending : 0);
}

} // namespace tenon::sim
