// A folder under TMPDIR (else /tmp), readable by its owner only, that goes with its content when the object does.
#pragma once

#include "lib/Support/Status.h"

#include <string>
#include <string_view>
#include <utility>

namespace tenon {

class TemporaryFolder {
public:
  /// `prefix` begins its name. Errors: Io with the place and the remedy.
  static Result<TemporaryFolder> create(const std::string &prefix);
  TemporaryFolder(TemporaryFolder &&other) noexcept : folder(std::exchange(other.folder, {})) {}
  TemporaryFolder &operator=(TemporaryFolder &&) = delete;
  ~TemporaryFolder();

  const std::string &path() const { return folder; }
  std::string file(const std::string &name) const { return folder + "/" + name; }
  /// Errors: Io with the file and the remedy.
  Status write(const std::string &name, std::string_view bytes) const;
  /// At most `limit` bytes. Errors: NotFound, or Io.
  Result<std::string> read(const std::string &name, size_t limit) const;

private:
  explicit TemporaryFolder(std::string path) : folder(std::move(path)) {}
  std::string folder;
};

} // namespace tenon
