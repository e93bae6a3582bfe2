// Attention taken apart: what stands between its two products.
#pragma once

#include "dialects/Tenon/Tenon.h"

#include "mlir/IR/PatternMatch.h"

namespace tenon {

/// softmax(scale * query key^T, with mask) value, as matched.
struct AttentionParts {
  mlir::Value query, key, value;
  bool queryIsTransposed = false; // as it stands: [.., D, Sq]
  bool keyIsTransposed = false;   // as it stands: [.., D, Sk]
  bool valueIsTransposed = false; // as it stands: [.., Dv, Sk]
  double scale = 1;
  std::optional<double> softCap;
  mlir::Value added;     // float mask, added to the scaled scores
  mlir::Value condition; // boolean: visible where true
};

/// `value` without a factor that is one number, which goes into `scale`. A number that 16 bits do not hold is
/// multiplied by in f32, between casts.
mlir::Value withoutScale(mlir::Value value, double &scale);

/// Whether a number stands for "hidden" in this element type: any score added to it rounds back to it.
bool absorbsScores(double fill, mlir::Type element);

/// The softmax behind weights, through the select that gives 0 to rows that are all -Inf, and through casts around it.
SoftmaxOp softmaxOf(mlir::Value weights);
/// The scores that a softmax reads, before a cast to f32, in which attention computes them anyway.
mlir::Value scoresOf(SoftmaxOp softmax, mlir::Type element);

/// Follows scores up to their matmul; says why they are none. New ops, for masks, are made at the rewriter's place;
/// they are dead where it fails.
bool matchScores(mlir::Value scores, mlir::RewriterBase &rewriter, AttentionParts &parts, const char *&reason);

} // namespace tenon
