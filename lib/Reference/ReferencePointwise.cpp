// Elementwise ops, casts, comparisons, selection and rope.
#include "lib/Reference/ReferenceOps.h"

#include <cmath>
#include <limits>

using namespace mlir;

namespace tenon {

static double sigmoid(double x) { return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x)); }
static double softplus(double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }
static double clampNan(double x, double low, double high) { return x < low ? low : x > high ? high : x; }
static double hardSigmoid(double x) { return clampNan(x / 6 + 0.5, 0, 1); }
static double gelu(double x, GeluApproximation approximation) {
  if (approximation == GeluApproximation::Tanh)
    return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  return 0.5 * x * std::erfc(-x / M_SQRT2);
}

//===-- One operand
//---------------------------------------------------------------------------------------------------===//

static LogicalResult mapFloats(Operation *op, ReferenceValues &values, llvm::function_ref<double(double)> function) {
  const ReferenceTensor &input = values[op->getOperand(0)];
  ReferenceTensor result(elementTypeOf(op->getResult(0)), input.shape);
  for (int64_t i = 0, count = input.size(); i < count; ++i)
    result.floats[i] = function(input.floats[i]);
  values.set(op->getResult(0), std::move(result));
  return success();
}

template <typename OpT>
static void addUnary(ReferenceTable &table, double (*onFloat)(double), int64_t (*onInteger)(int64_t) = nullptr) {
  table.add(OpT::getOperationName(), [=](Operation *op, ReferenceValues &values) -> LogicalResult {
    const ReferenceTensor &input = values[op->getOperand(0)];
    if (input.isFloat())
      return mapFloats(op, values, onFloat);
    if (!onInteger)
      return op->emitOpError("has no meaning on ") << input.elementType;
    ReferenceTensor result(elementTypeOf(op->getResult(0)), input.shape);
    for (int64_t i = 0, count = input.size(); i < count; ++i)
      result.integers[i] = onInteger(input.integers[i]);
    values.set(op->getResult(0), std::move(result));
    return success();
  });
}

static LogicalResult evaluateGelu(GeluOp op, ReferenceValues &values) {
  return mapFloats(op, values, [&](double x) { return gelu(x, op.getApproximation()); });
}
static LogicalResult evaluateLeakyRelu(LeakyReluOp op, ReferenceValues &values) {
  double slope = op.getSlope().convertToDouble();
  return mapFloats(op, values, [&](double x) { return x >= 0 ? x : slope * x; });
}
static LogicalResult evaluateElu(EluOp op, ReferenceValues &values) {
  double alpha = op.getAlpha().convertToDouble();
  return mapFloats(op, values, [&](double x) { return x > 0 ? x : alpha * std::expm1(x); });
}
static LogicalResult evaluateClamp(ClampOp op, ReferenceValues &values) {
  double low = op.getLow().convertToDouble(), high = op.getHigh().convertToDouble();
  return mapFloats(op, values, [&](double x) { return std::isnan(x) ? x : std::fmin(std::fmax(x, low), high); });
}

/// Float to integer truncates towards zero, saturates, and takes NaN to 0; anything to i1 asks whether it is not 0.
static int64_t toInteger(double value, unsigned width) {
  if (width == 1)
    return value != 0;
  if (std::isnan(value))
    return 0;
  double limit = std::ldexp(1.0, static_cast<int>(width) - 1);
  if (value >= limit)
    return static_cast<int64_t>((uint64_t{1} << (width - 1)) - 1);
  if (value <= -limit)
    return width == 64 ? std::numeric_limits<int64_t>::min() : -(int64_t{1} << (width - 1));
  return static_cast<int64_t>(value);
}

static LogicalResult evaluateCast(CastOp op, ReferenceValues &values) {
  const ReferenceTensor &input = values[op.getInput()];
  Type type = elementTypeOf(op.getResult());
  ReferenceTensor result(type, input.shape);
  bool narrow = type.getIntOrFloatBitWidth() == 8; // a cast to f8 quantises: it rounds even in the exact evaluation
  for (int64_t i = 0, count = input.size(); i < count; ++i) {
    if (result.isFloat())
      result.floats[i] = narrow ? roundTo(type, input.at(i)) : input.at(i);
    else if (input.isFloat())
      result.integers[i] = toInteger(input.floats[i], type.getIntOrFloatBitWidth());
    else
      result.integers[i] = type.isInteger(1) ? input.integers[i] != 0 : input.integers[i];
  }
  values.set(op.getResult(), std::move(result));
  return success();
}

