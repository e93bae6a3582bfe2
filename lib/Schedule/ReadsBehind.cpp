#include "lib/Schedule/ReadsBehind.h"

namespace tenon {

int64_t ringBytesBeside(int64_t readBytes, int64_t rows, const GpuArch &arch) {
  return arch.sharedBytesPerBlock - readBytes - slabBytes(rows);
}

bool makesRoomFor(int64_t readBytes, int64_t rows, int64_t slotBytes, const GpuArch &arch) {
  constexpr int64_t leastSlots = 4; // two are read while two are filled
  return leastSlots * slotBytes <= ringBytesBeside(readBytes, rows, arch);
}

} // namespace tenon
