// RUN: tenon-opt %s -verify-diagnostics -split-input-file
// Every constraint of the dialect, broken once.

!slot = !warp.smem<16x64xbf16, 128>
func.func @f() {
  // expected-error @below {{'warp.ring.create' op (C1) stands outside of a tile.kernel}}
  %r = warp.ring.create : !warp.ring<2, !slot>
  return
}

// -----

!slot = !warp.smem<16x64xbf16, 128>
func.func @f(%r: !warp.ring<2, !slot>, %i: index) {
  // expected-error @below {{'warp.ring.acquire' op (C1) gives '!warp.smem<16x64xbf16, 64>', expected the tiles of '!warp.ring<2, <16x64xbf16, 128>>'}}
  %s = warp.ring.acquire %r[%i] : !warp.ring<2, !slot> -> !warp.smem<16x64xbf16, 64>
  return
}

// -----

!slot = !warp.smem<16x64xbf16, 128>
func.func @f(%r: !warp.ring<2, !slot>) {
  %i = arith.constant -1 : index
  // expected-error @below {{'warp.ring.acquire' op (C2) has transfer -1, expected a number from 0 on}}
  %s = warp.ring.acquire %r[%i] : !warp.ring<2, !slot> -> !slot
  return
}

// -----

!slot = !warp.smem<16x64xbf16, 128>
func.func @f(%r: !warp.ring<2, !slot>) {
  %i = arith.constant -2 : index
  // expected-error @below {{'warp.ring.commit' op (C1) has transfer -2, expected a number from 0 on}}
  warp.ring.commit %r[%i] : !warp.ring<2, !slot>
  return
}

// -----

!slot = !warp.smem<16x64xbf16, 128>
func.func @f(%r: !warp.ring<2, !slot>) {
  %i = arith.constant -1 : index
  // expected-error @below {{'warp.ring.release' op (C1) has transfer -1, expected a number from 0 on}}
  warp.ring.release %r[%i] : !warp.ring<2, !slot>
  return
}

// -----

!slot = !warp.smem<16x64xbf16, 128>
func.func @f(%r: !warp.ring<2, !slot>, %i: index) {
  // expected-error @below {{'warp.ring.wait' op (C1) gives '!warp.smem<16x64xbf16, 128>', '!warp.smem<16x64xbf16, 128>', expected the tiles of '!warp.ring<2, <16x64xbf16, 128>>'}}
  %s:2 = warp.ring.wait %r[%i] {ahead = 0 : i64} : !warp.ring<2, !slot> -> !slot, !slot
  return
}

// -----

!slot = !warp.smem<16x64xbf16, 128>
func.func @f(%r: !warp.ring<2, !slot>, %i: index) {
  // expected-error @below {{'warp.ring.wait' op (C2) lets 2 transfers run ahead, expected less than the 2 slots}}
  %s = warp.ring.wait %r[%i] {ahead = 2 : i64} : !warp.ring<2, !slot> -> !slot
  return
}

// -----

!slot = !warp.smem<16x64xbf16, 128>
func.func @f(%r: !warp.ring<2, !slot>) {
  %i = arith.constant -1 : index
  // expected-error @below {{'warp.ring.wait' op (C3) has transfer -1, expected a number from 0 on}}
  %s = warp.ring.wait %r[%i] {ahead = 0 : i64} : !warp.ring<2, !slot> -> !slot
  return
}

// -----

!slot = !warp.smem<16x64xbf16, 128>
func.func @f(%X: !tile.view<?x64xbf16>, %s: !slot, %i: index) {
  // expected-error @below {{'warp.copy' op (C1) has 1 places in '!tile.view<?x64xbf16>' for '!warp.smem<16x64xbf16, 128>'}}
  warp.copy %X[%i], %s : !tile.view<?x64xbf16>, !slot
  return
}

// -----

!slot = !warp.smem<16x64xbf16, 128>
func.func @f(%X: !tile.view<64xbf16>, %s: !slot, %i: index) {
  // expected-error @below {{'warp.copy' op (C1) has 1 places in '!tile.view<64xbf16>' for '!warp.smem<16x64xbf16, 128>'}}
  warp.copy %X[%i], %s : !tile.view<64xbf16>, !slot
  return
}

// -----

