// Exporters write out what broadcasting does anyway: a bias reshaped to [1, 1, N], a mask expanded to every query, a
// constant filled to a whole shape. An op that broadcasts reads the small tensor itself, and what is copied is less.
#include "dialects/Tenon/CanonicalPatterns.h"
#include "dialects/Tenon/ConstantValues.h"
#include "dialects/Tenon/Tenon.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace tenon {

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

Value createExpand(OpBuilder &builder, Location location, Value value, RankedTensorType type, ValueRange like) {
  if (value.getType() == type)
    return value;
  SmallVector<Value> sizes;
  for (int64_t d : llvm::seq<int64_t>(type.getRank())) {
    if (!type.isDynamicDim(d))
      continue;
    for (Value source : like) {
      int64_t at = d - (type.getRank() - typeOf(source).getRank());
      if (at < 0 || !typeOf(source).isDynamicDim(at))
        continue;
      sizes.push_back(DimOp::create(builder, location, RankedTensorType::get({}, builder.getI64Type()), source, at));
      break;
    }
  }
  return ExpandOp::create(builder, location, type, value, sizes);
}

/// `shape` without its leading ones.
static ArrayRef<int64_t> withoutLeadingOnes(ArrayRef<int64_t> shape) {
  return shape.drop_while([](int64_t size) { return size == 1; });
}

/// What a reshape reads that adds or drops leading ones and no more; null for another value.
static Value withoutLeadingOnes(Value value) {
  auto reshape = value.getDefiningOp<ReshapeOp>();
  if (!reshape)
    return {};
  auto from = typeOf(reshape.getInput()), to = typeOf(value);
  bool onlyOnes = from.getRank() != to.getRank() && from.getNumDynamicDims() <= 1 &&
                  withoutLeadingOnes(from.getShape()) == withoutLeadingOnes(to.getShape());
  return onlyOnes ? reshape.getInput() : Value();
}

/// A smaller tensor that broadcasts to the same elements; null where there is none.
static Value smaller(Value value, PatternRewriter &rewriter) {
  if (auto expand = value.getDefiningOp<ExpandOp>())
    return expand.getInput();
  if (Value source = withoutLeadingOnes(value))
    return typeOf(source).getRank() < typeOf(value).getRank() ? source : Value();
  auto constant = value.getDefiningOp<ConstantOp>();
  auto splat = constant ? dyn_cast<SplatElementsAttr>(constant.getValue()) : SplatElementsAttr();
  if (!splat || splat.getType().getRank() == 0)
    return {};
  auto scalar = RankedTensorType::get({}, splat.getElementType());
  return ConstantOp::create(rewriter, value.getLoc(), scalar, splat.resizeSplat(scalar));
}

/// The result type that an op with inferred types has on other operands.
static Type inferred(Operation *op, ValueRange operands) {
  SmallVector<Type> types;
  if (failed(cast<InferTypeOpInterface>(op).inferReturnTypes(
          op->getContext(), std::nullopt, operands, op->getAttrDictionary(), op->getPropertiesStorage(), {}, types)))
    return {};
  return types.front();
}

namespace {
/// Reads the smaller tensor where the result's shape does not depend on the larger.
struct TrimOperands : OpTraitRewritePattern<Broadcasts> {
  using OpTraitRewritePattern::OpTraitRewritePattern;
  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    Type before = inferred(op, op->getOperands());
    for (OpOperand &operand : op->getOpOperands()) {
      OpBuilder::InsertionGuard guard(rewriter);
      rewriter.setInsertionPoint(op);
      SmallVector<Value> operands(op->getOperands());
      Value replacement = whole(operand.get(), op);
      if (!replacement && !isNamed(operand.get(), op))
        replacement = smaller(operand.get(), rewriter);
      if (!replacement)
        continue;
      operands[operand.getOperandNumber()] = replacement;
      if (inferred(op, operands) != before)
        continue;
      rewriter.modifyOpInPlace(op, [&] { operand.set(replacement); });
      return success();
    }
    return rewriter.notifyMatchFailure(op, "every operand is as small as broadcasting allows");
  }

private:
  static bool hasResultShape(Value value, Operation *op) {
    return typeOf(value).getShape() == typeOf(op->getResult(0)).getShape();
  }
  /// What had the result's shape before its leading ones were dropped: broadcasting adds them again.
  static Value whole(Value value, Operation *op) {
    Value source = withoutLeadingOnes(value);
    return source && hasResultShape(source, op) ? source : Value();
  }
  /// Whether a view has the result's whole shape and others read it as well: to them and `op` it stays one value, as
  /// the x of a form in which it stands several times.
  static bool isNamed(Value value, Operation *op) {
    return value.getDefiningOp<ReshapeOp>() && !value.hasOneUse() && hasResultShape(value, op);
  }
};

