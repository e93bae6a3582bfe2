// A second opinion on every number: evaluates an L1 function op by op, floats in double and integers in int64, on dense
// tensors. It is slow and shares nothing with the optimised path, neither fusion nor lowering nor arithmetic, so an
// error has to be made twice, in two ways, to go unseen.
#pragma once

#include "lib/Reference/ReferenceTensor.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringRef.h"

namespace tenon {

/// What happens to a float between two ops.
enum class ReferenceRounding {
  exact, // stays a double: the ideal result. Only ops whose meaning is a rounding (quantise, cast to 8 bits) round.
  perOp  // is rounded to the op's result element type: what separate kernels with perfect arithmetic would store
};

/// Gives the tensor behind a weight's key; the type is that of the tenon.weight op. Reports its own errors.
using WeightLookup = llvm::function_ref<llvm::FailureOr<ReferenceTensor>(llvm::StringRef, mlir::RankedTensorType)>;

/// Evaluates a function of `tenon` ops (tenon.kernel regions too, as long as they hold `tenon` ops) and gives its
/// results. Sizes of dynamic dimensions come from the inputs. Errors are emitted on the op that failed, or on the
/// function when an input does not fit its argument.
llvm::FailureOr<std::vector<ReferenceTensor>> evaluateReference(mlir::func::FuncOp function,
                                                                llvm::ArrayRef<ReferenceTensor> inputs,
                                                                WeightLookup weights,
                                                                ReferenceRounding rounding = ReferenceRounding::exact);

/// Evaluates one op, which reads no weight, on the tensors behind its operands.
llvm::FailureOr<std::vector<ReferenceTensor>>
evaluateReference(mlir::Operation *op, llvm::ArrayRef<ReferenceTensor> operands, ReferenceRounding rounding);

} // namespace tenon
