// LLVM's own pipeline on a module, for every back end.
#pragma once

#include "llvm/Passes/OptimizationLevel.h"
#include "llvm/Passes/PassBuilder.h"

namespace tenon {

/// Runs LLVM's default pipeline of that level on the module, for that machine.
void optimise(llvm::Module &module, llvm::TargetMachine &machine, llvm::OptimizationLevel level,
              llvm::PipelineTuningOptions tuning = {});

} // namespace tenon
