#include "lib/Analysis/UpdatedOperand.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

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

bool PlacedSlices::isPlaced(int64_t dimension) { return isConstantIntValue(insert.getMixedSizes()[dimension], 1); }

scf::ForOp PlacedSlices::loopAlong(int64_t dimension) {
  auto slice = insert.getSource().getDefiningOp<tensor::ExtractSliceOp>();
  auto offset = slice ? dyn_cast<Value>(slice.getMixedOffsets()[dimension]) : Value();
  auto found = llvm::find_if(loops, [&](scf::ForOp loop) { return loop.getInductionVar() == offset; });
  return found == loops.end() ? scf::ForOp() : *found;
}

std::optional<PlacedSlices> placedSlicesOf(Value tensor) {
  PlacedSlices found;
  while (auto loop = tensor.getDefiningOp<scf::ForOp>()) {
    bool isNested = found.loops.empty() || loop.getInits().front() == found.loops.back().getRegionIterArg(0);
    if (loop.getNumResults() != 1 || !isNested || !isConstantIntValue(loop.getStep(), 1) ||
        !isConstantIntValue(loop.getLowerBound(), 0))
      return std::nullopt;
    found.loops.push_back(loop);
    tensor = loop.getBody()->getTerminator()->getOperand(0);
  }
  found.insert = tensor.getDefiningOp<tensor::InsertSliceOp>();
  if (!found.insert || found.loops.empty() || found.insert.getDest() != found.loops.back().getRegionIterArg(0))
    return std::nullopt;
  auto slice = found.insert.getSource().getDefiningOp<tensor::ExtractSliceOp>();
  bool isInLoops = slice && found.loops.front()->isAncestor(slice);
  found.from = isInLoops ? slice.getSource() : found.insert.getSource();
  int64_t rank = found.insert.getType().getRank();
  if (cast<RankedTensorType>(found.from.getType()).getRank() != rank || found.insert.getSourceType().getRank() != rank)
    return std::nullopt;
  for (int64_t d = 0; d < rank; ++d)
    if (!found.isPlaced(d) && (!isConstantIntValue(found.insert.getMixedOffsets()[d], 0) ||
                               (isInLoops && !isConstantIntValue(slice.getMixedOffsets()[d], 0))))
      return std::nullopt;
  found.into = found.loops.front().getInits().front();
  found.isThere = found.loops.pop_back_val().getUpperBound();
  auto choice = found.isThere.getDefiningOp<arith::SelectOp>();
  if (!choice || !isConstantIntValue(choice.getTrueValue(), 1) || !isConstantIntValue(choice.getFalseValue(), 0))
    return std::nullopt;
  return found;
}

std::optional<unsigned> updatedOperand(KernelOp kernel, unsigned number) {
  Value result = kernel.getYielded()[number];
  if (std::optional<PlacedSlices> placed = placedSlicesOf(result)) {
    auto operand = dyn_cast<BlockArgument>(placed->into);
    bool isRead =
        operand && llvm::count_if(operand.getUsers(), [](Operation *op) { return !isa<tensor::DimOp>(op); }) > 1;
    if (!operand || operand.getOwner() != &kernel.getBlock() || isRead)
      return std::nullopt;
    return operand.getArgNumber();
  }
  Insertions parts = insertionsOf(result);
  auto operand = dyn_cast<BlockArgument>(parts.rest);
  if (!operand || operand.getOwner() != &kernel.getBlock() || !isUpdate(parts))
    return std::nullopt;
  return operand.getArgNumber();
}

} // namespace tenon
