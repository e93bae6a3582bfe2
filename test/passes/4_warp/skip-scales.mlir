// In: attention with layouts. Out: its sums are scaled where a row needs it, and not where the schedule says `online`.
// RUN: tenon-opt %s --tenon-phases="to=tile gpu=sm_90a" --tenon-choose-warp-schedules --tenon-stage-copies \
// RUN:   --tenon-assign-layouts --tenon-skip-scales --canonicalize | FileCheck %s
// RUN: tenon-opt %s --tenon-phases="to=kernel gpu=sm_90a" --tenon-choose-tile-schedules \
// RUN:   | sed 's/#tile.attention<queries = 128, keys = 128>/#tile.attention<queries = 128, keys = 128, online = true>/' \
// RUN:   | tenon-opt --tenon-tile-kernels --tenon-choose-warp-schedules --tenon-stage-copies --tenon-assign-layouts \
// RUN:     --tenon-skip-scales --canonicalize | FileCheck %s --check-prefix=ONLINE
// RUN: tenon-opt %s --tenon-phases="to=thread gpu=sm_90a" | FileCheck %s --check-prefix=THREAD

// CHECK-LABEL: tile.kernel @attention
// CHECK: %[[MOVED:.*]] = arith.cmpf ogt, {{.*}} : tensor<128xf32
// CHECK: %[[POWER:.*]] = math.exp2 {{.*}} : tensor<128xf32
// CHECK: %[[SUM:.*]] = warp.rescale %{{.*}} by %[[POWER]] where %[[MOVED]] : tensor<128x64xf32
// CHECK: warp.dot {{.*}} %[[SUM]]

// ONLINE-LABEL: tile.kernel @attention
// ONLINE-SAME: online = true
// ONLINE-NOT: warp.rescale

// A vote, so that the warp's lanes go on together. (The first turn's sum is 0, and nothing to scale.)
// THREAD-LABEL: llvm.func @attention
// THREAD: nvvm.vote.sync any
// THREAD: %[[ANY:.*]] = nvvm.vote.sync any
// THREAD: scf.if %[[ANY]] -> (f32, f32,
func.func @main(%q: tensor<2x64x512x64xf16>, %k: tensor<2x64x512x64xf16>, %v: tensor<2x64x512x64xf16>) -> tensor<2x64x512x64xf16> {
  %0 = tenon.attention %q, %k, %v : (tensor<2x64x512x64xf16>, tensor<2x64x512x64xf16>, tensor<2x64x512x64xf16>) -> tensor<2x64x512x64xf16>
  return %0 : tensor<2x64x512x64xf16>
}
