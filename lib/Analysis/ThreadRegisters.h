// How many registers a thread of a program has, and how many its tiles take of them at the least.
#pragma once

#include "dialects/Warp/Warp.h"
#include "lib/Schedule/GpuArch.h"

namespace tenon {

/// Whether a warp of its own fills the kernel's rings.
bool hasProducer(tile::KernelOp kernel);
/// Of a CTA. The kernel has `warp.schedule`.
int64_t threadsOf(tile::KernelOp kernel);

/// What threads have from when they know their role on (setmaxnreg); 0 and 0: what the kernel was started with.
struct RegisterShares {
  int64_t producer = 0, others = 0;
};
RegisterShares registerSharesOf(tile::KernelOp kernel);

/// Of a thread that multiplies.
int64_t registersOfThread(tile::KernelOp kernel, const GpuArch &arch);
/// A lower bound of what such a thread needs: the most that dots and the tiles that live across them take at a time.
/// Addresses and whatever else is computed come on top. The tiles have layouts.
int64_t registersOfTiles(tile::KernelOp kernel);

} // namespace tenon
