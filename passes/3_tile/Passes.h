// Passes to and on tiles: kernels of linalg -> programs of a grid.
#pragma once

#include "mlir/Pass/Pass.h"

namespace tenon {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "passes/3_tile/Passes.h.inc"
} // namespace tenon
