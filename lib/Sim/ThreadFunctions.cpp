// Special registers, barriers, and what a warp's lanes tell each other.
#include "lib/Sim/Cta.h"
#include "lib/Sim/DeviceFunctions.h"
#include "lib/Sim/Numbers.h"

#include <algorithm>
#include <cmath>

namespace tenon::sim {
namespace {

template <typename Visit>
void forEachLane(void *const *arguments, Visit &&visit) {
  for (uint32_t lane = 0; lane < 32; ++lane)
    if (arguments[lane])
      visit(lane);
}

struct ShuffleArguments {
  Shuffle kind;
  uint32_t value, offset, clamp;
  uint32_t result;
  bool isValid;
};

/// As the PTX manual computes the source lane. A lane that takes no part has no value to give.
void shuffle(Cta &cta, uint32_t warp, void *const *arguments, uint32_t site) {
  forEachLane(arguments, [&](uint32_t lane) {
    auto &mine = *static_cast<ShuffleArguments *>(arguments[lane]);
    uint32_t offset = mine.offset & 31, clamp = mine.clamp & 31, segment = mine.clamp >> 8 & 31;
    uint32_t maxLane = (lane & segment) | (clamp & ~segment), minLane = lane & segment, from = lane;
    switch (mine.kind) {
    case Shuffle::Up:
      from = lane - offset;
      mine.isValid = static_cast<int32_t>(from) >= static_cast<int32_t>(maxLane);
      break;
    case Shuffle::Down:
      from = lane + offset;
      mine.isValid = from <= maxLane;
      break;
    case Shuffle::Butterfly:
      from = lane ^ offset;
      mine.isValid = from <= maxLane;
      break;
    case Shuffle::Index:
      from = minLane | (offset & ~segment);
      mine.isValid = from <= maxLane;
      break;
    }
    if (!mine.isValid)
      from = lane;
    if (!arguments[from])
      cta.fault(FindingKind::Misuse,
                "lane " + std::to_string(lane) + " of warp " + std::to_string(warp) + " takes the value of lane " +
                    std::to_string(from) + " by " + cta.siteText(site) + ", which takes no part",
                site);
    mine.result = static_cast<ShuffleArguments *>(arguments[from])->value;
  });
}

struct WarpValue {
  uint32_t kind, value, result;
};

void vote(Cta &, uint32_t, void *const *arguments, uint32_t) {
  uint32_t members = 0, ballot = 0;
  forEachLane(arguments, [&](uint32_t lane) {
    members |= 1U << lane;
    ballot |= (static_cast<WarpValue *>(arguments[lane])->value & 1) << lane;
  });
  forEachLane(arguments, [&](uint32_t lane) {
    auto &mine = *static_cast<WarpValue *>(arguments[lane]);
    uint32_t results[] = {ballot != 0, ballot == members, ballot, ballot == 0 || ballot == members};
    mine.result = results[mine.kind];
  });
}

uint32_t combine(Reduce kind, uint32_t a, uint32_t b) {
  auto sa = static_cast<int32_t>(a), sb = static_cast<int32_t>(b);
  switch (kind) {
  case Reduce::Add:
    return a + b;
  case Reduce::And:
    return a & b;
  case Reduce::Or:
    return a | b;
  case Reduce::Xor:
    return a ^ b;
  case Reduce::Max:
    return static_cast<uint32_t>(std::max(sa, sb));
  case Reduce::Min:
    return static_cast<uint32_t>(std::min(sa, sb));
  case Reduce::UMax:
    return std::max(a, b);
  case Reduce::UMin:
    return std::min(a, b);
  case Reduce::FMin:
    return asBits(std::fmin(asFloat(a), asFloat(b)));
  case Reduce::FMax:
    return asBits(std::fmax(asFloat(a), asFloat(b)));
  }
  return a;
}

void reduce(Cta &, uint32_t, void *const *arguments, uint32_t) {
  const WarpValue *first = nullptr;
  uint32_t result = 0;
  forEachLane(arguments, [&](uint32_t lane) {
    auto *mine = static_cast<WarpValue *>(arguments[lane]);
    result = first ? combine(static_cast<Reduce>(mine->kind), result, mine->value) : mine->value;
    first = mine;
  });
  forEachLane(arguments, [&](uint32_t lane) { static_cast<WarpValue *>(arguments[lane])->result = result; });
}

void matchAny(Cta &, uint32_t, void *const *arguments, uint32_t) {
  forEachLane(arguments, [&](uint32_t lane) {
    auto &mine = *static_cast<WarpValue *>(arguments[lane]);
    mine.result = 0;
    forEachLane(arguments, [&](uint32_t other) {
      mine.result |= uint32_t{static_cast<WarpValue *>(arguments[other])->value == mine.value} << other;
    });
  });
}

void matchAll(Cta &, uint32_t, void *const *arguments, uint32_t) {
  uint32_t members = 0, first = 0;
  bool isEqual = true;
  forEachLane(arguments, [&](uint32_t lane) {
    uint32_t value = static_cast<WarpValue *>(arguments[lane])->value;
    first = members == 0 ? value : first;
    isEqual &= value == first;
    members |= 1U << lane;
  });
  forEachLane(arguments,
              [&](uint32_t lane) { static_cast<WarpValue *>(arguments[lane])->result = isEqual ? members : 0; });
}

/// The lowest lane, as the hardware does.
void elect(Cta &, uint32_t, void *const *arguments, uint32_t) {
  bool isFirst = true;
  forEachLane(arguments, [&](uint32_t lane) {
    static_cast<WarpValue *>(arguments[lane])->result = isFirst;
    isFirst = false;
  });
}

void syncWarp(Cta &cta, uint32_t warp, void *const *arguments, uint32_t) {
  uint32_t mask = 0;
  forEachLane(arguments, [&](uint32_t lane) { mask |= 1U << lane; });
  cta.joinClocks(warp, mask);
}

// What the kernel calls.

uint32_t special(uint32_t which, uint32_t) {
  Cta &cta = Cta::current();
  const Thread &thread = cta.thread();
  auto [blockX, blockY, blockZ] = cta.kernel().block;
  auto [gridX, gridY, gridZ] = cta.launch().grid;
  auto [clusterX, clusterY, clusterZ] = cta.launch().cluster;
  uint32_t lane = 1U << thread.lane;
  switch (static_cast<SpecialRegister>(which)) {
  case SpecialRegister::TidX:
    return thread.id.x;
  case SpecialRegister::TidY:
    return thread.id.y;
  case SpecialRegister::TidZ:
    return thread.id.z;
  case SpecialRegister::NtidX:
    return static_cast<uint32_t>(blockX);
  case SpecialRegister::NtidY:
    return static_cast<uint32_t>(blockY);
  case SpecialRegister::NtidZ:
    return static_cast<uint32_t>(blockZ);
  case SpecialRegister::CtaidX:
    return cta.id().x;
  case SpecialRegister::CtaidY:
    return cta.id().y;
  case SpecialRegister::CtaidZ:
    return cta.id().z;
  case SpecialRegister::NctaidX:
    return static_cast<uint32_t>(gridX);
  case SpecialRegister::NctaidY:
    return static_cast<uint32_t>(gridY);
  case SpecialRegister::NctaidZ:
    return static_cast<uint32_t>(gridZ);
  case SpecialRegister::ClusterCtaRank:
    return thread.rank;
  case SpecialRegister::ClusterNumCtas:
    return cta.numCtas();
  case SpecialRegister::ClusterCtaX:
    return cta.placeInCluster().x;
  case SpecialRegister::ClusterCtaY:
    return cta.placeInCluster().y;
  case SpecialRegister::ClusterCtaZ:
    return cta.placeInCluster().z;
  case SpecialRegister::ClusterNctaX:
    return static_cast<uint32_t>(clusterX);
  case SpecialRegister::ClusterNctaY:
    return static_cast<uint32_t>(clusterY);
  case SpecialRegister::ClusterNctaZ:
    return static_cast<uint32_t>(clusterZ);
  case SpecialRegister::ClusterIdX:
    return cta.clusterId().x;
  case SpecialRegister::ClusterIdY:
    return cta.clusterId().y;
  case SpecialRegister::ClusterIdZ:
    return cta.clusterId().z;
  case SpecialRegister::NclusterX:
    return static_cast<uint32_t>(gridX / clusterX);
  case SpecialRegister::NclusterY:
    return static_cast<uint32_t>(gridY / clusterY);
  case SpecialRegister::NclusterZ:
    return static_cast<uint32_t>(gridZ / clusterZ);
  case SpecialRegister::LaneId:
    return thread.lane;
  case SpecialRegister::WarpSize:
    return 32;
  case SpecialRegister::LaneMaskEq:
    return lane;
  case SpecialRegister::LaneMaskLe:
    return lane | (lane - 1);
  case SpecialRegister::LaneMaskLt:
    return lane - 1;
  case SpecialRegister::LaneMaskGe:
    return ~(lane - 1);
  case SpecialRegister::LaneMaskGt:
    return ~(lane | (lane - 1));
  }
  return 0;
}

uint32_t barrier(uint32_t id, uint32_t count, uint32_t waits, int32_t reduction, uint32_t predicate, uint32_t site) {
  return Cta::current().barrier({id, count, waits != 0, /*isAligned=*/waits != 0, reduction, predicate != 0}, site);
}

void syncWarpCall(uint32_t mask, uint32_t site) {
  Cta::current().collective(syncWarp, 0, mask, /*isAligned=*/false, &mask, site);
}

uint64_t shuffleCall(uint32_t kind, uint32_t mask, uint32_t value, uint32_t offset, uint32_t clamp, uint32_t site) {
  ShuffleArguments mine = {static_cast<Shuffle>(kind), value, offset, clamp, 0, false};
  Cta::current().collective(shuffle, kind, mask, /*isAligned=*/false, &mine, site);
  return mine.result | uint64_t{mine.isValid} << 32;
}

uint32_t meet(Together together, uint32_t kind, uint32_t mask, uint32_t value, uint32_t site) {
  WarpValue mine = {kind, value, 0};
  Cta::current().collective(together, kind, mask, /*isAligned=*/false, &mine, site);
  return mine.result;
}

uint32_t voteCall(uint32_t kind, uint32_t mask, uint32_t predicate, uint32_t site) {
  return meet(vote, kind, mask, predicate, site);
}
uint32_t reduceCall(uint32_t kind, uint32_t mask, uint32_t value, uint32_t site) {
  return meet(reduce, kind, mask, value, site);
}
uint32_t matchAnyCall(uint32_t mask, uint32_t value, uint32_t site) { return meet(matchAny, 0, mask, value, site); }
uint32_t matchAllCall(uint32_t mask, uint32_t value, uint32_t site) { return meet(matchAll, 0, mask, value, site); }
uint32_t electCall(uint32_t mask, uint32_t site) { return meet(elect, 0, mask, 0, site); }
void together(Cta &, uint32_t, void *const *, uint32_t) {}
void setRegisters(uint32_t count, uint32_t isIncrease, uint32_t site) {
  Cta &cta = Cta::current();
  cta.collective(together, count, cta.warpMask(cta.thread().warp), /*isAligned=*/true, &count, site);
  cta.setRegisters(count, isIncrease != 0, site);
}
void frame(uint32_t site) { Cta::current().thread().site = site; }
void yield(uint32_t site) { Cta::current().spin(site); }
void clusterArrive(uint32_t isRelaxed, uint32_t isAligned, uint32_t site) {
  Cta &cta = Cta::current();
  if (isAligned) // else a lane would wait before the others arrive
    cta.collective(together, 0, cta.warpMask(cta.thread().warp), /*isAligned=*/true, &isAligned, site);
  cta.arriveAtCluster(isRelaxed != 0, site);
}
void clusterWait(uint32_t isAligned, uint32_t site) { Cta::current().waitForCluster(isAligned != 0, site); }

} // namespace

void addThreadFunctions(std::vector<DeviceFunction> &table) {
  table.insert(table.end(), {
                                deviceFunction("tenon_sim_special", special),
                                deviceFunction("tenon_sim_barrier", barrier),
                                deviceFunction("tenon_sim_sync_warp", syncWarpCall),
                                deviceFunction("tenon_sim_shuffle", shuffleCall),
                                deviceFunction("tenon_sim_vote", voteCall),
                                deviceFunction("tenon_sim_reduce", reduceCall),
                                deviceFunction("tenon_sim_match_any", matchAnyCall),
                                deviceFunction("tenon_sim_match_all", matchAllCall),
                                deviceFunction("tenon_sim_elect", electCall),
                                deviceFunction("tenon_sim_set_registers", setRegisters),
                                deviceFunction("tenon_sim_frame", frame),
                                deviceFunction("tenon_sim_yield", yield),
                                deviceFunction("tenon_sim_cluster_arrive", clusterArrive),
                                deviceFunction("tenon_sim_cluster_wait", clusterWait),
                            });
}

} // namespace tenon::sim
