// A size is asked of where it comes from, so that the values between have one reader less.
// RUN: tenon-opt %s --canonicalize --cse --split-input-file | FileCheck %s

// CHECK-LABEL: @through_a_layer
// CHECK-SAME: (%[[X:.*]]: tensor<?x8xf32>, %[[W:.*]]: tensor<4x8xf32>)
// CHECK-DAG: %[[C:.*]] = tenon.constant dense<4> : tensor<i64>
// CHECK-DAG: %[[N:.*]] = tenon.dim %[[X]] {axis = 0 : i64}
// CHECK: return %[[N]], %[[N]], %[[C]]
func.func @through_a_layer(%x: tensor<?x8xf32>, %w: tensor<4x8xf32>) -> (tensor<i64>, tensor<i64>, tensor<i64>) {
  %one = tenon.constant dense<1.0> : tensor<f32>
  %0 = tenon.linear %x, %w : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
  %1 = tenon.gelu %0 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %2 = tenon.add %one, %1 : (tensor<f32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %3 = tenon.reshape %2 : (tensor<?x4xf32>) -> tensor<1x?x2x2xf32>
  %4 = tenon.transpose %3 {permutation = array<i64: 2, 0, 1, 3>} : (tensor<1x?x2x2xf32>) -> tensor<2x1x?x2xf32>
  %n = tenon.dim %4 {axis = 2 : i64} : (tensor<2x1x?x2xf32>) -> tensor<i64>
  %m = tenon.dim %0 {axis = 0 : i64} : (tensor<?x4xf32>) -> tensor<i64>
  %k = tenon.dim %0 {axis = 1 : i64} : (tensor<?x4xf32>) -> tensor<i64>
  return %n, %m, %k : tensor<i64>, tensor<i64>, tensor<i64>
}

// -----

// CHECK-LABEL: @sizes_given_as_data
// CHECK-SAME: (%[[X:.*]]: tensor<1x?xf32>, %[[N:.*]]: tensor<i64>, %[[M:.*]]: tensor<i64>)
// CHECK: return %[[N]], %[[M]], %[[N]]
func.func @sizes_given_as_data(%x: tensor<1x?xf32>, %n: tensor<i64>, %m: tensor<i64>) -> (tensor<i64>, tensor<i64>, tensor<i64>) {
  %0 = tenon.expand %x, %n, %m : (tensor<1x?xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?xf32>
  %1 = tenon.iota %n {axis = 0 : i64} : (tensor<i64>) -> tensor<?xi64>
  %a = tenon.dim %0 {axis = 0 : i64} : (tensor<?x?xf32>) -> tensor<i64>
  %b = tenon.dim %0 {axis = 1 : i64} : (tensor<?x?xf32>) -> tensor<i64>
  %c = tenon.dim %1 {axis = 0 : i64} : (tensor<?xi64>) -> tensor<i64>
  return %a, %b, %c : tensor<i64>, tensor<i64>, tensor<i64>
}

// -----

// CHECK-LABEL: @matmul_and_attention
// CHECK-SAME: (%[[A:.*]]: tensor<?x4x?xf32>, %[[B:.*]]: tensor<?x4xf32>, %[[Q:.*]]: tensor<1x2x?x8xf32>, %[[K:.*]]: tensor<1x2x?x8xf32>)
// CHECK-DAG: tenon.dim %[[A]] {axis = 0 : i64}
// CHECK-DAG: tenon.dim %[[A]] {axis = 2 : i64}
// CHECK-DAG: tenon.dim %[[B]] {axis = 0 : i64}
// CHECK-DAG: tenon.dim %[[Q]] {axis = 2 : i64}
func.func @matmul_and_attention(%a: tensor<?x4x?xf32>, %b: tensor<?x4xf32>, %q: tensor<1x2x?x8xf32>, %k: tensor<1x2x?x8xf32>) -> (tensor<i64>, tensor<i64>, tensor<i64>, tensor<i64>) {
  %0 = tenon.matmul %a, %b {transpose_a, transpose_b} : (tensor<?x4x?xf32>, tensor<?x4xf32>) -> tensor<?x?x?xf32>
  %1 = tenon.attention %q, %k, %k : (tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>) -> tensor<1x2x?x8xf32>
  %batch = tenon.dim %0 {axis = 0 : i64} : (tensor<?x?x?xf32>) -> tensor<i64>
  %rows = tenon.dim %0 {axis = 1 : i64} : (tensor<?x?x?xf32>) -> tensor<i64>
  %columns = tenon.dim %0 {axis = 2 : i64} : (tensor<?x?x?xf32>) -> tensor<i64>
  %queries = tenon.dim %1 {axis = 2 : i64} : (tensor<1x2x?x8xf32>) -> tensor<i64>
  return %batch, %rows, %columns, %queries : tensor<i64>, tensor<i64>, tensor<i64>, tensor<i64>
}

// -----

// How long a slice with a step is, or a product of two unknown sizes, no single dimension says.
// CHECK-LABEL: @negative_sliced
// CHECK: %[[S:.*]] = tenon.slice
// CHECK: tenon.dim %[[S]]
// CHECK: %[[R:.*]] = tenon.reshape
// CHECK: tenon.dim %[[R]]
func.func @negative_sliced(%x: tensor<?x?xf32>) -> (tensor<i64>, tensor<i64>) {
  %0 = tenon.slice %x {starts = array<i64: 0, 0>, ends = array<i64: 9223372036854775807, 9223372036854775807>, steps = array<i64: 2, 1>} : (tensor<?x?xf32>) -> tensor<?x?xf32>
  %n = tenon.dim %0 {axis = 0 : i64} : (tensor<?x?xf32>) -> tensor<i64>
  %1 = tenon.reshape %x : (tensor<?x?xf32>) -> tensor<?xf32>
  %m = tenon.dim %1 {axis = 0 : i64} : (tensor<?xf32>) -> tensor<i64>
  return %n, %m : tensor<i64>, tensor<i64>
}
