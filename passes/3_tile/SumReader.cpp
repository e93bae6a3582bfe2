#include "passes/3_tile/SumReader.h"

#include "lib/Analysis/ContractionKernel.h"
#include "passes/3_tile/ResultDimensions.h"

using namespace mlir;
using namespace tenon;

KernelOp tenon::findSumReader(KernelOp sum) {
  // What was refused as machine code before may have been the two as one.
  if (sum->getNumResults() != 1 || sum->hasAttr(refusalsAttrName))
    return {};
  Value result = sum->getResult(0);
  Operation *first = nullptr;
  for (Operation *user : result.getUsers()) {
    if (user->getBlock() != sum->getBlock())
      return {};
    if (!first || user->isBeforeInBlock(first))
      first = user;
  }
  auto reader = dyn_cast_or_null<KernelOp>(first);
  auto type = cast<RankedTensorType>(result.getType());
  bool areAlike = reader && llvm::all_of(reader.getResultTypes(), [&](Type other) {
                    return cast<RankedTensorType>(other).getShape() == type.getShape();
                  });
  if (!areAlike || !type.hasStaticShape() || reader->hasAttr(generalAttrName) || findContraction(reader.getBlock()) ||
      !reader.getBlock().getOps<AttentionOp>().empty())
    return {};
  return rowShapeOf(reader).foldsRows ? reader : KernelOp();
}
