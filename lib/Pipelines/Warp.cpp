// Phase warp: programs on tiles -> who does what: fragments with layouts, shared tiles, rings, dots by an MMA atom.
#include "lib/Pipelines/Phases.h"
#include "passes/4_warp/Passes.h"

#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace tenon {

void buildWarpPhase(OpPassManager &manager, const PhaseOptions &options) {
  ChooseWarpSchedulesPassOptions schedules;
  schedules.arch = options.gpu->name;
  schedules.tf32 = options.tf32;
  schedules.schedules = options.schedules;
  manager.addPass(createChooseWarpSchedulesPass(schedules));
  StageCopiesPassOptions copies;
  copies.arch = options.gpu->name;
  manager.addPass(createStageCopiesPass(copies));
  manager.addPass(createFormClustersPass());
  OrderProgramsPassOptions order;
  order.arch = options.gpu->name;
  manager.addPass(createOrderProgramsPass(order));
  manager.addPass(createAssignLayoutsPass());
  manager.addPass(createFoldInLanesPass());
  manager.addPass(createOverlapDotsPass());
  manager.addPass(createSkewDotsPass());
  manager.addPass(createSplitLoopsPass());
  StageStoresPassOptions stores;
  stores.arch = options.gpu->name;
  manager.addPass(createStageStoresPass(stores));
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  VerifyWarpPassOptions verify;
  verify.arch = options.gpu->name;
  verify.marksBudget = options.schedules.empty();
  manager.addPass(createVerifyWarpPass(verify));
  DescribePipelinesPassOptions pipelines;
  pipelines.arch = options.gpu->name;
  manager.addPass(createDescribePipelinesPass(pipelines));
}

} // namespace tenon
