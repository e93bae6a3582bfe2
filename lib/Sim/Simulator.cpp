#include "lib/Sim/Simulator.h"

#include "lib/Sim/Cta.h"
#include "lib/Sim/StackWatch.h"
#include "lib/Sim/TensorMapRules.h"

#include <algorithm>
#include <cstring>
#include <thread>

namespace tenon::sim {

static Status check(const Kernel &kernel, const Launch &launch) {
  auto wrong = [&](const std::string &what) { return invalidArgument("kernel '" + kernel.name + "': " + what); };
  if (!kernel.entry || !kernel.sites)
    return wrong("has no host code");
  auto [x, y, z] = kernel.block;
  if (x < 1 || y < 1 || z < 1 || x * y * z > 1024)
    return wrong("a block of " + std::to_string(x) + " x " + std::to_string(y) + " x " + std::to_string(z) +
                 " threads; expected 1 to 1024 in all");
  int64_t shared = kernel.staticShared + kernel.dynamicShared;
  if (shared < 0 || shared > 227 * 1024)
    return wrong(std::to_string(shared) + " bytes of shared memory; a CTA has at most " + std::to_string(227 * 1024));
  for (int64_t each : launch.grid)
    if (each < 0 || each > INT32_MAX)
      return wrong("a grid of " + std::to_string(each) + " CTAs along an axis");
  auto [cx, cy, cz] = launch.cluster;
  if (cx < 1 || cy < 1 || cz < 1 || cx * cy * cz > 16 || launch.grid[0] % cx || launch.grid[1] % cy ||
      launch.grid[2] % cz)
    return wrong("a cluster of " + std::to_string(cx) + " x " + std::to_string(cy) + " x " + std::to_string(cz) +
                 " CTAs; expected 1 to 16 in all, and a grid of whole clusters");
  if (cx * cy * cz > 1 && x * y * z % 32 != 0)
    return wrong("clusters of CTAs of " + std::to_string(x * y * z) +
                 " threads have no simulation; expected a multiple of 32");
  for (const Argument &argument : launch.arguments)
    if (argument.buffer >= static_cast<int>(launch.buffers.size()))
      return wrong("an argument names buffer " + std::to_string(argument.buffer) + " of " +
                   std::to_string(launch.buffers.size()));
  return {};
}

const TensorMap *Launch::findMap(const void *descriptor) const {
  for (const TensorMap &map : maps)
    if (&map == descriptor)
      return &map;
  return nullptr;
}

/// What the driver refuses, and elements outside of the buffer.
static Status checkMap(const TensorMap &map, const Buffer &buffer) {
  auto wrong = [&](const std::string &what) {
    return invalidArgument("a tensor map of '" + buffer.name + "' has " + what);
  };
  size_t rank = map.box.size();
  if (rank < 1 || rank > 5 || map.sizes.size() != rank || map.strides.size() + 1 != rank)
    return wrong("rank " + std::to_string(rank) + " with " + std::to_string(map.sizes.size()) + " sizes and " +
                 std::to_string(map.strides.size()) + " strides; expected 1 to 5, as many, and one less");
  if (map.offset % 16 != 0)
    return wrong("an offset of " + std::to_string(map.offset) + " bytes; expected a multiple of 16");
  if (int64_t span = map.swizzle; span != 0 && span != 16 && span != 32 && span != 64 && span != 128)
    return wrong("a swizzle of " + std::to_string(span) + " bytes; expected 0, 32, 64 or 128");
  TensorMapArguments arguments;
  arguments.type = static_cast<int>(map.element);
  arguments.rank = static_cast<uint32_t>(rank);
  arguments.swizzle = map.swizzle <= 16 ? 0 : static_cast<int>(map.swizzle / 64 + 1);
  arguments.fill = map.fillsNan ? 1 : 0;
  for (size_t d = 0; d < rank; ++d) {
    arguments.sizes[d] = static_cast<uint64_t>(map.sizes[d]);
    arguments.box[d] = static_cast<uint32_t>(std::clamp<int64_t>(map.box[d], 0, UINT32_MAX));
    arguments.steps[d] = 1;
    if (d > 0)
      arguments.strides[d - 1] = static_cast<uint64_t>(map.strides[d - 1]);
  }
  if (Status status = checkTensorMap(arguments); !status.ok())
    return wrong(status.message());
  int64_t last = map.offset + map.elementBytes;
  for (size_t d = 0; d < rank; ++d)
    last += (map.sizes[d] - 1) * (d == 0 ? map.elementBytes : map.strides[d - 1]);
  if (map.offset < 0 || last > buffer.bytes)
    return wrong("elements up to byte " + std::to_string(last) + " of " + std::to_string(buffer.bytes));
  return {};
}

Status setChecks(Options &options, const std::string &words) {
  options.races = options.uninitialised = false;
  for (size_t first = 0, last; first <= words.size(); first = last + 1) {
    last = std::min(words.find_first_of(",+", first), words.size());
    std::string word = words.substr(first, last - first);
    if (word == "races")
      options.races = true;
    else if (word == "init")
      options.uninitialised = true;
    else if (word != "deadlock")
      return invalidArgument("the simulator has no check '" + word + "'; expected races, init and deadlock");
  }
  return {};
}

/// Clusters as ClusterOrder gives them, on the current thread; false after a fault that ends the launch.
static bool runClusters(const Kernel &kernel, const Launch &launch, const Options &options, GlobalMemory &global,
                        void *const *arguments, ClusterOrder &order, bool isAlone, Report &report, Counts &counts) {
  uint32_t clusterSize = static_cast<uint32_t>(launch.cluster[0] * launch.cluster[1] * launch.cluster[2]);
  Memory memory(global, kernel.staticShared + kernel.dynamicShared, clusterSize);
  StackWatch watch;
  StackPool::Lease stacks(static_cast<size_t>(options.stackBytes));
  Cta cta(kernel, launch, options, memory, stacks.pool(), report, options.counts ? &counts : nullptr,
          isAlone ? nullptr : &order);
  while (std::optional<uint32_t> number = order.start()) {
    bool isDone = cta.run(*number, arguments);
    order.end(*number);
    if (!isAlone && !report.ok())
      order.giveUp();
    if (!isDone)
      return false;
  }
  return true;
}

/// Under one seed. Nothing where clusters did not run alone, and depend on each other.
static Result<std::optional<Report>> simulateOnce(const Kernel &kernel, Launch &launch, const Options &options,
                                                  int64_t hostThreads) {
  GlobalMemory global;
  std::vector<Allocation *> allocations;
  for (const Buffer &buffer : launch.buffers) {
    allocations.push_back(&global.add(buffer.name, buffer.data, buffer.bytes, buffer.initialised, buffer.isWritable));
    allocations.back()->isStatic = buffer.isStatic;
  }
  for (TensorMap &map : launch.maps) {
    TENON_TRY(checkMap(map, launch.buffers[static_cast<size_t>(map.buffer)]).in("kernel '" + kernel.name + "'"));
    map.base = allocations[static_cast<size_t>(map.buffer)]->data;
  }
  std::vector<uint64_t> values(launch.arguments.size(), 0);
  std::vector<void *> arguments;
  for (size_t index = 0; index < values.size(); ++index) {
    const Argument &argument = launch.arguments[index];
    if (argument.buffer >= 0)
      values[index] = allocations[static_cast<size_t>(argument.buffer)]->begin();
    else if (argument.buffer == Argument::number)
      values[index] = static_cast<uint64_t>(argument.value);
    // A map is passed by value: its address is what the kernel sees.
    arguments.push_back(argument.buffer == Argument::map ? static_cast<void *>(&launch.maps[argument.value])
                                                         : &values[index]);
  }

  int64_t clusterSize = launch.cluster[0] * launch.cluster[1] * launch.cluster[2];
  ClusterOrder order(static_cast<uint32_t>(launch.grid[0] * launch.grid[1] * launch.grid[2] / clusterSize));
  struct Share {
    Report report;
    Counts counts;
  };
  std::vector<Share> shares(static_cast<size_t>(hostThreads));
  bool isAlone = hostThreads == 1;
  auto work = [&](Share &share) {
    share.report.hasStopped =
        !runClusters(kernel, launch, options, global, arguments.data(), order, isAlone, share.report, share.counts);
  };
  if (!isAlone)
    global.guardHistories();
  std::vector<std::thread> others;
  for (size_t index = 1; index < shares.size(); ++index)
    others.emplace_back(work, std::ref(shares[index]));
  work(shares.front());
  for (std::thread &other : others)
    other.join();
  if (order.hasGivenUp())
    return std::optional<Report>();

  Report report = std::move(shares.front().report);
  report.seed = options.seed;
  Counts &counts = shares.front().counts;
  for (size_t index = 1; index < shares.size(); ++index) {
    report.numSwitches += shares[index].report.numSwitches;
    counts.add(shares[index].counts);
  }
  for (size_t index = 0; index < launch.buffers.size(); ++index)
    if (Buffer &buffer = launch.buffers[index]; buffer.isWritable && buffer.data)
      std::memcpy(buffer.data, allocations[index]->data, static_cast<size_t>(buffer.bytes));
  for (const auto &[site, count] : counts.bySite())
    report.counts.push_back(count);
  return std::optional(std::move(report));
}

/// On several threads of the host where that gives what one gives.
static Result<Report> simulateOrder(const Kernel &kernel, Launch &launch, const Options &options) {
  int64_t wanted = options.hostThreads > 0 ? options.hostThreads : std::thread::hardware_concurrency();
  int64_t numClusters =
      launch.grid[0] * launch.grid[1] * launch.grid[2] / (launch.cluster[0] * launch.cluster[1] * launch.cluster[2]);
  if (options.trace) // its steps are one after another
    wanted = 1;
  if (int64_t hostThreads = std::min(wanted, numClusters); hostThreads > 1) {
    TENON_TRY_ASSIGN(std::optional<Report> report, simulateOnce(kernel, launch, options, hostThreads));
    if (report)
      return std::move(*report);
  }
  TENON_TRY_ASSIGN(std::optional<Report> report, simulateOnce(kernel, launch, options, 1));
  return std::move(*report);
}

/// Results are the first seed's; the others run on copies of what they write.
Result<Report> simulate(const Kernel &kernel, Launch &launch, const Options &options) {
  TENON_TRY(check(kernel, launch));
  std::vector<std::vector<char>> before;
  for (const Buffer &buffer : launch.buffers)
    if (const char *data = static_cast<const char *>(buffer.data); options.numSeeds > 1 && buffer.isWritable && data)
      before.emplace_back(data, data + buffer.bytes);
  TENON_TRY_ASSIGN(Report report, simulateOrder(kernel, launch, options));
  for (int64_t order = 1; order < options.numSeeds && report.ok(); ++order) {
    std::vector<std::vector<char>> data = before;
    Launch again = launch;
    size_t next = 0;
    for (Buffer &buffer : again.buffers)
      if (buffer.isWritable && buffer.data)
        buffer.data = data[next++].data();
    Options other = options;
    other.seed += static_cast<uint64_t>(order);
    other.counts = false;
    other.trace = nullptr;
    std::vector<AccessCount> counts = std::move(report.counts);
    TENON_TRY_ASSIGN(report, simulateOrder(kernel, again, other));
    report.counts = std::move(counts);
  }
  return report;
}

} // namespace tenon::sim
