#include "lib/Runtime/Artefact.h"

#include "lib/Support/StoredZip.h"

#include <algorithm>
#include <cstring>

namespace tenon {

static constexpr const char *manifestName = "manifest.json", *kernelsName = "kernels.so";
static constexpr const char *constantsName = "constants.bin", *weightsName = "weights.safetensors";
static constexpr const char *modelName = "model.mlir";
static constexpr std::string_view cubinFolder = "kernels/", cubinSuffix = ".cubin";

// The name of the cubin that an entry is, or nothing.
static std::string_view cubinName(std::string_view entry) {
  size_t around = cubinFolder.size() + cubinSuffix.size();
  if (entry.size() <= around || entry.substr(0, cubinFolder.size()) != cubinFolder ||
      entry.substr(entry.size() - cubinSuffix.size()) != cubinSuffix)
    return {};
  return entry.substr(cubinFolder.size(), entry.size() - around);
}

// What the plan's kernels are in must be there.
static Status checkKernels(const LaunchPlan &plan, std::string_view library,
                           const std::map<std::string, std::string_view> &cubins) {
  for (const auto &[name, kernel] : plan.kernels) {
    if (kernel.cuda && !cubins.count(kernel.cuda->cubin))
      return corrupt("kernel '" + name + "' is in the cubin '" + kernel.cuda->cubin + "', which is not there");
    if (!kernel.cuda && library.empty())
      return corrupt("its manifest names kernels, but it has no " + std::string(kernelsName));
  }
  return {};
}

// Where a safetensors file's numbers begin. Its header has any length, and a weight that kernels read where it lies
// must be at a multiple of 64.
static size_t numbersOf(std::string_view safetensors) {
  uint64_t header = 0;
  if (safetensors.size() < sizeof(header))
    return 0;
  std::memcpy(&header, safetensors.data(), sizeof(header));
  return sizeof(header) + static_cast<size_t>(header % 64);
}

Result<std::string> writeArtefact(const ArtefactParts &parts) {
  TENON_TRY(validateLaunchPlan(parts.plan));
  TENON_TRY(checkKernels(parts.plan, parts.kernels, parts.cubins));
  std::string manifest = writeLaunchPlan(parts.plan);
  std::vector<ZipEntry> entries = {{manifestName, manifest}};
  if (!parts.kernels.empty())
    entries.push_back({kernelsName, parts.kernels});
  for (const auto &[name, cubin] : parts.cubins)
    entries.push_back({std::string(cubinFolder) + name + std::string(cubinSuffix), cubin});
  entries.push_back({constantsName, parts.constants});
  if (!parts.model.empty())
    entries.push_back({modelName, parts.model});
  if (!parts.weights.empty())
    entries.push_back({weightsName, parts.weights, numbersOf(parts.weights)});
  return writeStoredZip(entries);
}

// The checksums are verified but for those of big entries, the weights: all their pages would be read.
static Result<std::shared_ptr<const Artefact>> open(std::string_view bytes, std::shared_ptr<const void> storage,
                                                    std::string origin,
                                                    std::shared_ptr<const MappedFile> file = nullptr) {
  auto artefact = std::make_shared<Artefact>();
  artefact->bytes = bytes;
  artefact->storage = std::move(storage);
  artefact->origin = origin;
  artefact->file = std::move(file);
  Result<std::vector<ZipEntry>> entries = readStoredZip(bytes, ZipChecksums::SmallEntries);
  if (!entries.ok())
    return entries.status().in(origin + ": not a Tenon artefact, or damaged");
  for (const ZipEntry &entry : *entries) {
    if (entry.name == manifestName)
      artefact->manifest = entry.bytes;
    else if (entry.name == kernelsName)
      artefact->kernels = entry.bytes;
    else if (std::string_view name = cubinName(entry.name); !name.empty())
      artefact->cubins[std::string(name)] = entry.bytes;
    else if (entry.name == constantsName)
      artefact->constants = entry.bytes;
    else if (entry.name == weightsName)
      artefact->weights = entry.bytes;
    else if (entry.name == modelName)
      artefact->model = entry.bytes;
    else
      return corrupt(origin + ": not a Tenon artefact: unknown entry '" + entry.name + "'");
  }
  if (artefact->manifest.empty())
    return corrupt(origin + ": not a Tenon artefact: it has no " + manifestName);
  Result<LaunchPlan> plan = readLaunchPlan(artefact->manifest);
  if (!plan.ok())
    return plan.status().in(origin);
  artefact->plan = plan.take();
  if (Status complete = checkKernels(artefact->plan, artefact->kernels, artefact->cubins); !complete.ok())
    return complete.in(origin);
  return std::shared_ptr<const Artefact>(std::move(artefact));
}

Result<std::shared_ptr<const Artefact>> openArtefact(const std::string &path) {
  TENON_TRY_ASSIGN(std::shared_ptr<const MappedFile> file, MappedFile::open(path));
  return open(file->bytes(), file, path, file);
}

Result<std::shared_ptr<const Artefact>> openArtefactBytes(std::string bytes) {
  // The copy is aligned as a mapped file would be, so that constants and weights can be used in place.
  TENON_TRY_ASSIGN(AlignedBuffer buffer, AlignedBuffer::allocate(static_cast<int64_t>(bytes.size())));
  std::copy(bytes.begin(), bytes.end(), static_cast<char *>(buffer.data()));
  auto storage = std::make_shared<AlignedBuffer>(buffer);
  return open({static_cast<const char *>(buffer.data()), bytes.size()}, storage, "artefact in memory");
}

} // namespace tenon
