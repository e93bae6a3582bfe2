// What the mask of an attention says of positions and lengths, said by the op itself.
#pragma once

#include "dialects/Tenon/Tenon.h"
#include "passes/1_graph/KnownSizes.h"

namespace tenon {

/// Conditions on positions become `causal` and `window`, on lengths `key_lengths` and `query_lengths`; a boolean mask
/// of what is left stays. `rewriter` tells `sizes` of what it makes.
void refineMask(AttentionOp op, mlir::RewriterBase &rewriter, const KnownSizes &sizes);

} // namespace tenon
