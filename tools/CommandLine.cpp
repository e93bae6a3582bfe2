#include "tools/CommandLine.h"

#include "lib/Support/Version.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace tenon::tool {

CommandLine::CommandLine(std::string tool, std::string usage, std::string summary)
    : name(std::move(tool)), usage(std::move(usage)), summary(std::move(summary)) {}

void CommandLine::flag(std::string option, std::string help, bool &into) {
  options.push_back({std::move(option), "", std::move(help), [&into](const std::string &) {
                       into = true;
                       return Status();
                     }});
}

void CommandLine::text(std::string option, std::string value, std::string help, std::string &into) {
  options.push_back({std::move(option), std::move(value), std::move(help), [&into](const std::string &given) {
                       into = given;
                       return given.empty() ? invalidArgument("its value is empty") : Status();
                     }});
}

void CommandLine::choice(std::string option, std::string value, std::vector<std::string> words, std::string help,
                         std::string &into) {
  options.push_back({std::move(option), std::move(value), std::move(help),
                     [&into, words = std::move(words)](const std::string &given) {
                       if (std::find(words.begin(), words.end(), given) == words.end()) {
                         std::string listed;
                         for (size_t i = 0; i < words.size(); ++i)
                           listed += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
                         return invalidArgument("'" + given + "', expected " + listed);
                       }
                       into = given;
                       return Status();
                     }});
}

void CommandLine::texts(std::string option, std::string value, std::string help, std::vector<std::string> &into) {
  options.push_back({std::move(option), std::move(value), std::move(help), [&into](const std::string &given) {
                       into.push_back(given);
                       return given.empty() ? invalidArgument("its value is empty") : Status();
                     }});
}

static std::optional<int64_t> toInteger(const std::string &given) {
  char *end = nullptr;
  errno = 0;
  long long value = std::strtoll(given.c_str(), &end, 10);
  if (given.empty() || *end || errno || given[0] == ' ')
    return std::nullopt;
  return value;
}

void CommandLine::integer(std::string option, std::string value, std::string help, int64_t least, int64_t &into) {
  options.push_back({std::move(option), std::move(value), std::move(help), [&into, least](const std::string &given) {
                       std::optional<int64_t> number = toInteger(given);
                       if (!number || *number < least)
                         return invalidArgument("'" + given + "' is no integer of at least " + std::to_string(least));
                       into = *number;
                       return Status();
                     }});
}

void CommandLine::number(std::string option, std::string value, std::string help, std::optional<double> &into) {
  options.push_back({std::move(option), std::move(value), std::move(help), [&into](const std::string &given) {
                       char *end = nullptr;
                       double number = std::strtod(given.c_str(), &end);
                       if (given.empty() || *end || !(number >= 0))
                         return invalidArgument("'" + given + "' is no number of at least 0");
                       into = number;
                       return Status();
                     }});
}

void CommandLine::sizes(std::string option, std::string help, std::map<std::string, int64_t> &into) {
  options.push_back({std::move(option), "NAME=SIZE", std::move(help), [&into](const std::string &given) {
                       size_t equals = given.find('=');
                       std::optional<int64_t> size =
                           equals == std::string::npos ? std::nullopt : toInteger(given.substr(equals + 1));
                       if (!size || *size < 0 || equals == 0)
                         return invalidArgument("'" + given + "' is not NAME=SIZE, for example batch=8");
                       into[given.substr(0, equals)] = *size;
                       return Status();
                     }});
}

void CommandLine::ranges(std::string option, std::string help,
                         std::map<std::string, std::pair<int64_t, int64_t>> &into) {
  options.push_back({std::move(option), "NAME=LOW:HIGH", std::move(help), [&into](const std::string &given) {
                       size_t equals = given.find('='), colon = given.find(':', equals);
                       std::optional<int64_t> low, high;
                       if (equals != 0 && equals != std::string::npos && colon != std::string::npos) {
                         low = toInteger(given.substr(equals + 1, colon - equals - 1));
                         high = toInteger(given.substr(colon + 1));
                       }
                       if (!low || !high || *low > *high)
                         return invalidArgument("'" + given + "' is not NAME=LOW:HIGH with LOW <= HIGH, as ids=0:999");
                       into[given.substr(0, equals)] = {*low, *high};
                       return Status();
                     }});
}

void CommandLine::positional(std::string value, std::string &into) {
  positionalValue = std::move(value);
  positionalInto = &into;
}

void CommandLine::example(std::string command, std::string does) {
  examples.emplace_back(std::move(command), std::move(does));
}

static std::string spelled(const std::string &option) { return (option.size() == 1 ? "-" : "--") + option; }

