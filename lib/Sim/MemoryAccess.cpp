#include "lib/Sim/MemoryAccess.h"
#include "lib/Sim/DeviceFunctions.h"

#include <algorithm>
#include <cstring>
#include <functional>

namespace tenon::sim {

static std::string bytesText(uint64_t first, uint64_t count) {
  return count == 1 ? "byte " + std::to_string(first)
                    : "bytes " + std::to_string(first) + " to " + std::to_string(first + count - 1);
}

/// "'x'", or whose shared memory it is.
static std::string nameOf(Cta &cta, const Allocation &allocation) {
  if (!cta.memory().isShared(allocation))
    return "'" + allocation.name + "'";
  return cta.numCtas() == 1 ? "shared memory" : "shared memory of " + cta.peerText(cta.memory().rankOf(allocation));
}

static const char *verb(const Access &access) {
  return access.isUpdate ? "changes" : access.isWrite ? "writes" : "reads";
}

/// Of what a check of an access needs, a finding's text included.
static constexpr size_t stackOfAccess = 32 << 10;

Allocation *checkTouch(Cta &cta, const Touch &touch) {
  cta.requireStack(stackOfAccess, touch.site);
  auto what = [&] {
    return cta.threadText(touch.thread, cta.number()) + (touch.isWrite ? " writes " : " reads ") +
           std::to_string(touch.bytes) + " bytes by " + cta.siteText(touch.site);
  };
  if (touch.alignment > 1 && touch.address % touch.alignment != 0)
    cta.fault(FindingKind::Misaligned,
              what() + " at an address that is " + std::to_string(touch.address % touch.alignment) +
                  " past a multiple of " + std::to_string(touch.alignment),
              touch.site);
  if (touch.space == Space::Generic && cta.isOnStack(touch.address))
    return nullptr;
  Allocation *allocation = cta.memory().find(touch.address);
  if (!allocation)
    cta.fault(FindingKind::OutOfBounds, what() + ", " + cta.memory().describeOutside(touch.address), touch.site);
  bool isShared = cta.memory().isShared(*allocation);
  std::string name = nameOf(cta, *allocation);
  if (!allocation->holds(touch.address, touch.bytes))
    cta.fault(FindingKind::OutOfBounds,
              what() + ", " + bytesText(touch.address - allocation->begin(), touch.bytes) + " of " + name +
                  ", which has " + std::to_string(allocation->bytes),
              touch.site);
  if (touch.space == Space::Shared && isShared && allocation != &cta.memory().sharedOf(cta.rankOfActor(touch.thread)))
    cta.fault(FindingKind::Misuse,
              what() + " through a pointer to shared memory of its own CTA, which points to " + name, touch.site);
  if (touch.space != Space::Generic && isShared != (touch.space == Space::Shared || touch.space == Space::Cluster))
    cta.fault(FindingKind::Misuse,
              what() + " through a pointer to " + (isShared ? "global" : "shared") + " memory, which points to " + name,
              touch.site);
  if (touch.isWrite && !allocation->isWritable)
    cta.fault(FindingKind::Misuse, what() + ", to the operand " + name, touch.site);
  return allocation;
}

/// Of two writes: whether the later one changes nothing of what the earlier one wrote. Then their order is no matter.
static bool writesTheSame(const Touch &touch, const Allocation &allocation, const Access &mine, const Access &other) {
  if (!touch.value || !mine.isWrite || !other.isWrite)
    return false;
  uint64_t first = std::max(mine.first, other.first);
  uint64_t last = std::min(mine.first + mine.bytes, other.first + other.bytes);
  return std::memcmp(static_cast<const char *>(touch.value) + (first - mine.first), allocation.data + first,
                     last - first) == 0;
}

/// Findings of the history as sentences.
struct Teller {
  Cta &cta;
  const Allocation &allocation;
  const Touch &touch;

