// Phase cpu: tenon.kernel regions -> one LLVM function a kernel in @kernels, and tenon.launch in @main.
#include "lib/Pipelines/Phases.h"
#include "passes/cpu/Passes.h"
#include "passes/host/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Affine/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace tenon {

/// Loops over memrefs and vectors -> the LLVM dialect, inside @kernels.
static void lowerToLLVM(OpPassManager &manager) {
  OpPassManager &kernels = manager.nest<ModuleOp>();
  kernels.addPass(createCanonicalizerPass());
  kernels.addPass(createCSEPass());
  kernels.addPass(affine::createAffineExpandIndexOpsPass());
  kernels.addPass(memref::createExpandStridedMetadataPass());
  kernels.addPass(createLowerAffinePass());
  kernels.addPass(createSCFToControlFlowPass());
  kernels.addPass(createConvertVectorToLLVMPass());
  kernels.addPass(createConvertToLLVMPass());
  kernels.addPass(createReconcileUnrealizedCastsPass());
}

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
  manager.addPass(createCpuExpandAttentionPass());
  manager.addPass(createCpuLowerToLoopsPass());
  manager.addPass(createCpuExpandConversionsPass());
  manager.addPass(createCpuExpandMathPass());
  manager.addPass(createCpuCallingConventionPass());
  lowerToLLVM(manager);
  manager.addPass(createVerifyCpuPass());
}

} // namespace tenon
