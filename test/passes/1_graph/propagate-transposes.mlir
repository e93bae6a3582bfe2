// Views move down to where they cancel or are absorbed.
// RUN: tenon-opt %s --tenon-propagate-transposes --canonicalize --cse --split-input-file | FileCheck %s
// VALUES: 1e-12

// Through an activation and a sum of two transposed values, until the transpose back.
// CHECK-LABEL: @cancel
// CHECK-SAME: (%[[X:.*]]: tensor<2x3x4xf32>, %[[Y:.*]]: tensor<2x3x4xf32>, %[[B:.*]]: tensor<4xf32>)
// CHECK-NEXT: %[[G:.*]] = tenon.gelu %[[X]]
// CHECK-NEXT: %[[S:.*]] = tenon.add %[[G]], %[[Y]]
// CHECK-NEXT: %[[V:.*]] = tenon.mul %[[S]], %[[B]]
// CHECK-NEXT: return %[[V]]
func.func @cancel(%x: tensor<2x3x4xf32>, %y: tensor<2x3x4xf32>, %b: tensor<4xf32>) -> tensor<2x3x4xf32> {
  %column = tenon.reshape %b : (tensor<4xf32>) -> tensor<4x1xf32>
  %0 = tenon.transpose %x {permutation = array<i64: 0, 2, 1>} : (tensor<2x3x4xf32>) -> tensor<2x4x3xf32>
  %1 = tenon.gelu %0 : (tensor<2x4x3xf32>) -> tensor<2x4x3xf32>
  %2 = tenon.transpose %y {permutation = array<i64: 0, 2, 1>} : (tensor<2x3x4xf32>) -> tensor<2x4x3xf32>
  %3 = tenon.add %1, %2 : (tensor<2x4x3xf32>, tensor<2x4x3xf32>) -> tensor<2x4x3xf32>
  %4 = tenon.mul %3, %column : (tensor<2x4x3xf32>, tensor<4x1xf32>) -> tensor<2x4x3xf32>
  %5 = tenon.transpose %4 {permutation = array<i64: 0, 2, 1>} : (tensor<2x4x3xf32>) -> tensor<2x3x4xf32>
  return %5 : tensor<2x3x4xf32>
}

// -----

