// The schedules on tiles that a kernel may have: what lib/Schedule says of its shape, as attributes.
#pragma once

#include "dialects/Tenon/Tenon.h"
#include "lib/Analysis/ContractionKernel.h"
#include "lib/Schedule/TileSchedule.h"

namespace tenon {

struct TileCandidate {
  mlir::Attribute schedule;
  std::string reason;
  double seconds = 0; ///< by the model; 0 where rules decide
};

/// Of a product in `kernel`, sizes that are known only at run time being negative; but for whether its sums are
/// promoted. `tf32`: products of f32 may be rounded to it.
GemmShape gemmShapeOf(KernelOp kernel, ContractionKernel product, bool tf32);

/// Best first; one at least. `tf32`: products of f32 may be rounded to it. `refusals`: so many better ones were refused
/// as machine code.
llvm::SmallVector<TileCandidate> rankTileSchedules(KernelOp kernel, const GpuArch &arch, bool tf32,
                                                   int64_t refusals = 0);

} // namespace tenon
