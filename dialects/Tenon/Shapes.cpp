// Rules of data movement, constants and weights.
#include "dialects/Tenon/BroadcastShapes.h"
#include "dialects/Tenon/Tenon.h"

#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace tenon;

LogicalResult ConstantOp::infer(ShapeRule &rule, Adaptor op) {
  auto type = dyn_cast<RankedTensorType>(op.getValue().getType());
  if (!type)
    return rule.fail("(C1) value is ", op.getValue().getType(), ", expected a ranked tensor");
  Shape shape;
  for (int64_t size : type.getShape())
    shape.push_back(getAffineConstantExpr(size, type.getContext()));
  return rule.result(shape, type.getElementType());
}

LogicalResult WeightOp::verify() {
  if (!getType().hasStaticShape())
    return emitOpError("(C1) result is ") << getType() << ", expected a static shape";
  if (getKey().empty())
    return emitOpError("(C2) key is empty, expected the tensor's name in the weights file");
  return success();
}

LogicalResult IotaOp::infer(ShapeRule &rule, Adaptor op) {
  if (failed(checkAxis(rule, "(C1)", op.getAxis(), rule.declared(0).getRank())))
    return failure();
  return resultOfSizes(rule, "(C2)", op.getSizes(), [](unsigned) { return AffineExpr(); });
}

LogicalResult DimOp::infer(ShapeRule &rule, Adaptor op) {
  auto type = cast<RankedTensorType>(op.getInput().getType());
  if (failed(checkAxis(rule, "(C2)", op.getAxis(), type.getRank())))
    return failure();
  return rule.result({}, IntegerType::get(type.getContext(), 64));
}

LogicalResult ReshapeOp::infer(ShapeRule &rule, Adaptor op) {
  RankedTensorType type = rule.declared(0);
  if (type.getElementType() != elementOf(op.getInput()))
    return rule.fail("(C1) result has element type ", type.getElementType(), ", expected ", elementOf(op.getInput()));
  AffineExpr count = rule.size(1);
  bool known = true;
  for (AffineExpr size : rule.shape(op.getInput())) {
    known &= constant(size).has_value();
    count = count * size;
  }
  int64_t stated = 1;
  for (int64_t size : type.getShape())
    if (!ShapedType::isDynamic(size))
      stated *= size;
  bool fits =
      !known || (type.hasStaticShape() ? stated == *constant(count)
                                       : (stated == 0 ? *constant(count) == 0 : *constant(count) % stated == 0));
  if (!fits)
    return rule.fail("(C2) reshapes ", op.getInput().getType(), " of ", *constant(count), " elements to ", type);
  LogicalResult done = resultOfSizes(rule, "(C3)", op.getSizes(), [&](unsigned) -> AffineExpr {
    // One unknown size is what the known ones leave.
    if (type.getNumDynamicDims() != 1)
      return {};
    return stated == 0 ? rule.size(0) : count.floorDiv(stated);
  });
  if (succeeded(done)) {
    AffineExpr held = rule.size(1);
    for (AffineExpr size : rule.stated().back())
      held = held * size;
    rule.ask(SizeRelation::Equal, count, held);
  }
  return done;
}

LogicalResult TransposeOp::infer(ShapeRule &rule, Adaptor op) {
  Shape shape = rule.shape(op.getInput()), permuted;
  SmallVector<bool> seen(shape.size(), false);
  for (int64_t from : op.getPermutation()) {
    if (from < 0 || from >= int64_t(shape.size()) || seen[from])
      return rule.fail("(C2) permutation entry ", from, " is out of range or named twice, expected each of 0 to ",
                       int64_t(shape.size()) - 1, " once");
    seen[from] = true;
    permuted.push_back(shape[from]);
  }
  if (permuted.size() != shape.size())
    return rule.fail("(C2) permutation has ", permuted.size(), " entries for rank ", shape.size());
  return rule.result(permuted, elementOf(op.getInput()));
}

