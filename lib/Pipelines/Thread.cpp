// Phase thread: programs of warps, and kernels without a program, -> one function a kernel for one thread, with the
// calling convention of docs/pipeline.md.
#include "lib/Pipelines/Phases.h"
#include "passes/5_thread/Passes.h"

using namespace mlir;

namespace tenon {

void buildThreadPhase(OpPassManager &manager, const PhaseOptions &options) {
  ThreadGeneralKernelsPassOptions general;
  general.failOnFallback = options.failOnFallback;
  manager.addPass(createThreadGeneralKernelsPass(general));
}

} // namespace tenon
