// Matrix products, attention and convolution, each as its textbook sum.
#include "lib/Reference/ReferenceOps.h"

#include <cmath>
#include <limits>

using namespace mlir;

namespace tenon {

static uint64_t bits(int64_t value) { return static_cast<uint64_t>(value); }

static LogicalResult evaluateMatmul(MatmulOp op, ReferenceValues &values) {
  const ReferenceTensor &lhs = values[op.getLhs()], &rhs = values[op.getRhs()];
  if (lhs.rank() < 2 || rhs.rank() < 2)
    return op.emitOpError("needs operands of at least two dimensions");
  bool ta = op.getTransposeA(), tb = op.getTransposeB();
  int64_t m = lhs.shape[lhs.rank() - (ta ? 1 : 2)], k = lhs.shape[lhs.rank() - (ta ? 2 : 1)];
  int64_t n = rhs.shape[rhs.rank() - (tb ? 2 : 1)], rhsK = rhs.shape[rhs.rank() - (tb ? 1 : 2)];
  if (k != rhsK)
    return op.emitOpError("sums over ") << k << " elements of lhs but " << rhsK << " of rhs";
  ArrayRef<int64_t> lhsBatch = ArrayRef(lhs.shape).drop_back(2), rhsBatch = ArrayRef(rhs.shape).drop_back(2);
  FailureOr<ReferenceShape> batch = broadcastShapes(lhsBatch, rhsBatch);
  if (failed(batch))
    return op.emitOpError("batch dimensions do not broadcast against each other");
  ReferenceShape shape(*batch);
  shape.append({m, n});
  ReferenceTensor result(elementTypeOf(op.getResult()), shape);
  forEachIndex(*batch, [&](ArrayRef<int64_t> index, int64_t b) {
    int64_t l = broadcastOffset(lhsBatch, index) * m * k, r = broadcastOffset(rhsBatch, index) * k * n;
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j) {
        double sum = 0;
        uint64_t integerSum = 0;
        for (int64_t p = 0; p < k; ++p) {
          int64_t atL = l + (ta ? p * m + i : i * k + p), atR = r + (tb ? j * k + p : p * n + j);
          if (lhs.isFloat())
            sum += lhs.floats[atL] * rhs.floats[atR];
          else
            integerSum += bits(lhs.integers[atL]) * bits(rhs.integers[atR]);
        }
        int64_t at = (b * m + i) * n + j;
        if (result.isFloat())
          result.floats[at] = lhs.isFloat() ? sum : static_cast<double>(static_cast<int64_t>(integerSum));
        else
          result.integers[at] = static_cast<int64_t>(integerSum);
      }
  });
  values.set(op.getResult(), std::move(result));
  return success();
}

static LogicalResult evaluateLinear(LinearOp op, ReferenceValues &values) {
  const ReferenceTensor &input = values[op.getInput()], &weight = values[op.getWeight()];
  int64_t k = input.shape.back(), n = weight.shape[0];
  if (weight.shape[1] != k)
    return op.emitOpError("sums over ") << k << " elements of input but " << weight.shape[1] << " of weight";
  const ReferenceTensor *bias = op.getBias() ? &values[op.getBias()] : nullptr;
  ReferenceShape shape(input.shape);
  shape.back() = n;
  ReferenceTensor result(elementTypeOf(op.getResult()), shape);
  int64_t rows = numElements(ArrayRef(input.shape).drop_back());
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t j = 0; j < n; ++j) {
      const double *x = input.floats.data() + row * k, *w = weight.floats.data() + j * k;
      double sum = 0;
      for (int64_t p = 0; p < k; ++p)
        sum += x[p] * w[p];
      result.floats[row * n + j] = sum + (bias ? bias->floats[j] : 0);
    }
  values.set(op.getResult(), std::move(result));
  return success();
}

