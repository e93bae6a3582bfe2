// The command line of a tool: a table of options that parses the arguments and prints itself as --help. The tools share
// one manner through it: `--name=value` or `--name value`, examples at the end of the help, and three exit codes.
#pragma once

#include "lib/Support/Status.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tenon::tool {

enum ExitCode { exitDone = 0, exitFailed = 1, exitWrongUse = 2 };

class CommandLine {
public:
  /// `usage`: what follows the tool's name in the first line of the help.
  CommandLine(std::string tool, std::string usage, std::string summary);

  void flag(std::string name, std::string help, bool &into);
  void text(std::string name, std::string value, std::string help, std::string &into);
  /// One of some words; `into` holds the default.
  void choice(std::string name, std::string value, std::vector<std::string> words, std::string help, std::string &into);
  /// May be given many times.
  void texts(std::string name, std::string value, std::string help, std::vector<std::string> &into);
  void integer(std::string name, std::string value, std::string help, int64_t least, int64_t &into);
  void number(std::string name, std::string value, std::string help, std::optional<double> &into);
  /// `--dim batch=8`, many times: names to sizes.
  void sizes(std::string name, std::string help, std::map<std::string, int64_t> &into);
  /// `--range ids=0:999`, many times: names to inclusive bounds.
  void ranges(std::string name, std::string help, std::map<std::string, std::pair<int64_t, int64_t>> &into);
  /// The one argument without a name.
  void positional(std::string value, std::string &into);
  /// A command and what it does, for the end of the help.
  void example(std::string command, std::string does);

  /// Nothing when the tool may go on; else the code to exit with, after --help, --version or a complaint on stderr.
  std::optional<int> parse(int argc, char **argv);

  const std::string &tool() const { return name; }

private:
  struct Option {
    std::string name, value, help;
    std::function<Status(const std::string &)> take;
  };
  Status take(std::vector<std::string> arguments);
  Status unknown(const std::string &given) const;
  void printHelp() const;

  std::string name, usage, summary, positionalValue;
  std::string *positionalInto = nullptr;
  std::vector<Option> options;
  std::vector<std::pair<std::string, std::string>> examples;
};

/// Writes the message to stderr, led by the tool's name unless it already starts with the place in a file, and gives
/// `code`. Under `json` the error goes to stdout as {"error": {"kind": .., "message": ..}}.
int fail(const std::string &tool, const Status &error, bool json = false, ExitCode code = exitFailed);

/// Flushes stdout: what a tool printed must have arrived before it says that all went well.
int finish(const std::string &tool);

/// The text of a file or pipe, or of stdin for "-".
Result<std::string> readText(const std::string &path);

} // namespace tenon::tool
