// In: the place of a row's maximum, and the mean of few rows. Out: programs share the columns. In the loop each element of a
// tile keeps a result of its own, and no thread waits for another; behind it is one fold, and the last program's of what all have.
// RUN: split-file %s %t
// RUN: tenon-compile %t/argmax.mlir --target=sm_90a --to=tile | FileCheck %s --check-prefix=TILE
// RUN: tenon-compile %t/argmax.mlir --target=sm_90a --to=warp | FileCheck %s --check-prefix=WARP
// RUN: tenon-compile %t/argmax.mlir --target=sm_90a --to=thread | FileCheck %s --check-prefix=THREAD
// RUN: tenon-compile %t/argmax.mlir --target=sm_90a --to=ptx -o %t/argmax.ptx.mlir
// RUN: tenon-compile %t/mean.mlir --target=sm_90a --to=tile | FileCheck %s --check-prefix=MEAN
// RUN: tenon-compile %t/mean.mlir --target=sm_90a --to=tile --schedule=%t/mean.schedule | FileCheck %s --check-prefix=ONCE
// RUN: tenon-compile %t/many.mlir --target=sm_90a --to=tile --remarks 2>&1 | FileCheck %s --check-prefix=MANY

// TILE: tile.kernel @argmax({{.*}}tenon.schedule = #tile.row<rows = 1, columns = 1, part = 2048, splits = 16>
// TILE: tile.grid (%[[ROW:.*]], %[[PART:.*]]) = (%c64, %c16)
// TILE: %[[OWN:.*]]:2 = scf.for %{{.*}} = %c0 to %c8192 step %c2048 {{.*}} -> (tensor<2048xbf16>, tensor<2048xi32>)
// TILE-NOT: tile.reduce
// TILE: scf.yield
// TILE: tile.reduce max %[[OWN]]#0
// TILE: %[[PLACE:.*]] = tile.reduce min %{{.*}} : tensor<2048xi32>
// TILE: %[[ALL:.*]]:2 = tile.gather_to_last %{{.*}}, %[[PLACE]] {axis = 1 : i64} : tensor<bf16>, tensor<i32> -> tensor<16xbf16>, tensor<16xi32>
// TILE: tile.reduce max %[[ALL]]#0
// TILE: arith.select %{{.*}}, %[[ALL]]#1
// TILE: tile.reduce min
// TILE: tile.store

// WARP: tile.gather_to_last
// WARP-NOT: warp.relayout

// THREAD: llvm.func @argmax({{.*}}tenon.counter_bytes = 8192 : i64
// THREAD: llvm.fence syncscope("device") acq_rel
// THREAD: llvm.atomicrmw uinc_wrap %{{.*}}, %c15_i32{{.*}} syncscope("device") monotonic
// THREAD: llvm.fence syncscope("device") acq_rel

// The mean is of what the last program has.
// MEAN: tile.kernel @reduce_mean({{.*}}splits = 16
// MEAN: scf.for
// MEAN-NOT: tile.reduce
// MEAN: scf.yield
// MEAN: %[[OWN:.*]] = tile.reduce add
// MEAN: tile.gather_to_last %[[OWN]]
// MEAN-NEXT: tile.reduce add
// MEAN: arith.divf

// A share of one turn has no loop.
// ONCE: tile.grid
// ONCE-NOT: scf.for
// ONCE: tile.gather_to_last {{.*}} -> tensor<128xf32>

// A program for each result, or several: none shares.
// MANY: @argmax has #tile.row<rows = 1, columns = 4, part = 1024>: neighbours are folded: many of them, few results
// MANY: scf.for {{.*}} -> (tensor<4x1024xbf16>, tensor<4x1024xi32>)
// MANY-NOT: tile.gather_to_last

//--- argmax.mlir
func.func @main(%x: tensor<64x128256xbf16>) -> tensor<64xi64> {
  %0 = tenon.argmax %x {axis = 1 : i64} : (tensor<64x128256xbf16>) -> tensor<64xi64>
  return %0 : tensor<64xi64>
}
//--- mean.mlir
func.func @main(%x: tensor<64x128000xf32>) -> tensor<64xf32> {
  %0 = tenon.reduce_mean %x {axes = array<i64: 1>} : (tensor<64x128000xf32>) -> tensor<64xf32>
  return %0 : tensor<64xf32>
}
//--- mean.schedule
@reduce_mean = #tile.row<rows = 1, columns = 1, part = 1024, splits = 128>
//--- many.mlir
func.func @main(%x: tensor<4096x128256xbf16>) -> tensor<4096xi64> {
  %0 = tenon.argmax %x {axis = 1 : i64} : (tensor<4096x128256xbf16>) -> tensor<4096xi64>
  return %0 : tensor<4096xi64>
}
