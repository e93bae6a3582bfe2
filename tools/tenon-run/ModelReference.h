// The model's IR, read for what only it can tell: what the results should be, and which integers its inputs may hold.
#pragma once

#include "lib/Reference/ErrorBounds.h"
#include "lib/Runtime/Weights.h"
#include "tools/tenon-run/Inputs.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <memory>

namespace tenon::tool {

class ModelReference {
public:
  /// `filename`: what the text goes by in messages. `entry`: which of a text with several.
  static Result<std::unique_ptr<ModelReference>> parse(const std::string &text, const std::string &filename,
                                                       const std::string &entry);

  /// Inputs that index rows of a table are 0 to the last row; scales of an attention are at least 0.
  InputLimits inputLimits() const;

  /// The exact results and how far from them a right implementation may be. `weights` may be null. Another seed moves
  /// other elements up and down where it measures how errors travel. `hasShortSums`: the products of 8-bit floats are
  /// a GPU's.
  Result<std::vector<BoundedTensor>> evaluate(const std::vector<Input> &inputs, const WeightSource *weights,
                                              uint64_t seed, bool hasShortSums);

private:
  ModelReference() = default;
  mlir::func::FuncOp main() const;

  std::string messages;
  std::unique_ptr<mlir::MLIRContext> context;
  std::unique_ptr<mlir::ScopedDiagnosticHandler> handler;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  mutable mlir::ModuleOp entry; ///< it, or the one in it that is asked for
};

} // namespace tenon::tool
