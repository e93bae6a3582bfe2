// Passes from functions of one thread to what becomes PTX: the llvm and nvvm dialects.
#pragma once

#include "mlir/Pass/Pass.h"

namespace tenon {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "passes/6_ptx/Passes.h.inc"
} // namespace tenon
