// How far a correct implementation's results may be from the reference, element by element. There is no tolerance to
// choose: each op's own rounding error is bounded by what its arithmetic does (LocalErrors), and how such errors travel
// through the rest of the function is measured, by evaluating it again with every result moved by its error up or down
// at random. A wrong kernel is off by much more than its neighbours' roundings can explain.
#pragma once

#include "lib/Reference/Reference.h"

namespace tenon {

struct BoundedTensor {
  ReferenceTensor value;     ///< exact
  std::vector<double> bound; ///< per element, the largest difference to explain; infinite where anything may come out
};

/// As evaluateReference with exact rounding. `samples` random evaluations beside the exact one and one that moves every
/// result up, on the context's threads; more of them see rarer alignments of errors, four are enough since local bounds
/// are generous. `hasShortSums`: of a GPU, for products of 8-bit floats (LocalErrors.h).
llvm::FailureOr<std::vector<BoundedTensor>> evaluateWithBounds(mlir::func::FuncOp function,
                                                               llvm::ArrayRef<ReferenceTensor> inputs,
                                                               WeightLookup weights, int samples = 4, uint64_t seed = 1,
                                                               bool hasShortSums = false);

} // namespace tenon
