// In: products whose schedule has programs share sums and add them up themselves. Out: one kernel, whose CTAs send each
// other what they have of each other's part, and finish their own.
// RUN: split-file %s %t
// RUN: tenon-compile %t/product.mlir --target=sm_90a --to=tile --schedule=%t/product.schedule | FileCheck %s --check-prefix=TILE
// RUN: tenon-compile %t/product.mlir --target=sm_90a --to=warp --schedule=%t/product.schedule | FileCheck %s --check-prefix=WARP
// RUN: tenon-compile %t/product.mlir --target=sm_90a --to=thread --schedule=%t/product.schedule | FileCheck %s --check-prefix=THREAD
// RUN: tenon-compile %t/swapped.mlir --target=sm_90a --to=warp --schedule=%t/swapped.schedule | FileCheck %s --check-prefix=SWAPPED

// Programs differ in the part of the depth, and store different columns, with what stands behind the product.
// TILE-LABEL: tile.kernel @linear_add(
// TILE: tile.grid (%{{.*}}, %{{.*}}, %[[PART:.*]]) = (%c1, %c64, %c2)
// TILE: scf.for %{{.*}} = %c0 to %c2048 step %c64
// TILE: %[[SUM:.*]] = tile.reduce_scatter %{{.*}} {axis = 2 : i64, dimension = 1 : i64} : tensor<64x64xf32> -> tensor<64x32xf32>
// TILE: tile.load %arg2{{.*}} -> tensor<64x32xbf16>
// TILE: tile.store %{{.*}} : tensor<64x32xbf16>
// TILE-NOT: tile.kernel

// A thread has as much of both parts, and shared memory has room for eight slots beside the other's.
// WARP: tile.kernel @linear_add({{.*}}warp.cluster = #warp.cluster<axis = 2, size = 2>
// WARP: warp.ring.create {{.*}} : <8, <64x64xbf16, 128>, <64x64xbf16, 128>>
// WARP: tile.reduce_scatter {{.*}}#warp.layout<[w4, r2, l8*4], [r8, l4, r2]>> -> tensor<64x32xf32, #warp.layout<[w4, r2, l8*4], [r4, l4, r2]>>
// WARP-NOT: warp.relayout
// WARP: warp.store

// The producer copies before the other CTA is there; who multiplies waits for it. The last barrier counts the bytes that
// come, one before it the warps of the other CTA.
// THREAD: llvm.func @linear_add({{.*}}tenon.cluster = array<i64: 2, 1, 1>
// THREAD: nvvm.fence.mbarrier.init
// THREAD: nvvm.barrier0
// THREAD-NEXT: nvvm.cluster.arrive
// THREAD: nvvm.cp.async.bulk.tensor.shared.cluster.global
// THREAD: nvvm.cluster.wait
// THREAD: nvvm.cluster.wait
// THREAD: ptx.wgmma
// THREAD: nvvm.mbarrier.arrive.expect_tx %[[FULL:.*]], %c8192_i32
// THREAD: ptx.mbarrier.wait %[[EMPTY:.*]], %
// THREAD-COUNT-4: ptx.st.async %{{.*}}, %{{.*}}, %[[FULL]], %[[PEER:.*]] : vector<4xi32>
// THREAD: ptx.mbarrier.wait %[[FULL]], %
// THREAD-COUNT-4: llvm.load %{{.*}} {alignment = 16 : i64} : !llvm.ptr<3> -> vector<4xi32>
// THREAD: ptx.mbarrier.arrive.cluster %[[EMPTY]], %
// THREAD: nvvm.cluster.arrive
// THREAD-NEXT: nvvm.cluster.wait

// SWAPPED: tile.reduce_scatter {{.*}} tensor<64x16xf32{{.*}} -> tensor<64x8xf32
// SWAPPED: tile.trans {{.*}} tensor<64x8xf32{{.*}} -> tensor<8x64xf32
// SWAPPED: tile.store

//--- product.mlir
func.func @main(%x: tensor<64x4096xbf16>, %w: tensor<4096x4096xbf16>, %r: tensor<64x4096xbf16>) -> tensor<64x4096xbf16> {
  %0 = tenon.linear %x, %w : (tensor<64x4096xbf16>, tensor<4096x4096xbf16>) -> tensor<64x4096xbf16>
  %1 = tenon.add %0, %r : (tensor<64x4096xbf16>, tensor<64x4096xbf16>) -> tensor<64x4096xbf16>
  return %1 : tensor<64x4096xbf16>
}
//--- product.schedule
@linear_add = #tile.gemm<rows = 64, columns = 64, depth = 64, split_k = 2, joined = true>
//--- swapped.mlir
func.func @main(%x: tensor<16x4096xbf16>, %w: tensor<4096x4096xbf16>) -> tensor<16x4096xbf16> {
  %0 = tenon.linear %x, %w : (tensor<16x4096xbf16>, tensor<4096x4096xbf16>) -> tensor<16x4096xbf16>
  return %0 : tensor<16x4096xbf16>
}
//--- swapped.schedule
@linear = #tile.gemm<rows = 16, columns = 64, depth = 128, split_k = 2, swapped = true, joined = true>
