// In: a tile's rows in two parts, a dot each. Out: both run beside the next turn; teams take such programs in turn.
// RUN: split-file %s %t
// RUN: tenon-compile %t/product.mlir --target=sm_90a --to=warp --schedule=%t/schedules.txt | FileCheck %t/product.mlir
// RUN: tenon-compile %t/product.mlir --target=sm_90a --to=thread --schedule=%t/schedules.txt | FileCheck %t/product.mlir --check-prefix=THREAD

//--- schedules.txt
@linear = #tile.gemm<rows = 128, columns = 128, depth = 64, parts = 2>
@linear = #warp.schedule<warps = [4, 1], stages = 5, tf32 = false, wgmma = true, producer = true, teams = 2>
//--- product.mlir
// Both dots are begun before those of the turn before are waited for, and their tiles released.
// CHECK: tile.kernel @linear(
// CHECK: %[[SUMS:.*]]:2 = scf.for
// CHECK: %[[A:.*]] = warp.dot {{.*}} {async, atom = #warp.wgmma, transpose_b}
// CHECK: %[[B:.*]] = warp.dot {{.*}} {async, atom = #warp.wgmma, transpose_b}
// CHECK: %[[C:.*]] = warp.dot_wait %[[A]] {pending = 2 : i64}
// CHECK: %[[D:.*]] = warp.dot_wait %[[B]] {pending = 2 : i64}
// CHECK: warp.ring.release
// CHECK: scf.yield %[[C]], %[[D]]
// CHECK: warp.dot_wait %[[SUMS]]#0 {pending = 0 : i64}
// CHECK: warp.dot_wait %[[SUMS]]#1 {pending = 0 : i64}
// A team begins where the one before it has all its transfers, and computes and stores when the next has begun. Four warps
// free a slot.
// THREAD: llvm.func @linear({{.*}}tenon.block = array<i64: 384, 1, 1>
// THREAD: %[[FOUR:.*]] = arith.constant 4 : i32
// THREAD: nvvm.mbarrier.init %{{.*}}, %[[FOUR]]
// THREAD: nvvm.barrier.arrive
// THREAD: scf.for unsigned
// THREAD: nvvm.barrier id = %{{.*}} number_of_threads = %{{.*}}
// THREAD: scf.for
// THREAD: ptx.wgmma.wait
// THREAD: nvvm.barrier.arrive
// THREAD: ptx.wgmma.wait
// THREAD: nvvm.stmatrix
func.func @main(%x: tensor<8192x384xbf16>, %w: tensor<1024x384xbf16>) -> tensor<8192x1024xbf16> {
  %0 = tenon.linear %x, %w : (tensor<8192x384xbf16>, tensor<1024x384xbf16>) -> tensor<8192x1024xbf16>
  return %0 : tensor<8192x1024xbf16>
}
