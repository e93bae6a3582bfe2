// What generated code computes with where no instruction, or not the same one everywhere, does it: patterns on scalars
// and vectors, for CPUs and GPUs alike, so that both give the same bits (docs/pipeline.md, "The arithmetic of generated
// code").
#pragma once

#include "mlir/IR/PatternMatch.h"

namespace tenon {

/// Conversions and comparisons of 8-bit floats and bf16 become integer arithmetic; with `hasBfloat` not those of bf16
/// with f32, which are instructions there.
void populateConversionExpansions(mlir::RewritePatternSet &patterns, bool hasBfloat = false);

/// exp, exp2, expm1, log, log2, log1p, tanh and erf of f32 become polynomials.
void populateMathExpansions(mlir::RewritePatternSet &patterns);

/// Maxima and minima become comparisons.
void populateExtremumExpansions(mlir::RewritePatternSet &patterns);

} // namespace tenon
