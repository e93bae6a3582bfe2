#include "lib/Analysis/WeightOperands.h"

#include "dialects/Tenon/Tenon.h"

using namespace mlir;

namespace tenon {

bool isOfWeights(Value value) {
  Operation *op = value.getDefiningOp();
  return op && isMemoryEffectFree(op) && llvm::all_of(op->getOperands(), isOfWeights);
}

WeightOperands findWeightOperands(ModuleOp module) {
  WeightOperands found;
  SymbolTableCollection symbols;
  module.walk([&](LaunchOp launch) {
    auto kernel = symbols.lookupNearestSymbolFrom<tile::KernelOp>(launch, launch.getCallee());
    if (!kernel)
      return;
    llvm::BitVector weights(launch.getInputs().size());
    for (auto [number, input] : llvm::enumerate(launch.getInputs()))
      weights[number] = isOfWeights(input);
    if (weights.all())
      weights.reset();
    auto [entry, isNew] = found.try_emplace(kernel, weights);
    if (!isNew)
      entry->second &= weights;
  });
  return found;
}

} // namespace tenon
