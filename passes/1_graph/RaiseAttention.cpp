// Attention as exporters write it is two matmuls with scale, mask and softmax between them: the score matrix, seq by
// seq for each head, would be written and read four times. As one op it never exists. What a mask says of positions
// alone (causal, a window) becomes an attribute, and of lengths an operand, so that no mask is read and hidden blocks
// are skipped.
//
// Where a row sees no key, the op gives 0; a softmax over nothing but -Inf gives NaN, for which exporters select 0.
#include "dialects/Tenon/ConstantValues.h"
#include "dialects/Tenon/Tenon.h"
#include "passes/1_graph/AttentionForms.h"
#include "passes/1_graph/AttentionMasks.h"
#include "passes/1_graph/KnownSizes.h"
#include "passes/1_graph/Passes.h"

#include "mlir/IR/Remarks.h"

#include <cmath>

namespace tenon {
#define GEN_PASS_DEF_RAISEATTENTIONPASS
#include "passes/1_graph/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static constexpr StringLiteral category = "tenon-raise-attention";

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

static void miss(Operation *op, const Twine &reason) {
  remark::missed(op->getLoc(), remark::RemarkOpts::name("attention").category(category)) << reason.str();
}

namespace {
class Raiser {
public:
  explicit Raiser(func::FuncOp function) : sizes(function), rewriter(function.getContext(), &sizes) {}

  void raise(MatmulOp output);
  void absorbCasts(CastOp op);
  void shareHeads(AttentionOp op);
  void absorbScales(AttentionOp op);
  void refineMask(AttentionOp op) { tenon::refineMask(op, rewriter, sizes); }

private:
  Value swapped(Value value);
  Value withFourDimensions(Value value);
  Value withoutRepeats(Value value, int64_t &repeats);
  Value narrowed(Value value, FloatType element);

