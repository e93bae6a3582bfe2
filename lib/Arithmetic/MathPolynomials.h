// Elementary functions of f32 as straight-line arithmetic: the same operations for every lane, no branch, no table, no
// division but in log1p and tanh. Bounds are of the largest error over the whole range, in units of the last place of
// the result (test/unit/math-test.cpp holds each to it):
//   exp, exp2 1.0; expm1 1.6; log 1.0; log2 1.5; log1p 1.6; tanh 2.5; erf 4.0
// NaN gives NaN, and the infinities, zeros and signed zeros what IEEE 754 and the C library say. Where a result would
// be less than 2^-125, exp and exp2 give 0; denormal arguments count as they are.
#pragma once

#include "lib/Arithmetic/Lanes.h"

namespace tenon {

mlir::Value expPolynomial(Lanes &l, mlir::Value x);
mlir::Value exp2Polynomial(Lanes &l, mlir::Value x);
mlir::Value expm1Polynomial(Lanes &l, mlir::Value x);
mlir::Value logPolynomial(Lanes &l, mlir::Value x);
mlir::Value log2Polynomial(Lanes &l, mlir::Value x);
mlir::Value log1pPolynomial(Lanes &l, mlir::Value x);
mlir::Value tanhPolynomial(Lanes &l, mlir::Value x);
mlir::Value erfPolynomial(Lanes &l, mlir::Value x);
/// With an absolute error of a unit of the last place of 1: as gelu needs it.
mlir::Value erfcPolynomial(Lanes &l, mlir::Value x);

} // namespace tenon
