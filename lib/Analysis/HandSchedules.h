// Schedules that somebody wrote down: a file of lines `@kernel = #attribute`, which override what would be chosen.
#pragma once

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

namespace tenon {

/// By the name of their kernel.
struct HandSchedules {
  llvm::StringMap<mlir::Attribute> tile; ///< #tile.gemm, #tile.attention, #tile.row
  llvm::StringMap<mlir::Attribute> warp; ///< #warp.schedule
};

/// Reads the file `path`; none where that is empty. `//` begins a comment. A kernel may have a line of each kind.
/// Errors, on the module: a file that cannot be read, a line that is no such line, a second line of a kind.
mlir::FailureOr<HandSchedules> readHandSchedules(mlir::ModuleOp module, llvm::StringRef path);

/// An error on the module for a name that is none of `kernels`; `where` says what shows them.
mlir::LogicalResult checkHandNames(mlir::ModuleOp module, llvm::StringRef path,
                                   const llvm::StringMap<mlir::Attribute> &schedules, const llvm::StringSet<> &kernels,
                                   llvm::StringRef where);

} // namespace tenon
