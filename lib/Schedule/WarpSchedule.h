// How a program on tiles is carried out: warps, and slots of its rings. Pure functions of sizes and the architecture.
#pragma once

#include "lib/Schedule/GpuArch.h"

namespace tenon {

struct WarpSchedule {
  int64_t warpsM = 1, warpsN = 1, stages = 1;
  bool wgmma = false;      ///< products of 16 and 8 bits, and of tf32, by warpgroups
  int64_t outerStages = 1; ///< slots for what is copied once a program
  int64_t cluster = 1;     ///< CTAs that bring what they have in common once
  int64_t teams = 1;       ///< that take a CTA's programs in turn
  int64_t early = 0;       ///< slots of the weights' own ring, which fills before the launch ahead is done
  int64_t resident = 1;    ///< CTAs that a multiprocessor has at a time
};

/// What multiplies: single multiply-adds, Tensor Cores by instructions of a warp, or of a warpgroup where there are
/// such.
enum class DotKind { Fma, Warp, Warpgroup };
/// For a dot of that many rows and columns. A turn of its loop copies `bytesPerStage`, 0: there is none; `outerBytes`
/// are copied once, and `exchangedBytes` come from other CTAs, which share its sum. `parts`: dots one after the other,
/// of as many rows each; of 64 they are a warpgroup's, and two teams take programs in turn.
WarpSchedule chooseDotWarps(int64_t rows, int64_t columns, int64_t bytesPerStage, int64_t outerBytes,
                            int64_t exchangedBytes, DotKind kind, const GpuArch &arch, int64_t parts = 1);
/// For a program whose dots feed one another row by row (attention), the widest with that many columns: every warp has
/// whole rows. `isPlain`: nothing is seldom done anew, which would take registers.
WarpSchedule chooseRowDotWarps(int64_t rows, int64_t columns, int64_t bytesPerStage, int64_t outerBytes, bool isPlain,
                               DotKind kind, const GpuArch &arch);
/// The slots `early` of a program that `schedule` is for. A turn copies `weightBytes` and `otherBytes`, `outerBytes`
/// are copied once; `rows` of results leave by way of shared memory, where `exchangedBytes` come from other CTAs.
int64_t chooseEarlySlots(const WarpSchedule &schedule, int64_t rows, int64_t turns, int64_t weightBytes,
                         int64_t otherBytes, int64_t outerBytes, int64_t exchangedBytes, const GpuArch &arch);
/// For a program without dots that holds that many elements of its largest tile; `rowsOfWarps`: how many rows it
/// folds such that a warp can have one to itself; `needsManyRegisters`: each element takes many to compute.
WarpSchedule chooseRowWarps(int64_t elements, int64_t rowsOfWarps, bool needsManyRegisters);

} // namespace tenon
