// Threads of a CTA as fibers: each has a stack of its own, and all share one thread of the host, so that what happens
// between two waits is never interrupted and the same seed gives the same order.
#pragma once

#include <cstddef>
#include <memory>
#include <ucontext.h>
#include <vector>

namespace tenon::sim {

/// Stacks of one size below which a page faults on touch; kept for the next CTA.
class StackPool {
public:
  explicit StackPool(size_t bytes);
  ~StackPool();
  StackPool(const StackPool &) = delete;
  StackPool &operator=(const StackPool &) = delete;

  char *stack(size_t index); ///< its lowest byte
  size_t bytes() const { return size; }

private:
  size_t size, guard;
  std::vector<char *> mapped;
};

class Fiber {
public:
  using Body = void (*)(void *data);

  /// `body` must not return: it ends by leaving for `caller` for good.
  void prepare(char *stack, size_t bytes, Body body, void *data);
  /// From the caller's stack into the fiber, until it calls leave().
  void enter();
  void leave();

private:
  static void start(unsigned low, unsigned high);
  ucontext_t context, caller;
  Body body = nullptr;
  void *data = nullptr;
};

} // namespace tenon::sim
