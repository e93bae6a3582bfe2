// What a program loads once, outside its loop, where a producer fills rings: it comes through rings of its own, early
// for the next program, or while the loop runs.
#pragma once

#include "dialects/Warp/Warp.h"
#include "lib/Schedule/GpuArch.h"

namespace tenon {

/// What is loaded once a program and multiplied comes through a ring of its own: the producer brings the next program's
/// while this one runs. So does all that a program without a loop multiplies.
void stageOuterLoads(tile::GridOp grid, warp::ScheduleAttr schedule);
/// What is computed with a product's sums, a residual say, is read in their layout, four lanes to a row, and waited for
/// where the product is done. Here the producer brings it while the product runs, where there is room beside a slab for
/// what leaves. Teams do not wait for one another there, and behind a sum that the last program adds up comes only
/// that.
void stageLoadsBehind(tile::KernelOp kernel, warp::ScheduleAttr schedule, const GpuArch &arch);

} // namespace tenon
