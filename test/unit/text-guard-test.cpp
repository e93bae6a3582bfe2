// Where text is refused before the parser sees it, and that the parser takes what is just below.
#include "lib/Compiler/Compiler.h"
#include "lib/Compiler/TextGuard.h"

#include <gtest/gtest.h>

namespace tenon::test {
namespace {

std::string repeated(const std::string &text, int count) {
  std::string result;
  for (int i = 0; i < count; ++i)
    result += text;
  return result;
}

struct GuardCase {
  const char *name;
  std::string text;
  const char *message; ///< part of it; empty: accepted
};
void PrintTo(const GuardCase &test, std::ostream *os) { *os << test.name; }

class TextGuard : public testing::TestWithParam<GuardCase> {};

TEST_P(TextGuard, Judges) {
  Status status = guardText(GetParam().text);
  if (!*GetParam().message)
    EXPECT_TRUE(status.ok()) << status.message();
  else
    EXPECT_NE(status.message().find(GetParam().message), std::string::npos) << status.message();
}

const std::string deep = "nested more than 256 deep", run = "an expression is more than 4096";
const GuardCase guardCases[] = {
    {"braces_at_the_limit", repeated("{", maxNesting) + repeated("}", maxNesting), ""},
    {"braces", repeated("{", maxNesting + 1), "line 1: brackets are nested more than 256 deep"},
    {"the_line_is_named", "\n\n" + repeated("[\n", maxNesting + 1), "line 259: brackets"},
    {"all_kinds_together", repeated("{[(<", 65), deep.c_str()},
    {"angles", repeated("tuple<", maxNesting + 1), deep.c_str()},
    {"arrows_are_no_brackets", repeated("a -> b <= c >= ", 1000), ""},
    {"closed_again", repeated("({[]})", 1000), ""},
    {"comments_do_not_count", "// " + repeated("(", 1000) + "\n", ""},
    {"strings_do_not_count", "\"" + repeated("(\\\"", 1000) + "\"", ""},
    {"signs", repeated("- ", maxOperatorRun + 1) + "1", run.c_str()},
    {"signs_at_the_limit", repeated("-", maxOperatorRun) + "1", ""},
    {"sums", "1" + repeated(" + 1", maxOperatorRun + 1), run.c_str()},
    {"divisions", "d0" + repeated(" floordiv 2", maxOperatorRun + 1), run.c_str()},
    {"lists_are_no_expressions", repeated("-1, ", 3 * maxOperatorRun), ""},
    {"array_of_indices", "{\na = array<index: 1>}", "line 2: an array attribute of indices"},
    {"array_of_indices_apart", "array // <\n < \t//\n//i64\nindex", "line 1: an array attribute"},
    {"array_of_an_alias", "!t = index\n{a = array<!t: 1>}", "line 2: an array attribute"},
    {"arrays_of_numbers", "array<i64: 1> array<> !llvm.array<4 x index> array array<", ""},
    {"bytecode", "ML\xefR", "bytecode"},
    {"size", std::string(maxTextBytes + 1, ' '), "weights belong in a safetensors file"},
};
INSTANTIATE_TEST_SUITE_P(Guard, TextGuard, testing::ValuesIn(guardCases),
                         [](const auto &info) { return info.param.name; });

/// The recursions of the parser, as deep as the guard lets them go.
TEST(TextGuard, ParserTakesWhatIsJustBelow) {
  const std::string begin = "module attributes {a = ", end = "} {}";
  const std::string texts[] = {
      begin + repeated("[", maxNesting - 2) + repeated("]", maxNesting - 2) + end,
      begin + repeated("{b = ", maxNesting - 2) + "1" + repeated("}", maxNesting - 2) + end,
      begin + repeated("tuple<", maxNesting - 2) + "i1" + repeated(">", maxNesting - 2) + end,
      begin + "affine_map<(d0) -> (" + repeated("-", maxOperatorRun - 1) + "d0)>" + end,
      begin + "affine_map<(d0) -> (d0" + repeated(" + d0", maxOperatorRun - 1) + ")>" + end,
      begin + "affine_map<(d0) -> (d0" + repeated(" mod 7", maxOperatorRun - 1) + ")>" + end,
      begin + "affine_map<(d0) -> (" + repeated("(", maxNesting - 4) + "d0" + repeated(")", maxNesting - 4) + ")>" +
          end,
      begin + "dense<" + repeated("[", maxNesting - 2) + "1" + repeated("]", maxNesting - 2) + "> : tensor<1xi32>" +
          end,
      repeated("module {", maxNesting - 1) + repeated("}", maxNesting - 1),
      repeated("\"x.y\"() ({", 120) + repeated("}) : () -> ()", 120),
  };
  for (const std::string &text : texts) {
    ASSERT_TRUE(guardText(text).ok()) << text.substr(0, 60);
    Result<std::string> compiled = compileTo(text, CompileOptions(), "graph"); // an error or not, but it comes back
    EXPECT_TRUE(compiled.ok() || !compiled.status().message().empty());
  }
}

} // namespace
} // namespace tenon::test
