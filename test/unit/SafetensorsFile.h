// Weights for tests, as a file in the safetensors format.
#pragma once

#include "lib/Support/Safetensors.h"

namespace tenon::test {

/// In the order of their names; the data starts at a multiple of 64. Types: f64, f32, bf16, i64 and i1.
std::string safetensorsFile(const std::map<std::string, SafetensorsEntry> &tensors);

} // namespace tenon::test
