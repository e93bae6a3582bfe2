// In: a concatenation and who reads it. Out: one kernel, where rows are read whole by one that works on them.
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=kernel gpu=sm_90a" --tenon-join-concats | FileCheck %s

// A token ahead of others, and positions.
// CHECK-LABEL: func.func @main
// CHECK: tenon.kernel @concat_read_by_add(%[[C:.*]] = %arg0, %[[X:.*]] = %arg1, %{{.*}} = %{{.*}})
// CHECK: tensor.insert_slice %[[C]]
// CHECK: %[[ALL:.*]] = tensor.insert_slice %[[X]]
// CHECK: linalg.generic {{.*}} ins(%[[ALL]],
// CHECK-NOT: tenon.kernel
func.func @main(%c: tensor<2x1x64xf32>, %x: tensor<2x15x64xf32>) -> tensor<2x16x64xf32> {
  %p = tenon.weight "p" : tensor<1x16x64xf32>
  %0 = tenon.concat %c, %x {axis = 1 : i64} : (tensor<2x1x64xf32>, tensor<2x15x64xf32>) -> tensor<2x16x64xf32>
  %1 = tenon.add %0, %p : (tensor<2x16x64xf32>, tensor<1x16x64xf32>) -> tensor<2x16x64xf32>
  return %1 : tensor<2x16x64xf32>
}

// -----

// A norm of the rows.
// CHECK-LABEL: func.func @main
// CHECK: tenon.kernel @concat_read_by_softmax(
// CHECK-NOT: tenon.kernel
func.func @main(%c: tensor<1x64xf32>, %x: tensor<15x64xf32>) -> tensor<16x64xf32> {
  %0 = tenon.concat %c, %x {axis = 0 : i64} : (tensor<1x64xf32>, tensor<15x64xf32>) -> tensor<16x64xf32>
  %1 = tenon.softmax %0 {axis = 1} : (tensor<16x64xf32>) -> tensor<16x64xf32>
  return %1 : tensor<16x64xf32>
}

// -----

// Equal kernels that have it in the place of another operand are two kernels as one with it.
// CHECK-LABEL: func.func @main
// CHECK: tenon.kernel @concat_read_by_sub(
// CHECK: tenon.kernel @concat_read_by_sub_1(
func.func @main(%c: tensor<1x64xf32>, %x: tensor<15x64xf32>, %d: tensor<1x64xf32>, %p: tensor<16x64xf32>) -> (tensor<16x64xf32>, tensor<16x64xf32>) {
  %0 = tenon.concat %c, %x {axis = 0 : i64} : (tensor<1x64xf32>, tensor<15x64xf32>) -> tensor<16x64xf32>
  %1 = tenon.sub %0, %p : (tensor<16x64xf32>, tensor<16x64xf32>) -> tensor<16x64xf32>
  %2 = tenon.concat %d, %x {axis = 0 : i64} : (tensor<1x64xf32>, tensor<15x64xf32>) -> tensor<16x64xf32>
  %3 = tenon.sub %p, %2 : (tensor<16x64xf32>, tensor<16x64xf32>) -> tensor<16x64xf32>
  return %1, %3 : tensor<16x64xf32>, tensor<16x64xf32>
}

// -----

// Of two concatenations one is read from its parts.
// CHECK-LABEL: func.func @main
// CHECK: %[[SECOND:.*]] = tenon.kernel @concat(
// CHECK: tenon.kernel @concat_read_by_sub({{.*}} = %[[SECOND]])
func.func @main(%c: tensor<1x64xf32>, %x: tensor<15x64xf32>, %d: tensor<1x64xf32>) -> tensor<16x64xf32> {
  %0 = tenon.concat %c, %x {axis = 0 : i64} : (tensor<1x64xf32>, tensor<15x64xf32>) -> tensor<16x64xf32>
  %1 = tenon.concat %d, %x {axis = 0 : i64} : (tensor<1x64xf32>, tensor<15x64xf32>) -> tensor<16x64xf32>
  %2 = tenon.sub %0, %1 : (tensor<16x64xf32>, tensor<16x64xf32>) -> tensor<16x64xf32>
  return %2 : tensor<16x64xf32>
}

// -----

