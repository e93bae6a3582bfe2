// Identities of the pointwise ops, each exact: signed zeros, NaN and Inf included.
// What is not here is missing on purpose: x + 0.0 turns -0.0 into 0.0, x * 0.0 keeps NaN, x - x of an Inf is NaN. A
// fold gives a value only where its type is the result's: broadcasting, too, is something that the op does.
#include "dialects/Tenon/ConstantValues.h"
#include "dialects/Tenon/Tenon.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace tenon;

static constexpr double infinity = std::numeric_limits<double>::infinity();

static bool isInteger(Value value) { return elementOf(value).isInteger(); }

/// `value` where it can stand for the op's result as it is.
template <typename OpT>
static OpFoldResult instead(OpT op, Value value) {
  return value.getType() == op.getType() ? OpFoldResult(value) : OpFoldResult();
}
/// A number in every element of the op's result, where that has a static shape.
template <typename OpT>
static OpFoldResult number(OpT op, double number) {
  auto type = cast<RankedTensorType>(op.getType());
  return type.hasStaticShape() ? OpFoldResult(splatAttr(type, number)) : OpFoldResult();
}
/// Of a commutative op: the operand that is not `neutral` in every element.
template <typename OpT>
static OpFoldResult withoutNeutral(OpT op, double neutral) {
  if (isSplat(op.getRhs(), neutral))
    if (OpFoldResult lhs = instead(op, op.getLhs()))
      return lhs;
  return isSplat(op.getLhs(), neutral) ? instead(op, op.getRhs()) : OpFoldResult();
}
/// Whether either operand of a commutative op is this number everywhere.
template <typename OpT>
static bool has(OpT op, double number) {
  return isSplat(op.getLhs(), number) || isSplat(op.getRhs(), number);
}

// -0.0 is the zero that changes nothing: -0.0 + 0.0 is 0.0.
OpFoldResult AddOp::fold(FoldAdaptor) { return withoutNeutral(*this, isInteger(getLhs()) ? 0.0 : -0.0); }

OpFoldResult SubOp::fold(FoldAdaptor) {
  if (isInteger(getLhs()) && getLhs() == getRhs())
    return number(*this, 0);
  return isSplat(getRhs(), 0.0) ? instead(*this, getLhs()) : OpFoldResult();
}

OpFoldResult MulOp::fold(FoldAdaptor) {
  if (isInteger(getLhs()) && has(*this, 0))
    return number(*this, 0);
  return withoutNeutral(*this, 1);
}

OpFoldResult DivOp::fold(FoldAdaptor) { return isSplat(getRhs(), 1) ? instead(*this, getLhs()) : OpFoldResult(); }

OpFoldResult FloorDivOp::fold(FoldAdaptor) {
  return isInteger(getLhs()) && isSplat(getRhs(), 1) ? instead(*this, getLhs()) : OpFoldResult();
}

OpFoldResult PowOp::fold(FoldAdaptor) {
  if (isSplat(getRhs(), 0.0) || isSplat(getRhs(), -0.0) || isSplat(getLhs(), 1))
    return number(*this, 1);
  return isSplat(getRhs(), 1) ? instead(*this, getLhs()) : OpFoldResult();
}

OpFoldResult MaxOp::fold(FoldAdaptor) {
  if (getLhs() == getRhs())
    return instead(*this, getLhs());
  return isInteger(getLhs()) ? OpFoldResult() : withoutNeutral(*this, -infinity);
}

OpFoldResult MinOp::fold(FoldAdaptor) {
  if (getLhs() == getRhs())
    return instead(*this, getLhs());
  return isInteger(getLhs()) ? OpFoldResult() : withoutNeutral(*this, infinity);
}

OpFoldResult LogicalAndOp::fold(FoldAdaptor) {
  if (has(*this, 0))
    return number(*this, 0);
  return getLhs() == getRhs() ? instead(*this, getLhs()) : withoutNeutral(*this, 1);
}

OpFoldResult LogicalOrOp::fold(FoldAdaptor) {
  if (has(*this, 1))
    return number(*this, 1);
  return getLhs() == getRhs() ? instead(*this, getLhs()) : withoutNeutral(*this, 0);
}

