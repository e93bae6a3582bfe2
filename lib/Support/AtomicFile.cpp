#include "lib/Support/AtomicFile.h"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon {

static Status systemError(const std::string &what, const std::string &path, int code) {
  std::string message =
      "cannot " + what + " '" + path + "': " + std::strerror(code) + "; the file there, if any, is kept";
  if (code == ENOSPC || code == EDQUOT)
    message += "; free some space and try again";
  return code == ENOENT ? notFound(message) : ioError(message);
}

static Status writeAll(int fd, std::string_view bytes, const std::string &path) {
  while (!bytes.empty()) {
    ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return systemError("write", path, written < 0 ? errno : ENOSPC);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

Status writeFileAtomically(const std::string &path, std::string_view bytes) {
  // A device or a pipe cannot be replaced by rename: it is written to.
  struct stat info;
  if (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0)
      return systemError("open", path, errno);
    Status status = writeAll(fd, bytes, path);
    ::close(fd);
    return status;
  }

  // The name is new to this process and, by O_EXCL, to all others; the system applies the umask, which a thread cannot
  // read without changing it under the others.
  static std::atomic<unsigned> serial{0};
  std::string temporary;
  int fd = -1;
  do {
    temporary = path + ".tmp" + std::to_string(::getpid()) + "-" + std::to_string(serial++);
    fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (fd < 0 && (errno == EEXIST || errno == EINTR));
  if (fd < 0)
    return systemError("create a file beside", path, errno);
  Status status = writeAll(fd, bytes, path);
  if (status.ok() && ::fsync(fd) != 0)
    status = systemError("write", path, errno);
  if (::close(fd) != 0 && status.ok())
    status = systemError("write", path, errno);
  if (status.ok() && ::rename(temporary.c_str(), path.c_str()) != 0)
    status = systemError("replace", path, errno);
  if (!status.ok())
    ::unlink(temporary.c_str());
  return status;
}

} // namespace tenon
