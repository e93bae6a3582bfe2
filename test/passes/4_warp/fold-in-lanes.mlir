// In: attention with layouts. Out: lanes compare their own part of the maximum and keep their own part of the sum; whole
// folds are after the loop, and where a maximum has outgrown what the sums are relative to.
// RUN: tenon-opt %s --tenon-phases="to=kernel gpu=sm_90a" --tenon-choose-tile-schedules \
// RUN:   | sed 's/<queries = .*, keys = 128.*first>/<queries = 128, keys = 128, maximum = lazy>/' | tenon-opt --tenon-tile-kernels \
// RUN:     --tenon-choose-warp-schedules --tenon-stage-copies --tenon-assign-layouts --tenon-fold-in-lanes --canonicalize \
// RUN:   | FileCheck %s
// RUN: tenon-opt %s --tenon-phases="to=kernel gpu=sm_90a" --tenon-choose-tile-schedules \
// RUN:   | sed 's/<queries = .*, keys = 128.*first>/<queries = 128, keys = 128, maximum = online>/' | tenon-opt --tenon-tile-kernels \
// RUN:     --tenon-choose-warp-schedules --tenon-stage-copies --tenon-assign-layouts --tenon-fold-in-lanes --canonicalize \
// RUN:   | FileCheck %s --check-prefix=ONLINE
// RUN: tenon-opt %s --tenon-phases="to=kernel gpu=sm_90a" --tenon-choose-tile-schedules \
// RUN:   | sed 's/<queries = .*, keys = 128.*first>/<queries = 128, keys = 128, maximum = first>/' | tenon-opt --tenon-tile-kernels \
// RUN:     --tenon-choose-warp-schedules --tenon-stage-copies --tenon-assign-layouts --tenon-fold-in-lanes --canonicalize \
// RUN:   | FileCheck %s --check-prefix=FIRST
// RUN: tenon-opt %s --tenon-phases="to=thread gpu=sm_90a" | FileCheck %s --check-prefix=THREAD

// CHECK-LABEL: tile.kernel @attention
// CHECK: scf.for {{.*}} -> (tensor<128xf32, {{.*}}>, tensor<128x4xf32, {{.*}}>, tensor<128x64xf32
// CHECK: %[[PEAKS:.*]] = warp.partial_reduce max %[[SCORES:.*]] {axis = 1
// CHECK: %[[OVER:.*]] = arith.cmpf ugt, %{{.*}} : tensor<128x4xf32
// CHECK: tile.unlikely %[[OVER]] : tensor<128x4xi1
// CHECK-NEXT: %[[PEAK:.*]] = tile.reduce max %[[PEAKS]] {axis = 1
// CHECK: else(
// CHECK: %[[MORE:.*]] = warp.partial_reduce add
// CHECK: arith.addf %{{.*}}, %[[MORE]] : tensor<128x4xf32
// CHECK: %[[TOTAL:.*]] = tile.unlikely %[[OVER]] : tensor<128x4xi1
// CHECK: warp.dot {{.*}} %[[TOTAL]]
// CHECK: scf.yield
// CHECK: tile.reduce add %{{.*}}#1 {axis = 1 : i64} : tensor<128x4xf32

// The textbook's way needs the whole maximum each turn.
// ONLINE-LABEL: tile.kernel @attention
// ONLINE-SAME: maximum = online
// ONLINE-NOT: tile.unlikely
// ONLINE: tile.reduce max {{.*}} : tensor<128x128xf32
// ONLINE: warp.partial_reduce add

// No maximum in a turn but where a part of the sum is large; powers are computed anew there.
// FIRST-LABEL: tile.kernel @attention
// FIRST: math.exp2
// FIRST: %[[PART:.*]] = warp.partial_reduce add
// FIRST: %[[LARGE:.*]] = arith.cmpf ugt, %[[PART]]
// FIRST: tile.unlikely %[[LARGE]]
// FIRST-NEXT: tile.reduce max
// FIRST: math.exp2
// FIRST: tile.yield {{.*}} tensor<128x128xf16

// A vote, so that the warp's lanes go on together.
// THREAD-LABEL: llvm.func @attention
// THREAD: %[[ANY:.*]] = nvvm.vote.sync any
// THREAD: scf.if %[[ANY]] -> (f32, f32,
func.func @main(%q: tensor<2x64x512x64xf16>, %k: tensor<2x64x512x64xf16>, %v: tensor<2x64x512x64xf16>) -> tensor<2x64x512x64xf16> {
  %0 = tenon.attention %q, %k, %v : (tensor<2x64x512x64xf16>, tensor<2x64x512x64xf16>, tensor<2x64x512x64xf16>) -> tensor<2x64x512x64xf16>
  return %0 : tensor<2x64x512x64xf16>
}
