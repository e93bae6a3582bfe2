#include "lib/Compiler/SharedObject.h"

#include "lib/Support/TemporaryFolder.h"

#include "lld/Common/Driver.h"
#include "llvm/Support/raw_ostream.h"

#include <mutex>

LLD_HAS_DRIVER(elf)

namespace tenon {
Result<std::string> linkSharedObject(const std::vector<std::string> &objects) {
  static std::mutex turn;
  std::lock_guard<std::mutex> lock(turn);
  TENON_TRY_ASSIGN(TemporaryFolder folder, TemporaryFolder::create("tenon-link-"));
  std::string output = folder.file("kernels.so");
  std::vector<std::string> arguments = {"ld.lld",        "-shared",    "--build-id=none",
                                        "--strip-all",   "-Bsymbolic", "--threads=1",
                                        "-znoexecstack", "-o",         output};
  for (size_t index = 0; index < objects.size(); ++index) {
    std::string name = "kernels" + std::to_string(index) + ".o";
    TENON_TRY(folder.write(name, objects[index]));
    arguments.push_back(folder.file(name));
  }
  std::vector<const char *> raw;
  for (const std::string &argument : arguments)
    raw.push_back(argument.c_str());
  std::string text;
  llvm::raw_string_ostream errors(text);
  lld::Result linked = lld::lldMain(raw, llvm::nulls(), errors, {{lld::Gnu, &lld::elf::link}});
  if (linked.retCode != 0)
    return internalError("the kernels do not link: " + text);
  return folder.read("kernels.so", SIZE_MAX);
}

} // namespace tenon
