// Phase tile: tenon.kernel regions -> programs on tiles in @kernels, launched from @main. A kernel that has no such
// program stays where it is; phase thread takes it down the general path.
#include "lib/Pipelines/Phases.h"
#include "passes/3_tile/Passes.h"
#include "passes/host/Passes.h"

#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace tenon {

void buildBeforeTileSchedules(OpPassManager &manager, const GpuArch &arch) {
  PackValuesPassOptions values;
  values.arch = arch.name;
  manager.addPass(createResolveSizesPass());
  manager.addPass(createJoinConcatsPass());
  manager.addPass(createCollapseDimensionsPass());
  manager.addPass(createJoinGatesPass());
  manager.addPass(createPackQueriesPass());
  manager.addPass(createPackValuesPass(values));
}

void buildTilePhase(OpPassManager &manager, const PhaseOptions &options) {
  ChooseTileSchedulesPassOptions schedules;
  SplitDepthPassOptions depth;
  SplitKeysPassOptions keys;
  JoinSumsPassOptions sums;
  schedules.arch = depth.arch = keys.arch = sums.arch = options.gpu->name;
  schedules.tf32 = depth.tf32 = options.tf32;
  schedules.schedules = options.schedules;
  schedules.tuning = options.tuning;
  buildBeforeTileSchedules(manager, *options.gpu);
  manager.addPass(createChooseTileSchedulesPass(schedules));
  manager.addPass(createSplitDepthPass(depth));
  manager.addPass(createSplitKeysPass(keys));
  manager.addPass(createJoinSumsPass(sums));
  manager.addPass(createTileKernelsPass());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createJoinLaunchesPass());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
}

} // namespace tenon
