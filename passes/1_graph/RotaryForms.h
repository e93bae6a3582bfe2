// Rotary embedding taken apart: which half of its rows a value is, how the halves are turned, and what a table repeats.
#pragma once

#include "dialects/Tenon/Tenon.h"
#include "passes/1_graph/KnownSizes.h"

#include <optional>

namespace tenon {

/// A half of every row: which one, of what. Interleaved, it is the even or the odd elements.
struct Half {
  mlir::Value whole;
  bool second, interleaved;
};
/// By a split, by a slice, or by a reshape to pairs.
std::optional<Half> halfOf(mlir::Value value, const KnownSizes &sizes);

/// Rows with their halves exchanged and the new first one negated, interleaved or not: (-x2, x1).
struct Turned {
  mlir::Value whole;
  bool interleaved;
};
/// `inside` gets the ops, for who else reads them.
std::optional<Turned> turnedOf(mlir::Value value, const KnownSizes &sizes,
                               llvm::SmallVectorImpl<mlir::Operation *> &inside);

/// What a reshape gave a last dimension of 1; null for another value.
mlir::Value withoutLastOne(mlir::Value value, const KnownSizes &sizes);

/// Whether the second half of every row of a table is the first again.
bool repeatsHalf(mlir::Value table);
/// A table whose every element stands twice, as it was before, with a last dimension of 1: [.., D/2, 1] of [.., D].
mlir::Value beforeRepeatingPairs(mlir::Value table, const KnownSizes &sizes);

} // namespace tenon
