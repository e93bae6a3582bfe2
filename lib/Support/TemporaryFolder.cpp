#include "lib/Support/TemporaryFolder.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace tenon {

static const char *const remedy = "; set TMPDIR to a folder that is writable and has room";

Result<TemporaryFolder> TemporaryFolder::create(const std::string &prefix) {
  const char *variable = std::getenv("TMPDIR");
  std::string path = std::string(variable && *variable ? variable : "/tmp") + "/" + prefix + "XXXXXX";
  if (!::mkdtemp(path.data()))
    return ioError("no temporary folder '" + path + "': " + std::strerror(errno) + remedy);
  return TemporaryFolder(std::move(path));
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored; // what cannot be removed now, nobody can act on
  if (!folder.empty())
    std::filesystem::remove_all(folder, ignored);
}

Status TemporaryFolder::write(const std::string &name, std::string_view bytes) const {
  std::ofstream stream(file(name), std::ios::binary);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  stream.close();
  if (!stream)
    return ioError("cannot write '" + file(name) + "': " + std::strerror(errno) + remedy);
  return {};
}

Result<std::string> TemporaryFolder::read(const std::string &name, size_t limit) const {
  std::error_code error;
  uintmax_t size = std::filesystem::file_size(file(name), error);
  if (error)
    return notFound("'" + file(name) + "': " + error.message());
  if (size > limit)
    return ioError("'" + file(name) + "' has " + std::to_string(size) + " bytes, the limit is " +
                   std::to_string(limit));
  std::string bytes(size, '\0');
  std::ifstream stream(file(name), std::ios::binary);
  stream.read(bytes.data(), static_cast<std::streamsize>(size));
  if (!stream)
    return ioError("cannot read '" + file(name) + "'");
  return bytes;
}

} // namespace tenon