  KnownSizes sizes;
  IRRewriter rewriter;
};
} // namespace

/// The two innermost dimensions exchanged.
Value Raiser::swapped(Value value) {
  SmallVector<int64_t> permutation = llvm::to_vector(llvm::seq<int64_t>(typeOf(value).getRank()));
  std::swap(permutation[permutation.size() - 1], permutation[permutation.size() - 2]);
  return TransposeOp::create(rewriter, value.getLoc(), value, permutation);
}

/// [G, S, D] as one batch of G heads.
Value Raiser::withFourDimensions(Value value) {
  RankedTensorType type = typeOf(value);
  if (type.getRank() == 4)
    return value;
  SmallVector<int64_t> shape(type.getShape());
  shape.insert(shape.begin(), 1);
  SmallVector<Value> operands;
  if (type.getNumDynamicDims() > 1)
    for (int64_t d : llvm::seq<int64_t>(type.getRank()))
      if (type.isDynamicDim(d))
        operands.push_back(DimOp::create(rewriter, value.getLoc(), value, d));
  return ReshapeOp::create(rewriter, value.getLoc(), RankedTensorType::get(shape, type.getElementType()), value,
                           operands);
}

/// Keys or values before each head was repeated for the query heads that share it: reshape(expand(reshape(x))) of
/// [B, H, 1, S, D] to [B, H, repeats, S, D].
Value Raiser::withoutRepeats(Value value, int64_t &repeats) {
  repeats = 1;
  auto joined = value.getDefiningOp<ReshapeOp>();
  auto repeated = joined ? joined.getInput().getDefiningOp<ExpandOp>() : ExpandOp();
  auto apart = repeated ? repeated.getInput().getDefiningOp<ReshapeOp>() : ReshapeOp();
  if (!apart || apart.getType().getRank() != 5 || repeated.getType().getRank() != 5 ||
      typeOf(apart.getInput()).getRank() != 4 || typeOf(value).getRank() != 4)
    return value;
  Value heads = apart.getInput();
  int64_t times = repeated.getType().getDimSize(2), shared = typeOf(heads).getDimSize(1);
  bool fits = apart.getType().getDimSize(2) == 1 && !ShapedType::isDynamic(times) && !ShapedType::isDynamic(shared) &&
              typeOf(value).getDimSize(1) == shared * times;
  for (auto [four, five] : {std::pair(0, 0), std::pair(1, 1), std::pair(2, 3), std::pair(3, 4)})
    fits = fits && sizes.areEqual(heads, four, apart.getResult(), five) &&
           sizes.areEqual(heads, four, repeated.getResult(), five) &&
           (four == 1 || sizes.areEqual(heads, four, value, four));
  if (!fits)
    return value;
  repeats = times;
  return heads;
}

void Raiser::raise(MatmulOp output) {
  SoftmaxOp softmax = output.getTransposeA() ? SoftmaxOp() : softmaxOf(output.getLhs());
  int64_t rank = output.getType().getRank();
  if (!softmax || (rank != 3 && rank != 4) || softmax.getType().getRank() != rank ||
      int64_t(softmax.getAxis()) != rank - 1 || !output.getLhs().hasOneUse() || !softmax->hasOneUse())
    return softmax ? miss(output, "softmax and matmul are no attention: another axis, rank or reader") : void();
  AttentionParts parts;
  const char *reason = nullptr;
  rewriter.setInsertionPoint(output);
  if (!matchScores(scoresOf(softmax, elementOf(output.getResult())), rewriter, parts, reason))
    return miss(output, Twine("softmax and matmul are no attention: ") + reason);
  parts.value = output.getRhs();
  parts.valueIsTransposed = output.getTransposeB();
  if (typeOf(parts.query).getRank() != rank || typeOf(parts.key).getRank() != rank ||
      typeOf(parts.value).getRank() != rank || elementOf(parts.query) != elementOf(output.getResult()) ||
      (parts.added && elementOf(parts.added) != elementOf(output.getResult())))
    return miss(output, "softmax and matmul are no attention: query, key and value differ in rank or element type");
  Value query = withFourDimensions(parts.queryIsTransposed ? swapped(parts.query) : parts.query);
  Value key = withFourDimensions(parts.keyIsTransposed ? swapped(parts.key) : parts.key);
  Value value = withFourDimensions(parts.valueIsTransposed ? swapped(parts.value) : parts.value);
  // swapped(swapped(x)), of a key that was transposed for the product.
  if (auto outer = key.getDefiningOp<TransposeOp>())
    if (auto inner = outer.getInput().getDefiningOp<TransposeOp>();
        inner && outer.getPermutation() == inner.getPermutation() && parts.keyIsTransposed)
      key = inner.getInput();
  int64_t heads = typeOf(query).getDimSize(1), shared = typeOf(key).getDimSize(1);
  bool sameBatch = typeOf(query).getDimSize(0) == typeOf(key).getDimSize(0) &&
                   typeOf(query).getDimSize(0) == typeOf(value).getDimSize(0);
  if (!sameBatch || shared != typeOf(value).getDimSize(1) || (heads != shared && (shared == 0 || heads % shared != 0)))
    return miss(output, "softmax and matmul are no attention: the batches or heads of query, key and value do not fit");
  if (ShapedType::isDynamic(shared) || ShapedType::isDynamic(heads))
    return miss(output, "softmax and matmul are no attention: the number of heads is known only at run time");
  Value mask = parts.added ? parts.added : parts.condition;
  Location location = rewriter.getFusedLoc({softmax.getLoc(), output.getLoc()});
  SmallVector<int64_t> shape(typeOf(query).getShape());
  shape.back() = typeOf(value).getShape().back();
  FloatAttr softCap = parts.softCap ? rewriter.getF64FloatAttr(*parts.softCap) : FloatAttr();
  auto type = RankedTensorType::get(shape, elementOf(query));
  Value result = AttentionOp::create(rewriter, location, type, /*lse=*/Type(), query, key, value, mask,
                                     /*key_lengths=*/Value(), /*query_lengths=*/Value(), /*block_table=*/Value(),
                                     /*query_scale=*/Value(), /*key_scale=*/Value(), /*value_scale=*/Value(),
                                     rewriter.getF64FloatAttr(parts.scale), false, nullptr, softCap, false, false)
                     .getResult();
  if (rank == 3) {
    SmallVector<Value> operands;
    for (int64_t d : llvm::seq<int64_t>(3))
      if (output.getType().getNumDynamicDims() > 1 && output.getType().isDynamicDim(d))
        operands.push_back(DimOp::create(rewriter, location, result, d + 1));
    result = ReshapeOp::create(rewriter, location, output.getType(), result, operands);
  }
  remark::passed(location, remark::RemarkOpts::name("attention").category(category)) << "attention raised";
  rewriter.replaceOp(output, result);
}

/// `value`, of f32, as the 16-bit value that it was widened from, through views; null where it was not.
Value Raiser::narrowed(Value value, FloatType element) {
  Operation *op = value.getDefiningOp();
  if (auto cast = dyn_cast_or_null<CastOp>(op))
    return elementOf(cast.getInput()) == element ? cast.getInput() : Value();
  if (!isa_and_nonnull<ReshapeOp, TransposeOp, ExpandOp>(op))
    return {};
  Value source = narrowed(op->getOperand(0), element);
  if (!source)
    return {};
  Operation *view = op->clone();
  view->setOperand(0, source);
  view->getResult(0).setType(typeOf(value).clone(element));
  return rewriter.insert(view)->getResult(0);
}

/// cast(attention(cast(q), cast(k), cast(v))) from 16 bits to f32 and back: it computes in f32 and rounds once.
void Raiser::absorbCasts(CastOp op) {
  auto wide = op.getInput().getDefiningOp<AttentionOp>();
  auto element = dyn_cast<FloatType>(elementOf(op.getResult()));
  if (!wide || wide.getLse() || wide.isFloat8() || !wide->hasOneUse() || !elementOf(op.getInput()).isF32() ||
      !element || element.getWidth() != 16)
    return;
  rewriter.setInsertionPoint(wide);
  Value mask = wide.getMask();
  bool isFloatMask = mask && !elementOf(mask).isInteger(1);
  Value narrowMask = isFloatMask ? narrowed(mask, element) : mask;
  Value query = narrowed(wide.getQuery(), element), key = narrowed(wide.getKey(), element),
        value = narrowed(wide.getValue(), element);
  if (!query || !key || !value || (mask && !narrowMask))
    return;
  rewriter.replaceOpWithNewOp<AttentionOp>(op, op.getType(), /*lse=*/Type(), query, key, value, narrowMask,
                                           wide.getKeyLengths(), wide.getQueryLengths(), wide.getBlockTable(), Value(),
                                           Value(), Value(), wide.getScaleAttr(), wide.getCausalAttr(),
                                           wide.getWindowAttr(), wide.getSoftCapAttr(), UnitAttr(), UnitAttr());
  rewriter.eraseOp(wide);
}

/// Reads keys and values as they were before they were repeated for the query heads that share them.
void Raiser::shareHeads(AttentionOp op) {
  int64_t keyRepeats, valueRepeats;
  Value key = withoutRepeats(op.getKey(), keyRepeats), value = withoutRepeats(op.getValue(), valueRepeats);
  if (keyRepeats != valueRepeats)
    return miss(op, "keys and values are repeated differently, so that the repeated ones are read");
  op.getKeyMutable().assign(key);
  op.getValueMutable().assign(value);
}

/// A factor that is one number, before the views through which attention alone reads query or key, goes into the scale.
void Raiser::absorbScales(AttentionOp op) {
  int64_t size = typeOf(op.getQuery()).getDimSize(3);
  if (!op.getScale() && ShapedType::isDynamic(size))
    return;
  double scale = op.getScale() ? op.getScale()->convertToDouble() : 1 / std::sqrt(double(size)), before = scale;
  for (Value value : {op.getQuery(), op.getKey()}) {
    while (value.hasOneUse() && isa_and_nonnull<ReshapeOp, TransposeOp>(value.getDefiningOp()))
      value = value.getDefiningOp()->getOperand(0);
    Value unscaled = value.hasOneUse() ? withoutScale(value, scale) : value;
    if (unscaled != value)
      rewriter.replaceOp(value.getDefiningOp(), unscaled);
  }
  if (scale != before)
    op.setScale(APFloat(scale));
}

namespace {
struct RaiseAttention : tenon::impl::RaiseAttentionPassBase<RaiseAttention> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      Raiser raiser(function);
      // The output of each attention is its last op: what it replaces stands before it.
      function.walk([&](MatmulOp op) { raiser.raise(op); });
      function.walk([&](CastOp op) { raiser.absorbCasts(op); });
      function.walk([&](AttentionOp op) {
        raiser.shareHeads(op);
        raiser.absorbScales(op);
        raiser.refineMask(op);
      });
    }
  }
};
} // namespace
