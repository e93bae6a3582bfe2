// A product with a weight, and the bias after it, is a linear.
// RUN: tenon-opt %s --tenon-raise-linear --canonicalize --split-input-file | FileCheck %s
// VALUES: 1e-12

// torch.nn.Linear taken apart: addmm(bias, x, transpose(w)).
// CHECK-LABEL: @addmm
// CHECK-SAME: (%[[X:.*]]: tensor<?x8xf32>)
// CHECK: %[[W:.*]] = tenon.weight "w"
// CHECK: %[[B:.*]] = tenon.weight "b"
// CHECK: %[[L:.*]] = tenon.linear %[[X]], %[[W]], %[[B]]
// CHECK: return %[[L]]
func.func @addmm(%x: tensor<?x8xf32>) -> tensor<?x16xf32> {
  %w = tenon.weight "w" : tensor<16x8xf32>
  %b = tenon.weight "b" : tensor<16xf32>
  %t = tenon.transpose %w {permutation = array<i64: 1, 0>} : (tensor<16x8xf32>) -> tensor<8x16xf32>
  %0 = tenon.matmul %x, %t : (tensor<?x8xf32>, tensor<8x16xf32>) -> tensor<?x16xf32>
  %1 = tenon.add %b, %0 : (tensor<16xf32>, tensor<?x16xf32>) -> tensor<?x16xf32>
  return %1 : tensor<?x16xf32>
}

// -----

// GPT-2 stores [in, out]: the transpose is an op on the weight. A bias with leading ones.
// CHECK-LABEL: @stored_in_out
// CHECK: %[[T:.*]] = tenon.transpose %{{.*}} {permutation = array<i64: 1, 0>} : (tensor<8x4xf32>) -> tensor<4x8xf32>
// CHECK: %[[B:.*]] = tenon.reshape %{{.*}} : (tensor<1x1x4xf32>) -> tensor<4xf32>
// CHECK: tenon.linear %{{.*}}, %[[T]], %[[B]]
// CHECK-NOT: tenon.add
func.func @stored_in_out(%x: tensor<2x3x8xf32>) -> tensor<2x3x4xf32> {
  %w = tenon.weight "w" : tensor<8x4xf32>
  %b = tenon.weight "b" : tensor<1x1x4xf32>
  %0 = tenon.matmul %x, %w : (tensor<2x3x8xf32>, tensor<8x4xf32>) -> tensor<2x3x4xf32>
  %1 = tenon.add %0, %b : (tensor<2x3x4xf32>, tensor<1x1x4xf32>) -> tensor<2x3x4xf32>
  return %1 : tensor<2x3x4xf32>
}

// -----

// An unbiased linear takes the bias; a second bias is an add.
// CHECK-LABEL: @bias_twice
// CHECK: %[[L:.*]] = tenon.linear %{{.*}}, %{{.*}}, %{{.*}} :
// CHECK: tenon.add %[[L]]
func.func @bias_twice(%x: tensor<3x8xf32>) -> tensor<3x4xf32> {
  %w = tenon.weight "w" : tensor<4x8xf32>
  %b = tenon.weight "b" : tensor<4xf32>
  %c = tenon.weight "c" : tensor<4xf32>
  %0 = tenon.linear %x, %w : (tensor<3x8xf32>, tensor<4x8xf32>) -> tensor<3x4xf32>
  %1 = tenon.add %0, %b : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  %2 = tenon.add %1, %c : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  return %2 : tensor<3x4xf32>
}

// -----

// A batched product has its own matrix for each; two activations; integers; an input that is read transposed.
// CHECK-LABEL: @negative_products
// CHECK-COUNT-4: tenon.matmul
// CHECK-NOT: tenon.linear
func.func @negative_products(%x: tensor<2x3x8xf32>, %y: tensor<8x4xf32>, %i: tensor<3x8xi32>, %z: tensor<8x3xf32>) -> (tensor<2x3x4xf32>, tensor<2x3x4xf32>, tensor<3x4xi32>, tensor<3x4xf32>) {
  %w = tenon.weight "batched" : tensor<2x8x4xf32>
  %iw = tenon.weight "integers" : tensor<8x4xi32>
  %zw = tenon.weight "plain" : tensor<8x4xf32>
  %0 = tenon.matmul %x, %w : (tensor<2x3x8xf32>, tensor<2x8x4xf32>) -> tensor<2x3x4xf32>
  %1 = tenon.matmul %x, %y : (tensor<2x3x8xf32>, tensor<8x4xf32>) -> tensor<2x3x4xf32>
  %2 = tenon.matmul %i, %iw : (tensor<3x8xi32>, tensor<8x4xi32>) -> tensor<3x4xi32>
  %3 = tenon.matmul %z, %zw {transpose_a} : (tensor<8x3xf32>, tensor<8x4xf32>) -> tensor<3x4xf32>
  return %0, %1, %2, %3 : tensor<2x3x4xf32>, tensor<2x3x4xf32>, tensor<3x4xi32>, tensor<3x4xf32>
}

// -----

// The product is returned as well; a table of the whole shape; a sum with an activation.
// CHECK-LABEL: @negative_biases
// CHECK: tenon.linear %{{[^,]*}}, %{{[^,]*}} :
// CHECK: tenon.add
// CHECK: tenon.linear %{{[^,]*}}, %{{[^,]*}} :
// CHECK: tenon.add
// CHECK: tenon.linear %{{[^,]*}}, %{{[^,]*}} :
// CHECK: tenon.add
func.func @negative_biases(%x: tensor<3x8xf32>, %y: tensor<3x8xf32>, %z: tensor<3x8xf32>, %r: tensor<3x4xf32>) -> (tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>) {
  %w = tenon.weight "w" : tensor<4x8xf32>
  %b = tenon.weight "b" : tensor<4xf32>
  %t = tenon.weight "t" : tensor<3x4xf32>
  %0 = tenon.linear %x, %w : (tensor<3x8xf32>, tensor<4x8xf32>) -> tensor<3x4xf32>
  %1 = tenon.add %0, %b : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  %2 = tenon.linear %y, %w : (tensor<3x8xf32>, tensor<4x8xf32>) -> tensor<3x4xf32>
  %3 = tenon.add %2, %t : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  %4 = tenon.linear %z, %w : (tensor<3x8xf32>, tensor<4x8xf32>) -> tensor<3x4xf32>
  %5 = tenon.add %4, %r : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %0, %1, %3, %5 : tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>
}
