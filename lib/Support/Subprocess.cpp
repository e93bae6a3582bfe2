#include "lib/Support/Subprocess.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tenon {
namespace {

using Clock = std::chrono::steady_clock;

/// Closes what it holds.
struct Descriptor {
  int fd = -1;
  ~Descriptor() { close(); }
  void close() {
    if (fd >= 0)
      ::close(fd);
    fd = -1;
  }
};

struct Pipe {
  Descriptor readEnd, writeEnd;
  Status open() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
      return ioError(std::string("no pipe to a subprocess: ") + std::strerror(errno));
    readEnd.fd = ends[0];
    writeEnd.fd = ends[1];
    return {};
  }
};

/// The arrays that execve takes, made before the fork: the child of a process with threads may not allocate.
struct Strings {
  std::vector<std::string> texts;
  std::vector<char *> pointers;
  explicit Strings(std::vector<std::string> all) : texts(std::move(all)) {
    for (std::string &text : texts)
      pointers.push_back(text.data());
    pointers.push_back(nullptr);
  }
};

std::vector<std::string> childEnvironment(const std::string &folder) {
  std::vector<std::string> environment = {"LC_ALL=C", "TMPDIR=" + folder};
  for (const char *name : {"PATH", "HOME", "LD_LIBRARY_PATH"})
    if (const char *value = std::getenv(name))
      environment.push_back(std::string(name) + "=" + value);
  return environment;
}

/// In the child, between fork and exec: system calls only. Reports errno through `failure` when it cannot go on.
[[noreturn]] void becomeChild(const SubprocessCommand &command, const SubprocessLimits &limits, Strings &arguments,
                              Strings &environment, int input, int out, int err, int failure) {
  auto limit = [](auto resource, int64_t value, int64_t grace = 0) {
    // An inherited hard limit below ours stays.
    rlimit mine;
    ::getrlimit(resource, &mine);
    rlim_t soft = static_cast<rlim_t>(value), hard = static_cast<rlim_t>(value + grace);
    mine.rlim_max = std::min(mine.rlim_max, hard); // "no limit" is the largest number
    mine.rlim_cur = std::min(mine.rlim_max, soft);
    return ::setrlimit(resource, &mine) == 0;
  };
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int signal : {SIGPIPE, SIGXFSZ, SIGXCPU, SIGINT, SIGTERM}) // an embedding process may ignore them
    ::signal(signal, SIG_DFL);
  // Of the processor's time the soft limit ends it with SIGXCPU, which tells more than the hard one's SIGKILL.
  bool ok = ::setpgid(0, 0) == 0 && limit(RLIMIT_CORE, 0) && limit(RLIMIT_CPU, limits.cpuSeconds, 2) &&
            limit(RLIMIT_AS, limits.addressSpaceBytes) && limit(RLIMIT_FSIZE, limits.fileBytes) &&
            ::dup2(input, 0) == 0 && ::dup2(out, 1) == 1 && ::dup2(err, 2) == 2 && ::chdir(command.folder.c_str()) == 0;
  if (ok)
    ::execve(arguments.pointers[0], arguments.pointers.data(), environment.pointers.data());
  int code = errno;
  ssize_t written = ::write(failure, &code, sizeof(code));
  ::_exit(written == sizeof(code) ? 127 : 126);
}

enum class Stream { HasMore, IsEmpty, Ended };

/// Reads what is there (the descriptor does not block) into `text`, `room` bytes in all.
Stream drain(int fd, std::string &text, int64_t room, bool &isCut) {
  char buffer[65536];
  ssize_t got = ::read(fd, buffer, sizeof(buffer));
  if (got < 0)
    return errno == EINTR ? Stream::HasMore : errno == EAGAIN ? Stream::IsEmpty : Stream::Ended;
  size_t left = static_cast<size_t>(room) - text.size(), kept = std::min(left, static_cast<size_t>(got));
  text.append(buffer, kept);
  isCut |= kept < static_cast<size_t>(got);
  return got > 0 ? Stream::HasMore : Stream::Ended;
}

