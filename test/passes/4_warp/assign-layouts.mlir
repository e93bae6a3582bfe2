// In: programs on tiles. Out: every tile has a layout, every dot an atom; P of attention is what the next dot takes.
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=kernel" --tenon-choose-tile-schedules="arch=sm_80" --tenon-tile-kernels --canonicalize --cse \
// RUN:   --tenon-choose-warp-schedules="arch=sm_80" --tenon-stage-copies --tenon-assign-layouts --canonicalize --cse | FileCheck %s
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=kernel" --tenon-choose-tile-schedules --tenon-tile-kernels --canonicalize --cse \
// RUN:   --tenon-choose-warp-schedules --tenon-stage-copies --tenon-assign-layouts --canonicalize --cse | FileCheck %s --check-prefix=WGMMA
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=kernel" --tenon-choose-tile-schedules="arch=sm_80" --tenon-tile-kernels --canonicalize --cse \
// RUN:   --tenon-choose-warp-schedules="arch=sm_80" --tenon-stage-copies --tenon-assign-layouts --remarks-filter=tenon-assign-layouts \
// RUN:   --remark-format=emitRemark 2>&1 | FileCheck %s --check-prefix=COST

// The bias has the columns of the sums, whatever lane and register they are in.
// CHECK-LABEL: tile.kernel @linear
// CHECK: warp.dot %{{.*}}, %{{.*}}, %{{.*}} {atom = #warp.mma_sync<m = 16, n = 8, k = 16>, transpose_b}
// CHECK: tile.load {{.*}} -> tensor<128xbf16, #warp.layout<[w4, r4, l4, r2]>>
// CHECK-NOT: relayout
// CHECK: tile.store {{.*}} : tensor<128x128xbf16, #warp.layout<[w2*4, r8, l8*4], [w4, r4, l4, r2]>>
func.func @main(%x: tensor<8192x384xbf16>, %w: tensor<1024x384xbf16>, %b: tensor<1024xbf16>) -> tensor<8192x1024xbf16> {
  %0 = tenon.linear %x, %w, %b : (tensor<8192x384xbf16>, tensor<1024x384xbf16>, tensor<1024xbf16>) -> tensor<8192x1024xbf16>
  return %0 : tensor<8192x1024xbf16>
}

// -----

// f32 is multiplied exactly.
// CHECK-LABEL: tile.kernel @linear
// CHECK: warp.dot {{.*}} {atom = #warp.fma, transpose_b}
func.func @main(%x: tensor<8192x384xf32>, %w: tensor<1024x384xf32>) -> tensor<8192x1024xf32> {
  %0 = tenon.linear %x, %w : (tensor<8192x384xf32>, tensor<1024x384xf32>) -> tensor<8192x1024xf32>
  return %0 : tensor<8192x1024xf32>
}

// -----

// Of the queries alone the layout changes, before the loop.
// COST: relayout {{.*}}"a tile of 8192 elements moves between threads, 256 wavefronts of shared memory"
// CHECK-LABEL: tile.kernel @attention
// CHECK: warp.relayout
// CHECK: scf.for
// CHECK-NOT: relayout
// CHECK: warp.dot {{.*}} tensor<128x64xf16, #warp.layout<[w8, r2, l8*4], [r8, l4, r2]>>, !warp.smem<128x64xf16, 128>
// CHECK: tile.reduce max {{.*}} -> tensor<128xf32, #warp.layout<[w8, r2, l8*4]>>
// CHECK-NOT: relayout
// CHECK: warp.dot {{.*}} tensor<128x128xf16, #warp.layout<[w8, r2, l8*4], [r16, l4, r2]>>, !warp.smem<128x64xf16, 128>
func.func @main(%q: tensor<2x32x512x64xf16>) -> tensor<2x32x512x64xf16> {
  %0 = tenon.attention %q, %q, %q : (tensor<2x32x512x64xf16>, tensor<2x32x512x64xf16>, tensor<2x32x512x64xf16>) -> tensor<2x32x512x64xf16>
  return %0 : tensor<2x32x512x64xf16>
}

// -----

// On Hopper the queries, which the loop does not change, stay in shared memory: ptxas loses them in registers. (Strides of
// 65 elements, so that no producer brings them.)
// WGMMA-LABEL: tile.kernel @attention
// WGMMA: %[[Q:.*]] = warp.stage
// WGMMA: scf.for
// WGMMA: warp.dot %[[Q]], {{.*}} {atom = #warp.wgmma, transpose_b}
func.func @main(%q: tensor<1x1x512x65xbf16>) -> tensor<1x1x512x65xbf16> {
  %0 = tenon.attention %q, %q, %q : (tensor<1x1x512x65xbf16>, tensor<1x1x512x65xbf16>, tensor<1x1x512x65xbf16>) -> tensor<1x1x512x65xbf16>
  return %0 : tensor<1x1x512x65xbf16>
}

