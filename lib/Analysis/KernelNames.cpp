#include "lib/Analysis/KernelNames.h"

#include "mlir/IR/OperationSupport.h"

using namespace mlir;

namespace tenon {

/// Whether two kernels are the same function of their operands.
static bool isSameFunction(KernelOp a, KernelOp b) {
  return a.getOperandTypes() == b.getOperandTypes() && a.getResultTypes() == b.getResultTypes() &&
         OperationEquivalence::isRegionEquivalentTo(&a.getBody(), &b.getBody(),
                                                    OperationEquivalence::Flags::IgnoreLocations);
}

void nameKernels(ArrayRef<KernelOp> kernels) {
  llvm::StringMap<KernelOp> known;
  for (KernelOp kernel : kernels) {
    std::string name = kernel.getKernelName().str();
    for (int64_t number = 1; !isSameFunction(known.try_emplace(name, kernel).first->second, kernel); ++number)
      name = (kernel.getKernelName() + "_" + Twine(number)).str();
    kernel.setKernelName(name);
  }
}

} // namespace tenon
