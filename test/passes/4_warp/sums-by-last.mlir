// In: a product whose schedule has whoever of two programs comes last add up their sum. Out: one kernel. All programs
// store what they have and count themselves in; behind a branch that the last one takes are the sum and what follows it.
// RUN: split-file %s %t
// RUN: tenon-compile %t/product.mlir --target=sm_90a --to=tile --schedule=%t/product.schedule | FileCheck %s --check-prefix=TILE
// RUN: tenon-compile %t/product.mlir --target=sm_90a --to=warp --schedule=%t/product.schedule | FileCheck %s --check-prefix=WARP
// RUN: tenon-compile %t/product.mlir --target=sm_90a --to=thread --schedule=%t/product.schedule | FileCheck %s --check-prefix=THREAD
// RUN: tenon-compile %t/swapped.mlir --target=sm_90a --to=warp --schedule=%t/swapped.schedule | FileCheck %s --check-prefix=SWAPPED
// RUN: tenon-compile %t/product.mlir --target=sm_90a --to=ptx --schedule=%t/product.schedule -o %t/product.ptx.mlir

// The parts of the depth count slowest in the grid, so that programs that run at the same time share operands.
// TILE-LABEL: tile.kernel @linear_add(
// TILE: tile.grid (%[[PART:.*]], %{{.*}}, %{{.*}}) = (%c2, %c2, %c32)
// TILE: scf.for %{{.*}} = %c0 to %c2048 step %c64
// TILE: %[[SUM:.*]] = tile.reduce_to_last %{{.*}} {axis = 0 : i64} : tensor<128x128xf32>
// TILE: tile.load %arg2{{.*}} -> tensor<128x128xbf16>
// TILE: tile.store %{{.*}} : tensor<128x128xbf16>
// TILE-NOT: tile.kernel

// Nothing moves between threads, and no cluster is needed.
// WARP: tile.kernel @linear_add(
// WARP-NOT: warp.cluster
// WARP: tile.reduce_to_last {{.*}}#warp.layout<[w8, r2, l8*4], [r16, l4, r2]>>
// WARP-NOT: warp.relayout
// WARP: warp.store

// Counters and parts are in the workspace. The first thread counts, between two fences.
// THREAD: llvm.func @linear_add({{.*}}tenon.counter_bytes = 8192 : i64{{.*}}tenon.scratch_bytes = #[[BYTES:.*]], tenon.shared_bytes
// THREAD: ptx.wgmma
// THREAD-COUNT-16: llvm.store %{{.*}}, %{{.*}} {alignment = 16 : i64} : vector<4xi32>, !llvm.ptr<1>
// THREAD: nvvm.barrier
// THREAD: scf.if
// THREAD: llvm.fence syncscope("device") acq_rel
// THREAD: %[[BEFORE:.*]] = llvm.atomicrmw uinc_wrap %{{.*}}, %c1_i32{{.*}} syncscope("device") monotonic
// THREAD: llvm.fence syncscope("device") acq_rel
// THREAD: llvm.store %[[BEFORE]]
// THREAD: nvvm.barrier
// THREAD: scf.if
// THREAD-COUNT-16: llvm.load %{{.*}} {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xi32>
// THREAD: nvvm.cp.async.bulk.tensor.global.shared.cta

// SWAPPED: tile.reduce_to_last {{.*}} : tensor<64x16xf32
// SWAPPED: tile.trans {{.*}} tensor<64x16xf32{{.*}} -> tensor<16x64xf32
// SWAPPED: tile.store

//--- product.mlir
func.func @main(%x: tensor<256x4096xbf16>, %w: tensor<4096x4096xbf16>, %r: tensor<256x4096xbf16>) -> tensor<256x4096xbf16> {
  %0 = tenon.linear %x, %w : (tensor<256x4096xbf16>, tensor<4096x4096xbf16>) -> tensor<256x4096xbf16>
  %1 = tenon.add %0, %r : (tensor<256x4096xbf16>, tensor<256x4096xbf16>) -> tensor<256x4096xbf16>
  return %1 : tensor<256x4096xbf16>
}
//--- product.schedule
@linear_add = #tile.gemm<rows = 128, columns = 128, depth = 64, split_k = 2, by_last = true>
//--- swapped.mlir
func.func @main(%x: tensor<16x4096xbf16>, %w: tensor<4096x4096xbf16>) -> tensor<16x4096xbf16> {
  %0 = tenon.linear %x, %w : (tensor<16x4096xbf16>, tensor<4096x4096xbf16>) -> tensor<16x4096xbf16>
  return %0 : tensor<16x4096xbf16>
}
//--- swapped.schedule
@linear = #tile.gemm<rows = 16, columns = 64, depth = 128, split_k = 3, swapped = true, by_last = true>
