#include "lib/Reference/LocalErrors.h"

#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;

namespace tenon {
namespace {

/// Half the distance from 1 to the next number of the type.
double unitRoundoff(Type type) {
  return std::ldexp(1.0, -static_cast<int>(cast<FloatType>(type).getFPMantissaWidth()));
}

/// Arithmetic is in f32, or in f64 for f64.
double arithmeticUnit(Type type) { return std::ldexp(1.0, type.isF64() ? -53 : -24); }

/// Arithmetic may give 0 for less than twice its least normal number.
double arithmeticFloor(Type type) { return type.isF64() ? 0x1p-1021 : 0x1p-125; }

/// The error where no relative bound holds: types with a smaller range than the arithmetic's keep their subnormal
/// numbers when they are rounded to.
double leastError(Type type) {
  const llvm::fltSemantics &semantics = cast<FloatType>(type).getFloatSemantics();
  return std::max(arithmeticFloor(type), APFloat::getSmallest(semantics).convertToDouble() / 2);
}

double sumFactor(int64_t terms) { return 4 * std::sqrt(static_cast<double>(std::max<int64_t>(terms, 1))); }

/// One result of one op: its exact values, those of the operands, and the error being added up.
class ErrorOf {
public:
  ErrorOf(OpResult result, const ReferenceValues &values)
      : op(result.getOwner()), values(values), exact(values[result]), u(arithmeticUnit(exact.elementType)) {
    if (!exact.isFloat())
      return;
    double stored = unitRoundoff(exact.elementType), least = leastError(exact.elementType);
    for (double value : exact.floats)
      error.push_back(stored * std::fabs(value) + least);
  }

  /// Where a result is no number or infinite, its class is compared and no error counts.
  std::vector<double> finish() {
    for (auto [element, value] : llvm::zip_equal(error, exact.floats))
      if (!std::isfinite(value) || std::isnan(element))
        element = 0;
    return std::move(error);
  }

  LogicalResult addSum(int64_t terms);
  LogicalResult addElementwise();
  LogicalResult add(AttentionOp attention, bool hasShortSums);
  void add(LayerNormOp norm);
  void add(GroupNormOp norm);
  void add(RmsNormOp norm);
  void addSoftmax(int64_t axis, bool isLog);
  void add(RopeOp rope);
  FailureOr<std::vector<double>> quantised() const;
  void add(ArrayRef<double> more) {
    for (auto [element, each] : llvm::zip_equal(error, more))
      element += each;
  }
  void addRelative(double units) {
    for (auto [element, value] : llvm::zip_equal(error, exact.floats))
      element += units * u * std::fabs(value);
  }

  const ReferenceTensor &operand(unsigned number) const { return values[op->getOperand(number)]; }

private:
  /// The op's result on other operands.
  FailureOr<ReferenceTensor> evaluate(llvm::function_ref<void(unsigned, ReferenceTensor &)> change) const {
    ReferenceValues changed(values.weights, ReferenceRounding::exact);
    for (OpOperand &operand : op->getOpOperands()) {
      ReferenceTensor tensor = values[operand.get()];
      change(operand.getOperandNumber(), tensor);
      changed.set(operand.get(), std::move(tensor));
    }
    if (failed((*referenceTable().find(op->getName().getStringRef()))(op, changed)))
      return failure();
    return changed[op->getResult(0)];
  }
  void normalised(const double *input, double *into, int64_t count, double epsilon,
                  llvm::function_ref<double(int64_t)> weight);

