// exp(x - max) over its sum is a softmax, x - max - log(sum) a log_softmax.
// RUN: tenon-opt %s --tenon-raise-softmax --canonicalize --split-input-file | FileCheck %s
// VALUES: 1e-12

// The sum inverted first; reductions that drop their dimension, along the middle one.
// CHECK-LABEL: @reciprocal_of_the_sum
// CHECK-SAME: (%[[X:.*]]: tensor<2x?x3xf32>)
// CHECK-NEXT: %[[R:.*]] = tenon.softmax %[[X]] {axis = 1 : i64}
// CHECK-NEXT: return %[[R]]
func.func @reciprocal_of_the_sum(%x: tensor<2x?x3xf32>) -> tensor<2x?x3xf32> {
  %0 = tenon.reduce_max %x {axes = array<i64: 1>} : (tensor<2x?x3xf32>) -> tensor<2x3xf32>
  %1 = tenon.reshape %0 : (tensor<2x3xf32>) -> tensor<2x1x3xf32>
  %2 = tenon.sub %x, %1 : (tensor<2x?x3xf32>, tensor<2x1x3xf32>) -> tensor<2x?x3xf32>
  %3 = tenon.exp %2 : (tensor<2x?x3xf32>) -> tensor<2x?x3xf32>
  %4 = tenon.reduce_sum %3 {axes = array<i64: 1>, keep_dims} : (tensor<2x?x3xf32>) -> tensor<2x1x3xf32>
  %5 = tenon.reciprocal %4 : (tensor<2x1x3xf32>) -> tensor<2x1x3xf32>
  %6 = tenon.mul %5, %3 : (tensor<2x1x3xf32>, tensor<2x?x3xf32>) -> tensor<2x?x3xf32>
  return %6 : tensor<2x?x3xf32>
}

// -----

// CHECK-LABEL: @log_softmax
// CHECK-SAME: (%[[X:.*]]: tensor<4x5xf32>)
// CHECK-NEXT: %[[A:.*]] = tenon.log_softmax %[[X]] {axis = 1 : i64}
// CHECK-NEXT: return %[[A]]
func.func @log_softmax(%x: tensor<4x5xf32>) -> tensor<4x5xf32> {
  %0 = tenon.reduce_max %x {axes = array<i64: 1>, keep_dims} : (tensor<4x5xf32>) -> tensor<4x1xf32>
  %1 = tenon.sub %x, %0 : (tensor<4x5xf32>, tensor<4x1xf32>) -> tensor<4x5xf32>
  %2 = tenon.exp %1 : (tensor<4x5xf32>) -> tensor<4x5xf32>
  %3 = tenon.reduce_sum %2 {axes = array<i64: 1>, keep_dims} : (tensor<4x5xf32>) -> tensor<4x1xf32>
  %4 = tenon.log %3 : (tensor<4x1xf32>) -> tensor<4x1xf32>
  %5 = tenon.sub %1, %4 : (tensor<4x5xf32>, tensor<4x1xf32>) -> tensor<4x5xf32>
  return %5 : tensor<4x5xf32>
}

// -----

// x - logsumexp(x).
// CHECK-LABEL: @less_logsumexp
// CHECK-SAME: (%[[X:.*]]: tensor<4x5xf32>)
// CHECK-NEXT: %[[A:.*]] = tenon.log_softmax %[[X]] {axis = 1 : i64}
// CHECK-NEXT: return %[[A]]
func.func @less_logsumexp(%x: tensor<4x5xf32>) -> tensor<4x5xf32> {
  %0 = tenon.reduce_max %x {axes = array<i64: 1>, keep_dims} : (tensor<4x5xf32>) -> tensor<4x1xf32>
  %1 = tenon.sub %x, %0 : (tensor<4x5xf32>, tensor<4x1xf32>) -> tensor<4x5xf32>
  %2 = tenon.exp %1 : (tensor<4x5xf32>) -> tensor<4x5xf32>
  %3 = tenon.reduce_sum %2 {axes = array<i64: 1>, keep_dims} : (tensor<4x5xf32>) -> tensor<4x1xf32>
  %4 = tenon.log %3 : (tensor<4x1xf32>) -> tensor<4x1xf32>
  %5 = tenon.add %4, %0 : (tensor<4x1xf32>, tensor<4x1xf32>) -> tensor<4x1xf32>
  %6 = tenon.sub %x, %5 : (tensor<4x5xf32>, tensor<4x1xf32>) -> tensor<4x5xf32>
  return %6 : tensor<4x5xf32>
}

