// What a kernel is to the database of tuned schedules: everything that decides which schedule is fast for it, in words.
#pragma once

#include "dialects/Tenon/Tenon.h"
#include "lib/Schedule/GpuArch.h"
#include "lib/Schedule/TuningDatabase.h"

namespace tenon {

/// Of a kernel as tenon-choose-tile-schedules sees it. Unsupported, with the reason, for one that has no key: it is no
/// product on Tensor Cores, or its sizes are known only at run time.
Result<TuningKey> tuningKeyOf(KernelOp kernel, const GpuArch &arch);

} // namespace tenon
