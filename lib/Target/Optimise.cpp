#include "lib/Target/Optimise.h"

#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"

void tenon::optimise(llvm::Module &module, llvm::TargetMachine &machine, llvm::OptimizationLevel level,
                     llvm::PipelineTuningOptions tuning) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine, tuning);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  builder.buildPerModuleDefaultPipeline(level).run(module, modules);
}