LogicalResult ExpandOp::infer(ShapeRule &rule, Adaptor op) {
  RankedTensorType type = rule.declared(0);
  Shape input = rule.shape(op.getInput());
  if (type.getElementType() != elementOf(op.getInput()))
    return rule.fail("(C1) result has element type ", type.getElementType(), ", expected ", elementOf(op.getInput()));
  if (failed(resultOfSizes(rule, "(C3)", op.getSizes(), [&](unsigned dimension) -> AffineExpr {
        int64_t at = int64_t(dimension) - (type.getRank() - int64_t(input.size()));
        return at >= 0 && constant(input[at]) != 1 ? input[at] : AffineExpr();
      })))
    return failure();
  if (!broadcastsTo(rule, input, rule.stated().back()))
    return rule.fail("(C2) expands ", describe(input), " to ", describe(rule.stated().back()),
                     "; sizes align at the innermost dimension and must be equal or 1");
  return success();
}

LogicalResult SliceOp::infer(ShapeRule &rule, Adaptor op) {
  Shape shape = rule.shape(op.getInput());
  for (auto [what, entries] : {std::pair("starts", op.getStarts()), std::pair("ends", op.getEnds())})
    if (entries.size() != shape.size())
      return rule.fail("(C2) ", what, " has ", entries.size(), " entries for rank ", shape.size());
  if (failed(checkEntries(rule, "(C3)", "steps", op.getSteps(), shape.size(), 1)))
    return failure();
  constexpr int64_t given = std::numeric_limits<int64_t>::min();
  size_t startsGiven = llvm::count(op.getStarts(), given), endsGiven = llvm::count(op.getEnds(), given);
  if (op.getBounds().size() != startsGiven + endsGiven)
    return rule.fail("(C4) has ", op.getBounds().size(), " bounds, expected ", startsGiven + endsGiven,
                     ": one for each start or end that is INT64_MIN");
  for (Value bound : op.getBounds())
    if (cast<RankedTensorType>(bound.getType()).getRank() != 0)
      return rule.fail("(C5) a bound is ", bound.getType(), ", expected rank 0");
  auto nextStart = op.getBounds().begin(), nextEnd = nextStart + startsGiven;
  for (auto [size, start, end, step] : llvm::zip_equal(shape, op.getStarts(), op.getEnds(), op.getSteps())) {
    AffineExpr full = size;
    // A bound counts from the end where negative, and is clamped to 0 .. size.
    auto clamped = [&](int64_t bound) {
      if (bound == 0)
        return rule.size(0);
      if (bound == std::numeric_limits<int64_t>::max())
        return full;
      return bound < 0 ? rule.max(full + bound, rule.size(0)) : rule.min(full, rule.size(bound));
    };
    AffineExpr first = start == given ? rule.min(full, rule.held(*nextStart++)) : clamped(start);
    AffineExpr length = (end == given ? rule.min(full, rule.held(*nextEnd++)) : clamped(end)) - first;
    if (constant(first) != 0)
      length = rule.max(length, rule.size(0));
    size = length.ceilDiv(step);
  }
  return rule.result(shape, elementOf(op.getInput()));
}

LogicalResult ConcatOp::infer(ShapeRule &rule, Adaptor op) {
  if (op.getInputs().empty())
    return rule.fail("(C2) has no input, expected at least one");
  Value first = op.getInputs().front();
  Shape shape = rule.shape(first);
  if (failed(checkAxis(rule, "(C3)", op.getAxis(), shape.size())))
    return failure();
  AffineExpr &joined = shape[op.getAxis()];
  for (Value next : op.getInputs().drop_front()) {
    if (failed(checkElement(rule, "(C4)", "an input", next, first)))
      return failure();
    Shape other = rule.shape(next), expected = shape;
    if (other.size() == shape.size())
      expected[op.getAxis()] = other[op.getAxis()];
    if (failed(checkShape(rule, "(C5)", "an input", next, expected)))
      return failure();
    AffineExpr sum = joined + other[op.getAxis()];
    for (auto [mine, theirs] : llvm::zip_equal(shape, other))
      mine = known(mine, theirs);
    joined = sum;
  }
  return rule.result(shape, elementOf(first));
}

LogicalResult SplitOp::infer(ShapeRule &rule, Adaptor op) {
  Shape shape = rule.shape(op.getInput());
  if (failed(checkAxis(rule, "(C2)", op.getAxis(), shape.size())))
    return failure();
  int64_t sum = 0;
  for (int64_t size : op.getSizes()) {
    if (size < 0)
      return rule.fail("(C3) a piece has size ", size, ", expected at least 0");
    sum += size;
  }
  if (!rule.mayEqual(shape[op.getAxis()], rule.size(sum)))
    return rule.fail("(C3) pieces add up to ", sum, ", expected ", describe(shape[op.getAxis()]), " of axis ",
                     op.getAxis());
  for (int64_t size : op.getSizes()) {
    shape[op.getAxis()] = rule.size(size);
    if (failed(rule.result(shape, elementOf(op.getInput()))))
      return failure();
  }
  return success();
}

