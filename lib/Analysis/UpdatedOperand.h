// A kernel may give one of its operands with parts of it replaced: a cache with the keys of one more token. Where
// nothing else in it reads that operand, only the parts have to be written, if the rest stands in the result's memory
// already.
#pragma once

#include "dialects/Tenon/Tenon.h"

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

/// The number of the operand that the kernel's result `number` is an update of; nothing where it is none.
std::optional<unsigned> updatedOperand(KernelOp kernel, unsigned number);

} // namespace tenon
