// In: attention by wgmma with a producer. Out: a turn's second dot runs beside the next turn's first.
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=kernel gpu=sm_90a" --tenon-choose-tile-schedules \
// RUN:   | sed 's/<queries = .*, keys = 128.*first>/<queries = 128, keys = 128>/; s/<rows = [^>]*parts = .>/<rows = 128, columns = 256, depth = 64>/' \
// RUN:   | tenon-opt --split-input-file --tenon-tile-kernels --canonicalize --cse --tenon-choose-warp-schedules --tenon-stage-copies \
// RUN:   --tenon-assign-layouts --tenon-overlap-dots --tenon-skew-dots --canonicalize --cse | FileCheck %s

// CHECK-LABEL: tile.kernel @attention
// CHECK: %[[Q:.*]] = warp.ring.wait
// CHECK: %[[K:.*]] = warp.ring.create transfers(%c4)
// CHECK: %[[V:.*]] = warp.ring.create transfers(%c4)
// The first turn, which is there always, and in which all is done that is unlikely later.
// CHECK-NOT: scf.if
// CHECK-NOT: tile.unlikely
// CHECK: %[[K0:.*]] = warp.ring.wait %[[K]][%c0]
// CHECK: warp.dot %[[Q]], %[[K0]], {{.*}} {atom = #warp.wgmma, transpose_b}
// CHECK: warp.ring.release %[[K]][%c0]
// CHECK: %[[TURNS:.*]]:4 = scf.for %{{.*}} = %c128 to %c512
// CHECK: %[[KI:.*]] = warp.ring.wait %[[K]]
// CHECK: %[[S:.*]] = warp.dot %[[Q]], %[[KI]], {{.*}} {async, atom = #warp.wgmma, transpose_b}
// CHECK: %[[BEFORE:.*]] = arith.subi
// CHECK: %[[VI:.*]] = warp.ring.wait %[[V]][%[[BEFORE]]]
// CHECK: %[[O:.*]] = warp.dot %{{.*}}, %[[VI]], {{.*}} {async, atom = #warp.wgmma}
// CHECK: warp.dot_wait %[[S]] {pending = 1 : i64}
// CHECK: warp.ring.release %[[K]]
// CHECK: tile.reduce max
// CHECK: warp.dot_wait %[[O]] {pending = 0 : i64}
// CHECK: warp.ring.release %[[V]][%[[BEFORE]]]
// CHECK: math.exp2
// CHECK: scf.yield
// CHECK: %[[LAST:.*]] = warp.ring.wait %[[V]][%c3]
// CHECK: warp.dot %[[TURNS]]#3, %[[LAST]], {{.*}} {atom = #warp.wgmma}
// CHECK: warp.ring.release %[[V]][%c3]
func.func @main(%q: tensor<2x64x512x64xf16>, %k: tensor<2x64x512x64xf16>, %v: tensor<2x64x512x64xf16>) -> tensor<2x64x512x64xf16> {
  %0 = tenon.attention %q, %k, %v : (tensor<2x64x512x64xf16>, tensor<2x64x512x64xf16>, tensor<2x64x512x64xf16>) -> tensor<2x64x512x64xf16>
  return %0 : tensor<2x64x512x64xf16>
}

// -----

// Keys of which there may be none: the first turn and the last dot are in conditions.
// CHECK-LABEL: tile.kernel @attention
// CHECK: %[[ANY:.*]] = arith.cmpi sgt, %[[TRIPS:.*]], %c0
// CHECK: scf.if %[[ANY]]
// CHECK: warp.dot
// CHECK: } else {
// CHECK: scf.for
// CHECK: {async, atom = #warp.wgmma, transpose_b}
// CHECK: {async, atom = #warp.wgmma}
// CHECK: scf.if %[[ANY]]
// CHECK: warp.dot {{.*}} {atom = #warp.wgmma}
func.func @main(%q: tensor<2x64x512x64xf16>, %k: tensor<2x64x?x64xf16> {tenon.dims = ["", "", "s", ""]}, %v: tensor<2x64x?x64xf16> {tenon.dims = ["", "", "s", ""]}) -> tensor<2x64x512x64xf16> {
  %0 = tenon.attention %q, %k, %v : (tensor<2x64x512x64xf16>, tensor<2x64x?x64xf16>, tensor<2x64x?x64xf16>) -> tensor<2x64x512x64xf16>
  return %0 : tensor<2x64x512x64xf16>
}

// -----

// One dot: nothing to run beside.
// CHECK-LABEL: tile.kernel @linear
// CHECK-COUNT-1: warp.dot {{.*}} {async
// CHECK-NOT: warp.dot {{.*}} {async
func.func @main(%x: tensor<8192x384xbf16>, %w: tensor<1024x384xbf16>) -> tensor<8192x1024xbf16> {
  %0 = tenon.linear %x, %w : (tensor<8192x384xbf16>, tensor<1024x384xbf16>) -> tensor<8192x1024xbf16>
  return %0 : tensor<8192x1024xbf16>
}