// -----

// The op computes in f32 whatever it stores.
// CHECK-LABEL: @casts_around
// CHECK-NEXT: tenon.softmax %{{.*}} : (tensor<4x5xbf16>) -> tensor<4x5xbf16>
// CHECK-NEXT: return
func.func @casts_around(%x: tensor<4x5xbf16>) -> tensor<4x5xbf16> {
  %0 = tenon.cast %x : (tensor<4x5xbf16>) -> tensor<4x5xf32>
  %1 = tenon.softmax %0 {axis = 1 : i64} : (tensor<4x5xf32>) -> tensor<4x5xf32>
  %2 = tenon.cast %1 : (tensor<4x5xf32>) -> tensor<4x5xbf16>
  return %2 : tensor<4x5xbf16>
}

// -----

// The exponentials are returned as well.
// CHECK-LABEL: @negative_exponentials_read
// CHECK-NOT: tenon.softmax
func.func @negative_exponentials_read(%x: tensor<4x5xf32>) -> (tensor<4x5xf32>, tensor<4x5xf32>) {
  %0 = tenon.reduce_max %x {axes = array<i64: 1>, keep_dims} : (tensor<4x5xf32>) -> tensor<4x1xf32>
  %1 = tenon.sub %x, %0 : (tensor<4x5xf32>, tensor<4x1xf32>) -> tensor<4x5xf32>
  %2 = tenon.exp %1 : (tensor<4x5xf32>) -> tensor<4x5xf32>
  %3 = tenon.reduce_sum %2 {axes = array<i64: 1>, keep_dims} : (tensor<4x5xf32>) -> tensor<4x1xf32>
  %4 = tenon.div %2, %3 : (tensor<4x5xf32>, tensor<4x1xf32>) -> tensor<4x5xf32>
  return %2, %4 : tensor<4x5xf32>, tensor<4x5xf32>
}

// -----

// Maximum and sum along different axes; no maximum, where it overflows; the maximum of something else.
// CHECK-LABEL: @negative_other_statistics
// CHECK-NOT: tenon.softmax
func.func @negative_other_statistics(%x: tensor<4x4xf32>, %y: tensor<4x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>) {
  %0 = tenon.reduce_max %x {axes = array<i64: 0>, keep_dims} : (tensor<4x4xf32>) -> tensor<1x4xf32>
  %1 = tenon.sub %x, %0 : (tensor<4x4xf32>, tensor<1x4xf32>) -> tensor<4x4xf32>
  %2 = tenon.exp %1 : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %3 = tenon.reduce_sum %2 {axes = array<i64: 1>, keep_dims} : (tensor<4x4xf32>) -> tensor<4x1xf32>
  %4 = tenon.div %2, %3 : (tensor<4x4xf32>, tensor<4x1xf32>) -> tensor<4x4xf32>
  %5 = tenon.exp %x : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %6 = tenon.reduce_sum %5 {axes = array<i64: 1>, keep_dims} : (tensor<4x4xf32>) -> tensor<4x1xf32>
  %7 = tenon.div %5, %6 : (tensor<4x4xf32>, tensor<4x1xf32>) -> tensor<4x4xf32>
  %8 = tenon.reduce_max %y {axes = array<i64: 1>, keep_dims} : (tensor<4x4xf32>) -> tensor<4x1xf32>
  %9 = tenon.sub %x, %8 : (tensor<4x4xf32>, tensor<4x1xf32>) -> tensor<4x4xf32>
  %10 = tenon.exp %9 : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %11 = tenon.reduce_sum %10 {axes = array<i64: 1>, keep_dims} : (tensor<4x4xf32>) -> tensor<4x1xf32>
  %12 = tenon.div %10, %11 : (tensor<4x4xf32>, tensor<4x1xf32>) -> tensor<4x4xf32>
  return %4, %7, %12 : tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>
}
