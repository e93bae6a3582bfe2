// The sizes inside a kernel function as expressions over its dims: symbol i is the i-th `?` of its operand and result
// memrefs, in order. That is the form of `tenon.grid` and `tenon.scratch_bytes`, which the host evaluates before a
// call. Temporaries need only an upper bound, so minima and maxima have an answer where they cannot have an exact one.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/AffineMap.h"

namespace tenon {

/// The arguments behind the buffers of a kernel function: first task, last task, scratch.
inline constexpr unsigned numTrailingArguments = 3;

inline mlir::ArrayRef<mlir::BlockArgument> kernelBuffers(mlir::func::FuncOp kernel) {
  return mlir::ArrayRef(kernel.getArguments().data(), kernel.getNumArguments() - numTrailingArguments);
}
inline mlir::Value firstTask(mlir::func::FuncOp kernel) { return kernel.getArguments().end()[-3]; }
inline mlir::Value lastTask(mlir::func::FuncOp kernel) { return kernel.getArguments().end()[-2]; }
inline mlir::Value scratchOf(mlir::func::FuncOp kernel) { return kernel.getArguments().end()[-1]; }

class KernelSizes {
public:
  explicit KernelSizes(mlir::func::FuncOp kernel);

  unsigned numDims() const { return dims.size(); }
  /// Sizes of results in terms of the operands', as the kernel in tensor form says them; from now on, equal sizes have
  /// equal expressions wherever it can be seen.
  void equateResults();
  /// The expression of `size`; null where there is none.
  mlir::AffineExpr exact(mlir::OpFoldResult size) const { return resolve(size, /*exact=*/true); }
  /// An expression that is at least `size` whatever the dims; null where there is none.
  mlir::AffineExpr bound(mlir::OpFoldResult size) const { return resolve(size, /*exact=*/false); }
  /// `()[dims] -> (expr)`, simplified.
  mlir::AffineMap map(mlir::AffineExpr expr) const;
  /// The dims as values, in order.
  llvm::SmallVector<mlir::Value> values(mlir::OpBuilder &builder, mlir::Location location) const;

private:
  mlir::AffineExpr resolve(mlir::OpFoldResult size, bool exact) const;
  mlir::AffineExpr resolveDim(mlir::Value memref, int64_t dimension, bool exact) const;
  mlir::AffineExpr resolveTensorDim(mlir::Value tensor, int64_t dimension) const;
  mlir::AffineExpr applied(mlir::AffineMap map, mlir::ValueRange operands, unsigned result) const;
  mlir::AffineExpr extremum(llvm::ArrayRef<mlir::AffineExpr> candidates, bool wantMax) const;

  mutable mlir::func::FuncOp kernel;                    // ops are handles; their accessors are not const
  llvm::SmallVector<std::pair<unsigned, int64_t>> dims; // argument, dimension
  llvm::SmallVector<mlir::AffineExpr> symbols;          // what each of the dims is: itself, or that of an operand
};

} // namespace tenon
