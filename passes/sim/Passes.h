// Passes of the device simulator: kernels of the thread level -> the same kernels for this machine.
#pragma once

#include "mlir/Pass/Pass.h"

namespace tenon {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "passes/sim/Passes.h.inc"
} // namespace tenon
