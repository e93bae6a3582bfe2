// Gathers of everything in order, or of one element for all, are views.
// RUN: tenon-opt %s --tenon-fold-positions --canonicalize --cse --split-input-file | FileCheck %s
// VALUES: 1e-12

// A padding mask indexed by the positions of batch and key, as transformers build it.
// CHECK-LABEL: @mask_by_positions
// CHECK-SAME: (%[[M:.*]]: tensor<?x?xi1>
// CHECK-DAG: %[[B:.*]] = tenon.dim %[[M]] {axis = 0 : i64}
// CHECK-DAG: %[[S:.*]] = tenon.dim %[[M]] {axis = 1 : i64}
// CHECK: %[[R:.*]] = tenon.reshape %[[M]], %[[B]], %[[S]] : (tensor<?x?xi1>, tensor<i64>, tensor<i64>) -> tensor<?x1x1x?xi1>
// CHECK-NEXT: return %[[R]]
func.func @mask_by_positions(%m: tensor<?x?xi1> {tenon.dims = ["batch", "seq"]}) -> tensor<?x1x1x?xi1> {
  %b = tenon.dim %m {axis = 0 : i64} : (tensor<?x?xi1>) -> tensor<i64>
  %s = tenon.dim %m {axis = 1 : i64} : (tensor<?x?xi1>) -> tensor<i64>
  %ib = tenon.iota %b {axis = 0 : i64} : (tensor<i64>) -> tensor<?xi64>
  %is = tenon.iota %s {axis = 0 : i64} : (tensor<i64>) -> tensor<?xi64>
  %0 = tenon.reshape %ib : (tensor<?xi64>) -> tensor<?x1x1x1xi64>
  %1 = tenon.reshape %is : (tensor<?xi64>) -> tensor<1x1x1x?xi64>
  %2 = tenon.expand %0, %b, %s : (tensor<?x1x1x1xi64>, tensor<i64>, tensor<i64>) -> tensor<?x1x1x?xi64>
  %3 = tenon.expand %1, %b, %s : (tensor<1x1x1x?xi64>, tensor<i64>, tensor<i64>) -> tensor<?x1x1x?xi64>
  %4 = tenon.reshape %2, %b, %s : (tensor<?x1x1x?xi64>, tensor<i64>, tensor<i64>) -> tensor<?x1x1x?x1xi64>
  %5 = tenon.reshape %3, %b, %s : (tensor<?x1x1x?xi64>, tensor<i64>, tensor<i64>) -> tensor<?x1x1x?x1xi64>
  %6 = tenon.concat %4, %5 {axis = 4 : i64} : (tensor<?x1x1x?x1xi64>, tensor<?x1x1x?x1xi64>) -> tensor<?x1x1x?x2xi64>
  %7 = tenon.gather_nd %m, %6 : (tensor<?x?xi1>, tensor<?x1x1x?x2xi64>) -> tensor<?x1x1x?xi1>
  return %7 : tensor<?x1x1x?xi1>
}

// -----

// The mask of a batch of one sequence, whose position in the batch is written out for every key.
// CHECK-LABEL: @mask_of_one_sequence
// CHECK-SAME: (%[[M:.*]]: tensor<1x4xi1>
// CHECK-NEXT: %[[R:.*]] = tenon.reshape %[[M]] : (tensor<1x4xi1>) -> tensor<1x1x1x4xi1>
// CHECK-NEXT: return %[[R]]
func.func @mask_of_one_sequence(%m: tensor<1x4xi1>) -> tensor<1x1x1x4xi1> {
  %ib = tenon.iota {axis = 0 : i64} : () -> tensor<1xi64>
  %is = tenon.iota {axis = 0 : i64} : () -> tensor<4xi64>
  %0 = tenon.reshape %ib : (tensor<1xi64>) -> tensor<1x1x1x1xi64>
  %1 = tenon.expand %0 : (tensor<1x1x1x1xi64>) -> tensor<1x1x1x4xi64>
  %2 = tenon.reshape %1 : (tensor<1x1x1x4xi64>) -> tensor<1x1x1x4x1xi64>
  %3 = tenon.reshape %is : (tensor<4xi64>) -> tensor<1x1x1x4x1xi64>
  %4 = tenon.concat %2, %3 {axis = 4 : i64} : (tensor<1x1x1x4x1xi64>, tensor<1x1x1x4x1xi64>) -> tensor<1x1x1x4x2xi64>
  %5 = tenon.gather_nd %m, %4 : (tensor<1x4xi1>, tensor<1x1x1x4x2xi64>) -> tensor<1x1x1x4xi1>
  return %5 : tensor<1x1x1x4xi1>
}

