#include "lib/Target/Ptxas.h"

#include "lib/Support/TemporaryFolder.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <optional>

namespace tenon {
namespace {

const char *const reportBug = "this is a fault of the compiler: report it with the PTX that --dump writes";

std::string versionText(int version) { return std::to_string(version / 10) + "." + std::to_string(version % 10); }

/// "V13.0.88" in the text of `ptxas --version`.
std::optional<std::string> parseVersion(const std::string &text, int &toolkitVersion) {
  int major = 0, minor = 0, build = 0;
  size_t at = text.find(", V");
  if (at == std::string::npos || std::sscanf(text.c_str() + at, ", V%4d.%4d.%6d", &major, &minor, &build) != 3)
    return std::nullopt;
  toolkitVersion = 10 * major + minor;
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(build);
}

/// Line `number` (from 1) of `text` and the model's place that the nearest comment or directive before it names.
std::string quoteLine(const std::string &text, int64_t number) {
  size_t begin = 0;
  for (int64_t line = 1; line < number; ++line) {
    begin = text.find('\n', begin);
    if (begin == std::string::npos)
      return "";
    ++begin;
  }
  size_t end = std::min(text.find('\n', begin), text.size());
  std::string quoted = "\n  " + std::to_string(number) + " | " + text.substr(begin, std::min<size_t>(end - begin, 200));
  // ".loc 1 12 3 // model.mlir:12:3"
  size_t directive = begin == 0 ? std::string::npos : text.rfind(".loc", begin - 1);
  if (directive != std::string::npos) {
    size_t stop = std::min(text.find('\n', directive), text.size()), comment = text.find("//", directive);
    if (comment < stop)
      quoted += "\n  generated for " + text.substr(comment + 2, std::min<size_t>(stop - comment - 2, 200));
  }
  return quoted;
}

/// Whether an error is about what the kernel needs, and not about how it is written.
bool isShortOfRoom(const std::string &error) {
  return error.find("Insufficient registers") != error.npos || error.find("uses too much") != error.npos;
}

/// The end of what was printed, for a crash without a message.
std::string tail(const std::string &text) {
  const size_t most = 400;
  return text.empty() ? "" : "; it printed last: " + text.substr(text.size() > most ? text.size() - most : 0);
}

} // namespace

Result<SubprocessOutcome> Ptxas::run(const std::vector<std::string> &arguments, const std::string &folder) const {
  return runSubprocess({program, arguments, folder}, limits);
}

Result<Ptxas> Ptxas::find(const ToolkitPlaces &places, const SubprocessLimits &limits) {
  TENON_TRY_ASSIGN(std::string path, findPtxas(places));
  // It runs in a folder of its own.
  if (char *absolute = ::realpath(path.c_str(), nullptr)) {
    path = absolute;
    std::free(absolute);
  }
  Ptxas ptxas(path);
  TENON_TRY_ASSIGN(TemporaryFolder folder, TemporaryFolder::create("tenon-ptxas-"));
  TENON_TRY_ASSIGN(SubprocessOutcome outcome, ptxas.run({"--version"}, folder.path()));
  std::optional<std::string> version;
  if (outcome.end == SubprocessOutcome::End::Exited && outcome.code == 0)
    version = parseVersion(outcome.out, ptxas.toolkitVersion);
  if (!version)
    return internalError("'" + path + " --version' does not say the version of an assembler of CUDA" +
                         tail(outcome.err.empty() ? outcome.out : outcome.err) +
                         "; set TENON_PTXAS to the ptxas of a CUDA toolkit");
  ptxas.fullVersion = *version;
  ptxas.limits = limits;
  return ptxas;
}

Status Ptxas::checkSupports(const GpuArch &arch) const {
  if (toolkitVersion >= arch.minToolkitVersion)
    return {};
  return unsupported("ptxas '" + program + "' is of CUDA " + fullVersion + ", " + arch.name + " needs " +
                     versionText(arch.minToolkitVersion) + " or later (PTX " + versionText(arch.ptxVersion) +
                     "); install a newer toolkit, or `pip install --no-deps nvidia-cuda-nvcc==13.0.88`, and set "
                     "TENON_PTXAS to its ptxas");
}

Assembly Ptxas::assemble(const std::string &name, const std::string &ptx, const GpuArch &arch) const {
  using End = Assembly::End;
  auto failed = [&](End end, const Status &status) {
    return Assembly{end, status.in("kernel '" + name + "'"), "", ""};
  };
  if (Status supported = checkSupports(arch); !supported.ok())
    return failed(End::NotRun, supported);
  std::vector<std::string> options = {"-v", "-O3", std::string("-arch=") + arch.name};
  if (ptx.find("\n\t.loc\t") != ptx.npos)
    options.push_back("-lineinfo"); // the machine code is the same
  if (ptx.rfind(fewestRegisters, 0) == 0)
    options.push_back("--register-usage-level=0");
  // Names relative to the folder: the cubin notes the command line.
  options.insert(options.end(), {"kernel.ptx", "-o", "kernel.cubin"});
  Result<TemporaryFolder> folder = TemporaryFolder::create("tenon-ptxas-");
  if (!folder.ok())
    return failed(End::NotRun, folder.status());
  if (Status written = folder->write("kernel.ptx", ptx); !written.ok())
    return failed(End::NotRun, written);
  Result<SubprocessOutcome> outcome = run(options, folder->path());
  if (!outcome.ok())
    return failed(End::NotRun, outcome.status());

  bool isOutOfTime = outcome->end == SubprocessOutcome::End::Signalled && outcome->code == SIGXCPU;
  if (outcome->end == SubprocessOutcome::End::TimedOut || isOutOfTime)
    return failed(End::TimedOut,
                  internalError("ptxas did not end within " + std::to_string(limits.wallTime.count() / 1000.0) +
                                " s of time or " + std::to_string(limits.cpuSeconds) +
                                " s of the processor; the machine may be overloaded, else the kernel is too large: " +
                                "choose a schedule with smaller tiles or less unrolling"));
  if (outcome->end == SubprocessOutcome::End::Signalled)
    return failed(End::Crashed,
                  internalError("ptxas " + version() + " ended by signal " + std::to_string(outcome->code) + " (" +
                                ::strsignal(outcome->code) + ")" + tail(outcome->err) +
                                "; try another version by TENON_PTXAS, or another " + "schedule; " + reportBug));
  std::string text = outcome->err + outcome->out;
  if (outcome->isCut)
    return failed(End::Crashed, internalError("ptxas printed more than " + std::to_string(limits.outputBytes) +
                                              " bytes; " + reportBug));
  Result<PtxasLog> log = parsePtxasLog(text);
  if (!log.ok())
    return failed(End::Crashed, log.status());
  if (isShortOfRoom(log->error))
    return failed(End::Rejected,
                  internalError("its schedule leaves the kernel too little room: " + log->error +
                                "; choose one with a smaller tile a warp, fewer stages, or fewer CTAs a multiprocessor "
                                "(resident)"));
  if (!log->error.empty())
    return failed(End::Rejected,
                  internalError("ptxas rejects the PTX: " + log->error +
                                (log->errorLine ? quoteLine(ptx, log->errorLine) : "") + "\n" + reportBug));
  if (outcome->code != 0)
    return failed(End::Crashed, internalError("ptxas exits with " + std::to_string(outcome->code) +
                                              " and without an error" + tail(text) + "; " + reportBug));
  Result<std::string> cubin = folder->read("kernel.cubin", static_cast<size_t>(limits.fileBytes));
  if (!cubin.ok())
    return failed(End::NotRun, cubin.status().in("ptxas wrote no cubin"));
  return {End::Assembled, {}, cubin.take(), stripPtxasTimes(text)};
}

} // namespace tenon
