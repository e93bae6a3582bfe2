// Text from outside, before the parser: the upstream parser recurses, so deep nesting ends the process.
#pragma once

#include "lib/Support/Status.h"

#include <string_view>

namespace tenon {

inline constexpr size_t maxTextBytes = size_t(256) << 20;
inline constexpr int maxNesting = 256;
/// Of one operator after the other ("- - - 1", "a * b * c ..") in an affine expression: the parser recurses there too.
inline constexpr int maxOperatorRun = 4096;

/// Refuses bytecode, text over maxTextBytes, brackets nested deeper than maxNesting, and what else the parser does not
/// survive, with the line it is on.
Status guardText(std::string_view text);

} // namespace tenon