// -----

// What a dot adds to is computed in the layout of its sums.
// CHECK-LABEL: tile.kernel @added
// CHECK: tile.unlikely {{.*}} -> tensor<64x64xf32, #warp.layout<[w4, r2, l8*4], [r8, l4, r2]>>
// CHECK-NOT: relayout
// CHECK: warp.dot
tile.kernel @added(%X: !tile.view<64x64xbf16>, %Y: !tile.view<64x64xf32>) attributes {warp.schedule = #warp.schedule<warps = [4, 1], stages = 1, tf32 = false>} {
  %c0 = arith.constant 0 : index
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %two = arith.constant dense<2.0> : tensor<64xf32>
  tile.grid () = () {
    %x = tile.load %X[%c0, %c0] : !tile.view<64x64xbf16> -> tensor<64x64xbf16>
    %s = tile.dot %x, %x, %zero {transpose_b} : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    %m = tile.reduce max %s {axis = 1 : i64} : tensor<64x64xf32> -> tensor<64xf32>
    %large = arith.cmpf ugt, %m, %two : tensor<64xf32>
    %y = tile.unlikely %large : tensor<64xi1> -> tensor<64x64xf32> {
      %b = tile.broadcast %m {dims = array<i64: 0>} : tensor<64xf32> -> tensor<64x64xf32>
      %scaled = arith.mulf %b, %zero : tensor<64x64xf32>
      tile.yield %scaled : tensor<64x64xf32>
    } else(%zero)
    %p = arith.truncf %s : tensor<64x64xf32> to tensor<64x64xbf16>
    %d = tile.dot %p, %x, %y : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    tile.store %d, %Y[%c0, %c0] : tensor<64x64xf32>, !tile.view<64x64xf32>
  }
}

// -----

// Bytes that are stored transposed: a thread reads words of 4 columns of 16 rows and has 16 bytes of each of the 4 to store.
// CHECK-LABEL: tile.kernel @transposed
// CHECK: tile.load {{.*}} -> tensor<128x64xf8E4M3FN, #warp.layout<[w2*2, l4*8, r16], [w2, l8, r4]>>
// CHECK-NOT: relayout
// CHECK: tile.store {{.*}} : tensor<64x128xf8E4M3FN, #warp.layout<[w2, l8, r4], [w2*2, l4*8, r16]>>
// 48 rows are no 64: a thread's bytes lie together only where they are stored.
// CHECK: tile.load {{.*}} -> tensor<48x64xf8E4M3FN, #warp.layout<[r2, w2*2, r16], [w2, l32]>>
// CHECK: tile.store
tile.kernel @transposed(%X: !tile.view<128x64xf8E4M3FN>, %Y: !tile.view<64x128xf8E4M3FN>) attributes {warp.schedule = #warp.schedule<warps = [4, 1], stages = 1, tf32 = false>} {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %x = tile.load %X[%c0, %c0] : !tile.view<128x64xf8E4M3FN> -> tensor<128x64xf8E4M3FN>
    %t = tile.trans %x {permutation = array<i64: 1, 0>} : tensor<128x64xf8E4M3FN> -> tensor<64x128xf8E4M3FN>
    tile.store %t, %Y[%c0, %c0] : tensor<64x128xf8E4M3FN>, !tile.view<64x128xf8E4M3FN>
    %few = tile.load %X[%c0, %c0] : !tile.view<128x64xf8E4M3FN> -> tensor<48x64xf8E4M3FN>
    %u = tile.trans %few {permutation = array<i64: 1, 0>} : tensor<48x64xf8E4M3FN> -> tensor<64x48xf8E4M3FN>
    tile.store %u, %Y[%c0, %c0] : tensor<64x48xf8E4M3FN>, !tile.view<64x128xf8E4M3FN>
  }
}

// -----

// Fewer elements than lanes have runs of 16 bytes for: each lane has some.
// CHECK-LABEL: tile.kernel @cos
// CHECK: tile.load {{.*}} -> tensor<64xbf16, #warp.layout<[l32, r2]>>
func.func @main(%x: tensor<64xbf16>) -> tensor<64xbf16> {
  %0 = tenon.cos %x : (tensor<64xbf16>) -> tensor<64xbf16>
  return %0 : tensor<64xbf16>
}
