// Exporters flatten [batch, seq, K] to rows before a product and unflatten after it, and [batch, heads, ..] to one
// batch around batched products. What is between two such reshapes has a shape that no op around it has, so that
// nothing joins. Here a flattening reshape moves below the op that reads it, until the reshape that undoes it is next;
// the two cancel. Which sizes are equal is known from the names of the dimensions (SymbolicSizes), not from the types
// alone.
#include "dialects/Tenon/Tenon.h"
#include "passes/1_graph/KnownSizes.h"
#include "passes/1_graph/Passes.h"
#include "passes/1_graph/SizeValues.h"

#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Remarks.h"

namespace tenon {
#define GEN_PASS_DEF_SINKRESHAPESPASS
#include "passes/1_graph/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static constexpr StringLiteral category = "tenon-sink-reshapes";

using Sizes = SmallVector<AffineExpr>;

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

/// `type` with the static ones of these sizes.
static RankedTensorType typeOf(ArrayRef<AffineExpr> sizes, Type element) {
  return RankedTensorType::get(llvm::map_to_vector(sizes,
                                                   [](AffineExpr size) {
                                                     auto known = dyn_cast<AffineConstantExpr>(size);
                                                     return known ? known.getValue() : ShapedType::kDynamic;
                                                   }),
                               element);
}

namespace {
/// A flattened value as it was before: `source` has the elements, `lead` are the sizes that were made fewer.
struct Unflattened {
  Value source;
  Sizes lead;
};

class Sinker {
public:
  Sinker(func::FuncOp function, SymbolicSizes &sizes)
      : function(function), sizes(sizes), sizeValues(function, sizes), rewriter(function.getContext()) {}

  void run() {
    for (Operation &op : llvm::make_early_inc_range(function.getBody().front().without_terminator())) {
      rewriter.setInsertionPoint(&op);
      if (auto reshape = dyn_cast<ReshapeOp>(op))
        cancel(reshape);
      else if (auto linear = dyn_cast<LinearOp>(op))
        sinkThroughRows(linear, /*kept=*/1);
      else if (auto matmul = dyn_cast<MatmulOp>(op))
        sinkThroughMatmul(matmul);
      else if (isa<SoftmaxOp, LogSoftmaxOp>(op))
        sinkThroughRows(&op, typeOf(op.getOperand(0)).getRank() - op.getAttrOfType<IntegerAttr>("axis").getInt());
      else if (auto norm = dyn_cast<LayerNormOp>(op))
        sinkThroughRows(norm, norm.getNumDims());
      else if (auto norm = dyn_cast<RmsNormOp>(op))
        sinkThroughRows(norm, /*kept=*/1);
      else if (op.hasTrait<Broadcasts>() || op.hasTrait<OpTrait::Elementwise>())
        sinkThroughPointwise(&op);
    }
  }

private:
  Sizes of(Value value) const { return Sizes(sizes.of(value)); }

  /// A reshape that gives the shape back which an earlier one has taken is nothing.
  void cancel(ReshapeOp op) {
    for (Value source = op.getInput(); source;) {
      if (source.getType() == op.getType() && areEqual(of(source), of(op.getResult())))
        return rewriter.replaceOp(op, source);
      auto before = source.getDefiningOp<ReshapeOp>();
      source = before ? before.getInput() : Value();
    }
  }

  /// How a value was before its sizes but the innermost `kept` were flattened.
  std::optional<Unflattened> unflattened(Value value, int64_t kept) const {
    auto reshape = value.getDefiningOp<ReshapeOp>();
    if (!reshape)
      return std::nullopt;
    Sizes before = of(reshape.getInput()), after = of(value);
    for (size_t at = before.size() + 1; at-- > 0;)
      if (haveEqualProducts(ArrayRef(before).drop_front(at), ArrayRef(after).take_back(kept))) {
        if (int64_t(at) <= int64_t(after.size()) - kept)
          return std::nullopt; // not flattened
        return Unflattened{reshape.getInput(), Sizes(ArrayRef(before).take_front(at))};
      }
    return std::nullopt;
  }

  /// `value` under these sizes; null where a size cannot be computed.
  Value reshape(Value value, const Sizes &shape, Location location) {
    if (areEqual(of(value), shape))
      return value;
    RankedTensorType type = typeOf(shape, elementOf(value));
    FailureOr<SmallVector<Value>> operands = sizeValues.operandsFor(type, shape);
    if (failed(operands))
      return {};
    return taken(ReshapeOp::create(rewriter, location, type, value, *operands));
  }
  /// The result of a new op, its sizes known.
  Value taken(Operation *op) {
    [[maybe_unused]] LogicalResult known = sizes.add(op);
    assert(succeeded(known) && "made from values of known sizes");
    return op->getResult(0);
  }

  /// The op's copy on other operands, its result of these sizes.
  Operation *copy(Operation *op, ArrayRef<Value> operands, const Sizes &shape) {
    Operation *moved = op->clone();
    moved->setOperands(operands);
    moved->getResult(0).setType(typeOf(shape, elementOf(op->getResult(0))));
    return rewriter.insert(moved);
  }

