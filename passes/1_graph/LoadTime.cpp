#include "passes/1_graph/LoadTime.h"

#include "dialects/Tenon/Tenon.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

bool tenon::isLoadTime(Value value) {
  Operation *op = value.getDefiningOp();
  // What a kernel or a launch gives is not looked into; the graph has none.
  if (!op || !isPure(op) || isa<KernelOp, LaunchOp>(op))
    return false;
  return llvm::all_of(op->getOperands(), isLoadTime);
}