OpFoldResult LogicalXorOp::fold(FoldAdaptor) {
  if (getLhs() == getRhs())
    return number(*this, 0);
  return withoutNeutral(*this, 0);
}

OpFoldResult CompareOp::fold(FoldAdaptor) {
  // A float may be NaN, which differs from itself.
  if (getLhs() != getRhs() || !isInteger(getLhs()))
    return {};
  switch (getPredicate()) {
  case ComparePredicate::EQ:
  case ComparePredicate::LE:
  case ComparePredicate::GE:
    return number(*this, 1);
  case ComparePredicate::NE:
  case ComparePredicate::LT:
  case ComparePredicate::GT:
    return number(*this, 0);
  }
  llvm_unreachable("all predicates are handled");
}

OpFoldResult SelectOp::fold(FoldAdaptor) {
  if (getOnTrue() == getOnFalse())
    return instead(*this, getOnTrue());
  std::optional<int64_t> condition = integerSplat(getCondition());
  return condition ? instead(*this, *condition ? getOnTrue() : getOnFalse()) : OpFoldResult();
}

/// Whether every value of `from` is one of `to`, so that a cast there and on loses nothing.
static bool isLossless(Type from, Type to) {
  if (from == to || from.isInteger(1))
    return true;
  if (auto toInteger = dyn_cast<IntegerType>(to))
    return from.isInteger() && from.getIntOrFloatBitWidth() <= toInteger.getWidth() && toInteger.getWidth() > 1;
  const llvm::fltSemantics &wide = cast<FloatType>(to).getFloatSemantics();
  if (auto fromInteger = dyn_cast<IntegerType>(from)) // its magnitude is at most 2^(width - 1)
    return APFloat::semanticsPrecision(wide) >= fromInteger.getWidth() - 1 &&
           APFloat::semanticsMaxExponent(wide) >= int(fromInteger.getWidth()) - 1;
  return APFloat::isRepresentableBy(cast<FloatType>(from).getFloatSemantics(), wide) &&
         APFloat::semanticsHasInf(cast<FloatType>(from).getFloatSemantics()) <= APFloat::semanticsHasInf(wide);
}

OpFoldResult CastOp::fold(FoldAdaptor) {
  if (getInput().getType() == getType())
    return getInput();
  auto inner = getInput().getDefiningOp<CastOp>();
  if (!inner || !isLossless(elementOf(inner.getInput()), elementOf(inner.getResult())))
    return {};
  if (inner.getInput().getType() == getType())
    return inner.getInput();
  getInputMutable().assign(inner.getInput());
  return getResult();
}

OpFoldResult AbsOp::fold(FoldAdaptor) {
  if (getInput().getDefiningOp<AbsOp>())
    return instead(*this, getInput());
  auto neg = getInput().getDefiningOp<NegOp>();
  if (!neg)
    return {};
  getInputMutable().assign(neg.getInput());
  return getResult();
}

/// Of an op that changes nothing the second time.
template <typename OpT>
static OpFoldResult onceIsEnough(OpT op) {
  return op.getInput().template getDefiningOp<OpT>() ? instead(op, op.getInput()) : OpFoldResult();
}
/// Of an op that is its own inverse.
template <typename OpT>
static OpFoldResult twiceIsNothing(OpT op) {
  auto inner = op.getInput().template getDefiningOp<OpT>();
  return inner ? instead(op, inner.getInput()) : OpFoldResult();
}

OpFoldResult NegOp::fold(FoldAdaptor) { return twiceIsNothing(*this); }
OpFoldResult LogicalNotOp::fold(FoldAdaptor) { return twiceIsNothing(*this); }
OpFoldResult SignOp::fold(FoldAdaptor) { return onceIsEnough(*this); }
OpFoldResult FloorOp::fold(FoldAdaptor) { return onceIsEnough(*this); }
OpFoldResult CeilOp::fold(FoldAdaptor) { return onceIsEnough(*this); }
OpFoldResult RoundOp::fold(FoldAdaptor) { return onceIsEnough(*this); }
OpFoldResult ReluOp::fold(FoldAdaptor) { return onceIsEnough(*this); }

OpFoldResult ClampOp::fold(FoldAdaptor) {
  bool open = getLow().convertToDouble() == -infinity && getHigh().convertToDouble() == infinity;
  return open ? instead(*this, getInput()) : OpFoldResult();
}
