// The one number that a value holds in every element, where it is known at compile time.
// Exporters write scalars as rank-0 constants, as splats of a whole shape, or expanded; all three mean the same.
#pragma once

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Value.h"

#include <optional>

namespace tenon {

/// Of a float constant; looks through expand, reshape and transpose. A double holds every float type exactly.
std::optional<double> floatSplat(mlir::Value value);
/// Of an integer constant, sign-extended; an i1 is 0 or 1.
std::optional<int64_t> integerSplat(mlir::Value value);
/// Whether every element is this number, be it a float (-0.0 is not 0.0) or an integer.
bool isSplat(mlir::Value value, double number);

/// A splat of a statically shaped type; `number` must be exact in its element type.
mlir::DenseElementsAttr splatAttr(mlir::RankedTensorType type, double number);
/// The same as an op; rank 0 with the element type where the type is that.
mlir::Value createSplat(mlir::OpBuilder &builder, mlir::Location location, mlir::RankedTensorType type, double number);

} // namespace tenon
