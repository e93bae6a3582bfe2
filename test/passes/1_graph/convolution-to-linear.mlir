// Windows that touch and do not overlap are rows of a product.
// RUN: tenon-opt %s --tenon-convolution-to-linear --canonicalize --split-input-file | FileCheck %s
// VALUES: 1e-12

// A vision model's first layer: the model's own reshape and transpose to rows cancel those of the result.
// CHECK-LABEL: @patches
// CHECK-SAME: (%[[X:.*]]: tensor<?x3x4x6xf32>, %[[W:.*]]: tensor<5x3x2x3xf32>, %[[B:.*]]: tensor<5xf32>)
// CHECK-DAG: %[[M:.*]] = tenon.reshape %[[W]] : (tensor<5x3x2x3xf32>) -> tensor<5x18xf32>
// CHECK-DAG: %[[C:.*]] = tenon.reshape %[[X]] : (tensor<?x3x4x6xf32>) -> tensor<?x3x2x2x2x3xf32>
// CHECK-DAG: %[[T:.*]] = tenon.transpose %[[C]] {permutation = array<i64: 0, 2, 4, 1, 3, 5>}
// CHECK-DAG: %[[R:.*]] = tenon.reshape %[[T]] : (tensor<?x2x2x3x2x3xf32>) -> tensor<?x4x18xf32>
// CHECK: %[[L:.*]] = tenon.linear %[[R]], %[[M]], %[[B]]
// CHECK-NEXT: return %[[L]]
func.func @patches(%x: tensor<?x3x4x6xf32>, %w: tensor<5x3x2x3xf32>, %b: tensor<5xf32>) -> tensor<?x4x5xf32> {
  %0 = tenon.convolution %x, %w, %b {stride = array<i64: 2, 3>, padding = array<i64: 0, 0>, dilation = array<i64: 1, 1>} : (tensor<?x3x4x6xf32>, tensor<5x3x2x3xf32>, tensor<5xf32>) -> tensor<?x5x2x2xf32>
  %1 = tenon.reshape %0 : (tensor<?x5x2x2xf32>) -> tensor<?x5x4xf32>
  %2 = tenon.transpose %1 {permutation = array<i64: 0, 2, 1>} : (tensor<?x5x4xf32>) -> tensor<?x4x5xf32>
  return %2 : tensor<?x4x5xf32>
}

// -----

// One spatial dimension, no bias; the channels first again.
// CHECK-LABEL: @frames
// CHECK: %[[L:.*]] = tenon.linear %{{.*}}, %{{.*}} : (tensor<2x3x8xf32>, tensor<5x8xf32>) -> tensor<2x3x5xf32>
// CHECK-NEXT: %[[R:.*]] = tenon.transpose %[[L]] {permutation = array<i64: 0, 2, 1>}
// CHECK-NEXT: return %[[R]]
func.func @frames(%x: tensor<2x2x12xf32>, %w: tensor<5x2x4xf32>) -> tensor<2x5x3xf32> {
  %0 = tenon.convolution %x, %w {stride = array<i64: 4>, padding = array<i64: 0>, dilation = array<i64: 1>} : (tensor<2x2x12xf32>, tensor<5x2x4xf32>) -> tensor<2x5x3xf32>
  return %0 : tensor<2x5x3xf32>
}

// -----

// CHECK-LABEL: @negative_overlap
// CHECK: tenon.convolution
func.func @negative_overlap(%x: tensor<1x2x8xf32>, %w: tensor<5x2x4xf32>) -> tensor<1x5x3xf32> {
  %0 = tenon.convolution %x, %w {stride = array<i64: 2>, padding = array<i64: 0>, dilation = array<i64: 1>} : (tensor<1x2x8xf32>, tensor<5x2x4xf32>) -> tensor<1x5x3xf32>
  return %0 : tensor<1x5x3xf32>
}

// -----

// CHECK-LABEL: @negative_rest
// CHECK: tenon.convolution
func.func @negative_rest(%x: tensor<1x2x9xf32>, %w: tensor<5x2x4xf32>) -> tensor<1x5x2xf32> {
  %0 = tenon.convolution %x, %w {stride = array<i64: 4>, padding = array<i64: 0>, dilation = array<i64: 1>} : (tensor<1x2x9xf32>, tensor<5x2x4xf32>) -> tensor<1x5x2xf32>
  return %0 : tensor<1x5x2xf32>
}
