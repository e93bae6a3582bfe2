// A kernel may give one of its operands with parts of it replaced: a cache with the keys of one more token. Where
// nothing else in it reads that operand, only the parts have to be written, if the rest stands in the result's memory
// already.
#pragma once

#include "dialects/Tenon/Tenon.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace tenon {

/// On the function of a kernel, an operand's number for each result, -1 for most: the kernel writes parts of that
/// result, and whoever calls it sees to it that the rest has the operand's elements, best by giving both the same
/// memory.
constexpr llvm::StringLiteral updatesAttrName = "tenon.updates";

/// What a result is put together of, the first insertion last; `rest` is what they are put into.
struct Insertions {
  llvm::SmallVector<mlir::tensor::InsertSliceOp> inserts;
  mlir::Value rest;
};
Insertions insertionsOf(mlir::Value tensor);
/// Whether these are parts put into `rest` side by side, and nothing else reads it.
bool isUpdate(Insertions parts);

/// Slices of a tensor that loops over some of its dimensions put where data say, each in one place of those dimensions
/// or nowhere, and at the same of the others: keys that go into pages.
struct PlacedSlices {
  llvm::SmallVector<mlir::scf::ForOp> loops; ///< the outermost first; one of a single turn may be gone
  mlir::tensor::InsertSliceOp insert;
  mlir::Value from;    ///< what the slices are of
  mlir::Value into;    ///< what the first slice is put into
  mlir::Value isThere; ///< 1 or 0: the turns of one more loop, the innermost

  /// Whether it is of those dimensions.
  bool isPlaced(int64_t dimension);
  /// The loop along a dimension; null where there is none.
  mlir::scf::ForOp loopAlong(int64_t dimension);
};
std::optional<PlacedSlices> placedSlicesOf(mlir::Value tensor);

/// The number of the operand that the kernel's result `number` is an update of; nothing where it is none.
std::optional<unsigned> updatedOperand(KernelOp kernel, unsigned number);

} // namespace tenon
