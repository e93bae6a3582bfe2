// The register block: rows x vectors of sums, kept in registers while a loop runs along the depth. All speed of the
// CPU's matrix products comes from this loop.
#pragma once

#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Value.h"

namespace tenon {

struct RegisterBlock {
  int64_t rows, vectors;
  bool skipsNegativeZeros = false; // such an element adds nothing, not even times infinity; others are not negative
  /// sums[row * vectors + vector] += element(row, step) * vector(vector, step) for `steps` steps.
  /// `element` gives a scalar or a vector of equal lanes, `vector` a vector.
  llvm::SmallVector<mlir::Value> accumulate(mlir::ImplicitLocOpBuilder &b, mlir::Value steps, mlir::ValueRange sums,
                                            llvm::function_ref<mlir::Value(int64_t row, mlir::Value step)> element,
                                            llvm::function_ref<mlir::Value(int64_t vector, mlir::Value step)> vector);
};

} // namespace tenon
