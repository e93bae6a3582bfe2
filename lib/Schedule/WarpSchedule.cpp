#include "lib/Schedule/WarpSchedule.h"

#include "lib/Schedule/ReadsBehind.h"

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

/// 16 rows a warp, whole warpgroups.
static bool fitsWgmma(int64_t rows, int64_t columns, DotKind kind, const GpuArch &arch) {
  return arch.hasWgmma && kind == DotKind::Warpgroup && rows % 64 == 0 && rows <= 256 && columns <= 256;
}

WarpSchedule chooseDotWarps(int64_t rows, int64_t columns, int64_t bytesPerStage, int64_t outerBytes,
                            int64_t exchangedBytes, DotKind kind, const GpuArch &arch, int64_t parts) {
  if (fitsWgmma(rows, columns, kind, arch)) {
    // Two of the slots are being read, the others filled: four at least, as many as one program an SM allows beside
    // what its results leave through, two slabs of 128 bytes a row. Programs that share a sum are one an SM, and finish
    // a part of the rows' columns: a slab less, more slots.
    bool isShared = exchangedBytes > 0;
    // Each of two teams has a slab for each of its parts.
    bool hasTeams = parts > 1 && rows == 64;
    int64_t stagedRows = hasTeams ? rows * parts : rows;
    int64_t slabs = slabBytes(stagedRows);
    int64_t free = arch.sharedBytesPerBlock - exchangedBytes - (isShared ? slabs : 2 * slabs);
    if (bytesPerStage == 0)
      return {rows / 16, 1, 1, true, std::clamp<int64_t>(outerBytes > 0 ? free / outerBytes : 1, 1, 3)};
    int64_t stages = std::min<int64_t>(isShared ? 8 : 5, free / bytesPerStage);
    if (outerBytes > 0 && !isShared && !hasTeams && makesRoomFor(outerBytes, rows, bytesPerStage, arch))
      stages = std::min(stages, ringBytesBeside(outerBytes, rows, arch) / bytesPerStage);
    if (stages >= 3)
      return {rows / 16, 1, stages, true, /*outerStages=*/1, /*cluster=*/1, hasTeams ? 2 : 1};
  }
  bool isTensorCore = kind != DotKind::Fma;
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
  // Few rows: any number of warps that the columns have, so that many threads begin copies.
  for (int64_t warps : {4, 5, 6, 7, 8})
    if (isTensorCore && rows <= 16 && schedule.warpsN < 4 && columns % (8 * warps) == 0)
      schedule.warpsN = warps;
  schedule.stages = stagesFor(bytesPerStage, 4, arch);
  // What such a program has in flight is what its multiprocessor has.
  constexpr int64_t deepSlab = 24 * 1024;
  if (rows <= 16 && bytesPerStage >= deepSlab)
    schedule.stages = std::clamp<int64_t>(arch.sharedBytesPerBlock / bytesPerStage, schedule.stages, 4);
  return schedule;
}

WarpSchedule chooseRowDotWarps(int64_t rows, int64_t columns, int64_t bytesPerStage, int64_t outerBytes, bool isPlain,
                               DotKind kind, const GpuArch &arch) {
  if (fitsWgmma(rows, columns, kind, arch)) {
    WarpSchedule schedule{rows / 16, 1, stagesFor(bytesPerStage, 2, arch), true};
    // Beside the rings there are a slab of 128 bytes a row that results leave through, and the rare path's tiles.
    constexpr int64_t rareBytes = 16 * 1024;
    int64_t free = arch.sharedBytesPerBlock - schedule.stages * bytesPerStage - rows * 128 - rareBytes;
    schedule.outerStages = outerBytes > 0 && 2 * outerBytes <= free ? 2 : 1;
    // Without a loop a warpgroup holds one product at a time, in the registers that three CTAs leave it (128), and what
    // it waits for the others fill. Two slots each are no faster then.
    constexpr int64_t resident = 3, mostColumns = 128;
    int64_t bytes = outerBytes + rows * 128 + arch.sharedBytesReserved;
    if (bytesPerStage == 0 && isPlain && rows == 64 && columns <= mostColumns &&
        resident * bytes <= arch.sharedBytesPerSm)
      schedule.outerStages = 1, schedule.resident = resident;
    return schedule;
  }
  WarpSchedule schedule;
  while (schedule.warpsM < 8 && rows % (32 * schedule.warpsM) == 0)
    schedule.warpsM *= 2;
  // What a program of one warp has in flight while it computes is what several on a multiprocessor hide.
  schedule.stages = stagesFor(bytesPerStage, schedule.warpsM == 1 ? 3 : 2, arch);
  return schedule;
}

int64_t chooseEarlySlots(const WarpSchedule &schedule, int64_t rows, int64_t turns, int64_t weightBytes,
                         int64_t otherBytes, int64_t outerBytes, int64_t exchangedBytes, const GpuArch &arch) {
  // What is on its way while a CTA waits. Beyond 64 KB nothing is gained (BERT of one sequence: 0.336 ms with five
  // slots, 0.328 with 64 KB, 0.338 with 96 KB and more, of 0.347): the next kernel's CTAs find no room beside these.
  constexpr int64_t enough = 64 * 1024;
  int64_t others = exchangedBytes + schedule.stages * otherBytes;
  int64_t free = arch.sharedBytesPerBlock - 2 * slabBytes(rows) - others;
  int64_t most = std::min(turns, std::max(schedule.stages, enough / weightBytes));
  int64_t beside = (ringBytesBeside(outerBytes, rows, arch) - others) / weightBytes;
  return outerBytes > 0 && beside >= schedule.stages ? std::min(most, beside) : std::min(most, free / weightBytes);
}

WarpSchedule chooseRowWarps(int64_t elements, int64_t rowsOfWarps, bool needsManyRegisters) {
  WarpSchedule schedule;
  // 16 elements a thread, of long rows 32: enough loads in flight, few registers. (Rows of 4096 by 4 warps are 1.02 to
  // 1.03 times as fast as by 8, rows of 8192 0.91 times.)
  int64_t perThread = needsManyRegisters ? 4 : elements >= 4096 ? 32 : rowsOfWarps > 0 ? 24 : 16;
  int64_t most = needsManyRegisters ? 32 : 8;
  while (schedule.warpsM < most && elements > schedule.warpsM * 32 * perThread)
    schedule.warpsM *= 2;
  // Two warps that share a row lose more by waiting for each other than they gain: BERT and ViT of one sequence
  // are 1.015 times as fast with one, or four where parts are added first.
  if (rowsOfWarps == 1 && schedule.warpsM == 2)
    schedule.warpsM = 4;
  return schedule;
}

} // namespace tenon
