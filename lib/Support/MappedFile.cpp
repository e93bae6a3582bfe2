#include "lib/Support/MappedFile.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon {

Result<std::shared_ptr<const MappedFile>> MappedFile::open(const std::string &path) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    std::string message = "cannot open '" + path + "': " + std::strerror(errno);
    return errno == ENOENT ? notFound(message) : ioError(message);
  }
  struct stat info;
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    return invalidArgument("'" + path + "' is not a regular file");
  }
  std::shared_ptr<MappedFile> file(new MappedFile);
  file->length = static_cast<size_t>(info.st_size);
  if (file->length) { // an empty mapping is refused by the system
    file->address = ::mmap(nullptr, file->length, PROT_READ, MAP_PRIVATE, fd, 0);
    if (file->address == MAP_FAILED) {
      file->address = nullptr;
      file->length = 0;
      std::string message = "cannot map '" + path + "': " + std::strerror(errno);
      ::close(fd);
      return ioError(message);
    }
  }
  ::close(fd);
  return std::shared_ptr<const MappedFile>(std::move(file));
}

MappedFile::~MappedFile() {
  if (address)
    ::munmap(address, length);
}

void MappedFile::releasePages() const {
  if (address)
    ::madvise(address, length, MADV_DONTNEED);
}

} // namespace tenon
