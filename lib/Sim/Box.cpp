// Boxes of tensors in shared memory: which bytes are where.
#include "lib/Sim/MemoryAccess.h"
#include "lib/Sim/Transfers.h"

#include <algorithm>

namespace tenon::sim {

int64_t Box::bytes() const {
  int64_t bytes = map->elementBytes;
  for (int64_t size : map->box)
    bytes *= size;
  return bytes;
}

int64_t Box::pitch() const { return map->swizzle > 16 ? map->swizzle : map->box[0] * map->elementBytes; }

int64_t Box::sharedBytes() const { return bytes() / (map->box[0] * map->elementBytes) * pitch(); }

uint64_t swizzled(const TensorMap &map, uint64_t address) {
  uint64_t chunks = std::max<uint64_t>(static_cast<uint64_t>(map.swizzle) / 16, 1); // 16 bytes are moved as one
  return address ^ (address >> 7 & (chunks - 1)) << 4;
}

void forEachRow(const Box &box, const std::function<void(const BoxRow &)> &visit) {
  const TensorMap &map = *box.map;
  int64_t first = std::clamp<int64_t>(-box.place[0], 0, map.box[0]);
  int64_t last = std::clamp<int64_t>(map.sizes[0] - box.place[0], first, map.box[0]);
  std::array<int64_t, 5> index = {};
  uint64_t shared = box.shared;
  for (bool isDone = false; !isDone; shared += static_cast<uint64_t>(box.pitch())) {
    char *global = map.base + map.offset + (box.place[0] + first) * map.elementBytes;
    bool isInside = true;
    for (size_t d = 1; d < map.box.size(); ++d) {
      int64_t at = box.place[d] + index[d];
      isInside &= at >= 0 && at < map.sizes[d];
      global += isInside ? at * map.strides[d - 1] : 0;
    }
    visit({shared, global, first, isInside ? last - first : 0});
    isDone = true;
    for (size_t d = 1; d < map.box.size() && isDone; ++d) {
      isDone = ++index[d] == map.box[d];
      index[d] = isDone ? 0 : index[d];
    }
  }
}

Box boxAt(Cta &cta, const void *descriptor, const void *shared, const int32_t *place, uint32_t rank, uint32_t site) {
  const TensorMap *map = cta.launch().findMap(descriptor);
  if (!map || map->box.size() != rank)
    cta.fault(FindingKind::Misuse,
              cta.threadText() + " executes " + cta.siteText(site) + " with " +
                  (map ? "a tensor map of another rank" : "an address that is none of the launch's tensor maps"),
              site);
  // The manual leaves it to the reader; the hardware stops with an illegal instruction.
  if (int64_t at = place[0] * map->elementBytes; at % 16 != 0)
    cta.fault(FindingKind::Misaligned,
              cta.threadText() + " executes " + cta.siteText(site) + " at innermost coordinate " +
                  std::to_string(place[0]) + ", byte " + std::to_string(at) + " of a row; expected a multiple of 16",
              site);
  Box box = {map, {}, cta.memory().sharedAddress(shared)};
  std::copy_n(place, rank, box.place.begin());
  return box;
}

std::vector<uint32_t> touchGlobal(Cta &cta, const Box &box, uint32_t actor, bool isWrite, bool isUpdate,
                                  uint32_t site) {
  std::vector<uint32_t> records;
  if (cta.counts())
    cta.counts()->bulkCopy(site);
  forEachRow(box, [&](const BoxRow &row) {
    if (row.count == 0)
      return;
    if (cta.counts())
      cta.counts()->bulkRow(site, reinterpret_cast<uintptr_t>(row.global),
                            static_cast<uint32_t>(row.count * box.map->elementBytes));
    Touch touch = {actor,
                   reinterpret_cast<uintptr_t>(row.global),
                   static_cast<uint32_t>(row.count * box.map->elementBytes),
                   /*alignment=*/1,
                   Space::Global,
                   isWrite,
                   /*isAtomic=*/isUpdate,
                   site};
    touch.isUpdate = isUpdate;
    touch.copy = isWrite ? Copy::Store : Copy::None;
    if (isWrite)
      records.push_back(beginCopy(cta, touch));
    else
      recordTouch(cta, touch);
  });
  return records;
}

} // namespace tenon::sim
