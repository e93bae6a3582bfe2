// What a simulated launch did when, for the viewers of Chrome and Perfetto: a process a CTA, a track a warp with its
// waits and products, and beside them copies and products of wgmma from their issue to the wait that ends them. Times
// are steps of the simulator, and say what came after what; they say nothing of how long a GPU takes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tenon::sim {

class Trace {
public:
  /// What an event is about; the first two are on the warp's own track.
  enum class Kind : uint8_t { Wait, Product, AsyncProduct, AsyncCopy, BulkLoad, BulkStore };

  /// Events from now on are of CTAs of such names, "gemm, CTA (0, 0, 0)": of the first where `rank` is 0, whose
  /// cluster's warps are numbered through.
  void beginCta(std::string name, uint32_t rank, uint32_t warpsOfCta);
  /// The next step.
  uint64_t step() { return ++now; }
  uint64_t time() const { return now; }
  /// Waits of lanes at the same op that overlap become one.
  void add(Kind kind, uint32_t warp, const std::string &op, uint64_t begin, uint64_t bytes = 0);

  /// The trace as JSON, in the "Trace Event Format".
  std::string json() const;

private:
  struct Event {
    Kind kind;
    uint32_t process, warp, name;
    uint64_t begin, end, bytes;
  };
  uint32_t nameOf(const std::string &text);

  uint64_t now = 0;
  uint32_t firstProcess = 0, warpsOfCta = 1;
  std::vector<std::string> processes, names;
  std::map<std::string, uint32_t> numberOf; ///< of names
  std::vector<Event> events;
  std::map<std::pair<uint32_t, uint32_t>, size_t> lastWait; ///< of a warp at an op, in this CTA: its event
  uint64_t numLeftOut = 0;
};

} // namespace tenon::sim
