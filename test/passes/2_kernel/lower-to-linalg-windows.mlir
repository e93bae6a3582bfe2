// A window's position and taps are loops; the input is read at position * stride + tap * dilation.
// RUN: tenon-opt %s --tenon-form-kernels --tenon-lower-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

// A patch embedding copies nothing and adds the bias to the accumulator.
// CHECK-DAG: #[[IN:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d4, d2 * 4 + d5, d3 * 4 + d6)>
// CHECK-DAG: #[[W:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d1, d4, d5, d6)>
// CHECK-LABEL: @main
// CHECK: tenon.kernel @convolution(%[[X:.*]] = %{{.*}}, %[[WEIGHT:.*]] = %{{.*}}, %[[BIAS:.*]] = %{{.*}})
// CHECK-NOT: tensor.insert_slice
// CHECK: %[[SUM:.*]] = linalg.generic {indexing_maps = [#[[IN]], #[[W]], #{{.*}}], {{.*}} ins(%[[X]], %[[WEIGHT]]
// CHECK: linalg.generic {{.*}} ins(%[[SUM]], %[[BIAS]]
func.func @main(%x: tensor<?x3x32x32xf16>, %w: tensor<8x3x4x4xf16>, %b: tensor<8xf16>) -> tensor<?x8x8x8xf16> {
  %r = tenon.convolution %x, %w, %b {stride = array<i64: 4, 4>, padding = array<i64: 0, 0>, dilation = array<i64: 1, 1>}
      : (tensor<?x3x32x32xf16>, tensor<8x3x4x4xf16>, tensor<8xf16>) -> tensor<?x8x8x8xf16>
  return %r : tensor<?x8x8x8xf16>
}

// -----

// Groups are a dimension of their own; padding is written around a copy.
// CHECK: #[[IN:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d4, d3 + d5 * 2)>
// CHECK-LABEL: @main
// CHECK: %[[ZEROS:.*]] = linalg.fill
// CHECK: %[[PADDED:.*]] = tensor.insert_slice %{{.*}} into %[[ZEROS]][0, 0, 3]
// CHECK: %[[X:.*]] = tensor.expand_shape %[[PADDED]] {{\[\[}}0], [1, 2], [3]] {{.*}} into tensor<2x3x2x?xf32>
// CHECK: %[[W:.*]] = tensor.expand_shape %{{.*}} into tensor<3x5x2x3xf32>
// CHECK: %[[SUM:.*]] = linalg.generic {indexing_maps = [#[[IN]], #{{.*}} ins(%[[X]], %[[W]] : {{.*}}) outs(%{{.*}} : tensor<2x3x5x?xf32>)
// CHECK: tensor.collapse_shape %[[SUM]] {{\[\[}}0], [1, 2], [3]]
func.func @main(%x: tensor<2x6x?xf32>, %w: tensor<15x2x3xf32>) -> tensor<2x15x?xf32> {
  %r = tenon.convolution %x, %w {stride = array<i64: 1>, padding = array<i64: 3>, dilation = array<i64: 2>, groups = 3 : i64}
      : (tensor<2x6x?xf32>, tensor<15x2x3xf32>) -> tensor<2x15x?xf32>
  return %r : tensor<2x15x?xf32>
}

// -----

// Padding counts as -Inf, and the maximum keeps NaN.
// CHECK: #[[IN:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2 * 2 + d4, d3 + d5)>
// CHECK-LABEL: @main
// CHECK-DAG: %[[INF:.*]] = arith.constant 0xFF80 : bf16
// CHECK: %[[AROUND:.*]] = linalg.fill ins(%[[INF]] : bf16)
// CHECK: %[[PADDED:.*]] = tensor.insert_slice %{{.*}} into %[[AROUND]][0, 0, 1, 0]
// CHECK: linalg.generic {indexing_maps = [#[[IN]], {{.*}}"reduction", "reduction"]} ins(%[[PADDED]], %{{.*}} : {{.*}}, tensor<3x2xbf16>)
// CHECK: arith.maximumf
func.func @main(%x: tensor<1x3x8x8xbf16>) -> tensor<1x3x4x7xbf16> {
  %r = tenon.max_pool %x {window = array<i64: 3, 2>, stride = array<i64: 2, 1>, padding = array<i64: 1, 0>}
      : (tensor<1x3x8x8xbf16>) -> tensor<1x3x4x7xbf16>
  return %r : tensor<1x3x4x7xbf16>
}

// -----

// The mean divides by the window, padding included.
// CHECK-LABEL: @main
// CHECK-DAG: %[[COUNT:.*]] = arith.constant 3.000000e+00 : f32
// CHECK: %[[SUM:.*]] = linalg.generic {{.*}}"reduction"]}
// CHECK: linalg.generic {{.*}} ins(%[[SUM]]
// CHECK: arith.divf %{{.*}}, %[[COUNT]]
func.func @main(%x: tensor<1x3x?xf32>) -> tensor<1x3x?xf32> {
  %r = tenon.avg_pool %x {window = array<i64: 3>, stride = array<i64: 1>, padding = array<i64: 1>}
      : (tensor<1x3x?xf32>) -> tensor<1x3x?xf32>
  return %r : tensor<1x3x?xf32>
}
