#include "lib/Compiler/SharedObject.h"

#include "lld/Common/Driver.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <mutex>

LLD_HAS_DRIVER(elf)

namespace tenon {
namespace {
/// A folder that goes with its content.
struct ScratchFolder {
  llvm::SmallString<128> path;
  std::error_code error = llvm::sys::fs::createUniqueDirectory("tenon-link", path);
  ~ScratchFolder() {
    if (!error)
      llvm::sys::fs::remove_directories(path);
  }
  std::string file(const std::string &name) const {
    llvm::SmallString<128> full(path);
    llvm::sys::path::append(full, name);
    return full.str().str();
  }
};
} // namespace

Result<std::string> linkSharedObject(const std::vector<std::string> &objects) {
  static std::mutex turn;
  std::lock_guard<std::mutex> lock(turn);
  ScratchFolder folder;
  if (folder.error)
    return ioError("no temporary folder for the linker: " + folder.error.message() + "; set TMPDIR to a writable one");
  std::string output = folder.file("kernels.so");
  std::vector<std::string> arguments = {"ld.lld",        "-shared",    "--build-id=none",
                                        "--strip-all",   "-Bsymbolic", "--threads=1",
                                        "-znoexecstack", "-o",         output};
  for (size_t index = 0; index < objects.size(); ++index) {
    arguments.push_back(folder.file("kernels" + std::to_string(index) + ".o"));
    std::error_code error;
    llvm::raw_fd_ostream stream(arguments.back(), error);
    if (!error) {
      stream << objects[index];
      stream.close();
      error = stream.error();
      stream.clear_error();
    }
    if (error)
      return ioError(arguments.back() + ": " + error.message() + "; set TMPDIR to a folder with room");
  }
  std::vector<const char *> raw;
  for (const std::string &argument : arguments)
    raw.push_back(argument.c_str());
  std::string text;
  llvm::raw_string_ostream errors(text);
  lld::Result linked = lld::lldMain(raw, llvm::nulls(), errors, {{lld::Gnu, &lld::elf::link}});
  if (linked.retCode != 0)
    return internalError("the kernels do not link: " + text);
  llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> bytes =
      llvm::MemoryBuffer::getFile(output, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!bytes)
    return ioError(output + ": " + bytes.getError().message());
  return (*bytes)->getBuffer().str();
}

} // namespace tenon
