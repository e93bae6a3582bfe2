// Phase cpu: tenon.kernel regions -> one LLVM function a kernel in @kernels, and tenon.launch in @main.
#include "lib/Pipelines/Phases.h"

using namespace mlir;

namespace tenon {

void buildCpuPhase(OpPassManager &manager, const PhaseOptions &options) {}

} // namespace tenon
