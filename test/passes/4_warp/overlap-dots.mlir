// In: products by wgmma. Out: a loop that only adds them waits one turn later; attention, which looks at each, does not.
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=kernel" --tenon-choose-tile-schedules \
// RUN:   | sed 's/#tile.gemm<[^>]*>/#tile.gemm<rows = 128, columns = 256, depth = 64>/' \
// RUN:   | tenon-opt --split-input-file --tenon-tile-kernels --canonicalize --cse --tenon-choose-warp-schedules="arch=sm_90a" --tenon-stage-copies --tenon-assign-layouts --tenon-overlap-dots --canonicalize --cse | FileCheck %s

// A slot is released a turn after it was read; the producer fills it as soon as it is.
// CHECK-LABEL: tile.kernel @linear
// CHECK-SAME: wgmma = true
// CHECK: %[[RING:.*]] = warp.ring.create transfers(%c6) : <[[DEPTH:.*]], <128x64xbf16, 128>
// CHECK: warp.produce
// CHECK: scf.for
// CHECK: warp.ring.acquire %[[RING]]
// CHECK: %[[SUM:.*]] = scf.for
// CHECK: warp.ring.wait
// CHECK: %[[D:.*]] = warp.dot {{.*}} {async, atom = #warp.wgmma, transpose_b}
// CHECK: %[[E:.*]] = warp.dot_wait %[[D]] {pending = 1 : i64}
// CHECK: warp.ring.release %[[RING]]
// CHECK: scf.yield %[[E]]
// CHECK: warp.dot_wait %[[SUM]] {pending = 0 : i64}
// CHECK: warp.ring.release %[[RING]][%c5]
func.func @main(%x: tensor<8192x384xbf16>, %w: tensor<1024x384xbf16>) -> tensor<8192x1024xbf16> {
  %0 = tenon.linear %x, %w : (tensor<8192x384xbf16>, tensor<1024x384xbf16>) -> tensor<8192x1024xbf16>
  return %0 : tensor<8192x1024xbf16>
}

// -----

// CHECK-LABEL: tile.kernel @attention
// CHECK: warp.dot {{.*}} {atom = #warp.wgmma, transpose_b}
// CHECK-NOT: warp.dot_wait
// CHECK: warp.dot {{.*}} {atom = #warp.wgmma}
func.func @main(%q: tensor<2x32x512x64xf16>) -> tensor<2x32x512x64xf16> {
  %0 = tenon.attention %q, %q, %q : (tensor<2x32x512x64xf16>, tensor<2x32x512x64xf16>, tensor<2x32x512x64xf16>) -> tensor<2x32x512x64xf16>
  return %0 : tensor<2x32x512x64xf16>
}
