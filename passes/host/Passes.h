// Passes of the host side: what @main must say for a launch plan.
#pragma once

#include "mlir/Pass/Pass.h"

namespace tenon {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "passes/host/Passes.h.inc"
} // namespace tenon
