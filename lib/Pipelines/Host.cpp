// Phase host: @main with launches, ready to be read as a launch plan.
#include "lib/Pipelines/Phases.h"

using namespace mlir;

namespace tenon {

void buildHostPhase(OpPassManager &manager, const PhaseOptions &options) {}

} // namespace tenon
