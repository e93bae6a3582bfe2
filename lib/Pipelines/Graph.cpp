// Phase graph: the model as imported -> the same dialect, canonical and raised.
#include "lib/Pipelines/Phases.h"
#include "passes/1_graph/Passes.h"

#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace tenon {

void buildGraphPhase(OpPassManager &manager, const PhaseOptions &options) {
  auto tidy = [&] {
    manager.addPass(createCanonicalizerPass());
    manager.addPass(createCSEPass());
  };
  tidy();
  manager.addPass(createFoldConstantsPass());
  manager.addPass(createFoldPositionsPass());
  tidy();
  manager.addPass(createFoldConstantsPass()); // what the positions turned out to be
  tidy();
  manager.addPass(createRaiseActivationsPass());
  manager.addPass(createRaiseNormsPass());
  manager.addPass(createRaiseSoftmaxPass());
  manager.addPass(createRaiseRopePass());
  manager.addPass(createRaiseCacheAppendsPass());
  manager.addPass(createConvolutionToLinearPass());
  manager.addPass(createRaiseLinearPass());
  manager.addPass(createSinkReshapesPass());
  tidy();
  manager.addPass(createRaiseAttentionPass());
  tidy();
  MergeProjectionsPassOptions projections;
  projections.gates = options.gpu != nullptr;
  manager.addPass(createMergeProjectionsPass(projections));
  manager.addPass(createPropagateTransposesPass());
  tidy();
  manager.addPass(createVerifyGraphPass());
}

} // namespace tenon
