#include "passes/1_graph/Positions.h"

using namespace mlir;
using namespace tenon;

/// Of a tensor with at most one size that is not 1: which dimension that is, counted from the innermost; -1 for none.
static std::optional<int64_t> onlyDimension(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  int64_t found = -1;
  for (int64_t d : llvm::seq<int64_t>(type.getRank())) {
    if (type.getDimSize(d) == 1)
      continue;
    if (found >= 0)
      return std::nullopt;
    found = type.getRank() - 1 - d;
  }
  return found;
}

std::optional<PositionVector> tenon::positionsOf(Value value) {
  std::optional<int64_t> along = onlyDimension(value);
  Operation *op = value.getDefiningOp();
  while (isa_and_nonnull<ReshapeOp, TransposeOp>(op) && onlyDimension(op->getOperand(0)))
    op = op->getOperand(0).getDefiningOp();
  auto iota = dyn_cast_or_null<IotaOp>(op);
  // With a size of 1 along its axis, what is left lies along another.
  if (!iota || !along || *along < 0 || iota.getStep().convertToDouble() != 1 ||
      iota.getType().getDimSize(iota.getAxis()) == 1)
    return std::nullopt;
  return PositionVector{iota, *along};
}
