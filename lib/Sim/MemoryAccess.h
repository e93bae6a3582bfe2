// How a simulated thread touches memory: bounds, alignment and rights are checked, then the access is remembered.
#pragma once

#include "lib/Sim/Cta.h"

namespace tenon::sim {

struct Touch {
  uint32_t thread;
  uintptr_t address;
  uint32_t bytes, alignment;
  Space space; ///< of the pointer's type
  bool isWrite, isAtomic;
  uint32_t site;
  const void *value = nullptr;      ///< that is written, where it is known
  uint32_t numLanes = 32;           ///< of the warp that do the same together, or 0: it counts as no access of a warp
  const uint32_t *clocks = nullptr; ///< in place of the thread's
  bool isUpdate = false;            ///< a write that reads first, as atomicrmw does
  Copy copy = Copy::None;           ///< that writes
};

/// Ends the launch where the bytes are not the kernel's, or not aligned. Null for the thread's own stack.
Allocation *checkTouch(Cta &cta, const Touch &touch);
/// Checks, and remembers the access.
void recordTouch(Cta &cta, const Touch &touch);

/// Checks a write that is under way from now on; the record for AccessHistory::completeCopy.
uint32_t beginCopy(Cta &cta, const Touch &touch);

/// The oldest groups of the thread's cp.async, until `left` are pending, and then the copies without a group.
void completeCopies(Cta &cta, Thread &thread, size_t left, bool withOpen);

} // namespace tenon::sim
