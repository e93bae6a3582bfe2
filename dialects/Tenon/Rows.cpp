// Rules of softmax, norms, reductions, scans and pooling.
#include "dialects/Tenon/BroadcastShapes.h"
#include "dialects/Tenon/Tenon.h"

#include "mlir/IR/OpImplementation.h"
#include "llvm/ADT/SmallSet.h"

using namespace mlir;
using namespace tenon;

static LogicalResult inferAlongAxis(ShapeRule &rule, Value input, int64_t axis) {
  Shape shape = rule.shape(input);
  if (failed(checkAxis(rule, "(C2)", axis, shape.size())))
    return failure();
  return rule.result(shape, elementOf(input));
}
LogicalResult CumsumOp::infer(ShapeRule &rule, Adaptor op) { return inferAlongAxis(rule, op.getInput(), op.getAxis()); }

static LogicalResult checkEpsilon(ShapeRule &rule, StringRef number, const APFloat &epsilon) {
  double value = epsilon.convertToDouble();
  if (epsilon.isFinite() && value >= 0)
    return success();
  return rule.fail(number, " epsilon is ", value, ", expected a finite number of at least 0");
}

/// `parameter`, which may be absent, has the given shape and the input's element type.
static LogicalResult checkParameter(ShapeRule &rule, StringRef shapeNumber, StringRef elementNumber, StringRef what,
                                    Value parameter, Value input, ArrayRef<AffineExpr> shape) {
  if (!parameter)
    return success();
  return failure(failed(checkShape(rule, shapeNumber, what, parameter, shape)) ||
                 failed(checkElement(rule, elementNumber, what, parameter, input)));
}

LogicalResult LayerNormOp::infer(ShapeRule &rule, Adaptor op) {
  Shape shape = rule.shape(op.getInput());
  int64_t spans = op.getNumDims();
  if (spans < 1 || spans > int64_t(shape.size()))
    return rule.fail("(C2) normalises ", spans, " dimensions of rank ", shape.size(), ", expected 1 to rank");
  ArrayRef<AffineExpr> inner = ArrayRef(shape).take_back(spans);
  if (failed(checkParameter(rule, "(C3)", "(C4)", "weight", op.getWeight(), op.getInput(), inner)) ||
      failed(checkParameter(rule, "(C3)", "(C4)", "bias", op.getBias(), op.getInput(), inner)) ||
      failed(checkEpsilon(rule, "(C5)", op.getEpsilon())))
    return failure();
  return rule.result(shape, elementOf(op.getInput()));
}

LogicalResult RmsNormOp::infer(ShapeRule &rule, Adaptor op) {
  Shape shape = rule.shape(op.getInput());
  if (shape.empty())
    return rule.fail("(C2) input has rank 0, expected at least 1");
  if (failed(checkParameter(rule, "(C3)", "(C4)", "weight", op.getWeight(), op.getInput(), {shape.back()})) ||
      failed(checkEpsilon(rule, "(C5)", op.getEpsilon())))
    return failure();
  return rule.result(shape, elementOf(op.getInput()));
}

LogicalResult GroupNormOp::infer(ShapeRule &rule, Adaptor op) {
  Shape shape = rule.shape(op.getInput());
  if (shape.size() < 2)
    return rule.fail("(C2) input has rank ", shape.size(), ", expected at least 2: [N, C, spatial...]");
  int64_t groups = op.getGroups();
  if (groups < 1 || !rule.mayEqual(shape[1] % groups, rule.size(0)))
    return rule.fail("(C6) has ", groups, " groups of ", describe(shape[1]), " channels, expected a divisor");
  if (failed(checkParameter(rule, "(C3)", "(C4)", "weight", op.getWeight(), op.getInput(), {shape[1]})) ||
      failed(checkParameter(rule, "(C3)", "(C4)", "bias", op.getBias(), op.getInput(), {shape[1]})) ||
      failed(checkEpsilon(rule, "(C5)", op.getEpsilon())))
    return failure();
  return rule.result(shape, elementOf(op.getInput()));
}

/// The sizes left when `axes` are removed, or kept as 1.
static Shape withoutAxes(ShapeRule &rule, Value input, ArrayRef<int64_t> axes, bool keepDims) {
  Shape left;
  for (auto [dimension, size] : llvm::enumerate(rule.shape(input)))
    if (!llvm::is_contained(axes, int64_t(dimension)))
      left.push_back(size);
    else if (keepDims)
      left.push_back(rule.size(1));
  return left;
}

static LogicalResult inferReduction(ShapeRule &rule, Value input, ArrayRef<int64_t> axes, bool keepDims) {
  llvm::SmallSet<int64_t, 4> seen;
  for (int64_t axis : axes) {
    if (failed(checkAxis(rule, "(C2)", axis, cast<RankedTensorType>(input.getType()).getRank())))
      return failure();
    if (!seen.insert(axis).second)
      return rule.fail("(C3) names axis ", axis, " twice");
  }
  return rule.result(withoutAxes(rule, input, axes, keepDims), elementOf(input));
}

LogicalResult ReduceMeanOp::infer(ShapeRule &rule, Adaptor op) {
  if (!isa<FloatType>(elementOf(op.getInput())))
    return rule.fail("(C4) takes the mean of ", elementOf(op.getInput()), ", expected a float; cast first");
  return inferReduction(rule, op.getInput(), op.getAxes(), op.getKeepDims());
}

static LogicalResult inferArgReduction(ShapeRule &rule, Value input, int64_t axis, bool keepDims) {
  if (failed(checkAxis(rule, "(C2)", axis, cast<RankedTensorType>(input.getType()).getRank())))
    return failure();
  if (constant(rule.dim(input, axis)) == 0)
    return rule.fail("(C3) axis ", axis, " has size 0, expected at least 1");
  return rule.result(withoutAxes(rule, input, axis, keepDims), rule.declared(0).getElementType());
}

static LogicalResult inferPool(ShapeRule &rule, Value input, ArrayRef<int64_t> window, ArrayRef<int64_t> stride,
                               ArrayRef<int64_t> padding) {
  Shape shape = rule.shape(input);
  if (shape.size() != 3 && shape.size() != 4)
    return rule.fail("(C2) input has rank ", shape.size(), ", expected 3 or 4: [N, C, spatial...]");
  size_t spatial = shape.size() - 2;
  if (failed(checkEntries(rule, "(C3)", "window", window, spatial, 1)) ||
      failed(checkEntries(rule, "(C3)", "stride", stride, spatial, 1)) ||
      failed(checkEntries(rule, "(C3)", "padding", padding, spatial, 0)))
    return failure();
  for (size_t d = 0; d < spatial; ++d) {
    if (padding[d] >= window[d])
      return rule.fail("(C4) padding ", padding[d], " is not below window ", window[d]);
    FailureOr<AffineExpr> size =
        windowCount(rule, "(C5)", shape[2 + d], rule.size(window[d]), stride[d], padding[d], 1);
    if (failed(size))
      return failure();
    shape[2 + d] = *size;
  }
  return rule.result(shape, elementOf(input));
}

#define GET_OP_CLASSES
#include "dialects/Tenon/TenonRows.cpp.inc"

void TenonDialect::addRows() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Tenon/TenonRows.cpp.inc"
      >();
}
