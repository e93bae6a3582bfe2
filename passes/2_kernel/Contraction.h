// A product of two operands summed over the dimensions that the result lacks: what linear, matmul, their quantised form
// and convolution have in common.
#pragma once

#include "passes/2_kernel/Lowering.h"

namespace tenon {

struct Contraction {
  mlir::Value lhs, rhs;
  mlir::AffineMap lhsMap, rhsMap;              // over the result's dimensions, then the summed ones
  llvm::SmallVector<mlir::OpFoldResult> sizes; // of the result
  mlir::Type accumulator;
};

/// The accumulated result, in the accumulator's type.
mlir::Value contract(mlir::ImplicitLocOpBuilder &b, const Contraction &contraction);
/// input [.., K] by weight [N, K] as stored.
Contraction linearContraction(mlir::ImplicitLocOpBuilder &b, mlir::Value input, mlir::Value weight,
                              mlir::Type accumulator);
/// `accumulated` plus `bias` (may be null) along dimension `biasDim`, rounded once to `stored`.
mlir::Value finish(mlir::ImplicitLocOpBuilder &b, mlir::Value accumulated, mlir::Value bias, int64_t biasDim,
                   mlir::Type stored);

} // namespace tenon
