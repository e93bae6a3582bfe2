#include "lib/Schedule/WarpSchedule.h"

#include <algorithm>

namespace tenon {

/// As many slots as fit half of an SM's shared memory, so that two programs share an SM; at least two where those fit.
static int64_t stagesFor(int64_t bytesPerStage, int64_t most, const GpuArch &arch) {
  if (bytesPerStage <= 0)
    return 1;
  int64_t half = arch.sharedBytesPerSm / 2 - arch.sharedBytesReserved;
  int64_t stages = std::min(most, half / bytesPerStage);
  if (stages < 2)
    stages = std::min<int64_t>(2, arch.sharedBytesPerBlock / bytesPerStage);
  return std::max<int64_t>(1, stages);
}

WarpSchedule chooseDotWarps(int64_t rows, int64_t columns, int64_t bytesPerStage, bool isTensorCore,
                            const GpuArch &arch) {
  // A warp's part: large enough that operands are read seldom, small enough for its registers.
  int64_t least = isTensorCore ? 16 : 8;
  WarpSchedule schedule;
  int64_t partRows = rows, partColumns = columns;
  auto halveRows = [&] {
    if (partRows % 2 != 0 || (partRows / 2) % least != 0)
      return false;
    partRows /= 2;
    schedule.warpsM *= 2;
    return true;
  };
  auto halveColumns = [&] {
    if (partColumns % 2 != 0 || (partColumns / 2) % 8 != 0)
      return false;
    partColumns /= 2;
    schedule.warpsN *= 2;
    return true;
  };
  while (partRows > 64 && halveRows()) {
  }
  while (partColumns > 32 && halveColumns()) {
  }
  while (schedule.warpsM * schedule.warpsN < 4 && (partColumns > 16 ? halveColumns() : halveRows() || halveColumns())) {
  }
  schedule.stages = stagesFor(bytesPerStage, 4, arch);
  return schedule;
}

WarpSchedule chooseRowDotWarps(int64_t rows, int64_t bytesPerStage, const GpuArch &arch) {
  WarpSchedule schedule;
  while (schedule.warpsM < 8 && rows % (32 * schedule.warpsM) == 0)
    schedule.warpsM *= 2;
  schedule.stages = stagesFor(bytesPerStage, 2, arch);
  return schedule;
}

WarpSchedule chooseRowWarps(int64_t elements) {
  WarpSchedule schedule;
  // 16 elements a thread: enough loads in flight, few registers.
  while (schedule.warpsM < 8 && elements > schedule.warpsM * 32 * 16)
    schedule.warpsM *= 2;
  return schedule;
}

} // namespace tenon
