// Runs another program under limits. What an assembler does with generated code is not ours to trust: it may crash,
// never end, fill the disk or print without end, and a compilation must survive each as an error with a name. No shell.
#pragma once

#include "lib/Support/Status.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace tenon {

struct SubprocessLimits {
  std::chrono::milliseconds wallTime{120000};
  int64_t cpuSeconds = 120;
  int64_t addressSpaceBytes = int64_t(8) << 30;
  int64_t fileBytes = int64_t(256) << 20; ///< of each file it writes
  int64_t outputBytes = int64_t(4) << 20; ///< kept of stdout and of stderr; more is read and dropped
};

struct SubprocessOutcome {
  enum class End { Exited, Signalled, TimedOut };
  End end = End::Exited;
  int code = 0; ///< exit status, or the signal's number
  std::string out, err;
  bool isCut = false; ///< more was printed than kept
};

struct SubprocessCommand {
  std::string program;                ///< a path; PATH is not searched
  std::vector<std::string> arguments; ///< after the program's name
  std::string folder;                 ///< to run in, and its TMPDIR
};

/// The child sees PATH, HOME and LD_LIBRARY_PATH of this process, LC_ALL=C, and nothing on stdin. At the wall time it
/// and what it started are killed. Errors: NotFound or Io when it cannot be started at all.
Result<SubprocessOutcome> runSubprocess(const SubprocessCommand &command, const SubprocessLimits &limits);

} // namespace tenon
