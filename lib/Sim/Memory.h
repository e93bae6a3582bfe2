// The memory that a simulated kernel may touch: global allocations with red zones, which all CTAs share, and the shared
// memory of those that run together. As a number an address in shared memory is an offset, as on the GPU, so that it
// fits an i32 and a descriptor.
#pragma once

#include "lib/Sim/AccessHistory.h"

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace tenon::sim {

enum class Space : uint8_t { Generic = 0, Global = 1, Shared = 3, Cluster = 7 };

struct Allocation {
  std::string name;
  char *data = nullptr;
  int64_t bytes = 0;
  bool isWritable = true, isStatic = false, isGlobal = true;
  AccessHistory history;       ///< empty where nothing may write
  std::mutex *guard = nullptr; ///< of the history, where threads of the host share it

  /// Held while the history is looked at.
  std::unique_lock<std::mutex> lock() const {
    return guard ? std::unique_lock(*guard) : std::unique_lock<std::mutex>();
  }

  uintptr_t begin() const { return reinterpret_cast<uintptr_t>(data); }
  bool holds(uintptr_t address, int64_t count) const {
    return address >= begin() && address - begin() + static_cast<uint64_t>(count) <= static_cast<uint64_t>(bytes);
  }
};

/// Moments of the actors of clusters, by the clusters' numbers.
using ClocksOfClusters = std::map<uint32_t, std::vector<uint32_t>>;
void join(ClocksOfClusters &into, const ClocksOfClusters &more);

/// Operands, results and workspace of a launch.
class GlobalMemory {
public:
  /// What is told at an address by atomic writes. Clusters take turns at these (ClusterOrder).
  std::map<uintptr_t, ClocksOfClusters> told;

  /// A copy of `bytes` bytes at `data` (null: filled with a pattern), at a multiple of 256, amid red zones. The first
  /// `initialised` of them may be read before they are written.
  Allocation &add(std::string name, const void *data, int64_t bytes, int64_t initialised, bool isWritable);
  /// CTAs run on several threads of the host.
  void guardHistories();
  /// The allocation that holds the byte, or nothing.
  Allocation *find(uintptr_t address);

private:
  friend class Memory;
  struct Block {
    std::unique_ptr<char[]> storage;
    std::mutex guard;
    Allocation allocation;
  };
  std::vector<std::unique_ptr<Block>> blocks; // sorted by address
};

/// What the CTAs of a cluster see.
class Memory {
public:
  /// The shared memory of each CTA, at multiples of 1024.
  Memory(GlobalMemory &global, int64_t sharedBytes, uint32_t numCtas);
  /// The CTA whose shared memory is meant where no other is said.
  void setCurrent(uint32_t rank) { current = rank; }
  /// As a CTA finds it: any bytes, none written.
  void resetShared();

  Allocation &shared() { return sharedMemories[current]; }
  Allocation &sharedOf(uint32_t rank) { return sharedMemories[rank]; }
  std::map<uintptr_t, ClocksOfClusters> &told() { return global.told; }
  bool isShared(const Allocation &allocation) const { return !allocation.isGlobal; }
  uint32_t rankOf(const Allocation &sharedMemory) const {
    return static_cast<uint32_t>(&sharedMemory - sharedMemories.data());
  }
  /// An address that also says the CTA; inCta() is what that CTA's threads call it.
  uint64_t sharedAddress(const void *pointer) const;
  static uint64_t inCta(uint64_t address) { return address & (ctaWindow - 1); }
  /// From the start of that CTA's shared memory on.
  static uint64_t offsetOf(uint64_t address) { return inCta(address) - firstSharedAddress; }
  static uint32_t rankOf(uint64_t address) { return static_cast<uint32_t>(address / ctaWindow) - 1; }
  /// Of either kind of address.
  void *sharedPointer(uint64_t address) const {
    const Allocation &memory = sharedMemories[address < ctaWindow ? current : rankOf(address)];
    return reinterpret_cast<void *>(memory.begin() + inCta(address) - firstSharedAddress);
  }
  /// The same place in the shared memory of another CTA.
  void *peerPointer(const void *pointer, uint32_t rank) const {
    return sharedPointer(inCta(sharedAddress(pointer)) + (uint64_t{rank} + 1) * ctaWindow);
  }
  /// The allocation that holds the first of the bytes, or nothing.
  Allocation *find(uintptr_t address);
  /// "4 bytes past the end of 'x' (64 bytes)": where an address outside of all lies.
  std::string describeOutside(uintptr_t address) const;

private:
  GlobalMemory &global;
  Allocation *last = nullptr; ///< found, of global memory
  std::vector<std::unique_ptr<char[]>> sharedStorage;
  std::vector<Allocation> sharedMemories; ///< one a CTA
  uint32_t current = 0;
  static constexpr uint64_t ctaWindow = 1 << 24;
  static constexpr uint64_t firstSharedAddress = 1024; ///< sm_90 keeps what is below
};

} // namespace tenon::sim
