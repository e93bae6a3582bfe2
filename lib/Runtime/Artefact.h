// An artefact `.tnx`: a stored zip that stock tools read, holding a launch plan (manifest.json), the kernels as a
// shared object (kernels.so) or, for CUDA, cubins (kernels/<name>.cubin), constants.bin, optionally weights.safetensors
// and the IR kept as text (model.mlir). Same content, same bytes; every entry starts at a multiple of 64 so that
// weights are used in place from the mapped file.
#pragma once

#include "lib/Runtime/LaunchPlan.h"
#include "lib/Runtime/Tensor.h"
#include "lib/Support/MappedFile.h"

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace tenon {

struct ArtefactParts {
  LaunchPlan plan;
  std::string_view kernels;   ///< ELF shared object, or empty: a plan without kernels, or for CUDA
  std::string_view constants; ///< values of kind Constant at their offsets
  std::string_view weights;   ///< safetensors, or empty: given when loading
  std::string_view model;     ///< kept IR, or empty
  std::map<std::string, std::string_view> cubins = {}; ///< for CUDA, by PlanCudaKernel::cubin
};

/// The bytes of an artefact.
Result<std::string> writeArtefact(const ArtefactParts &parts);

/// An opened artefact. The views point into memory that this object keeps.
struct Artefact {
  LaunchPlan plan;
  std::string_view manifest, kernels, constants, weights, model;
  std::map<std::string, std::string_view> cubins;
  std::string_view bytes;                 ///< the whole file
  std::shared_ptr<const void> storage;    ///< what keeps the bytes
  std::shared_ptr<const MappedFile> file; ///< the mapping they are in, or null
  std::string origin;                     ///< path, or "artefact in memory", for messages
};

Result<std::shared_ptr<const Artefact>> openArtefact(const std::string &path);
Result<std::shared_ptr<const Artefact>> openArtefactBytes(std::string bytes);

} // namespace tenon
