// Where the two files of NVIDIA's toolkit that Tenon uses are: the assembler ptxas and the bitcode library libdevice.
// Neither is shipped with Tenon. The places are values, so that a search depends on nothing but them.
#pragma once

#include "lib/Support/Status.h"

#include <string>
#include <vector>

namespace tenon {

struct ToolkitPlaces {
  std::string ptxas;             ///< explicit choice, the only place then
  std::string ptxasVariable;     ///< TENON_PTXAS, likewise
  std::vector<std::string> path; ///< folders of PATH
  std::string cudaHome;          ///< CUDA_HOME
  std::string usualRoot = "/usr/local/cuda";
  std::string pythonPrefix; ///< sys.prefix of the Python whose package nvidia-cuda-nvcc may serve

  /// From the environment; `ptxas` and `pythonPrefix` where they are given (else VIRTUAL_ENV).
  static ToolkitPlaces fromEnvironment(std::string ptxas = "", std::string pythonPrefix = "");
};

/// The path of an executable ptxas: the explicit choice, TENON_PTXAS, PATH, CUDA_HOME, /usr/local/cuda, the Python
/// package. Errors: NotFound, with every place and the remedies.
Result<std::string> findPtxas(const ToolkitPlaces &places);

/// The path of libdevice.10.bc: in the toolkit `ptxas` is part of (may be empty), CUDA_HOME, /usr/local/cuda, the
/// Python package nvidia-nvvm. Errors: NotFound, likewise.
Result<std::string> findLibdevice(const ToolkitPlaces &places, const std::string &ptxas);

} // namespace tenon
