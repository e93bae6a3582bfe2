// What a score weighs in an attention, where no type has all the powers that there may be.
#pragma once

#include "lib/Arithmetic/Lanes.h"

namespace tenon {

/// Weights below 2 to this are 0 to an f64, and so count as 0; those that only an f32 rounds to 0 do not.
constexpr double lowestLogarithm = -1075;

/// e to a score less the largest of its row. A soft cap makes finite scores of infinite ones, and those may be so far
/// apart that an f32 has no power where an f64 has: its product with an infinite value shall be infinite, not NaN.
inline mlir::Value powerOfScore(mlir::ImplicitLocOpBuilder &b, mlir::Value distance, bool isCapped) {
  mlir::Value power = mlir::math::ExpOp::create(b, distance);
  if (!isCapped || mlir::getElementTypeOrSelf(power).isF64())
    return power;
  Lanes l(b, distance.getType());
  mlir::Value isSome =
      l.compare(mlir::arith::CmpFPredicate::OGE, distance, l.number(lowestLogarithm * 0.6931471805599453));
  mlir::Value smallest = l.number(std::numeric_limits<float>::denorm_min());
  return l.select(isSome, mlir::arith::MaximumFOp::create(b, power, smallest), power);
}

} // namespace tenon
