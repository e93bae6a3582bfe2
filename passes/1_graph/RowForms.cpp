#include "passes/1_graph/RowForms.h"

#include "dialects/Tenon/ConstantValues.h"

#include <cmath>

using namespace mlir;

namespace tenon {

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

bool FormOps::areReadInsideOnly(Operation *root) const {
  return llvm::all_of(ops, [&](Operation *op) {
    return op == root ||
           llvm::all_of(op->getUsers(), [&](Operation *user) { return user == root || ops.contains(user); });
  });
}

void FormOps::eraseDead(RewriterBase &rewriter, Operation *root) {
  ops.remove(root);
  for (bool changed = true; changed;) {
    changed = false;
    for (Operation *op : ops.takeVector())
      if (op->use_empty()) {
        rewriter.eraseOp(op);
        changed = true;
      } else {
        ops.insert(op);
      }
  }
}

template <typename OpT>
static std::optional<RowStatistic> reductionOf(Value value, FormOps &form) {
  auto reshape = value.getDefiningOp<ReshapeOp>();
  auto reduce = (reshape ? reshape.getInput() : value).getDefiningOp<OpT>();
  if (!reduce)
    return std::nullopt;
  SmallVector<int64_t> axes(reduce.getAxes());
  llvm::sort(axes);
  if (reshape) {
    // Ones where dimensions were: an unknown size there meets that of the input in the op that reads both.
    SmallVector<int64_t> kept(typeOf(reduce.getInput()).getShape());
    for (int64_t axis : axes)
      kept[axis] = 1;
    if (reduce.getKeepDims() || ArrayRef(kept) != typeOf(value).getShape())
      return std::nullopt;
    form.add(reshape);
  } else if (!reduce.getKeepDims()) {
    return std::nullopt;
  }
  form.add(reduce);
  return RowStatistic{reduce.getInput(), axes};
}

std::optional<RowStatistic> maximumOf(Value value, FormOps &form) { return reductionOf<ReduceMaxOp>(value, form); }
std::optional<RowStatistic> sumOf(Value value, FormOps &form) { return reductionOf<ReduceSumOp>(value, form); }

std::optional<RowStatistic> meanOf(Value value, FormOps &form) {
  if (std::optional<RowStatistic> mean = reductionOf<ReduceMeanOp>(value, form))
    return mean;
  Operation *op = value.getDefiningOp();
  if (!isa_and_nonnull<MulOp, DivOp>(op))
    return std::nullopt;
  std::optional<double> number = floatSplat(op->getOperand(1));
  std::optional<RowStatistic> sum = number ? sumOf(op->getOperand(0), form) : std::nullopt;
  if (!sum)
    return std::nullopt;
  double count = 1;
  for (int64_t axis : sum->axes) {
    if (typeOf(sum->input).isDynamicDim(axis))
      return std::nullopt;
    count *= double(typeOf(sum->input).getDimSize(axis));
  }
  // 1 / count is rounded to the element type.
  double factor = isa<MulOp>(op) ? *number * count : *number / count;
  if (std::fabs(factor - 1) >
      std::ldexp(1.0, -int(APFloat::semanticsPrecision(cast<FloatType>(elementOf(value)).getFloatSemantics()))))
    return std::nullopt;
  form.add(op);
  return sum;
}

std::optional<int64_t> innermost(ArrayRef<int64_t> axes, int64_t rank) {
  int64_t first = rank - int64_t(axes.size());
  bool consecutive = !axes.empty() && llvm::all_of(llvm::enumerate(axes), [&](auto pair) {
    return pair.value() == first + int64_t(pair.index());
  });
  return consecutive ? std::optional<int64_t>(axes.size()) : std::nullopt;
}

} // namespace tenon
