#include "lib/Target/CubinGeneration.h"

#include "lib/Support/Version.h"

#include <algorithm>
#include <atomic>
#include <thread>

namespace tenon {

static Result<CubinEntry> assemble(const CubinRequest &request, const std::string &ptx, const GpuArch &arch,
                                   const Ptxas &ptxas, const CubinCache &cache, bool &wasCached) {
  CubinKey key = {version, ptxas.version(), arch.name, ptx};
  std::optional<CubinEntry> entry = cache.load(key);
  wasCached = entry.has_value();
  if (entry)
    return std::move(*entry);
  Assembly assembly = ptxas.assemble(request.name, ptx, arch);
  TENON_TRY(assembly.status);
  CubinEntry made{std::move(assembly.cubin), std::move(assembly.log)};
  cache.store(key, made);
  return made;
}

std::string forSecondTry(std::string ptx) {
  if (ptx.find(".minnctapersm") != std::string::npos)
    return Ptxas::fewestRegisters + ptx;
  for (size_t at = ptx.find("\n.reqntid "); at != std::string::npos; at = ptx.find("\n.reqntid ", at + 1))
    ptx.insert(ptx.find('\n', at + 1), "\n.minnctapersm 1");
  return ptx;
}

static Result<GeneratedCubin> generateCubin(const CubinRequest &request, const GpuArch &arch, const Ptxas &ptxas,
                                            const CubinCache &cache) {
  auto attempt = [&](const std::string &ptx, bool &isAssembled) -> Result<GeneratedCubin> {
    bool wasCached = false;
    Result<CubinEntry> entry = assemble(request, ptx, arch, ptxas, cache, wasCached);
    isAssembled = entry.ok();
    if (!entry.ok())
      return entry.status();
    CubinEntry made = entry.take();
    Result<std::vector<KernelFacts>> facts = checkCubin(made.cubin, made.log, arch, request.kernels);
    if (!facts.ok())
      return facts.status();
    bool isSecondTry = &ptx != &request.ptx;
    return GeneratedCubin{std::move(made.cubin), std::move(made.log), facts.take(), wasCached, isSecondTry};
  };
  bool isAssembled = false;
  Result<GeneratedCubin> first = attempt(request.ptx, isAssembled);
  // What a gate refuses has a second chance; what ptxas refuses has none.
  if (first.ok() || !isAssembled)
    return first;
  Result<GeneratedCubin> second = attempt(forSecondTry(request.ptx), isAssembled);
  return second.ok() ? std::move(second) : std::move(first);
}

std::vector<Result<GeneratedCubin>> generateCubins(const std::vector<CubinRequest> &requests, const GpuArch &arch,
                                                   const Ptxas &ptxas, const CubinCache &cache, unsigned numThreads) {
  std::vector<Result<GeneratedCubin>> results(requests.size(), internalError("not compiled"));
  std::atomic<size_t> next{0};
  auto work = [&] {
    for (size_t index = next++; index < requests.size(); index = next++)
      results[index] = generateCubin(requests[index], arch, ptxas, cache);
  };
  if (numThreads == 0)
    numThreads = std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::thread> threads;
  for (size_t index = 1; index < std::min<size_t>(numThreads, requests.size()); ++index)
    threads.emplace_back(work);
  work();
  for (std::thread &thread : threads)
    thread.join();
  return results;
}

} // namespace tenon
