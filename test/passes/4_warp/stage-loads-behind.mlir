// In: products with a residual behind them. Out: the producer brings the residual into a ring of one slot while the
// product runs, where there is room for it.
// RUN: split-file %s %t
// RUN: tenon-compile %t/product.mlir --target=sm_90a --to=warp --schedule=%t/room | FileCheck %s
// RUN: tenon-compile %t/product.mlir --target=sm_90a --to=warp --schedule=%t/wide | FileCheck %s --check-prefix=NONE
// RUN: tenon-compile %t/product.mlir --target=sm_90a --to=warp --schedule=%t/teams | FileCheck %s --check-prefix=TEAMS
// RUN: tenon-compile %t/product.mlir --target=sm_90a --to=warp --schedule=%t/last | FileCheck %s --check-prefix=NONE
// RUN: tenon-compile %t/odd.mlir --target=sm_90a --to=warp --schedule=%t/room | FileCheck %s --check-prefix=NONE
// RUN: tenon-compile %t/product.mlir --target=sm_90a --to=warp --schedule=%t/room --remarks 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

// CHECK-LABEL: tile.kernel @linear_add
// CHECK: warp.dot_wait {{.*}}pending = 0
// CHECK: %[[RING:.*]] = warp.ring.create transfers({{.*}}) : <1, <128x192xbf16, 128>>
// CHECK-NEXT: warp.produce {
// CHECK: warp.copy %arg2[
// CHECK: %[[SLOT:.*]] = warp.ring.wait %[[RING]]
// CHECK-NEXT: %[[TILE:.*]] = warp.read %[[SLOT]]
// CHECK: arith.extf %[[TILE]]
// CHECK-NEXT: warp.ring.release %[[RING]]
// CHECK: warp.store {{.*}} slots 1
// CHECK-NOT: tile.load %arg2

// NONE-LABEL: tile.kernel @linear_add
// NONE-NOT: <1, <128x
// NONE: tile.load %arg2

// Two warpgroups with programs of their own.
// TEAMS: tile.kernel @linear_add{{.*}}warp.schedule = #warp.schedule<warps = [4, 1], stages = 5, tf32 = false, wgmma = true, producer = true, teams = 2>
// TEAMS-NOT: <1, <64x
// TEAMS-COUNT-2: tile.load %arg2

// REMARK: 1 tiles a turn come through a ring of 1 slots, by TMA

//--- product.mlir
func.func @main(%x: tensor<4096x768xbf16>, %w: tensor<768x768xbf16>, %r: tensor<4096x768xbf16>) -> tensor<4096x768xbf16> {
  %0 = tenon.linear %x, %w : (tensor<4096x768xbf16>, tensor<768x768xbf16>) -> tensor<4096x768xbf16>
  %1 = tenon.add %0, %r : (tensor<4096x768xbf16>, tensor<4096x768xbf16>) -> tensor<4096x768xbf16>
  return %1 : tensor<4096x768xbf16>
}

// Rows of the residual begin where TMA takes none.
//--- odd.mlir
func.func @main(%x: tensor<4096x768xbf16>, %w: tensor<769x768xbf16>, %r: tensor<4096x769xbf16>) -> tensor<4096x769xbf16> {
  %0 = tenon.linear %x, %w : (tensor<4096x768xbf16>, tensor<769x768xbf16>) -> tensor<4096x769xbf16>
  %1 = tenon.add %0, %r : (tensor<4096x769xbf16>, tensor<4096x769xbf16>) -> tensor<4096x769xbf16>
  return %1 : tensor<4096x769xbf16>
}

//--- room
@linear_add = #tile.gemm<rows = 128, columns = 192, depth = 64>

//--- wide
@linear_add = #tile.gemm<rows = 128, columns = 256, depth = 64>

//--- teams
@linear_add = #tile.gemm<rows = 128, columns = 160, depth = 64, parts = 2>

//--- last
@linear_add = #tile.gemm<rows = 128, columns = 128, depth = 64, split_k = 2, by_last = true>
