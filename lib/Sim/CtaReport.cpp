// Findings, and who waits for what, as sentences.
#include "lib/Sim/Cta.h"

#include <algorithm>

namespace tenon::sim {

static constexpr uint32_t warpSize = 32;
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

std::string lanesText(uint32_t mask) {
  std::vector<uint32_t> lanes;
  for (uint32_t lane = 0; lane < warpSize; ++lane)
    if (mask >> lane & 1)
      lanes.push_back(lane);
  return (lanes.size() == 1 ? "lane " : "lanes ") + rangesText(lanes);
}

std::string Cta::siteText(uint32_t site) const {
  const std::vector<Site> &sites = *code.sites;
  if (site >= sites.size())
    return "an unknown op";
  return sites[site].op + " at " + sites[site].location;
}

std::string Cta::threadText(uint32_t index, uint32_t cluster) const {
  uint32_t rank = rankOfActor(index);
  if ((index == tmaActor() || index >= storeActor(numWarps())) && numCtas() > 1)
    return "TMA of the cluster of " + ctaText(0, cluster);
  std::string who = index < numThreads() ? "thread " + std::to_string(index % threadsOfCta())
                    : index < tmaActor()
                        ? "the Tensor Core of warp " + std::to_string((index - numThreads()) % warpsOfCta())
                        : "TMA";
  return who + " of " + ctaText(rank, cluster);
}

std::string Cta::ctaText(uint32_t rank, uint32_t cluster) const {
  Dim3 id = ctaIdOf(rank, cluster);
  return "CTA (" + std::to_string(id.x) + ", " + std::to_string(id.y) + ", " + std::to_string(id.z) + ")";
}

void Cta::find(FindingKind kind, uint32_t site, uint32_t other, const std::function<std::string()> &text) {
  for (Finding &finding : report.findings)
    if (finding.kind == kind && finding.sites == std::array<uint32_t, 2>{site, other}) {
      ++finding.numRepeats;
      ++report.numRepeats;
      return;
    }
  if (report.findings.size() == maxFindings)
    ++report.numRepeats;
  else
    report.findings.push_back({kind, text(), {site, other}});
}

void Cta::withdraw(FindingKind kind, uint32_t site) {
  auto found = std::find_if(report.findings.begin(), report.findings.end(),
                            [&](const Finding &finding) { return finding.kind == kind && finding.sites[0] == site; });
  if (found != report.findings.end() && found->numRepeats == 0) {
    report.findings.erase(found);
    return;
  }
  if (found != report.findings.end())
    --found->numRepeats;
  --report.numRepeats;
}

void Cta::fault(FindingKind kind, std::string text, uint32_t site) {
  findLast(kind, std::move(text), site);
  thread().state = ThreadState::Done;
  thread().fiber.leave();
  std::abort(); // nobody enters it again
}

std::string Cta::overflowText(uint32_t site) const {
  return threadText() + " has not enough left of its stack of " + std::to_string(stacks.bytes()) + " bytes for " +
         siteText(site);
}

std::string Cta::waitText(const Thread &thread) const {
  if (thread.barrier >= 0) {
    const Barrier &barrier = barriers[thread.rank][static_cast<size_t>(thread.barrier)];
    return "barrier " + std::to_string(thread.barrier) + " in phase " + std::to_string(barrier.phase) + ", where " +
           std::to_string(barrier.arrived) + " of " +
           std::to_string(barrier.count ? barrier.count : liveOfCta[thread.rank]) + " came";
  }
  if (thread.waitsForCluster)
    return "the barrier of its cluster in phase " + std::to_string(clusterBarrier.phase) + ", where " +
           std::to_string(clusterBarrier.arrived) + " of " + std::to_string(numLive) + " came";
  if (thread.registers != 0)
    return std::to_string(thread.registers) + " registers; the warps hold " + std::to_string(registersHeld()) + " of " +
           std::to_string(warpsOfCta() * registersAtLaunch()) + ", of a thread each";
  if (thread.mbarrier != 0) {
    const Mbarrier &barrier = bulk.barriers.at(thread.mbarrier);
    return "the mbarrier at shared address " + std::to_string(Memory::inCta(thread.mbarrier)) + ", whose phase " +
           std::to_string(barrier.phase) + " lacks " + missingText(barrier);
  }
  for (const Collective &each : collectives[thread.warp])
    if (each.arrived >> thread.lane & 1)
      return lanesText(each.mask & ~each.arrived) + " of warp " + std::to_string(thread.warp % warpsOfCta());
  return "others";
}

void Cta::reportDeadlock(bool isLivelock) {
  std::string text;
  uint32_t firstSite = 0;
  for (uint32_t rank = 0; rank < numCtas(); ++rank) {
    std::vector<std::pair<std::string, std::vector<uint32_t>>> groups;
    for (const Thread &thread : threads) {
      if (thread.rank != rank)
        continue;
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
      group->second.push_back(inCta(thread));
    }
    text += (rank == 0 ? "" : "; ") + peerText(rank) + (isLivelock ? " does not get on" : " cannot go on");
    for (const auto &[what, who] : groups)
      text += (&what == &groups.front().first ? ": threads " : "; threads ") + rangesText(who) + " " + what;
  }
  find(FindingKind::Deadlock, firstSite, 0, [&] { return text; });
}

} // namespace tenon::sim
