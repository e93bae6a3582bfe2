// Rules of the matrix products, attention and convolution.
#include "dialects/Tenon/BroadcastShapes.h"
#include "dialects/Tenon/ConstantValues.h"
#include "dialects/Tenon/Tenon.h"

#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace tenon;

LogicalResult MatmulOp::infer(ShapeRule &rule, Adaptor op) {
  Shape lhs = rule.shape(op.getLhs()), rhs = rule.shape(op.getRhs());
  if (lhs.size() < 2 || rhs.size() < 2)
    return rule.fail("(C3) has operands of rank ", lhs.size(), " and ", rhs.size(), ", expected at least 2 each");
  if (failed(checkElement(rule, "(C4)", "rhs", op.getRhs(), op.getLhs())))
    return failure();
  auto matrix = [](const Shape &shape, bool transposed) {
    AffineExpr rows = shape[shape.size() - 2], columns = shape.back();
    return transposed ? std::pair(columns, rows) : std::pair(rows, columns);
  };
  auto [m, k] = matrix(lhs, op.getTransposeA());
  auto [k2, n] = matrix(rhs, op.getTransposeB());
  if (!rule.mayEqual(k, k2))
    return rule.fail("(C2) contracts ", describe(k), " of lhs with ", describe(k2), " of rhs");
  Shape batch(ArrayRef(lhs).drop_back(2));
  if (failed(broadcastInto(rule, "(C5)", batch, ArrayRef(rhs).drop_back(2), "rhs")))
    return failure();
  batch.append({m, n});
  return rule.result(batch, elementOf(op.getLhs()));
}

LogicalResult LinearOp::infer(ShapeRule &rule, Adaptor op) {
  Shape shape = rule.shape(op.getInput()), weight = rule.shape(op.getWeight());
  if (shape.empty() || weight.size() != 2)
    return rule.fail("(C3) has input of rank ", shape.size(), " and weight of rank ", weight.size(),
                     ", expected at least 1 and exactly 2");
  if (!rule.mayEqual(shape.back(), weight[1]))
    return rule.fail("(C2) contracts ", describe(shape.back()), " of input with ", describe(weight[1]), " of weight");
  if (failed(checkElement(rule, "(C4)", "weight", op.getWeight(), op.getInput())))
    return failure();
  if (op.getBias() && (failed(checkElement(rule, "(C4)", "bias", op.getBias(), op.getInput())) ||
                       failed(checkShape(rule, "(C5)", "bias", op.getBias(), {weight[0]}))))
    return failure();
  shape.back() = weight[0];
  return rule.result(shape, elementOf(op.getInput()));
}

namespace {
/// A vector is one row, so that no kernel knows another form: linear(x) -> reshape(linear(reshape(x))).
struct VectorAsRow : OpRewritePattern<LinearOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(LinearOp op, PatternRewriter &rewriter) const override {
    auto input = cast<RankedTensorType>(op.getInput().getType());
    if (input.getRank() != 1)
      return rewriter.notifyMatchFailure(op, "its input has rows");
    auto asRow = [](RankedTensorType type) {
      return RankedTensorType::get({1, type.getDimSize(0)}, type.getElementType());
    };
    Value row = ReshapeOp::create(rewriter, op.getLoc(), asRow(input), op.getInput(), ValueRange());
    Value result = LinearOp::create(rewriter, op.getLoc(), asRow(op.getType()), row, op.getWeight(), op.getBias());
    rewriter.replaceOpWithNewOp<ReshapeOp>(op, op.getType(), result, ValueRange());
    return success();
  }
};
} // namespace

void LinearOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<VectorAsRow>(context);
}

