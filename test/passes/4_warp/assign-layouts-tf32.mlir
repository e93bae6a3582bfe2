// In: products of f32 that may be rounded to tf32. Out: Tensor Cores where both operands lie along the depth; else plain
// multiply-adds, since the 32-bit elements of a fragment cannot be read across it.
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=kernel" --tenon-choose-tile-schedules --tenon-tile-kernels --canonicalize --cse \
// RUN:   --tenon-choose-warp-schedules="tf32" --tenon-stage-copies --tenon-assign-layouts | FileCheck %s

// CHECK-LABEL: tile.kernel @linear
// CHECK: warp.dot {{.*}} {atom = #warp.mma_sync<m = 16, n = 8, k = 8>, transpose_b}
func.func @main(%x: tensor<512x384xf32>, %w: tensor<1024x384xf32>) -> tensor<512x1024xf32> {
  %y = tenon.linear %x, %w : (tensor<512x384xf32>, tensor<1024x384xf32>) -> tensor<512x1024xf32>
  return %y : tensor<512x1024xf32>
}

// -----

// CHECK-LABEL: tile.kernel @matmul
// CHECK: warp.dot {{.*}} {atom = #warp.fma}
func.func @main(%x: tensor<512x384xf32>, %w: tensor<384x1024xf32>) -> tensor<512x1024xf32> {
  %y = tenon.matmul %x, %w : (tensor<512x384xf32>, tensor<384x1024xf32>) -> tensor<512x1024xf32>
  return %y : tensor<512x1024xf32>
}

// -----

// CHECK-LABEL: tile.kernel @matmul
// CHECK: warp.dot {{.*}} {atom = #warp.fma, transpose_a, transpose_b}
func.func @main(%x: tensor<384x512xf32>, %w: tensor<1024x384xf32>) -> tensor<512x1024xf32> {
  %y = tenon.matmul %x, %w {transpose_a, transpose_b} : (tensor<384x512xf32>, tensor<1024x384xf32>) -> tensor<512x1024xf32>
  return %y : tensor<512x1024xf32>
}
