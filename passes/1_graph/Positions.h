// Integers that are a linear function of one index: positions as exporters compute them, turned to lie along a
// dimension, written out for a batch, cut and joined.
#pragma once

#include "passes/1_graph/KnownSizes.h"

#include <optional>

namespace tenon {

/// start + step * i, i being the index along one dimension; the same for all indices of the others.
struct Positions {
  int64_t start = 0, step = 0;
  int64_t along = -1; // the dimension, counted from the innermost; -1 where step is 0
};

/// A value as positions; none where it is not known to be that.
std::optional<Positions> positionsOf(mlir::Value value, const KnownSizes &sizes);

} // namespace tenon
