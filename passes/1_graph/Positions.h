// Vectors of positions: iota, turned to lie along one dimension of whatever reads it.
#pragma once

#include "dialects/Tenon/Tenon.h"

#include <optional>

namespace tenon {

struct PositionVector {
  IotaOp iota;   // steps by 1
  int64_t along; // the dimension that it lies along, counted from the innermost
};

/// A value as positions along one of its dimensions, the others being of size 1.
std::optional<PositionVector> positionsOf(mlir::Value value);

} // namespace tenon