/// op(expand(x), ..) -> expand(op(x, ..)) where the op would be done for each copy.
struct SinkExpand : RewritePattern {
  SinkExpand(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/1, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    bool isUnary = op->hasTrait<OpTrait::Elementwise>() && op->getNumOperands() == 1;
    if (!isUnary && !op->hasTrait<Broadcasts>())
      return rewriter.notifyMatchFailure(op, "no pointwise op");
    SmallVector<Value> operands = llvm::map_to_vector(op->getOperands(), [](Value operand) -> Value {
      auto expand = operand.getDefiningOp<ExpandOp>();
      return expand ? expand.getInput() : operand;
    });
    if (llvm::equal(operands, op->getOperands()))
      return rewriter.notifyMatchFailure(op, "no operand is expanded");
    Type type = isUnary ? Type(typeOf(operands[0]).clone(elementOf(op->getResult(0)))) : inferred(op, operands);
    if (type == (isUnary ? op->getResult(0).getType() : inferred(op, op->getOperands())))
      return rewriter.notifyMatchFailure(op, "another operand has the whole shape");
    Operation *small = op->clone();
    small->setOperands(operands);
    small->getResult(0).setType(type);
    rewriter.insert(small);
    rewriter.replaceOp(
        op, createExpand(rewriter, op->getLoc(), small->getResult(0), typeOf(op->getResult(0)), op->getOperands()));
    return success();
  }
};

/// A matrix that is repeated for each of the other operand's batch broadcasts anyway.
struct TrimBatch : OpRewritePattern<MatmulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(MatmulOp op, PatternRewriter &rewriter) const override {
    for (OpOperand &operand : op->getOpOperands()) {
      auto expand = operand.get().getDefiningOp<ExpandOp>();
      if (!expand)
        continue;
      auto from = typeOf(expand.getInput()), to = typeOf(operand.get());
      if (from.getRank() < 2 || from.getShape().take_back(2) != to.getShape().take_back(2))
        continue;
      SmallVector<Value> operands(op->getOperands());
      operands[operand.getOperandNumber()] = expand.getInput();
      if (inferred(op, operands) != inferred(op, op->getOperands()))
        continue;
      rewriter.modifyOpInPlace(op, [&] { operand.set(expand.getInput()); });
      return success();
    }
    return rewriter.notifyMatchFailure(op, "no operand is a matrix repeated");
  }
};

/// A mask broadcasts to the scores, whose shape it does not decide.
struct TrimMask : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(AttentionOp op, PatternRewriter &rewriter) const override {
    Value replacement = op.getMask() ? smaller(op.getMask(), rewriter) : Value();
    if (!replacement)
      return rewriter.notifyMatchFailure(op, "no mask, or none that is written out");
    rewriter.modifyOpInPlace(op, [&] { op.getMaskMutable().assign(replacement); });
    return success();
  }
};

/// x and true, where true has the larger shape, is x expanded; so are x + -0.0, x * 1 and select(true, x, y).
struct ExpandInstead : OpTraitRewritePattern<Broadcasts> {
  using OpTraitRewritePattern::OpTraitRewritePattern;
  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    Value kept = survivor(op);
    if (!kept || kept.getType() == op->getResult(0).getType())
      return rewriter.notifyMatchFailure(op, "does more than broadcast");
    rewriter.replaceOp(op, createExpand(rewriter, op->getLoc(), kept, typeOf(op->getResult(0)), op->getOperands()));
    return success();
  }

private:
  static Value survivor(Operation *op) {
    if (auto select = dyn_cast<SelectOp>(op)) {
      std::optional<int64_t> condition = integerSplat(select.getCondition());
      return !condition ? Value() : *condition ? select.getOnTrue() : select.getOnFalse();
    }
    bool isFloat = isa<FloatType>(elementOf(op->getOperand(0)));
    std::optional<double> neutral = llvm::TypeSwitch<Operation *, std::optional<double>>(op)
                                        .Case([&](AddOp) { return isFloat ? -0.0 : 0.0; })
                                        .Case<LogicalOrOp, LogicalXorOp>([](auto) { return 0.0; })
                                        .Case<MulOp, LogicalAndOp>([](auto) { return 1.0; })
                                        .Default(std::nullopt);
    if (neutral)
      for (unsigned side : {0, 1})
        if (isSplat(op->getOperand(side), *neutral))
          return op->getOperand(1 - side);
    return {};
  }
};

/// What is repeated once is the same under another shape.
struct ExpandOfOne : OpRewritePattern<ExpandOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ExpandOp op, PatternRewriter &rewriter) const override {
    auto from = cast<RankedTensorType>(op.getInput().getType()), to = op.getType();
    if (from == to || !from.hasStaticShape() || !to.hasStaticShape() || from.getNumElements() != to.getNumElements())
      return rewriter.notifyMatchFailure(op, "it repeats something");
    rewriter.replaceOpWithNewOp<ReshapeOp>(op, to, op.getInput(), ValueRange());
    return success();
  }
};
} // namespace

void addBroadcastPatterns(RewritePatternSet &patterns) {
  patterns.add<ExpandOfOne, TrimOperands, SinkExpand, TrimBatch, TrimMask, ExpandInstead>(patterns.getContext());
}

} // namespace tenon