// -----

// The first row for every key, of several.
// CHECK-LABEL: @negative_first_of_two
// CHECK: tenon.gather_nd
func.func @negative_first_of_two(%m: tensor<2x4xi1>) -> tensor<4xi1> {
  %z = tenon.constant dense<0> : tensor<4x1xi64>
  %is = tenon.iota {axis = 0 : i64} : () -> tensor<4xi64>
  %0 = tenon.reshape %is : (tensor<4xi64>) -> tensor<4x1xi64>
  %1 = tenon.concat %z, %0 {axis = 1 : i64} : (tensor<4x1xi64>, tensor<4x1xi64>) -> tensor<4x2xi64>
  %2 = tenon.gather_nd %m, %1 : (tensor<2x4xi1>, tensor<4x2xi64>) -> tensor<4xi1>
  return %2 : tensor<4xi1>
}

// -----

// One dimension is named, the rest comes along; each slice for three rows.
// CHECK-LABEL: @slices_by_positions
// CHECK: %[[V:.*]] = tenon.reshape %{{.*}} : (tensor<4x5xf32>) -> tensor<1x4x5xf32>
// CHECK: %[[R:.*]] = tenon.expand %[[V]] : (tensor<1x4x5xf32>) -> tensor<3x4x5xf32>
// CHECK-NEXT: return %[[R]]
func.func @slices_by_positions(%x: tensor<4x5xf32>) -> tensor<3x4x5xf32> {
  %i = tenon.iota {axis = 0 : i64} : () -> tensor<4xi64>
  %0 = tenon.expand %i : (tensor<4xi64>) -> tensor<3x4xi64>
  %1 = tenon.reshape %0 : (tensor<3x4xi64>) -> tensor<3x4x1xi64>
  %2 = tenon.gather_nd %x, %1 : (tensor<4x5xf32>, tensor<3x4x1xi64>) -> tensor<3x4x5xf32>
  return %2 : tensor<3x4x5xf32>
}

// -----

