// What a boolean mask over scores [.., query, key] says about the positions of query and key.
#pragma once

#include "passes/1_graph/KnownSizes.h"

namespace tenon {

/// One condition on the distance of a key from a query, both counted from 0: key <= query + most, or key >= query +
/// least.
struct Band {
  std::optional<int64_t> most, least;
};

/// The band that a mask is, for every query and key; none where it says anything else. `mask` aligns with scores
/// [.., query, key] at the innermost dimensions.
std::optional<Band> bandOf(mlir::Value mask, const KnownSizes &sizes);

/// The conditions that a mask joins by `and`; one, itself, where it joins none.
llvm::SmallVector<mlir::Value> conditionsOf(mlir::Value mask);

} // namespace tenon