// Letters to change, add or drop to make one word the other.
static size_t distance(const std::string &a, const std::string &b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

Status CommandLine::unknown(const std::string &given) const {
  const Option *nearest = nullptr;
  for (const Option &option : options)
    if (!nearest || distance(given, option.name) < distance(given, nearest->name))
      nearest = &option;
  std::string hint = nearest && distance(given, nearest->name) <= 2 ? "; did you mean " + spelled(nearest->name) + "?"
                                                                    : "; --help lists the options";
  return invalidArgument("there is no option " + spelled(given) + hint);
}

Status CommandLine::take(std::vector<std::string> arguments) {
  bool havePositional = false, optionsEnded = false;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string argument = arguments[i];
    if (argument == "--" && !optionsEnded) {
      optionsEnded = true;
      continue;
    }
    if (optionsEnded || argument.size() < 2 || argument[0] != '-') {
      if (!positionalInto || havePositional)
        return invalidArgument("one argument too many: '" + argument + "'");
      *positionalInto = argument;
      havePositional = true;
      continue;
    }
    size_t equals = argument.find('='), begin = argument[1] == '-' ? 2 : 1;
    std::string given = argument.substr(begin, equals == std::string::npos ? equals : equals - begin);
    auto option = std::find_if(options.begin(), options.end(), [&](const Option &o) { return o.name == given; });
    if (option == options.end())
      return unknown(given);
    std::string value = equals == std::string::npos ? "" : argument.substr(equals + 1);
    if (option->value.empty() && equals != std::string::npos)
      return invalidArgument(spelled(given) + " takes no value, got '" + value + "'");
    if (!option->value.empty() && equals == std::string::npos) {
      if (++i == arguments.size())
        return invalidArgument(spelled(given) + " needs a value: " + spelled(given) + "=" + option->value);
      value = arguments[i];
    }
    TENON_TRY(option->take(value).in(spelled(given)));
  }
  if (positionalInto && !havePositional)
    return invalidArgument("no " + positionalValue + " given");
  return {};
}

std::optional<int> CommandLine::parse(int argc, char **argv) {
  std::signal(SIGXFSZ,
              SIG_IGN); // past a limit of file size a write fails and is reported, instead of ending the process
  std::vector<std::string> arguments(argv + 1, argv + argc);
  for (const std::string &argument : arguments) {
    if (argument == "--help" || argument == "-h") {
      printHelp();
      return finish(name);
    }
    if (argument == "--version") {
      std::printf("%s %s\n", name.c_str(), version);
      return finish(name);
    }
  }
  Status status = take(std::move(arguments));
  if (status.ok())
    return std::nullopt;
  std::fprintf(stderr, "%s: %s\nusage: %s %s\n", name.c_str(), status.message().c_str(), name.c_str(), usage.c_str());
  return exitWrongUse;
}

void CommandLine::printHelp() const {
  std::printf("usage: %s %s\n\n%s\n\noptions:\n", name.c_str(), usage.c_str(), summary.c_str());
  auto print = [](const std::string &left, const std::string &help) {
    constexpr size_t column = 26;
    std::string line = "  " + left;
    std::printf("%s%s", line.c_str(),
                line.size() < column ? std::string(column - line.size(), ' ').c_str()
                                     : ("\n" + std::string(column, ' ')).c_str());
    for (char c : help) // a further line of help stands under the first
      std::fputs(c == '\n' ? ("\n" + std::string(column, ' ')).c_str() : std::string(1, c).c_str(), stdout);
    std::putchar('\n');
  };
  for (const Option &option : options) {
    std::string separator = option.name.size() == 1 ? " " : "=";
    print(spelled(option.name) + (option.value.empty() ? "" : separator + option.value), option.help);
  }
  print("--help", "this text");
  print("--version", "the version of Tenon");
  std::printf("\nexamples:\n");
  for (const auto &[command, does] : examples)
    std::printf("  %s\n      %s\n", command.c_str(), does.c_str());
  std::printf("\nexit status: 0 done, 1 the work failed, 2 wrong use\n");
}

// "model.mlir:3:7: error: .." is for editors, which look for the place at the start of a line.
static bool startsWithPlace(const std::string &message) {
  size_t colon = message.find(": error: ");
  return colon != std::string::npos && colon > 0 && std::isdigit(static_cast<unsigned char>(message[colon - 1])) &&
         message.find('\n') > colon;
}

int fail(const std::string &tool, const Status &error, bool json, ExitCode code) {
  if (json) {
    nlohmann::ordered_json text = {{"error", {{"kind", errorKindName(error.kind())}, {"message", error.message()}}}};
    std::printf("%s\n", text.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace).c_str());
    std::fflush(stdout);
  } else if (startsWithPlace(error.message())) {
    std::fprintf(stderr, "%s\n", error.message().c_str());
  } else {
    std::fprintf(stderr, "%s: error: %s\n", tool.c_str(), error.message().c_str());
  }
  return code;
}

int finish(const std::string &tool) {
  if (std::fflush(stdout) == 0 && !std::ferror(stdout))
    return exitDone;
  return fail(tool, ioError(std::string("cannot write to standard output: ") + std::strerror(errno)));
}

Result<std::string> readText(const std::string &path) {
  auto failure = [&](const char *what) {
    std::string message = std::string("cannot ") + what + " '" + path + "': " + std::strerror(errno);
    return errno == ENOENT ? notFound(message) : ioError(message);
  };
  std::FILE *file = path == "-" ? stdin : std::fopen(path.c_str(), "rb");
  if (!file)
    return failure("open");
  std::string text;
  char block[65536];
  while (size_t read = std::fread(block, 1, sizeof block, file))
    text.append(block, read);
  Status status = std::ferror(file) ? failure("read") : Status();
  if (file != stdin)
    std::fclose(file);
  TENON_TRY(status);
  return text;
}

} // namespace tenon::tool