// Llama's query: the transpose ends at attention, the tables get a size of 1 for the heads.
// CHECK-LABEL: @rope
// CHECK-SAME: (%[[X:.*]]: tensor<?x?x4x8xf32> {{.*}}, %[[C:.*]]: tensor<?x8xf32>
// CHECK: %[[T:.*]] = tenon.reshape %[[C]] : (tensor<?x8xf32>) -> tensor<?x1x8xf32>
// CHECK: %[[R:.*]] = tenon.rope %[[X]], %[[T]], %[[T]]
// CHECK: %[[Q:.*]] = tenon.transpose %[[R]] {permutation = array<i64: 0, 2, 1, 3>}
// CHECK: tenon.attention %[[Q]]
func.func @rope(%x: tensor<?x?x4x8xf32> {tenon.dims = ["batch", "seq", "", ""]}, %c: tensor<?x8xf32> {tenon.dims = ["seq", ""]}) -> tensor<?x4x?x8xf32> {
  %0 = tenon.transpose %x {permutation = array<i64: 0, 2, 1, 3>} : (tensor<?x?x4x8xf32>) -> tensor<?x4x?x8xf32>
  %1 = tenon.rope %0, %c, %c : (tensor<?x4x?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x4x?x8xf32>
  %2 = tenon.attention %1, %1, %1 : (tensor<?x4x?x8xf32>, tensor<?x4x?x8xf32>, tensor<?x4x?x8xf32>) -> tensor<?x4x?x8xf32>
  return %2 : tensor<?x4x?x8xf32>
}

// -----

// A product takes transposes of its operands and of its result; what moves the batch is left.
// CHECK-LABEL: @matmul
// CHECK-SAME: (%[[A:.*]]: tensor<2x8x3xf32>, %[[B:.*]]: tensor<5x2x8xf32>)
// CHECK-NEXT: %[[L:.*]] = tenon.transpose %[[B]] {permutation = array<i64: 1, 0, 2>}
// CHECK-NEXT: %[[R:.*]] = tenon.matmul %[[L]], %[[A]] : (tensor<2x5x8xf32>, tensor<2x8x3xf32>) -> tensor<2x5x3xf32>
// CHECK-NEXT: return %[[R]]
func.func @matmul(%a: tensor<2x8x3xf32>, %b: tensor<5x2x8xf32>) -> tensor<2x5x3xf32> {
  %0 = tenon.transpose %a {permutation = array<i64: 0, 2, 1>} : (tensor<2x8x3xf32>) -> tensor<2x3x8xf32>
  %1 = tenon.transpose %b {permutation = array<i64: 1, 2, 0>} : (tensor<5x2x8xf32>) -> tensor<2x8x5xf32>
  %2 = tenon.matmul %0, %1 : (tensor<2x3x8xf32>, tensor<2x8x5xf32>) -> tensor<2x3x5xf32>
  %3 = tenon.transpose %2 {permutation = array<i64: 0, 2, 1>} : (tensor<2x3x5xf32>) -> tensor<2x5x3xf32>
  return %3 : tensor<2x5x3xf32>
}

// -----

// The scale of a query joins the product before the heads are cut; norms of rows that stay rows; ones move for free.
// CHECK-LABEL: @reshapes_and_rows
// CHECK: %[[L:.*]] = tenon.linear
// CHECK: %[[S:.*]] = tenon.mul %[[L]]
// CHECK: %[[H:.*]] = tenon.reshape %[[S]] : (tensor<2x5x8xf32>) -> tensor<2x5x2x4xf32>
// CHECK: %[[N:.*]] = tenon.rms_norm %[[H]]
// CHECK: tenon.transpose %[[N]]
// CHECK: tenon.reshape %{{.*}} : (tensor<2x1x5xf32>) -> tensor<2x5x1xf32>
func.func @reshapes_and_rows(%x: tensor<2x5x8xf32>, %w: tensor<8x8xf32>, %o: tensor<2x1x5xf32>) -> (tensor<2x2x5x4xf32>, tensor<2x5x1xf32>) {
  %half = tenon.constant dense<0.5> : tensor<f32>
  %0 = tenon.linear %x, %w : (tensor<2x5x8xf32>, tensor<8x8xf32>) -> tensor<2x5x8xf32>
  %1 = tenon.reshape %0 : (tensor<2x5x8xf32>) -> tensor<2x5x2x4xf32>
  %2 = tenon.transpose %1 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<2x5x2x4xf32>) -> tensor<2x2x5x4xf32>
  %3 = tenon.mul %2, %half : (tensor<2x2x5x4xf32>, tensor<f32>) -> tensor<2x2x5x4xf32>
  %4 = tenon.rms_norm %3 {epsilon = 0.5 : f64} : (tensor<2x2x5x4xf32>) -> tensor<2x2x5x4xf32>
  %5 = tenon.transpose %o {permutation = array<i64: 0, 2, 1>} : (tensor<2x1x5xf32>) -> tensor<2x5x1xf32>
  return %4, %5 : tensor<2x2x5x4xf32>, tensor<2x5x1xf32>
}

// -----

// Another operand would have to be transposed instead; others read the transpose; the rows themselves are.
// CHECK-LABEL: @negative_pointwise
// CHECK-COUNT-3: tenon.transpose
// CHECK: tenon.rms_norm
func.func @negative_pointwise(%x: tensor<3x4xf32>, %y: tensor<4x3xf32>) -> (tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>) {
  %0 = tenon.transpose %x {permutation = array<i64: 1, 0>} : (tensor<3x4xf32>) -> tensor<4x3xf32>
  %1 = tenon.add %0, %y : (tensor<4x3xf32>, tensor<4x3xf32>) -> tensor<4x3xf32>
  %e = tenon.exp %x : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %2 = tenon.transpose %e {permutation = array<i64: 1, 0>} : (tensor<3x4xf32>) -> tensor<4x3xf32>
  %3 = tenon.gelu %2 : (tensor<4x3xf32>) -> tensor<4x3xf32>
  %f = tenon.sin %x : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %4 = tenon.transpose %f {permutation = array<i64: 1, 0>} : (tensor<3x4xf32>) -> tensor<4x3xf32>
  %5 = tenon.rms_norm %4 {epsilon = 0.5 : f64} : (tensor<4x3xf32>) -> tensor<4x3xf32>
  return %1, %2, %3, %5 : tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>
}

// -----

// Attention writes through the transpose and the reshape after it.
// CHECK-LABEL: @negative_attention_writes
// CHECK: tenon.attention
// CHECK-NEXT: tenon.transpose
// CHECK-NEXT: tenon.reshape
// CHECK-NEXT: tenon.gelu
func.func @negative_attention_writes(%x: tensor<2x4x5x8xf32>) -> tensor<2x5x32xf32> {
  %0 = tenon.attention %x, %x, %x : (tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>) -> tensor<2x4x5x8xf32>
  %1 = tenon.transpose %0 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<2x4x5x8xf32>) -> tensor<2x5x4x8xf32>
  %2 = tenon.reshape %1 : (tensor<2x5x4x8xf32>) -> tensor<2x5x32xf32>
  %3 = tenon.gelu %2 : (tensor<2x5x32xf32>) -> tensor<2x5x32xf32>
  return %3 : tensor<2x5x32xf32>
}

