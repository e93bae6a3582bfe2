// Softmax, norms, reductions, scans and pooling, in two passes where one would lose digits.
#include "lib/Reference/ReferenceOps.h"

#include <cmath>
#include <limits>

using namespace mlir;

namespace tenon {

static constexpr double infinity = std::numeric_limits<double>::infinity();

/// An axis splits a tensor into outer x length x inner; element (o, l, i) is at (o * length + l) * inner + i.
struct AxisSplit {
  int64_t outer, length, inner;
  AxisSplit(ArrayRef<int64_t> shape, int64_t axis)
      : outer(numElements(shape.take_front(axis))), length(shape[axis]),
        inner(numElements(shape.drop_front(axis + 1))) {}
  void forEachLine(llvm::function_ref<void(int64_t first)> body) const {
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t i = 0; i < inner; ++i)
        body(o * length * inner + i);
  }
};

template <typename OpT>
static LogicalResult evaluateSoftmax(OpT op, ReferenceValues &values) {
  constexpr bool isLog = std::is_same_v<OpT, LogSoftmaxOp>;
  const ReferenceTensor &input = values[op.getInput()];
  FailureOr<int64_t> axis = resolveAxis(op, op.getAxis(), input.rank());
  if (failed(axis))
    return failure();
  ReferenceTensor result(elementTypeOf(op.getResult()), input.shape);
  AxisSplit split(input.shape, *axis);
  split.forEachLine([&](int64_t first) {
    double largest = -infinity, sum = 0;
    for (int64_t l = 0; l < split.length; ++l)
      largest = std::fmax(largest, input.floats[first + l * split.inner]);
    for (int64_t l = 0; l < split.length; ++l)
      sum += std::exp(input.floats[first + l * split.inner] - largest);
    for (int64_t l = 0; l < split.length; ++l) {
      double shifted = input.floats[first + l * split.inner] - largest;
      result.floats[first + l * split.inner] = isLog ? shifted - std::log(sum) : std::exp(shifted) / sum;
    }
  });
  values.set(op.getResult(), std::move(result));
  return success();
}

/// (x - mean) / sqrt(variance + epsilon) over `count` consecutive elements.
static void normalise(const double *input, double *result, int64_t count, double epsilon) {
  double mean = 0, variance = 0;
  for (int64_t i = 0; i < count; ++i)
    mean += input[i] / static_cast<double>(count);
  for (int64_t i = 0; i < count; ++i)
    variance += (input[i] - mean) * (input[i] - mean) / static_cast<double>(count);
  for (int64_t i = 0; i < count; ++i)
    result[i] = (input[i] - mean) / std::sqrt(variance + epsilon);
}

static LogicalResult evaluateLayerNorm(LayerNormOp op, ReferenceValues &values) {
  const ReferenceTensor &input = values[op.getInput()];
  int64_t dims = op.getNumDims();
  if (dims < 0 || dims > input.rank())
    return op.emitOpError("normalises ") << dims << " dimensions of an operand with " << input.rank();
  int64_t count = numElements(ArrayRef(input.shape).take_back(dims));
  ReferenceTensor result(elementTypeOf(op.getResult()), input.shape);
  const ReferenceTensor *weight = op.getWeight() ? &values[op.getWeight()] : nullptr;
  const ReferenceTensor *bias = op.getBias() ? &values[op.getBias()] : nullptr;
  for (int64_t first = 0, end = input.size(); first < end; first += count) {
    normalise(&input.floats[first], &result.floats[first], count, op.getEpsilon().convertToDouble());
    for (int64_t i = 0; i < count; ++i)
      result.floats[first + i] =
          result.floats[first + i] * (weight ? weight->floats[i] : 1) + (bias ? bias->floats[i] : 0);
  }
  values.set(op.getResult(), std::move(result));
  return success();
}

static LogicalResult evaluateRmsNorm(RmsNormOp op, ReferenceValues &values) {
  const ReferenceTensor &input = values[op.getInput()];
  const ReferenceTensor *weight = op.getWeight() ? &values[op.getWeight()] : nullptr;
  int64_t count = input.shape.back();
  ReferenceTensor result(elementTypeOf(op.getResult()), input.shape);
  for (int64_t first = 0, end = input.size(); first < end; first += count) {
    double squares = 0;
    for (int64_t i = 0; i < count; ++i)
      squares += input.floats[first + i] * input.floats[first + i];
    double root = std::sqrt(squares / static_cast<double>(count) + op.getEpsilon().convertToDouble());
    for (int64_t i = 0; i < count; ++i)
      result.floats[first + i] = input.floats[first + i] / root * (weight ? weight->floats[i] : 1);
  }
  values.set(op.getResult(), std::move(result));
  return success();
}

