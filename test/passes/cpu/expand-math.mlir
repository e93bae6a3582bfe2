// In: math ops. Out: f32 as polynomials; machine instructions stay, the rest are calls of the C library.
// RUN: tenon-opt %s --tenon-cpu-expand-math | FileCheck %s

// NaN passes both clamps: it is not less and not greater. 2^n comes out of the bits of the sum.
// CHECK-LABEL: func.func @exp_of_a_vector
// CHECK: arith.cmpf olt, %{{.*}} : vector<16xf32>
// CHECK: arith.cmpf ogt, %{{.*}} : vector<16xf32>
// CHECK: %[[MOVED:.*]] = math.fma
// CHECK: arith.subf %[[MOVED]]
// CHECK: %[[BITS:.*]] = arith.bitcast %[[MOVED]] : vector<16xf32> to vector<16xi32>
// CHECK: arith.shli %[[BITS]]
// CHECK-COUNT-8: math.fma
// CHECK: arith.mulf
// CHECK-NOT: math.exp
// CHECK-NOT: call
func.func @exp_of_a_vector(%x: vector<16xf32>) -> vector<16xf32> {
  %0 = math.exp %x : vector<16xf32>
  return %0 : vector<16xf32>
}

// CHECK-LABEL: func.func @all_of_f32
// CHECK-NOT: call
// CHECK-NOT: scf
// CHECK: return
func.func @all_of_f32(%x: f32) -> f32 {
  %0 = math.exp2 %x : f32
  %1 = math.expm1 %0 : f32
  %2 = math.log %1 : f32
  %3 = math.log2 %2 : f32
  %4 = math.log1p %3 : f32
  %5 = math.tanh %4 : f32
  %6 = math.erf %5 : f32
  return %6 : f32
}

// CHECK-LABEL: func.func @double_precision
// CHECK: call @exp(
// CHECK: call @erf(
// CHECK: call @pow(
// CHECK: call @log1p(
func.func @double_precision(%x: f64) -> f64 {
  %0 = math.exp %x : f64
  %1 = math.erf %0 : f64
  %2 = math.powf %1, %x : f64
  %3 = math.log1p %2 : f64
  return %3 : f64
}

// A vector is one call an element.
// CHECK-LABEL: func.func @sine_of_a_vector
// CHECK-COUNT-4: call @sinf(
// CHECK-NOT: call @sinf(
func.func @sine_of_a_vector(%x: vector<4xf32>) -> vector<4xf32> {
  %0 = math.sin %x : vector<4xf32>
  return %0 : vector<4xf32>
}

// CHECK-LABEL: func.func @negative_instructions
// CHECK: math.sqrt
// CHECK: math.roundeven
// CHECK: math.fma
func.func @negative_instructions(%x: vector<8xf32>) -> vector<8xf32> {
  %0 = math.sqrt %x : vector<8xf32>
  %1 = math.roundeven %0 : vector<8xf32>
  %2 = math.fma %1, %x, %x : vector<8xf32>
  return %2 : vector<8xf32>
}

// NaN in the accumulated left operand is what the comparison falls back to; one in the other is put back.
// CHECK-LABEL: func.func @maximum
// CHECK-SAME: (%[[SOFAR:.*]]: vector<16xf32>, %[[X:.*]]: vector<16xf32>)
// CHECK: %[[WINS:.*]] = arith.cmpf ogt, %[[X]], %[[SOFAR]]
// CHECK: %[[MAX:.*]] = arith.select %[[WINS]], %[[X]], %[[SOFAR]]
// CHECK: %[[NAN:.*]] = arith.cmpf uno, %[[X]], %[[X]]
// CHECK: arith.select %[[NAN]], %[[X]], %[[MAX]]
func.func @maximum(%so_far: vector<16xf32>, %x: vector<16xf32>) -> vector<16xf32> {
  %0 = arith.maximumf %so_far, %x : vector<16xf32>
  return %0 : vector<16xf32>
}

// A constant on either side: one comparison does.
// CHECK-LABEL: func.func @clamp
// CHECK-SAME: (%[[X:.*]]: f64)
// CHECK: %[[LOW:.*]] = arith.cmpf ogt, %[[ZERO:.*]], %[[X]]
// CHECK: %[[R:.*]] = arith.select %[[LOW]], %[[ZERO]], %[[X]]
// CHECK: %[[HIGH:.*]] = arith.cmpf olt, %[[SIX:.*]], %[[R]]
// CHECK: arith.select %[[HIGH]], %[[SIX]], %[[R]]
// CHECK-NOT: uno
func.func @clamp(%x: f64) -> f64 {
  %zero = arith.constant 0.0 : f64
  %six = arith.constant 6.0 : f64
  %0 = arith.maximumf %x, %zero : f64
  %1 = arith.minimumf %six, %0 : f64
  return %1 : f64
}
