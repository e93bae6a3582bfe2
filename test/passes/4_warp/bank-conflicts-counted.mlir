// Accesses whose wavefronts are counted by hand.
// RUN: tenon-opt %s --split-input-file --tenon-verify-warp --remarks-filter=tenon-verify-warp --remark-format=emitRemark 2>&1 | grep -o "bank-conflicts.*" | FileCheck %s

// Slabs of 16 bytes: the 8 chunks of a row that a quarter of the lanes copies lie 256 bytes apart, in the same banks. 16
// quarters of 8 wavefronts instead of 1. Two fragments of 4 steps by 4 quarters: ldmatrix reads 8 rows of 16 bytes, side
// by side.
// CHECK: 160 wavefronts of shared memory, 112 more than needed (copies 112, fragments 0, dots 0, exchanges 0)
#acc = #warp.layout<[r2, l8*4], [r2, l4, r2]>
!slot = !warp.smem<16x64xbf16, 16>
tile.kernel @unswizzled(%X: !tile.view<?x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 1, tf32 = false>} {
  %c0 = arith.constant 0 : index
  %zero = arith.constant dense<0.0> : tensor<16x16xf32, #acc>
  tile.grid () = () {
    %r = warp.ring.create : !warp.ring<1, !slot>
    %t = warp.ring.acquire %r[%c0] : !warp.ring<1, !slot> -> !slot
    warp.copy %X[%c0, %c0], %t : !tile.view<?x64xbf16>, !slot
    warp.ring.commit %r[%c0] : !warp.ring<1, !slot>
    %s = warp.ring.wait %r[%c0] {ahead = 0 : i64} : !warp.ring<1, !slot> -> !slot
    %d = warp.dot %s, %s, %zero {atom = #warp.mma_sync<m = 16, n = 8, k = 16>, transpose_b} : !slot, !slot -> tensor<16x16xf32, #acc>
    warp.ring.release %r[%c0] : !warp.ring<1, !slot>
  }
}

// -----

// A row of 32 words a register, written: one wavefront each. Read by columns, the lanes 132 bytes apart, as a word is
// left free behind each row: one each. Without it they would be 128 bytes apart: 32 each.
// CHECK: 64 wavefronts of shared memory, 0 more than needed (copies 0, fragments 0, dots 0, exchanges 0)
tile.kernel @transposing(%X: !tile.view<32x32xf32>, %Y: !tile.view<32x32xf32>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 1, tf32 = false>} {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %x = tile.load %X[%c0, %c0] : !tile.view<32x32xf32> -> tensor<32x32xf32, #warp.layout<[r32], [l32]>>
    %y = warp.relayout %x : tensor<32x32xf32, #warp.layout<[r32], [l32]>> -> tensor<32x32xf32, #warp.layout<[l32], [r32]>>
    tile.store %y, %Y[%c0, %c0] : tensor<32x32xf32, #warp.layout<[l32], [r32]>>, !tile.view<32x32xf32>
  }
}

// -----

// Rows of 128 bytes, written 16 bytes a thread: 4 times 4 quarters of the lanes, which have a row each. Read 4 bytes a
// thread, 8 rows of 4 words, which are in different banks as 16 bytes are left free behind each row: 16 times one.
// CHECK: 32 wavefronts of shared memory, 0 more than needed (copies 0, fragments 0, dots 0, exchanges 0)
tile.kernel @to_fragments(%X: !tile.view<16x64xbf16>, %Y: !tile.view<16x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 1, tf32 = false>} {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %x = tile.load %X[%c0, %c0] : !tile.view<16x64xbf16> -> tensor<16x64xbf16, #warp.layout<[r4, l4*8], [l8, r8]>>
    %y = warp.relayout %x : tensor<16x64xbf16, #warp.layout<[r4, l4*8], [l8, r8]>> -> tensor<16x64xbf16, #warp.layout<[r2, l8*4], [r8, l4, r2]>>
    tile.store %y, %Y[%c0, %c0] : tensor<16x64xbf16, #warp.layout<[r2, l8*4], [r8, l4, r2]>>, !tile.view<16x64xbf16>
  }
}