LogicalResult AttentionOp::infer(ShapeRule &rule, Adaptor op) {
  Shape query = rule.shape(op.getQuery()), key = rule.shape(op.getKey()), value = rule.shape(op.getValue());
  if (query.size() != 4 || key.size() != 4 || value.size() != 4)
    return rule.fail("(C2) has query, key and value of rank ", query.size(), ", ", key.size(), " and ", value.size(),
                     ", expected 4 each: [batch, heads, sequence, head size]");
  if (failed(checkElement(rule, "(C3)", "key", op.getKey(), op.getQuery())) ||
      failed(checkElement(rule, "(C3)", "value", op.getValue(), op.getQuery())))
    return failure();
  AffineExpr batch = query[0];
  if (op.getBlockTable()) {
    Shape table = rule.shape(op.getBlockTable());
    if (op.getPacked())
      return rule.fail("(C15) has block_table of packed values, expected values as they are");
    if (table.size() != 2 || !rule.mayEqual(table[0], batch) || !rule.mayEqual(key[0], value[0]) ||
        !rule.mayNeed(table[1], key[0]))
      return rule.fail("(C15) has block_table ", describe(table), " of pools of ", describe(key[0]), " and ",
                       describe(value[0]), " pages, expected [", describe(batch), ", P] and one number of pages");
  } else if (!rule.mayEqual(batch, key[0]) || !rule.mayEqual(batch, value[0])) {
    return rule.fail("(C4) has batches ", describe(query[0]), ", ", describe(key[0]), " and ", describe(value[0]),
                     " of query, key and value, expected equal ones");
  } else {
    batch = known(batch, key[0]);
  }
  // No keys' heads are a multiple of nothing, and of 0 there is no remainder.
  bool areShared =
      constant(key[1]) == 0 ? rule.mayEqual(query[1], key[1]) : rule.mayEqual(query[1] % key[1], rule.size(0));
  if (!rule.mayEqual(key[1], value[1]) || !areShared)
    return rule.fail("(C5) has ", describe(query[1]), " query heads over ", describe(key[1]), " key heads and ",
                     describe(value[1]), " value heads, expected a multiple of one number");
  if (!rule.mayEqual(query[3], key[3]))
    return rule.fail("(C6) has head size ", describe(query[3]), " of query and ", describe(key[3]),
                     " of key, expected equal ones");
  bool isFloat8 = elementOf(op.getQuery()).getIntOrFloatBitWidth() == 8;
  if (!isFloat8 && (op.getQueryScale() || op.getPacked()))
    return rule.fail("(C13) has scales, or is packed, of ", elementOf(op.getQuery()), ", expected f8E4M3FN");
  AffineExpr keys = op.getPacked() ? key[2].ceilDiv(16) * 16 : key[2], values = value[op.getPacked() ? 3 : 2];
  AffineExpr columns = value[op.getPacked() ? 2 : 3];
  if (!rule.mayEqual(keys, values))
    return rule.fail("(C7) has ", describe(keys), " keys and ", describe(values), " values, expected equal numbers");
  Type element = isFloat8 ? rule.declared(0).getElementType() : elementOf(op.getQuery());
  if (isFloat8 && element.isF64())
    return rule.fail("(C1) gives ", element, " of 8-bit floats, expected f16, bf16 or f32");
  if (Value mask = op.getMask()) {
    Shape scores = {query[0], query[1], query[2], op.getPacked() ? key[2] : known(key[2], value[2])};
    if (Value table = op.getBlockTable())
      scores[3] = scores[3] * rule.shape(table)[1];
    if (!broadcastsTo(rule, rule.shape(mask), scores))
      return rule.fail("(C8) mask has shape ", describe(rule.shape(mask)), ", expected one that broadcasts to ",
                       describe(scores));
    if (!elementOf(mask).isInteger(1) && elementOf(mask) != element)
      return rule.fail("(C9) mask has element type ", elementOf(mask), ", expected ",
                       IntegerType::get(mask.getContext(), 1), " or ", element);
  }
  if (op.getWindow() && int64_t(*op.getWindow()) < 1)
    return rule.fail("(C10) window is ", int64_t(*op.getWindow()), ", expected at least 1");
  if (std::optional<APFloat> cap = op.getSoftCap(); cap && (!cap->isFinite() || cap->isNegative() || cap->isZero()))
    return rule.fail("(C11) soft_cap is ", cap->convertToDouble(), ", expected a finite number above 0");
  for (auto [name, lengths] : {std::pair("key_lengths", op.getKeyLengths()), {"query_lengths", op.getQueryLengths()}})
    if (lengths && failed(checkShape(rule, "(C12)", name, lengths, {batch})))
      return failure();
  AffineExpr one = rule.size(1);
  for (auto [name, scale, full] :
       {std::tuple("query_scale", op.getQueryScale(), Shape{query[0], query[1], query[2], one}),
        {"key_scale", op.getKeyScale(), Shape{query[0], key[1], one, one}},
        {"value_scale", op.getValueScale(), Shape{query[0], key[1], one, columns}}})
    if (scale && !broadcastsTo(rule, rule.shape(scale), full))
      return rule.fail("(C14) ", name, " has shape ", describe(rule.shape(scale)), ", expected one that broadcasts to ",
                       describe(full));
  Type sum = element.isF64() ? element : Float32Type::get(element.getContext());
  Shape rows = {batch, query[1], query[2]}, result = rows;
  result.push_back(columns);
  if (failed(rule.result(result, element)))
    return failure();
  return op.getLogSumExp() ? rule.result(rows, sum) : success();
}