//===-- Two and three operands
//----------------------------------------------------------------------------------------===//

/// Calls `body(result offset, lhs offset, rhs offset)` over the broadcast shape, which it puts into `shape`.
static LogicalResult forBroadcast(Operation *op, const ReferenceTensor &lhs, const ReferenceTensor &rhs,
                                  ReferenceShape &shape, llvm::function_ref<void(ReferenceShape &)> allocate,
                                  llvm::function_ref<void(int64_t, int64_t, int64_t)> body) {
  FailureOr<ReferenceShape> broadcast = broadcastShapes(lhs.shape, rhs.shape);
  if (failed(broadcast))
    return op->emitOpError("operands do not broadcast against each other");
  shape = *broadcast;
  allocate(shape);
  forEachIndex(shape, [&](ArrayRef<int64_t> index, int64_t offset) {
    body(offset, broadcastOffset(lhs.shape, index), broadcastOffset(rhs.shape, index));
  });
  return success();
}

/// An integer function gives no value where it has none (a division by zero).
using IntegerBinary = std::optional<int64_t> (*)(int64_t, int64_t);

template <typename OpT>
static void addBinary(ReferenceTable &table, double (*onFloat)(double, double), IntegerBinary onInteger) {
  table.add(OpT::getOperationName(), [=](Operation *op, ReferenceValues &values) -> LogicalResult {
    const ReferenceTensor &lhs = values[op->getOperand(0)], &rhs = values[op->getOperand(1)];
    if (!(lhs.isFloat() ? onFloat != nullptr : onInteger != nullptr))
      return op->emitOpError("has no meaning on ") << lhs.elementType;
    ReferenceTensor result;
    ReferenceShape shape;
    bool undefined = false;
    if (failed(forBroadcast(
            op, lhs, rhs, shape,
            [&](ReferenceShape &s) { result = ReferenceTensor(elementTypeOf(op->getResult(0)), s); },
            [&](int64_t at, int64_t l, int64_t r) {
              if (lhs.isFloat()) {
                result.floats[at] = onFloat(lhs.floats[l], rhs.floats[r]);
              } else {
                std::optional<int64_t> value = onInteger(lhs.integers[l], rhs.integers[r]);
                undefined |= !value;
                result.integers[at] = value.value_or(0);
              }
            })))
      return failure();
    if (undefined)
      return op->emitOpError("divides an integer by zero");
    values.set(op->getResult(0), std::move(result));
    return success();
  });
}

/// Two's complement arithmetic without the undefined behaviour of signed overflow.
static int64_t wrapped(uint64_t value) { return static_cast<int64_t>(value); }
static std::optional<int64_t> truncatingDivide(int64_t a, int64_t b) {
  if (b == 0)
    return std::nullopt;
  return b == -1 ? wrapped(-static_cast<uint64_t>(a)) : a / b;
}
static std::optional<int64_t> flooringDivide(int64_t a, int64_t b) {
  std::optional<int64_t> quotient = truncatingDivide(a, b);
  if (quotient && b != -1 && a % b != 0 && (a < 0) != (b < 0))
    return *quotient - 1;
  return quotient;
}
static std::optional<int64_t> flooringRemainder(int64_t a, int64_t b) {
  if (b == 0)
    return std::nullopt;
  int64_t remainder = b == -1 ? 0 : a % b;
  return remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder;
}
static double flooringRemainder(double a, double b) {
  double remainder = std::fmod(a, b);
  if (remainder != 0 && (remainder < 0) != (b < 0))
    return remainder + b;
  return remainder == 0 ? std::copysign(0.0, b) : remainder;
}
static double maxNan(double a, double b) { return std::isnan(a) || a > b ? a : b; }
static double minNan(double a, double b) { return std::isnan(a) || a < b ? a : b; }

static bool compares(ComparePredicate predicate, double a, double b) {
  switch (predicate) {
  case ComparePredicate::EQ:
    return a == b;
  case ComparePredicate::NE:
    return a != b;
  case ComparePredicate::LT:
    return a < b;
  case ComparePredicate::LE:
    return a <= b;
  case ComparePredicate::GT:
    return a > b;
  case ComparePredicate::GE:
    return a >= b;
  }
  llvm_unreachable("all predicates are handled");
}
static bool comparesIntegers(ComparePredicate predicate, int64_t a, int64_t b) {
  return compares(predicate, static_cast<double>((a > b) - (a < b)), 0);
}

