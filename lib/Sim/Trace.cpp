#include "lib/Sim/Trace.h"

#include <algorithm>

namespace tenon::sim {

static constexpr size_t mostEvents = 2'000'000; // viewers take no more

void Trace::beginCta(std::string name, uint32_t rank, uint32_t warps) {
  warpsOfCta = warps;
  if (rank == 0)
    firstProcess = static_cast<uint32_t>(processes.size());
  processes.push_back(std::move(name));
  lastWait.clear();
}

uint32_t Trace::nameOf(const std::string &text) {
  auto [found, isNew] = numberOf.emplace(text, static_cast<uint32_t>(names.size()));
  if (isNew)
    names.push_back(text);
  return found->second;
}

void Trace::add(Kind kind, uint32_t warp, const std::string &op, uint64_t begin, uint64_t bytes) {
  uint32_t name = nameOf(op);
  uint64_t end = step();
  if (kind == Kind::Wait)
    if (auto last = lastWait.find({warp, name}); last != lastWait.end() && begin <= events[last->second].end) {
      events[last->second].begin = std::min(events[last->second].begin, begin);
      events[last->second].end = end;
      return;
    }
  if (events.size() == mostEvents) {
    ++numLeftOut;
    return;
  }
  if (kind == Kind::Wait)
    lastWait[{warp, name}] = events.size();
  events.push_back({kind, firstProcess + warp / warpsOfCta, warp % warpsOfCta, name, begin, end, bytes});
}

static std::string quoted(const std::string &text) {
  std::string result = "\"";
  for (char each : text) {
    if (each == '"' || each == '\\')
      result += '\\';
    if (static_cast<unsigned char>(each) >= ' ')
      result += each;
  }
  return result + "\"";
}

static const char *categoryOf(Trace::Kind kind) {
  switch (kind) {
  case Trace::Kind::Wait:
    return "wait";
  case Trace::Kind::Product:
    return "product";
  case Trace::Kind::AsyncProduct:
    return "wgmma";
  case Trace::Kind::AsyncCopy:
    return "cp.async";
  case Trace::Kind::BulkLoad:
    return "TMA load";
  case Trace::Kind::BulkStore:
    return "TMA store";
  }
  return "";
}

/// What the warp does besides waiting: "warp 8: TMA load".
static std::string trackName(uint32_t warp, const std::vector<bool> &kinds) {
  std::string role;
  for (Trace::Kind kind : {Trace::Kind::BulkLoad, Trace::Kind::AsyncCopy, Trace::Kind::Product,
                           Trace::Kind::AsyncProduct, Trace::Kind::BulkStore})
    if (kinds[static_cast<size_t>(kind)])
      role += std::string(role.empty() ? ": " : ", ") + categoryOf(kind);
  return "warp " + std::to_string(warp) + role;
}

std::string Trace::json() const {
  std::string text = "{\"displayTimeUnit\": \"ns\", \"otherData\": {\"times\": \"steps of the simulator: an order, no "
                     "estimate of time\", \"events left out\": " +
                     std::to_string(numLeftOut) + "},\n\"traceEvents\": [\n";
  bool isFirst = true;
  auto append = [&](const std::string &event) {
    text += (isFirst ? "{" : ",\n{") + event + "}";
    isFirst = false;
  };
  auto common = [](const char *phase, uint32_t process, uint32_t warp) {
    return "\"ph\": \"" + std::string(phase) + "\", \"pid\": " + std::to_string(process) +
           ", \"tid\": " + std::to_string(warp);
  };
  for (uint32_t process = 0; process < processes.size(); ++process)
    append("\"name\": \"process_name\", " + common("M", process, 0) +
           ", \"args\": {\"name\": " + quoted(processes[process]) + "}");
  std::map<std::pair<uint32_t, uint32_t>, std::vector<bool>> tracks;
  for (const Event &event : events) {
    auto track = tracks.emplace(std::pair(event.process, event.warp), std::vector<bool>(6)).first;
    track->second[static_cast<size_t>(event.kind)] = true;
  }
  for (const auto &[track, kinds] : tracks)
    append("\"name\": \"thread_name\", " + common("M", track.first, track.second) +
           ", \"args\": {\"name\": " + quoted(trackName(track.second, kinds)) + "}");
  // Slices of a track follow each other: lanes of a warp that wait in two places share what overlaps.
  std::vector<Event> ordered(events);
  std::sort(ordered.begin(), ordered.end(), [](const Event &a, const Event &b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); // no two end in the same step
  });
  std::map<std::pair<uint32_t, uint32_t>, uint64_t> busyUntil;
  uint64_t number = 0;
  for (const Event &event : ordered) {
    std::string what =
        ", \"cat\": \"" + std::string(categoryOf(event.kind)) + "\", \"name\": " + quoted(names[event.name]);
    std::string bytes = event.bytes == 0 ? "" : ", \"args\": {\"bytes\": " + std::to_string(event.bytes) + "}";
    if (event.kind == Kind::Wait || event.kind == Kind::Product) {
      uint64_t &until = busyUntil[{event.process, event.warp}];
      uint64_t begin = std::max(event.begin, until);
      if (begin >= event.end)
        continue;
      until = event.end;
      append(common("X", event.process, event.warp) + what + ", \"ts\": " + std::to_string(begin) +
             ", \"dur\": " + std::to_string(event.end - begin));
      continue;
    }
    std::string id = ", \"id\": " + std::to_string(++number);
    append(common("b", event.process, event.warp) + what + id + ", \"ts\": " + std::to_string(event.begin) + bytes);
    append(common("e", event.process, event.warp) + what + id + ", \"ts\": " + std::to_string(event.end));
  }
  return text + "\n]}\n";
}

} // namespace tenon::sim
