// The rounding error that one op may add, given exact operands.
#pragma once

#include "lib/Reference/ReferenceOps.h"

namespace tenon {

/// A bound for each element of a result, or empty where it is exact (data movement, comparisons, integers; a quantised
/// integer may be a step off). u is the unit roundoff of the result's type, u32 that of the arithmetic (f32, or f64 for
/// f64):
///   stored result        u |r|, and half the least number of its type or what arithmetic flushes to 0
///   sum of K products    4 sqrt(K) u32 sum |a b|
///   with short sums      for products of 8-bit floats also shortSumError
///   attention            the probabilities' error from their scores, plus that sum, over p |v|; with short sums, of
///                        8-bit floats, that of probabilities of that type and of the sums
///   elementwise          8 u32 |r|, and what 4 u32 in the operands would do
/// `values` holds operands and results.
llvm::FailureOr<std::vector<double>> localError(mlir::OpResult result, const ReferenceValues &values,
                                                bool hasShortSums = false);

} // namespace tenon
