// Phase cpu: tenon.kernel regions -> one function of vector loops a kernel in @kernels, and tenon.launch in @main.
#include "lib/Pipelines/Phases.h"
#include "passes/2_kernel/Passes.h"
#include "passes/cpu/Passes.h"
#include "passes/host/Passes.h"

#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace tenon {

void buildCpuPhase(OpPassManager &manager, const PhaseOptions &options) {
  CpuChooseSchedulesPassOptions schedules;
  schedules.vectorBits = options.vectorBits;
  manager.addPass(createCpuChooseSchedulesPass(schedules));
  manager.addPass(createCpuPackWeightsPass());
  manager.addPass(createResolveSizesPass());
  manager.addPass(createCpuOutlineKernelsPass());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  manager.addPass(createCpuEmitVectorsPass());
  manager.addPass(createExpandAttentionPass());
  manager.addPass(createCpuLowerToLoopsPass());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  manager.addPass(createVerifyCpuPass());
}

} // namespace tenon
