// Layouts that do not fit one another, results taken too early, more shared memory than there is.
// RUN: tenon-opt %s --tenon-verify-warp=arch=sm_80 --split-input-file --verify-diagnostics

// expected-error @below {{'tile.kernel' op has no `warp.schedule`; tenon-choose-warp-schedules gives it one}}
tile.kernel @none() {
  tile.grid () = () {
  }
}

// -----

tile.kernel @bare(%X: !tile.view<64xf32>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 1, tf32 = false>} {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    // expected-error @below {{'tile.load' op has 'tensor<64xf32>' without a layout; tenon-assign-layouts gives it one}}
    %x = tile.load %X[%c0] : !tile.view<64xf32> -> tensor<64xf32>
  }
}

// -----

tile.kernel @rank(%X: !tile.view<64xf32>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 1, tf32 = false>} {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    // expected-error @below {{with a layout of 2 dimensions, expected 1}}
    %x = tile.load %X[%c0] : !tile.view<64xf32> -> tensor<64xf32, #warp.layout<[l32, r2], []>>
  }
}

// -----

tile.kernel @reach(%X: !tile.view<64xf32>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 1, tf32 = false>} {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    // expected-error @below {{whose digits reach 32 places of dimension 0, expected at least 64}}
    %x = tile.load %X[%c0] : !tile.view<64xf32> -> tensor<64xf32, #warp.layout<[l32]>>
  }
}

// -----

tile.kernel @carried(%X: !tile.view<64xf32>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 1, tf32 = false>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-error @below {{'arith.constant' op has 'tensor<64xf32>' without a layout}}
  %zero = arith.constant dense<0.0> : tensor<64xf32>
  tile.grid () = () {
    %x = scf.for %i = %c0 to %c1 step %c1 iter_args(%y = %zero) -> (tensor<64xf32>) {
      scf.yield %y : tensor<64xf32>
    }
  }
}

// -----

// The digit reads the warp's number / 2 mod 2: there are but two warps.
tile.kernel @warps(%X: !tile.view<64xf32>) attributes {warp.schedule = #warp.schedule<warps = [2, 1], stages = 1, tf32 = false>} {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    // expected-error @below {{over 4 warps, expected at most the 2 of `warp.schedule`}}
    %x = tile.load %X[%c0] : !tile.view<64xf32> -> tensor<64xf32, #warp.layout<[w2*2, l32]>>
  }
}

// -----

// MLIR itself wants equal types of most operands.
tile.kernel @pointwise(%X: !tile.view<64xf32>, %N: !tile.view<64xi32>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 1, tf32 = false>} {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %x = tile.load %X[%c0] : !tile.view<64xf32> -> tensor<64xf32, #warp.layout<[l32, r2]>>
    %n = tile.load %N[%c0] : !tile.view<64xi32> -> tensor<64xi32, #warp.layout<[r2, l32]>>
    // expected-error @below {{'math.fpowi' op takes a tile in #warp.layout<[r2, l32]>, expected #warp.layout<[l32, r2]>, which goes with its result; warp.relayout moves it}}
    %y = math.fpowi %x, %n : tensor<64xf32, #warp.layout<[l32, r2]>>, tensor<64xi32, #warp.layout<[r2, l32]>>
  }
}

// -----

tile.kernel @reduce(%X: !tile.view<32x64xf32>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 1, tf32 = false>} {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %x = tile.load %X[%c0, %c0] : !tile.view<32x64xf32> -> tensor<32x64xf32, #warp.layout<[r8, l4*8], [l8, r8]>>
    // expected-error @below {{'tile.reduce' op gives a tile in #warp.layout<[l32]>, expected #warp.layout<[r8, l4*8]>, what is left of its operand's}}
    %y = tile.reduce add %x {axis = 1 : i64} : tensor<32x64xf32, #warp.layout<[r8, l4*8], [l8, r8]>> -> tensor<32xf32, #warp.layout<[l32]>>
  }
}

// -----

// Partners are found by bits of the lane's number.
tile.kernel @fold(%X: !tile.view<60xf32>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 1, tf32 = false>} {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %x = tile.load %X[%c0] : !tile.view<60xf32> -> tensor<60xf32, #warp.layout<[l10*3, r6]>>
    // expected-error @below {{'tile.reduce' op folds along dimension 0 of #warp.layout<[l10*3, r6]> over 10 lanes or warps 3 apart, expected powers of two}}
    %y = tile.reduce add %x {axis = 0 : i64} : tensor<60xf32, #warp.layout<[l10*3, r6]>> -> tensor<f32, #warp.layout<>>
  }
}

