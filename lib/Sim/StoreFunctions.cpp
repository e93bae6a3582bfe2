// TMA's stores, and the launch ahead. A store reads shared memory from its issue until its thread waits for its group,
// and what it read comes to global memory as late as it may: at the wait for that, or at the thread's end.
#include "lib/Sim/DeviceFunctions.h"
#include "lib/Sim/MemoryAccess.h"

#include <algorithm>
#include <cstring>

namespace tenon::sim {

constexpr uint32_t chunkBytes = 16;

/// An H200 stops at the others with an illegal instruction: what the manual has for u64 or b64 is not of i64.
static bool combines(BulkWrite kind, MapElement element) {
  bool isUnsigned = element == MapElement::U32 || element == MapElement::U64, isWord = element == MapElement::I32;
  bool isShortFloat = element == MapElement::F16 || element == MapElement::BF16;
  bool isFloat = isShortFloat || element == MapElement::F32 || element == MapElement::F64;
  switch (kind) {
  case BulkWrite::Replace:
    return true;
  case BulkWrite::Add:
    return isUnsigned || isWord || isFloat;
  case BulkWrite::Min:
  case BulkWrite::Max:
    return isUnsigned || isWord || isShortFloat || element == MapElement::I64;
  case BulkWrite::Increment:
  case BulkWrite::Decrement:
    return element == MapElement::U32;
  case BulkWrite::And:
  case BulkWrite::Or:
  case BulkWrite::Xor:
    return isUnsigned || isWord;
  }
  return false;
}

/// Reads what lies in shared memory now, as the actor that stores for the warp.
static void touchShared(Cta &cta, const BulkStore &store, uint32_t actor) {
  const TensorMap &map = *store.box.map;
  forEachRow(store.box, [&](const BoxRow &row) {
    int64_t end = (row.first + row.count) * map.elementBytes;
    for (int64_t at = row.first * map.elementBytes; at < end;) {
      int64_t bytes = std::min<int64_t>(chunkBytes - at % chunkBytes, end - at);
      const void *from = cta.memory().sharedPointer(swizzled(map, row.shared + static_cast<uint64_t>(at)));
      recordTouch(cta, {actor, reinterpret_cast<uintptr_t>(from), static_cast<uint32_t>(bytes), 1, Space::Shared, false,
                        false, store.site});
      at += bytes;
    }
  });
}

static void read(Cta &cta, BulkStore &store) {
  const TensorMap &map = *store.box.map;
  store.staged.resize(static_cast<size_t>(store.box.sharedBytes()));
  for (size_t at = 0; at < store.staged.size(); at += chunkBytes)
    std::memcpy(&store.staged[at], cta.memory().sharedPointer(swizzled(map, store.box.shared + at)), chunkBytes);
}

static void write(Cta &cta, const Thread &thread, const BulkStore &store) {
  const TensorMap &map = *store.box.map;
  if (Trace *trace = cta.trace())
    trace->add(Trace::Kind::BulkStore, thread.warp, cta.siteText(store.site), store.begin,
               static_cast<uint64_t>(store.box.bytes()));
  forEachRow(store.box, [&](const BoxRow &row) {
    auto from = static_cast<int64_t>(row.shared - store.box.shared) + row.first * map.elementBytes;
    const char *values = &store.staged[static_cast<size_t>(from)];
    for (int64_t at = 0; at < row.count * map.elementBytes; at += map.elementBytes) {
      uint64_t old = 0, given = 0;
      std::memcpy(&old, row.global + at, static_cast<size_t>(map.elementBytes));
      std::memcpy(&given, values + at, static_cast<size_t>(map.elementBytes));
      uint64_t result = combined(store.kind, map.element, old, given);
      std::memcpy(row.global + at, &result, static_cast<size_t>(map.elementBytes));
    }
  });
  Allocation *allocation = cta.memory().find(reinterpret_cast<uintptr_t>(map.base));
  std::unique_lock lock = allocation->lock();
  for (uint32_t record : store.records)
    allocation->history.completeCopy(record, thread.index, cta.momentOf(thread.index));
}

void completeStores(Cta &cta, Thread &thread, size_t left, bool onlyReads) {
  size_t done = thread.stores.size() - std::min(left, thread.stores.size());
  for (size_t index = 0; index < done; ++index) {
    StoreGroup &group = thread.stores[index];
    if (!group.isRead) {
      for (BulkStore &store : group.stores)
        read(cta, store);
      group.isRead = true;
      cta.awaitStoreReads(thread, group.moment);
    }
    if (!onlyReads)
      for (const BulkStore &store : group.stores)
        write(cta, thread, store);
  }
  if (!onlyReads)
    thread.stores.erase(thread.stores.begin(), thread.stores.begin() + static_cast<std::ptrdiff_t>(done));
}

namespace {

// What the kernel calls.

void bulkStore(void *descriptor, void *source, const int32_t *place, uint32_t rank, uint32_t kind, uint32_t predicate,
               uint32_t site) {
  if (!predicate)
    return;
  Cta &cta = Cta::current();
  cta.noteProgress();
  Thread &thread = cta.thread();
  uint32_t actor = cta.storeActor(thread.warp);
  BulkStore store = {boxAt(cta, descriptor, source, place, rank, site),
                     static_cast<BulkWrite>(kind),
                     {},
                     site,
                     cta.trace() ? cta.trace()->step() : 0,
                     {}};
  if (store.box.map->element == MapElement::TF32)
    cta.fault(FindingKind::Misuse,
              cta.threadText() + " executes " + cta.siteText(site) +
                  " with a tensor map of tf32, which has no simulation but for loads",
              site);
  bool isReduction = store.kind != BulkWrite::Replace;
  if (!combines(store.kind, store.box.map->element))
    cta.fault(FindingKind::Misuse,
              cta.threadText() + " executes " + cta.siteText(site) +
                  ", which does not combine elements of the tensor map's type so; add, min and max are of 32-bit "
                  "integers, f16 and bf16, add of f32 and f64 too, min and max of i64 too; and, or, xor of 32-bit "
                  "integers",
              site);
  // All of the box must be there, and aligned.
  checkTouch(cta, {actor, reinterpret_cast<uintptr_t>(source), static_cast<uint32_t>(store.box.sharedBytes()),
                   boxAlignment, Space::Shared, false, false, site});
  touchShared(cta, store, actor);
  store.records = touchGlobal(cta, store.box, actor, /*isWrite=*/true, isReduction, site);
  thread.openStores.push_back(std::move(store));
}

void bulkCommit(uint32_t) {
  Cta &cta = Cta::current();
  Thread &thread = cta.thread();
  thread.stores.push_back({std::move(thread.openStores), cta.commitStores(), false});
  thread.openStores.clear();
}

void bulkWait(uint32_t left, uint32_t onlyReads, uint32_t) {
  Cta &cta = Cta::current();
  completeStores(cta, cta.thread(), left, onlyReads != 0);
}

void gridWait(uint32_t) { Cta::current().awaitLaunchAhead(); }

} // namespace

void addStoreFunctions(std::vector<DeviceFunction> &table) {
  table.insert(table.end(), {
                                deviceFunction("tenon_sim_bulk_store", bulkStore),
                                deviceFunction("tenon_sim_bulk_commit", bulkCommit),
                                deviceFunction("tenon_sim_bulk_wait", bulkWait),
                                deviceFunction("tenon_sim_grid_wait", gridWait),
                            });
}

} // namespace tenon::sim
