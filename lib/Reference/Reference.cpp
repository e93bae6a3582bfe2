// Walks a block, finds each op's evaluation in the table, and drops a value after its last use in the block: a whole
// model's activations in double would not fit otherwise.
#include "lib/Reference/ReferenceOps.h"

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
class Evaluator {
public:
  Evaluator(ReferenceValues &values) : values(values) {
    addReferenceContractions(table);
    addReferencePointwise(table);
    addReferenceQuantisation(table);
    addReferenceRows(table);
    addReferenceShapes(table);
  }

  LogicalResult evaluate(Block &block) {
    for (Operation &op : block.without_terminator()) {
      if (auto kernel = dyn_cast<KernelOp>(op)) {
        if (failed(evaluate(kernel)))
          return failure();
      } else if (failed(evaluate(&op))) {
        return failure();
      }
      dropDeadOperands(&op);
    }
    return success();
  }

private:
  LogicalResult evaluate(KernelOp kernel) {
    for (auto [argument, input] : llvm::zip_equal(kernel.getBody().getArguments(), kernel.getInputs()))
      values.set(argument, values[input]);
    if (failed(evaluate(kernel.getBlock())))
      return failure();
    for (auto [result, yielded] : llvm::zip_equal(kernel.getResults(), kernel.getYielded()))
      values.set(result, values[yielded]);
    return success();
  }

  LogicalResult evaluate(Operation *op) {
    const ReferenceTable::Evaluation *evaluation = table.find(op->getName().getStringRef());
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

  void dropDeadOperands(Operation *op) {
    for (Value operand : op->getOperands()) {
      bool usedLater = llvm::any_of(operand.getUsers(), [&](Operation *user) {
        Operation *inBlock = op->getBlock()->findAncestorOpInBlock(*user);
        return !inBlock || (inBlock != op && op->isBeforeInBlock(inBlock));
      });
      if (!usedLater)
        values.erase(operand);
    }
  }

  ReferenceValues &values;
  ReferenceTable table;
};
} // namespace

FailureOr<std::vector<ReferenceTensor>> evaluateReference(func::FuncOp function, ArrayRef<ReferenceTensor> inputs,
                                                          WeightLookup weights, ReferenceRounding rounding) {
  if (function.isExternal() || !function.getBody().hasOneBlock())
    return function.emitOpError("needs a body of one block to be evaluated");
  if (inputs.size() != function.getNumArguments())
    return function.emitOpError("takes ") << function.getNumArguments() << " inputs, got " << inputs.size();
  ReferenceValues values(weights, rounding);
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
    values.set(argument, input);
  }
  Block &block = function.getBody().front();
  if (failed(Evaluator(values).evaluate(block)))
    return failure();
  std::vector<ReferenceTensor> results;
  for (Value result : block.getTerminator()->getOperands())
    results.push_back(values[result]);
  return results;
}

} // namespace tenon
