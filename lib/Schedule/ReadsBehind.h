// What is read behind a product, a residual say, may come into shared memory while the product runs, where there is
// room for it beside the rings. One rule for the choice of a ring's slots, for the model that ranks tiles, and for the
// pass that has the producer bring it, whoever wrote the schedule.
#pragma once

#include "lib/Schedule/GpuArch.h"

namespace tenon {

/// Of what a warpgroup's rows leave through at a time.
constexpr int64_t slabBytes(int64_t rows) { return rows * 128; }
/// What rings may have beside `readBytes` that come so, of a program whose `rows` of results leave through one slab
/// then, not two. Less than 0: there is no room at all.
int64_t ringBytesBeside(int64_t readBytes, int64_t rows, const GpuArch &arch);
/// Whether a ring whose slots have `slotBytes` has as few of them as that takes: the loop keeps four.
bool makesRoomFor(int64_t readBytes, int64_t rows, int64_t slotBytes, const GpuArch &arch);

} // namespace tenon
