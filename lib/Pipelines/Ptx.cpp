// Phase ptx: functions of one thread, of arith, math, scf, vector and the like -> the llvm and nvvm dialects, which
// lib/Target translates to PTX.
#include "lib/Pipelines/Phases.h"
#include "passes/6_ptx/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Affine/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"

using namespace mlir;

namespace tenon {

void buildPtxPhase(OpPassManager &manager, const PhaseOptions &options) {
  OpPassManager &kernels = manager.nest<ModuleOp>();
  kernels.addPass(affine::createAffineExpandIndexOpsPass());
  kernels.addPass(memref::createExpandStridedMetadataPass());
  kernels.addPass(createLowerAffinePass());
  kernels.addPass(createWidenPackedFloatsPass());
  kernels.addPass(createCallLibdevicePass());
  kernels.addPass(createLowerPtxPass());
  kernels.addPass(createSCFToControlFlowPass());
  kernels.addPass(createConvertVectorToLLVMPass());
  kernels.addPass(createConvertToLLVMPass());
  kernels.addPass(createReconcileUnrealizedCastsPass());
  manager.addPass(createVerifyPtxPass());
}

} // namespace tenon
