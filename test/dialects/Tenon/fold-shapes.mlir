// Data movement that moves nothing, and movement after movement that is one; what only looks so is @negative_.
// RUN: tenon-opt %s --canonicalize --split-input-file | FileCheck %s

// CHECK-LABEL: @reshapes
// CHECK-SAME: (%[[X:.*]]: tensor<2x6xf32>, %[[D:.*]]: tensor<?x6xf32>)
// CHECK-NEXT: %[[F:.*]] = tenon.reshape %[[X]] : (tensor<2x6xf32>) -> tensor<12xf32>
// CHECK-NEXT: return %[[X]], %[[F]], %[[D]]
func.func @reshapes(%x: tensor<2x6xf32>, %d: tensor<?x6xf32>) -> (tensor<2x6xf32>, tensor<12xf32>, tensor<?x6xf32>) {
  %0 = tenon.reshape %x : (tensor<2x6xf32>) -> tensor<2x6xf32>
  %1 = tenon.reshape %x : (tensor<2x6xf32>) -> tensor<3x4xf32>
  %2 = tenon.reshape %1 : (tensor<3x4xf32>) -> tensor<12xf32>
  %3 = tenon.reshape %d : (tensor<?x6xf32>) -> tensor<?x2x3xf32>
  %4 = tenon.reshape %3 : (tensor<?x2x3xf32>) -> tensor<?x6xf32>
  return %0, %2, %4 : tensor<2x6xf32>, tensor<12xf32>, tensor<?x6xf32>
}

// -----

