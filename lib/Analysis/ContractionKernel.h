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
};

/// The one contraction of a kernel's block; none where there are several or it is of another form.
std::optional<ContractionKernel> findContraction(mlir::Block &block);

} // namespace tenon
