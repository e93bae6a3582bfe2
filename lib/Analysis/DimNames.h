// The named dimensions of a model: what `tenon.dims` on the entry's arguments and `tenon.dim_bounds` on the module say.
// A size anywhere in the model is an affine expression whose symbol i is the i-th name in alphabetical order.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/AffineExpr.h"

#include <optional>
#include <utility>

namespace tenon {

struct DimNames {
  llvm::SmallVector<llvm::StringRef> names; // sorted
  llvm::SmallVector<int64_t> lo, hi;        // both inclusive

  /// Reads and checks the attributes of `main`; errors are emitted there.
  static mlir::FailureOr<DimNames> of(mlir::func::FuncOp main);

  std::optional<unsigned> indexOf(llvm::StringRef name) const;
  /// The least and greatest value of an expression over the names within their bounds; saturates.
  std::pair<int64_t, int64_t> range(mlir::AffineExpr size) const;
};

/// The entry function `@main` of a module, or an error naming what is missing.
mlir::FailureOr<mlir::func::FuncOp> findMain(mlir::ModuleOp module);

} // namespace tenon
