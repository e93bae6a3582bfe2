// A vision model cuts its picture into patches by a convolution whose windows touch and do not overlap. It reads every
// element once, so that it is a product of rows, a patch each, with the weight as a matrix: what the fast products are
// made for, where a convolution reads at position * stride + tap. The rows are one transpose of the input, and the
// result's is mostly undone by the model, which wants a row a patch as well.
#include "dialects/Tenon/Tenon.h"
#include "passes/1_graph/Passes.h"

#include "mlir/IR/Remarks.h"

namespace tenon {
#define GEN_PASS_DEF_CONVOLUTIONTOLINEARPASS
#include "passes/1_graph/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static constexpr StringLiteral category = "tenon-convolution-to-linear";

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

/// Why a convolution is no linear of patches; null where it is.
static const char *obstacle(ConvolutionOp op) {
  RankedTensorType input = typeOf(op.getInput()), weight = typeOf(op.getWeight());
  if (!weight.hasStaticShape() || input.isDynamicDim(1) ||
      llvm::any_of(input.getShape().drop_front(2), ShapedType::isDynamic))
    return "a size other than the batch is known at run time only";
  if (op.getGroups() != 1)
    return "it has groups";
  if (llvm::any_of(op.getPadding(), [](int64_t count) { return count != 0; }))
    return "it is padded";
  if (llvm::any_of(op.getDilation(), [](int64_t step) { return step != 1; }))
    return "its window has holes";
  ArrayRef<int64_t> window = weight.getShape().drop_front(2);
  if (window != op.getStride())
    return "its windows overlap or leave gaps";
  for (auto [size, side] : llvm::zip_equal(input.getShape().drop_front(2), window))
    if (size % side != 0)
      return "its windows do not cover the input";
  return nullptr;
}

static Value reshape(RewriterBase &rewriter, Location location, Value value, ArrayRef<int64_t> shape) {
  return ReshapeOp::create(rewriter, location, RankedTensorType::get(shape, elementOf(value)), value, ValueRange());
}

static Value transpose(RewriterBase &rewriter, Location location, Value value, ArrayRef<int64_t> permutation) {
  SmallVector<int64_t> shape;
  for (int64_t from : permutation)
    shape.push_back(typeOf(value).getDimSize(from));
  return TransposeOp::create(rewriter, location, RankedTensorType::get(shape, elementOf(value)), value, permutation);
}

/// [N, C, n p..] as [N, n.., C, p..] as [N, patches, C p..], times the weight as [O, C p..]; its result [N, patches, O]
/// as [N, O, n..].
static void multiplyPatches(RewriterBase &rewriter, ConvolutionOp op) {
  Location location = op.getLoc();
  rewriter.setInsertionPoint(op);
  RankedTensorType input = typeOf(op.getInput()), weight = typeOf(op.getWeight());
  int64_t spatial = input.getRank() - 2, patches = 1, outputs = weight.getDimSize(0);
  int64_t depth = weight.getNumElements() / std::max<int64_t>(outputs, 1);
  SmallVector<int64_t> cut = {input.getDimSize(0), input.getDimSize(1)}, order = {0}, taps = {1};
  for (int64_t s = 0; s < spatial; ++s) {
    int64_t side = weight.getDimSize(2 + s), count = input.getDimSize(2 + s) / side;
    cut.append({count, side});
    order.push_back(2 + 2 * s);
    taps.push_back(3 + 2 * s);
    patches *= count;
  }
  order.append(taps);
  Value rows = transpose(rewriter, location, reshape(rewriter, location, op.getInput(), cut), order);
  rows = reshape(rewriter, location, rows, {input.getDimSize(0), patches, depth});
  Value matrix = reshape(rewriter, op.getWeight().getLoc(), op.getWeight(), {outputs, depth});
  auto type = RankedTensorType::get({input.getDimSize(0), patches, outputs}, elementOf(op.getResult()));
  Value product = LinearOp::create(rewriter, location, type, rows, matrix, op.getBias());
  rewriter.replaceOp(op, reshape(rewriter, location, transpose(rewriter, location, product, {0, 2, 1}),
                                 typeOf(op.getResult()).getShape()));
}

namespace {
struct ConvolutionToLinear : tenon::impl::ConvolutionToLinearPassBase<ConvolutionToLinear> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    getOperation().walk([&](ConvolutionOp op) {
      if (const char *reason = obstacle(op))
        remark::missed(op.getLoc(), remark::RemarkOpts::name("convolution").category(category))
            << (Twine("convolution is no linear of patches: ") + reason).str();
      else
        multiplyPatches(rewriter, op);
    });
  }
};
} // namespace
