#include "lib/Sim/Simulator.h"

#include "lib/Sim/Cta.h"

#include <cstring>

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
  for (const Argument &argument : launch.arguments)
    if (argument.buffer >= static_cast<int>(launch.buffers.size()))
      return wrong("an argument names buffer " + std::to_string(argument.buffer) + " of " +
                   std::to_string(launch.buffers.size()));
  return {};
}

Result<Report> simulate(const Kernel &kernel, Launch &launch, const Options &options) {
  TENON_TRY(check(kernel, launch));
  Memory memory;
  std::vector<Allocation *> allocations;
  for (const Buffer &buffer : launch.buffers)
    allocations.push_back(
        &memory.addGlobal(buffer.name, buffer.data, buffer.bytes, buffer.initialised, buffer.isWritable));
  memory.addShared(kernel.staticShared + kernel.dynamicShared);
  std::vector<uint64_t> values;
  for (const Argument &argument : launch.arguments)
    values.push_back(argument.buffer >= 0    ? allocations[static_cast<size_t>(argument.buffer)]->begin()
                     : argument.buffer == -1 ? static_cast<uint64_t>(argument.value)
                                             : 0);
  std::vector<void *> arguments;
  for (uint64_t &value : values)
    arguments.push_back(&value);

  Report report;
  StackPool stacks(static_cast<size_t>(options.stackBytes));
  Cta cta(kernel, launch, options, memory, stacks, report);
  int64_t numCtas = launch.grid[0] * launch.grid[1] * launch.grid[2];
  for (int64_t number = 0; number < numCtas; ++number)
    if (!cta.run(static_cast<uint32_t>(number), arguments.data()))
      break;
  for (size_t index = 0; index < launch.buffers.size(); ++index)
    if (Buffer &buffer = launch.buffers[index]; buffer.isWritable && buffer.data)
      std::memcpy(buffer.data, allocations[index]->data, static_cast<size_t>(buffer.bytes));
  return report;
}

} // namespace tenon::sim