// -----

tile.kernel @scan(%X: !tile.view<30xf32>) attributes {warp.schedule = #warp.schedule<warps = [3, 1], stages = 1, tf32 = false>} {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %x = tile.load %X[%c0] : !tile.view<30xf32> -> tensor<30xf32, #warp.layout<[w3, r10]>>
    // expected-error @below {{'tile.scan' op folds along dimension 0 of #warp.layout<[w3, r10]> over 3 lanes or warps 1 apart, expected powers of two}}
    %y = tile.scan add %x {axis = 0 : i64} : tensor<30xf32, #warp.layout<[w3, r10]>>
  }
}

// -----

tile.kernel @broadcast(%X: !tile.view<64xf32>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 1, tf32 = false>} {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %x = tile.load %X[%c0] : !tile.view<64xf32> -> tensor<64xf32, #warp.layout<[l32, r2]>>
    // expected-error @below {{'tile.broadcast' op takes a tile in #warp.layout<[l32, r2]>, expected #warp.layout<[l8, r8]>}}
    %y = tile.broadcast %x {dims = array<i64: 1>} : tensor<64xf32, #warp.layout<[l32, r2]>> -> tensor<32x64xf32, #warp.layout<[r8, l4*8], [l8, r8]>>
  }
}

// -----

tile.kernel @trans(%X: !tile.view<32x64xf32>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 1, tf32 = false>} {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %x = tile.load %X[%c0, %c0] : !tile.view<32x64xf32> -> tensor<32x64xf32, #warp.layout<[r8, l4*8], [l8, r8]>>
    // expected-error @below {{'tile.trans' op gives a tile in #warp.layout<[r2, l32], [r32]>, expected #warp.layout<[l8, r8], [r8, l4*8]>, its operand's with the dimensions in their new order}}
    %y = tile.trans %x {permutation = array<i64: 1, 0>} : tensor<32x64xf32, #warp.layout<[r8, l4*8], [l8, r8]>> -> tensor<64x32xf32, #warp.layout<[r2, l32], [r32]>>
  }
}

// -----

tile.kernel @dot(%X: !tile.view<16x16xf16>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 1, tf32 = false>} {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %x = tile.load %X[%c0, %c0] : !tile.view<16x16xf16> -> tensor<16x16xf16, #warp.layout<[l16*2], [l2, r8]>>
    %zero = arith.constant dense<0.0> : tensor<16x16xf32, #warp.layout<[l16*2], [l2, r8]>>
    // expected-error @below {{'tile.dot' op has no atom; tenon-assign-layouts makes a warp.dot of it}}
    %y = tile.dot %x, %x, %zero : tensor<16x16xf16, #warp.layout<[l16*2], [l2, r8]>>, tensor<16x16xf16, #warp.layout<[l16*2], [l2, r8]>> -> tensor<16x16xf32, #warp.layout<[l16*2], [l2, r8]>>
  }
}

// -----

// The sum of this turn is taken while its dot runs.
#acc = #warp.layout<[w4, r2, l8*4], [r2, l4, r2]>
!ring = !warp.ring<3, !warp.smem<64x64xbf16, 128>, !warp.smem<16x64xbf16, 128>>
tile.kernel @early(%Y: !tile.view<64x16xf32>) attributes {warp.schedule = #warp.schedule<warps = [4, 1], stages = 3, tf32 = false, wgmma = true>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant dense<0.0> : tensor<64x16xf32, #acc>
  tile.grid () = () {
    %r = warp.ring.create : !ring
    warp.ring.commit %r[%c0] : !ring
    %s:2 = warp.ring.wait %r[%c0] {ahead = 0 : i64} : !ring -> !warp.smem<64x64xbf16, 128>, !warp.smem<16x64xbf16, 128>
    %sum = scf.for %i = %c0 to %c1 step %c1 iter_args(%a = %zero) -> (tensor<64x16xf32, #acc>) {
      %d = warp.dot %s#0, %s#1, %a {async, atom = #warp.wgmma, transpose_b} : !warp.smem<64x64xbf16, 128>, !warp.smem<16x64xbf16, 128> -> tensor<64x16xf32, #acc>
      %e = warp.dot_wait %d {pending = 1 : i64} : tensor<64x16xf32, #acc>
      scf.yield %e : tensor<64x16xf32, #acc>
    }
    // expected-error @below {{'tile.store' op takes a tile that a dot is still adding to, expected warp.dot_wait with `pending = 0` before; see tenon-overlap-dots}}
    tile.store %sum, %Y[%c0, %c0] : tensor<64x16xf32, #acc>, !tile.view<64x16xf32>
  }
}

