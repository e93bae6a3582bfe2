// What both paths know of a kernel's matrix product.
#pragma once

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace tenon {

/// A linalg.generic that adds products of two operands into an accumulator: result(batch.., row.., column) +=
/// lhs(batch.., row.., depth) * rhs(batch.., column, depth), in any order of an operand's dimensions.
struct ContractionKernel {
  mlir::linalg::GenericOp op;
  unsigned lhs, rhs; // operand numbers
  llvm::SmallVector<unsigned> batch, rows;
  unsigned column, depth;           // loops
  mlir::linalg::GenericOp blocks;   // adds up the sums of blocks of the depth, which are scaled; null: there is one sum
  unsigned block = 0;               // the loop of `op` that counts them, one of `batch`
  mlir::Value lhsFactor, rhsFactor; // in the body: what is multiplied, each of one operand's element

  mlir::Value lhsTensor() { return op.getDpsInputs()[lhs]; }
  mlir::Value rhsTensor() { return op.getDpsInputs()[rhs]; }
  mlir::AffineMap lhsMap() { return op.getIndexingMapsArray()[lhs]; }
  mlir::AffineMap rhsMap() { return op.getIndexingMapsArray()[rhs]; }
  /// Columns of a panel where the rhs is packed, [panel, depth, column of the panel]; else 0.
  int64_t panelColumns();
  /// The product of the row loops' sizes, and the columns and the depth; negative where dynamic.
  int64_t staticRows();
  int64_t staticColumns() { return op.getStaticLoopRanges()[column]; }
  int64_t staticDepth() { return op.getStaticLoopRanges()[depth]; }
  /// How many neighbouring columns share a scale of their block; 0 where all do, or it is not known.
  int64_t columnsPerScale();
};

/// The one contraction of a kernel's block; none where there are several or it is of another form.
std::optional<ContractionKernel> findContraction(mlir::Block &block);
/// The same, or a contraction of blocks of the depth whose results a second op scales and adds up:
/// total(row.., column) += contraction(block, row.., column) * scales.
std::optional<ContractionKernel> findProduct(mlir::Block &block);

} // namespace tenon