namespace {
/// A second result that nothing reads need not be computed.
struct DropLogSumExp : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(AttentionOp op, PatternRewriter &rewriter) const override {
    if (!op.getLse() || !op.getLse().use_empty())
      return rewriter.notifyMatchFailure(op, "no log-sum-exp, or one that is read");
    auto made = AttentionOp::create(rewriter, op.getLoc(), op.getResult().getType(), /*lse=*/Type(), op.getQuery(),
                                    op.getKey(), op.getValue(), op.getMask(), op.getKeyLengths(), op.getQueryLengths(),
                                    op.getBlockTable(), op.getQueryScale(), op.getKeyScale(), op.getValueScale(),
                                    op.getScaleAttr(), op.getCausalAttr(), op.getWindowAttr(), op.getSoftCapAttr(),
                                    /*log_sum_exp=*/UnitAttr(), op.getPackedAttr());
    rewriter.replaceAllUsesWith(op.getResult(), made.getResult());
    rewriter.eraseOp(op);
    return success();
  }
};

/// A mask that hides nothing, as exporters write one for an encoder without padding, once it is known to be that.
struct DropNeutralMask : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(AttentionOp op, PatternRewriter &rewriter) const override {
    Value mask = op.getMask();
    if (!mask || !isSplat(mask, elementOf(mask).isInteger(1) ? 1 : 0))
      return rewriter.notifyMatchFailure(op, "no mask, or one that may hide something");
    rewriter.modifyOpInPlace(op, [&] { op.getMaskMutable().clear(); });
    return success();
  }
};
} // namespace

void AttentionOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<DropLogSumExp, DropNeutralMask>(context);
}

LogicalResult PackValuesOp::infer(ShapeRule &rule, Adaptor op) {
  Shape value = rule.shape(op.getValue());
  if (value.size() != 4)
    return rule.fail("(C2) has a value of rank ", value.size(), ", expected 4: [batch, heads, keys, columns]");
  return rule.result({value[0], value[1], value[3], value[2].ceilDiv(16) * 16}, elementOf(op.getValue()));
}

LogicalResult ConvolutionOp::infer(ShapeRule &rule, Adaptor op) {
  Shape input = rule.shape(op.getInput()), weight = rule.shape(op.getWeight());
  if ((input.size() != 3 && input.size() != 4) || weight.size() != input.size())
    return rule.fail("(C2) has input of rank ", input.size(), " and weight of rank ", weight.size(),
                     ", expected 3 and 3 or 4 and 4");
  if (failed(checkElement(rule, "(C3)", "weight", op.getWeight(), op.getInput())) ||
      (op.getBias() && failed(checkElement(rule, "(C3)", "bias", op.getBias(), op.getInput()))))
    return failure();
  size_t spatial = input.size() - 2;
  if (failed(checkEntries(rule, "(C4)", "stride", op.getStride(), spatial, 1)) ||
      failed(checkEntries(rule, "(C4)", "padding", op.getPadding(), spatial, 0)) ||
      failed(checkEntries(rule, "(C4)", "dilation", op.getDilation(), spatial, 1)))
    return failure();
  int64_t groups = op.getGroups();
  if (groups < 1 || !rule.mayEqual(input[1] % groups, rule.size(0)) || !rule.mayEqual(weight[0] % groups, rule.size(0)))
    return rule.fail("(C5) has ", groups, " groups of ", describe(input[1]), " input and ", describe(weight[0]),
                     " output channels, expected a divisor of both");
  if (!rule.mayEqual(input[1].floorDiv(groups), weight[1]))
    return rule.fail("(C6) weight takes ", describe(weight[1]), " channels a group, expected ",
                     describe(input[1].floorDiv(groups)));
  if (op.getBias() && failed(checkShape(rule, "(C7)", "bias", op.getBias(), {weight[0]})))
    return failure();
  Shape shape = {input[0], weight[0]};
  for (size_t d = 0; d < spatial; ++d) {
    FailureOr<AffineExpr> size = windowCount(rule, "(C8)", input[2 + d], weight[2 + d], op.getStride()[d],
                                             op.getPadding()[d], op.getDilation()[d]);
    if (failed(size))
      return failure();
    shape.push_back(*size);
  }
  return rule.result(shape, elementOf(op.getInput()));
}

#define GET_OP_CLASSES
#include "dialects/Tenon/TenonContractions.cpp.inc"

void TenonDialect::addContractions() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Tenon/TenonContractions.cpp.inc"
      >();
}
