// What a kernel is to the database of tuned schedules: everything that decides which schedule is fast for it, in words.
#pragma once

#include "dialects/Tenon/Tenon.h"
#include "lib/Schedule/GpuArch.h"
#include "lib/Schedule/TuningDatabase.h"

namespace tenon {

/// Of a kernel as tenon-choose-tile-schedules sees it. Unsupported, with the reason, for one that has no key: it is no
/// product, one of f64, or its sizes are known only at run time. `tf32`: products of f32 may be rounded to it.
Result<TuningKey> tuningKeyOf(KernelOp kernel, const GpuArch &arch, bool tf32);

} // namespace tenon
