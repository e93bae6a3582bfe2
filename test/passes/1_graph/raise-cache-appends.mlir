// Writes by index into a cache [batch, heads, places, size] whose indices follow each other -> kv_cache_append.
// RUN: tenon-opt %s --tenon-raise-cache-appends --split-input-file | FileCheck %s

// One index is a place.
// CHECK-LABEL: @one
// CHECK-SAME: (%[[C:.*]]: tensor<2x3x16x8xbf16>, %[[U:.*]]: tensor<2x3x1x8xbf16>, %[[PLACE:.*]]: tensor<1xi64>)
// CHECK: %[[P:.*]] = tenon.reshape %[[PLACE]] : (tensor<1xi64>) -> tensor<i64>
// CHECK: tenon.kv_cache_append %[[C]], %[[U]], %[[P]]
func.func @one(%c: tensor<2x3x16x8xbf16>, %u: tensor<2x3x1x8xbf16>, %position: tensor<1xi64>) -> tensor<2x3x16x8xbf16> {
  %0 = tenon.scatter %c, %position, %u {axis = 2 : i64} : (tensor<2x3x16x8xbf16>, tensor<1xi64>, tensor<2x3x1x8xbf16>) -> tensor<2x3x16x8xbf16>
  return %0 : tensor<2x3x16x8xbf16>
}

// -----

// Places from the start, as many as the run brings.
// CHECK-LABEL: @from_the_start
// CHECK: %[[P:.*]] = tenon.constant dense<2> : tensor<i64>
// CHECK: tenon.kv_cache_append %{{.*}}, %{{.*}}, %[[P]]
func.func @from_the_start(%c: tensor<1x3x16x8xf32>, %u: tensor<1x3x?x8xf32> {tenon.dims = ["", "", "s", ""]}) -> tensor<1x3x16x8xf32> {
  %n = tenon.dim %u {axis = 2 : i64} : (tensor<1x3x?x8xf32>) -> tensor<i64>
  %0 = tenon.iota %n {axis = 0 : i64, start = 2.0 : f64, step = 1.0 : f64} : (tensor<i64>) -> tensor<?xi64>
  %1 = tenon.scatter %c, %0, %u {axis = 2 : i64} : (tensor<1x3x16x8xf32>, tensor<?xi64>, tensor<1x3x?x8xf32>) -> tensor<1x3x16x8xf32>
  return %1 : tensor<1x3x16x8xf32>
}

// -----

// CHECK-LABEL: @from_a_length
// CHECK-SAME: %[[LENGTH:[^ ]*]]: tensor<i64>)
// CHECK: tenon.kv_cache_append %{{.*}}, %{{.*}}, %[[LENGTH]]
func.func @from_a_length(%c: tensor<1x3x16x8xf32>, %u: tensor<1x3x4x8xf32>, %length: tensor<i64>) -> tensor<1x3x16x8xf32> {
  %0 = tenon.iota {axis = 0 : i64, start = 0.0 : f64, step = 1.0 : f64} : () -> tensor<4xi64>
  %1 = tenon.add %0, %length : (tensor<4xi64>, tensor<i64>) -> tensor<4xi64>
  %2 = tenon.scatter %c, %1, %u {axis = 2 : i64} : (tensor<1x3x16x8xf32>, tensor<4xi64>, tensor<1x3x4x8xf32>) -> tensor<1x3x16x8xf32>
  return %2 : tensor<1x3x16x8xf32>
}

// -----

// Every second place; indices that are data; another axis.
// CHECK-LABEL: @negative_places
// CHECK-COUNT-3: tenon.scatter
func.func @negative_places(%c: tensor<1x3x16x8xf32>, %u: tensor<1x3x4x8xf32>, %i: tensor<4xi64>, %v: tensor<1x1x16x8xf32>, %p: tensor<1xi64>)
    -> (tensor<1x3x16x8xf32>, tensor<1x3x16x8xf32>, tensor<1x3x16x8xf32>) {
  %0 = tenon.iota {axis = 0 : i64, start = 0.0 : f64, step = 2.0 : f64} : () -> tensor<4xi64>
  %1 = tenon.scatter %c, %0, %u {axis = 2 : i64} : (tensor<1x3x16x8xf32>, tensor<4xi64>, tensor<1x3x4x8xf32>) -> tensor<1x3x16x8xf32>
  %2 = tenon.scatter %c, %i, %u {axis = 2 : i64} : (tensor<1x3x16x8xf32>, tensor<4xi64>, tensor<1x3x4x8xf32>) -> tensor<1x3x16x8xf32>
  %3 = tenon.scatter %c, %p, %v {axis = 1 : i64} : (tensor<1x3x16x8xf32>, tensor<1xi64>, tensor<1x1x16x8xf32>) -> tensor<1x3x16x8xf32>
  return %1, %2, %3 : tensor<1x3x16x8xf32>, tensor<1x3x16x8xf32>, tensor<1x3x16x8xf32>
}
