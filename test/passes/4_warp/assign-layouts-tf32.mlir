// In: products of f32 that may be rounded to tf32. Out: Tensor Cores where both operands lie along the depth, by warpgroups
// where there are such and 64 rows, whose operands are rounded as they come to shared memory; else plain multiply-adds, since the
// 32-bit elements of a fragment cannot be read across it.
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=kernel" --tenon-choose-tile-schedules="tf32" --tenon-tile-kernels --canonicalize --cse \
// RUN:   --tenon-choose-warp-schedules="tf32" --tenon-stage-copies --tenon-assign-layouts | FileCheck %s
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=kernel" --tenon-choose-tile-schedules="tf32 arch=sm_80" --tenon-tile-kernels --canonicalize --cse \
// RUN:   --tenon-choose-warp-schedules="tf32 arch=sm_80" --tenon-stage-copies="arch=sm_80" --tenon-assign-layouts | FileCheck %s --check-prefix=SM80
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=kernel" --tenon-choose-tile-schedules --tenon-tile-kernels --canonicalize --cse \
// RUN:   --tenon-choose-warp-schedules --tenon-stage-copies --tenon-assign-layouts | FileCheck %s --check-prefix=EXACT --implicit-check-not=mma

// CHECK-LABEL: tile.kernel @linear
// CHECK-SAME: tf32 = true, wgmma = true, producer = true>
// CHECK: warp.copy {{.*}} : <512x384xf32>, <{{[0-9x]+}}xtf32, 128>
// CHECK: warp.dot {{.*}} {atom = #warp.wgmma<k = 8>, transpose_b} : !warp.smem<{{[0-9x]+}}xtf32, 128>, !warp.smem<{{[0-9x]+}}xtf32, 128>
// EXACT: warp.dot {{.*}} {atom = #warp.fma, transpose_b}
// SM80-LABEL: tile.kernel @linear
// SM80-NOT: xtf32
// SM80: warp.dot {{.*}} {atom = #warp.mma_sync<m = 16, n = 8, k = 8>, transpose_b}
func.func @main(%x: tensor<512x384xf32>, %w: tensor<1024x384xf32>) -> tensor<512x1024xf32> {
  %y = tenon.linear %x, %w : (tensor<512x384xf32>, tensor<1024x384xf32>) -> tensor<512x1024xf32>
  return %y : tensor<512x1024xf32>
}

// -----

// A transposition in front of the dot is the dot's own.
// CHECK-LABEL: tile.kernel @transposed
// CHECK-SAME: wgmma = true
// CHECK: warp.dot {{.*}} {atom = #warp.wgmma<k = 8>, transpose_b}
tile.kernel @transposed(%X: !tile.view<64x32xf32>, %W: !tile.view<64x32xf32>, %Y: !tile.view<64x64xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  tile.grid (%i) = (%c1) {
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %x = tile.load %X[%c0, %c0] : !tile.view<64x32xf32> -> tensor<64x32xf32>
    %w = tile.load %W[%c0, %c0] : !tile.view<64x32xf32> -> tensor<64x32xf32>
    %t = tile.trans %w {permutation = array<i64: 1, 0>} : tensor<64x32xf32> -> tensor<32x64xf32>
    %y = tile.dot %x, %t, %zero : tensor<64x32xf32>, tensor<32x64xf32> -> tensor<64x64xf32>
    tile.store %y, %Y[%c0, %c0] : tensor<64x64xf32>, !tile.view<64x64xf32>
  }
}

// -----

// What others read too is not rounded where it comes, but for the dot alone.
// CHECK-LABEL: tile.kernel @read_twice
// CHECK: warp.copy {{.*}} : <64x32xf32>, <64x32xf32, 128>
// CHECK: %[[X:.*]] = warp.read %{{.*}} : <64x32xf32, 128> ->
// CHECK: %[[ROUNDED:.*]] = warp.stage %[[X]] : {{.*}} -> <64x32xtf32, 128>
// CHECK: warp.dot %[[ROUNDED]], %{{.*}} {atom = #warp.wgmma<k = 8>, transpose_b} : !warp.smem<64x32xtf32, 128>, !warp.smem<64x32xtf32, 128>
// CHECK: arith.negf %[[X]]
tile.kernel @read_twice(%X: !tile.view<64x32xf32>, %W: !tile.view<64x32xf32>, %Y: !tile.view<64x64xf32>, %Z: !tile.view<64x32xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  tile.grid (%i) = (%c1) {
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %x = tile.load %X[%c0, %c0] : !tile.view<64x32xf32> -> tensor<64x32xf32>
    %w = tile.load %W[%c0, %c0] : !tile.view<64x32xf32> -> tensor<64x32xf32>
    %y = tile.dot %x, %w, %zero {transpose_b} : tensor<64x32xf32>, tensor<64x32xf32> -> tensor<64x64xf32>
    tile.store %y, %Y[%c0, %c0] : tensor<64x64xf32>, !tile.view<64x64xf32>
    %n = arith.negf %x : tensor<64x32xf32>
    tile.store %n, %Z[%c0, %c0] : tensor<64x32xf32>, !tile.view<64x32xf32>
  }
}

// -----

// Both dots of an attention are a warp's, the second, across its depth, by multiply-adds.
// CHECK-LABEL: tile.kernel @attention
// CHECK-NOT: wgmma
// CHECK: warp.dot {{.*}} {atom = #warp.mma_sync<m = 16, n = 8, k = 8>, transpose_b}
// CHECK: warp.dot {{.*}} {atom = #warp.fma}
func.func @main(%q: tensor<4x8x512x64xf32>, %k: tensor<4x8x512x64xf32>, %v: tensor<4x8x512x64xf32>) -> tensor<4x8x512x64xf32> {
  %y = tenon.attention %q, %k, %v {} : (tensor<4x8x512x64xf32>, tensor<4x8x512x64xf32>, tensor<4x8x512x64xf32>) -> tensor<4x8x512x64xf32>
  return %y : tensor<4x8x512x64xf32>
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
