// Exporters take a linear apart: x @ transpose(w), or a matmul that reads w transposed, then a bias added. As one op
// its weight is known as such, stored [out, in] and packed once, and the bias is added before the one rounding.
#include "dialects/Tenon/Tenon.h"
#include "passes/1_graph/LoadTime.h"
#include "passes/1_graph/Passes.h"

#include "mlir/IR/Remarks.h"

namespace tenon {
#define GEN_PASS_DEF_RAISELINEARPASS
#include "passes/1_graph/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static constexpr StringLiteral category = "tenon-raise-linear";

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

static void miss(Operation *op, const Twine &reason) {
  remark::missed(op->getLoc(), remark::RemarkOpts::name("linear").category(category))
      << (op->getName().stripDialect() + " is not raised to a linear: " + reason).str();
}

/// matmul(x, w) with w [K, N] known at load -> linear(x, transpose(w)); with transpose_b -> linear(x, w).
static FailureOr<LinearOp> raiseMatmul(RewriterBase &rewriter, MatmulOp op) {
  if (typeOf(op.getRhs()).getRank() != 2 || !isLoadTime(op.getRhs()) || isLoadTime(op.getLhs()))
    return failure(); // a product of activations
  if (!isa<FloatType>(elementOf(op.getLhs())))
    return miss(op, "its element type is an integer"), failure();
  if (op.getTransposeA())
    return miss(op, "its input is read transposed"), failure();
  Value weight = op.getRhs();
  if (!op.getTransposeB()) {
    auto type = typeOf(weight);
    weight = TransposeOp::create(rewriter, op.getLoc(),
                                 RankedTensorType::get({type.getDimSize(1), type.getDimSize(0)}, type.getElementType()),
                                 weight, ArrayRef<int64_t>{1, 0});
  }
  return rewriter.replaceOpWithNewOp<LinearOp>(op, op.getType(), op.getLhs(), weight, Value());
}

/// The bias of shape [N] that a value is, without leading ones; null where it is none.
static Value biasOf(RewriterBase &rewriter, Value value, int64_t outputs) {
  auto type = typeOf(value);
  if (type == RankedTensorType::get({outputs}, type.getElementType()))
    return value;
  bool leadingOnes = type.getRank() > 0 && type.getShape().back() == outputs &&
                     llvm::all_of(type.getShape().drop_back(), [](int64_t size) { return size == 1; });
  if (!leadingOnes)
    return {};
  return ReshapeOp::create(rewriter, value.getLoc(), RankedTensorType::get({outputs}, type.getElementType()), value,
                           ValueRange());
}

/// linear(x, w) + b -> linear(x, w, b).
static FailureOr<LinearOp> raiseBias(RewriterBase &rewriter, AddOp op) {
  for (auto [product, other] : {std::pair(op.getLhs(), op.getRhs()), std::pair(op.getRhs(), op.getLhs())}) {
    auto linear = product.getDefiningOp<LinearOp>();
    if (!linear || linear.getBias() || linear.getType() != op.getType() || !isLoadTime(other))
      continue;
    if (!linear->hasOneUse()) {
      miss(op, "others read the product without this bias");
      continue;
    }
    Value bias = biasOf(rewriter, other, linear.getType().getShape().back());
    if (!bias) {
      miss(op, "what is added is not one number an output");
      continue;
    }
    Location location = rewriter.getFusedLoc({linear.getLoc(), op.getLoc()});
    auto whole = LinearOp::create(rewriter, location, op.getType(), linear.getInput(), linear.getWeight(), bias);
    rewriter.replaceOp(op, whole);
    rewriter.eraseOp(linear);
    return whole;
  }
  return failure();
}

namespace {
struct RaiseLinear : tenon::impl::RaiseLinearPassBase<RaiseLinear> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    // Products before their sums, as they stand.
    getOperation().walk([&](Operation *op) {
      rewriter.setInsertionPoint(op);
      if (auto matmul = dyn_cast<MatmulOp>(op))
        (void)raiseMatmul(rewriter, matmul);
      else if (auto add = dyn_cast<AddOp>(op))
        (void)raiseBias(rewriter, add);
    });
  }
};
} // namespace
