#include "lib/Sim/Memory.h"

#include <algorithm>
#include <cstring>

namespace tenon::sim {

static constexpr int64_t redZone = 4096, globalAlignment = 256, sharedAlignment = 1024;
static constexpr int unwritten = 0xFF; // NaN in every float

static char *alignUp(char *address, int64_t alignment) {
  auto value = reinterpret_cast<uintptr_t>(address);
  return address + (alignment - value % alignment) % alignment;
}

Allocation &GlobalMemory::add(std::string name, const void *data, int64_t bytes, int64_t initialised, bool isWritable) {
  auto block = std::make_unique<Block>();
  size_t total = static_cast<size_t>(bytes + 2 * redZone + globalAlignment);
  block->storage = std::make_unique<char[]>(total);
  std::memset(block->storage.get(), unwritten, total);
  Allocation &allocation = block->allocation;
  allocation.name = std::move(name);
  allocation.data = alignUp(block->storage.get() + redZone, globalAlignment);
  allocation.bytes = bytes;
  allocation.isWritable = isWritable;
  if (data)
    std::memcpy(allocation.data, data, static_cast<size_t>(bytes));
  if (isWritable)
    allocation.history.reset(bytes, initialised);
  auto place = std::lower_bound(blocks.begin(), blocks.end(), allocation.begin(),
                                [](const auto &each, uintptr_t begin) { return each->allocation.begin() < begin; });
  blocks.insert(place, std::move(block));
  return allocation;
}

void GlobalMemory::guardHistories() {
  for (const auto &block : blocks)
    block->allocation.guard = &block->guard;
}

Allocation *GlobalMemory::find(uintptr_t address) {
  auto above = std::upper_bound(blocks.begin(), blocks.end(), address,
                                [](uintptr_t wanted, const auto &each) { return wanted < each->allocation.begin(); });
  if (above == blocks.begin())
    return nullptr;
  Allocation &candidate = (*std::prev(above))->allocation;
  return candidate.holds(address, 1) ? &candidate : nullptr;
}

void join(ClocksOfClusters &into, const ClocksOfClusters &more) {
  for (const auto &[cluster, clocks] : more) {
    std::vector<uint32_t> &known = into[cluster];
    known.resize(clocks.size(), 0);
    for (size_t actor = 0; actor < clocks.size(); ++actor)
      known[actor] = std::max(known[actor], clocks[actor]);
  }
}

Memory::Memory(GlobalMemory &global, int64_t bytes, uint32_t numCtas) : global(global) {
  sharedMemories.resize(numCtas);
  for (Allocation &memory : sharedMemories) {
    sharedStorage.push_back(std::make_unique<char[]>(static_cast<size_t>(bytes + 2 * redZone + sharedAlignment)));
    memory.name = "shared memory";
    memory.data = alignUp(sharedStorage.back().get() + redZone, sharedAlignment);
    memory.bytes = bytes;
    memory.isGlobal = false;
  }
  resetShared();
}

void Memory::resetShared() {
  for (Allocation &memory : sharedMemories) {
    std::memset(memory.data, unwritten, static_cast<size_t>(memory.bytes));
    memory.history.reset(memory.bytes, 0);
  }
}

uint64_t Memory::sharedAddress(const void *pointer) const {
  auto address = reinterpret_cast<uintptr_t>(pointer);
  uint32_t rank = current; // also of a pointer to none of them, which the access will tell
  for (uint32_t each = 0; each < sharedMemories.size(); ++each)
    if (sharedMemories[each].holds(address, 0))
      rank = each;
  return address - sharedMemories[rank].begin() + firstSharedAddress + (uint64_t{rank} + 1) * ctaWindow;
}

Allocation *Memory::find(uintptr_t address) {
  for (Allocation &memory : sharedMemories)
    if (memory.holds(address, 1))
      return &memory;
  if (last && last->holds(address, 1))
    return last;
  Allocation *found = global.find(address);
  if (found)
    last = found;
  return found;
}

std::string Memory::describeOutside(uintptr_t address) const {
  const Allocation *nearest = nullptr;
  uintptr_t least = 0;
  auto consider = [&](const Allocation &each) {
    uintptr_t end = each.begin() + static_cast<uintptr_t>(each.bytes);
    uintptr_t distance = address < each.begin() ? each.begin() - address : address - end;
    if (each.data && (!nearest || distance < least)) {
      nearest = &each;
      least = distance;
    }
  };
  consider(sharedMemories[current]);
  for (const auto &block : global.blocks)
    consider(block->allocation);
  if (!nearest || least > (uintptr_t{1} << 32))
    return "at an address far from all memory of the kernel";
  std::string name = isShared(*nearest) ? "shared memory" : "'" + nearest->name + "'";
  return std::to_string(least) +
         (address < nearest->begin() ? " bytes before the start of " : " bytes past the end of ") + name + " (" +
         std::to_string(nearest->bytes) + " bytes)";
}

} // namespace tenon::sim
