// In: products of few rows whose schedule swaps rows and columns. Out: the transposed dot by wgmma, with columns in the
// places of its 64 rows; its result is turned without moving between threads. Shared tiles keep their own order.
// RUN: split-file %s %t
// RUN: tenon-compile %t/sixteen.mlir --target=sm_90a --to=tile --schedule=%t/sixteen.schedule | FileCheck %s --check-prefix=TILE
// RUN: tenon-compile %t/sixteen.mlir --target=sm_90a --to=warp --schedule=%t/sixteen.schedule | FileCheck %s --check-prefix=WARP
// RUN: tenon-compile %t/sixteen.mlir --target=sm_90a --to=thread --schedule=%t/sixteen.schedule | FileCheck %s --check-prefix=THREAD
// RUN: tenon-compile %t/floats8.mlir --target=sm_90a --to=warp --schedule=%t/floats8.schedule | FileCheck %s --check-prefix=FLOATS8

// TILE-LABEL: tile.kernel @linear
// TILE: %[[SUM:.*]] = scf.for {{.*}} -> (tensor<128x16xf32>) {
// TILE: %[[X:.*]] = tile.load %arg0[{{.*}} -> tensor<16x128xbf16>
// TILE: %[[W:.*]] = tile.load %arg1[{{.*}} -> tensor<128x128xbf16>
// TILE: tile.dot %[[W]], %[[X]], %{{.*}} {transpose_b} : tensor<128x128xbf16>, tensor<16x128xbf16> -> tensor<128x16xf32>
// TILE: tile.trans %[[SUM]] {permutation = array<i64: 1, 0>} : tensor<128x16xf32> -> tensor<16x128xf32>

// WARP: warp.ring.create {{.*}} : <5, <16x128xbf16, 128>, <128x128xbf16, 128>>
// WARP: warp.dot {{.*}}atom = #warp.wgmma{{.*}} -> tensor<128x16xf32, #warp.layout<[w8, r2, l8*4], [r2, l4, r2]>>
// WARP: tile.trans {{.*}} -> tensor<16x128xf32, #warp.layout<[r2, l4, r2], [w8, r2, l8*4]>>
// WARP-NOT: warp.relayout
// WARP: tile.store

// THREAD: ptx.wgmma
// THREAD-NOT: llvm.store %{{.*}} !llvm.ptr<3>
// THREAD: llvm.store %{{.*}} : bf16, !llvm.ptr<1>

// Sums of a turn and those they are added to are turned once, at the end.
// FLOATS8: %[[SUM:.*]] = scf.for {{.*}} -> (tensor<64x8xf32,
// FLOATS8: warp.dot {{.*}}atom = #warp.wgmma<k = 32>{{.*}} -> tensor<64x8xf32, #warp.layout<[w4, r2, l8*4], [l4, r2]>>
// FLOATS8: arith.addf {{.*}} tensor<64x8xf32
// FLOATS8: tile.trans {{.*}} -> tensor<8x64xf32
// FLOATS8-NOT: tile.trans

//--- sixteen.mlir
func.func @main(%x: tensor<16x4096xbf16>, %w: tensor<14336x4096xbf16>) -> tensor<16x14336xbf16> {
  %0 = tenon.linear %x, %w : (tensor<16x4096xbf16>, tensor<14336x4096xbf16>) -> tensor<16x14336xbf16>
  return %0 : tensor<16x14336xbf16>
}
//--- sixteen.schedule
@linear = #tile.gemm<rows = 16, columns = 128, depth = 128, swapped = true>
//--- floats8.mlir
func.func @main(%x: tensor<5x4096xf8E4M3FN>, %xs: tensor<5x1xf32>, %w: tensor<4096x4096xf8E4M3FN>, %ws: tensor<4096x1xf32>) -> tensor<5x4096xbf16> {
  %0 = tenon.quantised_matmul %x scale(%xs), %w scale(%ws) : (tensor<5x4096xf8E4M3FN>, tensor<5x1xf32>, tensor<4096x4096xf8E4M3FN>, tensor<4096x1xf32>) -> tensor<5x4096xbf16>
  return %0 : tensor<5x4096xbf16>
}
//--- floats8.schedule
@quantised_matmul = #tile.gemm<rows = 8, columns = 64, depth = 128, promote = 128, swapped = true>
