// The register block: rows x vectors of sums, kept in registers while a loop runs along the depth. All speed of the
// CPU's matrix products comes from this loop.
//
// What a sum of floats is off by grows with the number of terms that one chain of additions takes up: each rounds a sum
// that is as large as all terms before it. A deep product therefore starts its sums afresh every `chainSteps` steps and
// adds what they came to to the totals, which lie in memory (on the stack) meanwhile.
#pragma once

#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Value.h"

namespace tenon {

struct RegisterBlock {
  int64_t rows, vectors;
  bool skipsNegativeZeros = false; // such an element adds nothing, not even times infinity; others are not negative
  using Factor = llvm::function_ref<mlir::Value(int64_t place, mlir::Value step)>;

  /// A chain of 256 leaves a sum of 3072 terms 0.3 times as far off as one chain. Adding to the totals is a percent of
  /// a chain's work.
  static constexpr int64_t chainSteps = 256;

  /// sums[row * vectors + vector] += element(row, step) * vector(vector, step) for steps `begin` to `end` - 1, as one
  /// chain. `element` gives a scalar or a vector of equal lanes, `vector` a vector. Empty where either gives nothing.
  llvm::SmallVector<mlir::Value> accumulate(mlir::ImplicitLocOpBuilder &b, mlir::Value begin, mlir::Value end,
                                            mlir::ValueRange sums, Factor element, Factor vector);
  /// The same from zero for `steps` steps, in chains of `chainSteps` where the sums are floats.
  llvm::SmallVector<mlir::Value> accumulateDeep(mlir::ImplicitLocOpBuilder &b, mlir::VectorType type, mlir::Value steps,
                                                Factor element, Factor vector);
};

} // namespace tenon
