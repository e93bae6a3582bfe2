// What `ptxas -v` says of each kernel, as numbers.
#pragma once

#include "lib/Support/Status.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tenon {

struct PtxasKernelInfo {
  std::string name;
  int64_t registers = 0; ///< of a thread, at entry
  int64_t spillStoreBytes = 0, spillLoadBytes = 0, stackBytes = 0;
  int64_t sharedBytes = 0; ///< static
  int64_t barriers = 0;
};

struct PtxasLog {
  std::vector<PtxasKernelInfo> kernels; ///< in the order of the log
  /// Every line with a code (C7...): ptxas found something to wait for, to serialise or to ignore. They are *info*
  /// lines, which no flag turns into errors.
  std::vector<std::string> codedLines;
  /// The first line that is an error, whole; empty when there is none. With its place in the PTX, from 1; 0 for none.
  std::string error;
  int64_t errorLine = 0;

  const PtxasKernelInfo *find(std::string_view name) const;
};

/// Errors: Corrupt when a line that should hold numbers does not, so that a new wording of ptxas cannot pass for 0
/// spills.
Result<PtxasLog> parsePtxasLog(std::string_view text);

/// The log without what differs from run to run (compile times).
std::string stripPtxasTimes(std::string_view text);

} // namespace tenon