// Token types that are all zero, by way of a table of zeros.
// CHECK-LABEL: @type_embedding
// CHECK-SAME: (%[[X:.*]]: tensor<?x?x8xf32>
// CHECK: %[[W:.*]] = tenon.weight "types"
// CHECK: %[[S:.*]] = tenon.slice %[[W]] {ends = array<i64: 1, 8>, starts = array<i64: 0, 0>
// CHECK: %[[V:.*]] = tenon.reshape %[[S]] : (tensor<1x8xf32>) -> tensor<8xf32>
// CHECK: tenon.add %[[X]], %[[V]]
func.func @type_embedding(%x: tensor<?x?x8xf32> {tenon.dims = ["batch", "seq", ""]}, %i: tensor<1x?xi64> {tenon.dims = ["", "seq"]}) -> tensor<?x?x8xf32> {
  %w = tenon.weight "types" : tensor<2x8xf32>
  %z = tenon.constant dense<0> : tensor<1x16xi64>
  %b = tenon.dim %x {axis = 0 : i64} : (tensor<?x?x8xf32>) -> tensor<i64>
  %s = tenon.dim %x {axis = 1 : i64} : (tensor<?x?x8xf32>) -> tensor<i64>
  %0 = tenon.gather_elements %z, %i {axis = 1 : i64} : (tensor<1x16xi64>, tensor<1x?xi64>) -> tensor<1x?xi64>
  %1 = tenon.expand %0, %b, %s : (tensor<1x?xi64>, tensor<i64>, tensor<i64>) -> tensor<?x?xi64>
  %2 = tenon.embedding %w, %1 : (tensor<2x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %3 = tenon.add %x, %2 : (tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  return %3 : tensor<?x?x8xf32>
}

// -----

// Where one sequence ends and the next begins, in packed ones: positions less those before, which are one less each.
// CHECK-LABEL: @jumps
// CHECK: %[[ONE:.*]] = tenon.constant dense<1> : tensor<i64>
// CHECK: %[[R:.*]] = tenon.expand %[[ONE]], {{.*}} -> tensor<?x?xi64>
// CHECK-NEXT: return %[[R]]
func.func @jumps(%x: tensor<?x?xi64> {tenon.dims = ["batch", "seq"]}) -> tensor<?x?xi64> {
  %one = tenon.constant dense<1> : tensor<i64>
  %b = tenon.dim %x {axis = 0 : i64} : (tensor<?x?xi64>) -> tensor<i64>
  %s = tenon.dim %x {axis = 1 : i64} : (tensor<?x?xi64>) -> tensor<i64>
  %i = tenon.iota %s {axis = 0 : i64} : (tensor<i64>) -> tensor<?xi64>
  %p = tenon.expand %i, %b, %s : (tensor<?xi64>, tensor<i64>, tensor<i64>) -> tensor<?x?xi64>
  %0 = tenon.slice %p {starts = array<i64: 0, 0>, ends = array<i64: 9223372036854775807, 1>, steps = array<i64: 1, 1>} : (tensor<?x?xi64>) -> tensor<?x1xi64>
  %1 = tenon.sub %0, %one : (tensor<?x1xi64>, tensor<i64>) -> tensor<?x1xi64>
  %2 = tenon.concat %1, %p {axis = 1 : i64} : (tensor<?x1xi64>, tensor<?x?xi64>) -> tensor<?x?xi64>
  %3 = tenon.slice %2, %s {starts = array<i64: 0, 0>, ends = array<i64: 9223372036854775807, -9223372036854775808>, steps = array<i64: 1, 1>} : (tensor<?x?xi64>, tensor<i64>) -> tensor<?x?xi64>
  %4 = tenon.slice %2 {starts = array<i64: 0, 1>, ends = array<i64: 9223372036854775807, 9223372036854775807>, steps = array<i64: 1, 1>} : (tensor<?x?xi64>) -> tensor<?x?xi64>
  %5 = tenon.sub %4, %3 : (tensor<?x?xi64>, tensor<?x?xi64>) -> tensor<?x?xi64>
  return %5 : tensor<?x?xi64>
}

// -----

// Pieces that do not count on; every other position; positions that are data.
// CHECK-LABEL: @negative_jumps
// CHECK-COUNT-3: tenon.sub
func.func @negative_jumps(%p: tensor<4xi64>) -> (tensor<8xi64>, tensor<4xi64>, tensor<4xi64>) {
  %i = tenon.iota {axis = 0 : i64} : () -> tensor<4xi64>
  %j = tenon.iota {axis = 0 : i64} : () -> tensor<8xi64>
  %0 = tenon.concat %i, %i {axis = 0 : i64} : (tensor<4xi64>, tensor<4xi64>) -> tensor<8xi64>
  %1 = tenon.sub %0, %j : (tensor<8xi64>, tensor<8xi64>) -> tensor<8xi64>
  %2 = tenon.slice %j {starts = array<i64: 0>, ends = array<i64: 8>, steps = array<i64: 2>} : (tensor<8xi64>) -> tensor<4xi64>
  %3 = tenon.sub %2, %i : (tensor<4xi64>, tensor<4xi64>) -> tensor<4xi64>
  %4 = tenon.sub %p, %i : (tensor<4xi64>, tensor<4xi64>) -> tensor<4xi64>
  return %1, %3, %4 : tensor<8xi64>, tensor<4xi64>, tensor<4xi64>
}

// -----

// Positions kept as a constant, as many as there are words.
// CHECK-LABEL: @position_ids
// CHECK-SAME: (%[[I:.*]]: tensor<?xi64>
// CHECK: %[[S:.*]] = tenon.dim %[[I]]
// CHECK: %[[P:.*]] = tenon.iota %[[S]] {axis = 1 : i64} : (tensor<i64>) -> tensor<1x?xi64>
// CHECK: tenon.embedding %{{.*}}, %[[P]]
module attributes {tenon.dim_bounds = {seq = array<i64: 1, 8>}} {
  func.func @position_ids(%i: tensor<?xi64> {tenon.dims = ["seq"]}) -> tensor<1x?x4xf32> {
    %w = tenon.weight "positions" : tensor<8x4xf32>
    %c = tenon.constant dense<[[0, 1, 2, 3, 4, 5, 6, 7]]> : tensor<1x8xi64>
    %s = tenon.dim %i {axis = 0 : i64} : (tensor<?xi64>) -> tensor<i64>
    %0 = tenon.slice %c, %s {starts = array<i64: 0, 0>, ends = array<i64: 1, -9223372036854775808>, steps = array<i64: 1, 1>} : (tensor<1x8xi64>, tensor<i64>) -> tensor<1x?xi64>
    %1 = tenon.embedding %w, %0 : (tensor<8x4xf32>, tensor<1x?xi64>) -> tensor<1x?x4xf32>
    return %1 : tensor<1x?x4xf32>
  }
}

// -----

// Without a bound the slice may be shorter than it says; numbers that do not count.
// CHECK-LABEL: @negative_position_ids
// CHECK: tenon.slice
// CHECK: tenon.slice
func.func @negative_position_ids(%i: tensor<?xi64>, %n: tensor<i64>) -> (tensor<?xi64>, tensor<?xi64>) {
  %c = tenon.constant dense<[0, 1, 2, 3, 4, 5, 6, 7]> : tensor<8xi64>
  %d = tenon.constant dense<[0, 1, 2, 3, 4, 5, 6, 8]> : tensor<8xi64>
  %0 = tenon.slice %c, %n {starts = array<i64: 0>, ends = array<i64: -9223372036854775808>, steps = array<i64: 1>} : (tensor<8xi64>, tensor<i64>) -> tensor<?xi64>
  %1 = tenon.slice %d, %n {starts = array<i64: 0>, ends = array<i64: -9223372036854775808>, steps = array<i64: 1>} : (tensor<8xi64>, tensor<i64>) -> tensor<?xi64>
  return %0, %1 : tensor<?xi64>, tensor<?xi64>
}

// -----

// Fewer positions than rows, positions from 1, both dimensions exchanged, and the diagonal.
// CHECK-LABEL: @negative_positions
// CHECK-COUNT-4: tenon.gather_nd
func.func @negative_positions(%x: tensor<4x5xf32>, %y: tensor<4x4xf32>) -> (tensor<3x5xf32>, tensor<3x5xf32>, tensor<4x4xf32>, tensor<4xf32>) {
  %short = tenon.iota {axis = 0 : i64} : () -> tensor<3xi64>
  %0 = tenon.reshape %short : (tensor<3xi64>) -> tensor<3x1xi64>
  %1 = tenon.gather_nd %x, %0 : (tensor<4x5xf32>, tensor<3x1xi64>) -> tensor<3x5xf32>
  %late = tenon.iota {axis = 0 : i64, start = 1.0 : f64} : () -> tensor<3xi64>
  %2 = tenon.reshape %late : (tensor<3xi64>) -> tensor<3x1xi64>
  %3 = tenon.gather_nd %x, %2 : (tensor<4x5xf32>, tensor<3x1xi64>) -> tensor<3x5xf32>
  %i = tenon.iota {axis = 0 : i64} : () -> tensor<4xi64>
  %4 = tenon.reshape %i : (tensor<4xi64>) -> tensor<4x1xi64>
  %5 = tenon.expand %4 : (tensor<4x1xi64>) -> tensor<4x4xi64>
  %6 = tenon.expand %i : (tensor<4xi64>) -> tensor<4x4xi64>
  %7 = tenon.reshape %5 : (tensor<4x4xi64>) -> tensor<4x4x1xi64>
  %8 = tenon.reshape %6 : (tensor<4x4xi64>) -> tensor<4x4x1xi64>
  %9 = tenon.concat %8, %7 {axis = 2 : i64} : (tensor<4x4x1xi64>, tensor<4x4x1xi64>) -> tensor<4x4x2xi64>
  %10 = tenon.gather_nd %y, %9 : (tensor<4x4xf32>, tensor<4x4x2xi64>) -> tensor<4x4xf32>
  %11 = tenon.concat %4, %4 {axis = 1 : i64} : (tensor<4x1xi64>, tensor<4x1xi64>) -> tensor<4x2xi64>
  %12 = tenon.gather_nd %y, %11 : (tensor<4x4xf32>, tensor<4x2xi64>) -> tensor<4xf32>
  return %1, %3, %10, %12 : tensor<3x5xf32>, tensor<3x5xf32>, tensor<4x4xf32>, tensor<4xf32>
}

// -----

// CHECK-LABEL: @negative_tables
// CHECK: tenon.embedding
// CHECK: tenon.gather_elements
func.func @negative_tables(%t: tensor<4x8xf32>, %i: tensor<3xi64>) -> (tensor<3x8xf32>, tensor<3xi64>) {
  %c = tenon.constant dense<[1, 2, 1]> : tensor<3xi64>
  %0 = tenon.embedding %t, %c : (tensor<4x8xf32>, tensor<3xi64>) -> tensor<3x8xf32>
  %1 = tenon.gather_elements %c, %i {axis = 0 : i64} : (tensor<3xi64>, tensor<3xi64>) -> tensor<3xi64>
  return %0, %1 : tensor<3x8xf32>, tensor<3xi64>
}
