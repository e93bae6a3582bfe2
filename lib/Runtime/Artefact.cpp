#include "lib/Runtime/Artefact.h"

#include "lib/Support/StoredZip.h"

#include <algorithm>
#include <cstring>

namespace tenon {

static constexpr const char *manifestName = "manifest.json", *kernelsName = "kernels.so";
static constexpr const char *constantsName = "constants.bin", *weightsName = "weights.safetensors";
static constexpr const char *modelName = "model.mlir";
static constexpr std::string_view cubinFolder = "kernels/", cubinSuffix = ".cubin";

// Where what is an entry's own lies: at the top, where there is none beside it.
static std::string folderOf(const std::vector<ArtefactEntry> &entries, const ArtefactEntry &entry) {
  return isPlainEntry(entries.size(), entry.name) ? "" : entry.name + "/";
}

// The name of the cubin that an entry is, or nothing.
static std::string_view cubinName(std::string_view entry) {
  size_t around = cubinFolder.size() + cubinSuffix.size();
  if (entry.size() <= around || entry.substr(0, cubinFolder.size()) != cubinFolder ||
      entry.substr(entry.size() - cubinSuffix.size()) != cubinSuffix)
    return {};
  return entry.substr(cubinFolder.size(), entry.size() - around);
}

// What the plans' kernels are in must be there.
static Status checkKernels(const std::vector<ArtefactEntry> &entries) {
  for (const ArtefactEntry &entry : entries)
    for (const auto &[name, kernel] : entry.plan.kernels) {
      if (kernel.cuda && !entry.cubins.count(kernel.cuda->cubin))
        return corrupt("kernel '" + name + "' is in the cubin '" + kernel.cuda->cubin + "', which is not there");
      if (!kernel.cuda && entry.kernels.empty())
        return corrupt("its manifest names kernels, but it has no " + folderOf(entries, entry) + kernelsName);
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
  TENON_TRY(checkKernels(parts.entries));
  std::vector<NamedPlan> plans;
  for (const ArtefactEntry &entry : parts.entries)
    plans.push_back({entry.name, &entry.plan});
  TENON_TRY_ASSIGN(std::string manifest, writeManifest(plans));
  std::vector<ZipEntry> files = {{manifestName, manifest}};
  for (const ArtefactEntry &entry : parts.entries) {
    std::string folder = folderOf(parts.entries, entry);
    if (!entry.kernels.empty())
      files.push_back({folder + kernelsName, entry.kernels});
    for (const auto &[name, cubin] : entry.cubins)
      files.push_back({folder + std::string(cubinFolder) + name + std::string(cubinSuffix), cubin});
    files.push_back({folder + constantsName, entry.constants});
  }
  if (!parts.model.empty())
    files.push_back({modelName, parts.model});
  if (!parts.weights.empty())
    files.push_back({weightsName, parts.weights, numbersOf(parts.weights)});
  return writeStoredZip(files);
}

// One that is an entry's own; whether it is.
static bool take(std::vector<ArtefactEntry> &entries, const ZipEntry &file) {
  for (ArtefactEntry &entry : entries) {
    std::string folder = folderOf(entries, entry);
    if (file.name.compare(0, folder.size(), folder) != 0)
      continue;
    std::string_view name = std::string_view(file.name).substr(folder.size());
    if (name == kernelsName)
      entry.kernels = file.bytes;
    else if (std::string_view cubin = cubinName(name); !cubin.empty())
      entry.cubins[std::string(cubin)] = file.bytes;
    else if (name == constantsName)
      entry.constants = file.bytes;
    else
      continue;
    return true;
  }
  return false;
}

// The checksums are verified but for those of big files, the weights: all their pages would be read.
static Result<std::shared_ptr<const Artefact>> open(std::string_view bytes, std::shared_ptr<const void> storage,
                                                    std::string origin,
                                                    std::shared_ptr<const MappedFile> file = nullptr) {
  auto artefact = std::make_shared<Artefact>();
  artefact->bytes = bytes;
  artefact->storage = std::move(storage);
  artefact->origin = origin;
  artefact->file = std::move(file);
  Result<std::vector<ZipEntry>> files = readStoredZip(bytes, ZipChecksums::SmallEntries);
  if (!files.ok())
    return files.status().in(origin + ": not a Tenon artefact, or damaged");
  for (const ZipEntry &each : *files)
    if (each.name == manifestName)
      artefact->manifest = each.bytes;
  if (artefact->manifest.empty())
    return corrupt(origin + ": not a Tenon artefact: it has no " + manifestName);
  Result<std::vector<std::pair<std::string, LaunchPlan>>> plans = readManifest(artefact->manifest);
  if (!plans.ok())
    return plans.status().in(origin);
  for (auto &[name, plan] : *plans) {
    ArtefactEntry &entry = artefact->entries.emplace_back();
    entry.name = name;
    entry.plan = std::move(plan);
  }
  for (const ZipEntry &each : *files) {
    if (each.name == weightsName)
      artefact->weights = each.bytes;
    else if (each.name == modelName)
      artefact->model = each.bytes;
    else if (each.name != manifestName && !take(artefact->entries, each))
      return corrupt(origin + ": not a Tenon artefact: unknown entry '" + each.name + "'");
  }
  if (Status complete = checkKernels(artefact->entries); !complete.ok())
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

Result<const ArtefactEntry *> findEntry(const Artefact &artefact, const std::string &name) {
  std::string names;
  for (const ArtefactEntry &entry : artefact.entries) {
    if (entry.name == name || (name.empty() && artefact.entries.size() == 1))
      return &entry;
    names += (names.empty() ? "'" : ", '") + entry.name + "'";
  }
  bool isOne = artefact.entries.size() == 1;
  if (name.empty())
    return invalidArgument(artefact.origin + " has the entries " + names + ": say which");
  return notFound(artefact.origin + " has no entry '" + name + "'; " + (isOne ? "its entry is " : "its entries are ") +
                  names);
}

Result<std::shared_ptr<const WeightSource>> weightsOf(const Artefact &artefact,
                                                      std::shared_ptr<const WeightSource> weights) {
  if (weights || artefact.weights.empty())
    return weights;
  return weightsFromBytes(artefact.weights, artefact.storage, artefact.origin, artefact.file);
}

} // namespace tenon
