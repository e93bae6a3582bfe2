#include "lib/Sim/Fiber.h"

#include <cstdint>
#include <cstdlib>
#include <sys/mman.h>
#include <unistd.h>

namespace tenon::sim {

StackPool::StackPool(size_t bytes) : size(bytes), guard(static_cast<size_t>(sysconf(_SC_PAGESIZE))) {}

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

} // namespace tenon::sim