/// What lies in pages [N, heads, page, width], in the order of a table [batch, pages]: [batch, heads, keys, width].
static ReferenceTensor inOrder(const ReferenceTensor &pool, const ReferenceTensor &table) {
  int64_t page = pool.shape[2], heads = pool.shape[1];
  ReferenceTensor result(pool.elementType, {table.shape[0], heads, table.shape[1] * page, pool.shape[3]});
  forEachIndex(result.shape, [&](ArrayRef<int64_t> index, int64_t at) {
    int64_t number = table.integers[index[0] * table.shape[1] + index[2] / page];
    number = std::clamp<int64_t>(number, 0, pool.shape[0] - 1);
    result.floats[at] = pool.floats[((number * heads + index[1]) * page + index[2] % page) * pool.shape[3] + index[3]];
  });
  return result;
}

/// Row by row: all scores, their softmax, the weighted sum. A row that sees no key is 0. A score of -Inf that no mask
/// makes is seen: its weight is 0, and 0 times a value that is not finite is NaN.
static LogicalResult evaluateAttention(AttentionOp op, ReferenceValues &values) {
  ReferenceTensor keysInPages, valuesInPages;
  if (Value table = op.getBlockTable()) {
    keysInPages = inOrder(values[op.getKey()], values[table]);
    valuesInPages = inOrder(values[op.getValue()], values[table]);
  }
  const ReferenceTensor &query = values[op.getQuery()];
  const ReferenceTensor &key = op.getBlockTable() ? keysInPages : values[op.getKey()];
  const ReferenceTensor &value = op.getBlockTable() ? valuesInPages : values[op.getValue()];
  auto given = [&](Value operand) { return operand ? &values[operand] : nullptr; };
  const ReferenceTensor *mask = given(op.getMask());
  const ReferenceTensor *keyLengths = given(op.getKeyLengths()), *queryLengths = given(op.getQueryLengths());
  const ReferenceTensor *scales[] = {given(op.getQueryScale()), given(op.getKeyScale()), given(op.getValueScale())};
  auto scaleAt = [&](unsigned which, ArrayRef<int64_t> at) {
    return scales[which] ? scales[which]->floats[broadcastOffset(scales[which]->shape, at)] : 1;
  };
  if (op.getPacked())
    return op.emitOpError("has packed values, which are a kernel's affair");
  int64_t batch = query.shape[0], heads = query.shape[1], sizeQ = query.shape[2], d = query.shape[3];
  int64_t kvHeads = key.shape[1], sizeK = key.shape[2], dv = value.shape[3];
  if (key.shape[0] != batch || value.shape[0] != batch || key.shape[3] != d || value.shape[1] != kvHeads ||
      value.shape[2] != sizeK || kvHeads == 0 || heads % kvHeads != 0)
    return op.emitOpError("query, key and value do not fit each other");
  double scale = op.getScale() ? op.getScale()->convertToDouble() : 1 / std::sqrt(static_cast<double>(d));
  std::optional<double> cap;
  if (std::optional<APFloat> given = op.getSoftCap())
    cap = given->convertToDouble();
  const double hidden = -std::numeric_limits<double>::infinity();
  ReferenceTensor result(elementTypeOf(op.getResult()), {batch, heads, sizeQ, dv}), logSumExp;
  if (op.getLse()) {
    logSumExp = ReferenceTensor(elementTypeOf(op.getLse()), {batch, heads, sizeQ});
    llvm::fill(logSumExp.floats, hidden);
  }
  std::vector<double> scores(sizeK);
  std::vector<bool> isVisible(sizeK);
  forEachIndex({batch, heads, sizeQ}, [&](ArrayRef<int64_t> index, int64_t row) {
    if (queryLengths && index[2] >= queryLengths->integers[index[0]])
      return;
    int64_t i = index[2], kv = index[0] * kvHeads + index[1] / (heads / kvHeads);
    int64_t keyHead = index[1] / (heads / kvHeads);
    double rowScale = scale * scaleAt(0, {index[0], index[1], i, 0}) * scaleAt(1, {index[0], keyHead, 0, 0});
    double largest = hidden;
    for (int64_t j = 0; j < sizeK; ++j) {
      int64_t last = i + (sizeK - sizeQ); // the last key that a causal query sees
      bool visible =
          (!op.getCausal() || j <= last) && (!op.getWindow() || j > last - static_cast<int64_t>(*op.getWindow()));
      visible &= !keyLengths || j < keyLengths->integers[index[0]];
      double score = 0;
      for (int64_t p = 0; p < d; ++p)
        score += query.floats[row * d + p] * key.floats[(kv * sizeK + j) * d + p];
      score *= rowScale;
      if (cap)
        score = *cap * std::tanh(score / *cap);
      if (mask) {
        int64_t at = broadcastOffset(mask->shape, {index[0], index[1], i, j});
        if (mask->isFloat()) {
          score += mask->floats[at];
          visible &= mask->floats[at] != hidden || std::isnan(score);
        } else {
          visible &= mask->integers[at] != 0;
        }
      }
      isVisible[j] = visible;
      scores[j] = visible ? score : hidden;
      if (std::isnan(scores[j]) || scores[j] > largest)
        largest = scores[j];
    }
    if (largest == hidden)
      return;
    double sum = 0;
    for (double score : scores)
      sum += score == hidden ? 0 : std::exp(score - largest);
    if (op.getLse())
      logSumExp.floats[row] = largest + std::log(sum);
    for (int64_t j = 0; j < sizeK; ++j) {
      if (!isVisible[j]) // its value does not count, even if it is not finite
        continue;
      double p = std::exp(scores[j] - largest) / sum;
      for (int64_t c = 0; c < dv; ++c)
        result.floats[row * dv + c] +=
            p * value.floats[(kv * sizeK + j) * dv + c] * scaleAt(2, {index[0], keyHead, 0, c});
    }
  });
  values.set(op.getResult(), std::move(result));
  if (op.getLse())
    values.set(op.getLse(), std::move(logSumExp));
  return success();
}

