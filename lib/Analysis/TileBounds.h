// What is known of places in views before any code runs: ranges and divisors of index values of a program on tiles.
#pragma once

#include "dialects/Tile/Tile.h"

#include "mlir/IR/AffineExpr.h"

#include <optional>

namespace tenon {

/// The least and the greatest value that an index can have; nothing where they are not known.
struct IndexRange {
  int64_t least, greatest;
};
std::optional<IndexRange> rangeOf(mlir::Value index);

/// A number that divides the index, whatever its value; 0 divides only 0.
int64_t divisorOf(mlir::Value index);

/// Whether the index may differ between programs that differ in that number of the grid alone.
bool mayDependOn(mlir::Value index, mlir::BlockArgument axis);

/// Whether `extent` elements from `start` on lie within the view's dimension, for every start that occurs.
bool isWithin(tenon::tile::ViewType view, int64_t dimension, mlir::Value start, int64_t extent);

/// An index of the kernel's own level as an expression over its sizes: symbols are the `?` of its arguments' types, in
/// order. Null where it is no such expression.
mlir::AffineExpr sizeExprOf(tenon::tile::KernelOp kernel, mlir::Value index);

/// A view as memory of one of the kernel's arguments, in expressions over its sizes.
struct ViewMemory {
  unsigned argument;
  mlir::AffineExpr offset;                            ///< elements
  llvm::SmallVector<mlir::AffineExpr> sizes, strides; ///< elements
};
std::optional<ViewMemory> memoryOf(tenon::tile::KernelOp kernel, mlir::Value view);

/// Whether a tensor map can say it: at most 5 dimensions, the innermost of stride 1, all else multiples of 16 bytes.
bool fitsTensorMap(const ViewMemory &memory, int64_t elementBytes);

} // namespace tenon
