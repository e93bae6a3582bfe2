// What a boolean mask over scores [.., query, key] says about the positions of query and key.
#pragma once

#include "passes/1_graph/KnownSizes.h"

namespace tenon {

/// One of the conditions that a mask joins by `and`. `along`: which dimension of the scores each of the value's is,
/// counted from the innermost: 0 for keys, 1 for queries, 3 for the batch. One of size 1 may be any.
struct Condition {
  mlir::Value value;
  llvm::SmallVector<int64_t> along;
};

/// The conditions of a mask, without the views that write them out or put ones between their dimensions; one, itself,
/// where it joins none.
llvm::SmallVector<Condition> conditionsOf(mlir::Value mask, const KnownSizes &sizes);

/// A condition on the distance of a key from a query, both counted from 0: key <= query + most, or key >= query +
/// least.
struct Band {
  std::optional<int64_t> most, least;
};

/// The band that a condition is, for every query and key; none where it says anything else.
std::optional<Band> bandOf(const Condition &condition, const KnownSizes &sizes);

/// A condition on keys, or on queries: place < length + beyond. `length` is of integers, and of size 1 but for one
/// dimension at most, the batch.
struct End {
  bool isOfQueries;
  mlir::Value length;
  int64_t beyond;
  /// Each query sees one key more than the one before; the first one's end is the one here, and the condition says
  /// more.
  bool grows;
};

/// The end that a condition is, or has; none where it says anything else.
std::optional<End> endOf(const Condition &condition, const KnownSizes &sizes);

/// The mask that is true where this one is false, so that its conditions are seen: of comparisons, not of what joins
/// them.
mlir::Value inverted(mlir::RewriterBase &rewriter, mlir::Value mask);

} // namespace tenon
