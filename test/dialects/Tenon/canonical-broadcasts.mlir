// Ops that broadcast read the small tensor, not a written-out copy of it.
// RUN: tenon-opt %s --canonicalize --cse --split-input-file | FileCheck %s

// CHECK-LABEL: @small_operands
// CHECK-SAME: (%[[X:.*]]: tensor<2x?x3xf32>, %[[B:.*]]: tensor<3xf32>, %[[M:.*]]: tensor<2x1x1xi1>, %{{.*}}: tensor<i64>)
// CHECK: %[[C:.*]] = tenon.constant dense<5.000000e-01> : tensor<f32>
// CHECK: %[[S:.*]] = tenon.add %[[X]], %[[B]]
// CHECK: %[[P:.*]] = tenon.mul %[[S]], %[[C]]
// CHECK: tenon.select %[[M]], %[[P]], %[[C]]
func.func @small_operands(%x: tensor<2x?x3xf32>, %b: tensor<3xf32>, %m: tensor<2x1x1xi1>, %n: tensor<i64>) -> tensor<2x?x3xf32> {
  %0 = tenon.reshape %b : (tensor<3xf32>) -> tensor<1x1x3xf32>
  %1 = tenon.add %x, %0 : (tensor<2x?x3xf32>, tensor<1x1x3xf32>) -> tensor<2x?x3xf32>
  %c = tenon.constant dense<0.5> : tensor<2x1x3xf32>
  %2 = tenon.mul %1, %c : (tensor<2x?x3xf32>, tensor<2x1x3xf32>) -> tensor<2x?x3xf32>
  %e = tenon.expand %m, %n : (tensor<2x1x1xi1>, tensor<i64>) -> tensor<2x?x3xi1>
  %3 = tenon.select %e, %2, %c : (tensor<2x?x3xi1>, tensor<2x?x3xf32>, tensor<2x1x3xf32>) -> tensor<2x?x3xf32>
  return %3 : tensor<2x?x3xf32>
}

// -----

// The written-out operand alone gives the result its shape.
// CHECK-LABEL: @negative_shape_depends
// CHECK: tenon.reshape
// CHECK: tenon.mul
// CHECK: tenon.expand
// CHECK: tenon.softmax
func.func @negative_shape_depends(%b: tensor<3xf32>) -> (tensor<1x3xf32>, tensor<2x3xf32>) {
  %0 = tenon.reshape %b : (tensor<3xf32>) -> tensor<1x3xf32>
  %1 = tenon.mul %0, %b : (tensor<1x3xf32>, tensor<3xf32>) -> tensor<1x3xf32>
  %2 = tenon.expand %b : (tensor<3xf32>) -> tensor<2x3xf32>
  %3 = tenon.softmax %2 {axis = 0 : i64} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %1, %3 : tensor<1x3xf32>, tensor<2x3xf32>
}

// -----

