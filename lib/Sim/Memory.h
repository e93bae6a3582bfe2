// The memory that a simulated kernel may touch: global allocations with red zones, and the shared memory of the running
// CTA. As a number an address in shared memory is an offset, as on the GPU, so that it fits an i32 and a descriptor.
#pragma once

#include "lib/Sim/AccessHistory.h"

#include <memory>
#include <string>
#include <vector>

namespace tenon::sim {

enum class Space : uint8_t { Generic = 0, Global = 1, Shared = 3 };

struct Allocation {
  std::string name;
  char *data = nullptr;
  int64_t bytes = 0;
  bool isWritable = true, isStatic = false;
  AccessHistory history; ///< empty where nothing may write

  uintptr_t begin() const { return reinterpret_cast<uintptr_t>(data); }
  bool holds(uintptr_t address, int64_t count) const {
    return address >= begin() && address - begin() + static_cast<uint64_t>(count) <= static_cast<uint64_t>(bytes);
  }
};

class Memory {
public:
  /// A copy of `bytes` bytes at `data` (null: filled with a pattern), at a multiple of 256, amid red zones. The first
  /// `initialised` of them may be read before they are written.
  Allocation &addGlobal(std::string name, const void *data, int64_t bytes, int64_t initialised, bool isWritable);
  /// The shared memory of one CTA, at a multiple of 1024. Called once.
  void addShared(int64_t bytes);
  /// As a CTA finds it: any bytes, none written.
  void resetShared();

  Allocation &shared() { return sharedMemory; }
  uint64_t sharedAddress(const void *pointer) const {
    return reinterpret_cast<uintptr_t>(pointer) - sharedMemory.begin() + firstSharedAddress;
  }
  void *sharedPointer(uint64_t address) const {
    return reinterpret_cast<void *>(sharedMemory.begin() + address - firstSharedAddress);
  }
  /// The allocation that holds the first of the bytes, or nothing.
  Allocation *find(uintptr_t address);
  /// "4 bytes past the end of 'x' (64 bytes)": where an address outside of all lies.
  std::string describeOutside(uintptr_t address) const;

private:
  struct Block {
    std::unique_ptr<char[]> storage;
    Allocation allocation;
  };
  std::vector<std::unique_ptr<Block>> blocks; // sorted by address
  Allocation *last = nullptr;
  std::unique_ptr<char[]> sharedStorage;
  Allocation sharedMemory;
  static constexpr uint64_t firstSharedAddress = 1024; ///< sm_90 keeps what is below
};

} // namespace tenon::sim