/// Reads both streams until the child has ended, and ends it at the deadline. Returns what waitpid says of it.
int superviseChild(pid_t child, Pipe &out, Pipe &err, const SubprocessLimits &limits, SubprocessOutcome &outcome) {
  Clock::time_point deadline = Clock::now() + limits.wallTime;
  int status = 0;
  std::chrono::milliseconds pause{1};
  while (true) {
    bool hasStreams = out.readEnd.fd >= 0 || err.readEnd.fd >= 0;
    // A negative descriptor is passed over. With both streams closed the child is about to end.
    pollfd streams[2] = {{out.readEnd.fd, POLLIN, 0}, {err.readEnd.fd, POLLIN, 0}};
    int ready = ::poll(streams, 2, static_cast<int>((hasStreams ? std::chrono::milliseconds(50) : pause).count()));
    pause = std::min(pause * 2, std::chrono::milliseconds(50));
    if (ready > 0) {
      if (streams[0].revents && drain(out.readEnd.fd, outcome.out, limits.outputBytes, outcome.isCut) == Stream::Ended)
        out.readEnd.close();
      if (streams[1].revents && drain(err.readEnd.fd, outcome.err, limits.outputBytes, outcome.isCut) == Stream::Ended)
        err.readEnd.close();
      if (Clock::now() < deadline && (out.readEnd.fd >= 0 || err.readEnd.fd >= 0))
        continue;
    }
    siginfo_t info = {};
    int waited = ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT);
    // Where the embedding process ignores SIGCHLD the system has taken the status; the child's files tell the rest.
    bool isTaken = waited < 0 && errno == ECHILD;
    if (isTaken || info.si_pid == child) {
      // Children of its own that outlive it, before its number can be another's.
      if (!isTaken) {
        ::kill(-child, SIGKILL);
        while (::waitpid(child, &status, 0) < 0 && errno == EINTR)
          ;
      }
      auto drainRest = [&](int fd, std::string &text) {
        while (fd >= 0 && Clock::now() < deadline &&
               drain(fd, text, limits.outputBytes, outcome.isCut) == Stream::HasMore)
          ;
      };
      drainRest(out.readEnd.fd, outcome.out);
      drainRest(err.readEnd.fd, outcome.err);
      return status;
    }
    if (Clock::now() >= deadline) {
      outcome.end = SubprocessOutcome::End::TimedOut;
      ::kill(-child, SIGKILL);
      ::kill(child, SIGKILL); // had it not come to its own group yet
      while (::waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
      return status;
    }
  }
}

} // namespace

Result<SubprocessOutcome> runSubprocess(const SubprocessCommand &command, const SubprocessLimits &limits) {
  std::vector<std::string> words = {command.program};
  words.insert(words.end(), command.arguments.begin(), command.arguments.end());
  Strings arguments(std::move(words)), environment(childEnvironment(command.folder));
  Pipe out, err, failure;
  TENON_TRY(out.open());
  TENON_TRY(err.open());
  TENON_TRY(failure.open());
  Descriptor input{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  if (input.fd < 0)
    return ioError(std::string("cannot open /dev/null: ") + std::strerror(errno));

  pid_t child = ::fork();
  if (child < 0)
    return ioError("cannot start '" + command.program + "': " + std::strerror(errno));
  if (child == 0)
    becomeChild(command, limits, arguments, environment, input.fd, out.writeEnd.fd, err.writeEnd.fd,
                failure.writeEnd.fd);
  out.writeEnd.close();
  err.writeEnd.close();
  failure.writeEnd.close();
  ::fcntl(out.readEnd.fd, F_SETFL, O_NONBLOCK);
  ::fcntl(err.readEnd.fd, F_SETFL, O_NONBLOCK);

  // The failure pipe closes by itself when exec succeeds.
  int code = 0;
  ssize_t got;
  do
    got = ::read(failure.readEnd.fd, &code, sizeof(code));
  while (got < 0 && errno == EINTR);
  if (got == sizeof(code)) {
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR)
      ;
    std::string message = "cannot start '" + command.program + "': " + std::strerror(code);
    return code == ENOENT ? notFound(message) : ioError(message);
  }
  SubprocessOutcome outcome;
  int status = superviseChild(child, out, err, limits, outcome);
  if (outcome.end == SubprocessOutcome::End::TimedOut)
    return outcome;
  outcome.end = WIFSIGNALED(status) ? SubprocessOutcome::End::Signalled : SubprocessOutcome::End::Exited;
  outcome.code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
  return outcome;
}

} // namespace tenon
