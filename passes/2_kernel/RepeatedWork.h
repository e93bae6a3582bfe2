// Which ops are computed by whoever reads them, each for itself.
// A launch takes microseconds, however little it computes: the angles of a position, the end of a cache for each
// sequence. Arithmetic on a few elements that a call is given costs less than that where every kernel that reads it
// does it once more, for each element of its own result.
#pragma once

#include "dialects/Tenon/Tenon.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseSet.h"

namespace tenon {

/// Ops of `main` that need no kernel, as each reader repeats them: sums, products and the like of the call's inputs,
/// which nothing reads but pointwise ops. One that a pointwise op of its shape alone reads is none of them: those two
/// are one kernel anyway.
llvm::DenseSet<mlir::Operation *> findRepeatedWork(mlir::func::FuncOp main);

} // namespace tenon
