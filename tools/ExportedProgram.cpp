#include "tools/ExportedProgram.h"

#include "lib/Support/TemporaryFolder.h"
#include "tools/CommandLine.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

namespace tenon::tool {

namespace fs = std::filesystem;

bool isExportedProgram(const std::string &path) {
  return path.size() > 4 && path.compare(path.size() - 4, 4, ".pt2") == 0;
}

static std::string python() {
  if (const char *given = std::getenv("TENON_PYTHON"); given && *given)
    return given;
  std::error_code error;
  fs::path tool = fs::read_symlink("/proc/self/exe", error);
  fs::path checkout = tool.parent_path() / "../../.venv/bin/python";
  return !error && fs::exists(checkout, error) ? checkout.lexically_normal().string() : "python3";
}

/// Runs the importer with all it says in `messages`; its exit status. It gets this process's environment and no limits:
/// a model may be large, and where Python finds its packages is the user's.
static Result<int> runImporter(const std::string &interpreter, const std::string &model, const std::string &folder,
                               const std::string &messages) {
  std::vector<std::string> words = {interpreter, "-m", "tenon.importer", model, folder};
  std::vector<char *> arguments;
  for (std::string &word : words)
    arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, messages.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  pid_t child;
  int failed = ::posix_spawnp(&child, interpreter.c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed)
    return notFound("cannot start '" + interpreter + "', which imports '" + model + "': " + std::strerror(failed) +
                    "; set TENON_PYTHON to a Python with the packages tenon and torch");
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR)
      return ioError(std::string("cannot wait for the importer: ") + std::strerror(errno));
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

Result<ExportedProgram> importExportedProgram(const std::string &path) {
  TENON_TRY(MappedFile::open(path).status()); // a missing file is said without starting Python
  TENON_TRY_ASSIGN(TemporaryFolder folder, TemporaryFolder::create("tenon-import-"));
  std::string interpreter = python();
  TENON_TRY_ASSIGN(int status,
                   runImporter(interpreter, fs::absolute(path).string(), folder.path(), folder.file("messages")));
  if (status != 0) {
    Result<std::string> said = folder.read("messages", 65536);
    std::string text = said.ok() ? said.take() : "";
    text.erase(text.find_last_not_of(" \n") + 1);
    if (text.find("No module named 'tenon") != std::string::npos ||
        text.find("No module named tenon") != std::string::npos)
      return notFound("importing '" + path + "' needs the Python package tenon, which '" + interpreter +
                      "' lacks; set TENON_PYTHON to a Python that has it");
    return unsupported(text.empty() ? "the importer of '" + path + "' ended with status " + std::to_string(status)
                                    : text);
  }
  ExportedProgram program;
  TENON_TRY_ASSIGN(program.text, readText(folder.file("model.mlir")));
  std::string weights = folder.file("model.safetensors");
  if (std::error_code error; fs::exists(weights, error)) {
    TENON_TRY_ASSIGN(program.weights, MappedFile::open(weights)); // stays readable when the folder has gone
  }
  return program;
}

} // namespace tenon::tool
