// What generated code computes with where no instruction, or not the same one everywhere, does it: patterns on scalars
// and vectors, for CPUs and GPUs alike, so that both give the same bits (docs/pipeline.md, "The arithmetic of generated
// code").
#pragma once

#include "mlir/IR/PatternMatch.h"

namespace tenon {

/// Conversions and comparisons of 8-bit floats and bf16 become integer arithmetic.
void populateConversionExpansions(mlir::RewritePatternSet &patterns);

/// exp, exp2, expm1, log, log2, log1p, tanh and erf of f32 become polynomials; maxima and minima, comparisons.
void populateMathExpansions(mlir::RewritePatternSet &patterns);

} // namespace tenon
