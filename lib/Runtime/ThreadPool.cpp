#include "lib/Runtime/ThreadPool.h"

#include <algorithm>
#include <chrono>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tenon {

static constexpr uint32_t openBit = 1u << 31;
static constexpr auto spinTime = std::chrono::microseconds(100);
static constexpr int64_t chunksPerThread = 8; // evens out tasks of unequal length

static void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  asm volatile("yield");
#endif
}

static void futexWait(std::atomic<uint32_t> &word, uint32_t expected) {
  ::syscall(SYS_futex, reinterpret_cast<uint32_t *>(&word), FUTEX_WAIT_PRIVATE, expected, nullptr, nullptr, 0);
}
static void futexWake(std::atomic<uint32_t> &word, int count) {
  ::syscall(SYS_futex, reinterpret_cast<uint32_t *>(&word), FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
}

ThreadPool::ThreadPool(int threads) {
  workers.reserve(static_cast<size_t>(std::max(threads, 1) - 1));
  for (int i = 1; i < threads; ++i)
    workers.emplace_back([this, i] { work(i); });
}

ThreadPool::~ThreadPool() {
  stopping = true;
  ++epoch;
  futexWake(epoch, INT_MAX);
  for (std::thread &worker : workers)
    worker.join();
}

// Enters the job that is open now, if there is one this worker has not seen.
bool ThreadPool::enter(uint32_t &seen) {
  if (epoch.load(std::memory_order_acquire) == seen)
    return false;
  uint32_t state = gate.load(std::memory_order_acquire);
  while (state & openBit)
    if (gate.compare_exchange_weak(state, state + 1, std::memory_order_acquire)) {
      seen =
          epoch.load(std::memory_order_relaxed); // at worst one behind: then the job is entered twice, and found empty
      return true;
    }
  return false;
}

void ThreadPool::takeChunks(int worker) {
  for (;;) {
    int64_t first = next.fetch_add(chunk, std::memory_order_relaxed);
    if (first >= total)
      return;
    task(data, first, std::min(first + chunk, total), worker);
  }
}

void ThreadPool::work(int worker) {
  uint32_t seen = 0;
  auto idleSince = std::chrono::steady_clock::now();
  for (int spins = 0;; ++spins) {
    if (enter(seen)) {
      takeChunks(worker);
      gate.fetch_sub(1, std::memory_order_release);
      idleSince = std::chrono::steady_clock::now();
      continue;
    }
    if (stopping.load(std::memory_order_relaxed))
      return;
    pause();
    if (spins % 64 != 63 || std::chrono::steady_clock::now() - idleSince < spinTime)
      continue;
    // A launch after this load changes the word, and the system then refuses to sleep on it.
    uint32_t now = epoch.load();
    sleepers.fetch_add(1);
    if (!(gate.load() & openBit) && !stopping)
      futexWait(epoch, now);
    sleepers.fetch_sub(1);
    idleSince = std::chrono::steady_clock::now();
  }
}

void ThreadPool::parallelFor(int64_t tasks, Task newTask, void *newData) {
  if (tasks <= 0)
    return;
  bool alone = tasks == 1 || workers.empty() || forked.load(std::memory_order_relaxed);
  if (alone || busy.exchange(true, std::memory_order_acquire)) {
    newTask(newData, 0, tasks, 0);
    return;
  }
  task = newTask;
  data = newData;
  total = tasks;
  chunk = std::max<int64_t>(1, tasks / (numThreads() * chunksPerThread));
  next.store(0, std::memory_order_relaxed);
  gate.store(openBit, std::memory_order_release);
  epoch.fetch_add(1);
  if (sleepers.load())
    futexWake(epoch, static_cast<int>(std::min<int64_t>(tasks - 1, INT_MAX)));

  takeChunks(0);
  gate.fetch_and(~openBit, std::memory_order_acq_rel);
  for (int spins = 0; gate.load(std::memory_order_acquire) != 0; ++spins)
    if (spins < 10000)
      pause();
    else
      ::sched_yield(); // more threads than cores: let the one inside finish
  busy.store(false, std::memory_order_release);
}

//===--- the pool of the process ---------------------------------------------------------------------------------===//

// A container may own fewer cores than it sees; spinning beyond the quota stops every thread of it.
static int quotaCores() {
  std::FILE *file = std::fopen("/sys/fs/cgroup/cpu.max", "re");
  if (!file)
    return INT_MAX;
  long long quota = 0, period = 0;
  int fields = std::fscanf(file, "%lld %lld", &quota, &period); // "max 100000" reads no field
  std::fclose(file);
  return fields == 2 && quota > 0 && period > 0 ? static_cast<int>(std::max(1LL, (quota + period / 2) / period))
                                                : INT_MAX;
}

static int defaultThreads() {
  if (const char *text = std::getenv("TENON_THREADS")) {
    char *end = nullptr;
    long value = std::strtol(text, &end, 10);
    if (end != text && *end == 0 && value >= 1 && value <= 1024)
      return static_cast<int>(value);
    std::fprintf(stderr, "tenon: TENON_THREADS='%s' is not a number from 1 to 1024 and is ignored\n", text);
  }
  cpu_set_t set;
  int cores = ::sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set)
                                                             : static_cast<int>(std::thread::hardware_concurrency());
  return std::max(1, std::min(cores, quotaCores()));
}

void ThreadPool::abandonAfterFork() {
  forked = true;
  busy = false;
}

ThreadPool &ThreadPool::global() {
  // Never destroyed: threads of the user may still run while the process ends. A forked child has none of the threads.
  static ThreadPool *pool = [] {
    auto *created = new ThreadPool(defaultThreads());
    ::pthread_atfork(nullptr, nullptr, [] { global().abandonAfterFork(); });
    return created;
  }();
  return *pool;
}

} // namespace tenon
