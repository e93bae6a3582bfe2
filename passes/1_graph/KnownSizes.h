// Whether two dimensions are equal: by the types where these are static, else by the names of the dimensions, where the
// function has them.
#pragma once

#include "lib/Analysis/SymbolicSizes.h"
#include "passes/1_graph/SizeValues.h"

#include "mlir/IR/PatternMatch.h"

#include <optional>

namespace tenon {

/// As a listener of the rewriter that changes the function it learns the sizes of what is made.
class KnownSizes : public mlir::RewriterBase::Listener {
public:
  explicit KnownSizes(mlir::func::FuncOp function);

  /// Whether a dimension of one value is surely as large as one of another.
  bool areEqual(mlir::Value a, int64_t dimA, mlir::Value b, int64_t dimB) const;
  /// The same of all dimensions.
  bool haveEqualShapes(mlir::Value a, mlir::Value b) const;
  /// Whether the shape of `with` is that of `without` and a last dimension of 1.
  bool addsLastOne(mlir::Value with, mlir::Value without) const;

  /// A size as a value made of the arguments' sizes; null where it is not known how.
  mlir::Value sizeOf(mlir::Value tensor, int64_t dimension);

  void notifyOperationInserted(mlir::Operation *op, mlir::OpBuilder::InsertPoint) override;

private:
  std::string reason;
  std::optional<SymbolicSizes> sizes;
  std::optional<SizeValues> values; // reads `sizes`
};

} // namespace tenon
