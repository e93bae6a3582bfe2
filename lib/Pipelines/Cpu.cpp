// Phase cpu: tenon.kernel regions -> one LLVM function a kernel in @kernels, and tenon.launch in @main.
#include "lib/Pipelines/Phases.h"
#include "passes/cpu/Passes.h"
#include "passes/host/Passes.h"

#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace tenon {

void buildCpuPhase(OpPassManager &manager, const PhaseOptions &options) {
  manager.addPass(createResolveSizesPass());
  manager.addPass(createCpuOutlineKernelsPass());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
}

} // namespace tenon
