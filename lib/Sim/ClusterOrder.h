// Clusters of a launch on several threads of the host, with what a single thread gives that takes them by number.
//
// Those that share no memory but by atomic accesses can run side by side, as long as atomic accesses have an order of
// their own: a cluster makes its first when all before it have ended. Whatever else two of them share, or any finding,
// ends the attempt; the launch is then run anew on one thread. So neither results nor reports depend on how many there
// are.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

namespace tenon::sim {

class ClusterOrder {
public:
  explicit ClusterOrder(uint32_t numClusters) : hasEnded(numClusters, false) {}

  /// The number of the next to run, or none where all have started or the attempt ended.
  std::optional<uint32_t> start();
  void end(uint32_t cluster);
  /// Until all before it have ended, or the attempt did.
  void awaitTurn(uint32_t cluster);
  void giveUp();
  bool hasGivenUp() const { return isOver; }

private:
  std::mutex mutex;
  std::condition_variable hasChanged;
  std::vector<bool> hasEnded;
  uint32_t numStarted = 0, firstRunning = 0;
  bool isOver = false;
};

} // namespace tenon::sim