// -----

// Released to the producer while the dot reads it.
#acc = #warp.layout<[w4, r2, l8*4], [r2, l4, r2]>
!tiles = !warp.ring<2, !warp.smem<64x64xbf16, 128>, !warp.smem<16x64xbf16, 128>>
tile.kernel @released(%X: !tile.view<64x64xbf16>, %Y: !tile.view<64x16xf32>) attributes {warp.schedule = #warp.schedule<warps = [4, 1], stages = 2, tf32 = false, wgmma = true, producer = true>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant dense<0.0> : tensor<64x16xf32, #acc>
  tile.grid () = () {
    %r = warp.ring.create transfers(%c1) : !tiles
    warp.produce {
      %t:2 = warp.ring.acquire %r[%c0] : !tiles -> !warp.smem<64x64xbf16, 128>, !warp.smem<16x64xbf16, 128>
      warp.copy %X[%c0, %c0], %t#0 : !tile.view<64x64xbf16>, !warp.smem<64x64xbf16, 128>
      warp.copy %X[%c0, %c0], %t#1 : !tile.view<64x64xbf16>, !warp.smem<16x64xbf16, 128>
      warp.ring.commit %r[%c0] : !tiles
    }
    %s:2 = warp.ring.wait %r[%c0] {ahead = 0 : i64} : !tiles -> !warp.smem<64x64xbf16, 128>, !warp.smem<16x64xbf16, 128>
    %d = warp.dot %s#0, %s#1, %zero {async, atom = #warp.wgmma, transpose_b} : !warp.smem<64x64xbf16, 128>, !warp.smem<16x64xbf16, 128> -> tensor<64x16xf32, #acc>
    // expected-error @below {{'warp.ring.release' op releases transfer 0, which an async dot still reads, to a producer; warp.dot_wait has to come before}}
    warp.ring.release %r[%c0] : !tiles
    %e = warp.dot_wait %d {pending = 0 : i64} : tensor<64x16xf32, #acc>
    tile.store %e, %Y[%c0, %c0] : tensor<64x16xf32, #acc>, !tile.view<64x16xf32>
  }
}

// -----

// expected-error @below {{'tile.kernel' op @large takes 180224 bytes of shared memory (163840 for rings and staged tiles, 16384 for exchanges, 0 for barriers), more than the 166912 of a block on sm_80; choose fewer stages in `warp.schedule` or a smaller tile in `tenon.schedule`}}
tile.kernel @large(%X: !tile.view<64x64xf32>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 10, tf32 = false>} {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %r = warp.ring.create : !warp.ring<10, !warp.smem<64x64xf32, 128>>
    %x = tile.load %X[%c0, %c0] : !tile.view<64x64xf32> -> tensor<64x64xf32, #warp.layout<[r32, l2*16], [l16, r4]>>
    %y = warp.relayout %x : tensor<64x64xf32, #warp.layout<[r32, l2*16], [l16, r4]>> -> tensor<64x64xf32, #warp.layout<[r64], [r2, l32]>>
    warp.ring.commit %r[%c0] : !warp.ring<10, !warp.smem<64x64xf32, 128>>
  }
}

// -----

