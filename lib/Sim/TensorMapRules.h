// Which tensor maps the driver takes: what cuTensorMapEncodeTiled of an H200 answers, which test/sim/device has map by
// map.
#pragma once

#include "lib/Support/Status.h"

#include <array>
#include <cstdint>

namespace tenon::sim {

/// The arguments of cuTensorMapEncodeTiled, innermost dimension first; modes as it numbers them.
struct TensorMapArguments {
  int type = 0;
  uint32_t rank = 1;
  uint64_t address = 0;
  std::array<uint64_t, 5> sizes = {}, strides = {}; ///< elements; bytes, of the dimensions but the first
  std::array<uint32_t, 5> box = {}, steps = {};     ///< elements
  int interleave = 0, swizzle = 0, promotion = 0, fill = 0;
};

constexpr std::array<uint8_t, 13> bytesOfMapTypes = {1, 2, 4, 4, 8, 8, 2, 4, 8, 2, 4, 4, 4};

/// What the driver refuses; an error begins with what such a map has.
Status checkTensorMap(const TensorMapArguments &map);

} // namespace tenon::sim
