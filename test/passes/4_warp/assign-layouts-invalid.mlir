// RUN: tenon-opt %s --split-input-file --verify-diagnostics --tenon-assign-layouts

// expected-error @below {{'tile.kernel' op has no `warp.schedule`; tenon-choose-warp-schedules gives it one}}
tile.kernel @none() {
  tile.grid () = () {
  }
}

// -----

tile.kernel @odd(%X: !tile.view<16x32xf16>, %Y: !tile.view<16x24xf32>) attributes {warp.schedule = #warp.schedule<warps = [1, 2], stages = 1, tf32 = false>} {
  %c0 = arith.constant 0 : index
  %zero = arith.constant dense<0.0> : tensor<16x24xf32>
  tile.grid () = () {
    %x = tile.load %X[%c0, %c0] : !tile.view<16x32xf16> -> tensor<16x32xf16>
    %w = tile.load %X[%c0, %c0] : !tile.view<16x32xf16> -> tensor<24x32xf16>
    // expected-error @below {{'tile.dot' op of 16 x 24 x 32 elements of 'f16' by 1 x 2 warps has no form for #warp.mma_sync<m = 16, n = 8, k = 16>; choose another tile in `tenon.schedule` or `warp.schedule`}}
    %d = tile.dot %x, %w, %zero {transpose_b} : tensor<16x32xf16>, tensor<24x32xf16> -> tensor<16x24xf32>
    tile.store %d, %Y[%c0, %c0] : tensor<16x24xf32>, !tile.view<16x24xf32>
  }
}
