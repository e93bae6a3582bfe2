// TMA's loads: a copy starts where a thread issues it, and arrives as late as it may, when no thread can go on without
// it. Its writes are those of an actor of its own, ordered before whoever waits for the phase that counts their bytes,
// and so are the stores to other CTAs that an mbarrier counts.
#include "lib/Sim/DeviceFunctions.h"
#include "lib/Sim/MemoryAccess.h"
#include "lib/Sim/Numbers.h"
#include "lib/Sim/Transfers.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

namespace tenon::sim {

std::string missingText(const Mbarrier &barrier) {
  std::string text = std::to_string(barrier.missing) + " of " + std::to_string(barrier.expected) + " arrivals";
  return barrier.missingBytes == 0 ? text : text + " and " + std::to_string(barrier.missingBytes) + " bytes";
}

namespace {

constexpr uint32_t barrierBytes = 8, chunkBytes = 16;

Touch touchOfBarrier(Cta &cta, const void *barrier, bool isWrite, uint32_t site, const uint32_t *clocks = nullptr) {
  return {cta.thread().index,    reinterpret_cast<uintptr_t>(barrier),
          barrierBytes,          barrierBytes,
          Space::Cluster,        isWrite,
          /*isAtomic=*/!isWrite, site,
          /*value=*/nullptr,
          /*numLanes=*/0,        clocks};
}

/// What the thread knows, and the barrier's initialisation where a relaxed arrival at the cluster's barrier after
/// fence.mbarrier_init told of that.
std::vector<uint32_t> clocksWithInit(Cta &cta, const Mbarrier &barrier) {
  const Thread &thread = cta.thread();
  if (barrier.clusterPhase == 0 || thread.clusterWaits < barrier.clusterPhase)
    return {};
  Actor self = cta.actor(thread.index);
  std::vector<uint32_t> clocks(self.clocks, self.clocks + cta.numActors());
  clocks[barrier.initThread] = std::max(clocks[barrier.initThread], barrier.initMoment);
  return clocks;
}

/// The barrier there, and its address; what happens to it counts as atomic, after its initialisation.
std::pair<uint64_t, Mbarrier &> findBarrier(Cta &cta, const void *pointer, uint32_t site) {
  uint64_t address = cta.memory().sharedAddress(pointer);
  auto found = cta.transfers().barriers.find(address);
  if (found == cta.transfers().barriers.end()) {
    checkTouch(cta, touchOfBarrier(cta, pointer, /*isWrite=*/false, site));
    cta.fault(FindingKind::Misuse,
              cta.threadText() + " executes " + cta.siteText(site) + " on shared memory in which no mbarrier.init was",
              site);
  }
  std::vector<uint32_t> clocks = clocksWithInit(cta, found->second);
  recordTouch(cta, touchOfBarrier(cta, pointer, /*isWrite=*/false, site, clocks.empty() ? nullptr : clocks.data()));
  return {address, found->second};
}

void completePhaseIfDone(Cta &cta, uint64_t address, Mbarrier &barrier) {
  if (barrier.missing != 0 || barrier.missingBytes != 0)
    return;
  ++barrier.phase;
  barrier.missing = barrier.expected;
  barrier.done = std::exchange(barrier.known, Known());
  cta.wakeAtMbarrier(address);
}

/// What a phase with all arrivals has of bytes that nobody expects: it never ends.
std::optional<std::string> surplusText(Cta &cta, uint64_t address, const Mbarrier &barrier, uint32_t site) {
  if (barrier.missing != 0 || barrier.missingBytes >= 0)
    return std::nullopt;
  return std::to_string(-barrier.missingBytes) + " bytes more than expected come to the mbarrier at shared address " +
         std::to_string(Memory::inCta(address)) + " of " + cta.peerText(Memory::rankOf(address)) + ", by " +
         cta.siteText(site) + "; its phase " + std::to_string(barrier.phase) + " cannot end";
}

void roundToTF32(std::vector<char> &row) {
  for (size_t at = 0; at < row.size(); at += sizeof(float)) {
    float value;
    std::memcpy(&value, &row[at], sizeof value);
    uint32_t rounded = toTF32(value);
    std::memcpy(&row[at], &rounded, sizeof rounded);
  }
}

/// Its elements where they are inside of the tensor, else zeros or NaN; all that is read counts as read when it comes.
void copyBox(Cta &cta, const BulkCopy &copy) {
  const TensorMap &map = *copy.box.map;
  constexpr char nan[] = {'\xF7', '\x7F'}; // of an H200, over and over whatever the elements are
  forEachRow(copy.box, [&](const BoxRow &from) {
    std::vector<char> row(static_cast<size_t>(map.box[0] * map.elementBytes));
    for (size_t at = 0; map.fillsNan && at < row.size(); ++at)
      row[at] = nan[at % sizeof nan];
    if (from.count > 0)
      std::memcpy(&row[static_cast<size_t>(from.first * map.elementBytes)], from.global,
                  static_cast<size_t>(from.count * map.elementBytes));
    if (map.element == MapElement::TF32)
      roundToTF32(row);
    for (size_t at = 0; at < row.size(); at += chunkBytes)
      std::memcpy(cta.memory().sharedPointer(swizzled(map, from.shared + at)), &row[at], chunkBytes);
  });
  uint64_t first = cta.memory().offsetOf(copy.box.shared), last = first + static_cast<uint64_t>(copy.box.sharedBytes());
  auto span = static_cast<uint32_t>(std::max<int64_t>(map.swizzle, chunkBytes));
  for (uint64_t at = first / lineBytes * lineBytes; at < last; at += lineBytes)
    cta.transfers().lineAt(copy.rank, at) = {span, copy.site, last};
}

/// TMA and what it signals are of the async proxy, which a fence tells of the barrier.
void checkFenced(Cta &cta, const Mbarrier &barrier, uint32_t site) {
  Actor tma = cta.tma(cta.tmaActor()); // its clocks are the fenced ones of the thread
  if (barrier.isFenced || tma.clocks[barrier.initThread] >= barrier.initMoment || !cta.tracks(FindingKind::Race))
    return;
  cta.find(FindingKind::Race, site, barrier.initSite, [&] {
    return cta.siteText(site) + " of " + cta.threadText() + " signals the mbarrier that " +
           cta.threadText(barrier.initThread, cta.number()) + " initialised by " + cta.siteText(barrier.initSite) +
           "; no fence.mbarrier.init or fence.proxy.async is between the two";
  });
}

// What the kernel calls.

void mbarrierInit(void *pointer, uint32_t count, uint32_t site) {
  Cta &cta = Cta::current();
  recordTouch(cta, touchOfBarrier(cta, pointer, /*isWrite=*/true, site));
  if (count < 1 || count >= 1U << 20)
    cta.fault(FindingKind::Misuse,
              cta.threadText() + " executes " + cta.siteText(site) + " for " + std::to_string(count) + " arrivals",
              site);
  Mbarrier barrier;
  barrier.expected = barrier.missing = count;
  barrier.initThread = cta.thread().index;
  barrier.initMoment = cta.momentOf(barrier.initThread);
  barrier.initSite = site;
  barrier.number = static_cast<uint32_t>(cta.transfers().barriers.size());
  cta.transfers().barriers[cta.memory().sharedAddress(pointer)] = barrier;
}

void fenceInit(uint32_t) {
  Cta &cta = Cta::current();
  for (auto &[address, barrier] : cta.transfers().barriers)
    barrier.isFenced |= barrier.initThread == cta.thread().index;
}

/// `isOfCluster`: its scope, by which it tells a peer what was written, too.
void mbarrierArrive(void *pointer, uint32_t expectedBytes, uint32_t predicate, uint32_t isOfCluster, uint32_t site) {
  if (!predicate)
    return;
  Cta &cta = Cta::current();
  cta.noteProgress();
  auto [address, barrier] = findBarrier(cta, pointer, site);
  if (barrier.missing == 0)
    cta.fault(FindingKind::Misuse,
              cta.threadText() + " arrives by " + cta.siteText(site) + " at an mbarrier whose phase has all its " +
                  std::to_string(barrier.expected) + " arrivals and waits for bytes",
              site);
  if (isOfCluster || Memory::rankOf(address) == cta.thread().rank)
    cta.release(cta.thread().index, barrier.known);
  else
    cta.releaseReads(cta.thread().index, barrier.known);
  barrier.missingBytes += expectedBytes;
  --barrier.missing;
  if (auto text = surplusText(cta, address, barrier, site))
    cta.fault(FindingKind::Misuse, *text, site);
  completePhaseIfDone(cta, address, barrier);
}

/// 16 bytes to a CTA of the cluster: who waits for the phase that counts them knows of them, and of nothing else that
/// this thread did.
void storeAsync(void *value, void *destination, void *pointer, uint32_t site) {
  constexpr uint32_t bytes = 16;
  Cta &cta = Cta::current();
  cta.noteProgress();
  auto [address, barrier] = findBarrier(cta, pointer, site);
  uint32_t rank = Memory::rankOf(cta.memory().sharedAddress(destination)), landing = cta.landingActor(barrier.number);
  if (Memory::rankOf(address) != rank)
    cta.fault(FindingKind::Misuse,
              cta.threadText() + " executes " + cta.siteText(site) + " with an mbarrier of " +
                  cta.peerText(Memory::rankOf(address)) + " for bytes of " + cta.peerText(rank),
              site);
  Touch touch = {cta.thread().index,
                 reinterpret_cast<uintptr_t>(destination),
                 bytes,
                 bytes,
                 Space::Cluster,
                 /*isWrite=*/true,
                 /*isAtomic=*/false,
                 site};
  touch.copy = Copy::Load;
  uint32_t record = beginCopy(cta, touch);
  std::memcpy(destination, value, bytes);
  uint32_t moment = cta.startMomentOf(landing);
  cta.memory().sharedOf(rank).history.completeCopy(record, landing, moment);
  Known &known = barrier.known;
  for (auto *row : {&known.clocks, &known.fenced, &known.reads})
    row->resize(cta.numActors(), 0);
  known.clocks[landing] = known.reads[landing] = moment;
  barrier.missingBytes -= bytes;
  if (auto text = surplusText(cta, address, barrier, site))
    cta.fault(FindingKind::Misuse, *text, site);
  completePhaseIfDone(cta, address, barrier);
}

void mbarrierWait(void *pointer, uint32_t parity, uint32_t site) {
  Cta &cta = Cta::current();
  while (true) {
    auto [address, barrier] = findBarrier(cta, pointer, site);
    if ((barrier.phase & 1) != (parity & 1)) {
      if (!barrier.done.clocks.empty())
        cta.acquire(cta.thread().index, barrier.done);
      return;
    }
    cta.waitAtMbarrier(address, site);
  }
}

/// To the CTA of `destination`.
void copyTo(Cta &cta, void *destination, void *descriptor, void *barrier, const int32_t *place, uint32_t rank,
            uint32_t site) {
  BulkCopy copy = {boxAt(cta, descriptor, destination, place, rank, site),
                   0,
                   0,
                   0,
                   site,
                   cta.thread().warp,
                   cta.trace() ? cta.trace()->step() : 0};
  auto [address, mbarrier] = findBarrier(cta, barrier, site);
  checkFenced(cta, mbarrier, site);
  copy.barrier = address;
  copy.rank = Memory::rankOf(copy.box.shared);
  if (Memory::rankOf(copy.barrier) != copy.rank)
    cta.fault(FindingKind::Misuse,
              cta.threadText() + " executes " + cta.siteText(site) + " with an mbarrier of " +
                  cta.peerText(Memory::rankOf(copy.barrier)) + " for a box in " + cta.peerText(copy.rank),
              site);
  touchGlobal(cta, copy.box, cta.tmaActor(), /*isWrite=*/false, /*isUpdate=*/false, site);
  Touch touch = {cta.tmaActor(),
                 reinterpret_cast<uintptr_t>(destination),
                 static_cast<uint32_t>(copy.box.sharedBytes()),
                 boxAlignment,
                 Space::Cluster,
                 /*isWrite=*/true,
                 false,
                 site};
  touch.copy = Copy::Load;
  copy.record = beginCopy(cta, touch);
  cta.transfers().copies.push_back(copy);
}

/// `mask`: the CTAs of a multicast, each at the same place; without it, `isMulticast` is 0.
void bulkCopy(void *destination, void *descriptor, void *barrier, const int32_t *place, uint32_t rank, uint32_t mask,
              uint32_t isMulticast, uint32_t predicate, uint32_t site) {
  if (!predicate)
    return;
  Cta &cta = Cta::current();
  cta.noteProgress();
  if (!isMulticast)
    return copyTo(cta, destination, descriptor, barrier, place, rank, site);
  if (mask >> cta.numCtas() != 0)
    cta.fault(FindingKind::Misuse,
              cta.threadText() + " executes " + cta.siteText(site) + " for CTAs of mask " + std::to_string(mask) +
                  "; its cluster has " + std::to_string(cta.numCtas()),
              site);
  for (uint32_t peer = 0; peer < cta.numCtas(); ++peer)
    if (mask >> peer & 1)
      copyTo(cta, cta.memory().peerPointer(destination, peer), descriptor, cta.memory().peerPointer(barrier, peer),
             place, rank, site);
}

} // namespace

void completeOldestCopy(Cta &cta) {
  BulkCopy copy = cta.transfers().copies.front();
  cta.transfers().copies.pop_front();
  if (Trace *trace = cta.trace())
    trace->add(Trace::Kind::BulkLoad, copy.warp, cta.siteText(copy.site), copy.begin,
               static_cast<uint64_t>(copy.box.bytes()));
  copyBox(cta, copy);
  Mbarrier &barrier = cta.transfers().barriers[copy.barrier];
  Known &known = barrier.known;
  for (auto *row : {&known.clocks, &known.fenced, &known.reads})
    row->resize(cta.numActors(), 0);
  uint32_t landing = cta.landingActor(barrier.number);
  for (uint32_t actor : {cta.tmaActor(), landing}) // its reads, and its writes
    known.clocks[actor] = known.fenced[actor] = known.reads[actor] = cta.startMomentOf(actor);
  cta.memory().sharedOf(copy.rank).history.completeCopy(copy.record, landing, cta.momentOf(landing));
  barrier.missingBytes -= copy.box.bytes();
  if (auto text = surplusText(cta, copy.barrier, barrier, copy.site))
    return cta.findLast(FindingKind::Misuse, *text, copy.site);
  completePhaseIfDone(cta, copy.barrier, barrier);
}

void addTransferFunctions(std::vector<DeviceFunction> &table) {
  table.insert(table.end(), {
                                deviceFunction("tenon_sim_mbarrier_init", mbarrierInit),
                                deviceFunction("tenon_sim_fence_mbarrier_init", fenceInit),
                                deviceFunction("tenon_sim_mbarrier_arrive", mbarrierArrive),
                                deviceFunction("tenon_sim_mbarrier_wait", mbarrierWait),
                                deviceFunction("tenon_sim_st_async", storeAsync),
                                deviceFunction("tenon_sim_bulk_copy", bulkCopy),
                            });
}

} // namespace tenon::sim
