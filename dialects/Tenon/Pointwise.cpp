// Rules of the elementwise ops of several operands, which broadcast, of cast and of rope.
#include "dialects/Tenon/BroadcastShapes.h"
#include "dialects/Tenon/Tenon.h"

#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace tenon;

static LogicalResult inferBinary(ShapeRule &rule, Value lhs, Value rhs) {
  Shape shape = rule.shape(lhs);
  if (failed(checkElement(rule, "(C2)", "rhs", rhs, lhs)) ||
      failed(broadcastInto(rule, "(C3)", shape, rule.shape(rhs), "rhs")))
    return failure();
  return rule.result(shape, elementOf(lhs));
}

static LogicalResult inferLogical(ShapeRule &rule, Value lhs, Value rhs) {
  Shape shape = rule.shape(lhs);
  if (failed(broadcastInto(rule, "(C2)", shape, rule.shape(rhs), "rhs")))
    return failure();
  return rule.result(shape, elementOf(lhs));
}

LogicalResult CompareOp::infer(ShapeRule &rule, Adaptor op) {
  Shape shape = rule.shape(op.getLhs());
  if (failed(checkElement(rule, "(C2)", "rhs", op.getRhs(), op.getLhs())) ||
      failed(broadcastInto(rule, "(C3)", shape, rule.shape(op.getRhs()), "rhs")))
    return failure();
  Type element = elementOf(op.getLhs());
  bool equality = op.getPredicate() == ComparePredicate::EQ || op.getPredicate() == ComparePredicate::NE;
  if (element.isInteger(1) && !equality)
    return rule.fail("(C4) orders booleans by ", stringifyComparePredicate(op.getPredicate()), ", expected eq or ne");
  return rule.result(shape, IntegerType::get(element.getContext(), 1));
}

LogicalResult SelectOp::infer(ShapeRule &rule, Adaptor op) {
  Shape shape = rule.shape(op.getOnTrue());
  if (failed(checkElement(rule, "(C2)", "on_false", op.getOnFalse(), op.getOnTrue())) ||
      failed(broadcastInto(rule, "(C3)", shape, rule.shape(op.getOnFalse()), "on_false")) ||
      failed(broadcastInto(rule, "(C3)", shape, rule.shape(op.getCondition()), "condition")))
    return failure();
  return rule.result(shape, elementOf(op.getOnTrue()));
}

LogicalResult CastOp::infer(ShapeRule &rule, Adaptor op) {
  return rule.result(rule.shape(op.getInput()), rule.declared(0).getElementType());
}

LogicalResult RopeOp::infer(ShapeRule &rule, Adaptor op) {
  Shape shape = rule.shape(op.getInput());
  if (shape.size() < 2)
    return rule.fail("(C2) input has rank ", shape.size(), ", expected at least 2: [.., S, D]");
  std::optional<int64_t> size = constant(shape.back());
  if (!size || *size % 2)
    return rule.fail("(C2) head size D is ", describe(shape.back()), ", expected a static even number");
  if (failed(checkElement(rule, "(C3)", "cos", op.getCos(), op.getInput())) ||
      failed(checkElement(rule, "(C3)", "sin", op.getSin(), op.getInput())))
    return failure();
  Shape half = shape;
  half.back() = rule.size(*size / 2);
  for (auto [what, table] : {std::pair("cos", op.getCos()), std::pair("sin", op.getSin())}) {
    Shape sizes = rule.shape(table);
    bool whole = !sizes.empty() && (constant(sizes.back()) == *size || constant(sizes.back()) == *size / 2);
    if (!whole || (!broadcastsTo(rule, sizes, shape) && !broadcastsTo(rule, sizes, half)))
      return rule.fail("(C4) ", what, " has shape ", describe(sizes), ", expected one that broadcasts to ",
                       describe(half), " or ", describe(shape));
  }
  if (constant(rule.shape(op.getCos()).back()) != constant(rule.shape(op.getSin()).back()))
    return rule.fail("(C5) cos ends in ", describe(rule.shape(op.getCos()).back()), " and sin in ",
                     describe(rule.shape(op.getSin()).back()), ", expected the same size");
  return rule.result(shape, elementOf(op.getInput()));
}

#define GET_OP_CLASSES
#include "dialects/Tenon/TenonPointwise.cpp.inc"

void TenonDialect::addPointwise() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Tenon/TenonPointwise.cpp.inc"
      >();
}
