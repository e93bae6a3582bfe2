// Arithmetic on a scalar, or on each lane of a vector, in a form that reads like a formula: what the expansions of math
// and of conversions are written in. Floats are f32, integers i32 unless an operand says otherwise.
#pragma once

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/TypeUtilities.h"

namespace tenon {

class Lanes {
public:
  using Value = mlir::Value;
  using Type = mlir::Type;

  /// Values have the shape of `like`: none, or that of a vector.
  Lanes(mlir::ImplicitLocOpBuilder &b, Type like) : b(b), vector(llvm::dyn_cast<mlir::VectorType>(like)) {}

  Type of(Type element) { return vector ? Type(vector.clone(element)) : element; }
  Value constant(Type element, mlir::TypedAttr value) {
    if (!vector)
      return mlir::arith::ConstantOp::create(b, value);
    return mlir::arith::ConstantOp::create(
        b, mlir::DenseElementsAttr::get(llvm::cast<mlir::ShapedType>(of(element)), mlir::Attribute(value)));
  }
  Value number(double value) { return constant(b.getF32Type(), b.getF32FloatAttr(float(value))); }
  Value integer(int64_t value, unsigned width = 32) {
    Type type = b.getIntegerType(width);
    return constant(type, b.getIntegerAttr(type, mlir::APInt(width, value, /*isSigned=*/true, /*implicitTrunc=*/true)));
  }

  Value add(Value x, Value y) {
    return isFloat(x) ? create<mlir::arith::AddFOp>(x, y) : create<mlir::arith::AddIOp>(x, y);
  }
  Value sub(Value x, Value y) {
    return isFloat(x) ? create<mlir::arith::SubFOp>(x, y) : create<mlir::arith::SubIOp>(x, y);
  }
  Value mul(Value x, Value y) {
    return isFloat(x) ? create<mlir::arith::MulFOp>(x, y) : create<mlir::arith::MulIOp>(x, y);
  }
  /// x * y + z, rounded once.
  Value fma(Value x, Value y, Value z) { return create<mlir::math::FmaOp>(x, y, z); }
  Value abs(Value x) { return create<mlir::math::AbsFOp>(x); }
  Value negate(Value x) { return create<mlir::arith::NegFOp>(x); }
  Value roundEven(Value x) { return create<mlir::math::RoundEvenOp>(x); }
  Value copySign(Value magnitude, Value sign) { return create<mlir::math::CopySignOp>(magnitude, sign); }

  Value bitAnd(Value x, Value y) { return create<mlir::arith::AndIOp>(x, y); }
  Value bitOr(Value x, Value y) { return create<mlir::arith::OrIOp>(x, y); }
  Value bitXor(Value x, Value y) { return create<mlir::arith::XOrIOp>(x, y); }
  Value shiftLeft(Value x, int64_t by) { return create<mlir::arith::ShLIOp>(x, integer(by, width(x))); }
  Value shiftRight(Value x, int64_t by) { return create<mlir::arith::ShRUIOp>(x, integer(by, width(x))); }
  /// The bits of a float as an integer, and back.
  Value bits(Value x) { return cast<mlir::arith::BitcastOp>(x, b.getIntegerType(width(x))); }
  Value fromBits(Value x, Type element) { return cast<mlir::arith::BitcastOp>(x, element); }
  Value fromBits(Value x) { return fromBits(x, b.getF32Type()); }

  template <typename CastOp>
  Value cast(Value x, Type element) {
    return CastOp::create(b, of(element), x);
  }
  Value select(Value condition, Value x, Value y) { return create<mlir::arith::SelectOp>(condition, x, y); }
  Value compare(mlir::arith::CmpFPredicate predicate, Value x, Value y) {
    return mlir::arith::CmpFOp::create(b, predicate, x, y);
  }
  Value compare(mlir::arith::CmpIPredicate predicate, Value x, Value y) {
    return mlir::arith::CmpIOp::create(b, predicate, x, y);
  }
  Value isNan(Value x) { return compare(mlir::arith::CmpFPredicate::UNO, x, x); }

  mlir::ImplicitLocOpBuilder &b;

private:
  static bool isFloat(Value x) { return llvm::isa<mlir::FloatType>(mlir::getElementTypeOrSelf(x)); }
  static unsigned width(Value x) { return mlir::getElementTypeOrSelf(x).getIntOrFloatBitWidth(); }
  template <typename OpT, typename... Operands>
  Value create(Operands... operands) {
    return OpT::create(b, operands...);
  }

  mlir::VectorType vector;
};

} // namespace tenon
