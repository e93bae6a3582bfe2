// In: programs on tiles. Out: each with its warps and stages; a choice by hand stays.
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=kernel" --tenon-choose-tile-schedules --tenon-tile-kernels --canonicalize --cse \
// RUN:   --tenon-choose-warp-schedules | FileCheck %s
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=kernel" --tenon-choose-tile-schedules="arch=sm_80" --tenon-tile-kernels --canonicalize --cse \
// RUN:   --tenon-choose-warp-schedules="arch=sm_80" | FileCheck %s --check-prefix=SM80
// RUN: not tenon-opt %s --split-input-file --tenon-choose-warp-schedules="arch=sm_70" 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// UNKNOWN: error: GPU architecture 'sm_70' is unknown; it is one of sm_80, sm_86, sm_89, sm_90a

// A product of 16-bit elements has 64 x 32 results a warp; slots as far as two programs fit in an SM. With wgmma 16 rows,
// and of several programs a multiprocessor two warpgroups take turns at them.
// SM80: @linear({{.*}}warp.schedule = #warp.schedule<warps = [2, 4], stages = 2, tf32 = false>
// CHECK: @linear({{.*}}parts = 3>, warp.schedule = #warp.schedule<warps = [4, 1], stages = {{[45]}}, tf32 = false, wgmma = true, producer = true, teams = 2>
func.func @main(%x: tensor<8192x384xbf16>, %w: tensor<1000x384xbf16>) -> tensor<8192x1000xbf16> {
  %0 = tenon.linear %x, %w : (tensor<8192x384xbf16>, tensor<1000x384xbf16>) -> tensor<8192x1000xbf16>
  return %0 : tensor<8192x1000xbf16>
}

// -----

// Elements of 8 bits are multiplied by warpgroups, too.
// SM80: @quantised_matmul({{.*}}warp.schedule = #warp.schedule<warps = [2, 4], stages = 2, tf32 = false>
// CHECK: @quantised_matmul({{.*}}warp.schedule = #warp.schedule<warps = [8, 1], stages = 4, tf32 = false, wgmma = true, producer = true>
func.func @main(%x: tensor<8192x768xi8>, %w: tensor<1024x768xi8>, %s: tensor<f32>) -> tensor<8192x1024xbf16> {
  %0 = tenon.quantised_matmul %x scale(%s), %w scale(%s) : (tensor<8192x768xi8>, tensor<f32>, tensor<1024x768xi8>, tensor<f32>) -> tensor<8192x1024xbf16>
  return %0 : tensor<8192x1024xbf16>
}

// -----

// Attention feeds one dot's result to another row by row: every warp has whole rows. Warpgroups that look at no maxima
// take turns.
// SM80: @attention({{.*}}warp.schedule = #warp.schedule<warps = [8, 1], stages = 2, tf32 = false>
// CHECK: @attention({{.*}}warp.schedule = #warp.schedule<warps = [12, 1], stages = 2, tf32 = false, wgmma = true, producer = true, outer = 2, turns = true>
func.func @main(%q: tensor<2x32x640x64xf16>) -> tensor<2x32x640x64xf16> {
  %0 = tenon.attention %q, %q, %q : (tensor<2x32x640x64xf16>, tensor<2x32x640x64xf16>, tensor<2x32x640x64xf16>) -> tensor<2x32x640x64xf16>
  return %0 : tensor<2x32x640x64xf16>
}

// -----

// Not where a program is over after four of them.
// CHECK: @attention({{.*}}maximum = first>, warp.schedule = #warp.schedule<warps = [8, 1], stages = 2, tf32 = false, wgmma = true, producer = true, outer = 2>
func.func @main(%q: tensor<2x32x512x64xf16>) -> tensor<2x32x512x64xf16> {
  %0 = tenon.attention %q, %q, %q : (tensor<2x32x512x64xf16>, tensor<2x32x512x64xf16>, tensor<2x32x512x64xf16>) -> tensor<2x32x512x64xf16>
  return %0 : tensor<2x32x512x64xf16>
}

// -----

