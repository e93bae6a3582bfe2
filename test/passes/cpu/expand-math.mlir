// In: math ops. Out: machine instructions stay, the rest are calls of the C library.
// RUN: tenon-opt %s --tenon-cpu-expand-math | FileCheck %s

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
