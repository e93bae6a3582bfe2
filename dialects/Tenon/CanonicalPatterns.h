// The dialect's canonical form beyond what a fold can say: patterns that make new ops. All are exact.
#pragma once

#include "dialects/Tenon/Tenon.h"

#include "mlir/IR/PatternMatch.h"

namespace tenon {

/// One way to write each pointwise form: constants on the right, x - c as x + -c, x * x as square(x).
void addPointwisePatterns(mlir::RewritePatternSet &patterns);
/// No casts to f32 and back around an op that computes 16-bit floats in f32.
void addCastPatterns(mlir::RewritePatternSet &patterns);
/// Operands no larger than broadcasting needs.
void addBroadcastPatterns(mlir::RewritePatternSet &patterns);

/// The predicate with its operands exchanged.
ComparePredicate swapped(ComparePredicate predicate);
/// The predicate that holds where this one does not, of integers.
ComparePredicate inverse(ComparePredicate predicate);

/// `value` repeated to `type`, to which it broadcasts. Unknown sizes are taken from `like`, values that together
/// broadcast to `type` too.
mlir::Value createExpand(mlir::OpBuilder &builder, mlir::Location location, mlir::Value value,
                         mlir::RankedTensorType type, mlir::ValueRange like);

} // namespace tenon
