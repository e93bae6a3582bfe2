// Passes to functions for one thread: what a GPU runs, before it is PTX.
#pragma once

#include "mlir/Pass/Pass.h"

namespace tenon {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "passes/5_thread/Passes.h.inc"
} // namespace tenon