static LogicalResult evaluateCompare(CompareOp op, ReferenceValues &values) {
  const ReferenceTensor &lhs = values[op.getLhs()], &rhs = values[op.getRhs()];
  ReferenceTensor result;
  ReferenceShape shape;
  if (failed(forBroadcast(
          op, lhs, rhs, shape, [&](ReferenceShape &s) { result = ReferenceTensor(elementTypeOf(op.getResult()), s); },
          [&](int64_t at, int64_t l, int64_t r) {
            result.integers[at] = lhs.isFloat() ? compares(op.getPredicate(), lhs.floats[l], rhs.floats[r])
                                                : comparesIntegers(op.getPredicate(), lhs.integers[l], rhs.integers[r]);
          })))
    return failure();
  values.set(op.getResult(), std::move(result));
  return success();
}

static LogicalResult evaluateSelect(SelectOp op, ReferenceValues &values) {
  const ReferenceTensor &condition = values[op.getCondition()];
  const ReferenceTensor &onTrue = values[op.getOnTrue()], &onFalse = values[op.getOnFalse()];
  FailureOr<ReferenceShape> shape = broadcastShapes(onTrue.shape, onFalse.shape);
  if (succeeded(shape))
    shape = broadcastShapes(*shape, condition.shape);
  if (failed(shape))
    return op.emitOpError("operands do not broadcast against each other");
  ReferenceTensor result(elementTypeOf(op.getResult()), *shape);
  forEachIndex(*shape, [&](ArrayRef<int64_t> index, int64_t at) {
    bool chosen = condition.integers[broadcastOffset(condition.shape, index)] != 0;
    const ReferenceTensor &source = chosen ? onTrue : onFalse;
    int64_t offset = broadcastOffset(source.shape, index);
    if (result.isFloat())
      result.floats[at] = source.floats[offset];
    else
      result.integers[at] = source.integers[offset];
  });
  values.set(op.getResult(), std::move(result));
  return success();
}

/// The gated activations: both operands broadcast.
static LogicalResult gate(Operation *op, ReferenceValues &values, llvm::function_ref<double(double)> activation) {
  const ReferenceTensor &gates = values[op->getOperand(0)], &up = values[op->getOperand(1)];
  ReferenceTensor result;
  ReferenceShape shape;
  if (failed(forBroadcast(
          op, gates, up, shape,
          [&](ReferenceShape &s) { result = ReferenceTensor(elementTypeOf(op->getResult(0)), s); },
          [&](int64_t at, int64_t g, int64_t u) { result.floats[at] = activation(gates.floats[g]) * up.floats[u]; })))
    return failure();
  values.set(op->getResult(0), std::move(result));
  return success();
}
static LogicalResult evaluateSwiglu(SwigluOp op, ReferenceValues &values) {
  return gate(op, values, [](double x) { return x * sigmoid(x); });
}
static LogicalResult evaluateGeglu(GegluOp op, ReferenceValues &values) {
  return gate(op, values, [&](double x) { return gelu(x, op.getApproximation()); });
}

/// Pair p of the D/2 pairs is (p, p + D/2) in the half-split form, (2p, 2p + 1) interleaved; it is turned by the angle
/// whose cosine and sine stand at p.
static LogicalResult evaluateRope(RopeOp op, ReferenceValues &values) {
  const ReferenceTensor &input = values[op.getInput()], &cos = values[op.getCos()], &sin = values[op.getSin()];
  int64_t half = input.shape.back() / 2;
  ReferenceTensor result(elementTypeOf(op.getResult()), input.shape);
  forEachIndex(input.shape, [&](ArrayRef<int64_t> index, int64_t at) {
    int64_t d = index.back();
    int64_t pair = op.getInterleaved() ? d / 2 : d % half;
    bool second = op.getInterleaved() ? d % 2 == 1 : d >= half;
    int64_t partner = at + (op.getInterleaved() ? 1 : half) * (second ? -1 : 1);
    ReferenceShape angle(index);
    angle.back() = pair;
    double c = cos.floats[broadcastOffset(cos.shape, angle)], s = sin.floats[broadcastOffset(sin.shape, angle)];
    result.floats[at] = input.floats[at] * c + (second ? s : -s) * input.floats[partner];
  });
  values.set(op.getResult(), std::move(result));
  return success();
}