!slot = !warp.smem<16x64xbf16, 128>
func.func @f(%X: !tile.view<?x64xbf16>, %s: !slot, %i: index) {
  // expected-error @below {{'warp.copy' op (C5) copies the rows [8, 16] of 16, expected a first one and a number, multiples of 8, and no multicast}}
  warp.copy %X[%i, %i], %s {rows = array<i64: 8, 16>} : !tile.view<?x64xbf16>, !slot
  return
}

// -----

!slot = !warp.smem<16x64xbf16, 128>
func.func @f(%X: !tile.view<?x64xf16>, %s: !slot, %i: index) {
  // expected-error @below {{'warp.copy' op (C2) copies 'f16' to '!warp.smem<16x64xbf16, 128>'}}
  warp.copy %X[%i, %i], %s : !tile.view<?x64xf16>, !slot
  return
}

// -----

!slot = !warp.smem<16x64xbf16, 128>
func.func @f(%X: !tile.view<?x64xbf16>, %s: !slot, %i: index) {
  // expected-error @below {{'warp.copy' op (C3) says of 1 dimensions that they are kept, expected 2}}
  warp.copy %X[%i, %i], %s {within = array<i1: true>} : !tile.view<?x64xbf16>, !slot
  return
}

// -----

func.func @f(%x: tensor<16x32xbf16>) {
  // expected-error @below {{'warp.stage' op (C1) has 'tensor<16x32xbf16>' and '!warp.smem<16x64xbf16, 128>', expected equal shapes and element types}}
  %s = warp.stage %x : tensor<16x32xbf16> -> !warp.smem<16x64xbf16, 128>
  return
}

// -----

func.func @f(%s: !warp.smem<16x64xbf16, 128>) {
  // expected-error @below {{'warp.read' op (C1) has 'tensor<16x64xf16>' and '!warp.smem<16x64xbf16, 128>', expected equal shapes and element types}}
  %x = warp.read %s : !warp.smem<16x64xbf16, 128> -> tensor<16x64xf16>
  return
}

// -----

func.func @f(%x: tensor<16x64xbf16>) {
  // expected-error @below {{'warp.relayout' op (C1) has 'tensor<16x64xbf16>' and 'tensor<64x16xbf16>', expected equal shapes and element types}}
  %y = warp.relayout %x : tensor<16x64xbf16> -> tensor<64x16xbf16>
  return
}

// -----

#acc = #warp.layout<[r2, l8*4], [r8, l4, r2]>
func.func @f(%x: tensor<16x64xbf16, #acc>, %Y: !tile.view<64x64xbf16>, %i: index) {
  // expected-error @below {{'warp.store' op (C1) stores 'tensor<16x64xbf16, #warp.layout<[r2, l8*4], [r8, l4, r2]>>' at 1 places of '!tile.view<64x64xbf16>', expected two dimensions, a place for each of the view, and its element type}}
  warp.store %x, %Y[%i] slots 1 : tensor<16x64xbf16, #acc>, !tile.view<64x64xbf16>
  return
}

// -----

#rows = #warp.layout<[r4, l4*8], [l8, r8]>
func.func @f(%x: tensor<16x64xbf16, #rows>, %Y: !tile.view<64x64xbf16>, %i: index) {
  // expected-error @below {{'warp.store' op (C2) stores 'tensor<16x64xbf16, #warp.layout<[r4, l4*8], [l8, r8]>>', expected an accumulator's layout with whole blocks of 16 rows and 32 bytes of columns a warp}}
  warp.store %x, %Y[%i, %i] slots 1 : tensor<16x64xbf16, #rows>, !tile.view<64x64xbf16>
  return
}

// -----

// Eight columns of 16 bits.
#acc = #warp.layout<[r2, l8*4], [l4, r2]>
func.func @f(%x: tensor<16x8xbf16, #acc>, %Y: !tile.view<64x64xbf16>, %i: index) {
  // expected-error @below {{'warp.store' op (C2)}}
  warp.store %x, %Y[%i, %i] slots 1 : tensor<16x8xbf16, #acc>, !tile.view<64x64xbf16>
  return
}

// -----

