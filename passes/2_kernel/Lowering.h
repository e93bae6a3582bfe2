// What the families of LowerToLinalg share: how a lowering is written, and the few forms that all of them build.
// A lowering is a free function `FailureOr<SmallVector<Value>> lower(Op, ImplicitLocOpBuilder &)` that builds the op's
// results; `LowerBy` makes a pattern of it that fires inside tenon.kernel only.
#pragma once

#include "dialects/Tenon/Tenon.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/PatternMatch.h"

namespace tenon {

using Lowered = mlir::FailureOr<llvm::SmallVector<mlir::Value>>;
/// The scalar computation of an elementwise form: one value for the given ones.
using ScalarBody = llvm::function_ref<mlir::Value(mlir::ImplicitLocOpBuilder &, mlir::ValueRange)>;

void populateContractionLowerings(mlir::RewritePatternSet &patterns);
void populatePointwiseLowerings(mlir::RewritePatternSet &patterns);
void populateQuantisationLowerings(mlir::RewritePatternSet &patterns);
void populateReductionLowerings(mlir::RewritePatternSet &patterns);
void populateRowLowerings(mlir::RewritePatternSet &patterns);
void populateShapeLowerings(mlir::RewritePatternSet &patterns);
void populateIndexLowerings(mlir::RewritePatternSet &patterns);
void populateWindowLowerings(mlir::RewritePatternSet &patterns);

template <typename OpT>
struct LowerBy : mlir::OpRewritePattern<OpT> {
  using Function = Lowered (*)(OpT, mlir::ImplicitLocOpBuilder &);
  LowerBy(mlir::MLIRContext *context, Function function) : mlir::OpRewritePattern<OpT>(context), function(function) {}

  llvm::LogicalResult matchAndRewrite(OpT op, mlir::PatternRewriter &rewriter) const override {
    if (!op->template getParentOfType<KernelOp>())
      return rewriter.notifyMatchFailure(op, "stands outside any tenon.kernel");
    mlir::ImplicitLocOpBuilder builder(op.getLoc(), rewriter);
    Lowered results = function(op, builder);
    if (failed(results))
      return mlir::failure();
    for (auto [value, result] : llvm::zip_equal(*results, op->getResults()))
      if (value.getType() != result.getType())
        value = mlir::tensor::CastOp::create(builder, result.getType(), value);
    rewriter.replaceOp(op, *results);
    return mlir::success();
  }
  Function function;
};

inline mlir::RankedTensorType tensorOf(mlir::Value value) {
  return llvm::cast<mlir::RankedTensorType>(value.getType());
}

/// The type in which elements of `storage` are computed with: f32 for shorter floats, else the type itself.
mlir::Type computeType(mlir::Type storage);
/// A scalar as another element type: floats and integers of any width; to i1 means "is not zero".
mlir::Value convertScalar(mlir::ImplicitLocOpBuilder &b, mlir::Value value, mlir::Type to);
/// A scalar constant of a float, integer or index type.
mlir::Value scalar(mlir::ImplicitLocOpBuilder &b, mlir::Type type, double value);

/// The result's sizes by the op's own shape rule.
mlir::FailureOr<llvm::SmallVector<mlir::OpFoldResult>> resultSizes(mlir::ImplicitLocOpBuilder &b,
                                                                   mlir::OpResult result);
/// An uninitialised tensor of these sizes; `shape` says which of them the type states.
mlir::Value empty(mlir::ImplicitLocOpBuilder &b, llvm::ArrayRef<mlir::OpFoldResult> sizes, mlir::Type element);
mlir::Value filled(mlir::ImplicitLocOpBuilder &b, llvm::ArrayRef<mlir::OpFoldResult> sizes, mlir::Value scalar);
/// A tensor of these sizes that holds `input` from `low` on in each dimension and `outside`, a scalar, elsewhere.
mlir::Value padded(mlir::ImplicitLocOpBuilder &b, mlir::Value input, llvm::ArrayRef<int64_t> low,
                   llvm::ArrayRef<mlir::OpFoldResult> sizes, mlir::Value outside);
/// `tensor` with dimension `at` as two, [outer, inner]; one of the two is kDynamic: what the other leaves.
mlir::Value splitDim(mlir::ImplicitLocOpBuilder &b, mlir::Value tensor, int64_t at, int64_t outer, int64_t inner);
/// The value that a rank-0 or one-element integer tensor holds, as an index.
mlir::Value heldIndex(mlir::ImplicitLocOpBuilder &b, mlir::Value tensor);
/// `size` as a value of type index.
mlir::Value indexValue(mlir::ImplicitLocOpBuilder &b, mlir::OpFoldResult size);

/// Reads a tensor of `type` at the innermost of `dims` (broadcasting: missing dimensions are dropped, a static size 1
/// is read at 0 unless the result has size 1 there too).
mlir::AffineMap broadcastMap(mlir::RankedTensorType type, llvm::ArrayRef<mlir::AffineExpr> dims,
                             llvm::ArrayRef<mlir::OpFoldResult> sizes);

/// One linalg.generic that writes every element of a tensor of `sizes` and `element` once. `operands` are read by
/// `maps`; splat constants are read as scalars. The body gets the elements as stored and gives one of type `element`.
mlir::Value elementwise(mlir::ImplicitLocOpBuilder &b, llvm::ArrayRef<mlir::OpFoldResult> sizes, mlir::Type element,
                        mlir::ValueRange operands, llvm::ArrayRef<mlir::AffineMap> maps, ScalarBody body);
/// The same with operands broadcast to `sizes`.
mlir::Value broadcastElementwise(mlir::ImplicitLocOpBuilder &b, llvm::ArrayRef<mlir::OpFoldResult> sizes,
                                 mlir::Type element, mlir::ValueRange operands, ScalarBody body);

/// One linalg.generic over `sizes` that folds `operands` into an accumulator filled with `init`, over the dimensions
/// not in `kept`; the body gets the elements as stored, then the accumulator.
mlir::Value reduced(mlir::ImplicitLocOpBuilder &b, llvm::ArrayRef<mlir::OpFoldResult> keptSizes, mlir::Value init,
                    mlir::ValueRange operands, llvm::ArrayRef<mlir::AffineMap> maps, llvm::ArrayRef<unsigned> kept,
                    ScalarBody body);

} // namespace tenon
