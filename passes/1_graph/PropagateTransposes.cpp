// A transpose is a copy of a whole tensor unless somebody absorbs it: a matmul by an attribute, attention by the
// addresses it reads, another transpose by undoing it. Pointwise ops, rotary embedding and norms between a transpose
// and its absorber hide the one from the other, and keep the pointwise work from the product before it. So views move
// down through them: op(view(x)) becomes view(op(x)).
#include "dialects/Tenon/Tenon.h"
#include "passes/1_graph/Passes.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace tenon {
#define GEN_PASS_DEF_PROPAGATETRANSPOSESPASS
#include "passes/1_graph/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

/// A reshape to a shape that has the value's sizes and ones, `source` giving the dimension of each size; -1 for a one.
static Value reshapeTo(PatternRewriter &rewriter, Value value, ArrayRef<int64_t> source) {
  RankedTensorType from = typeOf(value);
  SmallVector<int64_t> shape;
  for (int64_t d : source)
    shape.push_back(d < 0 ? 1 : from.getDimSize(d));
  auto to = RankedTensorType::get(shape, from.getElementType());
  SmallVector<Value> sizes;
  if (to.getNumDynamicDims() > 1)
    for (int64_t d : source)
      if (d >= 0 && from.isDynamicDim(d))
        sizes.push_back(DimOp::create(rewriter, value.getLoc(), value, d));
  return to == from ? value : Value(ReshapeOp::create(rewriter, value.getLoc(), to, value, sizes));
}

/// What, transposed by `permutation`, broadcasts as `value` does; null where that would take a transpose. With `make`
/// false nothing is made: then the value itself stands for "yes".
static Value unpermuted(PatternRewriter &rewriter, Value value, ArrayRef<int64_t> permutation, bool make) {
  if (auto transpose = value.getDefiningOp<TransposeOp>(); transpose && transpose.getPermutation() == permutation)
    return transpose.getInput();
  RankedTensorType type = typeOf(value);
  int64_t rank = permutation.size(), missing = rank - type.getRank(), last = -1;
  SmallVector<int64_t> source(rank, -1);
  for (int64_t d : llvm::seq<int64_t>(type.getRank()))
    if (type.getDimSize(d) != 1)
      source[permutation[d + missing]] = d;
  for (int64_t d : source) {
    if (d >= 0 && d < last)
      return {}; // two sizes change places
    last = std::max(last, d);
  }
  if (!make)
    return value;
  ArrayRef<int64_t> trimmed = ArrayRef(source).drop_while([](int64_t d) { return d < 0; });
  return reshapeTo(rewriter, value, type.getRank() == 0 ? ArrayRef<int64_t>() : trimmed);
}

/// `op` on other operands, its result permuted back by `permutation` and so of the type it had.
static void replaceBelow(PatternRewriter &rewriter, Operation *op, ArrayRef<Value> operands,
                         ArrayRef<int64_t> permutation) {
  RankedTensorType type = typeOf(op->getResult(0));
  SmallVector<int64_t> shape(type.getRank());
  for (auto [to, from] : llvm::enumerate(permutation))
    shape[from] = type.getDimSize(to);
  Operation *moved = op->clone();
  moved->setOperands(operands);
  moved->getResult(0).setType(RankedTensorType::get(shape, type.getElementType()));
  rewriter.insert(moved);
  rewriter.replaceOpWithNewOp<TransposeOp>(op, type, moved->getResult(0), permutation);
}

/// The transpose that nobody else reads and that attention does not write through.
static TransposeOp movable(Value value) {
  auto transpose = value.getDefiningOp<TransposeOp>();
  return transpose && transpose->hasOneUse() && !transpose.getInput().getDefiningOp<AttentionOp>() ? transpose
                                                                                                   : TransposeOp();
}

static bool isPointwise(Operation *op) {
  return op->hasTrait<Broadcasts>() || (op->hasTrait<OpTrait::Elementwise>() && op->getNumResults() == 1);
}

