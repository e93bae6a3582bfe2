// Rotary embedding in the forms exporters write.
// RUN: tenon-opt %s --tenon-raise-rope --canonicalize --split-input-file | FileCheck %s
// VALUES: 1e-12

// transformers: x cos + concat(-x2, x1) sin, tables of concat(t, t).
// CHECK-LABEL: @rotate_half
// CHECK-SAME: (%[[X:.*]]: tensor<?x2x?x8xf32>
// CHECK: %[[C:.*]] = tenon.cos
// CHECK: %[[S0:.*]] = tenon.sin
// CHECK: %[[S:.*]] = tenon.mul %[[S0]]
// CHECK: %[[R:.*]] = tenon.rope %[[X]], %[[C]], %[[S]] : (tensor<?x2x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>)
// CHECK-NEXT: return %[[R]]
func.func @rotate_half(%x: tensor<?x2x?x8xf32> {tenon.dims = ["batch", "", "seq", ""]}, %f: tensor<1x?x4xf32> {tenon.dims = ["", "seq", ""]}) -> tensor<?x2x?x8xf32> {
  %two = tenon.constant dense<2.0> : tensor<f32>
  %t = tenon.concat %f, %f {axis = 2 : i64} : (tensor<1x?x4xf32>, tensor<1x?x4xf32>) -> tensor<1x?x8xf32>
  %t4 = tenon.reshape %t : (tensor<1x?x8xf32>) -> tensor<1x1x?x8xf32>
  %c = tenon.cos %t4 : (tensor<1x1x?x8xf32>) -> tensor<1x1x?x8xf32>
  %s0 = tenon.sin %t4 : (tensor<1x1x?x8xf32>) -> tensor<1x1x?x8xf32>
  %s = tenon.mul %s0, %two : (tensor<1x1x?x8xf32>, tensor<f32>) -> tensor<1x1x?x8xf32>
  %0 = tenon.mul %x, %c : (tensor<?x2x?x8xf32>, tensor<1x1x?x8xf32>) -> tensor<?x2x?x8xf32>
  %1 = tenon.slice %x {starts = array<i64: 0, 0, 0, 0>, ends = array<i64: 9223372036854775807, 9223372036854775807, 9223372036854775807, 4>, steps = array<i64: 1, 1, 1, 1>} : (tensor<?x2x?x8xf32>) -> tensor<?x2x?x4xf32>
  %2 = tenon.slice %x {starts = array<i64: 0, 0, 0, 4>, ends = array<i64: 9223372036854775807, 2, 9223372036854775807, 9223372036854775807>, steps = array<i64: 1, 1, 1, 1>} : (tensor<?x2x?x8xf32>) -> tensor<?x2x?x4xf32>
  %3 = tenon.neg %2 : (tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  %4 = tenon.concat %3, %1 {axis = 3 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x8xf32>
  %5 = tenon.mul %4, %s : (tensor<?x2x?x8xf32>, tensor<1x1x?x8xf32>) -> tensor<?x2x?x8xf32>
  %6 = tenon.add %0, %5 : (tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>) -> tensor<?x2x?x8xf32>
  return %6 : tensor<?x2x?x8xf32>
}

// -----

// Halves by split, tables half as wide, a constant one among them; sums in the other order.
// CHECK-LABEL: @halves
// CHECK-NEXT: %[[R:.*]] = tenon.rope %{{.*}}, %{{.*}}, %{{.*}} : (tensor<2x3x4xf32>, tensor<3x2xf32>, tensor<3x2xf32>)
// CHECK-NEXT: return %[[R]]
func.func @halves(%x: tensor<2x3x4xf32>, %c: tensor<3x2xf32>, %s: tensor<3x2xf32>) -> tensor<2x3x4xf32> {
  %x1, %x2 = tenon.split %x {axis = 2 : i64, sizes = array<i64: 2, 2>} : (tensor<2x3x4xf32>) -> (tensor<2x3x2xf32>, tensor<2x3x2xf32>)
  %0 = tenon.mul %c, %x1 : (tensor<3x2xf32>, tensor<2x3x2xf32>) -> tensor<2x3x2xf32>
  %1 = tenon.mul %x2, %s : (tensor<2x3x2xf32>, tensor<3x2xf32>) -> tensor<2x3x2xf32>
  %2 = tenon.sub %0, %1 : (tensor<2x3x2xf32>, tensor<2x3x2xf32>) -> tensor<2x3x2xf32>
  %3 = tenon.mul %x1, %s : (tensor<2x3x2xf32>, tensor<3x2xf32>) -> tensor<2x3x2xf32>
  %4 = tenon.mul %x2, %c : (tensor<2x3x2xf32>, tensor<3x2xf32>) -> tensor<2x3x2xf32>
  %5 = tenon.add %3, %4 : (tensor<2x3x2xf32>, tensor<2x3x2xf32>) -> tensor<2x3x2xf32>
  %6 = tenon.concat %2, %5 {axis = 2 : i64} : (tensor<2x3x2xf32>, tensor<2x3x2xf32>) -> tensor<2x3x4xf32>
  return %6 : tensor<2x3x4xf32>
}

// -----

// Even and odd elements by steps, stacked and flattened.
// CHECK-LABEL: @interleaved_steps
// CHECK-NEXT: %[[R:.*]] = tenon.rope %{{.*}} {interleaved} : (tensor<2x3x4xf32>, tensor<3x2xf32>, tensor<3x2xf32>)
// CHECK-NEXT: return %[[R]]
func.func @interleaved_steps(%x: tensor<2x3x4xf32>, %c: tensor<3x2xf32>, %s: tensor<3x2xf32>) -> tensor<2x3x4xf32> {
  %x1 = tenon.slice %x {starts = array<i64: 0, 0, 0>, ends = array<i64: 2, 3, 4>, steps = array<i64: 1, 1, 2>} : (tensor<2x3x4xf32>) -> tensor<2x3x2xf32>
  %x2 = tenon.slice %x {starts = array<i64: 0, 0, 1>, ends = array<i64: 2, 3, 4>, steps = array<i64: 1, 1, 2>} : (tensor<2x3x4xf32>) -> tensor<2x3x2xf32>
  %0 = tenon.mul %x1, %c : (tensor<2x3x2xf32>, tensor<3x2xf32>) -> tensor<2x3x2xf32>
  %1 = tenon.mul %x2, %s : (tensor<2x3x2xf32>, tensor<3x2xf32>) -> tensor<2x3x2xf32>
  %2 = tenon.sub %0, %1 : (tensor<2x3x2xf32>, tensor<2x3x2xf32>) -> tensor<2x3x2xf32>
  %3 = tenon.mul %x1, %s : (tensor<2x3x2xf32>, tensor<3x2xf32>) -> tensor<2x3x2xf32>
  %4 = tenon.mul %x2, %c : (tensor<2x3x2xf32>, tensor<3x2xf32>) -> tensor<2x3x2xf32>
  %5 = tenon.add %3, %4 : (tensor<2x3x2xf32>, tensor<2x3x2xf32>) -> tensor<2x3x2xf32>
  %6 = tenon.reshape %2 : (tensor<2x3x2xf32>) -> tensor<2x3x2x1xf32>
  %7 = tenon.reshape %5 : (tensor<2x3x2xf32>) -> tensor<2x3x2x1xf32>
  %8 = tenon.concat %6, %7 {axis = 3 : i64} : (tensor<2x3x2x1xf32>, tensor<2x3x2x1xf32>) -> tensor<2x3x2x2xf32>
  %9 = tenon.reshape %8 : (tensor<2x3x2x2xf32>) -> tensor<2x3x4xf32>
  return %9 : tensor<2x3x4xf32>
}

// -----

// Pairs by a reshape to [.., D/2, 2], of a length known at run time.
// CHECK-LABEL: @interleaved_pairs
// CHECK: %[[R:.*]] = tenon.rope %{{.*}} {interleaved} : (tensor<2x?x4xf32>, tensor<?x2xf32>, tensor<?x2xf32>)
// CHECK-NEXT: return %[[R]]
func.func @interleaved_pairs(%x: tensor<2x?x4xf32> {tenon.dims = ["", "seq", ""]}, %c: tensor<?x2xf32> {tenon.dims = ["seq", ""]}, %s: tensor<?x2xf32> {tenon.dims = ["seq", ""]}) -> tensor<2x?x4xf32> {
  %p = tenon.reshape %x : (tensor<2x?x4xf32>) -> tensor<2x?x2x2xf32>
  %p1 = tenon.slice %p {starts = array<i64: 0, 0, 0, 0>, ends = array<i64: 2, 9223372036854775807, 2, 1>, steps = array<i64: 1, 1, 1, 1>} : (tensor<2x?x2x2xf32>) -> tensor<2x?x2x1xf32>
  %p2 = tenon.slice %p {starts = array<i64: 0, 0, 0, 1>, ends = array<i64: 2, 9223372036854775807, 2, 2>, steps = array<i64: 1, 1, 1, 1>} : (tensor<2x?x2x2xf32>) -> tensor<2x?x2x1xf32>
  %x1 = tenon.reshape %p1 : (tensor<2x?x2x1xf32>) -> tensor<2x?x2xf32>
  %x2 = tenon.reshape %p2 : (tensor<2x?x2x1xf32>) -> tensor<2x?x2xf32>
  %0 = tenon.mul %x1, %c : (tensor<2x?x2xf32>, tensor<?x2xf32>) -> tensor<2x?x2xf32>
  %1 = tenon.mul %x2, %s : (tensor<2x?x2xf32>, tensor<?x2xf32>) -> tensor<2x?x2xf32>
  %2 = tenon.sub %0, %1 : (tensor<2x?x2xf32>, tensor<2x?x2xf32>) -> tensor<2x?x2xf32>
  %3 = tenon.mul %x2, %c : (tensor<2x?x2xf32>, tensor<?x2xf32>) -> tensor<2x?x2xf32>
  %4 = tenon.mul %x1, %s : (tensor<2x?x2xf32>, tensor<?x2xf32>) -> tensor<2x?x2xf32>
  %5 = tenon.add %3, %4 : (tensor<2x?x2xf32>, tensor<2x?x2xf32>) -> tensor<2x?x2xf32>
  %6 = tenon.reshape %2 : (tensor<2x?x2xf32>) -> tensor<2x?x2x1xf32>
  %7 = tenon.reshape %5 : (tensor<2x?x2xf32>) -> tensor<2x?x2x1xf32>
  %8 = tenon.concat %6, %7 {axis = 3 : i64} : (tensor<2x?x2x1xf32>, tensor<2x?x2x1xf32>) -> tensor<2x?x2x2xf32>
  %9 = tenon.reshape %8 : (tensor<2x?x2x2xf32>) -> tensor<2x?x4xf32>
  return %9 : tensor<2x?x4xf32>
}

// -----

// GPT-J: x cos + stack(-x2, x1) sin, even and odd elements, each element of the tables twice.
// CHECK-LABEL: @rotate_every_two
// CHECK: %[[C:.*]] = tenon.reshape %{{.*}} -> tensor<1x?x1x2xf32>
// CHECK: tenon.rope %{{.*}}, %[[C]], %{{.*}} {interleaved} : (tensor<2x?x3x4xf32>, tensor<1x?x1x2xf32>, tensor<1x?x1x2xf32>)
func.func @rotate_every_two(%x: tensor<2x?x3x4xf32> {tenon.dims = ["", "seq", "", ""]}, %c: tensor<1x?x2xf32> {tenon.dims = ["", "seq", ""]}, %s: tensor<1x?x2xf32> {tenon.dims = ["", "seq", ""]}) -> tensor<2x?x3x4xf32> {
  %c5 = tenon.reshape %c : (tensor<1x?x2xf32>) -> tensor<1x?x1x2x1xf32>
  %cc = tenon.expand %c5 : (tensor<1x?x1x2x1xf32>) -> tensor<1x?x1x2x2xf32>
  %ct = tenon.reshape %cc : (tensor<1x?x1x2x2xf32>) -> tensor<1x?x1x4xf32>
  %s5 = tenon.reshape %s : (tensor<1x?x2xf32>) -> tensor<1x?x1x2x1xf32>
  %ss = tenon.expand %s5 : (tensor<1x?x1x2x1xf32>) -> tensor<1x?x1x2x2xf32>
  %st = tenon.reshape %ss : (tensor<1x?x1x2x2xf32>) -> tensor<1x?x1x4xf32>
  %x1 = tenon.slice %x {starts = array<i64: 0, 0, 0, 0>, ends = array<i64: 2, 9223372036854775807, 3, 9223372036854775807>, steps = array<i64: 1, 1, 1, 2>} : (tensor<2x?x3x4xf32>) -> tensor<2x?x3x2xf32>
  %x2 = tenon.slice %x {starts = array<i64: 0, 0, 0, 1>, ends = array<i64: 2, 9223372036854775807, 3, 9223372036854775807>, steps = array<i64: 1, 1, 1, 2>} : (tensor<2x?x3x4xf32>) -> tensor<2x?x3x2xf32>
  %n = tenon.neg %x2 : (tensor<2x?x3x2xf32>) -> tensor<2x?x3x2xf32>
  %0 = tenon.reshape %n : (tensor<2x?x3x2xf32>) -> tensor<2x?x3x2x1xf32>
  %1 = tenon.reshape %x1 : (tensor<2x?x3x2xf32>) -> tensor<2x?x3x2x1xf32>
  %2 = tenon.concat %0, %1 {axis = 4 : i64} : (tensor<2x?x3x2x1xf32>, tensor<2x?x3x2x1xf32>) -> tensor<2x?x3x2x2xf32>
  %3 = tenon.reshape %2 : (tensor<2x?x3x2x2xf32>) -> tensor<2x?x3x4xf32>
  %4 = tenon.mul %x, %ct : (tensor<2x?x3x4xf32>, tensor<1x?x1x4xf32>) -> tensor<2x?x3x4xf32>
  %5 = tenon.mul %3, %st : (tensor<2x?x3x4xf32>, tensor<1x?x1x4xf32>) -> tensor<2x?x3x4xf32>
  %6 = tenon.add %4, %5 : (tensor<2x?x3x4xf32>, tensor<2x?x3x4xf32>) -> tensor<2x?x3x4xf32>
  return %6 : tensor<2x?x3x4xf32>
}

// -----

// Tables that are arguments may have halves that differ; a sum where the difference should be; the turned half twice.
// CHECK-LABEL: @negative_forms
// CHECK-NOT: tenon.rope
func.func @negative_forms(%x: tensor<3x4xf32>, %c: tensor<3x4xf32>, %s: tensor<3x4xf32>, %ch: tensor<3x2xf32>, %sh: tensor<3x2xf32>) -> (tensor<3x4xf32>, tensor<3x4xf32>) {
  %x1, %x2 = tenon.split %x {axis = 1 : i64, sizes = array<i64: 2, 2>} : (tensor<3x4xf32>) -> (tensor<3x2xf32>, tensor<3x2xf32>)
  %0 = tenon.neg %x2 : (tensor<3x2xf32>) -> tensor<3x2xf32>
  %1 = tenon.concat %0, %x1 {axis = 1 : i64} : (tensor<3x2xf32>, tensor<3x2xf32>) -> tensor<3x4xf32>
  %2 = tenon.mul %x, %c : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  %3 = tenon.mul %1, %s : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  %4 = tenon.add %2, %3 : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  %5 = tenon.mul %x1, %ch : (tensor<3x2xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
  %6 = tenon.mul %x2, %sh : (tensor<3x2xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
  %7 = tenon.add %5, %6 : (tensor<3x2xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
  %8 = tenon.mul %x2, %ch : (tensor<3x2xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
  %9 = tenon.mul %x1, %sh : (tensor<3x2xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
  %10 = tenon.sub %8, %9 : (tensor<3x2xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
  %11 = tenon.concat %7, %10 {axis = 1 : i64} : (tensor<3x2xf32>, tensor<3x2xf32>) -> tensor<3x4xf32>
  return %4, %11 : tensor<3x4xf32>, tensor<3x4xf32>
}

// -----

// Tables that are made of a half as wide one are made half as wide.
// CHECK-LABEL: @half_tables
// CHECK-SAME: %[[F:[^ ]*]]: tensor<3x2xf32>)
// CHECK: %[[C:.*]] = tenon.cos %[[F]] : (tensor<3x2xf32>) -> tensor<3x2xf32>
// CHECK: %[[S:.*]] = tenon.sin %[[F]] : (tensor<3x2xf32>) -> tensor<3x2xf32>
// CHECK: tenon.rope %{{.*}}, %[[C]], %[[S]]
func.func @half_tables(%x: tensor<2x3x4xf32>, %f: tensor<3x2xf32>) -> tensor<2x3x4xf32> {
  %t = tenon.concat %f, %f {axis = 1 : i64} : (tensor<3x2xf32>, tensor<3x2xf32>) -> tensor<3x4xf32>
  %c = tenon.cos %t : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %s = tenon.sin %t : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %0 = tenon.mul %x, %c : (tensor<2x3x4xf32>, tensor<3x4xf32>) -> tensor<2x3x4xf32>
  %1, %2 = tenon.split %x {axis = 2 : i64, sizes = array<i64: 2, 2>} : (tensor<2x3x4xf32>) -> (tensor<2x3x2xf32>, tensor<2x3x2xf32>)
  %3 = tenon.neg %2 : (tensor<2x3x2xf32>) -> tensor<2x3x2xf32>
  %4 = tenon.concat %3, %1 {axis = 2 : i64} : (tensor<2x3x2xf32>, tensor<2x3x2xf32>) -> tensor<2x3x4xf32>
  %5 = tenon.mul %4, %s : (tensor<2x3x4xf32>, tensor<3x4xf32>) -> tensor<2x3x4xf32>
  %6 = tenon.add %0, %5 : (tensor<2x3x4xf32>, tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
  return %6 : tensor<2x3x4xf32>
}
