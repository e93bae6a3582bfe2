// A file read through the page cache: mapped read-only, so that weights are shared between processes and cost no copy.
#pragma once

#include "lib/Support/Status.h"

#include <memory>
#include <string>
#include <string_view>

namespace tenon {

class MappedFile {
public:
  /// NotFound, or Io with the system's reason; directories and devices are InvalidArgument.
  static Result<std::shared_ptr<const MappedFile>> open(const std::string &path);
  ~MappedFile();
  MappedFile(const MappedFile &) = delete;
  MappedFile &operator=(const MappedFile &) = delete;

  std::string_view bytes() const { return {static_cast<const char *>(address), length}; }
  /// Drops the pages from this process; they come back when touched.
  void releasePages() const;

private:
  MappedFile() = default;
  void *address = nullptr;
  size_t length = 0;
};

} // namespace tenon
