// The shape rules that several families share: equal sizes, broadcasting, windows, axes, size operands.
// Broadcasting is NumPy's, decided at compile time: sizes align at the innermost dimension, and only a missing
// dimension or a static 1 repeats. A `?` never repeats.
#pragma once

#include "dialects/Tenon/ShapeRule.h"

namespace tenon {

/// The better known of two equal sizes.
mlir::AffineExpr known(mlir::AffineExpr a, mlir::AffineExpr b);

/// Broadcasts `next` into `shape`; `number` is the constraint that a clash breaks.
mlir::LogicalResult broadcastInto(ShapeRule &rule, llvm::StringRef number, Shape &shape,
                                  llvm::ArrayRef<mlir::AffineExpr> next, llvm::StringRef what);
/// Whether `small` broadcasts to `shape` without changing it.
bool broadcastsTo(ShapeRule &rule, llvm::ArrayRef<mlir::AffineExpr> small, llvm::ArrayRef<mlir::AffineExpr> shape);

/// The result is of the operand's type.
mlir::LogicalResult inferSameType(ShapeRule &rule, mlir::Value input);
/// `tensor` has the element type of `like`.
mlir::LogicalResult checkElement(ShapeRule &rule, llvm::StringRef number, llvm::StringRef what, mlir::Value tensor,
                                 mlir::Value like);
mlir::LogicalResult checkAxis(ShapeRule &rule, llvm::StringRef number, int64_t axis, int64_t rank);
/// `tensor` has exactly `expected`.
mlir::LogicalResult checkShape(ShapeRule &rule, llvm::StringRef number, llvm::StringRef what, mlir::Value tensor,
                               llvm::ArrayRef<mlir::AffineExpr> expected);
/// An attribute has one entry for each of `count` dimensions, none below `least`.
mlir::LogicalResult checkEntries(ShapeRule &rule, llvm::StringRef number, llvm::StringRef what,
                                 llvm::ArrayRef<int64_t> entries, size_t count, int64_t least);
/// How often a window fits: floor((size + 2 padding - dilation (window - 1) - 1) / stride) + 1.
mlir::FailureOr<mlir::AffineExpr> windowCount(ShapeRule &rule, llvm::StringRef number, mlir::AffineExpr size,
                                              mlir::AffineExpr window, int64_t stride, int64_t padding,
                                              int64_t dilation);
/// States the declared result, whose dynamic sizes are held by `sizes`, one rank-0 tensor each, in order. Where `sizes`
/// is empty they come from `otherwise`.
mlir::LogicalResult resultOfSizes(ShapeRule &rule, llvm::StringRef number, mlir::ValueRange sizes,
                                  llvm::function_ref<mlir::AffineExpr(unsigned)> otherwise);

} // namespace tenon
