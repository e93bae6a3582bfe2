// Passes on programs of tiles: warps, rings, layouts.
#pragma once

#include "mlir/Pass/Pass.h"

namespace tenon {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "passes/4_warp/Passes.h.inc"
} // namespace tenon
