#include "lib/Sim/ClusterOrder.h"

namespace tenon::sim {

std::optional<uint32_t> ClusterOrder::start() {
  std::lock_guard lock(mutex);
  if (isOver || numStarted == hasEnded.size())
    return std::nullopt;
  return numStarted++;
}

void ClusterOrder::end(uint32_t cluster) {
  std::lock_guard lock(mutex);
  hasEnded[cluster] = true;
  while (firstRunning < hasEnded.size() && hasEnded[firstRunning])
    ++firstRunning;
  hasChanged.notify_all();
}

void ClusterOrder::awaitTurn(uint32_t cluster) {
  std::unique_lock lock(mutex);
  hasChanged.wait(lock, [&] { return isOver || firstRunning == cluster; });
}

void ClusterOrder::giveUp() {
  std::lock_guard lock(mutex);
  isOver = true;
  hasChanged.notify_all();
}

} // namespace tenon::sim
