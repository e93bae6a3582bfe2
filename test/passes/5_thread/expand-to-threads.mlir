// In: programs on tiles with layouts. Out: what one thread does.
// RUN: tenon-opt %s --split-input-file --tenon-expand-to-threads --canonicalize --cse | FileCheck %s

// A row that may be past the end is predicated; 16 bytes at once. The grid is an expression of the kernel's sizes.
// CHECK-LABEL: llvm.func @negate(
// CHECK-SAME: %[[X:.*]]: !llvm.ptr<1> {{.*}}, %[[Y:.*]]: !llvm.ptr<1> {{.*}}, %[[M:.*]]: i64, %{{.*}}: i64, %{{.*}}: !llvm.ptr<1>)
// CHECK-SAME: nvvm.reqntid = array<i32: 32, 1, 1>
// CHECK-SAME: tenon.grid = #[[GRID:.*]],
// CHECK: %[[INSIDE:.*]] = arith.cmpi ult
// CHECK: ptx.ld.global %{{.*}}, %[[INSIDE]] {nc} : vector<4xi32>
// CHECK-COUNT-8: arith.negf %{{.*}} : bf16
// CHECK: ptx.st.global
module @kernels {
  tile.kernel @negate(%X: !tile.view<?x256xbf16>, %Y: !tile.view<?x256xbf16>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 1, tf32 = false>} {
    %c0 = arith.constant 0 : index
    %c2 = arith.constant 2 : index
    %m = tile.dim %X {axis = 0 : i64} : !tile.view<?x256xbf16>
    %programs = arith.ceildivui %m, %c2 : index
    tile.grid (%i) = (%programs) {
      %first = arith.muli %i, %c2 : index
      %x = tile.load %X[%first, %c0] : !tile.view<?x256xbf16> -> tensor<1x256xbf16, #warp.layout<[], [l32, r8]>>
      %y = arith.negf %x : tensor<1x256xbf16, #warp.layout<[], [l32, r8]>>
      tile.store %y, %Y[%first, %c0] : tensor<1x256xbf16, #warp.layout<[], [l32, r8]>>, !tile.view<?x256xbf16>
    }
  }
}

// -----

// A fold: registers, then lanes, then warps through shared memory.
// CHECK: llvm.mlir.global external @shared()
// CHECK-LABEL: llvm.func @sums
// CHECK-SAME: tenon.shared_bytes = 256 : i64
// CHECK: llvm.load
// CHECK-COUNT-3: arith.addf
// CHECK-COUNT-5: nvvm.shfl.sync  bfly
// CHECK: nvvm.barrier0
// CHECK: llvm.store
// CHECK: nvvm.barrier0
// CHECK-COUNT-2: llvm.load
// CHECK: llvm.return
module @kernels {
  tile.kernel @sums(%X: !tile.view<64x256xf32>, %Y: !tile.view<64xf32>) attributes {warp.schedule = #warp.schedule<warps = [2, 1], stages = 1, tf32 = false>} {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    tile.grid (%i) = (%c64) {
      %x = tile.load %X[%i, %c0] : !tile.view<64x256xf32> -> tensor<256xf32, #warp.layout<[w2, l32, r4]>>
      %y = tile.reduce add %x {axis = 0 : i64} : tensor<256xf32, #warp.layout<[w2, l32, r4]>> -> tensor<f32, #warp.layout<>>
      tile.store %y, %Y[%i] : tensor<f32, #warp.layout<>>, !tile.view<64xf32>
    }
  }
}

// -----

// A running fold: registers, then lanes by shuffles from below.
// CHECK-LABEL: llvm.func @running
// CHECK-COUNT-3: arith.addf
// CHECK-COUNT-5: nvvm.shfl.sync  up
// CHECK: nvvm.shfl.sync  idx
// CHECK: llvm.return
module @kernels {
  tile.kernel @running(%X: !tile.view<64x128xf32>, %Y: !tile.view<64x128xf32>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 1, tf32 = false>} {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    tile.grid (%i) = (%c64) {
      %x = tile.load %X[%i, %c0] : !tile.view<64x128xf32> -> tensor<128xf32, #warp.layout<[l32, r4]>>
      %y = tile.scan add %x {axis = 0 : i64} : tensor<128xf32, #warp.layout<[l32, r4]>>
      tile.store %y, %Y[%i, %c0] : tensor<128xf32, #warp.layout<[l32, r4]>>, !tile.view<64x128xf32>
    }
  }
}

// -----

// A running fold over warps exchanges a value for each register that counts slower than they do: two here.
// CHECK-LABEL: llvm.func @slower
// CHECK-SAME: tenon.shared_bytes = 512 : i64
module @kernels {
  tile.kernel @slower(%X: !tile.view<128xf32>, %Y: !tile.view<128xf32>) attributes {warp.schedule = #warp.schedule<warps = [2, 1], stages = 1, tf32 = false>} {
    %c0 = arith.constant 0 : index
    tile.grid () = () {
      %x = tile.load %X[%c0] : !tile.view<128xf32> -> tensor<128xf32, #warp.layout<[r2, w2, l32]>>
      %y = tile.scan add %x {axis = 0 : i64} : tensor<128xf32, #warp.layout<[r2, w2, l32]>>
      tile.store %y, %Y[%c0] : tensor<128xf32, #warp.layout<[r2, w2, l32]>>, !tile.view<128xf32>
    }
  }
}

// -----

