#include "lib/Sim/Cta.h"
#include "lib/Sim/MemoryAccess.h"

#include <algorithm>
#include <cstring>

namespace tenon::sim {

static thread_local Cta *currentCta = nullptr;
static constexpr uint32_t warpSize = 32;
static constexpr int maxIdleRounds = 10000;
static constexpr size_t maxFindings = 64;

/// "0-31, 64" of ascending numbers.
static std::string rangesText(const std::vector<uint32_t> &numbers) {
  std::string text;
  for (size_t first = 0, last; first < numbers.size(); first = last + 1) {
    for (last = first; last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1;)
      ++last;
    text += (text.empty() ? "" : ", ") + std::to_string(numbers[first]);
    if (last > first)
      text += "-" + std::to_string(numbers[last]);
  }
  return text;
}

static std::string lanesText(uint32_t mask) {
  std::vector<uint32_t> lanes;
  for (uint32_t lane = 0; lane < warpSize; ++lane)
    if (mask >> lane & 1)
      lanes.push_back(lane);
  return (lanes.size() == 1 ? "lane " : "lanes ") + rangesText(lanes);
}

Cta &Cta::current() { return *currentCta; }

Cta::Cta(const Kernel &kernel, const Launch &launch, const Options &options, Memory &memory, StackPool &stacks,
         Report &report, Counts *counts)
    : code(kernel), plan(launch), options(options), allMemory(memory), stacks(stacks), report(report),
      accessCounts(counts) {
  auto [x, y, z] = kernel.block;
  threads = std::vector<Thread>(static_cast<size_t>(x * y * z));
  for (uint32_t index = 0; index < numThreads(); ++index) {
    Thread &thread = threads[index];
    thread.index = index;
    thread.warp = index / warpSize;
    thread.lane = index % warpSize;
    thread.id = {static_cast<uint32_t>(index % x), static_cast<uint32_t>(index / x % y),
                 static_cast<uint32_t>(index / (x * y))};
  }
}

bool Cta::tracks(FindingKind kind) const {
  return kind == FindingKind::Uninitialised ? options.uninitialised : options.races;
}

Actor Cta::actor(uint32_t index) const { return {ctaNumber, index, &clocks[static_cast<size_t>(index) * numActors()]}; }

Actor Cta::tensorCore(uint32_t warp) const {
  size_t row = static_cast<size_t>(warp) * warpSize * numActors();
  return {ctaNumber, numThreads() + warp, &fenced[row], &clocks[row]};
}

Actor Cta::tma(uint32_t actor) const {
  size_t row = static_cast<size_t>(running) * numActors();
  return {ctaNumber, actor, &fenced[row], &clocks[row]};
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

std::string Cta::siteText(uint32_t site) const {
  const std::vector<Site> &sites = *code.sites;
  if (site >= sites.size())
    return "an unknown op";
  return sites[site].op + " at " + sites[site].location;
}

std::string Cta::threadText(uint32_t index, uint32_t cta) const {
  std::string who = index < numThreads() ? "thread " + std::to_string(index)
                    : index < tmaActor() ? "the Tensor Core of warp " + std::to_string(index - numThreads())
                                         : "TMA";
  return who + " of " + ctaText(cta);
}

std::string Cta::ctaText(uint32_t cta) const {
  auto [x, y, z] = plan.grid;
  return "CTA (" + std::to_string(cta % x) + ", " + std::to_string(cta / x % y) + ", " + std::to_string(cta / (x * y)) +
         ")";
}

void Cta::find(FindingKind kind, uint32_t site, uint32_t other, const std::function<std::string()> &text) {
  for (const Finding &finding : report.findings)
    if (finding.kind == kind && finding.sites == std::array<uint32_t, 2>{site, other}) {
      ++report.numRepeats;
      return;
    }
  if (report.findings.size() == maxFindings)
    ++report.numRepeats;
  else
    report.findings.push_back({kind, text(), {site, other}});
}

void Cta::fault(FindingKind kind, std::string text, uint32_t site) {
  report.findings.push_back({kind, std::move(text), {site, 0}});
  hasFailed = true;
  thread().state = ThreadState::Done;
  thread().fiber.leave();
  std::abort(); // nobody enters it again
}

void Cta::runThread(void *self) {
  auto &cta = *static_cast<Cta *>(self);
  cta.code.entry(cta.arguments);
  cta.endThread();
  cta.thread().fiber.leave();
}

bool Cta::run(uint32_t number, void *const *kernelArguments) {
  auto [x, y, z] = plan.grid;
  ctaNumber = number;
  ctaId = {static_cast<uint32_t>(number % x), static_cast<uint32_t>(number / x % y),
           static_cast<uint32_t>(number / (x * y))};
  arguments = kernelArguments;
  numLive = numThreads();
  hasFailed = hasAwaitedLaunch = false;
  random.seed(options.seed + number);
  allMemory.resetShared();
  collectives.assign((numThreads() + warpSize - 1) / warpSize, {});
  barriers = {};
  bulk = {};
  warpRegisters.assign(numWarps(), registersAtLaunch());
  products.assign(numWarps(), {});
  moments.assign(numActors(), 0);
  clocks.assign(static_cast<size_t>(numThreads()) * numActors(), 0);
  fenced.assign(clocks.size(), 0);
  barrierResults.assign(numThreads(), 0);
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
    startMoment(thread.index);
    thread.fiber.prepare(stack, stacks.bytes(), runThread, this);
  }
  if (options.trace)
    options.trace->beginCta(code.name + ", " + ctaText());
  Cta *outer = currentCta;
  currentCta = this;
  schedule();
  currentCta = outer;
  if (accessCounts)
    accessCounts->endCta();
  for (const BulkCopy &copy : bulk.copies)
    if (!hasFailed)
      find(FindingKind::AsyncCopy, copy.site, 0,
           [&] { return siteText(copy.site) + " still writes to shared memory when " + ctaText() + " has ended"; });
  if (plan.isProgrammatic && !hasFailed && !hasAwaitedLaunch)
    find(FindingKind::Race, 0, 0, [&] {
      return ctaText() +
             " ended without griddepcontrol.wait, in a launch that may start while the one ahead runs: a later "
             "launch takes its end for the end of both";
    });
  return !hasFailed;
}

/// Seed 0: threads as they are numbered, in rounds. Of the others a third each: threads at random; warps by priority,
/// the first of which goes on as long as it can, as roles of unlike speed do; and that with copies that arrive at any
/// moment, as they do for threads at random, not as late as may be.
void Cta::schedule() {
  bool isRandom = options.seed % 3 == 1, hasPriorities = options.seed != 0 && !isRandom;
  bool arriveAnytime = options.seed != 0 && options.seed % 3 != 2;
  std::vector<uint32_t> order(numThreads());
  for (uint32_t index = 0; index < numThreads(); ++index)
    order[index] = index;
  if (hasPriorities) {
    std::vector<uint64_t> priorities(numWarps());
    for (uint64_t &priority : priorities)
      priority = random();
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
      running = order[place];
      ++report.numSwitches;
      threads[running].fiber.enter();
      if (hasFailed)
        return;
      // What it made ready in warps ahead of it runs first, and its own warp again, unless all they do is spin.
      if (hasPriorities && hasProgress && threads[running].state != ThreadState::Ready &&
          (place + 1 == order.size() || order[place + 1] / warpSize != running / warpSize))
        break;
    }
    if (!bulk.copies.empty() && (!hasRun || (arriveAnytime && random() % 4 == 0))) {
      completeOldestCopy(*this);
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

uint32_t Cta::registersAtLaunch() const {
  constexpr uint32_t ofMultiprocessor = 65536, mostOfThread = 255, granularity = 8;
  return std::min(mostOfThread, ofMultiprocessor / (numWarps() * warpSize)) / granularity * granularity;
}

uint32_t Cta::registersHeld() const {
  uint32_t held = 0;
  for (uint32_t count : warpRegisters)
    held += count;
  return held;
}

void Cta::setRegisters(uint32_t count, bool isIncrease, uint32_t site) {
  hasProgress = true;
  Thread &self = thread();
  uint32_t &mine = warpRegisters[self.warp];
  if (isIncrease ? count < mine && mine != registersAtLaunch() : count > mine)
    fault(FindingKind::Misuse,
          threadText() + " executes " + siteText(site) + " with " + std::to_string(count) +
              " registers; its warp has " + std::to_string(mine),
          site);
  while (isIncrease && mine != count && registersHeld() - mine + count > numWarps() * registersAtLaunch()) {
    wait(site, /*isAligned=*/false, -1, count);
  }
  mine = count;
  for (Thread &other : threads)
    if (other.state == ThreadState::Waiting && other.registers != 0) {
      other.state = ThreadState::Ready;
      other.registers = 0;
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
                std::to_string(other.index) + " of the same warp waits at " + siteText(other.site),
            site);
  }
}

void Cta::collective(Together together, uint32_t detail, uint32_t mask, bool isAligned, void *argument, uint32_t site) {
  Thread &self = thread();
  hasProgress = true;
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

uint32_t Cta::barrier(const BarrierUse &use, uint32_t site) {
  hasProgress = true;
  Thread &self = thread();
  if (use.id >= barriers.size())
    fault(FindingKind::Misuse,
          threadText() + " executes " + siteText(site) + " with barrier " + std::to_string(use.id) +
              "; a CTA has barriers 0 to 15",
          site);
  if (use.count % warpSize != 0 || use.count > (numThreads() + warpSize - 1) / warpSize * warpSize)
    fault(FindingKind::Misuse,
          threadText() + " executes " + siteText(site) + " for " + std::to_string(use.count) +
              " threads; expected a multiple of 32 up to the CTA's " + std::to_string(numThreads()),
          site);
  Barrier &barrier = barriers[use.id];
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
  release(self.index, barrier.clocks, barrier.fenced);
  if (use.waits)
    barrier.waiting.push_back(self.index);
  else
    startMoment(self.index);
  if (barrier.arrived == (use.count ? use.count : numLive))
    completeBarrier(barrier, use.reduction);
  else if (use.waits)
    wait(site, use.isAligned, static_cast<int>(use.id));
  return barrierResults[self.index];
}

void Cta::completeBarrier(Barrier &barrier, int reduction) {
  uint32_t results[] = {barrier.numTrue, barrier.numTrue == barrier.arrived, barrier.numTrue > 0};
  for (uint32_t index : barrier.waiting) {
    acquire(index, barrier.clocks, barrier.fenced);
    threads[index].state = ThreadState::Ready;
    barrierResults[index] = reduction >= 0 ? results[reduction] : 0;
  }
  barrier = Barrier();
}

void Cta::endThread() {
  hasProgress = true;
  Thread &self = thread();
  completeCopies(*this, self, 0, /*withOpen=*/true);
  endStores(self);
  self.state = ThreadState::Done;
  --numLive;
  uint32_t first = self.warp * warpSize;
  for (uint32_t lane = 0; lane < warpSize && first + lane < numThreads(); ++lane) {
    const Thread &other = threads[first + lane];
    if (other.state == ThreadState::Waiting && other.waitsAligned) {
      find(FindingKind::Divergence, other.site, 0, [&] {
        return siteText(other.site) + " needs every lane of the warp; " + threadText() + " ended while thread " +
               std::to_string(other.index) + " of the same warp waits there";
      });
      hasFailed = true;
      return;
    }
  }
  for (size_t index = collectives[self.warp].size(); index-- > 0;)
    if (!collectives[self.warp][index].isAligned)
      completeIfAll(self.warp, index);
  for (Barrier &barrier : barriers)
    if (barrier.arrived > 0 && barrier.count == 0 && barrier.arrived == numLive)
      completeBarrier(barrier, -1);
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

std::string Cta::waitText(const Thread &thread) const {
  if (thread.barrier >= 0) {
    const Barrier &barrier = barriers[static_cast<size_t>(thread.barrier)];
    return "barrier " + std::to_string(thread.barrier) + ", where " + std::to_string(barrier.arrived) + " of " +
           std::to_string(barrier.count ? barrier.count : numLive) + " came";
  }
  if (thread.registers != 0)
    return std::to_string(thread.registers) + " registers; the warps hold " + std::to_string(registersHeld()) + " of " +
           std::to_string(numWarps() * registersAtLaunch()) + ", of a thread each";
  if (thread.mbarrier != 0) {
    const Mbarrier &barrier = bulk.barriers.at(thread.mbarrier);
    return "the mbarrier at shared address " + std::to_string(thread.mbarrier) + ", whose phase " +
           std::to_string(barrier.phase) + " lacks " + missingText(barrier);
  }
  for (const Collective &each : collectives[thread.warp])
    if (each.arrived >> thread.lane & 1)
      return lanesText(each.mask & ~each.arrived) + " of warp " + std::to_string(thread.warp);
  return "others";
}

void Cta::reportDeadlock(bool isLivelock) {
  std::vector<std::pair<std::string, std::vector<uint32_t>>> groups;
  uint32_t firstSite = 0;
  for (const Thread &thread : threads) {
    std::string what;
    if (thread.state == ThreadState::Done)
      what = "ended";
    else if (thread.state == ThreadState::Ready)
      what = "read over and over at " + siteText(thread.site);
    else
      what = "wait at " + siteText(thread.site) + " for " + waitText(thread);
    if (thread.state != ThreadState::Done && firstSite == 0)
      firstSite = thread.site;
    auto group = std::find_if(groups.begin(), groups.end(), [&](const auto &each) { return each.first == what; });
    if (group == groups.end())
      group = groups.insert(groups.end(), {what, {}});
    group->second.push_back(thread.index);
  }
  find(FindingKind::Deadlock, firstSite, 0, [&] {
    std::string text = ctaText() + (isLivelock ? " does not get on" : " cannot go on");
    for (const auto &[what, who] : groups)
      text += (&what == &groups.front().first ? ": threads " : "; threads ") + rangesText(who) + " " + what;
    return text;
  });
}

} // namespace tenon::sim
