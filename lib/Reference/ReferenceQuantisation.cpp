// Low-precision storage. Rounding to the storage type is what these ops mean, so it happens in the exact evaluation
// too.
#include "lib/Reference/ReferenceOps.h"

#include "llvm/ADT/APFloat.h"

#include <algorithm>
#include <cmath>

using namespace mlir;

namespace tenon {

/// The scale of the element at `index`: scale dimensions align with the innermost ones; a size of 1 serves the whole
/// dimension, else one scale serves `block` elements (block aligns with the innermost dimensions; 1 where not given).
static double scaleAt(const ReferenceTensor &scale, ArrayRef<int64_t> block, ArrayRef<int64_t> index) {
  ArrayRef<int64_t> inner = index.take_back(scale.rank());
  int64_t offset = 0;
  for (int64_t d = 0; d < scale.rank(); ++d) {
    int64_t fromBack = scale.rank() - 1 - d;
    int64_t width = fromBack < static_cast<int64_t>(block.size()) ? block[block.size() - 1 - fromBack] : 1;
    offset = offset * scale.shape[d] + (scale.shape[d] == 1 ? 0 : inner[d] / width);
  }
  return scale.floats[offset];
}

/// Scales must reach every element: rank at most the tensor's, and each size 1 or the dimension in blocks.
static LogicalResult checkScale(Operation *op, const ReferenceTensor &scale, ArrayRef<int64_t> block,
                                ArrayRef<int64_t> shape) {
  if (scale.rank() > static_cast<int64_t>(shape.size()))
    return op->emitOpError("scale has more dimensions than the tensor it scales");
  for (int64_t fromBack = 0; fromBack < scale.rank(); ++fromBack) {
    int64_t width = fromBack < static_cast<int64_t>(block.size()) ? block[block.size() - 1 - fromBack] : 1;
    int64_t size = shape[shape.size() - 1 - fromBack], scales = scale.shape[scale.rank() - 1 - fromBack];
    if (scales != 1 && scales != (size + width - 1) / width)
      return op->emitOpError("scale has ")
             << scales << " elements for a dimension of " << size << " in blocks of " << width;
  }
  return success();
}

static LogicalResult evaluateQuantise(QuantiseOp op, ReferenceValues &values) {
  const ReferenceTensor &input = values[op.getInput()], &scale = values[op.getScale()];
  ArrayRef<int64_t> block = op.getBlock().value_or(ArrayRef<int64_t>());
  if (failed(checkScale(op, scale, block, input.shape)))
    return failure();
  ReferenceTensor result(elementTypeOf(op.getResult()), input.shape);
  double low, high;
  if (result.isFloat()) {
    high = llvm::APFloat::getLargest(cast<FloatType>(result.elementType).getFloatSemantics()).convertToDouble();
    low = -high;
  } else {
    high = std::ldexp(1.0, static_cast<int>(result.elementType.getIntOrFloatBitWidth()) - 1) - 1;
    low = -high - 1;
  }
  forEachIndex(input.shape, [&](ArrayRef<int64_t> index, int64_t at) {
    double scaled = input.floats[at] * (1 / scaleAt(scale, block, index));
    if (result.isFloat())
      result.floats[at] = std::isnan(scaled) ? scaled : roundTo(result.elementType, std::clamp(scaled, low, high));
    else
      result.integers[at] =
          std::isnan(scaled) ? 0 : static_cast<int64_t>(std::clamp(std::nearbyint(scaled), low, high));
  });
  values.set(op.getResult(), std::move(result));
  return success();
}

static LogicalResult evaluateDequantise(DequantiseOp op, ReferenceValues &values) {
  const ReferenceTensor &input = values[op.getInput()], &scale = values[op.getScale()];
  ArrayRef<int64_t> block = op.getBlock().value_or(ArrayRef<int64_t>());
  if (failed(checkScale(op, scale, block, input.shape)))
    return failure();
  ReferenceTensor result(elementTypeOf(op.getResult()), input.shape);
  forEachIndex(input.shape, [&](ArrayRef<int64_t> index, int64_t at) {
    result.floats[at] = input.at(at) * scaleAt(scale, block, index);
  });
  values.set(op.getResult(), std::move(result));
  return success();
}

/// The input's scales go by row and by the weight's blocks along K.
static LogicalResult evaluateQuantisedMatmul(QuantisedMatmulOp op, ReferenceValues &values) {
  const ReferenceTensor &input = values[op.getInput()], &weight = values[op.getWeight()];
  const ReferenceTensor &weightScale = values[op.getWeightScale()];
  const ReferenceTensor *inputScale = op.getInputScale() ? &values[op.getInputScale()] : nullptr;
  ArrayRef<int64_t> block = op.getBlock().value_or(ArrayRef<int64_t>());
  ArrayRef<int64_t> inputBlock = block.take_back(1);
  int64_t k = input.shape.back(), n = weight.shape[0];
  if (weight.shape[1] != k)
    return op.emitOpError("sums over ") << k << " elements of input but " << weight.shape[1] << " of weight";
  if (failed(checkScale(op, weightScale, block, weight.shape)) ||
      (inputScale && failed(checkScale(op, *inputScale, inputBlock, input.shape))))
    return failure();
  ReferenceShape shape(input.shape);
  shape.back() = n;
  ReferenceTensor result(elementTypeOf(op.getResult()), shape);
  forEachIndex(shape, [&](ArrayRef<int64_t> index, int64_t at) {
    int64_t column = index.back(), row = at / n;
    ReferenceShape element(index);
    double sum = 0;
    for (int64_t p = 0; p < k; ++p) {
      element.back() = p;
      double x = input.at(row * k + p) * (inputScale ? scaleAt(*inputScale, inputBlock, element) : 1);
      sum += x * weight.at(column * k + p) * scaleAt(weightScale, block, {column, p});
    }
    result.floats[at] = sum;
  });
  values.set(op.getResult(), std::move(result));
  return success();
}

std::vector<double> shortSumError(QuantisedMatmulOp op, const ReferenceValues &values) {
  constexpr int64_t step = 32, promoted = 128;
  constexpr double cut = 0x1p-13, addends = step + 2;
  const ReferenceTensor &input = values[op.getInput()], &weight = values[op.getWeight()];
  const ReferenceTensor &weightScale = values[op.getWeightScale()];
  const ReferenceTensor *inputScale = op.getInputScale() ? &values[op.getInputScale()] : nullptr;
  ArrayRef<int64_t> block = op.getBlock().value_or(ArrayRef<int64_t>());
  int64_t k = input.shape.back(), n = weight.shape[0], turn = block.empty() ? promoted : block.back();
  ReferenceShape shape(input.shape);
  shape.back() = n;
  std::vector<double> errors;
  forEachIndex(shape, [&](ArrayRef<int64_t> index, int64_t at) {
    int64_t column = index.back(), row = at / n;
    ReferenceShape element(index);
    double total = 0, squares = 0, sum = 0, scale = 0;
    for (int64_t first = 0; first < k;) {
      if (first % turn == 0) { // a sum of its own, times one scale
        element.back() = first;
        sum = 0;
        scale = (inputScale ? scaleAt(*inputScale, block.take_back(1), element) : 1) *
                scaleAt(weightScale, block, {column, first});
      }
      double most = std::fabs(sum);
      int64_t last = std::min({first + step, (first / turn + 1) * turn, k});
      for (int64_t p = first; p < last; ++p) {
        double term = input.at(row * k + p) * weight.at(column * k + p);
        most = std::max(most, std::fabs(term));
        sum += term;
      }
      double error = std::max(most, std::fabs(sum)) * std::fabs(scale) * cut * addends;
      total += error;
      squares += error * error / addends;
      first = last;
    }
    // They are cut off at random.
    errors.push_back(std::min(total, 4 * std::sqrt(squares)));
  });
  return errors;
}

void addReferenceQuantisation(ReferenceTable &table) {
  table.add(evaluateQuantise);
  table.add(evaluateDequantise);
  table.add(evaluateQuantisedMatmul);
}

} // namespace tenon
