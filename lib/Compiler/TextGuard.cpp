#include "lib/Compiler/TextGuard.h"

namespace tenon {

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
