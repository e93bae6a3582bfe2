#include "passes/3_tile/SumReader.h"

#include "lib/Analysis/ContractionKernel.h"
#include "passes/3_tile/ResultDimensions.h"

using namespace mlir;
using namespace tenon;

/// The dimensions that a kernel works on, but for those of one element: others may be joined on the way in and out.
static SmallVector<int64_t> innerShape(Value value) {
  SmallVector<int64_t> shape(cast<RankedTensorType>(value.getType()).getShape());
  llvm::erase(shape, 1);
  return shape;
}

Value tenon::computedValue(KernelOp kernel) {
  auto expand = kernel.getYielded()[0].getDefiningOp<tensor::ExpandShapeOp>();
  return expand ? expand.getSrc() : kernel.getYielded()[0];
}

/// Whether the kernels have the same dimensions of what the one gives to the other, rows and columns.
static bool areAligned(KernelOp sum, KernelOp reader) {
  SmallVector<int64_t> given = innerShape(computedValue(sum));
  auto isGiven = [&](Value read) { return innerShape(read) == given; };
  for (auto [argument, outside] : llvm::zip_equal(reader.getBlock().getArguments(), reader.getInputs()))
    if (outside == sum->getResult(0))
      for (Operation *user : argument.getUsers())
        if (!isGiven(isa<tensor::CollapseShapeOp>(user) ? Value(user->getResult(0)) : Value(argument)))
          return false;
  return given.size() <= 2 && isGiven(computedValue(reader));
}

KernelOp tenon::findSumReader(KernelOp sum) {
  // What was refused before may have been the two as one.
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
  return rowShapeOf(reader).foldsRows && areAligned(sum, reader) ? reader : KernelOp();
}