// A warp with eight columns reads those and no neighbours, which the last warp's would be outside of shared memory.
// CHECK-LABEL: llvm.func @eight_columns
// CHECK: nvvm.ldmatrix {{.*}}layout = #nvvm.mma_layout<row>, num = 4
// CHECK: nvvm.ldmatrix {{.*}}layout = #nvvm.mma_layout<col>, num = 2
// CHECK-NOT: nvvm.ldmatrix
// CHECK: nvvm.mma.sync
module @kernels {
  tile.kernel @eight_columns(%X: !tile.view<16x16xf16>, %W: !tile.view<16x16xf16>, %Y: !tile.view<16x16xf32>) attributes {warp.schedule = #warp.schedule<warps = [1, 2], stages = 1, tf32 = false>} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %zero = arith.constant dense<0.0> : tensor<16x16xf32, #warp.layout<[r2, l8*4], [w2, l4, r2]>>
    tile.grid (%i) = (%c1) {
      %ring = warp.ring.create : <1, <16x16xf16, 32>, <16x16xf16, 32>>
      %s:2 = warp.ring.acquire %ring[%c0] : <1, <16x16xf16, 32>, <16x16xf16, 32>> -> !warp.smem<16x16xf16, 32>, !warp.smem<16x16xf16, 32>
      warp.copy %X[%c0, %c0], %s#0 {within = array<i1: true, true>} : <16x16xf16>, <16x16xf16, 32>
      warp.copy %W[%c0, %c0], %s#1 {within = array<i1: true, true>} : <16x16xf16>, <16x16xf16, 32>
      warp.ring.commit %ring[%c0] : <1, <16x16xf16, 32>, <16x16xf16, 32>>
      %t:2 = warp.ring.wait %ring[%c0] {ahead = 0 : i64} : <1, <16x16xf16, 32>, <16x16xf16, 32>> -> !warp.smem<16x16xf16, 32>, !warp.smem<16x16xf16, 32>
      %y = warp.dot %t#0, %t#1, %zero {atom = #warp.mma_sync<m = 16, n = 8, k = 16>} : !warp.smem<16x16xf16, 32>, !warp.smem<16x16xf16, 32> -> tensor<16x16xf32, #warp.layout<[r2, l8*4], [w2, l4, r2]>>
      warp.ring.release %ring[%c0] : <1, <16x16xf16, 32>, <16x16xf16, 32>>
      tile.store %y, %Y[%c0, %c0] : tensor<16x16xf32, #warp.layout<[r2, l8*4], [w2, l4, r2]>>, !tile.view<16x16xf32>
    }
  }
}

// -----

// f32 as tf32 by a warpgroup: steps of 8 are 32 bytes further. It is rounded where it is written to shared memory by threads, or
// multiplied out of registers.
// CHECK-LABEL: llvm.func @as_tf32
// CHECK-COUNT-20: nvvm.convert.float.to.tf32 %{{.*}} {rnd = #nvvm.fp_rnd_mode<rna>}
// CHECK-NOT: nvvm.convert.float.to.tf32
// CHECK: ptx.wgmma {{.*}} {element = tf32, lhs_offsets = array<i64: 0, 2, 4, 6>, rhs_offsets = array<i64: 0, 2, 4, 6>} : i64
// CHECK-COUNT-16: nvvm.convert.float.to.tf32 %{{.*}} {rnd = #nvvm.fp_rnd_mode<rna>}
// CHECK-NOT: nvvm.convert.float.to.tf32
// CHECK: ptx.wgmma {{.*}} {element = tf32, lhs_offsets = array<i64>, rhs_offsets = array<i64: 0, 2, 4, 6>} : i32
!ring = !warp.ring<1, !warp.smem<64x32xtf32, 128>, !warp.smem<16x32xtf32, 128>>
#sum = #warp.layout<[w4, r2, l8*4], [r2, l4, r2]>
module @kernels {
  tile.kernel @as_tf32(%X: !tile.view<64x32xf32>, %W: !tile.view<16x32xf32>, %Y: !tile.view<64x16xf32>) attributes {warp.schedule = #warp.schedule<warps = [4, 1], stages = 1, tf32 = true, wgmma = true>} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %zero = arith.constant dense<0.0> : tensor<64x16xf32, #sum>
    tile.grid (%i) = (%c1) {
      %ring = warp.ring.create : !ring
      %s:2 = warp.ring.acquire %ring[%c0] : !ring -> !warp.smem<64x32xtf32, 128>, !warp.smem<16x32xtf32, 128>
      warp.copy %X[%c0, %c0], %s#0 {within = array<i1: true, true>} : <64x32xf32>, <64x32xtf32, 128>
      warp.copy %W[%c0, %c0], %s#1 {within = array<i1: true, true>} : <16x32xf32>, <16x32xtf32, 128>
      warp.ring.commit %ring[%c0] : !ring
      %t:2 = warp.ring.wait %ring[%c0] {ahead = 0 : i64} : !ring -> !warp.smem<64x32xtf32, 128>, !warp.smem<16x32xtf32, 128>
      %p = warp.dot %t#0, %t#1, %zero {atom = #warp.wgmma<k = 8>, transpose_b} : !warp.smem<64x32xtf32, 128>, !warp.smem<16x32xtf32, 128> -> tensor<64x16xf32, #sum>
      %f = tile.load %X[%c0, %c0] : !tile.view<64x32xf32> -> tensor<64x32xf32, #warp.layout<[w4, r2, l8*4], [r8, l4]>>
      %y = warp.dot %f, %t#1, %p {atom = #warp.wgmma<k = 8>, transpose_b} : tensor<64x32xf32, #warp.layout<[w4, r2, l8*4], [r8, l4]>>, !warp.smem<16x32xtf32, 128> -> tensor<64x16xf32, #sum>
      warp.ring.release %ring[%c0] : !ring
      tile.store %y, %Y[%c0, %c0] : tensor<64x16xf32, #sum>, !tile.view<64x16xf32>
    }
  }
}