  /// The op is done under the unflattened shape; its result, flattened, stands for what it gave.
  void replace(Operation *op, Operation *moved) {
    Value result = reshape(taken(moved), of(op->getResult(0)), op->getLoc());
    rewriter.replaceOp(op, result);
  }

  /// An op that reads its first operand row by row, a row being the innermost `kept` sizes.
  void sinkThroughRows(Operation *op, int64_t kept) {
    std::optional<Unflattened> before = unflattened(op->getOperand(0), kept);
    if (!before || !isComputable(op->getResult(0)))
      return;
    Sizes input = before->lead, output = before->lead, given = of(op->getOperand(0)), made = of(op->getResult(0));
    input.append(given.end() - kept, given.end());
    output.append(made.end() - kept, made.end());
    SmallVector<Value> operands(op->getOperands());
    operands[0] = reshape(before->source, input, op->getLoc());
    if (!operands[0])
      return;
    Operation *moved = copy(op, operands, output);
    if (auto axis = op->getAttrOfType<IntegerAttr>("axis")) // of a softmax, counted from the front
      moved->setAttr("axis", rewriter.getI64IntegerAttr(axis.getInt() + int64_t(input.size()) - int64_t(given.size())));
    replace(op, moved);
  }

  /// Rows times one matrix, or a batch of products whose batch was several dimensions on both sides.
  void sinkThroughMatmul(MatmulOp op) {
    Value lhs = op.getLhs(), rhs = op.getRhs();
    if (typeOf(rhs).getRank() == 2 && !op.getTransposeA())
      return sinkThroughRows(op, /*kept=*/1);
    int64_t batches = typeOf(lhs).getRank() - 2;
    if (batches < 1 || typeOf(rhs).getRank() - 2 != batches ||
        !areEqual(ArrayRef(of(lhs)).take_front(batches), ArrayRef(of(rhs)).take_front(batches)))
      return;
    std::optional<Unflattened> left = unflattened(lhs, 2), right = unflattened(rhs, 2);
    if (!left || !right || !isComputable(op.getResult()))
      return;
    // Heads that were repeated leave one dimension more than those that were not: the fewer are the model's own.
    Sizes lead = left->lead.size() <= right->lead.size() ? left->lead : right->lead;
    auto whole = [&](Value value, Value source) {
      Sizes shape = lead, flat = of(value);
      shape.append(flat.end() - 2, flat.end());
      return reshape(source, shape, op.getLoc());
    };
    Value a = whole(lhs, left->source), b = whole(rhs, right->source);
    if (!a || !b)
      return;
    Sizes flat = of(op.getResult());
    lead.append(flat.end() - 2, flat.end());
    replace(op, copy(op, {a, b}, lead));
  }

  /// One flattened operand, or several that were flattened from one shape; the others fit the sizes that are left.
  void sinkThroughPointwise(Operation *op) {
    Sizes shape, flat = of(op->getResult(0));
    size_t kept = 0;
    SmallVector<Value> operands;
    for (Value operand : op->getOperands()) {
      auto reshape = operand.getDefiningOp<ReshapeOp>();
      bool flattens =
          reshape && typeOf(reshape.getInput()).getRank() > typeOf(operand).getRank() && areEqual(of(operand), flat);
      if (flattens && shape.empty())
        shape = of(reshape.getInput());
      if (flattens && !areEqual(shape, of(reshape.getInput())))
        return;
      operands.push_back(flattens ? reshape.getInput() : operand);
    }
    if (shape.empty() || !isComputable(op->getResult(0)))
      return;
    while (kept < flat.size() && areEqual(shape[shape.size() - 1 - kept], flat[flat.size() - 1 - kept]))
      ++kept;
    for (auto [operand, replaced] : llvm::zip_equal(op->getOperands(), operands))
      if (operand == replaced && size_t(typeOf(operand).getRank()) > kept)
        return; // speaks of a size that is flattened
    replace(op, copy(op, operands, shape));
  }

  /// Whether the result can be flattened again.
  bool isComputable(Value result) { return succeeded(sizeValues.operandsFor(typeOf(result), of(result))); }

  func::FuncOp function;
  SymbolicSizes &sizes;
  SizeValues sizeValues;
  IRRewriter rewriter;
};
} // namespace

/// Sinks and cancels in one function; does nothing where its sizes are not known.
static void sinkReshapes(func::FuncOp function) {
  std::string reason;
  if (std::optional<SymbolicSizes> sizes = SymbolicSizes::find(function, reason))
    return Sinker(function, *sizes).run();
  remark::missed(function.getLoc(), remark::RemarkOpts::name("reshapes").category(category))
      << ("sizes of @" + function.getName() + " are not known: " + reason).str();
}

namespace {
struct SinkReshapes : tenon::impl::SinkReshapesPassBase<SinkReshapes> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      sinkReshapes(function);
  }
};
} // namespace
