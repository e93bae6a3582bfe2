#include "lib/Sim/StackWatch.h"

#include "lib/Sim/Cta.h"

#include <csignal>
#include <mutex>

namespace tenon::sim {

static constexpr size_t handlerBytes = 64 << 10;
static struct sigaction previous; ///< of the process

static void handle(int signal, siginfo_t *info, void *context) {
  Cta::leaveOverflowed(info->si_addr);
  if ((previous.sa_flags & SA_SIGINFO) && previous.sa_sigaction)
    return previous.sa_sigaction(signal, info, context);
  if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN)
    return previous.sa_handler(signal);
  sigaction(signal, &previous, nullptr); // the access is made again, and ends the process
}

/// Others may have put theirs in its place since the last launch.
static void install() {
  static std::mutex mutex;
  std::lock_guard lock(mutex);
  struct sigaction now = {};
  sigaction(SIGSEGV, nullptr, &now);
  if ((now.sa_flags & SA_SIGINFO) && now.sa_sigaction == handle)
    return;
  previous = now;
  struct sigaction ours = {};
  ours.sa_sigaction = handle;
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  sigemptyset(&ours.sa_mask);
  sigaction(SIGSEGV, &ours, nullptr);
}

struct StackWatch::Before {
  stack_t stack = {};
};

StackWatch::StackWatch() : stack(std::make_unique<char[]>(handlerBytes)), before(std::make_unique<Before>()) {
  install();
  stack_t mine = {};
  mine.ss_sp = stack.get();
  mine.ss_size = handlerBytes;
  sigaltstack(&mine, &before->stack);
}

StackWatch::~StackWatch() { sigaltstack(&before->stack, nullptr); }

} // namespace tenon::sim
