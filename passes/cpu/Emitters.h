// The families of kernels that become vector loops. Each writes the whole body of a function; where it cannot, it
// returns false, and kernel.points.error() says why.
#pragma once

#include "lib/Analysis/UpdatedOperand.h"
#include "passes/cpu/KernelFunction.h"

namespace tenon {

/// Pointwise work, reductions, norms, softmax.
bool emitLoops(KernelFunction &kernel);
/// A result made of parts.
bool isCopy(const KernelFunction &kernel);
bool emitCopies(KernelFunction &kernel);
/// Slices put into an operand, where nothing else reads that.
std::optional<PlacedSlices> placedSlices(const KernelFunction &kernel);
bool emitPlacedSlices(KernelFunction &kernel);
/// A matrix product with its epilogue, by #tenon.cpu_gemm.
bool emitContraction(KernelFunction &kernel);
/// Attention with the views around it, by #tenon.cpu_attention.
bool emitAttention(KernelFunction &kernel);

} // namespace tenon
