// What one element of each pointwise op is, in arith and math on scalars of the compute type.
#pragma once

#include "passes/2_kernel/Lowering.h"

namespace tenon {

/// The element of `op`'s result for the elements `x` of its operands.
mlir::Value scalarFormula(mlir::Operation *op, mlir::ImplicitLocOpBuilder &b, mlir::ValueRange x);

} // namespace tenon