static LogicalResult evaluateGroupNorm(GroupNormOp op, ReferenceValues &values) {
  const ReferenceTensor &input = values[op.getInput()];
  int64_t channels = input.shape[1], groups = op.getGroups();
  if (groups < 1 || channels % groups != 0)
    return op.emitOpError("cannot cut ") << channels << " channels into " << groups << " groups";
  int64_t spatial = numElements(ArrayRef(input.shape).drop_front(2)), count = channels / groups * spatial;
  const ReferenceTensor *weight = op.getWeight() ? &values[op.getWeight()] : nullptr;
  const ReferenceTensor *bias = op.getBias() ? &values[op.getBias()] : nullptr;
  ReferenceTensor result(elementTypeOf(op.getResult()), input.shape);
  for (int64_t first = 0, end = input.size(); first < end; first += count)
    normalise(&input.floats[first], &result.floats[first], count, op.getEpsilon().convertToDouble());
  for (int64_t at = 0, end = input.size(); at < end; ++at) {
    int64_t channel = at / spatial % channels;
    result.floats[at] = result.floats[at] * (weight ? weight->floats[channel] : 1) + (bias ? bias->floats[channel] : 0);
  }
  values.set(op.getResult(), std::move(result));
  return success();
}

//===-- Reductions
//----------------------------------------------------------------------------------------------------===//

/// The least integer of a type, where a maximum starts; the greatest is its complement.
static int64_t leastInteger(Value tensor) {
  Type type = elementTypeOf(tensor);
  return type.isInteger() ? -1 - static_cast<int64_t>((uint64_t{1} << (type.getIntOrFloatBitWidth() - 1)) - 1) : 0;
}

/// Folds every element into its place in the result; `finish` sees each folded value and how many elements went in.
static LogicalResult reduce(Operation *op, ArrayRef<int64_t> axes, bool keepDims, ReferenceValues &values,
                            double floatStart, int64_t integerStart, double (*foldFloat)(double, double),
                            int64_t (*foldInteger)(int64_t, int64_t), bool mean) {
  const ReferenceTensor &input = values[op->getOperand(0)];
  llvm::SmallVector<bool> reduced(input.rank(), false);
  for (int64_t axis : axes) {
    FailureOr<int64_t> resolved = resolveAxis(op, axis, input.rank());
    if (failed(resolved))
      return failure();
    reduced[*resolved] = true;
  }
  ReferenceShape kept(input.shape), shape;
  int64_t count = 1;
  for (int64_t d = 0; d < input.rank(); ++d) {
    if (reduced[d]) {
      kept[d] = 1;
      count *= input.shape[d];
    }
    if (!reduced[d] || keepDims)
      shape.push_back(kept[d]);
  }
  ReferenceTensor result(elementTypeOf(op->getResult(0)), shape);
  std::fill(result.floats.begin(), result.floats.end(), floatStart);
  std::fill(result.integers.begin(), result.integers.end(), integerStart);
  forEachIndex(input.shape, [&](ArrayRef<int64_t> index, int64_t at) {
    int64_t to = broadcastOffset(kept, index);
    if (input.isFloat())
      result.floats[to] = foldFloat(result.floats[to], input.floats[at]);
    else
      result.integers[to] = foldInteger(result.integers[to], input.integers[at]);
  });
  if (mean) {
    for (double &value : result.floats)
      value /= static_cast<double>(count);
    for (int64_t &value : result.integers)
      value = count ? value / count : 0;
  }
  values.set(op->getResult(0), std::move(result));
  return success();
}

static double add(double a, double b) { return a + b; }
static int64_t addIntegers(int64_t a, int64_t b) { return static_cast<int64_t>(uint64_t(a) + uint64_t(b)); }
static double larger(double a, double b) { return std::isnan(a) || a > b ? a : b; }
static double smaller(double a, double b) { return std::isnan(a) || a < b ? a : b; }
static int64_t largerInteger(int64_t a, int64_t b) { return std::max(a, b); }
static int64_t smallerInteger(int64_t a, int64_t b) { return std::min(a, b); }

static LogicalResult evaluateSum(ReduceSumOp op, ReferenceValues &values) {
  return reduce(op, op.getAxes(), op.getKeepDims(), values, 0, 0, add, addIntegers, false);
}
static LogicalResult evaluateMean(ReduceMeanOp op, ReferenceValues &values) {
  return reduce(op, op.getAxes(), op.getKeepDims(), values, 0, 0, add, addIntegers, true);
}
static LogicalResult evaluateMax(ReduceMaxOp op, ReferenceValues &values) {
  return reduce(op, op.getAxes(), op.getKeepDims(), values, -infinity, leastInteger(op.getInput()), larger,
                largerInteger, false);
}
static LogicalResult evaluateMin(ReduceMinOp op, ReferenceValues &values) {
  return reduce(op, op.getAxes(), op.getKeepDims(), values, infinity, ~leastInteger(op.getInput()), smaller,
                smallerInteger, false);
}

