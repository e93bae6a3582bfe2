// What happened before what: the clocks of threads, Tensor Cores, TMA and the launch ahead.
#include "lib/Sim/Cta.h"

#include <algorithm>

namespace tenon::sim {

static constexpr uint32_t warpSize = 32;

void Cta::release(uint32_t thread, std::vector<uint32_t> &toClocks, std::vector<uint32_t> &toFenced) {
  toClocks.resize(numActors(), 0);
  toFenced.resize(numActors(), 0);
  for (uint32_t each = 0; each < numActors(); ++each) {
    toClocks[each] = std::max(toClocks[each], clocksOf(thread)[each]);
    toFenced[each] = std::max(toFenced[each], fencedOf(thread)[each]);
  }
}

void Cta::acquire(uint32_t thread, const std::vector<uint32_t> &fromClocks, const std::vector<uint32_t> &fromFenced) {
  for (uint32_t each = 0; each < numActors(); ++each) {
    clocksOf(thread)[each] = std::max(clocksOf(thread)[each], fromClocks[each]);
    fencedOf(thread)[each] = std::max(fencedOf(thread)[each], fromFenced[each]);
  }
  startMoment(thread);
}

void Cta::joinClocks(uint32_t warp, uint32_t mask) {
  std::vector<uint32_t> joined, joinedFenced;
  for (uint32_t lane = 0; lane < warpSize; ++lane)
    if (mask >> lane & 1)
      release(warp * warpSize + lane, joined, joinedFenced);
  for (uint32_t lane = 0; lane < warpSize; ++lane)
    if (mask >> lane & 1)
      acquire(warp * warpSize + lane, joined, joinedFenced);
}

void Cta::fenceProxy() {
  std::copy_n(clocksOf(running), numActors(), fencedOf(running));
  startMoment(running);
}

void Cta::awaitLaunchAhead() {
  clocksOf(running)[numActors() - 1] = 1;
  hasAwaitedLaunch = true;
}

bool Cta::isAfterLaunchAhead(const Actor &actor) const {
  return !plan.isProgrammatic || (actor.unfenced ? actor.unfenced : actor.clocks)[numActors() - 1] == 1;
}

void Cta::awaitStoreReads(const Thread &thread, uint32_t moment) {
  uint32_t &known = clocksOf(thread.index)[storeActor(thread.warp)];
  known = std::max(known, moment);
}

void Cta::commitProducts(uint32_t warp, uint32_t site) {
  ++moments[numThreads() + warp];
  if (options.trace)
    products[warp].push_back({options.trace->step(), site});
}

void Cta::traceProducts(uint32_t warp, uint32_t pending) {
  for (auto &groups = products[warp]; groups.size() > pending; groups.pop_front())
    options.trace->add(Trace::Kind::AsyncProduct, warp, siteText(groups.front().site), groups.front().begin);
}

void Cta::awaitProducts(Thread &lane, uint32_t pending) {
  uint32_t core = numThreads() + lane.warp, done = moments[core] - 1; // groups that were committed
  uint32_t &known = clocksOf(lane.index)[core];
  known = std::max(known, done > pending ? done - pending : 0);
}

} // namespace tenon::sim
