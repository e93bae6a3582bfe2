// Rules of quantised storage. The granularity of the scales follows from their shape against the tensor's.
#include "dialects/Tenon/BroadcastShapes.h"
#include "dialects/Tenon/Tenon.h"

#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace tenon;

/// Per tensor (all sizes 1 or rank 0), per row [.., R, 1], or per block [.., R / block[0], C / block[1]].
/// `allowsRows`: per row where there are blocks, too.
static LogicalResult checkScale(ShapeRule &rule, StringRef number, StringRef what, Value scale, Value tensor,
                                std::optional<ArrayRef<int64_t>> block, bool allowsRows = false) {
  Shape got = rule.shape(scale), full = rule.shape(tensor);
  if (llvm::all_of(got, [](AffineExpr size) { return constant(size) == 1; }))
    return success();
  Shape row = full, blocks = full;
  if (!full.empty()) {
    row.back() = rule.size(1);
    if ((!block || allowsRows) && rule.mayEqual(got, row))
      return success();
  }
  if (block && full.size() >= 2) {
    blocks[full.size() - 2] = blocks[full.size() - 2].floorDiv((*block)[0]);
    blocks.back() = blocks.back().floorDiv((*block)[1]);
    if (rule.mayEqual(got, blocks))
      return success();
  }
  return rule.fail(number, " ", what, " has shape ", describe(got), ", expected [] or ",
                   describe(block ? blocks : row));
}

/// `block` holds two sizes that divide the innermost dimensions.
static LogicalResult checkBlock(ShapeRule &rule, StringRef number, Value tensor,
                                std::optional<ArrayRef<int64_t>> block) {
  if (!block)
    return success();
  if (failed(checkEntries(rule, number, "block", *block, 2, 1)))
    return failure();
  Shape shape = rule.shape(tensor);
  if (shape.size() < 2)
    return rule.fail(number, " has blocks of a tensor of rank ", shape.size(), ", expected at least 2");
  for (auto [size, part] : llvm::zip_equal(ArrayRef(shape).take_back(2), *block))
    if (!rule.mayEqual(size % part, rule.size(0)))
      return rule.fail(number, " block ", part, " does not divide ", describe(size));
  return success();
}

LogicalResult QuantiseOp::infer(ShapeRule &rule, Adaptor op) {
  if (failed(checkBlock(rule, "(C3)", op.getInput(), op.getBlock())) ||
      failed(checkScale(rule, "(C2)", "scale", op.getScale(), op.getInput(), op.getBlock())))
    return failure();
  return rule.result(rule.shape(op.getInput()), rule.declared(0).getElementType());
}

LogicalResult DequantiseOp::infer(ShapeRule &rule, Adaptor op) {
  if (failed(checkBlock(rule, "(C3)", op.getInput(), op.getBlock())) ||
      failed(checkScale(rule, "(C2)", "scale", op.getScale(), op.getInput(), op.getBlock())))
    return failure();
  return rule.result(rule.shape(op.getInput()), rule.declared(0).getElementType());
}

LogicalResult QuantisedMatmulOp::infer(ShapeRule &rule, Adaptor op) {
  Shape shape = rule.shape(op.getInput()), weight = rule.shape(op.getWeight());
  if (shape.empty() || weight.size() != 2)
    return rule.fail("(C3) has input of rank ", shape.size(), " and weight of rank ", weight.size(),
                     ", expected at least 1 and exactly 2");
  if (!rule.mayEqual(shape.back(), weight[1]))
    return rule.fail("(C2) contracts ", describe(shape.back()), " of input with ", describe(weight[1]), " of weight");
  Type input = elementOf(op.getInput()), stored = elementOf(op.getWeight());
  bool wide = isa<FloatType>(input) && input.getIntOrFloatBitWidth() >= 16;
  if (wide == bool(op.getInputScale()))
    return rule.fail("(C4) input of ", input, wide ? " has a scale, expected none" : " has no scale, expected one");
  bool sameKind = isa<FloatType>(input) == isa<FloatType>(stored);
  if (!wide && (!sameKind || input.isInteger(1) || input.isInteger(32) || input.isInteger(64)))
    return rule.fail("(C5) multiplies ", input, " by ", stored, ", expected i8 or i4 by i8 or i4, or f8 by f8");
  std::optional<std::array<int64_t, 2>> inputBlock;
  if (op.getBlock() && shape.size() >= 2)
    inputBlock = {1, op.getBlock()->back()};
  if (failed(checkBlock(rule, "(C7)", op.getWeight(), op.getBlock())) ||
      failed(checkScale(rule, "(C6)", "weight scale", op.getWeightScale(), op.getWeight(), op.getBlock())) ||
      (op.getInputScale() &&
       failed(checkScale(rule, "(C6)", "input scale", op.getInputScale(), op.getInput(), inputBlock,
                         /*allowsRows=*/true))))
    return failure();
  shape.back() = weight[0];
  return rule.result(shape, rule.declared(0).getElementType());
}

#define GET_OP_CLASSES
#include "dialects/Tenon/TenonQuantisation.cpp.inc"

void TenonDialect::addQuantisation() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Tenon/TenonQuantisation.cpp.inc"
      >();
}