// A warp's sums of 64 x 128, and nothing beside them.
#acc = #warp.layout<[r4, r2, l8*4], [r16, l4, r2]>
!tiles = !warp.ring<1, !warp.smem<64x64xbf16, 128>, !warp.smem<128x64xbf16, 128>>
// expected-error @below {{'tile.kernel' op @wide takes 256 registers a thread for its dots' sums, of the 255 that each of 32 threads has on sm_80; choose more warps in `warp.schedule`, or a smaller tile in `tenon.schedule`}}
tile.kernel @wide(%X: !tile.view<64x64xbf16>, %Y: !tile.view<128x64xbf16>, %Z: !tile.view<64x128xf32>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 1, tf32 = false>} {
  %c0 = arith.constant 0 : index
  %zero = arith.constant dense<0.0> : tensor<64x128xf32, #acc>
  tile.grid () = () {
    %r = warp.ring.create : !tiles
    %t:2 = warp.ring.acquire %r[%c0] : !tiles -> !warp.smem<64x64xbf16, 128>, !warp.smem<128x64xbf16, 128>
    warp.copy %X[%c0, %c0], %t#0 : !tile.view<64x64xbf16>, !warp.smem<64x64xbf16, 128>
    warp.copy %Y[%c0, %c0], %t#1 : !tile.view<128x64xbf16>, !warp.smem<128x64xbf16, 128>
    warp.ring.commit %r[%c0] : !tiles
    %s:2 = warp.ring.wait %r[%c0] {ahead = 0 : i64} : !tiles -> !warp.smem<64x64xbf16, 128>, !warp.smem<128x64xbf16, 128>
    %d = warp.dot %s#0, %s#1, %zero {atom = #warp.mma_sync<m = 16, n = 8, k = 16>, transpose_b} : !warp.smem<64x64xbf16, 128>, !warp.smem<128x64xbf16, 128> -> tensor<64x128xf32, #acc>
    warp.ring.release %r[%c0] : !tiles
    tile.store %d, %Z[%c0, %c0] : tensor<64x128xf32, #acc>, !tile.view<64x128xf32>
  }
}

// -----

// expected-error @below {{'tile.kernel' op is ordered along axis 2 of its grid, expected one of 1; tenon-order-programs finds it}}
tile.kernel @order(%X: !tile.view<64xf32>) attributes {warp.order = #warp.order<longest = 2, group = 4>, warp.schedule = #warp.schedule<warps = [1, 1], stages = 1, tf32 = false>} {
  %c4 = arith.constant 4 : index
  tile.grid (%i) = (%c4) {
  }
}

// -----

// Rows over two warps: one that takes the region would wait for the other, which does not come.
#acc = #warp.layout<[r2, l8*4], [w2, r4, l4, r2]>
#row = #warp.layout<[r2, l8*4]>
tile.kernel @alone(%X: !tile.view<16x64xf32>, %Y: !tile.view<16xf32>) attributes {warp.schedule = #warp.schedule<warps = [1, 2], stages = 1, tf32 = false>} {
  %c0 = arith.constant 0 : index
  %limit = arith.constant dense<8.0> : tensor<16xf32, #row>
  tile.grid () = () {
    %x = tile.load %X[%c0, %c0] : !tile.view<16x64xf32> -> tensor<16x64xf32, #acc>
    %s = tile.reduce add %x {axis = 1 : i64} : tensor<16x64xf32, #acc> -> tensor<16xf32, #row>
    %c = arith.cmpf ugt, %s, %limit : tensor<16xf32, #row>
    %r = tile.unlikely %c : tensor<16xi1, #row> -> tensor<16xf32, #row> {
      // expected-error @below {{'tile.reduce' op waits for other warps in the region of a tile.unlikely, which a warp may take alone; expected whole rows a warp: `warps = [n, 1]` in `warp.schedule`}}
      %m = tile.reduce max %x {axis = 1 : i64} : tensor<16x64xf32, #acc> -> tensor<16xf32, #row>
      tile.yield %m : tensor<16xf32, #row>
    } else(%s)
    tile.store %r, %Y[%c0] : tensor<16xf32, #row>, !tile.view<16xf32>
  }
}

// -----

// expected-error @below {{'tile.kernel' op has clusters along axis 1 of its grid, expected one of 1}}
tile.kernel @axis(%X: !tile.view<64xf32>) attributes {warp.cluster = #warp.cluster<axis = 1, size = 2>, warp.schedule = #warp.schedule<warps = [4, 1], stages = 2, tf32 = false, wgmma = true, producer = true, cluster = 2>} {
  %c4 = arith.constant 4 : index
  tile.grid (%i) = (%c4) {
  }
}

// -----

// expected-error @below {{'tile.kernel' op has clusters of 2 along axis 0, whose extent is no multiple of it}}
tile.kernel @extent(%X: !tile.view<64xf32>) attributes {warp.cluster = #warp.cluster<axis = 0, size = 2>, warp.schedule = #warp.schedule<warps = [4, 1], stages = 2, tf32 = false, wgmma = true, producer = true, cluster = 2>} {
  %c3 = arith.constant 3 : index
  tile.grid (%i) = (%c3) {
  }
}

// -----

