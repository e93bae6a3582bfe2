// Phase llvm: kernels of vector loops -> functions of the llvm dialect that the runtime can call.
#include "lib/Pipelines/Phases.h"
#include "passes/cpu/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Affine/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace tenon {

void buildLlvmPhase(OpPassManager &manager, const PhaseOptions &options) {
  manager.addPass(createCpuExpandConversionsPass());
  manager.addPass(createCpuStoreBfloatsPass());
  manager.addPass(createCpuExpandMathPass());
  manager.addPass(createCpuSplitIndicesPass());
  manager.addPass(createCpuCallingConventionPass());
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
  manager.addPass(createVerifyLlvmPass());
}

} // namespace tenon
