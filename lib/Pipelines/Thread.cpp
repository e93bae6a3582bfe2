// Phase thread: programs of warps, and kernels without a program, -> one function a kernel for one thread, with the
// calling convention of docs/pipeline.md.
#include "lib/Pipelines/Phases.h"
#include "passes/2_kernel/Passes.h"
#include "passes/5_thread/Passes.h"
#include "passes/host/Passes.h"

#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace tenon {

void buildThreadPhase(OpPassManager &manager, const PhaseOptions &options) {
  ExpandToThreadsPassOptions threads;
  threads.arch = options.gpu->name;
  manager.addPass(createExpandToThreadsPass(threads));
  // The general path.
  ThreadGeneralKernelsPassOptions general;
  general.failOnFallback = options.failOnFallback;
  manager.addPass(createExpandAttentionPass());
  manager.addPass(createSplitKernelsPass());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  manager.addPass(createResolveSizesPass());
  manager.addPass(createThreadGeneralKernelsPass(general));
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  manager.addPass(createCarryPlacesPass());
  manager.addPass(createOrderStoresPass());
  WaitForLaunchesPassOptions launches;
  launches.arch = options.gpu->name;
  manager.addPass(createWaitForLaunchesPass(launches));
}

} // namespace tenon
