// Statistics of rows as exporters write them, and what belongs to a form that was recognised.
#pragma once

#include "dialects/Tenon/Tenon.h"

#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/SetVector.h"

#include <optional>

namespace tenon {

/// The ops of a decomposed form. It can be raised only where nothing outside reads what is inside: else that has to be
/// computed as well, and the form saves nothing.
class FormOps {
public:
  void add(mlir::Operation *op) { ops.insert(op); }
  /// Whether the results of all, but of `root`, are read by others of the form alone.
  bool areReadInsideOnly(mlir::Operation *root) const;
  /// Once `root` is replaced: what nobody reads any more goes, as it would count as a reader for the next form.
  void eraseDead(mlir::RewriterBase &rewriter, mlir::Operation *root);

private:
  llvm::SetVector<mlir::Operation *> ops;
};

/// A reduction whose dimensions are kept with size 1, by the op or by a reshape after it.
struct RowStatistic {
  mlir::Value input;
  llvm::SmallVector<int64_t> axes; // ascending
};
std::optional<RowStatistic> maximumOf(mlir::Value value, FormOps &form);
std::optional<RowStatistic> sumOf(mlir::Value value, FormOps &form);
/// reduce_mean, or a sum divided by the number of elements.
std::optional<RowStatistic> meanOf(mlir::Value value, FormOps &form);

/// How many innermost dimensions these axes are; none where they are not the innermost ones.
std::optional<int64_t> innermost(llvm::ArrayRef<int64_t> axes, int64_t rank);

} // namespace tenon
