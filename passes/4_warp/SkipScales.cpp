// A product with `select(c, f, 1)`, one factor a row, changes nothing where c does not hold. After this pass it is a
// warp.rescale: warps of which no row needs it go on.
#include "dialects/Warp/Warp.h"
#include "passes/4_warp/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace tenon {
#define GEN_PASS_DEF_SKIPSCALESPASS
#include "passes/4_warp/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;
using namespace tenon::warp;

namespace {
struct SkipScale : OpRewritePattern<arith::MulFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::MulFOp product, PatternRewriter &rewriter) const override {
    auto spread = product.getRhs().getDefiningOp<tile::BroadcastOp>();
    if (!spread || spread.getDims() != ArrayRef<int64_t>{0} || spread.getType().getRank() != 2)
      return rewriter.notifyMatchFailure(product, "no factor for each row");
    auto factor = spread.getTile().getDefiningOp<arith::SelectOp>();
    if (!factor || !isa<RankedTensorType>(factor.getCondition().getType()) ||
        !matchPattern(factor.getFalseValue(), m_OneFloat()))
      return rewriter.notifyMatchFailure(product, "no factor that may be 1");
    rewriter.replaceOpWithNewOp<RescaleOp>(product, product.getType(), product.getLhs(), factor.getTrueValue(),
                                           factor.getCondition());
    return success();
  }
};

struct SkipScales : tenon::impl::SkipScalesPassBase<SkipScales> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<SkipScale>(&getContext());
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};
} // namespace
