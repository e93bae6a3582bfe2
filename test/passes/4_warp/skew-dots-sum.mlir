// In: a second dot whose sum is halved before the powers are computed. Out: what halves it waits for the dot of the turn
// before, which the powers would else have waited for.
// RUN: tenon-opt %s --tenon-choose-warp-schedules=arch=sm_90a --tenon-stage-copies --tenon-assign-layouts --tenon-overlap-dots \
// RUN:   --tenon-skew-dots --canonicalize --cse | FileCheck %s

// CHECK: scf.for
// CHECK: %[[FIRST:.*]] = warp.dot {{.*}} {async, atom = #warp.wgmma, transpose_b}
// CHECK: %[[SECOND:.*]] = warp.dot {{.*}} {async, atom = #warp.wgmma}
// CHECK: warp.dot_wait %[[FIRST]] {pending = 1 : i64}
// CHECK: %[[SUM:.*]] = warp.dot_wait %[[SECOND]] {pending = 0 : i64}
// CHECK: %[[HALF:.*]] = arith.mulf %[[SUM]],
// CHECK: math.exp2
// CHECK: scf.yield %[[HALF]]
tile.kernel @halved(%Q: !tile.view<4096x128xbf16>, %K: !tile.view<4096x128xbf16>, %V: !tile.view<4096x128xbf16>, %O: !tile.view<4096x128xbf16>) {
  %zero = arith.constant dense<0.0> : tensor<128x128xf32>
  %by = arith.constant dense<0.5> : tensor<128x128xf32>
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %c128 = arith.constant 128 : index
  %c4096 = arith.constant 4096 : index
  tile.grid (%i) = (%c32) {
    %m = arith.muli %i, %c128 : index
    %q = tile.load %Q[%m, %c0] : !tile.view<4096x128xbf16> -> tensor<128x128xbf16>
    %total = scf.for %n = %c0 to %c4096 step %c128 iter_args(%sum = %zero) -> (tensor<128x128xf32>) {
      %k = tile.load %K[%n, %c0] : !tile.view<4096x128xbf16> -> tensor<128x128xbf16>
      %s = tile.dot %q, %k, %zero {transpose_b} : tensor<128x128xbf16>, tensor<128x128xbf16> -> tensor<128x128xf32>
      %v = tile.load %V[%n, %c0] : !tile.view<4096x128xbf16> -> tensor<128x128xbf16>
      %half = arith.mulf %sum, %by : tensor<128x128xf32>
      %e = math.exp2 %s : tensor<128x128xf32>
      %p = arith.truncf %e : tensor<128x128xf32> to tensor<128x128xbf16>
      %next = tile.dot %p, %v, %half : tensor<128x128xbf16>, tensor<128x128xbf16> -> tensor<128x128xf32>
      scf.yield %next : tensor<128x128xf32>
    }
    %o = arith.truncf %total : tensor<128x128xf32> to tensor<128x128xbf16>
    tile.store %o, %O[%m, %c0] : tensor<128x128xbf16>, !tile.view<4096x128xbf16>
  }
}