// expected-error @below {{'tile.kernel' op has clusters and `warp.order`, expected one of them: a cluster's programs run in step}}
tile.kernel @ordered(%X: !tile.view<64xf32>) attributes {warp.cluster = #warp.cluster<axis = 0, size = 2>, warp.order = #warp.order<longest = 0, group = 4>, warp.schedule = #warp.schedule<warps = [4, 1], stages = 2, tf32 = false, wgmma = true, producer = true, cluster = 2>} {
  %c4 = arith.constant 4 : index
  tile.grid (%i) = (%c4) {
  }
}

// -----

// The second program of a cluster has one transfer more, into which the first never brings its half.
tile.kernel @lengths(%X: !tile.view<64x64xbf16>) attributes {warp.cluster = #warp.cluster<axis = 0, size = 2>, warp.schedule = #warp.schedule<warps = [4, 1], stages = 2, tf32 = false, wgmma = true, producer = true, cluster = 2>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  tile.grid (%i) = (%c4) {
    %n = arith.addi %i, %c1 : index
    // expected-error @below {{'warp.ring.create' op has a number of transfers that differs between the programs of a cluster: one of them would wait for ever}}
    %r = warp.ring.create transfers(%n) : !warp.ring<2, !warp.smem<16x64xbf16, 128>>
    warp.produce {
      scf.for %t = %c0 to %n step %c1 {
        %s = warp.ring.acquire %r[%t] : !warp.ring<2, !warp.smem<16x64xbf16, 128>> -> !warp.smem<16x64xbf16, 128>
        warp.copy %X[%c0, %c0], %s {multicast} : !tile.view<64x64xbf16>, !warp.smem<16x64xbf16, 128>
        warp.ring.commit %r[%t] : !warp.ring<2, !warp.smem<16x64xbf16, 128>>
      }
    }
  }
}

// -----

tile.kernel @places(%X: !tile.view<64x64xbf16>) attributes {warp.cluster = #warp.cluster<axis = 0, size = 2>, warp.schedule = #warp.schedule<warps = [4, 1], stages = 2, tf32 = false, wgmma = true, producer = true, cluster = 2>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  tile.grid (%i) = (%c4) {
    %r = warp.ring.create transfers(%c1) : !warp.ring<2, !warp.smem<16x64xbf16, 128>>
    warp.produce {
      %s = warp.ring.acquire %r[%c0] : !warp.ring<2, !warp.smem<16x64xbf16, 128>> -> !warp.smem<16x64xbf16, 128>
      // expected-error @below {{'warp.copy' op is multicast from a place that differs between the programs of a cluster}}
      warp.copy %X[%i, %c0], %s {multicast} : !tile.view<64x64xbf16>, !warp.smem<16x64xbf16, 128>
      warp.ring.commit %r[%c0] : !warp.ring<2, !warp.smem<16x64xbf16, 128>>
    }
  }
}

// -----

// A team counts programs, and takes each to have as many transfers.
tile.kernel @teamsOfLengths(%X: !tile.view<64x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [4, 1], stages = 2, tf32 = false, wgmma = true, producer = true, teams = 2>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  tile.grid (%i) = (%c4) {
    %n = arith.addi %i, %c1 : index
    // expected-error @below {{'warp.ring.create' op has a number of transfers that differs between programs, which teams take in turn; choose `teams = 1` in `warp.schedule`}}
    %r = warp.ring.create transfers(%n) : !warp.ring<2, !warp.smem<16x64xbf16, 128>>
    warp.produce {
      %s = warp.ring.acquire %r[%c0] : !warp.ring<2, !warp.smem<16x64xbf16, 128>> -> !warp.smem<16x64xbf16, 128>
      warp.copy %X[%c0, %c0], %s : !tile.view<64x64xbf16>, !warp.smem<16x64xbf16, 128>
      warp.ring.commit %r[%c0] : !warp.ring<2, !warp.smem<16x64xbf16, 128>>
    }
    
  }
}

// -----

// expected-error @below {{'tile.kernel' op has teams and `warp.order`, expected one of them: teams take programs in turn}}
tile.kernel @teamsInOrder(%X: !tile.view<64x64xbf16>) attributes {warp.order = #warp.order<longest = 0, group = 4>, warp.schedule = #warp.schedule<warps = [4, 1], stages = 2, tf32 = false, wgmma = true, producer = true, teams = 2>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  tile.grid (%i) = (%c4) {
    %r = warp.ring.create transfers(%c1) : !warp.ring<2, !warp.smem<16x64xbf16, 128>>
    warp.produce {
      %s = warp.ring.acquire %r[%c0] : !warp.ring<2, !warp.smem<16x64xbf16, 128>> -> !warp.smem<16x64xbf16, 128>
      warp.copy %X[%c0, %c0], %s : !tile.view<64x64xbf16>, !warp.smem<16x64xbf16, 128>
      warp.ring.commit %r[%c0] : !warp.ring<2, !warp.smem<16x64xbf16, 128>>
    }
    
  }
}

