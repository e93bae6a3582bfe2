// In: 8-bit floats, of which a second dot starts at zero and is added to the sum; its left operand's depth goes in the
// order in which threads have it, by a change of shape and back. A mask hides the scores of some turns. Out: no element
// moves between threads; the dot runs beside the next turn's first and is added when it is waited for; the maximum,
// scaled by what memory holds of which the magnitude is taken, is compared in parts. Four bytes are handed on as one word.
// RUN: tenon-opt %s --tenon-choose-warp-schedules=arch=sm_90a --tenon-stage-copies --tenon-assign-layouts --tenon-fold-in-lanes \
// RUN:   --tenon-overlap-dots --tenon-skew-dots --canonicalize --cse -o %t --remarks-filter-missed=tenon-assign-layouts --remark-format=emitRemark \
// RUN:   2>&1 | count 0
// RUN: FileCheck %s < %t
// RUN: tenon-opt %t --tenon-expand-to-threads --canonicalize --cse | FileCheck %s --check-prefix=THREAD

// CHECK: warp.dot
// CHECK: %[[P:.*]] = tile.reshape %{{.*}} -> tensor<128x128xf8E4M3FN, #warp.layout<[w8, r2, l8*4], [r8, l4, r4]>>
// CHECK: %[[TURNS:.*]]:3 = scf.for {{.*}} iter_args(%[[BELOW:.*]] = {{.*}}, %[[U:.*]] = {{.*}}, %[[LAST:.*]] = %[[P]])
// CHECK: %[[S:.*]] = warp.dot {{.*}} {async, atom = #warp.wgmma<k = 32>, transpose_b}
// CHECK: %[[PV:.*]] = warp.dot %[[LAST]], %{{.*}}, %[[ZERO:.*]] {async, atom = #warp.wgmma<k = 32>, transpose_b}
// CHECK: %[[SCORES:.*]] = warp.dot_wait %[[S]] {pending = 1 : i64}
// CHECK: %[[MASKED:.*]] = arith.select %{{.*}}, %{{.*}}, %[[SCORES]]
// CHECK: %[[PEAKS:.*]] = warp.partial_reduce max %[[MASKED]]
// CHECK: math.fma %[[PEAKS]]
// CHECK: tile.unlikely
// CHECK: %[[DONE:.*]] = warp.dot_wait %[[PV]] {pending = 0 : i64}
// CHECK: warp.ring.release
// CHECK: %[[SUM:.*]] = arith.addf %[[U]], %[[DONE]]
// CHECK: math.exp2
// CHECK: scf.yield %{{.*}}, %[[SUM]], %{{.*}} : {{.*}}
// CHECK: %[[OF_LAST:.*]] = warp.dot %[[TURNS]]#2, %{{.*}}, %[[ZERO]]
// CHECK: arith.addf %[[TURNS]]#1, %[[OF_LAST]]