/// The first extreme; a NaN is more extreme than any number.
template <typename OpT>
static LogicalResult evaluateArg(OpT op, ReferenceValues &values) {
  constexpr double sign = std::is_same_v<OpT, ArgmaxOp> ? 1 : -1;
  const ReferenceTensor &input = values[op.getInput()];
  FailureOr<int64_t> axis = resolveAxis(op, op.getAxis(), input.rank());
  if (failed(axis))
    return failure();
  AxisSplit split(input.shape, *axis);
  if (split.length == 0 && split.outer * split.inner != 0)
    return op.emitOpError("has no element to choose along axis ") << *axis;
  ReferenceShape shape(input.shape);
  if (op.getKeepDims())
    shape[*axis] = 1;
  else
    shape.erase(shape.begin() + *axis);
  ReferenceTensor result(elementTypeOf(op.getResult()), shape);
  int64_t to = 0;
  split.forEachLine([&](int64_t first) {
    int64_t best = 0;
    for (int64_t l = 1; l < split.length; ++l) {
      int64_t at = first + l * split.inner, bestAt = first + best * split.inner;
      bool better = input.isFloat()
                        ? !std::isnan(input.floats[bestAt]) &&
                              (std::isnan(input.floats[at]) || sign * input.floats[at] > sign * input.floats[bestAt])
                    : sign > 0 ? input.integers[at] > input.integers[bestAt]
                               : input.integers[at] < input.integers[bestAt];
      if (better)
        best = l;
    }
    result.integers[to++] = best;
  });
  values.set(op.getResult(), std::move(result));
  return success();
}

static LogicalResult evaluateCumsum(CumsumOp op, ReferenceValues &values) {
  const ReferenceTensor &input = values[op.getInput()];
  FailureOr<int64_t> axis = resolveAxis(op, op.getAxis(), input.rank());
  if (failed(axis))
    return failure();
  ReferenceTensor result = input;
  result.elementType = elementTypeOf(op.getResult());
  AxisSplit split(input.shape, *axis);
  split.forEachLine([&](int64_t first) {
    for (int64_t l = 1; l < split.length; ++l) {
      int64_t at = first + l * split.inner;
      if (result.isFloat())
        result.floats[at] += result.floats[at - split.inner];
      else
        result.integers[at] = addIntegers(result.integers[at], result.integers[at - split.inner]);
    }
  });
  values.set(op.getResult(), std::move(result));
  return success();
}

template <typename OpT>
static LogicalResult evaluatePool(OpT op, ReferenceValues &values) {
  constexpr bool isMax = std::is_same_v<OpT, MaxPoolOp>;
  const ReferenceTensor &input = values[op.getInput()];
  int64_t dims = input.rank() - 2;
  ArrayRef<int64_t> window = op.getWindow(), stride = op.getStride(), padding = op.getPadding();
  ReferenceShape shape = {input.shape[0], input.shape[1]};
  for (int64_t s = 0; s < dims; ++s) {
    int64_t span = input.shape[2 + s] + 2 * padding[s] - window[s];
    shape.push_back(span < 0 ? 0 : span / stride[s] + 1);
  }
  ReferenceTensor result(elementTypeOf(op.getResult()), shape);
  forEachIndex(shape, [&](ArrayRef<int64_t> index, int64_t at) {
    double folded = isMax ? -infinity : 0;
    forEachIndex(window, [&](ArrayRef<int64_t> tap, int64_t) {
      int64_t offset = index[0] * input.shape[1] + index[1];
      for (int64_t s = 0; s < dims; ++s) {
        int64_t position = index[2 + s] * stride[s] - padding[s] + tap[s];
        if (position < 0 || position >= input.shape[2 + s])
          return;
        offset = offset * input.shape[2 + s] + position;
      }
      folded = isMax ? larger(folded, input.floats[offset]) : folded + input.floats[offset];
    });
    result.floats[at] = isMax ? folded : folded / static_cast<double>(numElements(window));
  });
  values.set(op.getResult(), std::move(result));
  return success();
}

void addReferenceRows(ReferenceTable &table) {
  table.add(evaluateSoftmax<SoftmaxOp>);
  table.add(evaluateSoftmax<LogSoftmaxOp>);
  table.add(evaluateLayerNorm);
  table.add(evaluateRmsNorm);
  table.add(evaluateGroupNorm);
  table.add(evaluateSum);
  table.add(evaluateMean);
  table.add(evaluateMax);
  table.add(evaluateMin);
  table.add(evaluateArg<ArgmaxOp>);
  table.add(evaluateArg<ArgminOp>);
  table.add(evaluateCumsum);
  table.add(evaluatePool<MaxPoolOp>);
  table.add(evaluatePool<AvgPoolOp>);
}

} // namespace tenon