LogicalResult PadOp::infer(ShapeRule &rule, Adaptor op) {
  Shape shape = rule.shape(op.getInput());
  if (failed(checkEntries(rule, "(C2)", "low", op.getLow(), shape.size(), 0)) ||
      failed(checkEntries(rule, "(C2)", "high", op.getHigh(), shape.size(), 0)))
    return failure();
  for (auto [size, low, high] : llvm::zip_equal(shape, op.getLow(), op.getHigh()))
    size = size + low + high;
  return rule.result(shape, elementOf(op.getInput()));
}

/// Who has an index into `size` places must have a place: without one there is nowhere to read.
static LogicalResult checkPlaces(ShapeRule &rule, StringRef number, Value indices, AffineExpr size) {
  AffineExpr count = rule.size(1);
  for (AffineExpr factor : rule.shape(indices))
    count = count * factor;
  if (rule.mayNeed(count, size))
    return success();
  return rule.fail(number, " takes ", describe(count), " indices into 0 places, expected none");
}

LogicalResult EmbeddingOp::infer(ShapeRule &rule, Adaptor op) {
  Shape table = rule.shape(op.getTable()), shape = rule.shape(op.getIndices());
  if (table.size() != 2)
    return rule.fail("(C2) table has rank ", table.size(), ", expected 2: [rows, columns]");
  if (failed(checkPlaces(rule, "(C3)", op.getIndices(), table[0])))
    return failure();
  shape.push_back(table[1]);
  return rule.result(shape, elementOf(op.getTable()));
}

/// The sizes of `input` with `axis` replaced by those of `indices`.
static Shape replaced(ShapeRule &rule, Value input, Value indices, int64_t axis) {
  Shape shape = rule.shape(input), taken = rule.shape(indices);
  shape.erase(shape.begin() + axis);
  shape.insert(shape.begin() + axis, taken.begin(), taken.end());
  return shape;
}

LogicalResult GatherOp::infer(ShapeRule &rule, Adaptor op) {
  Shape input = rule.shape(op.getInput());
  if (failed(checkAxis(rule, "(C2)", op.getAxis(), input.size())) ||
      failed(checkPlaces(rule, "(C3)", op.getIndices(), input[op.getAxis()])))
    return failure();
  return rule.result(replaced(rule, op.getInput(), op.getIndices(), op.getAxis()), elementOf(op.getInput()));
}

LogicalResult GatherElementsOp::infer(ShapeRule &rule, Adaptor op) {
  Shape input = rule.shape(op.getInput()), indices = rule.shape(op.getIndices());
  if (failed(checkAxis(rule, "(C2)", op.getAxis(), input.size())))
    return failure();
  if (indices.size() != input.size())
    return rule.fail("(C3) indices have rank ", indices.size(), ", expected ", input.size(), " of input");
  for (auto [dimension, size, limit] : llvm::enumerate(indices, input))
    if (dimension != op.getAxis() && !rule.mayBeAtMost(size, limit))
      return rule.fail("(C4) indices have size ", describe(size), " in dimension ", dimension, ", above ",
                       describe(limit), " of input");
  if (failed(checkPlaces(rule, "(C5)", op.getIndices(), input[op.getAxis()])))
    return failure();
  return rule.result(indices, elementOf(op.getInput()));
}

LogicalResult GatherNdOp::infer(ShapeRule &rule, Adaptor op) {
  Shape input = rule.shape(op.getInput()), shape = rule.shape(op.getIndices());
  if (shape.empty() || !constant(shape.back()))
    return rule.fail("(C2) indices are ", op.getIndices().getType(), ", expected a static last dimension");
  int64_t named = *constant(shape.back());
  if (named > int64_t(input.size()))
    return rule.fail("(C3) indices name ", named, " dimensions, input has rank ", input.size());
  for (AffineExpr size : ArrayRef(input).take_front(named))
    if (failed(checkPlaces(rule, "(C4)", op.getIndices(), size)))
      return failure();
  shape.pop_back();
  shape.append(input.begin() + named, input.end());
  return rule.result(shape, elementOf(op.getInput()));
}

