// What one element of an arith or math op is, in doubles and 64-bit integers.
#pragma once

#include "mlir/IR/Operation.h"

#include <optional>

namespace tenon {

/// An element: a float in `real`, an integer, index or boolean in `integer`.
struct TileScalar {
  double real = 0;
  int64_t integer = 0;
};

/// The op's result for elements of its operands, not rounded to its type yet; none where the op is not known.
std::optional<TileScalar> evaluateScalar(mlir::Operation *op, llvm::ArrayRef<TileScalar> x);

} // namespace tenon
