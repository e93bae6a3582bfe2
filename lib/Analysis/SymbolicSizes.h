// The size of every dimension in @main as an expression over the named dimensions.
// The host must know each buffer's shape from the sizes of the arguments alone. Every op can say its result sizes in
// terms of its operands' (ReifyRankedShapedTypeOpInterface); this analysis asks each in order, substitutes what is
// known of the operands and keeps the expression. A kernel is looked through as long as its body can say so; after
// that, and for launches, the attribute `tenon.result_shapes` says it.
#pragma once

#include "lib/Analysis/DimNames.h"

#include "llvm/ADT/DenseMap.h"

namespace tenon {

class SymbolicSizes {
public:
  /// The attribute that keeps an op's result shapes: one affine map a result, over the sorted dimension names.
  static constexpr llvm::StringLiteral attribute = "tenon.result_shapes";

  /// An error names the op whose sizes are not expressible. Ops are created and erased again on the way.
  static mlir::FailureOr<SymbolicSizes> compute(mlir::func::FuncOp main);
  /// The same of any function, without an error where sizes are not known: `reason` then says why.
  static std::optional<SymbolicSizes> find(mlir::func::FuncOp function, std::string &reason);

  /// Takes in an op that was made after; the sizes of its operands must be known.
  mlir::LogicalResult add(mlir::Operation *op) { return visit(op); }

  bool has(mlir::Value tensor) const { return shapes.contains(tensor); }
  llvm::ArrayRef<mlir::AffineExpr> of(mlir::Value tensor) const { return shapes.find(tensor)->second; }
  /// What a rank-0 integer tensor holds, where that is a size; else null.
  mlir::AffineExpr held(mlir::Value scalar) const { return heldSizes.lookup(scalar); }
  const DimNames &dims() const { return names; }
  /// An index value or attribute over the names; null if it is not expressible.
  mlir::AffineExpr resolve(mlir::OpFoldResult size) const;

private:
  explicit SymbolicSizes(DimNames names) : names(std::move(names)) {}
  mlir::LogicalResult visit(mlir::Operation *op);
  mlir::LogicalResult visitKernel(mlir::Operation *op);
  mlir::LogicalResult reify(mlir::Operation *op);
  void visitHeld(mlir::Operation *op);
  void set(mlir::Value tensor, llvm::ArrayRef<mlir::AffineExpr> sizes);
  mlir::AffineExpr resolve(mlir::AffineMap map, mlir::ValueRange operands, unsigned result) const;
  mlir::AffineExpr resolveExtremum(mlir::AffineMap map, mlir::ValueRange operands, bool wantMax) const;

  DimNames names;
  llvm::DenseMap<mlir::Value, llvm::SmallVector<mlir::AffineExpr>> shapes;
  llvm::DenseMap<mlir::Value, mlir::AffineExpr> heldSizes;
};

/// Whether two sizes, or the products of two lists of sizes, are equal whatever the named dimensions are.
bool areEqual(mlir::AffineExpr a, mlir::AffineExpr b);
bool areEqual(llvm::ArrayRef<mlir::AffineExpr> a, llvm::ArrayRef<mlir::AffineExpr> b);
bool haveEqualProducts(llvm::ArrayRef<mlir::AffineExpr> a, llvm::ArrayRef<mlir::AffineExpr> b);

} // namespace tenon
