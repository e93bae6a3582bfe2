// SHA-256 (FIPS 180-4), for content keys and for the hashes of weights in an artefact.
#pragma once

#include <string>
#include <string_view>

namespace tenon {

/// 64 lower-case hexadecimal digits.
std::string sha256Hex(std::string_view bytes);

} // namespace tenon
