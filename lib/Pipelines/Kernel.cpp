// Phase kernel: the graph -> tenon.kernel regions of linalg on tensors; weights, constants and views stay outside.
#include "lib/Pipelines/Phases.h"

using namespace mlir;

namespace tenon {

void buildKernelPhase(OpPassManager &manager, const PhaseOptions &options) {}

} // namespace tenon
