// The real assembler for tests, and ones made by a test that misbehave.
#pragma once

#include "lib/Support/TemporaryFolder.h"
#include "lib/Target/Ptxas.h"

namespace tenon::test {

/// The toolkit on this machine or, as scripts/setup installs it, in the checkout's .venv.
ToolkitPlaces testToolkit();
/// Its assembler; fails the test when there is none.
const Ptxas &realPtxas();
/// The file of test/unit/Inputs.
std::string inputText(const std::string &name);
/// Assembles with the real one; fails the test when that does not work.
Assembly assembleReal(const std::string &ptx, const char *arch);

/// A folder with a shell script in place of ptxas. It answers --version with `version`, anything else with `body`.
struct FakePtxas {
  TemporaryFolder folder;
  explicit FakePtxas(const std::string &body, const std::string &version = "13.0.88");
  ToolkitPlaces places() const;
  Ptxas find(const SubprocessLimits &limits = {}) const;
};

} // namespace tenon::test
