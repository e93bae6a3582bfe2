// Phase kernel: the graph -> tenon.kernel regions of linalg on tensors; weights, constants and views stay outside.
#include "lib/Pipelines/Phases.h"
#include "passes/2_kernel/Passes.h"

#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace tenon {

void buildKernelPhase(OpPassManager &manager, const PhaseOptions &options) {
  manager.addPass(createRequireSizesPass());
  manager.addPass(createFormKernelsPass());
  manager.addPass(createLowerToLinalgPass());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  manager.addPass(createMeasureKernelsPass());
  manager.addPass(createVerifyKernelsPass());
}

} // namespace tenon
