// Loops that add one product a turn.
#pragma once

#include "dialects/Warp/Warp.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

namespace tenon::warp {

/// The only dot of the loop's body where it adds to a sum that the loop carries and nothing else sees: it may go on
/// while the next turn begins. Null else. `Dot` is tile.dot or warp.dot.
template <typename Dot>
Dot findCarriedDot(mlir::scf::ForOp loop) {
  auto dots = loop.getBody()->getOps<Dot>();
  bool hasNested = false;
  loop.getBody()->walk([&](Dot dot) { hasNested |= dot->getBlock() != loop.getBody(); });
  if (hasNested || !llvm::hasSingleElement(dots))
    return {};
  Dot dot = *dots.begin();
  auto sum = mlir::dyn_cast<mlir::BlockArgument>(dot.getAccumulator());
  if (!sum || sum.getOwner() != loop.getBody() || !sum.hasOneUse() || !dot.getResult().hasOneUse())
    return {};
  mlir::OpOperand &use = *dot.getResult().getUses().begin();
  bool isCarried =
      use.getOwner() == loop.getBody()->getTerminator() && use.getOperandNumber() + 1 == sum.getArgNumber();
  return isCarried ? dot : Dot();
}

} // namespace tenon::warp
