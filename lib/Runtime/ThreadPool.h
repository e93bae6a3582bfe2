// Threads that run the tasks of a launch. A launch lasts 10 us to some ms, so waking by the system (50 us) is too slow:
// idle threads spin for a short while on a word in memory and only then sleep. Tasks [0, n) are handed out in chunks by
// one counter; the caller takes part. One launch at a time has the pool; a second caller does its tasks alone.
//
// Hand-over: `gate` counts the workers inside a job, beside an open bit. A worker enters by compare-and-swap while the
// gate is open; the caller closes it when the tasks are gone and waits until nobody is inside. So a worker which wakes
// late finds the gate closed and touches nothing.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace tenon {

class ThreadPool {
public:
  /// Runs tasks [first, last); `worker` is below numThreads() and no two calls at a time share it.
  using Task = void (*)(void *data, int64_t first, int64_t last, int worker);

  /// `threads` counts the caller; at least 1.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  /// The pool of this process: TENON_THREADS, else the cores it may use (affinity and cgroup quota).
  static ThreadPool &global();

  int numThreads() const { return static_cast<int>(workers.size()) + 1; }
  void parallelFor(int64_t tasks, Task task, void *data);

private:
  void work(int worker);
  void takeChunks(int worker);
  bool enter(uint32_t &seen);
  void abandonAfterFork();

  // Written by the caller while the gate is closed and empty.
  Task task = nullptr;
  void *data = nullptr;
  int64_t total = 0, chunk = 1;

  alignas(64) std::atomic<int64_t> next{0};
  alignas(64) std::atomic<uint32_t> gate{0};  // bit 31: open; below: workers inside
  alignas(64) std::atomic<uint32_t> epoch{0}; // one more for each launch; what sleepers wait on
  alignas(64) std::atomic<uint32_t> sleepers{0};
  alignas(64) std::atomic<bool> busy{false};
  std::atomic<bool> stopping{false}, forked{false};
  std::vector<std::thread> workers;
};

} // namespace tenon