#acc = #warp.layout<[r2, l8*4], [r8, l4, r2]>
func.func @f(%x: tensor<16x64xbf16, #acc>, %Y: !tile.view<64x64xbf16>, %i: index) {
  // expected-error @below {{'warp.store' op (C3) has 0 slots, expected at least 1}}
  warp.store %x, %Y[%i, %i] slots 0 : tensor<16x64xbf16, #acc>, !tile.view<64x64xbf16>
  return
}

// -----

#acc = #warp.layout<[r2, l8*4], [r2, l4, r2]>
#lhs = #warp.layout<[r2, l8*4], [r8, l4, r2]>
func.func @f(%a: tensor<16x64xbf16, #lhs>, %b: tensor<16x64xbf16, #lhs>, %c: tensor<16x16xf32, #acc>) {
  // expected-error @below {{'warp.dot' op (C1) multiplies}}
  %d = warp.dot %a, %b, %c {atom = #warp.mma_sync<m = 16, n = 8, k = 16>, transpose_b} : tensor<16x64xbf16, #lhs>, tensor<16x64xbf16, #lhs> -> tensor<16x16xf32, #acc>
  return
}

// -----

// A fragment cannot be read transposed.
#acc = #warp.layout<[r2, l8*4], [r2, l4, r2]>
#lhs = #warp.layout<[r8, l8*4], [r2, l4, r2]>
func.func @f(%a: tensor<64x16xbf16, #lhs>, %b: !warp.smem<16x64xbf16, 128>, %c: tensor<16x16xf32, #acc>) {
  // expected-error @below {{'warp.dot' op (C1) multiplies}}
  %d = warp.dot %a, %b, %c {atom = #warp.mma_sync<m = 16, n = 8, k = 16>, transpose_a, transpose_b} : tensor<64x16xbf16, #lhs>, !warp.smem<16x64xbf16, 128> -> tensor<16x16xf32, #acc>
  return
}

// -----

// A left fragment by rows, as loads give it.
#acc = #warp.layout<[r2, l8*4], [r2, l4, r2]>
#row = #warp.layout<[r4, l4*8], [l8, r8]>
func.func @f(%a: tensor<16x64xbf16, #row>, %b: !warp.smem<16x64xbf16, 128>, %c: tensor<16x16xf32, #acc>) {
  // expected-error @below {{'warp.dot' op (C1) has a left fragment of layout #warp.layout<[r4, l4*8], [l8, r8]>, which is not the atom's}}
  %d = warp.dot %a, %b, %c {atom = #warp.mma_sync<m = 16, n = 8, k = 16>, transpose_b} : tensor<16x64xbf16, #row>, !warp.smem<16x64xbf16, 128> -> tensor<16x16xf32, #acc>
  return
}

// -----

#acc = #warp.layout<[r2, l8*4], [r2, l4, r2]>
func.func @f(%a: !warp.smem<16x64xbf16, 128>, %b: !warp.smem<16x32xbf16, 64>, %c: tensor<16x16xf32, #acc>) {
  // expected-error @below {{'warp.dot' op (C2) multiplies}}
  %d = warp.dot %a, %b, %c {atom = #warp.mma_sync<m = 16, n = 8, k = 16>, transpose_b} : !warp.smem<16x64xbf16, 128>, !warp.smem<16x32xbf16, 64> -> tensor<16x16xf32, #acc>
  return
}

// -----

// 8 elements of depth are half a step of this atom.
#acc = #warp.layout<[r2, l8*4], [r2, l4, r2]>
func.func @f(%a: !warp.smem<16x8xbf16, 16>, %c: tensor<16x16xf32, #acc>) {
  // expected-error @below {{K a multiple of 16}}
  %d = warp.dot %a, %a, %c {atom = #warp.mma_sync<m = 16, n = 8, k = 16>, transpose_b} : !warp.smem<16x8xbf16, 16>, !warp.smem<16x8xbf16, 16> -> tensor<16x16xf32, #acc>
  return
}

// -----

#row = #warp.layout<[r2, l8*4], [l4, r4]>
func.func @f(%a: !warp.smem<16x64xbf16, 128>, %c: tensor<16x16xf32, #row>) {
  // expected-error @below {{expected layout #warp.layout<[r2, l8*4], [r2, l4, r2]>}}
  %d = warp.dot %a, %a, %c {atom = #warp.mma_sync<m = 16, n = 8, k = 16>, transpose_b} : !warp.smem<16x64xbf16, 128>, !warp.smem<16x64xbf16, 128> -> tensor<16x16xf32, #row>
  return
}

// -----

func.func @f(%a: !warp.smem<16x64xbf16, 128>, %c: tensor<16x16xf32>) {
  // expected-error @below {{'warp.dot' op (C3) accumulates in 'tensor<16x16xf32>', expected layout}}
  %d = warp.dot %a, %a, %c {atom = #warp.mma_sync<m = 16, n = 8, k = 16>, transpose_b} : !warp.smem<16x64xbf16, 128>, !warp.smem<16x64xbf16, 128> -> tensor<16x16xf32>
  return
}

// -----

#acc = #warp.layout<[r2, l8*4], [r2, l4, r2]>
func.func @f(%a: !warp.smem<16x64xf32, 128>, %c: tensor<16x16xf32, #acc>) {
  // expected-error @below {{'warp.dot' op (C4) multiplies 'f32' with 'f32' into 'f32' by #warp.mma_sync<m = 16, n = 8, k = 16>}}
  %d = warp.dot %a, %a, %c {atom = #warp.mma_sync<m = 16, n = 8, k = 16>, transpose_b} : !warp.smem<16x64xf32, 128>, !warp.smem<16x64xf32, 128> -> tensor<16x16xf32, #acc>
  return
}

// -----

#acc = #warp.layout<[r2, l8*4], [r2, l4, r2]>
func.func @f(%a: !warp.smem<16x64xf16, 128>, %c: tensor<16x16xf16, #acc>) {
  // expected-error @below {{'warp.dot' op (C4) multiplies 'f16' with 'f16' into 'f16' by}}
  %d = warp.dot %a, %a, %c {atom = #warp.mma_sync<m = 16, n = 8, k = 16>, transpose_b} : !warp.smem<16x64xf16, 128>, !warp.smem<16x64xf16, 128> -> tensor<16x16xf16, #acc>
  return
}

// -----

// Eight rows are half of the instruction's.
#acc = #warp.layout<[l8*4], [r2, l4, r2]>
func.func @f(%a: !warp.smem<8x64xf16, 128>, %b: !warp.smem<16x64xf16, 128>, %c: tensor<8x16xf32, #acc>) {
  // expected-error @below {{'warp.dot' op (C7) gives 1 x 1 warps 8 x 16 results, expected a multiple of 16 x 8 for each}}
  %d = warp.dot %a, %b, %c {atom = #warp.mma_sync<m = 16, n = 8, k = 16>, transpose_b} : !warp.smem<8x64xf16, 128>, !warp.smem<16x64xf16, 128> -> tensor<8x16xf32, #acc>
  return
}

// -----

// A warpgroup is four warps.
#acc = #warp.layout<[w2, r2, l8*4], [r2, l4, r2]>
func.func @f(%a: !warp.smem<32x64xf16, 128>, %b: !warp.smem<16x64xf16, 128>, %c: tensor<32x16xf32, #acc>) {
  // expected-error @below {{'warp.dot' op (C5) multiplies 32 rows with 16 columns by 2 x 1 warps, expected 16 rows a warp, whole warpgroups and at most 256 columns}}
  %d = warp.dot %a, %b, %c {atom = #warp.wgmma, transpose_b} : !warp.smem<32x64xf16, 128>, !warp.smem<16x64xf16, 128> -> tensor<32x16xf32, #acc>
  return
}

// -----

#acc = #warp.layout<[r2, l8*4], [r2, l4, r2]>
func.func @f(%a: !warp.smem<16x64xf16, 128>, %c: tensor<16x16xf32, #acc>) {
  // expected-error @below {{'warp.dot' op (C6) is async by #warp.mma_sync<m = 16, n = 8, k = 16>, expected #warp.wgmma}}
  %d = warp.dot %a, %a, %c {atom = #warp.mma_sync<m = 16, n = 8, k = 16>, transpose_b, async} : !warp.smem<16x64xf16, 128>, !warp.smem<16x64xf16, 128> -> tensor<16x16xf32, #acc>
  return
}

// -----

#acc = #warp.layout<[w4, r2, l8*4], [r16, l4, r2]>
func.func @f(%a: !warp.smem<64x128xi8, 128>, %b: !warp.smem<128x128xi8, 128>, %c: tensor<64x128xi32, #acc>) {
  // expected-error @below {{'warp.dot' op (C8) reads 'i8' across its depth, which #warp.wgmma<k = 32> does not do}}
  %d = warp.dot %a, %b, %c {atom = #warp.wgmma<k = 32>} : !warp.smem<64x128xi8, 128>, !warp.smem<128x128xi8, 128> -> tensor<64x128xi32, #acc>
  return
}

// -----

// Nor of 32 bits: of f32 as tf32 the depth is contiguous in both operands.
#acc = #warp.layout<[w4, r2, l8*4], [r2, l4, r2]>
func.func @f(%a: !warp.smem<64x32xtf32, 128>, %b: !warp.smem<32x16xtf32, 64>, %c: tensor<64x16xf32, #acc>) {
  // expected-error @below {{'warp.dot' op (C8) reads 'tf32' across its depth, which #warp.wgmma<k = 8> does not do}}
  %d = warp.dot %a, %b, %c {atom = #warp.wgmma<k = 8>} : !warp.smem<64x32xtf32, 128>, !warp.smem<32x16xtf32, 64> -> tensor<64x16xf32, #acc>
  return
}

// -----

// What is not rounded would be cut off.
#acc = #warp.layout<[w4, r2, l8*4], [r2, l4, r2]>
func.func @f(%a: !warp.smem<64x32xf32, 128>, %b: !warp.smem<16x32xtf32, 128>, %c: tensor<64x16xf32, #acc>) {
  // expected-error @below {{'warp.dot' op (C4) multiplies 'f32' with 'tf32' into 'f32' by #warp.wgmma<k = 8>}}
  %d = warp.dot %a, %b, %c {atom = #warp.wgmma<k = 8>, transpose_b} : !warp.smem<64x32xf32, 128>, !warp.smem<16x32xtf32, 128> -> tensor<64x16xf32, #acc>
  return
}

// -----

// expected-error @below {{wgmma of a depth of 64, expected 8, 16 or 32}}
func.func private @f() attributes {a = #warp.wgmma<k = 64>}

// -----

func.func @f(%x: tensor<16x16xf32>) {
  // expected-error @below {{'warp.dot_wait' op (C1) leaves -1 dots under way, expected at least 0}}
  %y = warp.dot_wait %x {pending = -1 : i64} : tensor<16x16xf32>
  return
}

// -----

func.func @f() {
  // expected-error @below {{'warp.produce' op (C1) stands in func.func, expected tile.grid}}
  warp.produce {
  }
  return
}

// -----

!slot = !warp.smem<16x64xbf16, 128>
tile.kernel @f(%X: !tile.view<?x64xbf16>) {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %r = warp.ring.create : !warp.ring<2, !slot>
    // expected-error @below {{'warp.produce' op (C2) fills a ring that does not say its `transfers`}}
    warp.produce {
      %s = warp.ring.acquire %r[%c0] : !warp.ring<2, !slot> -> !slot
    }
  }
}

// -----

tile.kernel @f(%X: !tile.view<?x64xbf16>, %Y: !tile.view<?x64xbf16>) {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %x = tile.load %X[%c0, %c0] : !tile.view<?x64xbf16> -> tensor<16x64xbf16>
    // expected-error @below {{'warp.produce' op (C3) takes 'tensor<16x64xbf16>' from outside, where other warps compute; expected indices, views and rings alone from there}}
    warp.produce {
      // expected-note @below {{by tile.store}}
      tile.store %x, %Y[%c0, %c0] : tensor<16x64xbf16>, !tile.view<?x64xbf16>
    }
  }
}

// -----

func.func @f() {
  // expected-error @below {{'warp.early' op (C1) stands in func.func, expected tile.grid}}
  warp.early {
  }
  return
}

// -----

!slot = !warp.smem<16x64xbf16, 128>
tile.kernel @f(%X: !tile.view<?x64xbf16>) {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %r = warp.ring.create : !warp.ring<2, !slot>
    // expected-error @below {{'warp.early' op (C2) fills a ring that does not say its `transfers`}}
    warp.early {
      %s = warp.ring.acquire %r[%c0] : !warp.ring<2, !slot> -> !slot
    }
  }
}

// -----

!slot = !warp.smem<16x64xbf16, 128>
tile.kernel @f(%X: !tile.view<?x64xbf16>) {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %r = warp.ring.create transfers(%c0) : !warp.ring<2, !slot>
    %s = warp.ring.acquire %r[%c0] : !warp.ring<2, !slot> -> !slot
    // expected-error @below {{'warp.early' op (C3) takes '!warp.smem<16x64xbf16, 128>' from outside}}
    warp.early {
      // expected-note @below {{by warp.copy}}
      warp.copy %X[%c0, %c0], %s : !tile.view<?x64xbf16>, !slot
    }
  }
}

// -----

!slot = !warp.smem<16x64xbf16, 128>
tile.kernel @f(%X: !tile.view<?x64xbf16>) {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %r = warp.ring.create transfers(%c0) : !warp.ring<2, !slot>
    // expected-error @below {{'warp.ring.is_early' op (C1) stands outside of warp.produce}}
    %early = warp.ring.is_early %r[%c0] : !warp.ring<2, !slot>
  }
}

// -----

func.func @f(%x: tensor<16x64xf32>) {
  // expected-error @below {{'warp.partial_reduce' op (C1) axis is 2, expected a dimension of 'tensor<16x64xf32>'}}
  %y = warp.partial_reduce add %x {axis = 2 : i64} : tensor<16x64xf32> -> tensor<16x4xf32>
  return
}

// -----

#acc = #warp.layout<[r2, l8*4], [r8, l4, r2]>
func.func @f(%x: tensor<16x64xf32, #acc>) {
  // expected-error @below {{'warp.partial_reduce' op (C2) gives 'tensor<16x8xf32>', expected 'tensor<16x4xf32>'}}
  %y = warp.partial_reduce add %x {axis = 1 : i64} : tensor<16x64xf32, #acc> -> tensor<16x8xf32>
  return
}

// -----

func.func @f() {
  // expected-error @below {{'warp.turn.wait' op (C1) stands in a kernel without turns, expected `warp.schedule` with `turns = true`}}
  warp.turn.wait
  return
}

// -----

func.func @f() {
  // expected-error @below {{'warp.turn.pass' op (C1) stands in a kernel without turns, expected `warp.schedule` with `turns = true`}}
  warp.turn.pass
  return
}

// -----

!ring = !warp.ring<2, !warp.smem<16x64xbf16, 128>>
tile.kernel @turns(%X: !tile.view<?x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [8, 1], stages = 2, tf32 = false, wgmma = true, producer = true, turns = true>} {
  tile.grid () = () {
    warp.produce {
      // expected-error @below {{'warp.turn.wait' op (C1) stands in warp.produce, expected it beside: the producer takes no turns}}
      warp.turn.wait
    }
  }
}

// -----

tile.kernel @alone(%X: !tile.view<64x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [4, 1], stages = 2, tf32 = false, wgmma = true, producer = true>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  tile.grid () = () {
    %r = warp.ring.create transfers(%c1) : !warp.ring<2, !warp.smem<16x64xbf16, 128>>
    warp.produce {
      %s = warp.ring.acquire %r[%c0] : !warp.ring<2, !warp.smem<16x64xbf16, 128>> -> !warp.smem<16x64xbf16, 128>
      // expected-error @below {{'warp.copy' op (C4) is multicast outside of warp.produce or without `warp.cluster` on the kernel}}
      warp.copy %X[%c0, %c0], %s {multicast} : !tile.view<64x64xbf16>, !warp.smem<16x64xbf16, 128>
      warp.ring.commit %r[%c0] : !warp.ring<2, !warp.smem<16x64xbf16, 128>>
    }
  }
}

// -----

tile.kernel @parts(%X: !tile.view<64x64xbf16>) attributes {warp.cluster = #warp.cluster<axis = 0, size = 4>, warp.schedule = #warp.schedule<warps = [4, 1], stages = 2, tf32 = false, wgmma = true, producer = true, cluster = 4>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  tile.grid (%i) = (%c4) {
    %r = warp.ring.create transfers(%c1) : !warp.ring<2, !warp.smem<16x64xbf16, 128>>
    warp.produce {
      %s = warp.ring.acquire %r[%c0] : !warp.ring<2, !warp.smem<16x64xbf16, 128>> -> !warp.smem<16x64xbf16, 128>
      // expected-error @below {{'warp.copy' op (C4) brings 16 rows by 4 CTAs, expected a multiple of 32}}
      warp.copy %X[%c0, %c0], %s {multicast} : !tile.view<64x64xbf16>, !warp.smem<16x64xbf16, 128>
      warp.ring.commit %r[%c0] : !warp.ring<2, !warp.smem<16x64xbf16, 128>>
    }
  }
}

// -----

// expected-error @below {{a cluster has 3 programs along axis 0, expected 2 or 4 along an axis of the grid}}
tile.kernel @three(%X: !tile.view<64xf32>) attributes {warp.cluster = #warp.cluster<axis = 0, size = 3>} {
  tile.grid () = () {
  }
}

// -----

// expected-error @below {{a cluster has 2 CTAs, expected 1, or with a producer 2 or 4}}
tile.kernel @unfed(%X: !tile.view<64xf32>) attributes {warp.schedule = #warp.schedule<warps = [4, 1], stages = 2, tf32 = false, wgmma = true, cluster = 2>} {
  tile.grid () = () {
  }
}

// -----

// expected-error @below {{a CTA has 2 teams of 8 x 1 warps, expected 1, or with a producer and without turns 2 of 4 x 1 warps}}
tile.kernel @teams(%X: !tile.view<64xf32>) attributes {warp.schedule = #warp.schedule<warps = [8, 1], stages = 2, tf32 = false, wgmma = true, producer = true, teams = 2>} {
  tile.grid () = () {
  }
}

// -----

// Words of four of the depth are the instruction's of 32.
#acc = #warp.layout<[r2, l8*4], [r2, l4, r2]>
#pairs = #warp.layout<[r2, l8*4], [r8, l4, r2]>
func.func @f(%a: tensor<16x64xf16, #pairs>, %b: !warp.smem<16x64xf8E4M3FN, 64>, %c: tensor<16x16xf32, #acc>) {
  // expected-error @below {{'warp.dot' op (C9) widens '!warp.smem<16x64xf8E4M3FN, 64>' by #warp.mma_sync<m = 16, n = 8, k = 16> beside}}
  %d = warp.dot %a, %b, %c {atom = #warp.mma_sync<m = 16, n = 8, k = 16>, transpose_b} : tensor<16x64xf16, #pairs>, !warp.smem<16x64xf8E4M3FN, 64> -> tensor<16x16xf32, #acc>
  return
}

// -----

#acc = #warp.layout<[r2, l8*4], [r2, l4, r2]>
func.func @f(%a: !warp.smem<16x64xf16, 128>, %b: !warp.smem<16x64xf8E4M3FN, 64>, %c: tensor<16x16xf32, #acc>) {
  // expected-error @below {{for 16 columns a warp, expected #warp.mma_sync of a depth of 32, a fragment and blocks of 16 columns}}
  %d = warp.dot %a, %b, %c {atom = #warp.mma_sync<m = 16, n = 8, k = 32>, transpose_b} : !warp.smem<16x64xf16, 128>, !warp.smem<16x64xf8E4M3FN, 64> -> tensor<16x16xf32, #acc>
  return
}

// -----

// A lane has four neighbouring columns.
#acc = #warp.layout<[r2, l8*4], [r4, l4, r2]>
#pairs = #warp.layout<[r2, l8*4], [r4, l4, r2]>
func.func @f(%a: tensor<16x32xf16, #pairs>, %b: !warp.smem<32x32xf8E4M3FN, 32>, %c: tensor<16x32xf32, #acc>) {
  // expected-error @below {{'warp.dot' op (C3) accumulates in 'tensor<16x32xf32, #warp.layout<[r2, l8*4], [r4, l4, r2]>>', expected layout #warp.layout<[r2, l8*4], [r2, l4, r4]>}}
  %d = warp.dot %a, %b, %c {atom = #warp.mma_sync<m = 16, n = 8, k = 16>} : tensor<16x32xf16, #pairs>, !warp.smem<32x32xf8E4M3FN, 32> -> tensor<16x32xf32, #acc>
  return
}
