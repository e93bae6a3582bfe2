#include "lib/Analysis/UpdatedOperand.h"

using namespace mlir;

namespace tenon {

Insertions insertionsOf(Value tensor) {
  Insertions found{{}, tensor};
  while (auto insert = found.rest.getDefiningOp<tensor::InsertSliceOp>()) {
    found.inserts.push_back(insert);
    found.rest = insert.getDest();
  }
  return found;
}

bool isUpdate(Insertions parts) {
  if (parts.inserts.empty() || parts.rest.getType() != parts.inserts.front().getType())
    return false;
  OpOperand &into = parts.inserts.back().getDestMutable();
  bool arePlain = llvm::all_of(parts.inserts, [](tensor::InsertSliceOp insert) {
    return insert->hasOneUse() && insert.getSourceType().getRank() == insert.getDestType().getRank() &&
           llvm::all_of(insert.getMixedStrides(), [](OpFoldResult stride) { return isConstantIntValue(stride, 1); });
  });
  return arePlain && llvm::all_of(parts.rest.getUses(),
                                  [&](OpOperand &use) { return isa<tensor::DimOp>(use.getOwner()) || &use == &into; });
}

std::optional<unsigned> updatedOperand(KernelOp kernel, unsigned number) {
  Insertions parts = insertionsOf(kernel.getYielded()[number]);
  auto operand = dyn_cast<BlockArgument>(parts.rest);
  if (!operand || operand.getOwner() != &kernel.getBlock() || !isUpdate(parts))
    return std::nullopt;
  return operand.getArgNumber();
}

} // namespace tenon