namespace {
/// pointwise(transpose(x), y) -> transpose(pointwise(x, y')), y' being y turned round by a reshape at most.
struct SinkThroughPointwise : RewritePattern {
  SinkThroughPointwise(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/1, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!isPointwise(op))
      return rewriter.notifyMatchFailure(op, "no pointwise op");
    TransposeOp view;
    for (Value operand : op->getOperands())
      if (auto transpose = movable(operand);
          transpose && typeOf(operand).getRank() == typeOf(op->getResult(0)).getRank())
        view = transpose;
    if (!view)
      return rewriter.notifyMatchFailure(op, "reads no transpose of its own");
    SmallVector<int64_t> permutation(view.getPermutation());
    for (Value operand : op->getOperands())
      if (!unpermuted(rewriter, operand, permutation, /*make=*/false))
        return rewriter.notifyMatchFailure(op, "another operand would have to be transposed");
    SmallVector<Value> operands = llvm::map_to_vector(
        op->getOperands(), [&](Value operand) { return unpermuted(rewriter, operand, permutation, /*make=*/true); });
    replaceBelow(rewriter, op, operands, permutation);
    return success();
  }
};

/// rope(transpose(x), c, s) -> transpose(rope(x, c', s')), as long as rows stay rows.
struct SinkThroughRope : OpRewritePattern<RopeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(RopeOp op, PatternRewriter &rewriter) const override {
    TransposeOp view = movable(op.getInput());
    if (!view || view.getPermutation().back() != op.getType().getRank() - 1)
      return rewriter.notifyMatchFailure(op, "reads no transpose of whole rows of its own");
    SmallVector<int64_t> permutation(view.getPermutation());
    for (Value table : {op.getCos(), op.getSin()})
      if (!unpermuted(rewriter, table, permutation, /*make=*/false))
        return rewriter.notifyMatchFailure(op, "a table would have to be transposed");
    SmallVector<Value> operands = {view.getInput()};
    for (Value table : {op.getCos(), op.getSin()})
      operands.push_back(unpermuted(rewriter, table, permutation, /*make=*/true));
    replaceBelow(rewriter, op, operands, permutation);
    return success();
  }
};

/// norm(transpose(x)) -> transpose(norm(x)) where the normalised dimensions stay the innermost.
template <typename OpT>
struct SinkThroughNorm : OpRewritePattern<OpT> {
  using OpRewritePattern<OpT>::OpRewritePattern;
  LogicalResult matchAndRewrite(OpT op, PatternRewriter &rewriter) const override {
    TransposeOp view = movable(op.getInput());
    int64_t rank = op.getType().getRank(), rows = 1;
    if constexpr (std::is_same_v<OpT, LayerNormOp>)
      rows = op.getNumDims();
    if (!view || !llvm::equal(view.getPermutation().take_back(rows), llvm::seq<int64_t>(rank - rows, rank)))
      return rewriter.notifyMatchFailure(op, "reads no transpose of whole rows of its own");
    SmallVector<int64_t> permutation(view.getPermutation());
    SmallVector<Value> operands(op->getOperands());
    operands[0] = view.getInput();
    replaceBelow(rewriter, op, operands, permutation);
    return success();
  }
};

/// unary(reshape(x)) -> reshape(unary(x)), and the same beside a number: what made x can take the op in.
struct SinkReshape : RewritePattern {
  SinkReshape(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/1, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!isPointwise(op))
      return rewriter.notifyMatchFailure(op, "no pointwise op");
    ReshapeOp view;
    for (Value operand : op->getOperands()) {
      if (typeOf(operand).getRank() == 0 && op->getNumOperands() > 1)
        continue;
      auto reshape = operand.getDefiningOp<ReshapeOp>();
      if (view || !reshape || !reshape->hasOneUse() || operand.getType() != op->getOperand(0).getType())
        return rewriter.notifyMatchFailure(op, "reads more than one reshape of its own and numbers");
      view = reshape;
    }
    // A view of arguments, weights or what attention wrote is as good above.
    Operation *producer = view ? view.getInput().getDefiningOp() : nullptr;
    if (!producer || isa<WeightOp, AttentionOp, TransposeOp>(producer) ||
        typeOf(view.getResult()).getShape() != typeOf(op->getResult(0)).getShape())
      return rewriter.notifyMatchFailure(op, "nothing before the reshape takes the op in");
    SmallVector<Value> operands = llvm::map_to_vector(
        op->getOperands(), [&](Value operand) { return operand == view.getResult() ? view.getInput() : operand; });
    Operation *moved = op->clone();
    moved->setOperands(operands);
    moved->getResult(0).setType(typeOf(view.getInput()).clone(elementOf(op->getResult(0))));
    rewriter.insert(moved);
    rewriter.replaceOpWithNewOp<ReshapeOp>(op, op->getResult(0).getType(), moved->getResult(0), view.getSizes());
    return success();
  }
};

