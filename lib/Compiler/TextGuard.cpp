#include "lib/Compiler/TextGuard.h"

#include <algorithm>

namespace tenon {

/// Past blanks and comments.
static size_t skipBlank(std::string_view text, size_t at) {
  for (; at < text.size(); ++at) {
    bool isBlank = text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r';
    if (text.substr(at, 2) == "//")
      at = std::min(text.find('\n', at), text.size() - 1);
    else if (!isBlank)
      break;
  }
  return at;
}

/// `array<index: 1>`, also by an alias: the parser of MLIR 22 asks an index for its width and ends the process.
static bool isArrayOfIndices(std::string_view text) {
  constexpr std::string_view keyword = "array";
  size_t angle = skipBlank(text, keyword.size());
  if (text.substr(0, keyword.size()) != keyword || text.substr(angle, 1) != "<")
    return false;
  size_t element = skipBlank(text, angle + 1);
  return text.substr(element, 5) == "index" || text.substr(element, 1) == "!";
}

Status guardText(std::string_view text) {
  if (text.size() > maxTextBytes)
    return invalidArgument("the text has " + std::to_string(text.size()) + " bytes, at most " +
                           std::to_string(maxTextBytes) +
                           " are read; weights belong in a safetensors file, named by tenon.weight");
  if (text.substr(0, 4) == "ML\xefR")
    return unsupported(
        "this is MLIR bytecode; only text is read, since mutated bytecode corrupts memory in the reader; "
        "print it with tenon-opt");
  int depth = 0, angles = 0, operators = 0;
  size_t line = 1;
  auto tooDeep = [&](const char *what, int limit) {
    return invalidArgument("line " + std::to_string(line) + ": " + what + " more than " + std::to_string(limit) +
                           " deep; no model needs that, the text is refused before it is parsed");
  };
  for (size_t at = 0; at < text.size(); ++at) {
    char c = text[at], next = at + 1 < text.size() ? text[at + 1] : '\0';
    switch (c) {
    case '\n':
      ++line;
      break;
    case '/':
      if (next == '/') {
        while (at + 1 < text.size() && text[at + 1] != '\n')
          ++at;
      }
      break;
    case '"':
      for (++at; at < text.size() && text[at] != '"' && text[at] != '\n'; ++at)
        at += text[at] == '\\';
      break;
    case '(':
    case '[':
    case '{':
      ++depth;
      operators = 0;
      break;
    case ')':
    case ']':
    case '}':
      depth -= depth > 0;
      operators = 0;
      break;
    case '<':
      angles += next != '=';
      break;
    case '>':
      // "->" and ">=" are no brackets.
      if ((at == 0 || text[at - 1] != '-') && next != '=')
        angles -= angles > 0;
      break;
    case ',':
    case '=':
    case ':':
      operators = 0;
      break;
    case '-':
    case '+':
    case '*':
      ++operators;
      break;
    default:
      if (c == 'a' && isArrayOfIndices(text.substr(at)))
        return invalidArgument(
            "line " + std::to_string(line) +
            ": an array attribute of indices or of a named type; its elements are numbers of a width: "
            "write array<i64: ..>");
      if ((c == 'f' || c == 'c' || c == 'm') &&
          (text.substr(at, 9) == "floordiv " || text.substr(at, 8) == "ceildiv " || text.substr(at, 4) == "mod "))
        ++operators;
      break;
    }
    if (depth + angles > maxNesting)
      return tooDeep("brackets are nested", maxNesting);
    if (operators > maxOperatorRun)
      return tooDeep("an expression is", maxOperatorRun);
  }
  return {};
}

} // namespace tenon