// Apart: what two read, what the model gives, parts of rows, what is known at load, and a product.
// CHECK-LABEL: func.func @main
// CHECK-NOT: _read_by_
// CHECK: return
func.func @main(%c: tensor<1x64xf32>, %x: tensor<15x64xf32>, %d: tensor<16x32xf32>, %x16: tensor<16x64xf32>)
    -> (tensor<16x64xf32>, tensor<16x64xf32>, tensor<18x64xf32>, tensor<18x64xf32>, tensor<16x64xf32>, tensor<17x8xf32>, tensor<16x64xf32>) {
  %w = tenon.weight "w" : tensor<1x64xf32>
  %v = tenon.weight "v" : tensor<15x64xf32>
  %u = tenon.weight "u" : tensor<8x64xf32>
  %0 = tenon.concat %c, %x {axis = 0 : i64} : (tensor<1x64xf32>, tensor<15x64xf32>) -> tensor<16x64xf32>
  %1 = tenon.softmax %0 {axis = 1} : (tensor<16x64xf32>) -> tensor<16x64xf32>
  %2 = tenon.exp %0 : (tensor<16x64xf32>) -> tensor<16x64xf32>
  %g = tenon.concat %c, %x, %c, %c {axis = 0 : i64} : (tensor<1x64xf32>, tensor<15x64xf32>, tensor<1x64xf32>, tensor<1x64xf32>) -> tensor<18x64xf32>
  %h = tenon.exp %g : (tensor<18x64xf32>) -> tensor<18x64xf32>
  %3 = tenon.concat %d, %d {axis = 1 : i64} : (tensor<16x32xf32>, tensor<16x32xf32>) -> tensor<16x64xf32>
  %4 = tenon.exp %3 : (tensor<16x64xf32>) -> tensor<16x64xf32>
  %5 = tenon.concat %c, %c, %x {axis = 0 : i64} : (tensor<1x64xf32>, tensor<1x64xf32>, tensor<15x64xf32>) -> tensor<17x64xf32>
  %6 = tenon.linear %5, %u : (tensor<17x64xf32>, tensor<8x64xf32>) -> tensor<17x8xf32>
  %7 = tenon.concat %w, %v {axis = 0 : i64} : (tensor<1x64xf32>, tensor<15x64xf32>) -> tensor<16x64xf32>
  %8 = tenon.mul %x16, %7 : (tensor<16x64xf32>, tensor<16x64xf32>) -> tensor<16x64xf32>
  return %1, %2, %g, %h, %4, %6, %8 : tensor<16x64xf32>, tensor<16x64xf32>, tensor<18x64xf32>, tensor<18x64xf32>, tensor<16x64xf32>, tensor<17x8xf32>, tensor<16x64xf32>
}

// -----

// Apart: sizes that are not known, a concatenation of concatenations, more than 8 parts, rows that are looked up, and
// rows that become columns.
// CHECK-LABEL: func.func @main
// CHECK-NOT: _read_by_
// CHECK: return
func.func @main(%c: tensor<1x64xf32>, %x: tensor<15x64xf32>, %y: tensor<?x64xf32> {tenon.dims = ["n", ""]}, %i: tensor<16xi64>, %s: tensor<4x16xf32>)
    -> (tensor<?x64xf32>, tensor<18x64xf32>, tensor<9x64xf32>, tensor<16x64xf32>, tensor<16x16xf32>) {
  %0 = tenon.concat %c, %y {axis = 0 : i64} : (tensor<1x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  %1 = tenon.exp %0 : (tensor<?x64xf32>) -> tensor<?x64xf32>
  %2 = tenon.concat %c, %c {axis = 0 : i64} : (tensor<1x64xf32>, tensor<1x64xf32>) -> tensor<2x64xf32>
  %3 = tenon.concat %2, %x, %c {axis = 0 : i64} : (tensor<2x64xf32>, tensor<15x64xf32>, tensor<1x64xf32>) -> tensor<18x64xf32>
  %4 = tenon.concat %c, %c, %c, %c, %c, %c, %c, %c, %c {axis = 0 : i64} : (tensor<1x64xf32>, tensor<1x64xf32>, tensor<1x64xf32>, tensor<1x64xf32>, tensor<1x64xf32>, tensor<1x64xf32>, tensor<1x64xf32>, tensor<1x64xf32>, tensor<1x64xf32>) -> tensor<9x64xf32>
  %5 = tenon.exp %4 : (tensor<9x64xf32>) -> tensor<9x64xf32>
  %6 = tenon.concat %c, %x {axis = 0 : i64} : (tensor<1x64xf32>, tensor<15x64xf32>) -> tensor<16x64xf32>
  %7 = tenon.embedding %6, %i : (tensor<16x64xf32>, tensor<16xi64>) -> tensor<16x64xf32>
  %8 = tenon.concat %s, %s, %s, %s {axis = 0 : i64} : (tensor<4x16xf32>, tensor<4x16xf32>, tensor<4x16xf32>, tensor<4x16xf32>) -> tensor<16x16xf32>
  %9 = tenon.transpose %8 {permutation = array<i64: 1, 0>} : (tensor<16x16xf32>) -> tensor<16x16xf32>
  return %1, %3, %5, %7, %9 : tensor<?x64xf32>, tensor<18x64xf32>, tensor<9x64xf32>, tensor<16x64xf32>, tensor<16x16xf32>
}