/// matmul(a, transpose(b)) -> matmul(a, b) {transpose_b}; of a permutation that moves the batch too, what is left of
/// it.
struct AbsorbOperand : OpRewritePattern<MatmulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(MatmulOp op, PatternRewriter &rewriter) const override {
    for (bool isRhs : {false, true}) {
      auto transpose = op->getOperand(isRhs).getDefiningOp<TransposeOp>();
      int64_t rank = typeOf(op->getOperand(isRhs)).getRank();
      // Rows that are contiguous before and not after: the attribute says it without moving them.
      if (!transpose || transpose.getPermutation()[rank - 2] != rank - 1)
        continue;
      SmallVector<int64_t> left(transpose.getPermutation());
      std::swap(left[rank - 2], left[rank - 1]);
      Value operand = transpose.getInput();
      if (!llvm::equal(left, llvm::seq<int64_t>(rank)))
        operand = TransposeOp::create(rewriter, transpose.getLoc(), operand, left);
      rewriter.modifyOpInPlace(op, [&] {
        op->setOperand(isRhs, operand);
        if (isRhs)
          op.setTransposeB(!op.getTransposeB());
        else
          op.setTransposeA(!op.getTransposeA());
      });
      return success();
    }
    return rewriter.notifyMatchFailure(op, "reads no matrix transposed");
  }
};

/// transpose(matmul(a, b)) -> matmul(b, a) with both transposed.
struct AbsorbResult : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(TransposeOp op, PatternRewriter &rewriter) const override {
    auto matmul = op.getInput().getDefiningOp<MatmulOp>();
    int64_t rank = op.getType().getRank();
    SmallVector<int64_t> permutation(op.getPermutation());
    if (!matmul || !matmul->hasOneUse())
      return rewriter.notifyMatchFailure(op, "transposes no product of its own");
    std::swap(permutation[rank - 2], permutation[rank - 1]);
    if (!llvm::equal(permutation, llvm::seq<int64_t>(rank)))
      return rewriter.notifyMatchFailure(op, "moves the batch");
    rewriter.replaceOpWithNewOp<MatmulOp>(op, op.getType(), matmul.getRhs(), matmul.getLhs(), !matmul.getTransposeB(),
                                          !matmul.getTransposeA());
    return success();
  }
};

/// A transpose that moves nothing but ones is a reshape, which moves no element.
struct TransposeOfOnes : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(TransposeOp op, PatternRewriter &rewriter) const override {
    int64_t last = -1;
    for (int64_t from : op.getPermutation()) {
      if (typeOf(op.getInput()).getDimSize(from) == 1)
        continue;
      if (from < last)
        return rewriter.notifyMatchFailure(op, "two sizes change places");
      last = from;
    }
    rewriter.replaceOp(op, reshapeTo(rewriter, op.getInput(), op.getPermutation()));
    return success();
  }
};

struct PropagateTransposes : tenon::impl::PropagateTransposesPassBase<PropagateTransposes> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<SinkThroughPointwise, SinkThroughRope, SinkThroughNorm<LayerNormOp>, SinkThroughNorm<RmsNormOp>,
                 SinkReshape, AbsorbOperand, AbsorbResult, TransposeOfOnes>(&getContext());
    // A view may only become movable in the next round, as another reader of it moved in this one. Views sink, so that
    // there is a last round; without a limit of rounds the driver ends there and nowhere else.
    auto config = GreedyRewriteConfig().setMaxIterations(GreedyRewriteConfig::kNoLimit);
    [[maybe_unused]] LogicalResult settled = applyPatternsGreedily(getOperation(), std::move(patterns), config);
    assert(succeeded(settled) && "views are on their way still");
  }
};
} // namespace