// What is done for each copy is done once, before it is copied.
// CHECK-LABEL: @expands_sink
// CHECK-SAME: (%[[M:.*]]: tensor<?x1x1x?xi1>, %[[N:.*]]: tensor<i64>, %[[S:.*]]: tensor<i64>)
// CHECK: %[[F:.*]] = tenon.select %[[M]], %{{.*}}, %{{.*}} : (tensor<?x1x1x?xi1>, tensor<f32>, tensor<f32>) -> tensor<?x1x1x?xf32>
// CHECK: %[[C:.*]] = tenon.cast %[[F]]
// CHECK: %[[E:.*]] = tenon.expand %[[C]], {{.*}} -> tensor<?x1x?x?xf16>
// CHECK: return %[[E]]
func.func @expands_sink(%m: tensor<?x1x1x?xi1>, %n: tensor<i64>, %s: tensor<i64>) -> tensor<?x1x?x?xf16> {
  %zero = tenon.constant dense<0.0> : tensor<f32>
  %low = tenon.constant dense<-1.0> : tensor<f32>
  %0 = tenon.expand %m, %n, %s, %s : (tensor<?x1x1x?xi1>, tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?x1x?x?xi1>
  %1 = tenon.select %0, %zero, %low : (tensor<?x1x?x?xi1>, tensor<f32>, tensor<f32>) -> tensor<?x1x?x?xf32>
  %2 = tenon.cast %1 : (tensor<?x1x?x?xf32>) -> tensor<?x1x?x?xf16>
  return %2 : tensor<?x1x?x?xf16>
}

// -----

// CHECK-LABEL: @mask_is_not_written_out
// CHECK-SAME: %[[M:[a-z0-9]+]]: tensor<2x1x1x5xi1>
// CHECK: tenon.attention %{{.*}}, %{{.*}}, %{{.*}} mask(%[[M]])
func.func @mask_is_not_written_out(%q: tensor<2x4x5x8xf32>, %m: tensor<2x1x1x5xi1>) -> tensor<2x4x5x8xf32> {
  %0 = tenon.expand %m : (tensor<2x1x1x5xi1>) -> tensor<2x1x5x5xi1>
  %1 = tenon.attention %q, %q, %q mask(%0) : (tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<2x1x5x5xi1>) -> tensor<2x4x5x8xf32>
  return %1 : tensor<2x4x5x8xf32>
}

// -----

// "and true" with a true of another shape repeats its operand; the sizes are those of the operands.
// CHECK-LABEL: @neutral_but_larger
// CHECK-SAME: (%[[M:.*]]: tensor<?x1x1xi1>, %[[S:.*]]: tensor<i64>)
// CHECK: %[[N:.*]] = tenon.dim %[[M]] {axis = 0 : i64}
// CHECK: %[[E:.*]] = tenon.expand %[[M]], %[[N]], %[[S]] : (tensor<?x1x1xi1>, tensor<i64>, tensor<i64>) -> tensor<?x?x1xi1>
// CHECK: return %[[E]]
func.func @neutral_but_larger(%m: tensor<?x1x1xi1>, %s: tensor<i64>) -> tensor<?x?x1xi1> {
  %t = tenon.constant dense<true> : tensor<i1>
  %0 = tenon.expand %t, %s : (tensor<i1>, tensor<i64>) -> tensor<?x1xi1>
  %1 = tenon.logical_and %0, %m : (tensor<?x1xi1>, tensor<?x1x1xi1>) -> tensor<?x?x1xi1>
  return %1 : tensor<?x?x1xi1>
}

// -----

// One matrix for the whole batch, as exporters write a linear by bmm; a row repeated to a matrix is read as one.
// CHECK-LABEL: @matrix_for_the_batch
// CHECK-SAME: (%[[X:.*]]: tensor<?x5x8xf32>, %[[W:.*]]: tensor<8x4xf32>, %[[R:.*]]: tensor<1x4xf32>, %{{.*}}: tensor<i64>)
// CHECK: tenon.matmul %[[X]], %[[W]] : (tensor<?x5x8xf32>, tensor<8x4xf32>) -> tensor<?x5x4xf32>
// CHECK: %[[E:.*]] = tenon.expand %[[R]]
// CHECK: tenon.matmul %[[X]], %[[E]]
func.func @matrix_for_the_batch(%x: tensor<?x5x8xf32>, %w: tensor<8x4xf32>, %r: tensor<1x4xf32>, %n: tensor<i64>) -> (tensor<?x5x4xf32>, tensor<?x5x4xf32>) {
  %0 = tenon.expand %w, %n : (tensor<8x4xf32>, tensor<i64>) -> tensor<?x8x4xf32>
  %1 = tenon.matmul %x, %0 : (tensor<?x5x8xf32>, tensor<?x8x4xf32>) -> tensor<?x5x4xf32>
  %2 = tenon.expand %r : (tensor<1x4xf32>) -> tensor<8x4xf32>
  %3 = tenon.matmul %x, %2 : (tensor<?x5x8xf32>, tensor<8x4xf32>) -> tensor<?x5x4xf32>
  return %1, %3 : tensor<?x5x4xf32>, tensor<?x5x4xf32>
}

// -----

// A leading one that was dropped comes back by broadcasting.
// CHECK-LABEL: @add_without_batch
// CHECK-SAME: (%[[X:.*]]: tensor<1x4x3xf32>, %[[Y:.*]]: tensor<1x4x3xf32>)
// CHECK-NEXT: %[[R:.*]] = tenon.add %[[X]], %[[Y]]
// CHECK-NEXT: return %[[R]]
func.func @add_without_batch(%x: tensor<1x4x3xf32>, %y: tensor<1x4x3xf32>) -> tensor<1x4x3xf32> {
  %0 = tenon.reshape %x : (tensor<1x4x3xf32>) -> tensor<4x3xf32>
  %1 = tenon.add %0, %y : (tensor<4x3xf32>, tensor<1x4x3xf32>) -> tensor<1x4x3xf32>
  return %1 : tensor<1x4x3xf32>
}

// -----

// A view of the result's whole shape that others read stays the same value for all of them; where it is broadcast, or
// nobody else reads it, there is less without it.
// CHECK-LABEL: @views_of_rows
// CHECK-SAME: (%[[X:.*]]: tensor<4x3xf32>, %[[Y:.*]]: tensor<1x4x3xf32>, %[[Z:.*]]: tensor<2x4x3xf32>)
// CHECK: %[[V:.*]] = tenon.reshape %[[X]] : (tensor<4x3xf32>) -> tensor<1x4x3xf32>
// CHECK: tenon.add %[[V]], %[[Y]]
// CHECK: tenon.add %[[X]], %[[Z]]
func.func @views_of_rows(%x: tensor<4x3xf32>, %y: tensor<1x4x3xf32>, %z: tensor<2x4x3xf32>) -> (tensor<1x4x3xf32>, tensor<1x4x3xf32>, tensor<2x4x3xf32>) {
  %0 = tenon.reshape %x : (tensor<4x3xf32>) -> tensor<1x4x3xf32>
  %1 = tenon.add %0, %y : (tensor<1x4x3xf32>, tensor<1x4x3xf32>) -> tensor<1x4x3xf32>
  %2 = tenon.exp %0 : (tensor<1x4x3xf32>) -> tensor<1x4x3xf32>
  %3 = tenon.add %0, %z : (tensor<1x4x3xf32>, tensor<2x4x3xf32>) -> tensor<2x4x3xf32>
  return %1, %2, %3 : tensor<1x4x3xf32>, tensor<1x4x3xf32>, tensor<2x4x3xf32>
}

// -----

// What is repeated once has another shape.
// CHECK-LABEL: @repeated_once
// CHECK: tenon.reshape %{{.*}} : (tensor<i64>) -> tensor<1x1xi64>
// CHECK-NOT: tenon.expand
func.func @repeated_once(%p: tensor<i64>) -> tensor<1x1xi64> {
  %0 = tenon.expand %p : (tensor<i64>) -> tensor<1x1xi64>
  return %0 : tensor<1x1xi64>
}