// 2 maxima, 64 sums and 64 powers in 16 words.
// THREAD: ptx.cvt.f8x2
// THREAD: scf.for {{.*}} -> (f32, f32, f32,
// THREAD-SAME: f32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32)
// THREAD: ptx.wgmma
// THREAD: ptx.wgmma
tile.kernel @powers(%Q: !tile.view<4096x128xf8E4M3FN>, %K: !tile.view<4096x128xf8E4M3FN>, %V: !tile.view<128x4096xf8E4M3FN>, %F: !tile.view<1xf32>, %O: !tile.view<4096x128xbf16>) {
  %zero = arith.constant dense<0.0> : tensor<128x128xf32>
  %first = arith.constant dense<0.0> : tensor<128xf32>
  %hidden = arith.constant dense<-1.0> : tensor<128x128xf32>
  %limit = arith.constant dense<8.0> : tensor<128xf32>
  %least = arith.constant dense<-448.0> : tensor<128x128xf32>
  %most = arith.constant dense<448.0> : tensor<128x128xf32>
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %c128 = arith.constant 128 : index
  %c4096 = arith.constant 4096 : index
  tile.grid (%i) = (%c32) {
    %m = arith.muli %i, %c128 : index
    %given = tile.load %F[%c0] : !tile.view<1xf32> -> tensor<f32>
    %factor = math.absf %given : tensor<f32>
    %ofRow = tile.broadcast %factor {dims = array<i64>} : tensor<f32> -> tensor<128xf32>
    %ofAll = tile.broadcast %factor {dims = array<i64>} : tensor<f32> -> tensor<128x128xf32>
    %q = tile.load %Q[%m, %c0] : !tile.view<4096x128xf8E4M3FN> -> tensor<128x128xf8E4M3FN>
    %r:2 = scf.for %n = %c0 to %c4096 step %c128 iter_args(%below = %first, %sum = %zero) -> (tensor<128xf32>, tensor<128x128xf32>) {
      %k = tile.load %K[%n, %c0] : !tile.view<4096x128xf8E4M3FN> -> tensor<128x128xf8E4M3FN>
      %whole = tile.dot %q, %k, %zero {transpose_b} : tensor<128x128xf8E4M3FN>, tensor<128x128xf8E4M3FN> -> tensor<128x128xf32>
      %isCut = arith.cmpi slt, %m, %n : index
      %s = scf.if %isCut -> tensor<128x128xf32> {
        scf.yield %hidden : tensor<128x128xf32>
      } else {
        scf.yield %whole : tensor<128x128xf32>
      }
      %v = tile.load %V[%c0, %n] : !tile.view<128x4096xf8E4M3FN> -> tensor<128x128xf8E4M3FN>
      %peak = tile.reduce max %s {axis = 1 : i64} : tensor<128x128xf32> -> tensor<128xf32>
      %power = math.fma %peak, %ofRow, %below : tensor<128xf32>
      %over = arith.cmpf ugt, %power, %limit : tensor<128xf32>
      %moved = tile.unlikely %over : tensor<128xi1> -> tensor<128xf32> {
        %scaled = arith.mulf %peak, %ofRow : tensor<128xf32>
        %new = arith.negf %scaled : tensor<128xf32>
        tile.yield %new : tensor<128xf32>
      } else(%below)
      %base = tile.broadcast %moved {dims = array<i64: 0>} : tensor<128xf32> -> tensor<128x128xf32>
      %x = math.fma %s, %ofAll, %base : tensor<128x128xf32>
      %e = math.exp2 %x : tensor<128x128xf32>
      %above = arith.maximumf %e, %least : tensor<128x128xf32>
      %within = arith.minimumf %above, %most : tensor<128x128xf32>
      %p = arith.truncf %within : tensor<128x128xf32> to tensor<128x128xf8E4M3FN>
      %pairs = tile.reshape %p : tensor<128x128xf8E4M3FN> -> tensor<128x8x2x4x2xf8E4M3FN>
      %ordered = tile.trans %pairs {permutation = array<i64: 0, 1, 3, 2, 4>} : tensor<128x8x2x4x2xf8E4M3FN> -> tensor<128x8x4x2x2xf8E4M3FN>
      %lhs = tile.reshape %ordered : tensor<128x8x4x2x2xf8E4M3FN> -> tensor<128x128xf8E4M3FN>
      %pv = tile.dot %lhs, %v, %zero {transpose_b} : tensor<128x128xf8E4M3FN>, tensor<128x128xf8E4M3FN> -> tensor<128x128xf32>
      %next = arith.addf %sum, %pv : tensor<128x128xf32>
      scf.yield %moved, %next : tensor<128xf32>, tensor<128x128xf32>
    }
    %o = arith.truncf %r#1 : tensor<128x128xf32> to tensor<128x128xbf16>
    tile.store %o, %O[%m, %c0] : tensor<128x128xbf16>, !tile.view<4096x128xbf16>
  }
}