// One unknown size is what the others leave.
// CHECK-LABEL: @reshape_needs_no_size
// CHECK-SAME: (%[[X:.*]]: tensor<?x?x4xf32>)
// CHECK-NEXT: %[[R:.*]] = tenon.reshape %[[X]] : (tensor<?x?x4xf32>) -> tensor<?x4xf32>
func.func @reshape_needs_no_size(%x: tensor<?x?x4xf32>) -> tensor<?x4xf32> {
  %a = tenon.dim %x {axis = 0 : i64} : (tensor<?x?x4xf32>) -> tensor<i64>
  %b = tenon.dim %x {axis = 1 : i64} : (tensor<?x?x4xf32>) -> tensor<i64>
  %n = tenon.mul %a, %b : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %0 = tenon.reshape %x, %n : (tensor<?x?x4xf32>, tensor<i64>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// -----

// Two unknown sizes may be exchanged.
// CHECK-LABEL: @negative_reshape_two_sizes
// CHECK: tenon.reshape
func.func @negative_reshape_two_sizes(%x: tensor<?x?x4xf32>, %n: tensor<i64>, %m: tensor<i64>) -> tensor<?x?x4xf32> {
  %0 = tenon.reshape %x, %n, %m : (tensor<?x?x4xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x4xf32>
  return %0 : tensor<?x?x4xf32>
}

// -----

// CHECK-LABEL: @reshape_of_constant
// CHECK: tenon.constant dense<{{\[}}[1, 2], [3, 4]{{\]}}> : tensor<2x2xi64>
// CHECK: tenon.constant dense<7> : tensor<3x2xi64>
// CHECK-NEXT: return
func.func @reshape_of_constant() -> (tensor<2x2xi64>, tensor<3x2xi64>) {
  %c = tenon.constant dense<[1, 2, 3, 4]> : tensor<4xi64>
  %s = tenon.constant dense<7> : tensor<2x3xi64>
  %0 = tenon.reshape %c : (tensor<4xi64>) -> tensor<2x2xi64>
  %1 = tenon.transpose %s {permutation = array<i64: 1, 0>} : (tensor<2x3xi64>) -> tensor<3x2xi64>
  return %0, %1 : tensor<2x2xi64>, tensor<3x2xi64>
}

// -----

// CHECK-LABEL: @transposes
// CHECK-SAME: (%[[X:.*]]: tensor<2x3x4xf32>)
// CHECK-NEXT: %[[T:.*]] = tenon.transpose %[[X]] {permutation = array<i64: 2, 0, 1>}
// CHECK-NEXT: return %[[X]], %[[T]], %[[X]]
func.func @transposes(%x: tensor<2x3x4xf32>) -> (tensor<2x3x4xf32>, tensor<4x2x3xf32>, tensor<2x3x4xf32>) {
  %0 = tenon.transpose %x {permutation = array<i64: 0, 1, 2>} : (tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
  %1 = tenon.transpose %x {permutation = array<i64: 0, 2, 1>} : (tensor<2x3x4xf32>) -> tensor<2x4x3xf32>
  %2 = tenon.transpose %1 {permutation = array<i64: 1, 0, 2>} : (tensor<2x4x3xf32>) -> tensor<4x2x3xf32>
  %3 = tenon.transpose %1 {permutation = array<i64: 0, 2, 1>} : (tensor<2x4x3xf32>) -> tensor<2x3x4xf32>
  return %0, %2, %3 : tensor<2x3x4xf32>, tensor<4x2x3xf32>, tensor<2x3x4xf32>
}

// -----

// A permutation that only looks like none: the sizes are equal.
// CHECK-LABEL: @negative_transpose_square
// CHECK: tenon.transpose
func.func @negative_transpose_square(%x: tensor<3x3xf32>) -> tensor<3x3xf32> {
  %0 = tenon.transpose %x {permutation = array<i64: 1, 0>} : (tensor<3x3xf32>) -> tensor<3x3xf32>
  return %0 : tensor<3x3xf32>
}

// -----

// CHECK-LABEL: @expands
// CHECK-SAME: (%[[X:.*]]: tensor<1x?x4xf32>, %[[N:.*]]: tensor<i64>, %[[M:.*]]: tensor<i64>)
// CHECK-NEXT: %[[B:.*]] = tenon.expand %[[X]], %[[N]], %[[M]] : (tensor<1x?x4xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x4xf32>
// CHECK-NEXT: %[[S:.*]] = tenon.expand %[[X]] : (tensor<1x?x4xf32>) -> tensor<2x?x4xf32>
// CHECK-NEXT: return %[[X]], %[[B]], %[[S]]
func.func @expands(%x: tensor<1x?x4xf32>, %n: tensor<i64>, %m: tensor<i64>) -> (tensor<1x?x4xf32>, tensor<?x?x4xf32>, tensor<2x?x4xf32>) {
  %0 = tenon.expand %x, %m : (tensor<1x?x4xf32>, tensor<i64>) -> tensor<1x?x4xf32>
  %1 = tenon.expand %x, %n, %m : (tensor<1x?x4xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x4xf32>
  %2 = tenon.expand %1 : (tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
  %3 = tenon.expand %x, %m : (tensor<1x?x4xf32>, tensor<i64>) -> tensor<2x?x4xf32>
  return %0, %2, %3 : tensor<1x?x4xf32>, tensor<?x?x4xf32>, tensor<2x?x4xf32>
}

// -----

// CHECK-LABEL: @slices
// CHECK-SAME: (%[[X:.*]]: tensor<4x?xf32>)
// CHECK-NEXT: %[[S:.*]] = tenon.slice %[[X]] {ends = array<i64: 3, 9223372036854775807>, starts = array<i64: 1, 2>, steps = array<i64: 1, 2>}
// CHECK-NEXT: return %[[X]], %[[S]]
func.func @slices(%x: tensor<4x?xf32>) -> (tensor<4x?xf32>, tensor<2x?xf32>) {
  %0 = tenon.slice %x {starts = array<i64: 0, 0>, ends = array<i64: 4, 9223372036854775807>, steps = array<i64: 1, 1>} : (tensor<4x?xf32>) -> tensor<4x?xf32>
  %1 = tenon.slice %x {starts = array<i64: 1, 0>, ends = array<i64: 3, 9223372036854775807>, steps = array<i64: 1, 1>} : (tensor<4x?xf32>) -> tensor<2x?xf32>
  %2 = tenon.slice %1 {starts = array<i64: 0, 2>, ends = array<i64: 9223372036854775807, 9223372036854775807>, steps = array<i64: 1, 2>} : (tensor<2x?xf32>) -> tensor<2x?xf32>
  return %0, %2 : tensor<4x?xf32>, tensor<2x?xf32>
}

// -----

// Reversed bounds, a step, an end that may be short of the size, and two slices of one dimension.
// CHECK-LABEL: @negative_slices
// CHECK-COUNT-4: tenon.slice
func.func @negative_slices(%x: tensor<4x?xf32>) -> (tensor<2x?xf32>, tensor<4x?xf32>, tensor<1x?xf32>) {
  %0 = tenon.slice %x {starts = array<i64: 0, 0>, ends = array<i64: 4, 9223372036854775807>, steps = array<i64: 2, 1>} : (tensor<4x?xf32>) -> tensor<2x?xf32>
  %1 = tenon.slice %x {starts = array<i64: 0, 0>, ends = array<i64: 4, 3>, steps = array<i64: 1, 1>} : (tensor<4x?xf32>) -> tensor<4x?xf32>
  %2 = tenon.slice %x {starts = array<i64: 1, 0>, ends = array<i64: 3, 9223372036854775807>, steps = array<i64: 1, 1>} : (tensor<4x?xf32>) -> tensor<2x?xf32>
  %3 = tenon.slice %2 {starts = array<i64: 1, 0>, ends = array<i64: 2, 9223372036854775807>, steps = array<i64: 1, 1>} : (tensor<2x?xf32>) -> tensor<1x?xf32>
  return %0, %1, %3 : tensor<2x?xf32>, tensor<4x?xf32>, tensor<1x?xf32>
}

// -----

// CHECK-LABEL: @joins_and_cuts
// CHECK-SAME: (%[[X:.*]]: tensor<2x6xf32>, %[[E:.*]]: tensor<2x0xf32>, %[[Y:.*]]: tensor<2x1xf32>)
// CHECK-NEXT: %[[J:.*]] = tenon.concat %[[X]], %[[Y]] {axis = 1 : i64}
// CHECK-NEXT: return %[[X]], %[[X]], %[[X]], %[[X]], %[[Y]], %[[J]]
func.func @joins_and_cuts(%x: tensor<2x6xf32>, %e: tensor<2x0xf32>, %y: tensor<2x1xf32>) -> (tensor<2x6xf32>, tensor<2x6xf32>, tensor<2x6xf32>, tensor<2x6xf32>, tensor<2x1xf32>, tensor<2x7xf32>) {
  %0 = tenon.concat %x {axis = 1 : i64} : (tensor<2x6xf32>) -> tensor<2x6xf32>
  %1 = tenon.split %x {axis = 1 : i64, sizes = array<i64: 6>} : (tensor<2x6xf32>) -> tensor<2x6xf32>
  %a, %b = tenon.split %x {axis = 1 : i64, sizes = array<i64: 4, 2>} : (tensor<2x6xf32>) -> (tensor<2x4xf32>, tensor<2x2xf32>)
  %2 = tenon.concat %a, %b {axis = 1 : i64} : (tensor<2x4xf32>, tensor<2x2xf32>) -> tensor<2x6xf32>
  %3 = tenon.concat %x, %e, %y {axis = 1 : i64} : (tensor<2x6xf32>, tensor<2x0xf32>, tensor<2x1xf32>) -> tensor<2x7xf32>
  %c, %d = tenon.split %3 {axis = 1 : i64, sizes = array<i64: 6, 1>} : (tensor<2x7xf32>) -> (tensor<2x6xf32>, tensor<2x1xf32>)
  return %0, %1, %2, %c, %d, %3 : tensor<2x6xf32>, tensor<2x6xf32>, tensor<2x6xf32>, tensor<2x6xf32>, tensor<2x1xf32>, tensor<2x7xf32>
}

// -----

// Pieces joined in another order, or cut elsewhere.
// CHECK-LABEL: @negative_joins_and_cuts
// CHECK: tenon.split
// CHECK: tenon.concat
// CHECK: tenon.split
func.func @negative_joins_and_cuts(%x: tensor<6xf32>) -> (tensor<6xf32>, tensor<4xf32>) {
  %a, %b = tenon.split %x {axis = 0 : i64, sizes = array<i64: 3, 3>} : (tensor<6xf32>) -> (tensor<3xf32>, tensor<3xf32>)
  %0 = tenon.concat %b, %a {axis = 0 : i64} : (tensor<3xf32>, tensor<3xf32>) -> tensor<6xf32>
  %c, %d = tenon.split %0 {axis = 0 : i64, sizes = array<i64: 4, 2>} : (tensor<6xf32>) -> (tensor<4xf32>, tensor<2xf32>)
  return %0, %c : tensor<6xf32>, tensor<4xf32>
}

// -----

// A sum of one float is not that float: 0.0 + -0.0 is 0.0.
// CHECK-LABEL: @reduces_singles
// CHECK-SAME: (%[[X:.*]]: tensor<3x1xf32>, %[[I:.*]]: tensor<3x1xi32>)
// CHECK-NEXT: %[[S:.*]] = tenon.reduce_sum %[[X]]
// CHECK-NEXT: return %[[X]], %[[I]], %[[S]], %[[X]]
func.func @reduces_singles(%x: tensor<3x1xf32>, %i: tensor<3x1xi32>) -> (tensor<3x1xf32>, tensor<3x1xi32>, tensor<3x1xf32>, tensor<3x1xf32>) {
  %0 = tenon.reduce_max %x {axes = array<i64: 1>, keep_dims} : (tensor<3x1xf32>) -> tensor<3x1xf32>
  %1 = tenon.reduce_sum %i {axes = array<i64: 1>, keep_dims} : (tensor<3x1xi32>) -> tensor<3x1xi32>
  %2 = tenon.reduce_sum %x {axes = array<i64: 1>, keep_dims} : (tensor<3x1xf32>) -> tensor<3x1xf32>
  %3 = tenon.pad %x {low = array<i64: 0, 0>, high = array<i64: 0, 0>, value = 1.0 : f64} : (tensor<3x1xf32>) -> tensor<3x1xf32>
  return %0, %1, %2, %3 : tensor<3x1xf32>, tensor<3x1xi32>, tensor<3x1xf32>, tensor<3x1xf32>
}

// -----

// CHECK-LABEL: @sums_of_nothing_new
// CHECK-SAME: (%[[I:.*]]: tensor<3x1xi64>, %[[X:.*]]: tensor<3x1xf32>)
// CHECK-DAG: %[[Z:.*]] = tenon.constant dense<0> : tensor<2xi64>
// CHECK-DAG: %[[S:.*]] = tenon.cumsum %[[X]]
// CHECK: return %[[I]], %[[Z]], %[[S]]
func.func @sums_of_nothing_new(%i: tensor<3x1xi64>, %x: tensor<3x1xf32>) -> (tensor<3x1xi64>, tensor<2xi64>, tensor<3x1xf32>) {
  %z = tenon.constant dense<0> : tensor<2xi64>
  %0 = tenon.cumsum %i {axis = 1 : i64} : (tensor<3x1xi64>) -> tensor<3x1xi64>
  %1 = tenon.cumsum %z {axis = 0 : i64} : (tensor<2xi64>) -> tensor<2xi64>
  %2 = tenon.cumsum %x {axis = 1 : i64} : (tensor<3x1xf32>) -> tensor<3x1xf32>
  return %0, %1, %2 : tensor<3x1xi64>, tensor<2xi64>, tensor<3x1xf32>
}
