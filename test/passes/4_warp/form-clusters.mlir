// In: copies that neighbours along an axis of the grid have in common, or not. Out: clusters that bring them once.
// RUN: split-file %s %t
// RUN: tenon-opt %t/product.mlir --tenon-phases="to=kernel gpu=sm_90a" --tenon-choose-tile-schedules=schedules=%t/product.txt \
// RUN:   --tenon-phases="from=tile to=tile gpu=sm_90a" --tenon-choose-warp-schedules=schedules=%t/product.txt \
// RUN:   --tenon-stage-copies --tenon-form-clusters | FileCheck %t/product.mlir
// RUN: tenon-compile %t/product.mlir --target=sm_90a --to=ptx --schedule=%t/product.txt | FileCheck %t/product.mlir --check-prefix=PTX
// RUN: tenon-compile %t/rows.mlir --target=sm_90a --to=warp --schedule=%t/rows.txt --remarks 2>&1 | FileCheck %t/rows.mlir
// RUN: tenon-compile %t/some.mlir --target=sm_90a --to=warp --schedule=%t/some.txt | FileCheck %t/some.mlir
// RUN: tenon-compile %t/causal.mlir --target=sm_90a --to=warp --schedule=%t/causal.txt --remarks 2>&1 | FileCheck %t/causal.mlir
// RUN: tenon-compile %t/few.mlir --target=sm_90a --to=warp --schedule=%t/few.txt --remarks 2>&1 | FileCheck %t/few.mlir

