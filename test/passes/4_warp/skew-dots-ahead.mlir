// In: 8-bit floats, of which a second dot starts at zero and is added to the sum, which is scaled where a maximum has
// grown. Out: a turn begins its second dot and the next one's first, adds the one beside the other, and has the next
// maxima; what happens where they have grown is one region. The first turn has it in its place.
// RUN: tenon-opt %s --tenon-choose-warp-schedules=arch=sm_90a --tenon-stage-copies --tenon-assign-layouts --tenon-fold-in-lanes \
// RUN:   --tenon-overlap-dots --tenon-skew-dots --canonicalize --cse | FileCheck %s

// CHECK: %[[S0:.*]] = warp.dot {{.*}} {atom = #warp.wgmma<k = 32>, transpose_b}
// CHECK-NEXT: warp.ring.release %[[K:.*]][%c0]
// CHECK: tile.reduce max
// CHECK-NOT: tile.unlikely
// CHECK: %[[TURNS:.*]]:3 = scf.for %[[N:.*]] = %c0 to %c3968 step %c128 iter_args(%[[S:.*]] = %[[S0]], %[[BELOW:.*]] = {{.*}}, %[[U:.*]] = {{.*}}) ->
// CHECK-DAG: %[[NEXT:.*]] = arith.addi %[[N]], %c128
// CHECK-DAG: %[[TURN:.*]] = arith.divui %[[N]], %c128
// CHECK: math.fma %[[S]],
// CHECK: math.exp2
// CHECK: %[[P:.*]] = tile.reshape %{{.*}} -> tensor<128x128xf8E4M3FN
// CHECK-NEXT: %[[V:.*]] = warp.ring.wait %[[VALUES:.*]][%[[TURN]]]
// CHECK-NEXT: %[[D:.*]] = warp.dot %[[P]], %[[V]], %[[ZERO:.*]] {async,
// CHECK-NEXT: %[[TURN1:.*]] = arith.divui %[[NEXT]], %c128
// CHECK-NEXT: %[[K1:.*]] = warp.ring.wait %[[K]][%[[TURN1]]]
// CHECK-NEXT: %[[S1:.*]] = warp.dot %{{.*}}, %[[K1]], %[[ZERO]] {async,
// CHECK-NEXT: %[[DONE:.*]] = warp.dot_wait %[[D]] {pending = 1 : i64}
// CHECK-NEXT: warp.ring.release %[[VALUES]][%[[TURN]]]
// CHECK-NEXT: %[[SUM:.*]] = arith.addf %[[U]], %[[DONE]]
// CHECK-NEXT: %[[SCORES:.*]] = warp.dot_wait %[[S1]] {pending = 0 : i64}
// CHECK-NEXT: warp.ring.release %[[K]][%[[TURN1]]]
// CHECK: %[[PEAKS:.*]] = warp.partial_reduce max %[[SCORES]]
// CHECK: %[[MOVED:.*]]:3 = tile.unlikely
// CHECK: arith.mulf %[[SUM]],
// CHECK: } else(%[[BELOW]], %{{.*}}, %[[SUM]])
// CHECK-NEXT: scf.yield %[[SCORES]], %[[MOVED]]#0, %[[MOVED]]#2
// CHECK: math.fma %[[TURNS]]#0
// CHECK: %[[LAST:.*]] = warp.dot {{.*}}, %[[ZERO]] {atom
// CHECK-NEXT: warp.ring.release %[[VALUES]][%c31]
// CHECK-NEXT: arith.addf %[[TURNS]]#2, %[[LAST]]
tile.kernel @powers(%Q: !tile.view<4096x128xf8E4M3FN>, %K: !tile.view<4096x128xf8E4M3FN>, %V: !tile.view<128x4096xf8E4M3FN>, %F: !tile.view<1xf32>, %O: !tile.view<4096x128xbf16>) {
  %zero = arith.constant dense<0.0> : tensor<128x128xf32>
  %first = arith.constant dense<0.0> : tensor<128xf32>
  %same = arith.constant dense<1.0> : tensor<128xf32>
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
      %s = tile.dot %q, %k, %zero {transpose_b} : tensor<128x128xf8E4M3FN>, tensor<128x128xf8E4M3FN> -> tensor<128x128xf32>
      %v = tile.load %V[%c0, %n] : !tile.view<128x4096xf8E4M3FN> -> tensor<128x128xf8E4M3FN>
      %peak = tile.reduce max %s {axis = 1 : i64} : tensor<128x128xf32> -> tensor<128xf32>
      %power = math.fma %peak, %ofRow, %below : tensor<128xf32>
      %over = arith.cmpf ugt, %power, %limit : tensor<128xf32>
      %moved, %by = tile.unlikely %over : tensor<128xi1> -> tensor<128xf32>, tensor<128xf32> {
        %scaled = arith.mulf %peak, %ofRow : tensor<128xf32>
        %new = arith.negf %scaled : tensor<128xf32>
        %less = arith.subf %new, %below : tensor<128xf32>
        %ratio = math.exp2 %less : tensor<128xf32>
        tile.yield %new, %ratio : tensor<128xf32>, tensor<128xf32>
      } else(%below, %same)
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
      %kept = tile.unlikely %over : tensor<128xi1> -> tensor<128x128xf32> {
        %ofSum = tile.broadcast %by {dims = array<i64: 0>} : tensor<128xf32> -> tensor<128x128xf32>
        %scaled = arith.mulf %sum, %ofSum : tensor<128x128xf32>
        tile.yield %scaled : tensor<128x128xf32>
      } else(%sum)
      %next = arith.addf %kept, %pv : tensor<128x128xf32>
      scf.yield %moved, %next : tensor<128xf32>, tensor<128x128xf32>
    }
    %o = arith.truncf %r#1 : tensor<128x128xf32> to tensor<128x128xbf16>
    tile.store %o, %O[%m, %c0] : tensor<128x128xbf16>, !tile.view<4096x128xbf16>
  }
}
