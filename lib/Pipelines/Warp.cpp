// Phase warp: programs on tiles -> who does what: fragments with layouts, shared tiles, rings, dots by an MMA atom.
#include "lib/Pipelines/Phases.h"

using namespace mlir;

namespace tenon {

void buildWarpPhase(OpPassManager &manager, const PhaseOptions &options) {}

} // namespace tenon
