// Stack overflows of simulated threads. The kernel's code touches each page of the stack in turn, so that it faults in
// the guard below; the simulator's own functions ask for room first (Cta::requireStack).
#pragma once

#include <memory>

namespace tenon::sim {

/// While it lives, a touch of the guard below the running fiber's stack, on this thread of the host, ends that fiber
/// (Cta::leaveOverflowed). Other faults go where they went before.
class StackWatch {
public:
  StackWatch();
  ~StackWatch();
  StackWatch(const StackWatch &) = delete;
  StackWatch &operator=(const StackWatch &) = delete;

private:
  std::unique_ptr<char[]> stack; ///< of the handler: the fiber's is spent
  struct Before;
  std::unique_ptr<Before> before;
};

} // namespace tenon::sim
