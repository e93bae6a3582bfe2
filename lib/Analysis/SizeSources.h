// What a size of a tensor inside a kernel is, one step back towards the kernel's operands.
#pragma once

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/OpDefinition.h"

#include <optional>

namespace tenon {

/// Either `known` (an attribute, or a scalar of the kernel's region), or the product of other tensors' sizes.
struct SizeSource {
  mlir::OpFoldResult known;
  llvm::SmallVector<std::pair<mlir::Value, int64_t>> sizes;
};

/// Of a tensor that an op makes; none where the op's sizes are not known.
std::optional<SizeSource> sizeSource(mlir::Value tensor, int64_t dimension);

/// That size as IR: `scalarOf` gives what a scalar of the kernel's region is there, `sizeOf` the size of a tensor.
mlir::OpFoldResult emitSize(mlir::ImplicitLocOpBuilder &b, const SizeSource &source,
                            llvm::function_ref<mlir::Value(mlir::Value)> scalarOf,
                            llvm::function_ref<mlir::Value(mlir::Value, int64_t)> sizeOf);

} // namespace tenon
