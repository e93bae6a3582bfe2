// What ops ask of dynamic sizes, as conditions over the sorted names; what names and bounds say already is not asked.
// RUN: tenon-opt %s --tenon-require-sizes --split-input-file | FileCheck %s

// Sizes that meet; the same condition of two ops is there once, by the first.
// CHECK-DAG: #[[SAME:.*]] = affine_map<()[s0, s1, s2] -> (s0, s1)>
// CHECK-DAG: #[[TWICE:.*]] = affine_map<()[s0, s1, s2] -> (s1 * 2, s2)>
// CHECK-DAG: #[[SEVEN:.*]] = affine_map<()[s0, s1, s2] -> (s2, 7)>
// CHECK: func.func @meet
// CHECK-SAME: tenon.size_conditions = [#tenon.size_condition<equal, #[[SAME]], "tenon.add at {{.*}}require-sizes.mlir:15">,
// CHECK-SAME: #tenon.size_condition<equal, #[[TWICE]], "tenon.add at {{[^"]*}}">,
// CHECK-SAME: #tenon.size_condition<equal, #[[SEVEN]], "tenon.matmul at {{[^"]*}}">]}
func.func @meet(%x: tensor<?xf32> {tenon.dims = ["a"]}, %y: tensor<?xf32> {tenon.dims = ["b"]},
                %z: tensor<3x?xf32> {tenon.dims = ["", "c"]}, %w: tensor<7x2xf32>)
    -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<3x2xf32>) {
  %0 = tenon.add %x, %y : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  %1 = tenon.mul %x, %y : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  %2 = tenon.concat %y, %y {axis = 0 : i64} : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  %3 = tenon.reduce_sum %z {axes = array<i64: 0>} : (tensor<3x?xf32>) -> tensor<?xf32>
  %4 = tenon.add %2, %3 : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  %5 = tenon.matmul %z, %w : (tensor<3x?xf32>, tensor<7x2xf32>) -> tensor<3x2xf32>
  return %0, %1, %4, %5 : tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<3x2xf32>
}

// -----

// Room in a cache, rows of a table, elements of a reshape.
// CHECK-DAG: #[[ROOM:.*]] = affine_map<()[s0, s1] -> (s0, 33)>
// CHECK-DAG: #[[ROWS:.*]] = affine_map<()[s0, s1] -> (s0 * 2, s1)>
// CHECK-DAG: #[[WHOLE:.*]] = affine_map<()[s0, s1] -> (s1 * 4, ((s1 * 4) floordiv 3) * 3)>
// CHECK: func.func @places
// CHECK-SAME: <at_most, #[[ROOM]], "tenon.kv_cache_append
// CHECK-SAME: <needs, #[[ROWS]], "tenon.embedding
// CHECK-SAME: <equal, #[[WHOLE]], "tenon.reshape
func.func @places(%c: tensor<2x3x33x8xf32>, %u: tensor<2x3x?x8xf32> {tenon.dims = ["", "", "s", ""]}, %p: tensor<i64>,
                  %t: tensor<?x4xf32> {tenon.dims = ["t", ""]}, %i: tensor<2x?xi64> {tenon.dims = ["", "s"]})
    -> (tensor<2x3x33x8xf32>, tensor<2x?x4xf32>, tensor<?x3xf32>) {
  %0 = tenon.kv_cache_append %c, %u, %p : (tensor<2x3x33x8xf32>, tensor<2x3x?x8xf32>, tensor<i64>) -> tensor<2x3x33x8xf32>
  %1 = tenon.embedding %t, %i : (tensor<?x4xf32>, tensor<2x?xi64>) -> tensor<2x?x4xf32>
  %2 = tenon.reshape %t : (tensor<?x4xf32>) -> tensor<?x3xf32>
  return %0, %1, %2 : tensor<2x3x33x8xf32>, tensor<2x?x4xf32>, tensor<?x3xf32>
}

// -----

// Names, bounds and static sizes say it all.
// CHECK: func.func @negative_known(%{{.*}}) -> tensor<?x8xf32> {
module attributes {tenon.dim_bounds = {s = array<i64: 0, 33>, t = array<i64: 1, 9>}} {
func.func @negative_known(%c: tensor<1x3x33x8xf32>, %u: tensor<1x3x?x8xf32> {tenon.dims = ["", "", "s", ""]}, %p: tensor<i64>,
                          %t: tensor<?x8xf32> {tenon.dims = ["t", ""]}, %i: tensor<?xi64> {tenon.dims = ["s"]}) -> tensor<?x8xf32> {
  %0 = tenon.kv_cache_append %c, %u, %p : (tensor<1x3x33x8xf32>, tensor<1x3x?x8xf32>, tensor<i64>) -> tensor<1x3x33x8xf32>
  %1 = tenon.embedding %t, %i : (tensor<?x8xf32>, tensor<?xi64>) -> tensor<?x8xf32>
  %2 = tenon.reshape %1 : (tensor<?x8xf32>) -> tensor<?x4x2xf32>
  %3 = tenon.reshape %2 : (tensor<?x4x2xf32>) -> tensor<?x8xf32>
  %4 = tenon.add %1, %3 : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %4 : tensor<?x8xf32>
}
}

// -----

// A function without named sizes is left to the pass that needs them: tenon-resolve-sizes.
// CHECK: func.func @negative_no_names(%{{[^)]*}}) -> tensor<?xf32> {
func.func @negative_no_names(%x: tensor<?xf32>, %y: tensor<?xf32>) -> tensor<?xf32> {
  %0 = tenon.add %x, %y : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}
