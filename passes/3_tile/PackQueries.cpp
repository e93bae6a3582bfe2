// A decoder asks one query a head, and several heads look at the same keys. A program with one head has one row of a
// matrix instruction's sixteen, and the keys are read once for each of the heads. Seen the other way round the heads of
// a group are queries of the one head that holds their keys: a view of the same memory, and one program.
#include "dialects/Tenon/Tenon.h"
#include "passes/3_tile/Passes.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace tenon {
#define GEN_PASS_DEF_PACKQUERIESPASS
#include "passes/3_tile/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static RankedTensorType typeOf(Value tensor) { return cast<RankedTensorType>(tensor.getType()); }

/// [.., heads, one, ..] as [.., heads of the keys, heads of a group, ..], the heads being dimension `at`.
static Value packed(ImplicitLocOpBuilder &b, Value tensor, int64_t at, int64_t keyHeads, int64_t group) {
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, b.getLoc(), tensor);
  SmallVector<int64_t> shape(typeOf(tensor).getShape());
  sizes[at] = b.getIndexAttr(group);
  sizes.insert(sizes.begin() + at, b.getIndexAttr(keyHeads));
  shape[at] = group;
  shape.insert(shape.begin() + at, keyHeads);
  SmallVector<ReassociationIndices> split, joined;
  int64_t rank = typeOf(tensor).getRank();
  for (int64_t d = 0, wide = 0; d < rank; ++d) {
    split.push_back({wide++});
    if (d == at)
      split.back().push_back(wide++);
  }
  for (int64_t wide = 0; wide <= rank; ++wide)
    if (wide == at + 2)
      joined.back().push_back(wide);
    else
      joined.push_back({wide});
  Value wide = tensor::ExpandShapeOp::create(b, typeOf(tensor).clone(shape), tensor, split, sizes);
  return tensor::CollapseShapeOp::create(b, wide, joined);
}

/// Back to `type`, [batch, heads, one, columns] or without the columns.
static Value unpacked(ImplicitLocOpBuilder &b, Value tensor, RankedTensorType type) {
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, b.getLoc(), tensor);
  SmallVector<int64_t> shape(typeOf(tensor).getShape());
  sizes.insert(sizes.begin() + 3, b.getIndexAttr(1));
  shape.insert(shape.begin() + 3, 1);
  SmallVector<ReassociationIndices> split = {{0}, {1}, {2, 3}}, joined = {{0}, {1, 2}, {3}};
  if (type.getRank() == 4) {
    split.push_back({4});
    joined.push_back({4});
  }
  Value wide = tensor::ExpandShapeOp::create(b, typeOf(tensor).clone(shape), tensor, split, sizes);
  return tensor::CollapseShapeOp::create(b, type, wide, joined);
}

/// Whether queries differ in their scale.
static bool hasSeveralScales(AttentionOp op) {
  Value scale = op.getQueryScale();
  return scale && !llvm::all_of(typeOf(scale).getShape(), [](int64_t size) { return size == 1; });
}

/// Of one query every key is the past: what causality hides is nothing.
static void packQueries(AttentionOp op) {
  RankedTensorType query = typeOf(op.getQuery()), key = typeOf(op.getKey());
  int64_t heads = query.getDimSize(1), keyHeads = key.getDimSize(1);
  if (query.getDimSize(2) != 1 || ShapedType::isDynamic(heads) || ShapedType::isDynamic(keyHeads) || keyHeads == 0 ||
      heads == keyHeads || op.getWindow() || op.getQueryLengths() || hasSeveralScales(op))
    return;
  ImplicitLocOpBuilder b(op.getLoc(), op);
  int64_t group = heads / keyHeads;
  Value mask = op.getMask();
  if (mask && typeOf(mask).getRank() >= 3)
    if (int64_t at = typeOf(mask).getRank() - 3; typeOf(mask).getDimSize(at) != 1) {
      if (typeOf(mask).getDimSize(at) != heads || typeOf(mask).getDimSize(at + 1) != 1)
        return;
      mask = packed(b, mask, at, keyHeads, group);
    }
  Value queries = packed(b, op.getQuery(), 1, keyHeads, group);
  auto made = cast<AttentionOp>(b.clone(*op));
  made.getQueryMutable().assign(queries);
  if (mask)
    made.getMaskMutable().assign(mask);
  made.setCausal(false);
  RankedTensorType result = typeOf(op.getResult());
  SmallVector<int64_t> shape(result.getShape());
  shape[1] = keyHeads;
  shape[2] = group;
  made.getResult().setType(result.clone(shape));
  op.getResult().replaceAllUsesWith(unpacked(b, made.getResult(), result));
  if (Value logSumExp = op.getLse()) {
    RankedTensorType before = typeOf(logSumExp);
    made.getLse().setType(before.clone(ArrayRef(shape).drop_back()));
    logSumExp.replaceAllUsesWith(unpacked(b, made.getLse(), before));
  }
  op.erase();
}

namespace {
struct PackQueries : tenon::impl::PackQueriesPassBase<PackQueries> {
  void runOnOperation() override {
    SmallVector<AttentionOp> ops;
    getOperation()->walk([&](AttentionOp op) {
      if (isa<KernelOp>(op->getParentOp()))
        ops.push_back(op);
    });
    llvm::for_each(ops, packQueries);
  }
};
} // namespace
