// Query, key and value are three products of one input with three weights, each too narrow to keep all cores busy and
// each reading the whole input. Their weights joined, they are one product; attention, or rotary embedding and the
// cache before it, reads the three parts of its result in place, as views. The joining is an op on weights, which runs
// once, at load.
#include "dialects/Tenon/ConstantValues.h"
#include "dialects/Tenon/Tenon.h"
#include "passes/1_graph/LoadTime.h"
#include "passes/1_graph/Passes.h"

#include "mlir/IR/Remarks.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/MapVector.h"

namespace tenon {
#define GEN_PASS_DEF_MERGEPROJECTIONSPASS
#include "passes/1_graph/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static constexpr StringLiteral category = "tenon-merge-projections";

/// Whether every reader is attention, rotary embedding or an append to a cache, reached through views alone: it reads a
/// part of a larger row in place, where any other op would have the part copied out first.
static bool isReadInPlace(Value value) {
  return llvm::all_of(value.getUses(), [](OpOperand &use) {
    Operation *user = use.getOwner();
    if (auto attention = dyn_cast<AttentionOp>(user))
      return use.getOperandNumber() < 3;
    if (isa<RopeOp>(user))
      return use.getOperandNumber() == 0;
    if (isa<KvCacheAppendOp, KvPagesAppendOp>(user))
      return use.getOperandNumber() == 1;
    return isa<ReshapeOp, TransposeOp>(user) && use.getOperandNumber() == 0 && isReadInPlace(user->getResult(0));
  });
}

/// A product of few rows reads its weight and little else: one of twice the columns is more programs for as many
/// multiprocessors, and what is read apart afterwards is small.
static constexpr int64_t fewRows = 64;
static bool hasRows(LinearOp op, int64_t most) {
  ArrayRef<int64_t> rows = op.getType().getShape().drop_back();
  return !ShapedType::isDynamicShape(rows) && ShapedType::getNumElements(rows) <= most;
}

/// Whether a gated activation reads it, which takes its two halves from one row.
static bool isGated(Value value) {
  return llvm::all_of(value.getUsers(), [](Operation *user) { return isa<SwigluOp, GegluOp>(user); });
}

/// Why a linear cannot share a product with others of its input; null where it can.
static const char *obstacle(LinearOp op, bool gates) {
  if (!op.getWeight().getType().hasStaticShape())
    return "its weight has no static shape";
  if (!isLoadTime(op.getWeight()) || (op.getBias() && !isLoadTime(op.getBias())))
    return "its weight or bias is computed at run time";
  if (!isReadInPlace(op.getResult()) &&
      !(isGated(op.getResult()) && hasRows(op, gates ? std::numeric_limits<int64_t>::max() : fewRows)))
    return "something other than attention, rope or a cache reads its result, which would have to be copied out";
  return nullptr;
}

/// The biases of all, -0.0 for a missing one: that changes no sum.
static SmallVector<Value> biasesOf(RewriterBase &rewriter, ArrayRef<LinearOp> group) {
  SmallVector<Value> biases;
  if (llvm::none_of(group, [](LinearOp op) { return bool(op.getBias()); }))
    return biases;
  for (LinearOp op : group) {
    auto type = RankedTensorType::get({op.getWeight().getType().getDimSize(0)}, elementOf(op.getWeight()));
    biases.push_back(op.getBias() ? op.getBias() : createSplat(rewriter, op.getLoc(), type, -0.0));
  }
  return biases;
}

/// Joins along the first dimension.
static Value join(RewriterBase &rewriter, Location location, ArrayRef<Value> parts) {
  SmallVector<int64_t> shape(cast<RankedTensorType>(parts.front().getType()).getShape());
  shape[0] = 0;
  for (Value part : parts)
    shape[0] += cast<RankedTensorType>(part.getType()).getDimSize(0);
  return ConcatOp::create(rewriter, location, RankedTensorType::get(shape, elementOf(parts.front())), parts, 0);
}

/// One linear and a split in place of `group`, which read one input; group order is program order.
static void mergeProjections(RewriterBase &rewriter, ArrayRef<LinearOp> group) {
  LinearOp first = group.front();
  Location location = rewriter.getFusedLoc(llvm::map_to_vector(group, [](LinearOp op) { return op.getLoc(); }));
  SmallVector<Value> weights = llvm::map_to_vector(group, [](LinearOp op) -> Value { return op.getWeight(); });
  SmallVector<Value> given = weights;
  for (LinearOp op : group)
    if (op.getBias())
      given.push_back(op.getBias());
  LogicalResult moved = moveValueDefinitions(rewriter, given, first); // pure ops on weights: they may stand anywhere
  assert(succeeded(moved) && "load-time values depend on nothing that stands between");
  (void)moved;
  rewriter.setInsertionPoint(first);
  SmallVector<Value> biases = biasesOf(rewriter, group);
  Value weight = join(rewriter, location, weights);
  Value bias = biases.empty() ? Value() : join(rewriter, location, biases);
  SmallVector<int64_t> shape(first.getType().getShape());
  shape.back() = cast<RankedTensorType>(weight.getType()).getDimSize(0);
  auto type = RankedTensorType::get(shape, elementOf(first.getResult()));
  Value merged = LinearOp::create(rewriter, location, type, first.getInput(), weight, bias);
  SmallVector<int64_t> sizes;
  SmallVector<Type> types;
  for (LinearOp op : group) {
    sizes.push_back(op.getWeight().getType().getDimSize(0));
    types.push_back(op.getType());
  }
  auto split = SplitOp::create(rewriter, location, types, merged, shape.size() - 1, sizes);
  for (auto [op, part] : llvm::zip_equal(group, split.getResults()))
    rewriter.replaceOp(op, part);
  remark::passed(location, remark::RemarkOpts::name("projections").category(category))
      << (Twine(group.size()) + " linears of one input merged into one of " + Twine(shape.back()) + " outputs").str();
}

/// The linears of one block that read the same input and can share a product, two or more each.
static SmallVector<SmallVector<LinearOp>> findProjections(Block &block, bool gates) {
  llvm::MapVector<Value, SmallVector<LinearOp>> readers;
  for (auto op : block.getOps<LinearOp>())
    if (!isLoadTime(op.getInput()))
      readers[op.getInput()].push_back(op);
  SmallVector<SmallVector<LinearOp>> groups;
  for (auto &[input, ops] : readers) {
    if (ops.size() < 2)
      continue;
    SmallVector<LinearOp> &group = groups.emplace_back();
    for (LinearOp op : ops) {
      if (const char *reason = obstacle(op, gates))
        remark::missed(op.getLoc(), remark::RemarkOpts::name("projections").category(category))
            << (Twine("linear not merged with others of its input: ") + reason).str();
      else
        group.push_back(op);
    }
    if (group.size() < 2)
      groups.pop_back();
  }
  return groups;
}

namespace {
struct MergeProjections : tenon::impl::MergeProjectionsPassBase<MergeProjections> {
  using MergeProjectionsPassBase::MergeProjectionsPassBase;
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    for (auto function : getOperation().getOps<func::FuncOp>())
      for (Block &block : function.getBody())
        for (ArrayRef<LinearOp> group : findProjections(block, gates))
          mergeProjections(rewriter, group);
  }
};
} // namespace
