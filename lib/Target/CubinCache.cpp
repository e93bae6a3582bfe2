#include "lib/Target/CubinCache.h"

#include "lib/Support/AtomicFile.h"
#include "lib/Support/Sha256.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon {
namespace {

constexpr size_t maxEntryBytes = size_t(1) << 30;
const char *const magic = "tenon-cubin 1\n"; // with the number of the format

std::string variable(const char *name) {
  const char *value = std::getenv(name);
  return value ? value : "";
}

/// The part of a header that follows from the key alone.
std::string headerOf(const CubinKey &key) {
  return magic + ("compiler " + key.compiler) + "\nassembler " + key.assembler + "\narch " + key.arch + "\nptx " +
         std::to_string(key.ptx.size()) + "\n";
}

std::string hashLine(std::string_view header, std::string_view body) {
  return "sha256 " + sha256Hex(std::string(header) + std::string(body)) + "\n";
}

/// Takes "<word> <number>\n" off the front.
std::optional<size_t> takeNumber(std::string_view &text, std::string_view word) {
  if (text.substr(0, word.size()) != word)
    return std::nullopt;
  std::string_view rest = text.substr(word.size());
  size_t value = 0, digits = 0;
  while (digits < rest.size() && rest[digits] >= '0' && rest[digits] <= '9' && digits < 10)
    value = value * 10 + static_cast<size_t>(rest[digits++] - '0');
  if (digits == 0 || digits >= rest.size() || rest[digits] != '\n')
    return std::nullopt;
  text = rest.substr(digits + 1);
  return value;
}

/// What does not fit in `file`, or the entry.
const char *parseEntry(std::string_view file, const CubinKey &key, CubinEntry &entry) {
  std::string expected = headerOf(key);
  if (file.substr(0, expected.size()) != expected)
    return "its header is another's";
  std::string_view rest = file.substr(expected.size());
  std::optional<size_t> logBytes = takeNumber(rest, "log ");
  std::optional<size_t> cubinBytes = logBytes ? takeNumber(rest, "cubin ") : std::nullopt;
  if (!cubinBytes)
    return "its header is damaged";
  std::string_view header = file.substr(0, file.size() - rest.size());
  const size_t hashBytes = sizeof("sha256 \n") - 1 + 64;
  if (rest.size() < hashBytes || *logBytes > maxEntryBytes || *cubinBytes > maxEntryBytes ||
      rest.size() - hashBytes != key.ptx.size() + *logBytes + *cubinBytes)
    return "its length is wrong";
  std::string_view body = rest.substr(hashBytes);
  if (rest.substr(0, hashBytes) != hashLine(header, body))
    return "its hash is wrong";
  if (body.substr(0, key.ptx.size()) != key.ptx)
    return "its PTX is another's";
  entry.log = body.substr(key.ptx.size(), *logBytes);
  entry.cubin = body.substr(key.ptx.size() + *logBytes);
  return nullptr;
}

/// Makes the folder and those above it. Returns what is wrong with it.
std::string prepareFolder(const std::string &folder) {
  for (size_t at = 1; at <= folder.size(); ++at)
    if (at == folder.size() || folder[at] == '/')
      if (::mkdir(folder.substr(0, at).c_str(), 0700) != 0 && errno != EEXIST && at == folder.size())
        return std::strerror(errno);
  struct stat info;
  if (::lstat(folder.c_str(), &info) != 0)
    return std::strerror(errno);
  if (!S_ISDIR(info.st_mode))
    return "it is no folder";
  if (info.st_uid != ::geteuid())
    return "it belongs to another user";
  if ((info.st_mode & 0777) != 0700 && ::chmod(folder.c_str(), 0700) != 0)
    return std::strerror(errno);
  return "";
}

/// The whole file; nothing and errno otherwise.
std::optional<std::string> readFile(const std::string &path) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0)
    return std::nullopt;
  struct stat info;
  std::optional<std::string> bytes;
  if (::fstat(fd, &info) == 0) {
    errno = EFBIG;
    if (S_ISREG(info.st_mode) && static_cast<size_t>(info.st_size) <= maxEntryBytes) {
      bytes.emplace(static_cast<size_t>(info.st_size), '\0');
      size_t done = 0;
      while (done < bytes->size()) {
        ssize_t got = ::read(fd, bytes->data() + done, bytes->size() - done);
        if (got < 0 && errno == EINTR)
          continue;
        if (got <= 0)
          break;
        done += static_cast<size_t>(got);
      }
      bytes->resize(done);
    }
  }
  int code = errno;
  ::close(fd);
  errno = code;
  return bytes;
}

} // namespace

std::string CubinCache::defaultFolder() {
  if (const char *own = std::getenv("TENON_CACHE_DIR"))
    return own;
  if (std::string cache = variable("XDG_CACHE_HOME"); !cache.empty() && cache[0] == '/')
    return cache + "/tenon";
  if (std::string home = variable("HOME"); !home.empty() && home[0] == '/')
    return home + "/.cache/tenon";
  return "";
}

CubinCache::CubinCache(std::string place, Log log) : folder(std::move(place)), log(std::move(log)) {
  while (folder.size() > 1 && folder.back() == '/')
    folder.pop_back();
  if (folder.empty())
    return;
  std::string problem = prepareFolder(folder);
  on = problem.empty();
  if (!on)
    this->log("no cubin cache: '" + folder + "': " + problem + "; set TENON_CACHE_DIR to a folder of yours");
}

std::string CubinCache::pathOf(const CubinKey &key) const {
  return folder + "/" + sha256Hex(headerOf(key) + key.ptx) + ".cubin";
}

std::optional<CubinEntry> CubinCache::load(const CubinKey &key) const {
  if (!on)
    return std::nullopt;
  std::string path = pathOf(key);
  std::optional<std::string> file = readFile(path);
  const char *problem = nullptr;
  CubinEntry entry;
  if (file)
    problem = parseEntry(*file, key, entry);
  else if (errno == ENOENT)
    return std::nullopt;
  else
    problem = std::strerror(errno);
  if (!problem)
    return entry;
  ::unlink(path.c_str()); // where that fails, the next store replaces it
  log("cubin cache: '" + path + "' is removed: " + problem);
  return std::nullopt;
}

void CubinCache::store(const CubinKey &key, const CubinEntry &entry) const {
  if (!on || !canStore)
    return;
  std::string header = headerOf(key) + "log " + std::to_string(entry.log.size()) + "\ncubin " +
                       std::to_string(entry.cubin.size()) + "\n";
  std::string body = key.ptx + entry.log + entry.cubin;
  Status status = writeFileAtomically(pathOf(key), header + hashLine(header, body) + body);
  if (!status.ok() && canStore.exchange(false))
    log("cubin cache: nothing more is kept: " + status.message());
}

} // namespace tenon
