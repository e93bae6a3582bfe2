// A PyTorch program in a file (.pt2, of torch.export.save): imported by the Python package, in a process of its own, so
// that the tools take what the framework writes. Python is TENON_PYTHON, else the .venv of this checkout, else python3.
#pragma once

#include "lib/Support/MappedFile.h"

namespace tenon::tool {

struct ExportedProgram {
  std::string text;                          ///< in the tenon dialect
  std::shared_ptr<const MappedFile> weights; ///< safetensors, or null where it has none
};

/// By the name's ending: the file itself is a zip, as an artefact is.
bool isExportedProgram(const std::string &path);

/// Errors are those that the importer says: ops it lacks, all of them with their places; or that Python lacks a
/// package.
Result<ExportedProgram> importExportedProgram(const std::string &path);

} // namespace tenon::tool
