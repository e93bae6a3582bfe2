// An artefact `.tnx`: a stored zip that stock tools read, holding a launch plan (manifest.json), the kernels as a
// shared object (kernels.so) or, for CUDA, cubins (kernels/<name>.cubin), constants.bin, optionally weights.safetensors
// and the IR kept as text (model.mlir). Same content, same bytes; every file starts at a multiple of 64 so that weights
// are used in place from the mapped file. Of a model with several entries the manifest has a plan each, kernels and
// constants of an entry are in a folder of its name, and the weights are there once.
#pragma once

#include "lib/Runtime/Manifest.h"
#include "lib/Runtime/Weights.h"
#include "lib/Support/MappedFile.h"

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace tenon {

/// One way into the model: a plan, and what is its own beside it.
struct ArtefactEntry {
  std::string name = std::string(mainEntry);
  LaunchPlan plan;
  std::string_view kernels = {};                       ///< ELF shared object, or empty: without kernels, or for CUDA
  std::string_view constants = {};                     ///< values of kind Constant at their offsets
  std::map<std::string, std::string_view> cubins = {}; ///< for CUDA, by PlanCudaKernel::cubin
};

struct ArtefactParts {
  std::vector<ArtefactEntry> entries;
  std::string_view weights = {}; ///< safetensors, or empty: given when loading
  std::string_view model = {};   ///< kept IR, or empty
};

/// The bytes of an artefact.
Result<std::string> writeArtefact(const ArtefactParts &parts);

/// An opened artefact. The views point into memory that this object keeps.
struct Artefact {
  std::vector<ArtefactEntry> entries; ///< at least one, all for one target
  std::string_view manifest, weights, model;
  std::string_view bytes;                 ///< the whole file
  std::shared_ptr<const void> storage;    ///< what keeps the bytes
  std::shared_ptr<const MappedFile> file; ///< the mapping they are in, or null
  std::string origin;                     ///< path, or "artefact in memory", for messages
};

Result<std::shared_ptr<const Artefact>> openArtefact(const std::string &path);
Result<std::shared_ptr<const Artefact>> openArtefactBytes(std::string bytes);

/// The entry of this name; without a name, of an artefact with one entry, that one. Errors list the names there are.
Result<const ArtefactEntry *> findEntry(const Artefact &artefact, const std::string &name);

/// `weights`, or else those inside, or null where there are none.
Result<std::shared_ptr<const WeightSource>> weightsOf(const Artefact &artefact,
                                                      std::shared_ptr<const WeightSource> weights);

} // namespace tenon
