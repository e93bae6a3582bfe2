// Threads of a CTA as fibers: each has a stack of its own, and all share one thread of the host, so that what happens
// between two waits is never interrupted and the same seed gives the same order.
#pragma once

#include <cstddef>
#include <memory>
#include <ucontext.h>
#include <vector>

namespace tenon::sim {

/// Stacks of one size, below each of which a touch faults; kept for the next CTA.
class StackPool {
public:
  /// A pool that nobody else uses while this lives; the next launch finds its stacks mapped.
  class Lease {
  public:
    explicit Lease(size_t bytes);
    ~Lease();
    Lease(const Lease &) = delete;
    Lease &operator=(const Lease &) = delete;
    StackPool &pool() { return *held; }

  private:
    std::unique_ptr<StackPool> held;
  };

  explicit StackPool(size_t bytes);
  ~StackPool();
  StackPool(const StackPool &) = delete;
  StackPool &operator=(const StackPool &) = delete;

  char *stack(size_t index); ///< its lowest byte
  size_t bytes() const { return size; }
  size_t guardBytes() const { return guard; } ///< that fault, right below a stack

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
  /// Leaves for good, from a handler of signals.
  [[noreturn]] void abandon();

private:
  static void start(unsigned low, unsigned high);
  ucontext_t context, caller;
  Body body = nullptr;
  void *data = nullptr;
};

} // namespace tenon::sim
