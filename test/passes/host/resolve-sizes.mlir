// In: ops whose sizes come from arguments, through views, sizes as data, clamped slices and kernels. Out: each states them.
// RUN: tenon-opt %s --split-input-file --tenon-resolve-sizes | FileCheck %s

// CHECK-LABEL: func.func @main
// CHECK: tenon.linear {{.*}}tenon.result_shapes = [#[[ROWS:.*]]]
// CHECK: tenon.kernel @pointwise
// CHECK-SAME: tenon.result_shapes
module attributes {tenon.dim_bounds = {batch = array<i64: 1, 4>, seq = array<i64: 1, 8>}} {
  func.func @main(%x: tensor<?x?x6xf32> {tenon.dims = ["batch", "seq", ""]}) -> tensor<?x?x5xf32> {
    %w = tenon.weight "w" : tensor<5x6xf32>
    %y = tenon.linear %x, %w : (tensor<?x?x6xf32>, tensor<5x6xf32>) -> tensor<?x?x5xf32>
    %z = tenon.kernel @pointwise(%a = %y) : (tensor<?x?x5xf32>) -> tensor<?x?x5xf32> {
      %r = tenon.relu %a : (tensor<?x?x5xf32>) -> tensor<?x?x5xf32>
      tenon.yield %r : tensor<?x?x5xf32>
    }
    return %z : tensor<?x?x5xf32>
  }
}

// -----

// A slice to 8 of at most 8 rows is all of them; a reshape multiplies.
// CHECK: #[[SEQ:.*]] = affine_map<()[s0, s1] -> (s1)>
// CHECK: #[[BOTH:.*]] = affine_map<()[s0, s1] -> (s0 * s1)>
// CHECK-LABEL: func.func @main
// CHECK: tenon.slice
// CHECK-SAME: #[[SEQ]]
// CHECK: tenon.reshape
// CHECK-SAME: #[[BOTH]]
module attributes {tenon.dim_bounds = {batch = array<i64: 1, 4>, seq = array<i64: 1, 8>}} {
  func.func @main(%x: tensor<?x?xf32> {tenon.dims = ["batch", "seq"]}, %p: tensor<?xf32> {tenon.dims = ["seq"]}) -> (tensor<?xf32>, tensor<?xf32>) {
    %s = tenon.slice %p {starts = array<i64: 0>, ends = array<i64: 8>, steps = array<i64: 1>} : (tensor<?xf32>) -> tensor<?xf32>
    %y = tenon.reshape %x : (tensor<?x?xf32>) -> tensor<?xf32>
    return %s, %y : tensor<?xf32>, tensor<?xf32>
  }
}

// -----

// What a loop inside a kernel carries keeps its sizes.
// CHECK-DAG: #[[SAME:.*]] = affine_map<()[s0] -> (s0, 4)>
// CHECK-LABEL: func.func @main
// CHECK: tenon.kernel @scan
// CHECK-SAME: tenon.result_shapes = [#[[SAME]]]
module attributes {tenon.dim_bounds = {n = array<i64: 1, 8>}} {
  func.func @main(%x: tensor<?x4xf32> {tenon.dims = ["n", ""]}) -> tensor<?x4xf32> {
    %y = tenon.kernel @scan(%X = %x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c4 = arith.constant 4 : index
      %r = scf.for %i = %c0 to %c4 step %c1 iter_args(%state = %X) -> (tensor<?x4xf32>) {
        scf.yield %state : tensor<?x4xf32>
      }
      tenon.yield %r : tensor<?x4xf32>
    }
    return %y : tensor<?x4xf32>
  }
}