// -----

// expected-error @below {{'tile.kernel' op has teams and no warp.produce, whose rings hand programs to them; choose `teams = 1` in `warp.schedule`}}
tile.kernel @teamsUnfed(%X: !tile.view<64x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [4, 1], stages = 2, tf32 = false, wgmma = true, producer = true, teams = 2>} {
  tile.grid () = () {
  }
}

// -----

// The barrier that folds is one of all warps.
tile.kernel @teamsThatMeet(%X: !tile.view<64x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [4, 1], stages = 2, tf32 = false, wgmma = true, producer = true, teams = 2>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  tile.grid (%i) = (%c4) {
    %r = warp.ring.create transfers(%c1) : !warp.ring<2, !warp.smem<16x64xbf16, 128>>
    warp.produce {
      %s = warp.ring.acquire %r[%c0] : !warp.ring<2, !warp.smem<16x64xbf16, 128>> -> !warp.smem<16x64xbf16, 128>
      warp.copy %X[%c0, %c0], %s : !tile.view<64x64xbf16>, !warp.smem<16x64xbf16, 128>
      warp.ring.commit %r[%c0] : !warp.ring<2, !warp.smem<16x64xbf16, 128>>
    }
    %true = arith.constant dense<true> : tensor<16xi1, #warp.layout<[r4, w4]>>
    // expected-error @below {{'tile.any' op is in a kernel of 2 teams, which it has no form for; choose `teams = 1` in `warp.schedule`}}
    %any = tile.any %true : tensor<16xi1, #warp.layout<[r4, w4]>>
  }
}

// -----

tile.kernel @rows(%Y: !tile.view<16x64xf32>) attributes {warp.schedule = #warp.schedule<warps = [4, 1], stages = 3, tf32 = false>} {
  %c2 = arith.constant 2 : index
  %x = arith.constant dense<0.0> : tensor<64x32xf32, #warp.layout<[r16, w4], [l32]>>
  tile.grid (%p) = (%c2) {
    // expected-error @below {{expected a part in each thread's registers, as of a warpgroup's dot; choose a tile without `joined` in `tenon.schedule`}}
    %r = tile.reduce_scatter %x {axis = 0 : i64, dimension = 1 : i64} : tensor<64x32xf32, #warp.layout<[r16, w4], [l32]>> -> tensor<64x16xf32, #warp.layout<[r16, w4], [l16]>>
  }
}

// -----

tile.kernel @alone(%Y: !tile.view<16x64xf32>) attributes {warp.schedule = #warp.schedule<warps = [4, 1], stages = 3, tf32 = false>} {
  %c2 = arith.constant 2 : index
  %x = arith.constant dense<0.0> : tensor<64x64xf32, #warp.layout<[r16, w4], [r2, l32]>>
  tile.grid (%p) = (%c2) {
    // expected-error @below {{is no sum over the CTAs of a cluster, expected `warp.cluster` along axis 0; tenon-form-clusters makes it}}
    %r = tile.reduce_scatter %x {axis = 0 : i64, dimension = 1 : i64} : tensor<64x64xf32, #warp.layout<[r16, w4], [r2, l32]>> -> tensor<64x32xf32, #warp.layout<[r16, w4], [l32]>>
  }
}

// -----

tile.kernel @behind(%X: !tile.view<64x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [4, 1], stages = 3, tf32 = false>} {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %x = arith.constant dense<0.0> : tensor<64x64xf32, #warp.layout<[r16, w4], [r2, l32]>>
  tile.grid (%p) = (%c2) {
    %ring = warp.ring.create : !warp.ring<2, !warp.smem<64x64xbf16, 128>>
    %r = tile.reduce_to_last %x {axis = 0 : i64} : tensor<64x64xf32, #warp.layout<[r16, w4], [r2, l32]>>
    // expected-error @below {{is behind tile.reduce_to_last, where only the last program comes: rings and lists of results to redo are kept by all; choose a tile without `by_last` or `splits` in `tenon.schedule`}}
    warp.ring.release %ring[%c0] : !warp.ring<2, !warp.smem<64x64xbf16, 128>>
  }
}