  void operator()(Conflict conflict, const Access &mine, const Access *other, uint64_t at) const {
    if (other && other->cta != mine.cta)
      cta.noteSharing();
    std::string name = nameOf(cta, allocation);
    auto actor = [&](const Access &access) {
      return cta.threadText(access.thread, access.cta) + " " + verb(access) + " " +
             bytesText(access.first, access.bytes) + " of " + name + " by " + cta.siteText(access.site);
    };
    if (conflict == Conflict::WrittenLate) {
      if (cta.tracks(FindingKind::Race))
        cta.withdraw(FindingKind::Uninitialised, other->site);
      return;
    }
    if (conflict == Conflict::Uninitialised) {
      if (cta.tracks(FindingKind::Uninitialised))
        cta.find(FindingKind::Uninitialised, mine.site, 0,
                 [&] { return actor(mine) + ", and nobody has written byte " + std::to_string(at); });
      return;
    }
    if (!cta.tracks(FindingKind::Race) ||
        (conflict == Conflict::Race && writesTheSame(touch, allocation, mine, *other)))
      return;
    if (conflict == Conflict::MissingFence)
      cta.find(FindingKind::Race, mine.site, other->site,
               [&] { return actor(mine) + "; " + actor(*other) + "; no fence.proxy.async is between the two"; });
    else if (conflict == Conflict::AsyncCopy)
      cta.find(FindingKind::AsyncCopy, mine.site, other->site, [&] {
        return actor(mine) + " while " + actor(*other) + "; no wait " +
               (other->copy == Copy::Load ? "for its mbarrier" : "of the copying thread") + " has ended that copy";
      });
    else
      cta.find(FindingKind::Race, mine.site, other->site,
               [&] { return actor(mine) + "; " + actor(*other) + "; nothing orders the two"; });
  }
};

static Access accessOf(Cta &cta, const Allocation &allocation, const Touch &touch) {
  return {cta.number(),
          touch.thread,
          cta.momentOf(touch.thread),
          touch.site,
          touch.address - allocation.begin(),
          touch.bytes,
          touch.isWrite,
          touch.isAtomic,
          touch.isUpdate,
          touch.copy};
}

static Actor actorOf(Cta &cta, uint32_t index) {
  return index < cta.numThreads() ? cta.actor(index)
         : index < cta.tmaActor() ? cta.tensorCore(index - cta.numThreads())
                                  : cta.tma(index);
}

/// What launches ahead may still write or read, no kernel touches before its griddepcontrol.wait.
static void checkLaunchAhead(Cta &cta, const Allocation &allocation, const Touch &touch) {
  if (cta.memory().isShared(allocation) || allocation.isStatic || !cta.tracks(FindingKind::Race) ||
      cta.isAfterLaunchAhead(actorOf(cta, touch.thread)))
    return;
  cta.find(FindingKind::Race, touch.site, 0, [&] {
    return cta.threadText(touch.thread, cta.number()) + (touch.isWrite ? " writes '" : " reads '") + allocation.name +
           "' by " + cta.siteText(touch.site) +
           ", and no griddepcontrol.wait is ahead of it, in a launch that may start while the one ahead runs";
  });
}

static void count(Cta &cta, const Allocation &allocation, const Touch &touch) {
  if (!cta.counts() || touch.thread >= cta.numThreads() || touch.numLanes == 0)
    return;
  bool isShared = cta.memory().isShared(allocation);
  uint32_t warp = touch.thread / 32, lanes = std::min(touch.numLanes, cta.numThreads() - 32 * warp);
  cta.counts()->touch(warp, touch.thread % 32, lanes, touch.site, touch.address, touch.bytes, isShared);
}

/// What threads write has no swizzle that anyone knows of.
static void forgetSwizzle(Cta &cta, const Allocation &allocation, const Touch &touch) {
  if (!touch.isWrite || !cta.memory().isShared(allocation))
    return;
  uint64_t first = touch.address - allocation.begin();
  for (uint64_t at = first / lineBytes * lineBytes; at < first + touch.bytes; at += lineBytes)
    cta.transfers().lineAt(cta.memory().rankOf(allocation), at) = {};
}

/// Copies of TMA to other CTAs are over when these know it: their mbarriers count them.
static void checkPeer(Cta &cta, const Allocation &allocation, const Touch &touch) {
  if (cta.numCtas() == 1 || touch.thread >= cta.numThreads() || !cta.memory().isShared(allocation))
    return;
  if (uint32_t rank = cta.memory().rankOf(allocation); rank != cta.rankOfActor(touch.thread))
    cta.touchPeer(touch.thread, rank, touch.site);
}

uint32_t beginCopy(Cta &cta, const Touch &touch) {
  Allocation &allocation = *checkTouch(cta, touch);
  count(cta, allocation, touch);
  forgetSwizzle(cta, allocation, touch);
  checkLaunchAhead(cta, allocation, touch);
  if (touch.isAtomic && allocation.isGlobal)
    cta.awaitTurn();
  Teller tell = {cta, allocation, touch};
  std::unique_lock lock = allocation.lock();
  return allocation.history.beginCopy(accessOf(cta, allocation, touch), actorOf(cta, touch.thread), std::ref(tell));
}

void recordTouch(Cta &cta, const Touch &touch) {
  Allocation *allocation = checkTouch(cta, touch);
  if (!allocation)
    return;
  checkLaunchAhead(cta, *allocation, touch);
  count(cta, *allocation, touch);
  checkPeer(cta, *allocation, touch);
  forgetSwizzle(cta, *allocation, touch);
  if (!allocation->history.isTracked())
    return;
  if (touch.isAtomic && allocation->isGlobal)
    cta.awaitTurn();
  Teller tell = {cta, *allocation, touch};
  std::unique_lock lock = allocation->lock();
  Actor actor = actorOf(cta, touch.thread);
  if (touch.clocks)
    actor.clocks = touch.clocks;
  allocation->history.access(accessOf(cta, *allocation, touch), actor, std::ref(tell));
}

void completeCopies(Cta &cta, Thread &thread, size_t left, bool withOpen) {
  auto complete = [&](const std::vector<AsyncCopy> &group) {
    for (const AsyncCopy &copy : group) {
      std::memcpy(copy.destination, copy.source, copy.sourceBytes);
      std::memset(copy.destination + copy.sourceBytes, 0, copy.bytes - copy.sourceBytes);
      cta.memory().shared().history.completeCopy(copy.record, thread.index, cta.momentOf(thread.index));
    }
  };
  for (; thread.groups.size() > left; thread.groups.pop_front()) {
    complete(thread.groups.front());
    // One lane's stand for the warp's.
    if (Trace *trace = cta.trace(); trace && thread.lane == 0 && !thread.groups.front().empty()) {
      const AsyncCopy &first = thread.groups.front().front();
      trace->add(Trace::Kind::AsyncCopy, thread.warp, cta.siteText(first.site), first.begin);
    }
  }
  if (withOpen) {
    complete(thread.openGroup);
    thread.openGroup.clear();
  }
}

namespace {

// What the kernel calls.

void accessCall(void *address, void *value, uint32_t bytes, uint32_t alignment, uint32_t flags, uint32_t site) {
  Cta &cta = Cta::current();
  if (flags & accessSpins)
    cta.spin(site);
  Touch touch = {cta.thread().index,
                 reinterpret_cast<uintptr_t>(address),
                 bytes,
                 alignment,
                 static_cast<Space>(flags >> accessSpaceShift),
                 (flags & accessWrites) != 0,
                 (flags & accessAtomic) != 0,
                 site,
                 value};
  touch.isUpdate = touch.isWrite && (flags & accessReads) != 0;
  if (touch.isWrite)
    cta.noteProgress();
  recordTouch(cta, touch);
  if (const Allocation *allocation = touch.isAtomic ? cta.memory().find(touch.address) : nullptr;
      allocation && allocation->isGlobal)
    cta.synchronise(touch.address, (flags & accessReleases) != 0, (flags & accessAcquires) != 0,
                    (flags & accessReads) != 0, touch.isWrite);
}

void loadWhere(void *value, void *address, uint32_t bytes, uint32_t predicate, uint32_t site) {
  if (!predicate) {
    std::memset(value, 0, bytes);
    return;
  }
  accessCall(address, nullptr, bytes, bytes, accessReads | static_cast<uint32_t>(Space::Global) << accessSpaceShift,
             site);
  std::memcpy(value, address, bytes);
}

void storeWhere(void *value, void *address, uint32_t bytes, uint32_t predicate, uint32_t site) {
  if (!predicate)
    return;
  accessCall(address, value, bytes, bytes, accessWrites | static_cast<uint32_t>(Space::Global) << accessSpaceShift,
             site);
  std::memcpy(address, value, bytes);
}

/// As the CTA's threads call it; of another CTA, an address that says so. In a cluster, addresses of one's own memory
/// have the rank in the bits above the memory's size too, but for the first CTA, where that is 0.
uint64_t sharedAddress(void *pointer, uint32_t) {
  Cta &cta = Cta::current();
  uint64_t address = cta.memory().sharedAddress(pointer);
  return Memory::rankOf(address) == 0 && cta.thread().rank == 0 ? Memory::inCta(address) : address;
}
void *peerPointer(void *pointer, uint32_t rank, uint32_t site) {
  Cta &cta = Cta::current();
  if (rank >= cta.numCtas())
    cta.fault(FindingKind::Misuse,
              cta.threadText() + " executes " + cta.siteText(site) + " with CTA " + std::to_string(rank) +
                  " of its cluster, which has " + std::to_string(cta.numCtas()),
              site);
  return cta.memory().peerPointer(pointer, rank);
}
void *sharedPointer(uint64_t address, uint32_t) { return Cta::current().memory().sharedPointer(address); }
void fence(uint32_t) { Cta::current().fence(); }
void fenceProxy(uint32_t) { Cta::current().fenceProxy(); }

void *shared(uint32_t offset, uint32_t) { return Cta::current().memory().shared().data + offset; }

void cpAsync(void *destination, void *source, uint32_t bytes, uint32_t sourceBytes, uint32_t site) {
  Cta &cta = Cta::current();
  cta.noteProgress();
  uint32_t thread = cta.thread().index;
  if (sourceBytes > bytes)
    cta.fault(FindingKind::Misuse,
              cta.threadText() + " copies " + std::to_string(sourceBytes) + " bytes by " + cta.siteText(site) +
                  ", which takes at most " + std::to_string(bytes),
              site);
  if (sourceBytes > 0) {
    // Read from now on until the wait; where the bytes are written in between shows at either end.
    Touch read = {thread, reinterpret_cast<uintptr_t>(source), sourceBytes, bytes, Space::Global, false, false, site};
    recordTouch(cta, read);
  }
  Touch write = {thread, reinterpret_cast<uintptr_t>(destination), bytes, bytes, Space::Shared, true, false, site};
  write.copy = Copy::OfThread;
  uint32_t record = beginCopy(cta, write);
  cta.thread().openGroup.push_back({static_cast<char *>(destination), static_cast<const char *>(source), bytes,
                                    sourceBytes, record, site, cta.trace() ? cta.trace()->step() : 0});
}

void cpAsyncCommit(uint32_t) {
  Thread &thread = Cta::current().thread();
  thread.groups.push_back(std::move(thread.openGroup));
  thread.openGroup.clear();
}

void cpAsyncWait(uint32_t left, uint32_t) {
  Cta &cta = Cta::current();
  completeCopies(cta, cta.thread(), left, /*withOpen=*/false);
}

} // namespace

void addMemoryFunctions(std::vector<DeviceFunction> &table) {
  table.insert(table.end(), {
                                deviceFunction("tenon_sim_access", accessCall),
                                deviceFunction("tenon_sim_shared", shared),
                                deviceFunction("tenon_sim_shared_address", sharedAddress),
                                deviceFunction("tenon_sim_shared_pointer", sharedPointer),
                                deviceFunction("tenon_sim_mapa", peerPointer),
                                deviceFunction("tenon_sim_load", loadWhere),
                                deviceFunction("tenon_sim_store", storeWhere),
                                deviceFunction("tenon_sim_fence", fence),
                                deviceFunction("tenon_sim_fence_proxy", fenceProxy),
                                deviceFunction("tenon_sim_cp_async", cpAsync),
                                deviceFunction("tenon_sim_cp_async_commit", cpAsyncCommit),
                                deviceFunction("tenon_sim_cp_async_wait", cpAsyncWait),
                            });
}

} // namespace tenon::sim
