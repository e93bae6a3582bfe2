// Exporters widen 16-bit floats to f32 for an op and round its result back. The dialect's own ops do that inside: on
// 16-bit floats they compute in f32 and round once. So the casts around one op say nothing, and without them whoever
// looks for the op finds it on the stored type. The same float comes out for every float.
#include "dialects/Tenon/CanonicalPatterns.h"
#include "dialects/Tenon/ConstantValues.h"
#include "dialects/Tenon/Tenon.h"

using namespace mlir;

namespace tenon {

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

/// `value`, of f32, as what it was widened from, or a number that the narrow type has; null for any other.
static Value narrowed(Value value, FloatType element, PatternRewriter &rewriter) {
  if (auto cast = value.getDefiningOp<CastOp>())
    return elementOf(cast.getInput()) == element ? cast.getInput() : Value();
  auto constant = value.getDefiningOp<ConstantOp>();
  std::optional<double> number = constant ? floatSplat(value) : std::nullopt;
  if (!number)
    return {};
  APFloat narrow(*number);
  bool losesInfo;
  narrow.convert(element.getFloatSemantics(), APFloat::rmNearestTiesToEven, &losesInfo);
  if (losesInfo)
    return {};
  return createSplat(rewriter, value.getLoc(), cast<RankedTensorType>(typeOf(value).clone(element)), *number);
}

namespace {
/// cast(op(cast(x), ..)) from 16 bits to f32 and back -> op(x, ..).
struct CastsAroundOne : OpRewritePattern<CastOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(CastOp op, PatternRewriter &rewriter) const override {
    auto element = dyn_cast<FloatType>(elementOf(op.getResult()));
    Operation *wide = op.getInput().getDefiningOp();
    if (!element || element.getWidth() != 16 || !wide || !wide->hasOneUse() || !elementOf(op.getInput()).isF32())
      return rewriter.notifyMatchFailure(op, "rounds no f32 result of its own to 16 bits");
    bool isPointwise = isa<AddOp, SubOp, MulOp, DivOp, MaxOp, MinOp, PowOp>(wide) ||
                       (wide->hasTrait<OpTrait::Elementwise>() && !isa<CastOp>(wide));
    if (!isPointwise)
      return rewriter.notifyMatchFailure(op, "what it rounds computes no element alone");
    SmallVector<Value> operands;
    bool widens = false;
    for (Value operand : wide->getOperands()) {
      operands.push_back(narrowed(operand, element, rewriter));
      if (!operands.back())
        return rewriter.notifyMatchFailure(op, "an operand is wider than 16 bits");
      widens |= operand.getDefiningOp<CastOp>() != nullptr;
    }
    if (!widens)
      return rewriter.notifyMatchFailure(op, "constants alone are folded");
    Operation *narrow = wide->clone();
    narrow->setOperands(operands);
    narrow->getResult(0).setType(op.getType());
    rewriter.insert(narrow);
    rewriter.replaceOp(op, narrow->getResults());
    return success();
  }
};
} // namespace

void addCastPatterns(RewritePatternSet &patterns) { patterns.add<CastsAroundOne>(patterns.getContext()); }

} // namespace tenon
