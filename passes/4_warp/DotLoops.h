// Loops that add products to sums, each turn the same ones.
#pragma once

#include "dialects/Warp/Warp.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

namespace tenon::warp {

/// The dots of the loop's body where each adds to a sum that the loop carries and nothing else sees: they may go on
/// while the next turn begins. None else. `Dot` is tile.dot or warp.dot.
template <typename Dot>
llvm::SmallVector<Dot> findCarriedDots(mlir::scf::ForOp loop) {
  llvm::SmallVector<Dot> dots;
  bool areCarried = true;
  loop.getBody()->walk([&](Dot dot) {
    auto sum = mlir::dyn_cast<mlir::BlockArgument>(dot.getAccumulator());
    areCarried &= dot->getBlock() == loop.getBody() && sum && sum.getOwner() == loop.getBody() && sum.hasOneUse() &&
                  dot.getResult().hasOneUse();
    if (!areCarried)
      return;
    mlir::OpOperand &use = *dot.getResult().getUses().begin();
    areCarried &= use.getOwner() == loop.getBody()->getTerminator() && use.getOperandNumber() + 1 == sum.getArgNumber();
    dots.push_back(dot);
  });
  return areCarried ? dots : llvm::SmallVector<Dot>();
}

} // namespace tenon::warp