LogicalResult ScatterOp::infer(ShapeRule &rule, Adaptor op) {
  Shape shape = rule.shape(op.getInput());
  if (failed(checkAxis(rule, "(C2)", op.getAxis(), shape.size())) ||
      failed(checkElement(rule, "(C3)", "updates", op.getUpdates(), op.getInput())) ||
      failed(checkShape(rule, "(C4)", "updates", op.getUpdates(),
                        replaced(rule, op.getInput(), op.getIndices(), op.getAxis()))) ||
      failed(checkPlaces(rule, "(C5)", op.getIndices(), shape[op.getAxis()])))
    return failure();
  return rule.result(shape, elementOf(op.getInput()));
}

LogicalResult KvCacheAppendOp::infer(ShapeRule &rule, Adaptor op) {
  Shape cache = rule.shape(op.getCache()), update = rule.shape(op.getUpdate());
  if (cache.size() != 4 || update.size() != 4)
    return rule.fail("(C2) has cache of rank ", cache.size(), " and update of rank ", update.size(),
                     ", expected 4 each: [batch, heads, sequence, head size]");
  if (failed(checkElement(rule, "(C3)", "update", op.getUpdate(), op.getCache())) ||
      failed(checkShape(rule, "(C4)", "update", op.getUpdate(), {cache[0], cache[1], update[2], cache[3]})))
    return failure();
  if (!rule.mayBeAtMost(update[2], cache[2]))
    return rule.fail("(C5) appends ", describe(update[2]), " positions to a cache of ", describe(cache[2]));
  if (!cast<RankedTensorType>(op.getPosition().getType()).getShape().empty())
    return rule.fail("(C6) position is ", op.getPosition().getType(), ", expected rank 0");
  return rule.result(cache, elementOf(op.getCache()));
}

LogicalResult KvPagesAppendOp::infer(ShapeRule &rule, Adaptor op) {
  Shape pool = rule.shape(op.getPool()), update = rule.shape(op.getUpdate()), table = rule.shape(op.getBlockTable());
  if (pool.size() != 4 || update.size() != 4)
    return rule.fail("(C2) has pool of rank ", pool.size(), " and update of rank ", update.size(),
                     ", expected 4 each: [pages, heads, page, head size] and [batch, heads, sequence, head size]");
  if (failed(checkElement(rule, "(C3)", "update", op.getUpdate(), op.getPool())) ||
      failed(checkShape(rule, "(C4)", "update", op.getUpdate(), {update[0], pool[1], update[2], pool[3]})) ||
      failed(checkShape(rule, "(C5)", "position", op.getPosition(), {update[0]})))
    return failure();
  if (table.size() != 2 || !rule.mayEqual(table[0], update[0]))
    return rule.fail("(C5) has block_table ", describe(table), ", expected [", describe(update[0]), ", P]");
  if (!rule.mayNeed(update[2], table[1]) || !rule.mayNeed(update[2], pool[2]))
    return rule.fail("(C6) appends ", describe(update[2]), " positions to ", describe(table[1]), " pages of ",
                     describe(pool[2]));
  return rule.result(pool, elementOf(op.getPool()));
}

LogicalResult KvCacheReadOp::infer(ShapeRule &rule, Adaptor op) {
  Shape cache = rule.shape(op.getCache());
  if (cache.size() != 4)
    return rule.fail("(C2) has cache of rank ", cache.size(), ", expected 4: [batch, heads, sequence, head size]");
  if (!cast<RankedTensorType>(op.getLength().getType()).getShape().empty())
    return rule.fail("(C3) length is ", op.getLength().getType(), ", expected rank 0");
  AffineExpr length = rule.held(op.getLength());
  rule.ask(SizeRelation::AtMost, rule.size(0), length);
  rule.ask(SizeRelation::AtMost, length, cache[2]);
  cache[2] = length;
  return rule.result(cache, elementOf(op.getCache()));
}

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }

#define GET_OP_CLASSES
#include "dialects/Tenon/TenonShapes.cpp.inc"

void TenonDialect::addShapes() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Tenon/TenonShapes.cpp.inc"
      >();
}
