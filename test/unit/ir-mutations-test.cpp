// Text from outside is not trusted: mutated models go through the compiler up to the launch plan's IR, and each must
// end in success or an error with a message. Each runs in a child process, so that a crash or a hang is reported with
// its text.
#include "lib/Compiler/Compiler.h"
#include "test/unit/RuntimeModel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <regex>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tenon::test {
namespace {

constexpr size_t maxText = 65536;       // bytes of a mutated text
constexpr unsigned secondsEach = 20;    // of the processor's time, so that a busy machine does not make them long
constexpr unsigned secondsAsleep = 600; // of the clock: a deadlock takes no processor's time

/// `text` with its dynamic sizes named: every `?` of an argument of @main is "n".
std::string withNamedSizes(const std::string &text) {
  static const std::regex argument("(%\\w+: tensor<)([^>]*\\?[^>]*)>");
  std::string named;
  std::sregex_iterator match(text.begin(), text.end(), argument), none;
  size_t end = 0;
  for (; match != none; ++match) {
    named += text.substr(end, static_cast<size_t>(match->position()) - end) + match->str() + " {tenon.dims = [";
    end = static_cast<size_t>(match->position() + match->length());
    std::string shape = match->str(2);
    for (size_t from = 0, to; (to = shape.find('x', from)) != std::string::npos; from = to + 1)
      named += (from ? ", " : "") + std::string(shape[from] == '?' ? "\"n\"" : "\"\"");
    named += "]}";
  }
  return named + text.substr(end);
}

/// The example of every op, out of the documentation, with dynamic sizes and with fixed ones, and a small model.
std::vector<std::string> seeds() {
  std::vector<std::string> texts = {readAll(TENON_SOURCE_DIR "/test/tools/Inputs/mlp.mlir")};
  std::string page = readAll(TENON_BINARY_DIR "/docs/Tenon.md");
  const std::string fence = "```mlir\n", end = "```";
  for (size_t at = page.find(fence); at != std::string::npos; at = page.find(fence, at + 1)) {
    size_t begin = at + fence.size();
    std::string text = page.substr(begin, page.find(end, begin) - begin);
    size_t name = text.find("@example");
    if (name == std::string::npos)
      continue;
    text.replace(name, 8, "@main");
    if (text.find('?') != std::string::npos)
      texts.push_back(withNamedSizes(text));
    std::replace(text.begin(), text.end(), '?', '5');
    texts.push_back(text);
  }
  return texts;
}

std::vector<std::string> tokensOf(const std::string &text) {
  std::vector<std::string> tokens;
  auto isWord = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  for (size_t at = 0; at < text.size();) {
    size_t end = at + 1;
    while (isWord(text[at]) && end < text.size() && isWord(text[end]))
      ++end;
    tokens.push_back(text.substr(at, end - at));
    at = end;
  }
  return tokens;
}

std::string mutateText(const std::string &text, std::mt19937_64 &random) {
  static const char *const words[] = {"0",
                                      "1",
                                      "-1",
                                      "2",
                                      "3",
                                      "7",
                                      "64",
                                      "4096",
                                      "2147483647",
                                      "4294967296",
                                      "9223372036854775807",
                                      "f32",
                                      "f64",
                                      "f16",
                                      "i1",
                                      "i4",
                                      "bf16",
                                      "i8",
                                      "i64",
                                      "index",
                                      "f8E4M3FN",
                                      "none",
                                      "?",
                                      "x",
                                      "dense",
                                      "true",
                                      "tensor",
                                      "memref",
                                      "vector",
                                      "\"\"",
                                      "-",
                                      "{}"};
  std::vector<std::string> tokens = tokensOf(text);
  auto any = [&](size_t size) { return static_cast<size_t>(random() % size); };
  for (size_t edits = 1 + any(3); edits && !tokens.empty(); --edits) {
    size_t at = any(tokens.size());
    // Half of the edits hit numbers: sizes, axes and bounds say more than punctuation.
    for (int tries = 0; tries < 20 && random() % 2 && !std::isdigit(static_cast<unsigned char>(tokens[at][0])); ++tries)
      at = any(tokens.size());
    switch (any(6)) {
    case 0:
    case 1:
      tokens[at] = words[any(std::size(words))];
      break;
    case 2:
      tokens[at] = tokens[any(tokens.size())];
      break;
    case 3:
      tokens.erase(tokens.begin() + static_cast<std::ptrdiff_t>(at));
      break;
    case 4:
      tokens.insert(tokens.begin() + static_cast<std::ptrdiff_t>(at), tokens[any(tokens.size())]);
      break;
    case 5:
      tokens[at][any(tokens[at].size())] = static_cast<char>(random());
      break;
    }
  }
  std::string mutated;
  for (const std::string &token : tokens)
    mutated += token;
  return mutated.substr(0, maxText);
}

/// What parent and child share.
struct Shared {
  char text[maxText + 1];
  int done;
};

struct Way {
  const char *target, *lastPhase;
};

/// Compiles mutations from the `first` on until `last`; says in `shared` how far it came.
void compileSome(const std::vector<std::string> &texts, const Way &way, int first, int last, Shared &shared) {
  for (int i = first; i < last; ++i) {
    std::mt19937_64 random(testSeedQuiet() * 1000003 + static_cast<uint64_t>(i));
    std::string text = mutateText(texts[static_cast<size_t>(i) % texts.size()], random);
    std::memcpy(shared.text, text.data(), text.size());
    shared.text[text.size()] = 0;
    itimerval limit = {{0, 0}, {secondsEach, 0}};
    setitimer(ITIMER_PROF, &limit, nullptr);
    alarm(secondsAsleep);
    CompileOptions options;
    options.target = way.target;
    Result<std::string> compiled = compileTo(text, options, way.lastPhase);
    if (!compiled.ok() && compiled.status().message().empty())
      _exit(3);
    if (!compiled.ok() && compiled.status().message().find("without saying why") != std::string::npos)
      _exit(4);
    shared.done = i + 1;
  }
  _exit(0);
}

// Else mutations of them would be refused at the first op. What does not compile is of a later phase, or has a size
// that is data.
TEST(Mutations, IrStartsFromWhatCompiles) {
  std::vector<std::string> texts = seeds();
  auto compiled = std::count_if(texts.begin(), texts.end(),
                                [](const std::string &text) { return compileTo(text, CompileOptions(), "llvm").ok(); });
  EXPECT_GE(10 * static_cast<size_t>(compiled), 9 * texts.size()) << compiled << " of " << texts.size();
}

void compileMutations(const Way &way) {
  int count = numMutations();
  std::vector<std::string> texts = seeds();
  ASSERT_GT(texts.size(), 50u);
  auto *shared =
      static_cast<Shared *>(mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(shared, MAP_FAILED);
  testSeed(); // prints it
  int failures = 0;
  while (shared->done < count && failures < 20) {
    int first = shared->done;
    pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0)
      compileSome(texts, way, first, count, *shared);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
      continue;
    ++failures;
    ADD_FAILURE() << "mutation " << shared->done
                  << (WIFSIGNALED(status)        ? std::string(" ended by ") + strsignal(WTERMSIG(status))
                      : WEXITSTATUS(status) >= 3 ? " failed without a message"
                                                 : " ended the process")
                  << ":\n"
                  << shared->text;
    ++shared->done;
  }
  munmap(shared, sizeof(Shared));
}

TEST(Mutations, Ir) { compileMutations({"cpu", "llvm"}); }
TEST(Mutations, IrForGpus) { compileMutations({"sm_90a", "ptx"}); }

} // namespace
} // namespace tenon::test
