// PTX -> cubin by NVIDIA's assembler, a process of its own with limits: it is a large foreign program that runs on what
// we generate, and a crash, a hang or a refusal of it is an error of one kernel, never the end of the compiler.
#pragma once

#include "lib/Schedule/GpuArch.h"
#include "lib/Support/Subprocess.h"
#include "lib/Target/CudaToolkit.h"
#include "lib/Target/PtxasLog.h"

namespace tenon {

/// What became of one run.
struct Assembly {
  enum class End {
    Assembled,
    Rejected, ///< ptxas says that the PTX is wrong
    Crashed,  ///< a signal, or an exit without a reason
    TimedOut, ///< wall clock or processor time
    NotRun,   ///< could not be started, or its files not be written or read
  };
  End end = End::NotRun;
  Status status; ///< an error unless Assembled; names kernel, reason and next step
  std::string cubin;
  std::string log; ///< of `ptxas -v`, without times
};

class Ptxas {
public:
  /// Finds it and asks for its version, once; `limits` are those of an assembly. Errors: NotFound; Internal when it
  /// does not run or says no version.
  static Result<Ptxas> find(const ToolkitPlaces &places, const SubprocessLimits &limits = {});

  const std::string &path() const { return program; }
  const std::string &version() const { return fullVersion; } ///< "13.0.88"
  /// Errors: Unsupported, with both versions, when this ptxas is too old for `arch`.
  Status checkSupports(const GpuArch &arch) const;

  /// PTX that begins with this line is assembled with the option it says.
  static constexpr const char *fewestRegisters = "// --register-usage-level=0\n";
  /// `name` leads the messages. The bytes depend on `ptx`, `arch` and the version alone. May be called from many
  /// threads.
  Assembly assemble(const std::string &name, const std::string &ptx, const GpuArch &arch) const;

private:
  explicit Ptxas(std::string program) : program(std::move(program)) {}
  Result<SubprocessOutcome> run(const std::vector<std::string> &arguments, const std::string &folder) const;

  std::string program, fullVersion;
  int toolkitVersion = 0; // 10 * major + minor
  SubprocessLimits limits;
};

} // namespace tenon