// -----

// Of a chain of readers each frees the next: more rounds than the rewriter takes by itself.
// CHECK-LABEL: @each_frees_the_next
// CHECK: %[[S:.*]] = tenon.add {{.*}} -> tensor<3x4xf32>
// CHECK-NEXT: tenon.transpose %[[S]]
// CHECK-NOT: tenon.add
func.func @each_frees_the_next(%x: tensor<3x4xf32>) -> (tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>,
  tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>) {
  %t0 = tenon.transpose %x {permutation = array<i64: 1, 0>} : (tensor<3x4xf32>) -> tensor<4x3xf32>
  %t1 = tenon.transpose %x {permutation = array<i64: 1, 0>} : (tensor<3x4xf32>) -> tensor<4x3xf32>
  %t2 = tenon.transpose %x {permutation = array<i64: 1, 0>} : (tensor<3x4xf32>) -> tensor<4x3xf32>
  %t3 = tenon.transpose %x {permutation = array<i64: 1, 0>} : (tensor<3x4xf32>) -> tensor<4x3xf32>
  %t4 = tenon.transpose %x {permutation = array<i64: 1, 0>} : (tensor<3x4xf32>) -> tensor<4x3xf32>
  %t5 = tenon.transpose %x {permutation = array<i64: 1, 0>} : (tensor<3x4xf32>) -> tensor<4x3xf32>
  %t6 = tenon.transpose %x {permutation = array<i64: 1, 0>} : (tensor<3x4xf32>) -> tensor<4x3xf32>
  %t7 = tenon.transpose %x {permutation = array<i64: 1, 0>} : (tensor<3x4xf32>) -> tensor<4x3xf32>
  %t8 = tenon.transpose %x {permutation = array<i64: 1, 0>} : (tensor<3x4xf32>) -> tensor<4x3xf32>
  %t9 = tenon.transpose %x {permutation = array<i64: 1, 0>} : (tensor<3x4xf32>) -> tensor<4x3xf32>
  %t10 = tenon.transpose %x {permutation = array<i64: 1, 0>} : (tensor<3x4xf32>) -> tensor<4x3xf32>
  %t11 = tenon.transpose %x {permutation = array<i64: 1, 0>} : (tensor<3x4xf32>) -> tensor<4x3xf32>
  %t12 = tenon.transpose %x {permutation = array<i64: 1, 0>} : (tensor<3x4xf32>) -> tensor<4x3xf32>
  %1 = tenon.add %t0, %t1 : (tensor<4x3xf32>, tensor<4x3xf32>) -> tensor<4x3xf32>
  %2 = tenon.add %t1, %t2 : (tensor<4x3xf32>, tensor<4x3xf32>) -> tensor<4x3xf32>
  %3 = tenon.add %t2, %t3 : (tensor<4x3xf32>, tensor<4x3xf32>) -> tensor<4x3xf32>
  %4 = tenon.add %t3, %t4 : (tensor<4x3xf32>, tensor<4x3xf32>) -> tensor<4x3xf32>
  %5 = tenon.add %t4, %t5 : (tensor<4x3xf32>, tensor<4x3xf32>) -> tensor<4x3xf32>
  %6 = tenon.add %t5, %t6 : (tensor<4x3xf32>, tensor<4x3xf32>) -> tensor<4x3xf32>
  %7 = tenon.add %t6, %t7 : (tensor<4x3xf32>, tensor<4x3xf32>) -> tensor<4x3xf32>
  %8 = tenon.add %t7, %t8 : (tensor<4x3xf32>, tensor<4x3xf32>) -> tensor<4x3xf32>
  %9 = tenon.add %t8, %t9 : (tensor<4x3xf32>, tensor<4x3xf32>) -> tensor<4x3xf32>
  %10 = tenon.add %t9, %t10 : (tensor<4x3xf32>, tensor<4x3xf32>) -> tensor<4x3xf32>
  %11 = tenon.add %t10, %t11 : (tensor<4x3xf32>, tensor<4x3xf32>) -> tensor<4x3xf32>
  %12 = tenon.add %t11, %t12 : (tensor<4x3xf32>, tensor<4x3xf32>) -> tensor<4x3xf32>
  return %t12, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12
      : tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>,
        tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>
}