void addReferencePointwise(ReferenceTable &table) {
  addUnary<AbsOp>(
      table, [](double x) { return std::fabs(x); }, [](int64_t x) { return x < 0 ? wrapped(-uint64_t(x)) : x; });
  addUnary<NegOp>(table, [](double x) { return -x; }, [](int64_t x) { return wrapped(-uint64_t(x)); });
  addUnary<SignOp>(
      table, [](double x) { return x > 0   ? 1.0
                                   : x < 0 ? -1.0
                                           : x; },
      [](int64_t x) { return static_cast<int64_t>((x > 0) - (x < 0)); });
  addUnary<ExpOp>(table, [](double x) { return std::exp(x); });
  addUnary<Exp2Op>(table, [](double x) { return std::exp2(x); });
  addUnary<LogOp>(table, [](double x) { return std::log(x); });
  addUnary<Log2Op>(table, [](double x) { return std::log2(x); });
  addUnary<SqrtOp>(table, [](double x) { return std::sqrt(x); });
  addUnary<RsqrtOp>(table, [](double x) { return 1 / std::sqrt(x); });
  addUnary<ReciprocalOp>(table, [](double x) { return 1 / x; });
  addUnary<SinOp>(table, [](double x) { return std::sin(x); });
  addUnary<CosOp>(table, [](double x) { return std::cos(x); });
  addUnary<TanhOp>(table, [](double x) { return std::tanh(x); });
  addUnary<ErfOp>(table, [](double x) { return std::erf(x); });
  addUnary<FloorOp>(table, [](double x) { return std::floor(x); });
  addUnary<CeilOp>(table, [](double x) { return std::ceil(x); });
  addUnary<RoundOp>(table, [](double x) { return std::nearbyint(x); });
  addUnary<SquareOp>(
      table, [](double x) { return x * x; }, [](int64_t x) { return wrapped(uint64_t(x) * uint64_t(x)); });
  addUnary<ReluOp>(table, [](double x) { return x < 0 ? 0.0 : x; }, [](int64_t x) { return x < 0 ? int64_t{0} : x; });
  addUnary<SigmoidOp>(table, sigmoid);
  addUnary<SiluOp>(table, [](double x) { return x * sigmoid(x); });
  addUnary<SoftplusOp>(table, softplus);
  addUnary<MishOp>(table, [](double x) { return x * std::tanh(softplus(x)); });
  addUnary<HardSigmoidOp>(table, hardSigmoid);
  addUnary<HardSwishOp>(table, [](double x) { return x * hardSigmoid(x); });
  addUnary<QuickGeluOp>(table, [](double x) { return x * sigmoid(1.702 * x); });
  addUnary<LogicalNotOp>(table, nullptr, [](int64_t x) { return static_cast<int64_t>(x == 0); });
  table.add(evaluateGelu);
  table.add(evaluateLeakyRelu);
  table.add(evaluateElu);
  table.add(evaluateClamp);
  table.add(evaluateCast);

  using Optional = std::optional<int64_t>;
  addBinary<AddOp>(
      table, [](double a, double b) { return a + b; },
      [](int64_t a, int64_t b) -> Optional { return wrapped(uint64_t(a) + uint64_t(b)); });
  addBinary<SubOp>(
      table, [](double a, double b) { return a - b; },
      [](int64_t a, int64_t b) -> Optional { return wrapped(uint64_t(a) - uint64_t(b)); });
  addBinary<MulOp>(
      table, [](double a, double b) { return a * b; },
      [](int64_t a, int64_t b) -> Optional { return wrapped(uint64_t(a) * uint64_t(b)); });
  addBinary<DivOp>(table, [](double a, double b) { return a / b; }, truncatingDivide);
  addBinary<FloorDivOp>(table, [](double a, double b) { return std::floor(a / b); }, flooringDivide);
  addBinary<RemOp>(table, flooringRemainder, flooringRemainder);
  addBinary<PowOp>(table, [](double a, double b) { return std::pow(a, b); }, nullptr);
  addBinary<MaxOp>(table, maxNan, [](int64_t a, int64_t b) -> Optional { return std::max(a, b); });
  addBinary<MinOp>(table, minNan, [](int64_t a, int64_t b) -> Optional { return std::min(a, b); });
  addBinary<LogicalAndOp>(table, nullptr, [](int64_t a, int64_t b) -> Optional { return a & b; });
  addBinary<LogicalOrOp>(table, nullptr, [](int64_t a, int64_t b) -> Optional { return a | b; });
  addBinary<LogicalXorOp>(table, nullptr, [](int64_t a, int64_t b) -> Optional { return a ^ b; });
  table.add(evaluateCompare);
  table.add(evaluateSelect);
  table.add(evaluateSwiglu);
  table.add(evaluateGeglu);
  table.add(evaluateRope);
}

} // namespace tenon