//--- product.txt
@linear = #tile.gemm<rows = 128, columns = 256, depth = 64>
@linear = #warp.schedule<warps = [8, 1], stages = 4, tf32 = false, wgmma = true, producer = true, cluster = 2>
//--- product.mlir
// Three programs along the rows become four, whose operand's rows may be past the end. Weights are the larger tile.
// CHECK: tile.kernel @linear({{.*}}warp.cluster = #warp.cluster<axis = 0, size = 2>
// CHECK: tile.grid (%{{.*}}, %{{.*}}) = (%c4, %c2)
// CHECK: warp.copy {{.*}} {within = array<i1: false, true>} : <384x128xbf16>, <128x64xbf16, 128>
// CHECK: warp.copy {{.*}} {multicast, within = array<i1: true, true>} : <512x128xbf16>, <256x64xbf16, 128>
// Every thread of both CTAs is there before a barrier is used, and at the end. A slot is free once the warps of both
// have read it, and a CTA brings its 128 rows of the weight.
// PTX: llvm.func @linear({{.*}}tenon.cluster = array<i64: 2, 1, 1>{{.*}}box = array<i64: 64, 128>{{.*}}argument = 1 : i64, box = array<i64: 64, 128>
// PTX: nvvm.mbarrier.init %{{.*}}, %[[ONE:.*]] : !llvm.ptr<3>, i32
// PTX: nvvm.mbarrier.init %{{.*}}, %[[READERS:.*]] : !llvm.ptr<3>, i32
// PTX: nvvm.cluster.arrive
// PTX: nvvm.cluster.wait
// PTX: nvvm.cp.async.bulk.tensor.shared.cluster.global{{.*}}box[
// PTX: nvvm.cp.async.bulk.tensor.shared.cluster.global{{.*}} multicast_mask = %
// PTX: mapa.shared::cluster.u32{{.*}}mbarrier.arrive.shared::cluster.b64
// PTX: nvvm.cluster.arrive
// PTX: nvvm.cluster.wait
func.func @main(%x: tensor<384x128xbf16>, %w: tensor<512x128xbf16>) -> tensor<384x512xbf16> {
  %0 = tenon.linear %x, %w : (tensor<384x128xbf16>, tensor<512x128xbf16>) -> tensor<384x512xbf16>
  return %0 : tensor<384x512xbf16>
}
//--- rows.txt
@linear = #tile.gemm<rows = 128, columns = 64, depth = 64>
@linear = #warp.schedule<warps = [8, 1], stages = 4, tf32 = false, wgmma = true, producer = true, cluster = 4>
//--- rows.mlir
// The rows are the larger tile: programs along the columns share it.
// CHECK: remark: [tenon-form-clusters] passed: 4 programs along axis 1 share 16384 bytes of copies
// CHECK: tile.kernel @linear({{.*}}warp.cluster = #warp.cluster<axis = 1, size = 4>
// CHECK: tile.grid (%{{.*}}, %{{.*}}) = (%{{.*}}, %c4)
// CHECK: warp.copy {{.*}} {multicast, within = array<i1: false, true>} : <?x128xbf16>, <128x64xbf16, 128>
// CHECK: warp.copy {{.*}} {within = array<i1: true, true>} : <256x128xbf16>, <64x64xbf16, 128>
func.func @main(%x: tensor<?x128xbf16> {tenon.dims = ["n", ""]}, %w: tensor<256x128xbf16>) -> tensor<?x256xbf16> {
  %0 = tenon.linear %x, %w : (tensor<?x128xbf16>, tensor<256x128xbf16>) -> tensor<?x256xbf16>
  return %0 : tensor<?x256xbf16>
}
//--- some.txt
@linear = #tile.gemm<rows = 64, columns = 128, depth = 64>
@linear = #warp.schedule<warps = [4, 1], stages = 4, tf32 = false, wgmma = true, producer = true, cluster = 2>
//--- some.mlir
// How many programs there are is known at a call: whole clusters of them.
// CHECK: #[[WHOLE:.*]] = affine_map<()[s0] -> ((s0 ceildiv 2) * 2)>
// CHECK: %[[ROWS:.*]] = affine.apply #[[WHOLE]]()[%{{.*}}]
// CHECK: tile.grid (%{{.*}}, %{{.*}}) = (%[[ROWS]], %c2)
// CHECK: warp.copy {{.*}} {multicast, within = array<i1: true, true>} : <256x128xbf16>, <128x64xbf16, 128>
func.func @main(%x: tensor<?x128xbf16> {tenon.dims = ["n", ""]}, %w: tensor<256x128xbf16>) -> tensor<?x256xbf16> {
  %0 = tenon.linear %x, %w : (tensor<?x128xbf16>, tensor<256x128xbf16>) -> tensor<?x256xbf16>
  return %0 : tensor<?x256xbf16>
}
//--- causal.txt
@attention = #tile.attention<queries = 128, keys = 64>
@attention = #warp.schedule<warps = [8, 1], stages = 2, tf32 = false, wgmma = true, producer = true, outer = 2, cluster = 2>
//--- causal.mlir
// Late queries see more keys: programs along their axis do not run in step, and those of other heads share nothing.
// CHECK: remark: [tenon-form-clusters] missed: no clusters: no tiles are the same for neighbours along an axis of the grid
// CHECK-NOT: warp.cluster =
func.func @main(%q: tensor<2x4x512x64xf16>, %k: tensor<2x4x512x64xf16>, %v: tensor<2x4x512x64xf16>) -> tensor<2x4x512x64xf16> {
  %0 = tenon.attention %q, %k, %v {causal} : (tensor<2x4x512x64xf16>, tensor<2x4x512x64xf16>, tensor<2x4x512x64xf16>) -> tensor<2x4x512x64xf16>
  return %0 : tensor<2x4x512x64xf16>
}
//--- few.txt
@linear = #tile.gemm<rows = 64, columns = 16, depth = 64>
@linear = #warp.schedule<warps = [4, 1], stages = 4, tf32 = false, wgmma = true, producer = true, cluster = 2>
//--- few.mlir
// Depths that are no multiple of 8 elements have no tensor map, and so no producer.
// CHECK: remark: [tenon-form-clusters] missed: no clusters: no producer fills its rings
func.func @main(%x: tensor<256x100xbf16>, %w: tensor<256x100xbf16>) -> tensor<256x256xbf16> {
  %0 = tenon.linear %x, %w : (tensor<256x100xbf16>, tensor<256x100xbf16>) -> tensor<256x256xbf16>
  return %0 : tensor<256x256xbf16>
}
