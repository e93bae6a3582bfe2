// Sizes as the graph's own values: rank-0 i64 tensors computed from the arguments' dimensions.
#pragma once

#include "lib/Analysis/SymbolicSizes.h"

#include "llvm/ADT/DenseMap.h"

namespace tenon {

/// Makes each size once, at the start of the function, from `tenon.dim` of its arguments.
class SizeValues {
public:
  /// `sizes` are told of what is made.
  SizeValues(mlir::func::FuncOp function, SymbolicSizes &sizes);

  /// A size over the named dimensions; null where it has a form that the graph cannot compute.
  mlir::Value get(mlir::AffineExpr size);
  /// The size operands of an op whose result has this type and these sizes; fails where one cannot be computed.
  llvm::FailureOr<llvm::SmallVector<mlir::Value>> operandsFor(mlir::RankedTensorType type,
                                                              llvm::ArrayRef<mlir::AffineExpr> sizes);

private:
  mlir::Value make(mlir::AffineExpr size);

  mlir::func::FuncOp function;
  SymbolicSizes &sizes;
  mlir::OpBuilder builder;
  llvm::SmallVector<std::pair<mlir::BlockArgument, int64_t>> sources; // of each name: an argument and its dimension
  llvm::DenseMap<mlir::AffineExpr, mlir::Value> values;
};

} // namespace tenon
