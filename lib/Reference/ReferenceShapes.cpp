// Data movement: every op says, for each index of its result, which element of which operand stands there.
#include "lib/Reference/ReferenceOps.h"

#include <limits>

using namespace mlir;

namespace tenon {

static void copyElement(ReferenceTensor &to, int64_t at, const ReferenceTensor &from, int64_t offset) {
  if (to.isFloat())
    to.floats[at] = from.floats[offset];
  else
    to.integers[at] = from.integers[offset];
}

/// A tensor whose element at each index is the element of `source` at `offsetOf(index)`.
static ReferenceTensor gatherFrom(const ReferenceTensor &source, ArrayRef<int64_t> shape,
                                  llvm::function_ref<int64_t(ArrayRef<int64_t>)> offsetOf) {
  ReferenceTensor result(source.elementType, shape);
  forEachIndex(shape, [&](ArrayRef<int64_t> index, int64_t at) { copyElement(result, at, source, offsetOf(index)); });
  return result;
}

static int64_t offsetIn(ArrayRef<int64_t> shape, ArrayRef<int64_t> index) {
  int64_t offset = 0;
  for (auto [size, i] : llvm::zip_equal(shape, index))
    offset = offset * size + i;
  return offset;
}

/// A result type's shape with its dynamic sizes taken, in order, from rank-0 tensors. Without enough of them one size
/// follows from `count` elements (-1: none may be missing).
static FailureOr<ReferenceShape> shapeFrom(Operation *op, Value result, ValueRange sizes, ReferenceValues &values,
                                           int64_t count) {
  ReferenceShape shape;
  size_t next = 0;
  int64_t inferred = -1;
  for (int64_t size : cast<RankedTensorType>(result.getType()).getShape()) {
    if (size == ShapedType::kDynamic) {
      if (next < sizes.size())
        size = values[sizes[next++]].integers[0];
      else if (count >= 0 && inferred < 0)
        inferred = static_cast<int64_t>(shape.size()), size = 1;
      else
        return op->emitOpError("has more dynamic result dimensions than size operands");
    }
    if (size < 0)
      return op->emitOpError("is asked for a dimension of ") << size << " elements";
    shape.push_back(size);
  }
  if (inferred >= 0) {
    int64_t known = numElements(shape);
    shape[inferred] = known ? count / known : 0;
  }
  return shape;
}

static LogicalResult evaluateConstant(ConstantOp op, ReferenceValues &values) {
  auto dense = dyn_cast<DenseElementsAttr>(op.getValue());
  if (!dense)
    return op.emitOpError("holds ") << op.getValue() << ", the reference reads dense constants only";
  auto type = cast<RankedTensorType>(op.getResult().getType());
  ReferenceTensor result(type.getElementType(), type.getShape());
  int64_t at = 0;
  if (result.isFloat()) {
    for (const APFloat &value : dense.getValues<APFloat>())
      result.floats[at++] = value.convertToDouble();
  } else {
    for (const APInt &value : dense.getValues<APInt>())
      result.integers[at++] = value.getBitWidth() == 1 ? value.getZExtValue() : value.getSExtValue();
  }
  values.set(op.getResult(), std::move(result));
  return success();
}

static LogicalResult evaluateWeight(WeightOp op, ReferenceValues &values) {
  auto type = cast<RankedTensorType>(op.getResult().getType());
  FailureOr<ReferenceTensor> weight = values.weights(op.getKey(), type);
  if (failed(weight))
    return op.emitOpError("weight \"") << op.getKey() << "\" of type " << type << " could not be read";
  if (weight->elementType != type.getElementType())
    return op.emitOpError("weight \"") << op.getKey() << "\" is of type " << weight->elementType << ", expected "
                                       << type;
  values.set(op.getResult(), std::move(*weight));
  return success();
}

static LogicalResult evaluateIota(IotaOp op, ReferenceValues &values) {
  FailureOr<ReferenceShape> shape = shapeFrom(op, op.getResult(), op.getSizes(), values, -1);
  if (failed(shape))
    return failure();
  FailureOr<int64_t> axis = resolveAxis(op, op.getAxis(), shape->size());
  if (failed(axis))
    return failure();
  double start = op.getStart().convertToDouble(), step = op.getStep().convertToDouble();
  ReferenceTensor result(elementTypeOf(op.getResult()), *shape);
  forEachIndex(*shape, [&](ArrayRef<int64_t> index, int64_t at) {
    double value = start + step * static_cast<double>(index[*axis]);
    if (result.isFloat())
      result.floats[at] = value;
    else
      result.integers[at] = static_cast<int64_t>(value);
  });
  values.set(op.getResult(), std::move(result));
  return success();
}

static LogicalResult evaluateDim(DimOp op, ReferenceValues &values) {
  const ReferenceTensor &input = values[op.getInput()];
  FailureOr<int64_t> axis = resolveAxis(op, op.getAxis(), input.rank());
  if (failed(axis))
    return failure();
  ReferenceTensor result(elementTypeOf(op.getResult()), {});
  result.integers[0] = input.shape[*axis];
  values.set(op.getResult(), std::move(result));
  return success();
}

static LogicalResult evaluateReshape(ReshapeOp op, ReferenceValues &values) {
  const ReferenceTensor &input = values[op.getInput()];
  FailureOr<ReferenceShape> shape = shapeFrom(op, op.getResult(), op.getSizes(), values, input.size());
  if (failed(shape))
    return failure();
  if (numElements(*shape) != input.size())
    return op.emitOpError("has ") << input.size() << " elements to place in a shape of " << numElements(*shape);
  ReferenceTensor result = input;
  result.shape = *shape;
  values.set(op.getResult(), std::move(result));
  return success();
}

static LogicalResult evaluateTranspose(TransposeOp op, ReferenceValues &values) {
  const ReferenceTensor &input = values[op.getInput()];
  ArrayRef<int64_t> permutation = op.getPermutation();
  ReferenceShape strides = stridesOf(input.shape), shape;
  for (int64_t from : permutation)
    shape.push_back(input.shape[from]);
  values.set(op.getResult(), gatherFrom(input, shape, [&](ArrayRef<int64_t> index) {
               int64_t offset = 0;
               for (auto [d, from] : llvm::enumerate(permutation))
                 offset += index[d] * strides[from];
               return offset;
             }));
  return success();
}

static LogicalResult evaluateExpand(ExpandOp op, ReferenceValues &values) {
  const ReferenceTensor &input = values[op.getInput()];
  auto type = cast<RankedTensorType>(op.getResult().getType());
  ReferenceShape shape;
  if (op.getSizes().empty()) { // a dynamic result dimension without an operand for it keeps the input's size
    int64_t added = type.getRank() - input.rank();
    for (auto [d, size] : llvm::enumerate(type.getShape())) {
      if (size == ShapedType::kDynamic && static_cast<int64_t>(d) < added)
        return op.emitOpError("has more dynamic result dimensions than size operands");
      shape.push_back(size == ShapedType::kDynamic ? input.shape[d - added] : size);
    }
  } else {
    FailureOr<ReferenceShape> given = shapeFrom(op, op.getResult(), op.getSizes(), values, -1);
    if (failed(given))
      return failure();
    shape = *given;
  }
  FailureOr<ReferenceShape> broadcast = broadcastShapes(shape, input.shape);
  if (failed(broadcast) || *broadcast != shape)
    return op.emitOpError("operand does not broadcast to the result's shape");
  values.set(op.getResult(),
             gatherFrom(input, shape, [&](ArrayRef<int64_t> index) { return broadcastOffset(input.shape, index); }));
  return success();
}

static LogicalResult evaluateSlice(SliceOp op, ReferenceValues &values) {
  constexpr int64_t given = std::numeric_limits<int64_t>::min(); // the bound is the next of the op's operands
  const ReferenceTensor &input = values[op.getInput()];
  auto nextStart = op.getBounds().begin(), nextEnd = nextStart + llvm::count(op.getStarts(), given);
  ReferenceShape starts, shape;
  for (int64_t d = 0; d < input.rank(); ++d) {
    int64_t size = input.shape[d], step = op.getSteps()[d];
    auto resolved = [&](int64_t bound, auto &next) {
      if (bound == given)
        return std::clamp<int64_t>(values[*next++].integers[0], 0, size);
      return std::clamp<int64_t>(bound < 0 ? bound + size : bound, 0, size);
    };
    int64_t start = resolved(op.getStarts()[d], nextStart), end = resolved(op.getEnds()[d], nextEnd);
    starts.push_back(start);
    shape.push_back(end > start ? (end - start + step - 1) / step : 0);
  }
  values.set(op.getResult(), gatherFrom(input, shape, [&](ArrayRef<int64_t> index) {
               int64_t offset = 0;
               for (int64_t d = 0; d < input.rank(); ++d)
                 offset = offset * input.shape[d] + starts[d] + index[d] * op.getSteps()[d];
               return offset;
             }));
  return success();
}

/// Copies `source` into `target` with its first element at `first`.
static void place(ReferenceTensor &target, const ReferenceTensor &source, ArrayRef<int64_t> first) {
  forEachIndex(source.shape, [&](ArrayRef<int64_t> index, int64_t from) {
    int64_t offset = 0;
    for (auto [d, i] : llvm::enumerate(index))
      offset = offset * target.shape[d] + first[d] + i;
    copyElement(target, offset, source, from);
  });
}

static LogicalResult evaluateConcat(ConcatOp op, ReferenceValues &values) {
  if (op.getInputs().empty())
    return op.emitOpError("joins nothing");
  ReferenceShape shape = values[op.getInputs().front()].shape;
  FailureOr<int64_t> axis = resolveAxis(op, op.getAxis(), shape.size());
  if (failed(axis))
    return failure();
  shape[*axis] = 0;
  for (Value input : op.getInputs()) {
    const ReferenceShape &part = values[input].shape;
    for (size_t d = 0; d < shape.size(); ++d)
      if (part.size() != shape.size() || (static_cast<int64_t>(d) != *axis && part[d] != shape[d]))
        return op.emitOpError("operands differ in more than axis ") << *axis;
    shape[*axis] += part[*axis];
  }
  ReferenceTensor result(elementTypeOf(op.getResult()), shape);
  ReferenceShape first(shape.size(), 0);
  for (Value input : op.getInputs()) {
    place(result, values[input], first);
    first[*axis] += values[input].shape[*axis];
  }
  values.set(op.getResult(), std::move(result));
  return success();
}

static LogicalResult evaluateSplit(SplitOp op, ReferenceValues &values) {
  const ReferenceTensor input = values[op.getInput()]; // a copy: setting a result may move the table
  FailureOr<int64_t> axis = resolveAxis(op, op.getAxis(), input.rank());
  if (failed(axis))
    return failure();
  int64_t first = 0, total = 0;
  for (int64_t size : op.getSizes())
    total += size;
  if (total != input.shape[*axis])
    return op.emitOpError("pieces hold ") << total << " of the " << input.shape[*axis] << " elements of axis " << *axis;
  for (auto [size, result] : llvm::zip_equal(op.getSizes(), op.getResults())) {
    ReferenceShape shape(input.shape);
    shape[*axis] = size;
    values.set(result, gatherFrom(input, shape, [&](ArrayRef<int64_t> index) {
                 ReferenceShape from(index);
                 from[*axis] += first;
                 return offsetIn(input.shape, from);
               }));
    first += size;
  }
  return success();
}

static LogicalResult evaluatePad(PadOp op, ReferenceValues &values) {
  const ReferenceTensor &input = values[op.getInput()];
  ReferenceShape shape(input.shape);
  for (int64_t d = 0; d < input.rank(); ++d)
    shape[d] += op.getLow()[d] + op.getHigh()[d];
  ReferenceTensor result(elementTypeOf(op.getResult()), shape);
  double value = op.getValue().convertToDouble();
  std::fill(result.floats.begin(), result.floats.end(), value);
  if (!result.isFloat())
    std::fill(result.integers.begin(), result.integers.end(), static_cast<int64_t>(value));
  place(result, input, op.getLow());
  values.set(op.getResult(), std::move(result));
  return success();
}

//===-- By index
//------------------------------------------------------------------------------------------------------===//

static LogicalResult checkIndices(Operation *op, const ReferenceTensor &indices, int64_t size) {
  for (int64_t index : indices.integers)
    if (index < 0 || index >= size)
      return op->emitOpError("reads index ") << index << ", the axis has " << size << " elements";
  return success();
}

static LogicalResult gatherAlong(Operation *op, const ReferenceTensor &input, const ReferenceTensor &indices,
                                 int64_t axis, ReferenceValues &values) {
  if (failed(checkIndices(op, indices, input.shape[axis])))
    return failure();
  ReferenceShape shape(ArrayRef(input.shape).take_front(axis));
  shape.append(indices.shape.begin(), indices.shape.end());
  shape.append(input.shape.begin() + axis + 1, input.shape.end());
  values.set(op->getResult(0), gatherFrom(input, shape, [&](ArrayRef<int64_t> index) {
               ReferenceShape from(index.take_front(axis));
               from.push_back(indices.integers[offsetIn(indices.shape, index.slice(axis, indices.rank()))]);
               ArrayRef<int64_t> rest = index.drop_front(axis + indices.rank());
               from.append(rest.begin(), rest.end());
               return offsetIn(input.shape, from);
             }));
  return success();
}

static LogicalResult evaluateEmbedding(EmbeddingOp op, ReferenceValues &values) {
  return gatherAlong(op, values[op.getTable()], values[op.getIndices()], 0, values);
}

static LogicalResult evaluateGather(GatherOp op, ReferenceValues &values) {
  const ReferenceTensor &input = values[op.getInput()];
  FailureOr<int64_t> axis = resolveAxis(op, op.getAxis(), input.rank());
  if (failed(axis))
    return failure();
  return gatherAlong(op, input, values[op.getIndices()], *axis, values);
}

static LogicalResult evaluateGatherNd(GatherNdOp op, ReferenceValues &values) {
  const ReferenceTensor &input = values[op.getInput()], &indices = values[op.getIndices()];
  int64_t named = indices.shape.back();
  ArrayRef<int64_t> tuples = ArrayRef(indices.shape).drop_back(), rest = ArrayRef(input.shape).drop_front(named);
  for (auto [at, index] : llvm::enumerate(indices.integers))
    if (index < 0 || index >= input.shape[at % named])
      return op.emitOpError("reads index ") << index << ", the axis has " << input.shape[at % named] << " elements";
  ReferenceShape shape(tuples);
  shape.append(rest.begin(), rest.end());
  values.set(op.getResult(), gatherFrom(input, shape, [&](ArrayRef<int64_t> index) {
               int64_t tuple = offsetIn(tuples, index.take_front(tuples.size())) * named;
               ReferenceShape from(indices.integers.begin() + tuple, indices.integers.begin() + tuple + named);
               ArrayRef<int64_t> inner = index.drop_front(tuples.size());
               from.append(inner.begin(), inner.end());
               return offsetIn(input.shape, from);
             }));
  return success();
}

static LogicalResult evaluateGatherElements(GatherElementsOp op, ReferenceValues &values) {
  const ReferenceTensor &input = values[op.getInput()], &indices = values[op.getIndices()];
  FailureOr<int64_t> axis = resolveAxis(op, op.getAxis(), input.rank());
  if (failed(axis) || failed(checkIndices(op, indices, input.shape[*axis])))
    return failure();
  values.set(op.getResult(), gatherFrom(input, indices.shape, [&](ArrayRef<int64_t> index) {
               ReferenceShape from(index);
               from[*axis] = indices.integers[offsetIn(indices.shape, index)];
               return offsetIn(input.shape, from);
             }));
  return success();
}

static LogicalResult evaluateScatter(ScatterOp op, ReferenceValues &values) {
  const ReferenceTensor &indices = values[op.getIndices()], &updates = values[op.getUpdates()];
  ReferenceTensor result = values[op.getInput()];
  FailureOr<int64_t> axis = resolveAxis(op, op.getAxis(), result.rank());
  if (failed(axis) || failed(checkIndices(op, indices, result.shape[*axis])))
    return failure();
  forEachIndex(updates.shape, [&](ArrayRef<int64_t> index, int64_t from) {
    ReferenceShape to(index.take_front(*axis));
    to.push_back(indices.integers[offsetIn(indices.shape, index.slice(*axis, indices.rank()))]);
    ArrayRef<int64_t> rest = index.drop_front(*axis + indices.rank());
    to.append(rest.begin(), rest.end());
    copyElement(result, offsetIn(result.shape, to), updates, from);
  });
  values.set(op.getResult(), std::move(result));
  return success();
}

static LogicalResult evaluateKvCacheAppend(KvCacheAppendOp op, ReferenceValues &values) {
  const ReferenceTensor &update = values[op.getUpdate()], &position = values[op.getPosition()];
  ReferenceTensor result = values[op.getCache()];
  for (int64_t first : position.integers)
    if (first < 0 || first + update.shape[2] > result.shape[2])
      return op.emitOpError("writes ") << update.shape[2] << " positions from " << first << " on into a cache of "
                                       << result.shape[2];
  forEachIndex(update.shape, [&](ArrayRef<int64_t> index, int64_t from) {
    ReferenceShape to(index);
    to[2] += position.integers[position.size() == 1 ? 0 : index[0]]; // one position, or one for each of the batch
    copyElement(result, offsetIn(result.shape, to), update, from);
  });
  values.set(op.getResult(), std::move(result));
  return success();
}

static LogicalResult evaluateKvPagesAppend(KvPagesAppendOp op, ReferenceValues &values) {
  const ReferenceTensor &update = values[op.getUpdate()], &position = values[op.getPosition()];
  const ReferenceTensor &table = values[op.getBlockTable()];
  ReferenceTensor result = values[op.getPool()];
  int64_t page = result.shape[2], pages = table.shape[1];
  forEachIndex(update.shape, [&](ArrayRef<int64_t> index, int64_t from) {
    int64_t at = position.integers[index[0]] + index[2];
    if (at < 0 || at >= pages * page)
      return;
    ReferenceShape to(index);
    to[0] = table.integers[index[0] * pages + at / page], to[2] = at % page;
    if (to[0] >= 0 && to[0] < result.shape[0])
      copyElement(result, offsetIn(result.shape, to), update, from);
  });
  values.set(op.getResult(), std::move(result));
  return success();
}

static LogicalResult evaluateKvCacheRead(KvCacheReadOp op, ReferenceValues &values) {
  const ReferenceTensor &cache = values[op.getCache()];
  int64_t length = values[op.getLength()].integers[0];
  if (length < 0 || length > cache.shape[2])
    return op.emitOpError("reads ") << length << " positions of a cache of " << cache.shape[2];
  ReferenceShape shape(cache.shape);
  shape[2] = length;
  values.set(op.getResult(),
             gatherFrom(cache, shape, [&](ArrayRef<int64_t> index) { return offsetIn(cache.shape, index); }));
  return success();
}

void addReferenceShapes(ReferenceTable &table) {
  table.add(evaluateConstant);
  table.add(evaluateWeight);
  table.add(evaluateIota);
  table.add(evaluateDim);
  table.add(evaluateReshape);
  table.add(evaluateTranspose);
  table.add(evaluateExpand);
  table.add(evaluateSlice);
  table.add(evaluateConcat);
  table.add(evaluateSplit);
  table.add(evaluatePad);
  table.add(evaluateEmbedding);
  table.add(evaluateGather);
  table.add(evaluateGatherElements);
  table.add(evaluateGatherNd);
  table.add(evaluateScatter);
  table.add(evaluateKvCacheAppend);
  table.add(evaluateKvPagesAppend);
  table.add(evaluateKvCacheRead);
}

} // namespace tenon
