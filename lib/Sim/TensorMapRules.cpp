#include "lib/Sim/TensorMapRules.h"

#include <string>

namespace tenon::sim {

static Status checkModes(const TensorMapArguments &map) {
  auto wrong = [&](const char *what, int64_t number, int64_t last) {
    return invalidArgument(what + std::to_string(number) + "; expected 0 to " + std::to_string(last));
  };
  if (map.type < 0 || map.type >= static_cast<int>(bytesOfMapTypes.size()))
    return wrong("elements of type ", map.type, bytesOfMapTypes.size() - 1);
  if (map.interleave < 0 || map.interleave > 2)
    return wrong("interleave ", map.interleave, 2);
  if (map.rank < (map.interleave ? 3 : 1) || map.rank > 5)
    return invalidArgument("rank " + std::to_string(map.rank) + "; expected 1 to 5, and from 3 on with interleave");
  if (map.swizzle < 0 || map.swizzle > 3)
    return wrong("swizzle ", map.swizzle, 3);
  if (map.promotion < 0 || map.promotion > 3)
    return wrong("L2 promotion ", map.promotion, 3);
  if (map.fill < 0 || map.fill > 1)
    return wrong("fill ", map.fill, 1);
  constexpr int firstFloat = 6;
  if (map.fill == 1 && map.type < firstFloat)
    return invalidArgument("NaN outside of its bounds, and elements that are no floats");
  return {};
}

static Status checkBox(const TensorMapArguments &map) {
  constexpr uint64_t largest = 228 << 10; // the shared memory of a multiprocessor
  uint64_t element = bytesOfMapTypes[static_cast<size_t>(map.type)], bytes = element;
  for (uint32_t d = 0; d < map.rank; ++d) {
    uint64_t side = map.box[d], step = map.steps[d];
    if (side < 1 || side > 256)
      return invalidArgument("a box of " + std::to_string(side) + " elements; expected 1 to 256");
    if (step < 1 || step > 8)
      return invalidArgument("an element stride of " + std::to_string(step) + "; expected 1 to 8");
    bytes *= d == 0 ? side : (side + step - 1) / step; // steps in the first dimension count for nothing
  }
  // Interleaved, a row may be longer than the swizzle.
  uint64_t inner = map.box[0] * element, span = 16U << map.swizzle;
  if (inner % 16 != 0 || (map.swizzle != 0 && map.interleave == 0 && inner > span))
    return invalidArgument("a box of " + std::to_string(inner) +
                           " bytes a row; expected a multiple of 16 within the swizzle");
  if (bytes > largest)
    return invalidArgument("a box of " + std::to_string(bytes) + " bytes; expected " + std::to_string(largest) +
                           " at most");
  return {};
}

Status checkTensorMap(const TensorMapArguments &map) {
  TENON_TRY(checkModes(map));
  TENON_TRY(checkBox(map));
  uint64_t unit = map.interleave == 2 ? 32 : 16;
  auto wrong = [&](const std::string &what, uint64_t number, const char *bytes, const char *limit) {
    return invalidArgument(what + std::to_string(number) + bytes + "; expected a multiple of " + std::to_string(unit) +
                           " below " + limit);
  };
  if (map.address % unit != 0 || map.address >= uint64_t{1} << 57)
    return wrong("address ", map.address, "", "2^57");
  // Strides may be 0, less than a row, and no multiples of each other.
  for (uint32_t d = 0; d < map.rank; ++d) {
    if (map.sizes[d] < 1 || map.sizes[d] > uint64_t{1} << 32)
      return invalidArgument("a size of " + std::to_string(map.sizes[d]) + "; expected 1 to 2^32");
    if (d > 0 && (map.strides[d - 1] % unit != 0 || map.strides[d - 1] >= uint64_t{1} << 40))
      return wrong("a stride of ", map.strides[d - 1], " bytes", "2^40");
  }
  return {};
}

} // namespace tenon::sim