static LogicalResult evaluateConvolution(ConvolutionOp op, ReferenceValues &values) {
  const ReferenceTensor &input = values[op.getInput()], &weight = values[op.getWeight()];
  const ReferenceTensor *bias = op.getBias() ? &values[op.getBias()] : nullptr;
  int64_t dims = input.rank() - 2, groups = op.getGroups();
  int64_t outChannels = weight.shape[0], groupIn = weight.shape[1], groupOut = outChannels / groups;
  if (input.shape[1] != groupIn * groups || outChannels % groups != 0)
    return op.emitOpError("input has ") << input.shape[1] << " channels, weight reads " << groupIn << " in each of "
                                        << groups << " groups";
  ArrayRef<int64_t> stride = op.getStride(), padding = op.getPadding(), dilation = op.getDilation();
  ArrayRef<int64_t> window = ArrayRef(weight.shape).drop_front(2);
  ReferenceShape shape = {input.shape[0], outChannels};
  for (int64_t s = 0; s < dims; ++s) {
    int64_t span = input.shape[2 + s] + 2 * padding[s] - dilation[s] * (window[s] - 1) - 1;
    shape.push_back(span < 0 ? 0 : span / stride[s] + 1);
  }
  ReferenceTensor result(elementTypeOf(op.getResult()), shape);
  ReferenceShape windowed = {groupIn};
  windowed.append(window.begin(), window.end());
  int64_t weightSize = numElements(windowed);
  forEachIndex(shape, [&](ArrayRef<int64_t> index, int64_t at) {
    int64_t channel = index[1], firstIn = channel / groupOut * groupIn;
    double sum = bias ? bias->floats[channel] : 0;
    forEachIndex(windowed, [&](ArrayRef<int64_t> tap, int64_t tapAt) {
      int64_t offset = index[0] * input.shape[1] + firstIn + tap[0];
      for (int64_t s = 0; s < dims; ++s) {
        int64_t position = index[2 + s] * stride[s] - padding[s] + tap[1 + s] * dilation[s];
        if (position < 0 || position >= input.shape[2 + s])
          return;
        offset = offset * input.shape[2 + s] + position;
      }
      sum += input.floats[offset] * weight.floats[channel * weightSize + tapAt];
    });
    result.floats[at] = sum;
  });
  values.set(op.getResult(), std::move(result));
  return success();
}

void addReferenceContractions(ReferenceTable &table) {
  table.add(evaluateMatmul);
  table.add(evaluateLinear);
  table.add(evaluateAttention);
  table.add(evaluateConvolution);
}

} // namespace tenon
