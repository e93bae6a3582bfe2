// Walks a block, finds each op's evaluation in the table, and drops a value after its last use in the block: a whole
// model's activations in double would not fit otherwise.
#include "lib/Reference/ReferenceOps.h"

#include "mlir/IR/Threading.h"

using namespace mlir;

namespace tenon {

FailureOr<int64_t> resolveAxis(Operation *op, int64_t axis, int64_t rank) {
  int64_t resolved = axis < 0 ? axis + rank : axis;
  if (resolved >= 0 && resolved < rank)
    return resolved;
  return op->emitOpError("axis ") << axis << " is outside the " << rank << " dimensions of its operand";
}

/// Tells whether a shape is one of the type's; dynamic dimensions take any size.
static bool fits(ArrayRef<int64_t> shape, RankedTensorType type) {
  if (shape.size() != static_cast<size_t>(type.getRank()))
    return false;
  return llvm::all_of(llvm::zip_equal(shape, type.getShape()), [](auto pair) {
    return std::get<1>(pair) == ShapedType::kDynamic || std::get<0>(pair) == std::get<1>(pair);
  });
}

namespace {
class Walker {
public:
  Walker(ArrayRef<ReferenceValues *> sets, llvm::function_ref<LogicalResult(Operation *)> afterOp)
      : sets(sets), afterOp(afterOp) {}

  LogicalResult evaluate(Block &block) {
    for (Operation &op : block.without_terminator()) {
      if (auto kernel = dyn_cast<KernelOp>(op)) {
        if (failed(evaluate(kernel)))
          return failure();
      } else if (failed(evaluateInSets(&op)) || (afterOp && failed(afterOp(&op)))) {
        return failure();
      }
      dropDeadOperands(&op);
    }
    return success();
  }

  static LogicalResult evaluate(Operation *op, ReferenceValues &values) {
    const ReferenceTable::Evaluation *evaluation = referenceTable().find(op->getName().getStringRef());
    if (!evaluation)
      return op->emitOpError(
          "has no reference evaluation; the reference runs modules of `tenon` ops, before the kernel phase");
    if (failed((*evaluation)(op, values)))
      return failure();
    for (OpResult result : op->getResults()) {
      const ReferenceTensor &computed = values[result];
      if (!fits(computed.shape, cast<RankedTensorType>(result.getType()))) {
        InFlightDiagnostic error = op->emitOpError("result ") << result.getResultNumber() << " is " << result.getType()
                                                              << ", but its operands give the shape [";
        llvm::interleaveComma(computed.shape, error);
        return error << "]";
      }
      ReferenceTensor finished = computed;
      if (values.rounding == ReferenceRounding::perOp)
        finished.roundToStorage();
      else
        finished.wrapIntegers();
      values.set(result, std::move(finished));
    }
    return success();
  }

private:
  LogicalResult evaluate(KernelOp kernel) {
    auto share = [&](ValueRange to, ValueRange from) {
      for (ReferenceValues *values : sets)
        for (auto [value, source] : llvm::zip_equal(to, from))
          values->share(value, *values, source);
    };
    share(kernel.getBody().getArguments(), kernel.getInputs());
    if (failed(evaluate(kernel.getBlock())))
      return failure();
    share(kernel.getResults(), kernel.getYielded());
    return success();
  }

  /// An op without operands (a weight, a constant) gives the same in all; the others may take long, so that the sets
  /// are shared out over the context's threads.
  LogicalResult evaluateInSets(Operation *op) {
    if (op->getNumOperands() != 0)
      return failableParallelForEach(op->getContext(), sets,
                                     [&](ReferenceValues *values) { return evaluate(op, *values); });
    if (failed(evaluate(op, *sets.front())))
      return failure();
    for (Value result : op->getResults())
      for (ReferenceValues *values : sets.drop_front())
        values->share(result, *sets.front(), result);
    return success();
  }

  void dropDeadOperands(Operation *op) {
    for (Value operand : op->getOperands()) {
      bool usedLater = llvm::any_of(operand.getUsers(), [&](Operation *user) {
        Operation *inBlock = op->getBlock()->findAncestorOpInBlock(*user);
        return !inBlock || (inBlock != op && op->isBeforeInBlock(inBlock));
      });
      if (!usedLater)
        for (ReferenceValues *values : sets)
          values->erase(operand);
    }
  }

  ArrayRef<ReferenceValues *> sets;
  llvm::function_ref<LogicalResult(Operation *)> afterOp;
};
} // namespace

const ReferenceTable &referenceTable() {
  static const ReferenceTable table = [] {
    ReferenceTable made;
    addReferenceContractions(made);
    addReferencePointwise(made);
    addReferenceQuantisation(made);
    addReferenceRows(made);
    addReferenceShapes(made);
    return made;
  }();
  return table;
}

LogicalResult walkReference(func::FuncOp function, ArrayRef<ReferenceTensor> inputs, ArrayRef<ReferenceValues *> sets,
                            llvm::function_ref<LogicalResult(Operation *)> afterOp) {
  if (function.isExternal() || !function.getBody().hasOneBlock())
    return function.emitOpError("needs a body of one block to be evaluated");
  if (inputs.size() != function.getNumArguments())
    return function.emitOpError("takes ") << function.getNumArguments() << " inputs, got " << inputs.size();
  for (auto [number, argument] : llvm::enumerate(function.getArguments())) {
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    const ReferenceTensor &input = inputs[number];
    if (!type || type.getElementType() != input.elementType || !fits(input.shape, type)) {
      InFlightDiagnostic error = function.emitOpError("argument ")
                                 << number << " is " << argument.getType() << ", the input is of type "
                                 << input.elementType << " and shape [";
      llvm::interleaveComma(input.shape, error);
      return error << "]";
    }
    sets.front()->set(argument, input);
    for (ReferenceValues *values : sets.drop_front())
      values->share(argument, *sets.front(), argument);
  }
  return Walker(sets, afterOp).evaluate(function.getBody().front());
}

FailureOr<std::vector<ReferenceTensor>> evaluateReference(func::FuncOp function, ArrayRef<ReferenceTensor> inputs,
                                                          WeightLookup weights, ReferenceRounding rounding) {
  ReferenceValues values(weights, rounding);
  if (failed(walkReference(function, inputs, &values)))
    return failure();
  std::vector<ReferenceTensor> results;
  for (Value result : function.getBody().front().getTerminator()->getOperands())
    results.push_back(values[result]);
  return results;
}

FailureOr<std::vector<ReferenceTensor>> evaluateReference(Operation *op, ArrayRef<ReferenceTensor> operands,
                                                          ReferenceRounding rounding) {
  auto noWeights = [](llvm::StringRef, RankedTensorType) -> FailureOr<ReferenceTensor> { return failure(); };
  ReferenceValues values(noWeights, rounding);
  for (auto [operand, tensor] : llvm::zip_equal(op->getOperands(), operands))
    values.set(operand, tensor);
  if (failed(Walker::evaluate(op, values)))
    return failure();
  std::vector<ReferenceTensor> results;
  for (Value result : op->getResults())
    results.push_back(values[result]);
  return results;
}

} // namespace tenon
