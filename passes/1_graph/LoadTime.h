// Work on weights alone runs once, when the model is loaded (docs/decisions/0001), so that a pass may add to it freely.
#pragma once

#include "mlir/IR/Value.h"

namespace tenon {

/// Whether a value comes of weights and constants through pure ops, of whatever depth. Sizes and iota count as
/// constants.
bool isLoadTime(mlir::Value value);

} // namespace tenon
