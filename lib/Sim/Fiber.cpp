#include "lib/Sim/Fiber.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <sys/mman.h>
#include <unistd.h>

namespace tenon::sim {

/// More than a frame of the simulator's own has, whose code does not touch each page of it in turn.
static constexpr size_t leastGuard = 256 << 10;

StackPool::StackPool(size_t bytes) : size(bytes) {
  auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  guard = (leastGuard + page - 1) / page * page;
}

static std::mutex freePoolsMutex;
static std::vector<std::unique_ptr<StackPool>> &freePools() {
  static std::vector<std::unique_ptr<StackPool>> pools;
  return pools;
}

StackPool::Lease::Lease(size_t bytes) {
  std::lock_guard lock(freePoolsMutex);
  auto &pools = freePools();
  auto free = std::find_if(pools.begin(), pools.end(), [&](const auto &pool) { return pool->bytes() == bytes; });
  if (free == pools.end()) {
    held = std::make_unique<StackPool>(bytes);
  } else {
    held = std::move(*free);
    pools.erase(free);
  }
}

StackPool::Lease::~Lease() {
  std::lock_guard lock(freePoolsMutex);
  freePools().push_back(std::move(held));
}

StackPool::~StackPool() {
  for (char *stack : mapped)
    munmap(stack - guard, size + guard);
}

char *StackPool::stack(size_t index) {
  while (mapped.size() <= index) {
    void *memory = mmap(nullptr, size + guard, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
      return nullptr;
    mprotect(memory, guard, PROT_NONE);
    mapped.push_back(static_cast<char *>(memory) + guard);
  }
  return mapped[index];
}

void Fiber::start(unsigned low, unsigned high) {
  auto *self = reinterpret_cast<Fiber *>((static_cast<uintptr_t>(high) << 32) | low);
  self->body(self->data);
  std::abort(); // the body returned
}

void Fiber::prepare(char *stack, size_t bytes, Body newBody, void *newData) {
  body = newBody;
  data = newData;
  getcontext(&context);
  context.uc_stack.ss_sp = stack;
  context.uc_stack.ss_size = bytes;
  context.uc_link = nullptr;
  auto self = reinterpret_cast<uintptr_t>(this); // makecontext passes ints alone
  makecontext(&context, reinterpret_cast<void (*)()>(start), 2, static_cast<unsigned>(self),
              static_cast<unsigned>(self >> 32));
}

void Fiber::enter() { swapcontext(&caller, &context); }
void Fiber::leave() { swapcontext(&context, &caller); }
void Fiber::abandon() {
  setcontext(&caller);
  std::abort();
}

} // namespace tenon::sim
