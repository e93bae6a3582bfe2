// Functions whose results are rounded to 16 bits come from the special function unit.
// RUN: tenon-opt %s --tenon-expand-to-threads | FileCheck %s

module {
  module @kernels {
    // x / (1 + e^-x) by a power and a reciprocal.
// CHECK-LABEL: llvm.func @silu
// CHECK-COUNT-2: ptx.ex2.approx.ftz
// CHECK-NOT: arith.divf
// CHECK-COUNT-2: ptx.rcp.approx.ftz
// CHECK-NOT: arith.divf
    tile.kernel @silu(%X: !tile.view<8x64xbf16>, %Y: !tile.view<8x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 1, tf32 = false>} {
      %c0 = arith.constant 0 : index
      %c8 = arith.constant 8 : index
      %one = arith.constant dense<1.0> : tensor<64xf32, #warp.layout<[l32, r2]>>
      tile.grid (%i) = (%c8) {
        %x = tile.load %X[%i, %c0] : !tile.view<8x64xbf16> -> tensor<64xbf16, #warp.layout<[l32, r2]>>
        %w = arith.extf %x : tensor<64xbf16, #warp.layout<[l32, r2]>> to tensor<64xf32, #warp.layout<[l32, r2]>>
        %n = arith.negf %w : tensor<64xf32, #warp.layout<[l32, r2]>>
        %e = math.exp %n : tensor<64xf32, #warp.layout<[l32, r2]>>
        %s = arith.addf %e, %one : tensor<64xf32, #warp.layout<[l32, r2]>>
        %r = arith.divf %w, %s : tensor<64xf32, #warp.layout<[l32, r2]>>
        %y = arith.truncf %r : tensor<64xf32, #warp.layout<[l32, r2]>> to tensor<64xbf16, #warp.layout<[l32, r2]>>
        tile.store %y, %Y[%i, %c0] : tensor<64xbf16, #warp.layout<[l32, r2]>>, !tile.view<8x64xbf16>
      }
    }
    // One of each a register, and six steps of a polynomial.
// CHECK-LABEL: llvm.func @erfc
// CHECK: ptx.rcp.approx.ftz
// CHECK-COUNT-5: math.fma
// CHECK-NOT: math.fma
// CHECK: ptx.ex2.approx.ftz
// CHECK: arith.cmpf olt
// CHECK: arith.subf
// CHECK-NEXT: arith.select
    tile.kernel @erfc(%X: !tile.view<8x64xbf16>, %Y: !tile.view<8x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 1, tf32 = false>} {
      %c0 = arith.constant 0 : index
      %c8 = arith.constant 8 : index
      %one = arith.constant dense<1.0> : tensor<64xf32, #warp.layout<[l32, r2]>>
      tile.grid (%i) = (%c8) {
        %x = tile.load %X[%i, %c0] : !tile.view<8x64xbf16> -> tensor<64xbf16, #warp.layout<[l32, r2]>>
        %w = arith.extf %x : tensor<64xbf16, #warp.layout<[l32, r2]>> to tensor<64xf32, #warp.layout<[l32, r2]>>
        %r = math.erfc %w : tensor<64xf32, #warp.layout<[l32, r2]>>
        %y = arith.truncf %r : tensor<64xf32, #warp.layout<[l32, r2]>> to tensor<64xbf16, #warp.layout<[l32, r2]>>
        tile.store %y, %Y[%i, %c0] : tensor<64xbf16, #warp.layout<[l32, r2]>>, !tile.view<8x64xbf16>
      }
    }
    // x / 2 erfc(-x / sqrt(2)) asks for no sign.
// CHECK-LABEL: llvm.func @gelu
// CHECK: arith.minnumf
// CHECK-NEXT: math.absf
// CHECK-COUNT-7: math.fma
// CHECK-NEXT: arith.constant 0.0
// CHECK-NEXT: arith.maximumf
// CHECK-NOT: rcp
// CHECK: ptx.ex2.approx.ftz
// CHECK-NOT: arith.select
// CHECK: math.fma
// CHECK: arith.truncf
    tile.kernel @gelu(%X: !tile.view<8x32xbf16>, %Y: !tile.view<8x32xbf16>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 1, tf32 = false>} {
      %c0 = arith.constant 0 : index
      %c8 = arith.constant 8 : index
      %half = arith.constant dense<0.5> : tensor<32xf32, #warp.layout<[l32]>>
      %scale = arith.constant dense<-0.707106769> : tensor<32xf32, #warp.layout<[l32]>>
      tile.grid (%i) = (%c8) {
        %x = tile.load %X[%i, %c0] : !tile.view<8x32xbf16> -> tensor<32xbf16, #warp.layout<[l32]>>
        %w = arith.extf %x : tensor<32xbf16, #warp.layout<[l32]>> to tensor<32xf32, #warp.layout<[l32]>>
        %h = arith.mulf %w, %half : tensor<32xf32, #warp.layout<[l32]>>
        %t = arith.mulf %w, %scale : tensor<32xf32, #warp.layout<[l32]>>
        %e = math.erfc %t : tensor<32xf32, #warp.layout<[l32]>>
        %r = arith.mulf %h, %e : tensor<32xf32, #warp.layout<[l32]>>
        %y = arith.truncf %r : tensor<32xf32, #warp.layout<[l32]>> to tensor<32xbf16, #warp.layout<[l32]>>
        tile.store %y, %Y[%i, %c0] : tensor<32xbf16, #warp.layout<[l32]>>, !tile.view<8x32xbf16>
      }
    }
    // Of a product that only a sum reads there is one rounding; one that is read twice stays.
// CHECK-LABEL: llvm.func @fused
// CHECK: %[[TWICE:.*]] = arith.mulf
// CHECK: math.fma %[[TWICE]]
// CHECK-NEXT: arith.addf %[[TWICE]]
// CHECK: arith.truncf
    tile.kernel @fused(%X: !tile.view<8x32xbf16>, %Y: !tile.view<8x32xbf16>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 1, tf32 = false>} {
      %c0 = arith.constant 0 : index
      %c8 = arith.constant 8 : index
      tile.grid (%i) = (%c8) {
        %x = tile.load %X[%i, %c0] : !tile.view<8x32xbf16> -> tensor<32xbf16, #warp.layout<[l32]>>
        %w = arith.extf %x : tensor<32xbf16, #warp.layout<[l32]>> to tensor<32xf32, #warp.layout<[l32]>>
        %twice = arith.mulf %w, %w : tensor<32xf32, #warp.layout<[l32]>>
        %once = arith.mulf %twice, %w : tensor<32xf32, #warp.layout<[l32]>>
        %sum = arith.addf %once, %w : tensor<32xf32, #warp.layout<[l32]>>
        %r = arith.addf %twice, %sum : tensor<32xf32, #warp.layout<[l32]>>
        %y = arith.truncf %r : tensor<32xf32, #warp.layout<[l32]>> to tensor<32xbf16, #warp.layout<[l32]>>
        tile.store %y, %Y[%i, %c0] : tensor<32xbf16, #warp.layout<[l32]>>, !tile.view<8x32xbf16>
      }
    }
    // An f32 shows every unit.
// CHECK-LABEL: llvm.func @negative_single_precision
// CHECK-NOT: approx
// CHECK: arith.divf
// CHECK: llvm.return
    tile.kernel @negative_single_precision(%X: !tile.view<8x64xf32>, %Y: !tile.view<8x64xf32>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 1, tf32 = false>} {
      %c0 = arith.constant 0 : index
      %c8 = arith.constant 8 : index
      %one = arith.constant dense<1.0> : tensor<64xf32, #warp.layout<[l32, r2]>>
      tile.grid (%i) = (%c8) {
        %x = tile.load %X[%i, %c0] : !tile.view<8x64xf32> -> tensor<64xf32, #warp.layout<[l32, r2]>>
        %n = arith.negf %x : tensor<64xf32, #warp.layout<[l32, r2]>>
        %e = math.exp %n : tensor<64xf32, #warp.layout<[l32, r2]>>
        %s = arith.addf %e, %one : tensor<64xf32, #warp.layout<[l32, r2]>>
        %r = arith.divf %x, %s : tensor<64xf32, #warp.layout<[l32, r2]>>
        tile.store %r, %Y[%i, %c0] : tensor<64xf32, #warp.layout<[l32, r2]>>, !tile.view<8x64xf32>
      }
    }
    // A divisor that may be tiny.
// CHECK-LABEL: llvm.func @negative_other_quotient
// CHECK-NOT: ptx.rcp
// CHECK: arith.divf
// CHECK: llvm.return
    tile.kernel @negative_other_quotient(%X: !tile.view<8x64xbf16>, %Y: !tile.view<8x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 1, tf32 = false>} {
      %c0 = arith.constant 0 : index
      %c8 = arith.constant 8 : index
      %one = arith.constant dense<1.0> : tensor<64xf32, #warp.layout<[l32, r2]>>
      tile.grid (%i) = (%c8) {
        %x = tile.load %X[%i, %c0] : !tile.view<8x64xbf16> -> tensor<64xbf16, #warp.layout<[l32, r2]>>
        %w = arith.extf %x : tensor<64xbf16, #warp.layout<[l32, r2]>> to tensor<64xf32, #warp.layout<[l32, r2]>>
        %n = arith.negf %one : tensor<64xf32, #warp.layout<[l32, r2]>>
        %e = math.exp %w : tensor<64xf32, #warp.layout<[l32, r2]>>
        %s = arith.addf %e, %e : tensor<64xf32, #warp.layout<[l32, r2]>>
        %r = arith.divf %w, %s : tensor<64xf32, #warp.layout<[l32, r2]>>
        %y = arith.truncf %r : tensor<64xf32, #warp.layout<[l32, r2]>> to tensor<64xbf16, #warp.layout<[l32, r2]>>
        tile.store %y, %Y[%i, %c0] : tensor<64xbf16, #warp.layout<[l32, r2]>>, !tile.view<8x64xbf16>
      }
    }
  }
}