  Operation *op;
  const ReferenceValues &values;
  const ReferenceTensor &exact;
  double u;
  std::vector<double> error;
};

bool isF8(Value value) {
  Type element = elementTypeOf(value);
  return isa<FloatType>(element) && element.getIntOrFloatBitWidth() == 8;
}

void makeAbsolute(ReferenceTensor &tensor) {
  for (double &value : tensor.floats)
    value = std::fabs(value);
  for (int64_t &value : tensor.integers)
    value = std::abs(value);
}

LogicalResult ErrorOf::addSum(int64_t terms) {
  FailureOr<ReferenceTensor> magnitudes = evaluate([](unsigned, ReferenceTensor &t) { makeAbsolute(t); });
  if (failed(magnitudes))
    return failure();
  for (auto [element, magnitude] : llvm::zip_equal(error, magnitudes->floats))
    element += sumFactor(terms) * u * magnitude;
  return success();
}

/// Beside 8 u |r|, the 4 units of the last place of the worst function (docs/pipeline.md): what 4 u in the operands
/// would do, since formulas round before a function that may be steep; and for those that subtract numbers close to
/// each other, the rounding of what is subtracted.
LogicalResult ErrorOf::addElementwise() {
  addRelative(8);
  bool isQuotient = isa<FloorDivOp, RemOp>(op); // that of operands moved alike would not move
  std::vector<double> steps(error.size(), 0);
  for (double factor : {1 + 4 * u, 1 - 4 * u}) { // either side of a step of floor
    FailureOr<ReferenceTensor> moved = evaluate([&](unsigned number, ReferenceTensor &tensor) {
      for (double &value : tensor.floats)
        value *= number == 0 || !isQuotient ? factor : 1;
    });
    if (failed(moved))
      return failure();
    for (size_t i = 0; i < error.size(); ++i) {
      double difference = std::fabs(moved->floats[i] - exact.floats[i]);
      // Not a number: at the brink of overflow anything may come out.
      steps[i] = std::isnan(difference) ? std::numeric_limits<double>::infinity() : std::max(steps[i], difference);
    }
  }
  for (size_t i = 0; i < error.size(); ++i)
    error[i] += steps[i];
  auto add = [&](double factor, llvm::function_ref<double(size_t)> magnitude) {
    for (size_t i = 0; i < error.size(); ++i)
      error[i] += factor * magnitude(i);
  };
  auto ofInput = [&](size_t i) { return std::fabs(operand(0).floats[i]); };
  auto ofGated = [&](size_t i) { return std::fabs(operand(0).floats[i] * operand(1).floats[i]); };
  double flushed = arithmeticFloor(exact.elementType);
  if (isa<GeluOp, MishOp>(op)) // x (1 + erf(..)) for negative x
    add(2 * u, ofInput);
  else if (isa<GegluOp>(op))
    add(2 * u, ofGated);
  else if (isa<SiluOp, QuickGeluOp>(op)) // x e^x, where e^x has become 0
    add(flushed, ofInput);
  else if (isa<SwigluOp>(op))
    add(flushed, ofGated);
  else if (isa<SoftplusOp, SinOp, CosOp>(op)) // log(1 + ..); the reduction of the argument
    add(2 * u, [](size_t) { return 1.0; });
  else if (auto elu = dyn_cast<EluOp>(op)) // e^x - 1
    add(2 * u, [&](size_t) { return std::fabs(elu.getAlpha().convertToDouble()); });
  return success();
}

/// x / scale next to the middle between two steps may go to either: the step is the error there, nothing elsewhere.
FailureOr<std::vector<double>> ErrorOf::quantised() const {
  std::vector<double> steps(exact.size(), 0);
  for (double factor : {1 + 4 * u, 1 - 4 * u}) {
    FailureOr<ReferenceTensor> moved = evaluate([&](unsigned number, ReferenceTensor &tensor) {
      for (double &value : tensor.floats)
        value *= number == 0 ? factor : 1;
    });
    if (failed(moved))
      return failure();
    for (int64_t i = 0; i < exact.size(); ++i)
      if (double step = std::fabs(moved->at(i) - exact.at(i)); step > steps[i])
        steps[i] = step;
  }
  return steps;
}

/// A score's error makes its probability wrong by that factor, both above and below the line: twice the largest.
LogicalResult ErrorOf::add(AttentionOp attention, bool hasShortSums) {
  Value valueScale = attention.getValueScale();
  FailureOr<ReferenceTensor> weighted = evaluate([&](unsigned number, ReferenceTensor &tensor) {
    if (number == 2 || (valueScale && op->getOperand(number) == valueScale))
      makeAbsolute(tensor);
  });
  if (failed(weighted))
    return failure();
  const ReferenceTensor &query = operand(0), &key = operand(1);
  int64_t heads = query.shape[1], sizeQ = query.shape[2], d = query.shape[3];
  int64_t kvHeads = key.shape[1], sizeK = key.shape[2], dv = weighted->shape[3];
  bool isLogSumExp = exact.rank() == 3;
  double scale = attention.getScale() ? attention.getScale()->convertToDouble() : 1 / std::sqrt(double(d));
  auto norm = [&](const ReferenceTensor &tensor, int64_t row) {
    double squares = 0;
    for (int64_t p = 0; p < d; ++p)
      squares += tensor.floats[row * d + p] * tensor.floats[row * d + p];
    return std::sqrt(squares);
  };
  // Of pages, all count for each batch.
  bool isPaged = bool(attention.getBlockTable());
  std::vector<double> longest((isPaged ? 1 : query.shape[0]) * kvHeads, 0);
  for (int64_t row = 0; row < key.shape[0] * kvHeads * sizeK; ++row)
    longest[row / sizeK % longest.size()] = std::max(longest[row / sizeK % longest.size()], norm(key, row));
  if (isPaged)
    sizeK *= values[attention.getBlockTable()].shape[1];
  double stored = unitRoundoff(exact.elementType); // the probabilities may be stored for the second product
  // Of 8-bit floats in their type, which loses 2^-16 of the largest probability; and an instruction cuts off 34 addends
  // at 2^-13 of the largest.
  double cutScore = 0, cutSum = 0, lost = 0;
  if (attention.isFloat8()) {
    stored = 0x1p-4, lost = 0x1p-16;
    double ofStep = hasShortSums ? 4 * std::sqrt(34.0) * 0x1p-13 : 0;
    cutScore = ofStep * std::sqrt(std::ceil(d / 32.0)), cutSum = ofStep * std::sqrt(std::ceil(sizeK / 32.0));
  }
  auto scaleAt = [&](Value given, ArrayRef<int64_t> at) {
    return given ? std::fabs(values[given].floats[broadcastOffset(values[given].shape, at)]) : 1;
  };
  auto sizeOfValues = [&](int64_t kv, int64_t c) {
    double sum = 0;
    for (int64_t j = 0; j < sizeK && lost != 0; ++j)
      sum += std::fabs(operand(2).floats[(kv * sizeK + j) * dv + c]);
    return sum * scaleAt(attention.getValueScale(), {kv / kvHeads, kv % kvHeads, 0, c});
  };
  for (int64_t row = 0; row < query.shape[0] * heads * sizeQ; ++row) {
    int64_t batch = row / sizeQ / heads, head = row / sizeQ % heads, keyHead = head / (heads / kvHeads);
    double product = std::fabs(scale) * norm(query, row) * longest[(isPaged ? 0 : batch * kvHeads) + keyHead] *
                     scaleAt(attention.getQueryScale(), {batch, head, row % sizeQ, 0}) *
                     scaleAt(attention.getKeyScale(), {batch, keyHead, 0, 0});
    double score = (sumFactor(d) * u + cutScore) * product;
    if (std::optional<APFloat> given = attention.getSoftCap()) { // no steeper than 1, and of the function's own
      double cap = given->convertToDouble();
      score += u * (stored > u ? 20 * cap : 8 * std::fmin(cap, product));
    }
    if (isLogSumExp) {
      error[row] += score + (40 + sumFactor(sizeK) + 4 * std::fabs(exact.floats[row])) * u;
      continue;
    }
    double share = 2 * score + (40 + sumFactor(sizeK)) * u + stored + cutSum;
    for (int64_t c = 0; c < dv; ++c)
      error[row * dv + c] += share * weighted->floats[row * dv + c] + lost * sizeOfValues(batch * kvHeads + keyHead, c);
  }
  return success();
}

/// (x - mean) / deviation: the error of the mean, of the subtraction and of the deviation, each a sum over the row.
void ErrorOf::normalised(const double *input, double *into, int64_t count, double epsilon,
                         llvm::function_ref<double(int64_t)> weight) {
  double mean = 0, magnitude = 0, variance = 0;
  for (int64_t i = 0; i < count; ++i) {
    mean += input[i] / static_cast<double>(count);
    magnitude += std::fabs(input[i]) / static_cast<double>(count);
  }
  for (int64_t i = 0; i < count; ++i)
    variance += (input[i] - mean) * (input[i] - mean) / static_cast<double>(count);
  double inverse = 1 / std::sqrt(variance + epsilon), factor = sumFactor(count);
  for (int64_t i = 0; i < count; ++i)
    into[i] += u * inverse * std::fabs(weight(i)) *
               (factor * magnitude + 2 * std::fabs(input[i]) + (factor + 4) * std::fabs(input[i] - mean));
}

void ErrorOf::add(LayerNormOp norm) {
  const ReferenceTensor &input = operand(0);
  const ReferenceTensor *weight = norm.getWeight() ? &values[norm.getWeight()] : nullptr;
  int64_t count = numElements(ArrayRef(input.shape).take_back(norm.getNumDims()));
  for (int64_t first = 0; first < input.size(); first += count)
    normalised(&input.floats[first], &error[first], count, norm.getEpsilon().convertToDouble(),
               [&](int64_t i) { return weight ? weight->floats[i] : 1; });
  addRelative(2);
}

void ErrorOf::add(GroupNormOp norm) {
  const ReferenceTensor &input = operand(0);
  const ReferenceTensor *weight = norm.getWeight() ? &values[norm.getWeight()] : nullptr;
  int64_t channels = input.shape[1], spatial = numElements(ArrayRef(input.shape).drop_front(2));
  int64_t count = channels / norm.getGroups() * spatial;
  for (int64_t first = 0; first < input.size(); first += count)
    normalised(&input.floats[first], &error[first], count, norm.getEpsilon().convertToDouble(),
               [&](int64_t i) { return weight ? weight->floats[(first + i) / spatial % channels] : 1; });
  addRelative(2);
}

void ErrorOf::add(RmsNormOp) { addRelative(8 + sumFactor(exact.shape.back())); }

/// exp(x - largest) is wrong by the rounding of its argument; the sum by its length.
void ErrorOf::addSoftmax(int64_t axis, bool isLog) {
  const ReferenceTensor &input = operand(0);
  axis = axis < 0 ? axis + input.rank() : axis;
  int64_t length = input.shape[axis], inner = numElements(ArrayRef(input.shape).drop_front(axis + 1));
  double units = 8 + sumFactor(length);
  for (int64_t line = 0; length && line < input.size() / length; ++line) {
    int64_t first = line / inner * length * inner + line % inner;
    double largest = input.floats[first];
    for (int64_t l = 1; l < length; ++l)
      largest = std::fmax(largest, input.floats[first + l * inner]);
    for (int64_t l = 0; l < length; ++l) {
      int64_t at = first + l * inner;
      double argument = std::fabs(input.floats[at] - largest), result = std::fabs(exact.floats[at]);
      error[at] += u * (isLog ? units + argument + result : (units + argument) * result);
    }
  }
}

/// Two products and their sum, of numbers no larger than the row's.
void ErrorOf::add(RopeOp) {
  const ReferenceTensor &input = operand(0);
  double table = 0;
  for (unsigned number : {1, 2})
    for (double value : operand(number).floats)
      table = std::max(table, std::fabs(value));
  int64_t row = input.shape.back();
  for (int64_t first = 0; first < input.size(); first += row) {
    double largest = 0;
    for (int64_t i = 0; i < row; ++i)
      largest = std::max(largest, std::fabs(input.floats[first + i]));
    for (int64_t i = 0; i < row; ++i)
      error[first + i] += 4 * u * table * largest;
  }
}

bool isExactElementwise(Operation *op) {
  if (auto cast = dyn_cast<CastOp>(op)) {
    Type from = elementTypeOf(cast.getInput()), to = elementTypeOf(cast.getResult());
    unsigned width = to.getIntOrFloatBitWidth();
    return width == 8 || (isa<FloatType>(from) && from.getIntOrFloatBitWidth() <= width); // the reference rounds to f8
  }
  return isa<AbsOp, NegOp, SignOp, FloorOp, CeilOp, RoundOp, ReluOp, MaxOp, MinOp, ClampOp, SelectOp>(op);
}

} // namespace

FailureOr<std::vector<double>> localError(OpResult result, const ReferenceValues &values, bool hasShortSums) {
  Operation *op = result.getOwner();
  if (isa<QuantiseOp>(op))
    return ErrorOf(result, values).quantised();
  if (!values[result].isFloat() || isExactElementwise(op))
    return std::vector<double>();
  ErrorOf error(result, values);
  int64_t size = std::max<int64_t>(values[result].size(), 1);
  auto good = [](auto add) { return add(), success(); };
  auto first = [&](unsigned number) -> const ReferenceTensor & { return error.operand(number); };
  bool rounds = true;
  LogicalResult added =
      llvm::TypeSwitch<Operation *, LogicalResult>(op)
          .Case([&](MatmulOp matmul) {
            return error.addSum(first(0).shape[first(0).rank() - (matmul.getTransposeA() ? 2 : 1)]);
          })
          .Case([&](LinearOp) { return error.addSum(first(0).shape.back()); })
          .Case([&](QuantisedMatmulOp product) {
            if (hasShortSums && isF8(product.getInput()) && isF8(product.getWeight()))
              error.add(shortSumError(product, values));
            return error.addSum(first(0).shape.back());
          })
          .Case([&](ConvolutionOp) { return error.addSum(numElements(ArrayRef(first(1).shape).drop_front())); })
          .Case<ReduceSumOp, ReduceMeanOp>([&](auto) { return error.addSum(first(0).size() / size); })
          .Case([&](CumsumOp sum) {
            return error.addSum(first(0).shape[sum.getAxis() + (sum.getAxis() < 0 ? first(0).rank() : 0)]);
          })
          .Case([&](AvgPoolOp pool) { return error.addSum(numElements(pool.getWindow())); })
          .Case([&](AttentionOp attention) { return error.add(attention, hasShortSums); })
          .Case<LayerNormOp, GroupNormOp, RmsNormOp, RopeOp>([&](auto row) { return good([&] { error.add(row); }); })
          .Case([&](SoftmaxOp softmax) { return good([&] { error.addSoftmax(softmax.getAxis(), false); }); })
          .Case([&](LogSoftmaxOp softmax) { return good([&] { error.addSoftmax(softmax.getAxis(), true); }); })
          .Case([&](DequantiseOp) { return good([&] { error.addRelative(4); }); })
          .Case<AddOp, SubOp, MulOp, DivOp, FloorDivOp, RemOp, PowOp>([&](auto) { return error.addElementwise(); })
          .Default([&](Operation *) {
            rounds = op->hasTrait<OpTrait::Elementwise>();
            return rounds ? error.addElementwise() : success();
          });
  if (failed(added))
    return failure();
  return rounds ? error.finish() : std::vector<double>();
}

} // namespace tenon
