// Identities of pointwise ops; the functions named @negative_ hold what only looks like one.
// RUN: tenon-opt %s --canonicalize --cse --split-input-file | FileCheck %s

// CHECK-LABEL: @neutral_operands
// CHECK-SAME: (%[[X:.*]]: tensor<2x3xf32>)
// CHECK-NEXT: return %[[X]], %[[X]], %[[X]], %[[X]], %[[X]], %[[X]], %[[X]]
func.func @neutral_operands(%x: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>) {
  %nz = tenon.constant dense<-0.0> : tensor<f32>
  %z = tenon.constant dense<0.0> : tensor<1x3xf32>
  %one = tenon.constant dense<1.0> : tensor<2x3xf32>
  %inf = tenon.constant dense<0x7F800000> : tensor<f32>
  %ninf = tenon.constant dense<0xFF800000> : tensor<f32>
  %0 = tenon.add %nz, %x : (tensor<f32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %1 = tenon.sub %x, %z : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>
  %2 = tenon.mul %x, %one : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %3 = tenon.div %x, %one : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %4 = tenon.pow %x, %one : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %5 = tenon.max %x, %ninf : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %6 = tenon.min %inf, %x : (tensor<f32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0, %1, %2, %3, %4, %5, %6 : tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>
}

// -----

// x + 0.0 makes 0.0 of -0.0, x * 0.0 keeps NaN, Inf - Inf and NaN == NaN are no constants, floor changes 1.5.
// CHECK-LABEL: @negative_signed_zero_and_nan
// CHECK: tenon.add
// CHECK: tenon.mul
// CHECK: tenon.sub
// CHECK: tenon.compare
// CHECK: tenon.floor_div
func.func @negative_signed_zero_and_nan(%x: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xi1>, tensor<3xf32>) {
  %z = tenon.constant dense<0.0> : tensor<f32>
  %one = tenon.constant dense<1.0> : tensor<f32>
  %0 = tenon.add %x, %z : (tensor<3xf32>, tensor<f32>) -> tensor<3xf32>
  %1 = tenon.mul %x, %z : (tensor<3xf32>, tensor<f32>) -> tensor<3xf32>
  %2 = tenon.sub %x, %x : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  %3 = tenon.compare %x, %x {predicate = #tenon.compare<eq>} : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xi1>
  %4 = tenon.floor_div %x, %one : (tensor<3xf32>, tensor<f32>) -> tensor<3xf32>
  return %0, %1, %2, %3, %4 : tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xi1>, tensor<3xf32>
}

// -----

// CHECK-LABEL: @integers
// CHECK-SAME: (%[[X:.*]]: tensor<3xi64>)
// CHECK-DAG: %[[ZERO:.*]] = tenon.constant dense<0> : tensor<3xi64>
// CHECK-DAG: %[[TRUE:.*]] = tenon.constant dense<true> : tensor<3xi1>
// CHECK: return %[[X]], %[[ZERO]], %[[ZERO]], %[[X]], %[[TRUE]]
func.func @integers(%x: tensor<3xi64>) -> (tensor<3xi64>, tensor<3xi64>, tensor<3xi64>, tensor<3xi64>, tensor<3xi1>) {
  %z = tenon.constant dense<0> : tensor<i64>
  %one = tenon.constant dense<1> : tensor<i64>
  %0 = tenon.add %x, %z : (tensor<3xi64>, tensor<i64>) -> tensor<3xi64>
  %1 = tenon.sub %x, %x : (tensor<3xi64>, tensor<3xi64>) -> tensor<3xi64>
  %2 = tenon.mul %x, %z : (tensor<3xi64>, tensor<i64>) -> tensor<3xi64>
  %3 = tenon.floor_div %x, %one : (tensor<3xi64>, tensor<i64>) -> tensor<3xi64>
  %4 = tenon.compare %x, %x {predicate = #tenon.compare<le>} : (tensor<3xi64>, tensor<3xi64>) -> tensor<3xi1>
  return %0, %1, %2, %3, %4 : tensor<3xi64>, tensor<3xi64>, tensor<3xi64>, tensor<3xi64>, tensor<3xi1>
}

// -----

// CHECK-LABEL: @booleans
// CHECK-SAME: (%[[A:.*]]: tensor<3xi1>)
// CHECK-DAG: %[[FALSE:.*]] = tenon.constant dense<false> : tensor<3xi1>
// CHECK-DAG: %[[TRUE:.*]] = tenon.constant dense<true> : tensor<3xi1>
// CHECK: return %[[A]], %[[FALSE]], %[[TRUE]], %[[A]], %[[FALSE]], %[[A]]
func.func @booleans(%a: tensor<3xi1>) -> (tensor<3xi1>, tensor<3xi1>, tensor<3xi1>, tensor<3xi1>, tensor<3xi1>, tensor<3xi1>) {
  %t = tenon.constant dense<true> : tensor<i1>
  %f = tenon.constant dense<false> : tensor<i1>
  %0 = tenon.logical_and %a, %t : (tensor<3xi1>, tensor<i1>) -> tensor<3xi1>
  %1 = tenon.logical_and %a, %f : (tensor<3xi1>, tensor<i1>) -> tensor<3xi1>
  %2 = tenon.logical_or %t, %a : (tensor<i1>, tensor<3xi1>) -> tensor<3xi1>
  %3 = tenon.logical_xor %a, %f : (tensor<3xi1>, tensor<i1>) -> tensor<3xi1>
  %4 = tenon.logical_xor %a, %a : (tensor<3xi1>, tensor<3xi1>) -> tensor<3xi1>
  %5 = tenon.logical_not %a : (tensor<3xi1>) -> tensor<3xi1>
  %6 = tenon.logical_not %5 : (tensor<3xi1>) -> tensor<3xi1>
  return %0, %1, %2, %3, %4, %6 : tensor<3xi1>, tensor<3xi1>, tensor<3xi1>, tensor<3xi1>, tensor<3xi1>, tensor<3xi1>
}

// -----

// CHECK-LABEL: @select_of_known
// CHECK-SAME: (%[[C:.*]]: tensor<2xi1>, %[[X:.*]]: tensor<2xf32>, %[[Y:.*]]: tensor<2xf32>)
// CHECK: return %[[X]], %[[Y]], %[[X]]
func.func @select_of_known(%c: tensor<2xi1>, %x: tensor<2xf32>, %y: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) {
  %t = tenon.constant dense<true> : tensor<i1>
  %f = tenon.constant dense<false> : tensor<2xi1>
  %0 = tenon.select %t, %x, %y : (tensor<i1>, tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %1 = tenon.select %f, %x, %y : (tensor<2xi1>, tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %2 = tenon.select %c, %x, %x : (tensor<2xi1>, tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %0, %1, %2 : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}

// -----

// A cast there and on is one cast where the first loses nothing.
// CHECK-LABEL: @cast_chains
// CHECK-SAME: (%[[X:.*]]: tensor<4xf16>, %[[I:.*]]: tensor<4xi32>, %[[B:.*]]: tensor<4xi1>)
// CHECK-NEXT: %[[F64:.*]] = tenon.cast %[[X]] : (tensor<4xf16>) -> tensor<4xf64>
// CHECK-NEXT: %[[I8:.*]] = tenon.cast %[[I]] : (tensor<4xi32>) -> tensor<4xi8>
// CHECK-NEXT: return %[[X]], %[[F64]], %[[X]], %[[I8]], %[[B]]
func.func @cast_chains(%x: tensor<4xf16>, %i: tensor<4xi32>, %b: tensor<4xi1>) -> (tensor<4xf16>, tensor<4xf64>, tensor<4xf16>, tensor<4xi8>, tensor<4xi1>) {
  %0 = tenon.cast %x : (tensor<4xf16>) -> tensor<4xf16>
  %1 = tenon.cast %x : (tensor<4xf16>) -> tensor<4xf32>
  %2 = tenon.cast %1 : (tensor<4xf32>) -> tensor<4xf64>
  %3 = tenon.cast %1 : (tensor<4xf32>) -> tensor<4xf16>
  %4 = tenon.cast %i : (tensor<4xi32>) -> tensor<4xi64>
  %5 = tenon.cast %4 : (tensor<4xi64>) -> tensor<4xi8>
  %6 = tenon.cast %b : (tensor<4xi1>) -> tensor<4xbf16>
  %7 = tenon.cast %6 : (tensor<4xbf16>) -> tensor<4xi1>
  return %0, %2, %3, %5, %7 : tensor<4xf16>, tensor<4xf64>, tensor<4xf16>, tensor<4xi8>, tensor<4xi1>
}

// -----

// bf16 has fewer digits than f16, f16 less range; i64 does not fit a double.
// CHECK-LABEL: @negative_lossy_casts
// CHECK-COUNT-6: tenon.cast
func.func @negative_lossy_casts(%x: tensor<4xf16>, %y: tensor<4xbf16>, %i: tensor<4xi64>) -> (tensor<4xf16>, tensor<4xbf16>, tensor<4xi64>) {
  %0 = tenon.cast %x : (tensor<4xf16>) -> tensor<4xbf16>
  %1 = tenon.cast %0 : (tensor<4xbf16>) -> tensor<4xf16>
  %2 = tenon.cast %y : (tensor<4xbf16>) -> tensor<4xf16>
  %3 = tenon.cast %2 : (tensor<4xf16>) -> tensor<4xbf16>
  %4 = tenon.cast %i : (tensor<4xi64>) -> tensor<4xf64>
  %5 = tenon.cast %4 : (tensor<4xf64>) -> tensor<4xi64>
  return %1, %3, %5 : tensor<4xf16>, tensor<4xbf16>, tensor<4xi64>
}

// -----

// CHECK-LABEL: @inverses_and_idempotents
// CHECK-SAME: (%[[X:.*]]: tensor<3xf32>)
// CHECK-DAG: %[[ABS:.*]] = tenon.abs %[[X]]
// CHECK-DAG: %[[FLOOR:.*]] = tenon.floor %[[X]]
// CHECK-DAG: %[[RELU:.*]] = tenon.relu %[[X]]
// CHECK: return %[[X]], %[[ABS]], %[[ABS]], %[[FLOOR]], %[[RELU]], %[[X]], %[[X]]
func.func @inverses_and_idempotents(%x: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) {
  %0 = tenon.neg %x : (tensor<3xf32>) -> tensor<3xf32>
  %1 = tenon.neg %0 : (tensor<3xf32>) -> tensor<3xf32>
  %2 = tenon.abs %x : (tensor<3xf32>) -> tensor<3xf32>
  %3 = tenon.abs %2 : (tensor<3xf32>) -> tensor<3xf32>
  %4 = tenon.abs %0 : (tensor<3xf32>) -> tensor<3xf32>
  %5 = tenon.floor %x : (tensor<3xf32>) -> tensor<3xf32>
  %6 = tenon.floor %5 : (tensor<3xf32>) -> tensor<3xf32>
  %7 = tenon.relu %x : (tensor<3xf32>) -> tensor<3xf32>
  %8 = tenon.relu %7 : (tensor<3xf32>) -> tensor<3xf32>
  %9 = tenon.clamp %x {low = 0xFFF0000000000000 : f64, high = 0x7FF0000000000000 : f64} : (tensor<3xf32>) -> tensor<3xf32>
  %10 = tenon.max %x, %x : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return %1, %3, %4, %6, %8, %9, %10 : tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>
}
