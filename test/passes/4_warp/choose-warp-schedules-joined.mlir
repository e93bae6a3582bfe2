// In: programs of two kernels that share a grid. Out: the warps of whichever needs most; each is looked at by itself.
// RUN: tenon-opt %s --split-input-file --tenon-choose-warp-schedules | FileCheck %s

// Rows of 4096 by four warps, though a sine has few elements a thread.
// CHECK: tile.kernel @rows_and_sines({{.*}}warp.schedule = #warp.schedule<warps = [4, 1], stages = 1, tf32 = false>
tile.kernel @rows_and_sines(%X: !tile.view<4x4096xf32>, %A: !tile.view<64xf32>, %Y: !tile.view<4x4096xf32>, %S: !tile.view<64xf32>) {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %c5 = arith.constant 5 : index
  tile.grid (%i) = (%c5) {
    %isRow = arith.cmpi ult, %i, %c4 : index
    scf.if %isRow {
      %x = tile.load %X[%i, %c0] : !tile.view<4x4096xf32> -> tensor<4096xf32>
      %y = arith.negf %x : tensor<4096xf32>
      tile.store %y, %Y[%i, %c0] : tensor<4096xf32>, !tile.view<4x4096xf32>
    } else {
      %a = tile.load %A[%c0] : !tile.view<64xf32> -> tensor<64xf32>
      %s = math.sin %a : tensor<64xf32>
      tile.store %s, %S[%c0] : tensor<64xf32>, !tile.view<64xf32>
    }
  }
}

// -----

// A sine of as many rows by itself.
// CHECK: tile.kernel @sines({{.*}}warp.schedule = #warp.schedule<warps = [32, 1], stages = 1, tf32 = false>
tile.kernel @sines(%X: !tile.view<4x4096xf32>, %Y: !tile.view<4x4096xf32>) {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  tile.grid (%i) = (%c4) {
    %x = tile.load %X[%i, %c0] : !tile.view<4x4096xf32> -> tensor<4096xf32>
    %y = math.sin %x : tensor<4096xf32>
    tile.store %y, %Y[%i, %c0] : tensor<4096xf32>, !tile.view<4x4096xf32>
  }
}