// Keys that one tile holds: there is no loop, and all is copied once a program. Three CTAs share a multiprocessor.
// CHECK: @attention({{.*}}maximum = first>, warp.schedule = #warp.schedule<warps = [4, 1], stages = 1, tf32 = false, wgmma = true, producer = true, resident = 3>
func.func @main(%q: tensor<32x12x128x64xf16>) -> tensor<32x12x128x64xf16> {
  %0 = tenon.attention %q, %q, %q : (tensor<32x12x128x64xf16>, tensor<32x12x128x64xf16>, tensor<32x12x128x64xf16>) -> tensor<32x12x128x64xf16>
  return %0 : tensor<32x12x128x64xf16>
}

// -----

// Two warpgroups that take all of a multiprocessor's registers: what the next program multiplies comes while this one
// runs.
// CHECK: @attention({{.*}}keys = 208, maximum = first>, warp.schedule = #warp.schedule<warps = [8, 1], stages = 1, tf32 = false, wgmma = true, producer = true, outer = 2>
func.func @main(%q: tensor<32x12x197x64xf16>) -> tensor<32x12x197x64xf16> {
  %0 = tenon.attention %q, %q, %q : (tensor<32x12x197x64xf16>, tensor<32x12x197x64xf16>, tensor<32x12x197x64xf16>) -> tensor<32x12x197x64xf16>
  return %0 : tensor<32x12x197x64xf16>
}

// -----

// So of a depth of one turn: as many programs' operands as fit beside the results.
// CHECK: @matmul({{.*}}warp.schedule = #warp.schedule<warps = [8, 1], stages = 1, tf32 = false, wgmma = true, producer = true, outer = 3>
func.func @main(%a: tensor<64x512x64xbf16>, %b: tensor<64x64x512xbf16>) -> tensor<64x512x512xbf16> {
  %0 = tenon.matmul %a, %b : (tensor<64x512x64xbf16>, tensor<64x64x512xbf16>) -> tensor<64x512x512xbf16>
  return %0 : tensor<64x512x512xbf16>
}

// -----

// Few rows of a weight: its bytes are what takes the time, and come early. Many rows are bound by products.
// CHECK: @linear({{.*}}producer = true, early = {{[0-9]+}}>
// CHECK: @linear_1({{.*}}producer = true, teams = 2>
func.func @main(%x: tensor<64x4096xbf16>, %z: tensor<4096x4096xbf16>) -> (tensor<64x8192xbf16>, tensor<4096x8192xbf16>) {
  %w = tenon.weight "w" : tensor<8192x4096xbf16>
  %0 = tenon.linear %x, %w : (tensor<64x4096xbf16>, tensor<8192x4096xbf16>) -> tensor<64x8192xbf16>
  %1 = tenon.linear %z, %w : (tensor<4096x4096xbf16>, tensor<8192x4096xbf16>) -> tensor<4096x8192xbf16>
  return %0, %1 : tensor<64x8192xbf16>, tensor<4096x8192xbf16>
}

// -----

// The same from an input that is no weight.
// CHECK: @linear({{.*}}producer = true>
func.func @main(%x: tensor<64x4096xbf16>, %w: tensor<8192x4096xbf16>) -> tensor<64x8192xbf16> {
  %0 = tenon.linear %x, %w : (tensor<64x4096xbf16>, tensor<8192x4096xbf16>) -> tensor<64x8192xbf16>
  return %0 : tensor<64x8192xbf16>
}

// -----

// CHECK: tile.kernel @one({{.*}}warp.schedule = #warp.schedule<warps = [1, 3], stages = 2, tf32 = true>
tile.kernel @one(%Y: !tile.view<64xf32>) attributes {warp.schedule = #warp.schedule<warps = [1, 3], stages = 2, tf32 = true>} {
  %c0 = arith.constant 0 : index
  %one = arith.constant dense<1.0> : tensor<64xf32>
  tile.grid () = () {
    tile.store %one, %Y[%c0] : tensor<64xf32>, !tile.view<64xf32>
  }
}
