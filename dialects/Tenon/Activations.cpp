// Rules of the elementwise ops of one operand and of the gated activations: the result has the operand's type.
#include "dialects/Tenon/BroadcastShapes.h"
#include "dialects/Tenon/Tenon.h"

#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace tenon;

LogicalResult GeluOp::infer(ShapeRule &rule, Adaptor op) { return inferSameType(rule, op.getInput()); }
LogicalResult LeakyReluOp::infer(ShapeRule &rule, Adaptor op) { return inferSameType(rule, op.getInput()); }
LogicalResult EluOp::infer(ShapeRule &rule, Adaptor op) { return inferSameType(rule, op.getInput()); }

LogicalResult ClampOp::infer(ShapeRule &rule, Adaptor op) {
  if (!(op.getLow().convertToDouble() <= op.getHigh().convertToDouble()))
    return rule.fail("(C2) low is ", op.getLow().convertToDouble(), " and high ", op.getHigh().convertToDouble(),
                     ", expected low <= high");
  return inferSameType(rule, op.getInput());
}

/// gate and up of one shape and element type.
static LogicalResult inferGated(ShapeRule &rule, Value gate, Value up) {
  Shape shape = rule.shape(gate);
  if (failed(checkShape(rule, "(C2)", "up", up, shape)) || failed(checkElement(rule, "(C3)", "up", up, gate)))
    return failure();
  for (auto [size, other] : llvm::zip_equal(shape, rule.shape(up)))
    size = known(size, other);
  return rule.result(shape, elementOf(gate));
}
LogicalResult SwigluOp::infer(ShapeRule &rule, Adaptor op) { return inferGated(rule, op.getGate(), op.getUp()); }
LogicalResult GegluOp::infer(ShapeRule &rule, Adaptor op) { return inferGated(rule, op.getGate(), op.getUp()); }

#define GET_OP_CLASSES
#include "dialects/Tenon/TenonActivations.cpp.inc"

void TenonDialect::addActivations() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Tenon/TenonActivations.cpp.inc"
      >();
}
