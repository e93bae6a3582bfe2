// Passes of the CPU path: kernels of linalg -> one LLVM function a kernel.
#pragma once

#include "mlir/Pass/Pass.h"

namespace tenon {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "passes/cpu/Passes.h.inc"
} // namespace tenon
