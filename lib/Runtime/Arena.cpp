#include "lib/Runtime/Arena.h"

#include <algorithm>

namespace tenon {

ArenaPlan planArena(const std::vector<Lifetime> &lifetimes, int64_t alignment) {
  ArenaPlan plan;
  plan.offsets.assign(lifetimes.size(), 0);
  std::vector<size_t> order(lifetimes.size());
  for (size_t i = 0; i < order.size(); ++i)
    order[i] = i;
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return lifetimes[a].bytes != lifetimes[b].bytes ? lifetimes[a].bytes > lifetimes[b].bytes : a < b;
  });

  auto rounded = [&](size_t i) { return (lifetimes[i].bytes + alignment - 1) / alignment * alignment; };
  std::vector<size_t> placed;
  std::vector<std::pair<int64_t, int64_t>> taken; // [begin, end) of placed buffers alive at the same time
  for (size_t i : order) {
    taken.clear();
    for (size_t other : placed)
      if (lifetimes[other].first <= lifetimes[i].last && lifetimes[i].first <= lifetimes[other].last)
        taken.push_back({plan.offsets[other], plan.offsets[other] + rounded(other)});
    std::sort(taken.begin(), taken.end());
    int64_t size = rounded(i), at = 0, best = -1, bestGap = INT64_MAX;
    for (auto [begin, end] : taken) {
      if (begin - at >= size && begin - at < bestGap) {
        best = at;
        bestGap = begin - at;
      }
      at = std::max(at, end);
    }
    plan.offsets[i] = best >= 0 ? best : at;
    plan.bytes = std::max(plan.bytes, plan.offsets[i] + size);
    placed.push_back(i);
  }
  return plan;
}

} // namespace tenon
