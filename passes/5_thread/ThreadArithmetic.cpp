// Arithmetic on fragments, register by register.
#include "passes/5_thread/ThreadEmitter.h"

#include "dialects/Ptx/Ptx.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::warp;

/// Two neighbours are rounded by one instruction.
static SmallVector<Value> truncatePairs(ImplicitLocOpBuilder &b, ArrayRef<Value> from, Type to) {
  auto wide = VectorType::get(2, from.front().getType()), narrow = VectorType::get(2, to);
  Value zero = LLVM::ConstantOp::create(b, b.getI32Type(), 0), one = LLVM::ConstantOp::create(b, b.getI32Type(), 1);
  SmallVector<Value> results;
  for (size_t index = 0; index < from.size(); index += 2) {
    Value pair = LLVM::PoisonOp::create(b, wide);
    pair = LLVM::InsertElementOp::create(b, pair, from[index], zero);
    pair = LLVM::InsertElementOp::create(b, pair, from[index + 1], one);
    Value rounded = arith::TruncFOp::create(b, narrow, pair);
    results.push_back(LLVM::ExtractElementOp::create(b, rounded, zero));
    results.push_back(LLVM::ExtractElementOp::create(b, rounded, one));
  }
  return results;
}

/// What is brought into the range of the 8-bit float first, from both sides in either order; null where it is not.
static Value clampedTo(FloatType type, Value tile) {
  double largest = APFloat::getLargest(type.getFloatSemantics()).convertToDouble();
  bool isBelow = false, isAbove = false;
  for (Operation *op = tile.getDefiningOp(); isa_and_nonnull<arith::MinimumFOp, arith::MaximumFOp>(op);
       op = tile.getDefiningOp()) {
    bool isMinimum = isa<arith::MinimumFOp>(op);
    SplatElementsAttr limit;
    if (!matchPattern(op->getOperand(1), m_Constant(&limit)) ||
        limit.getSplatValue<APFloat>().convertToDouble() != (isMinimum ? largest : -largest))
      break;
    (isMinimum ? isBelow : isAbove) = true;
    tile = op->getOperand(0);
  }
  return isBelow && isAbove ? tile : Value();
}

/// Two neighbours by one instruction, which also brings them into range. Two pairs are a word, as Tensor Cores take
/// them.
static SmallVector<Value> truncateToFloat8(ImplicitLocOpBuilder &b, ArrayRef<Value> from, Type to) {
  const size_t pairs = from.size() % 4 == 0 ? 2 : 1;
  auto word = VectorType::get(pairs, b.getI16Type()), bytes = VectorType::get(2 * pairs, b.getI8Type());
  auto place = [&](size_t number) { return LLVM::ConstantOp::create(b, b.getI32Type(), int64_t(number)); };
  SmallVector<Value> results;
  for (size_t index = 0; index < from.size(); index += 2 * pairs) {
    Value joined = LLVM::PoisonOp::create(b, word);
    for (size_t pair = 0; pair < pairs; ++pair) {
      Value rounded = ptx::CvtF8Op::create(b, b.getI16Type(), from[index + 2 * pair + 1], from[index + 2 * pair], to);
      joined = LLVM::InsertElementOp::create(b, joined, rounded, place(pair));
    }
    joined = LLVM::BitcastOp::create(b, bytes, joined);
    for (size_t number = 0; number < 2 * pairs; ++number)
      results.push_back(arith::BitcastOp::create(b, to, LLVM::ExtractElementOp::create(b, joined, place(number))));
  }
  return results;
}

static bool isFloat8(Type element) { return isa<Float8E4M3FNType, Float8E5M2Type>(element); }

LogicalResult ThreadEmitter::emitPointwise(Operation *op) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  Type element = registerType(type.getElementType());
  int64_t count = layoutOf(type).getNumRegisters();
  SmallVector<Value> results;
  Value clamped;
  if (isFloat8(element) && isa<arith::TruncFOp>(op) && hasFloat8 && count % 2 == 0 &&
      getElementTypeOrSelf(op->getOperand(0).getType()).isF32())
    clamped = clampedTo(cast<FloatType>(element), op->getOperand(0));
  if (auto widened = dyn_cast<arith::ExtFOp>(op); widened && element.isF16() && hasFloat8 && count % 4 == 0 &&
                                                  isFloat8(getElementTypeOrSelf(widened.getIn().getType()))) {
    results = widenFloat8(valuesOf(widened.getIn()), getElementTypeOrSelf(widened.getIn().getType()));
  } else if (clamped) {
    results = truncateToFloat8(b, valuesOf(clamped), element);
  } else if (isa<arith::TruncFOp>(op) && (element.isF16() || element.isBF16()) && count % 2 == 0 &&
             cast<RankedTensorType>(op->getOperand(0).getType()).getElementType().isF32()) {
    results = truncatePairs(b, valuesOf(op->getOperand(0)), element);
  } else if (isa<arith::IndexCastOp, arith::IndexCastUIOp>(op)) {
    // Positions are i32 here, so that this is a change of width.
    for (Value value : valuesOf(op->getOperand(0))) {
      unsigned from = value.getType().getIntOrFloatBitWidth(), to = element.getIntOrFloatBitWidth();
      if (from < to)
        value = isa<arith::IndexCastOp>(op) ? arith::ExtSIOp::create(b, element, value).getResult()
                                            : arith::ExtUIOp::create(b, element, value).getResult();
      else if (from > to)
        value = arith::TruncIOp::create(b, element, value);
      results.push_back(value);
    }
  } else {
    for (int64_t index = 0; index < count; ++index) {
      SmallVector<Value> operands;
      for (Value operand : op->getOperands())
        operands.push_back(isa<RankedTensorType>(operand.getType()) ? valuesOf(operand)[index] : scalarOf(operand));
      if (Value value = approximate(op, operands)) {
        results.push_back(value);
        continue;
      }
      OperationState state(b.getLoc(), op->getName(), operands, element, op->getAttrs());
      results.push_back(b.create(state)->getResult(0));
    }
  }
  values[op->getResult(0)] = results;
  return success();
}
