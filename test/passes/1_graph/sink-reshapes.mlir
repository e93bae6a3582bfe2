// Flattening reshapes sink below what treats the flattened dimensions alike, and cancel.
// RUN: tenon-opt %s --tenon-sink-reshapes --canonicalize --cse --split-input-file | FileCheck %s
// VALUES: 1e-12

// Rows of a product, its activation and the residual, all under [batch, seq, 8].
// CHECK-LABEL: @rows
// CHECK-SAME: (%[[X:.*]]: tensor<?x?x8xf32>
// CHECK: %[[L:.*]] = tenon.linear %[[X]], %{{.*}} : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
// CHECK: %[[S:.*]] = tenon.add %[[L]], %{{.*}} : (tensor<?x?x8xf32>, tensor<8xf32>)
// CHECK: %[[G:.*]] = tenon.gelu %[[S]]
// CHECK: %[[R:.*]] = tenon.add %[[G]], %[[X]]
// CHECK: return %[[R]]
func.func @rows(%x: tensor<?x?x8xf32> {tenon.dims = ["batch", "seq", ""]}) -> tensor<?x?x8xf32> {
  %w = tenon.weight "w" : tensor<8x8xf32>
  %c = tenon.weight "c" : tensor<8xf32>
  %b = tenon.dim %x {axis = 0 : i64} : (tensor<?x?x8xf32>) -> tensor<i64>
  %s = tenon.dim %x {axis = 1 : i64} : (tensor<?x?x8xf32>) -> tensor<i64>
  %0 = tenon.reshape %x : (tensor<?x?x8xf32>) -> tensor<?x8xf32>
  %1 = tenon.linear %0, %w : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %2 = tenon.add %1, %c : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %3 = tenon.gelu %2 : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %4 = tenon.reshape %3, %b, %s : (tensor<?x8xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x8xf32>
  %5 = tenon.add %4, %x : (tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  return %5 : tensor<?x?x8xf32>
}

// -----

// Joined heads flattened to rows at once: the heads are joined first, as the product needs its whole row.
// CHECK-LABEL: @joined_heads
// CHECK: %[[J:.*]] = tenon.reshape %{{.*}} : (tensor<?x?x2x4xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x8xf32>
// CHECK: %[[L:.*]] = tenon.linear %[[J]]
// CHECK: tenon.layer_norm %[[L]]
// CHECK-NOT: tenon.reshape
func.func @joined_heads(%x: tensor<?x?x2x4xf32> {tenon.dims = ["batch", "seq", "", ""]}) -> tensor<?x?x8xf32> {
  %w = tenon.weight "w" : tensor<8x8xf32>
  %b = tenon.dim %x {axis = 0 : i64} : (tensor<?x?x2x4xf32>) -> tensor<i64>
  %s = tenon.dim %x {axis = 1 : i64} : (tensor<?x?x2x4xf32>) -> tensor<i64>
  %0 = tenon.reshape %x : (tensor<?x?x2x4xf32>) -> tensor<?x8xf32>
  %1 = tenon.linear %0, %w : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %2 = tenon.layer_norm %1 {epsilon = 1.0e-5 : f64} : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %3 = tenon.reshape %2, %b, %s : (tensor<?x8xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x8xf32>
  return %3 : tensor<?x?x8xf32>
}

// -----

// Attention by batched products of [batch * heads, ..]; two query heads read each value head, which was repeated.
// CHECK-LABEL: @batched_heads
// CHECK-SAME: (%[[Q:.*]]: tensor<?x4x?x8xf32> {{.*}}, %[[K:.*]]: tensor<?x4x8x?xf32> {{.*}}, %[[V:.*]]: tensor<?x2x2x?x8xf32>
// CHECK: %[[S:.*]] = tenon.matmul %[[Q]], %[[K]] : {{.*}} -> tensor<?x4x?x?xf32>
// CHECK: %[[P:.*]] = tenon.softmax %[[S]] {axis = 3 : i64}
// CHECK: %[[H:.*]] = tenon.reshape %[[V]], %{{.*}}, %{{.*}} : {{.*}} -> tensor<?x4x?x8xf32>
// CHECK: %[[R:.*]] = tenon.matmul %[[P]], %[[H]] : {{.*}} -> tensor<?x4x?x8xf32>
// CHECK: return %[[R]]
func.func @batched_heads(%q: tensor<?x4x?x8xf32> {tenon.dims = ["batch", "", "seq", ""]}, %k: tensor<?x4x8x?xf32> {tenon.dims = ["batch", "", "", "seq"]},
                         %v: tensor<?x2x2x?x8xf32> {tenon.dims = ["batch", "", "", "seq", ""]}) -> tensor<?x4x?x8xf32> {
  %four = tenon.constant dense<4> : tensor<i64>
  %b = tenon.dim %q {axis = 0 : i64} : (tensor<?x4x?x8xf32>) -> tensor<i64>
  %s = tenon.dim %q {axis = 2 : i64} : (tensor<?x4x?x8xf32>) -> tensor<i64>
  %bh = tenon.mul %b, %four : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %0 = tenon.reshape %q, %bh, %s : (tensor<?x4x?x8xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x8xf32>
  %1 = tenon.reshape %k, %bh, %s : (tensor<?x4x8x?xf32>, tensor<i64>, tensor<i64>) -> tensor<?x8x?xf32>
  %2 = tenon.matmul %0, %1 : (tensor<?x?x8xf32>, tensor<?x8x?xf32>) -> tensor<?x?x?xf32>
  %3 = tenon.softmax %2 {axis = 2 : i64} : (tensor<?x?x?xf32>) -> tensor<?x?x?xf32>
  %4 = tenon.reshape %v, %bh, %s : (tensor<?x2x2x?x8xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x8xf32>
  %5 = tenon.matmul %3, %4 : (tensor<?x?x?xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %6 = tenon.reshape %5, %b, %s : (tensor<?x?x8xf32>, tensor<i64>, tensor<i64>) -> tensor<?x4x?x8xf32>
  return %6 : tensor<?x4x?x8xf32>
}

// -----

// The sizes come back exchanged, which the types do not show.
// CHECK-LABEL: @negative_exchanged
// CHECK: %[[L:.*]] = tenon.linear %{{.*}} : (tensor<?x?x4xf32>, tensor<8x4xf32>) -> tensor<?x?x8xf32>
// CHECK: %[[R:.*]] = tenon.reshape %[[L]]
// CHECK: return %[[R]]
func.func @negative_exchanged(%x: tensor<?x?x4xf32> {tenon.dims = ["a", "b", ""]}) -> tensor<?x?x8xf32> {
  %w = tenon.weight "w" : tensor<8x4xf32>
  %a = tenon.dim %x {axis = 0 : i64} : (tensor<?x?x4xf32>) -> tensor<i64>
  %b = tenon.dim %x {axis = 1 : i64} : (tensor<?x?x4xf32>) -> tensor<i64>
  %0 = tenon.reshape %x : (tensor<?x?x4xf32>) -> tensor<?x4xf32>
  %1 = tenon.linear %0, %w : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
  %2 = tenon.reshape %1, %b, %a : (tensor<?x8xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x8xf32>
  return %2 : tensor<?x?x8xf32>
}

// -----

// Rows that the reshape cuts in two, and a sum with what never had the other shape.
// CHECK-LABEL: @negative_cut_rows
// CHECK: %[[X:.*]] = tenon.reshape
// CHECK: tenon.linear %[[X]]
// CHECK: %[[F:.*]] = tenon.reshape
// CHECK: tenon.add %[[F]]
func.func @negative_cut_rows(%x: tensor<?x8xf32> {tenon.dims = ["a", ""]}, %y: tensor<?x1x4xf32> {tenon.dims = ["a", "", ""]},
                             %z: tensor<?x4xf32> {tenon.dims = ["a", ""]}) -> (tensor<?x8xf32>, tensor<?x4xf32>) {
  %w = tenon.weight "w" : tensor<8x4xf32>
  %0 = tenon.reshape %x : (tensor<?x8xf32>) -> tensor<?x4xf32>
  %1 = tenon.linear %0, %w : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
  %2 = tenon.reshape %y : (tensor<?x1x4xf32>) -> tensor<?x4xf32>
  %3 = tenon.add %2, %z : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %1, %3 : tensor<?x8xf32>, tensor<?x4xf32>
}

// -----

// An unknown size without a name: nothing is known to be equal.
// CHECK-LABEL: @negative_no_names
// CHECK: tenon.reshape
// CHECK: tenon.linear
// CHECK: tenon.reshape
func.func @negative_no_names(%x: tensor<?x?x4xf32>) -> tensor<?x?x8xf32> {
  %w = tenon.weight "w" : tensor<8x4xf32>
  %a = tenon.dim %x {axis = 0 : i64} : (tensor<?x?x4xf32>) -> tensor<i64>
  %b = tenon.dim %x {axis = 1 : i64} : (tensor<?x?x4xf32>) -> tensor<i64>
  %0 = tenon.reshape %x : (tensor<?x?x4xf32>) -> tensor<?x4xf32>
  %1 = tenon.linear %0, %w : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
  %2 = tenon.reshape %1, %a, %b : (tensor<?x8xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x8xf32>
  return %2 : tensor<?x?x8xf32>
}
