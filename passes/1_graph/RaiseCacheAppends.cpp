// A static key/value cache is written by index: index_copy_(2, arange(S) + length, keys). As a scatter every row of the
// result asks every index whether it is meant. Where the indices are known to follow each other it is one slice that is
// written, at a place that is one number: kv_cache_append.
#include "dialects/Tenon/ConstantValues.h"
#include "dialects/Tenon/Tenon.h"
#include "passes/1_graph/Passes.h"
#include "passes/1_graph/Positions.h"

#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Remarks.h"

namespace tenon {
#define GEN_PASS_DEF_RAISECACHEAPPENDSPASS
#include "passes/1_graph/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }
static bool isOneNumber(Value value) { return typeOf(value).hasStaticShape() && typeOf(value).getNumElements() == 1; }

/// What the first of `indices` is, as a tensor of one number; null where they are not known to follow each other.
static Value firstOf(IRRewriter &rewriter, Value indices, const KnownSizes &sizes) {
  if (isOneNumber(indices))
    return indices;
  Location location = indices.getLoc();
  auto scalar = RankedTensorType::get({}, elementOf(indices));
  auto startOf = [&](Value value) -> std::optional<int64_t> {
    std::optional<Positions> positions = positionsOf(value, sizes);
    return positions && positions->step == 1 ? std::optional(positions->start) : std::nullopt;
  };
  if (std::optional<int64_t> start = startOf(indices))
    return createSplat(rewriter, location, scalar, double(*start));
  auto add = indices.getDefiningOp<AddOp>();
  for (unsigned side : {0, 1}) {
    if (!add || !isOneNumber(add->getOperand(1 - side)))
      continue;
    std::optional<int64_t> start = startOf(add->getOperand(side));
    if (start && *start == 0)
      return add->getOperand(1 - side);
  }
  return {};
}

static void raise(IRRewriter &rewriter, ScatterOp op, const KnownSizes &sizes) {
  if (op.getType().getRank() != 4 || op.getAxis() != 2 || typeOf(op.getIndices()).getRank() != 1 ||
      !isa<FloatType>(op.getType().getElementType()))
    return;
  rewriter.setInsertionPoint(op);
  Value position = firstOf(rewriter, op.getIndices(), sizes);
  if (!position) {
    remark::missed(op.getLoc(), remark::RemarkOpts::name("append").category("tenon-raise-cache-appends"))
        << "no append: whether its indices follow each other is not known";
    return;
  }
  auto scalar = RankedTensorType::get({}, elementOf(position));
  if (position.getType() != scalar)
    position = ReshapeOp::create(rewriter, op.getLoc(), scalar, position, ValueRange());
  rewriter.replaceOpWithNewOp<KvCacheAppendOp>(op, op.getType(), op.getInput(), op.getUpdates(), position);
}

namespace {
struct RaiseCacheAppends : tenon::impl::RaiseCacheAppendsPassBase<RaiseCacheAppends> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      KnownSizes sizes(function);
      IRRewriter rewriter(&getContext(), &sizes);
      SmallVector<ScatterOp> scatters(function.getOps<ScatterOp>());
      for (ScatterOp op : scatters)
        raise(rewriter, op, sizes);
    }
  }
};
} // namespace
