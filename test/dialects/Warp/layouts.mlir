// Attributes and types as they are printed: layouts in their normal form, whatever they were written as.
// RUN: tenon-opt %s | tenon-opt | FileCheck %s

// Neighbours that count on are one digit; those that do not, stay.
// CHECK-LABEL: @merged
// CHECK-SAME: a = #warp.layout<[l32]>
// CHECK-SAME: b = #warp.layout<[r8], [w8]>
// CHECK-SAME: c = #warp.layout<[l8, l4*8]>
// CHECK-SAME: d = #warp.layout<[r2, l8*4, r4]>
// CHECK-SAME: e = #warp.layout<[w2*4, r4], [w4, r2]>
func.func private @merged() attributes {
  a = #warp.layout<[l4*8, l8]>,
  b = #warp.layout<[r2, r4], [w2*4, w4]>,
  c = #warp.layout<[l8, l4*8]>,
  d = #warp.layout<[r2, l4*8, l2*4, r2, r2]>,
  e = #warp.layout<[w2*4, r4], [w4, r2]>
}

// A digit of size 1 says nothing, and does not part its neighbours. A stride of 1 is not written.
// CHECK-LABEL: @units
// CHECK-SAME: a = #warp.layout<[], []>
// CHECK-SAME: b = #warp.layout<[r8]>
// CHECK-SAME: c = #warp.layout<[l32, r2]>
// CHECK-SAME: d = #warp.layout<[w3, l5]>
// CHECK-SAME: scalar = #warp.layout<>
func.func private @units() attributes {
  a = #warp.layout<[r1], [l1*4, w1]>,
  b = #warp.layout<[r4, l1, r2]>,
  c = #warp.layout<[l4*8, r1, l8*1, r2]>,
  d = #warp.layout<[w3*1, l5*1]>,
  scalar = #warp.layout<>
}

// Sizes need not be powers of two: 3 lanes, then 10 groups of them.
// CHECK-LABEL: @mixed
// CHECK-SAME: a = #warp.layout<[l10*3, r5], [l3, w7]>
func.func private @mixed() attributes {a = #warp.layout<[l10*3, r5], [l3, w7]>}

// CHECK-LABEL: @atoms_and_schedules
// CHECK-SAME: a = #warp.mma_sync<m = 16, n = 8, k = 16>
// CHECK-SAME: b = #warp.mma_sync<m = 16, n = 8, k = 8>
// CHECK-SAME: c = #warp.mma_sync<m = 16, n = 8, k = 32>
// CHECK-SAME: d = #warp.fma
// CHECK-SAME: e = #warp.schedule<warps = [2, 4], stages = 3, tf32 = true>
// CHECK-SAME: f = #warp.wgmma,
// CHECK-SAME: g = #warp.schedule<warps = [8, 1], stages = 4, tf32 = false, wgmma = true>
// CHECK-SAME: h = #warp.wgmma<k = 32>
// CHECK-SAME: i = #warp.wgmma<k = 8>
func.func private @atoms_and_schedules() attributes {
  a = #warp.mma_sync<m = 16, n = 8, k = 16>,
  b = #warp.mma_sync<m = 16, n = 8, k = 8>,
  c = #warp.mma_sync<m = 16, n = 8, k = 32>,
  d = #warp.fma,
  e = #warp.schedule<warps = [2, 4], stages = 3, tf32 = true>,
  f = #warp.wgmma,
  g = #warp.schedule<warps = [8, 1], stages = 4, tf32 = false, wgmma = true>,
  h = #warp.wgmma<k = 32>,
  i = #warp.wgmma<k = 8>
}

// CHECK-LABEL: @types
// CHECK-SAME: !warp.smem<128x64xbf16, 128>, !warp.smem<8x8xf16, 16>, !warp.smem<8x32xi8, 32>
// CHECK-SAME: !warp.ring<3, <16x16xf32, 64>, <8x8xf16, 16>>
// CHECK-SAME: tensor<16x16xf32, #warp.layout<[r2, l8*4], [r2, l4, r2]>>
func.func private @types(!warp.smem<128x64xbf16, 128>, !warp.smem<8x8xf16, 16>, !warp.smem<8x32xi8, 32>,
                         !warp.ring<3, !warp.smem<16x16xf32, 64>, !warp.smem<8x8xf16, 16>>,
                         tensor<16x16xf32, #warp.layout<[r2, l8*4], [r2, l4, r2]>>)
