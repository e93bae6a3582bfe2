// RUN: tenon-opt %s --tenon-split-loops | FileCheck %s
// A condition on data stays.
// CHECK-LABEL: tile.kernel @data
// CHECK-COUNT-1: scf.for
// CHECK: scf.if
// CHECK-NOT: scf.for
#acc = #warp.layout<[w4, r2, l8*4], [r2, l4, r2]>
#row = #warp.layout<[w4, r2, l8*4]>
tile.kernel @data(%Y: !tile.view<64x16xf32>, %X: !tile.view<64x16xbf16>, %Z: !tile.view<1xi32>) attributes {warp.schedule = #warp.schedule<warps = [4, 1], stages = 2, tf32 = false, wgmma = true>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %zero = arith.constant dense<0.0> : tensor<64x16xf32, #acc>
  tile.grid () = () {
    %x = tile.load %X[%c0, %c0] : !tile.view<64x16xbf16> -> tensor<64x16xbf16, #acc>
    %w = tile.load %X[%c0, %c0] : !tile.view<64x16xbf16> -> tensor<16x16xbf16, #warp.layout<[r2, l8*4], [r2, l4, r2]>>
    %n = tile.load %Z[%c0] : !tile.view<1xi32> -> tensor<i32, #warp.layout<>>
    %k = warp.stage %w : tensor<16x16xbf16, #warp.layout<[r2, l8*4], [r2, l4, r2]>> -> !warp.smem<16x16xbf16, 32>
    %limit = tensor.extract %n[] : tensor<i32, #warp.layout<>>
    %sum = scf.for %i = %c0 to %c8 step %c1 iter_args(%o = %zero) -> (tensor<64x16xf32, #acc>) {
      %s = warp.dot %x, %k, %o {atom = #warp.wgmma} : tensor<64x16xbf16, #acc>, !warp.smem<16x16xbf16, 32> -> tensor<64x16xf32, #acc>
      %number = arith.index_cast %i : index to i32
      %isLate = arith.cmpi slt, %limit, %number : i32
      %r = scf.if %isLate -> (tensor<64x16xf32, #acc>) {
        %negated = arith.negf %s : tensor<64x16xf32, #acc>
        scf.yield %negated : tensor<64x16xf32, #acc>
      } else {
        scf.yield %s : tensor<64x16xf32, #acc>
      }
      scf.yield %r : tensor<64x16xf32, #acc>
    }
    tile.store %sum, %Y[%c0, %c0] : tensor<64x16xf32, #acc>, !tile.view<64x16xf32>
  }
}
