// Rings that are used in another way than dialect warp says.
// RUN: tenon-opt %s --tenon-verify-warp --split-input-file --verify-diagnostics

// Transfers have numbers in order.
!slot = !warp.smem<16x64xbf16, 128>
!ring = !warp.ring<2, !slot>
#row = #warp.layout<[r4, l4*8], [l8, r8]>
tile.kernel @rings(%X: !tile.view<?x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 2, tf32 = false>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  tile.grid () = () {
    %r = warp.ring.create : !ring
    // expected-error @below {{'warp.ring.acquire' op acquires transfer 1, expected 0, the next to be committed}}
    %s1 = warp.ring.acquire %r[%c1] : !ring -> !slot
    warp.copy %X[%c0, %c0], %s1 : !tile.view<?x64xbf16>, !slot
    warp.ring.commit %r[%c1] : !ring
  }
}

// -----

// A slot is acquired once.
!slot = !warp.smem<16x64xbf16, 128>
!ring = !warp.ring<2, !slot>
#row = #warp.layout<[r4, l4*8], [l8, r8]>
tile.kernel @rings(%X: !tile.view<?x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 2, tf32 = false>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  tile.grid () = () {
    %r = warp.ring.create : !ring
    %s0 = warp.ring.acquire %r[%c0] : !ring -> !slot
    warp.copy %X[%c0, %c0], %s0 : !tile.view<?x64xbf16>, !slot
    // expected-error @below {{'warp.ring.acquire' op acquires transfer 0 twice}}
    %t = warp.ring.acquire %r[%c0] : !ring -> !slot
    warp.ring.commit %r[%c0] : !ring
  }
}

// -----

// The third transfer is in the slot of the first.
!slot = !warp.smem<16x64xbf16, 128>
!ring = !warp.ring<2, !slot>
#row = #warp.layout<[r4, l4*8], [l8, r8]>
tile.kernel @rings(%X: !tile.view<?x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 2, tf32 = false>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  tile.grid () = () {
    %r = warp.ring.create : !ring
    %s0 = warp.ring.acquire %r[%c0] : !ring -> !slot
    warp.copy %X[%c0, %c0], %s0 : !tile.view<?x64xbf16>, !slot
    warp.ring.commit %r[%c0] : !ring
    %s1 = warp.ring.acquire %r[%c1] : !ring -> !slot
    warp.copy %X[%c0, %c0], %s1 : !tile.view<?x64xbf16>, !slot
    warp.ring.commit %r[%c1] : !ring
    %f0 = warp.ring.wait %r[%c0] {ahead = 0 : i64} : !ring -> !slot
    %x0 = warp.read %f0 : !slot -> tensor<16x64xbf16, #row>
    // expected-error @below {{'warp.ring.acquire' op acquires transfer 2 in the slot of transfer 0, which is not released}}
    %s2 = warp.ring.acquire %r[%c2] : !ring -> !slot
    warp.copy %X[%c0, %c0], %s2 : !tile.view<?x64xbf16>, !slot
    warp.ring.commit %r[%c2] : !ring
    warp.ring.release %r[%c0] : !ring
  }
}

// -----

// A release is known to all at the next wait.
!slot = !warp.smem<16x64xbf16, 128>
!ring = !warp.ring<2, !slot>
#row = #warp.layout<[r4, l4*8], [l8, r8]>
tile.kernel @rings(%X: !tile.view<?x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 2, tf32 = false>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  tile.grid () = () {
    %r = warp.ring.create : !ring
    %s0 = warp.ring.acquire %r[%c0] : !ring -> !slot
    warp.copy %X[%c0, %c0], %s0 : !tile.view<?x64xbf16>, !slot
    warp.ring.commit %r[%c0] : !ring
    %s1 = warp.ring.acquire %r[%c1] : !ring -> !slot
    warp.copy %X[%c0, %c0], %s1 : !tile.view<?x64xbf16>, !slot
    warp.ring.commit %r[%c1] : !ring
    %f0 = warp.ring.wait %r[%c0] {ahead = 0 : i64} : !ring -> !slot
    %x0 = warp.read %f0 : !slot -> tensor<16x64xbf16, #row>
    warp.ring.release %r[%c0] : !ring
    // expected-error @below {{'warp.ring.acquire' op acquires transfer 2 in the slot of transfer 0, which other warps may still read; a ring.wait has to come between}}
    %s2 = warp.ring.acquire %r[%c2] : !ring -> !slot
    warp.copy %X[%c0, %c0], %s2 : !tile.view<?x64xbf16>, !slot
    warp.ring.commit %r[%c2] : !ring
    %f1 = warp.ring.wait %r[%c1] {ahead = 0 : i64} : !ring -> !slot
    warp.ring.release %r[%c1] : !ring
  }
}

// -----

// A full slot is for reading.
!slot = !warp.smem<16x64xbf16, 128>
!ring = !warp.ring<2, !slot>
#row = #warp.layout<[r4, l4*8], [l8, r8]>
tile.kernel @rings(%X: !tile.view<?x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 2, tf32 = false>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  tile.grid () = () {
    %r = warp.ring.create : !ring
    %s0 = warp.ring.acquire %r[%c0] : !ring -> !slot
    warp.copy %X[%c0, %c0], %s0 : !tile.view<?x64xbf16>, !slot
    warp.ring.commit %r[%c0] : !ring
    %f0 = warp.ring.wait %r[%c0] {ahead = 0 : i64} : !ring -> !slot
    // expected-error @below {{'warp.copy' op fills '!warp.smem<16x64xbf16, 128>' that is no slot of warp.ring.acquire}}
    warp.copy %X[%c0, %c0], %f0 : !tile.view<?x64xbf16>, !slot
    warp.ring.release %r[%c0] : !ring
  }
}

// -----

// Copies come before the commit.
!slot = !warp.smem<16x64xbf16, 128>
!ring = !warp.ring<2, !slot>
#row = #warp.layout<[r4, l4*8], [l8, r8]>
tile.kernel @rings(%X: !tile.view<?x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 2, tf32 = false>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  tile.grid () = () {
    %r = warp.ring.create : !ring
    %s0 = warp.ring.acquire %r[%c0] : !ring -> !slot
    warp.copy %X[%c0, %c0], %s0 : !tile.view<?x64xbf16>, !slot
    warp.ring.commit %r[%c0] : !ring
    // expected-error @below {{'warp.copy' op fills transfer 0 after its commit}}
    warp.copy %X[%c0, %c0], %s0 : !tile.view<?x64xbf16>, !slot
    %f0 = warp.ring.wait %r[%c0] {ahead = 0 : i64} : !ring -> !slot
    warp.ring.release %r[%c0] : !ring
  }
}

// -----

!slot = !warp.smem<16x64xbf16, 128>
!ring = !warp.ring<2, !slot>
#row = #warp.layout<[r4, l4*8], [l8, r8]>
tile.kernel @rings(%X: !tile.view<?x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 2, tf32 = false>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  tile.grid () = () {
    %r = warp.ring.create : !ring
    %s0 = warp.ring.acquire %r[%c0] : !ring -> !slot
    warp.copy %X[%c0, %c0], %s0 : !tile.view<?x64xbf16>, !slot
    // expected-error @below {{'warp.copy' op fills tile 0 of transfer 0 twice}}
    warp.copy %X[%c0, %c0], %s0 : !tile.view<?x64xbf16>, !slot
    warp.ring.commit %r[%c0] : !ring
    %f0 = warp.ring.wait %r[%c0] {ahead = 0 : i64} : !ring -> !slot
    warp.ring.release %r[%c0] : !ring
  }
}

// -----

!slot = !warp.smem<16x64xbf16, 128>
!ring = !warp.ring<2, !slot>
#row = #warp.layout<[r4, l4*8], [l8, r8]>
tile.kernel @rings(%X: !tile.view<?x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 2, tf32 = false>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  tile.grid () = () {
    %r = warp.ring.create : !ring
    %s0 = warp.ring.acquire %r[%c0] : !ring -> !slot
    // expected-error @below {{'warp.ring.commit' op commits transfer 0 before tile 0 of its slot is filled}}
    warp.ring.commit %r[%c0] : !ring
    %f0 = warp.ring.wait %r[%c0] {ahead = 0 : i64} : !ring -> !slot
    warp.ring.release %r[%c0] : !ring
  }
}

// -----

!slot = !warp.smem<16x64xbf16, 128>
!ring = !warp.ring<2, !slot>
#row = #warp.layout<[r4, l4*8], [l8, r8]>
tile.kernel @rings(%X: !tile.view<?x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 2, tf32 = false>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  tile.grid () = () {
    %r = warp.ring.create : !ring
    %s0 = warp.ring.acquire %r[%c0] : !ring -> !slot
    warp.copy %X[%c0, %c0], %s0 {rows = array<i64: 0, 8>} : !tile.view<?x64xbf16>, !slot
    // expected-error @below {{'warp.ring.commit' op commits transfer 0 before tile 0 of its slot is filled}}
    warp.ring.commit %r[%c0] : !ring
    %f0 = warp.ring.wait %r[%c0] {ahead = 0 : i64} : !ring -> !slot
    warp.ring.release %r[%c0] : !ring
  }
}

// -----

!slot = !warp.smem<16x64xbf16, 128>
!ring = !warp.ring<2, !slot>
#row = #warp.layout<[r4, l4*8], [l8, r8]>
tile.kernel @rings(%X: !tile.view<?x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 2, tf32 = false>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  tile.grid () = () {
    %r = warp.ring.create : !ring
    %s0 = warp.ring.acquire %r[%c0] : !ring -> !slot
    warp.copy %X[%c0, %c0], %s0 {rows = array<i64: 0, 8>} : !tile.view<?x64xbf16>, !slot
    warp.copy %X[%c0, %c0], %s0 {rows = array<i64: 8, 8>} : !tile.view<?x64xbf16>, !slot
    // expected-error @below {{'warp.copy' op fills tile 0 of transfer 0 twice}}
    warp.copy %X[%c0, %c0], %s0 {rows = array<i64: 8, 8>} : !tile.view<?x64xbf16>, !slot
    warp.ring.commit %r[%c0] : !ring
    %f0 = warp.ring.wait %r[%c0] {ahead = 0 : i64} : !ring -> !slot
    warp.ring.release %r[%c0] : !ring
  }
}

// -----

// Each transfer is committed once.
!slot = !warp.smem<16x64xbf16, 128>
!ring = !warp.ring<2, !slot>
#row = #warp.layout<[r4, l4*8], [l8, r8]>
tile.kernel @rings(%X: !tile.view<?x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 2, tf32 = false>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  tile.grid () = () {
    %r = warp.ring.create : !ring
    %s0 = warp.ring.acquire %r[%c0] : !ring -> !slot
    warp.copy %X[%c0, %c0], %s0 : !tile.view<?x64xbf16>, !slot
    warp.ring.commit %r[%c0] : !ring
    // expected-error @below {{'warp.ring.commit' op commits transfer 0, expected 1; transfers are committed in order, each once}}
    warp.ring.commit %r[%c0] : !ring
    %f0 = warp.ring.wait %r[%c0] {ahead = 0 : i64} : !ring -> !slot
    warp.ring.release %r[%c0] : !ring
  }
}

// -----

// Nobody fills what nobody has committed.
!slot = !warp.smem<16x64xbf16, 128>
!ring = !warp.ring<2, !slot>
#row = #warp.layout<[r4, l4*8], [l8, r8]>
tile.kernel @rings(%X: !tile.view<?x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 2, tf32 = false>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  tile.grid () = () {
    %r = warp.ring.create : !ring
    // expected-error @below {{'warp.ring.wait' op waits for transfer 0, of 0 that are committed}}
    %f0 = warp.ring.wait %r[%c0] {ahead = 0 : i64} : !ring -> !slot
  }
}

// -----

// Only one transfer may run ahead if one was committed after.
!slot = !warp.smem<16x64xbf16, 128>
!ring = !warp.ring<2, !slot>
#row = #warp.layout<[r4, l4*8], [l8, r8]>
tile.kernel @rings(%X: !tile.view<?x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 2, tf32 = false>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  tile.grid () = () {
    %r = warp.ring.create : !ring
    %s0 = warp.ring.acquire %r[%c0] : !ring -> !slot
    warp.copy %X[%c0, %c0], %s0 : !tile.view<?x64xbf16>, !slot
    warp.ring.commit %r[%c0] : !ring
    // expected-error @below {{'warp.ring.wait' op waits for transfer 0 and lets 1 run ahead, but only 0 were committed after it: it may be under way still}}
    %f0 = warp.ring.wait %r[%c0] {ahead = 1 : i64} : !ring -> !slot
    warp.ring.release %r[%c0] : !ring
  }
}

// -----

!slot = !warp.smem<16x64xbf16, 128>
!ring = !warp.ring<2, !slot>
#row = #warp.layout<[r4, l4*8], [l8, r8]>
tile.kernel @rings(%X: !tile.view<?x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 2, tf32 = false>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  tile.grid () = () {
    %r = warp.ring.create : !ring
    %s0 = warp.ring.acquire %r[%c0] : !ring -> !slot
    warp.copy %X[%c0, %c0], %s0 : !tile.view<?x64xbf16>, !slot
    warp.ring.commit %r[%c0] : !ring
    %f0 = warp.ring.wait %r[%c0] {ahead = 0 : i64} : !ring -> !slot
    warp.ring.release %r[%c0] : !ring
    // expected-error @below {{'warp.ring.wait' op waits for transfer 0 after its release}}
    %again = warp.ring.wait %r[%c0] {ahead = 0 : i64} : !ring -> !slot
  }
}

// -----

// A slot that is being filled is not read.
!slot = !warp.smem<16x64xbf16, 128>
!ring = !warp.ring<2, !slot>
#row = #warp.layout<[r4, l4*8], [l8, r8]>
tile.kernel @rings(%X: !tile.view<?x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 2, tf32 = false>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  tile.grid () = () {
    %r = warp.ring.create : !ring
    %s0 = warp.ring.acquire %r[%c0] : !ring -> !slot
    warp.copy %X[%c0, %c0], %s0 : !tile.view<?x64xbf16>, !slot
    warp.ring.commit %r[%c0] : !ring
    // expected-error @below {{'warp.read' op reads '!warp.smem<16x64xbf16, 128>' that neither warp.ring.wait nor warp.stage gave}}
    %x0 = warp.read %s0 : !slot -> tensor<16x64xbf16, #row>
    %f0 = warp.ring.wait %r[%c0] {ahead = 0 : i64} : !ring -> !slot
    warp.ring.release %r[%c0] : !ring
  }
}

// -----

// An empty transfer has nothing to read.
!slot = !warp.smem<16x64xbf16, 128>
!ring = !warp.ring<2, !slot>
#row = #warp.layout<[r4, l4*8], [l8, r8]>
tile.kernel @rings(%X: !tile.view<?x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 2, tf32 = false>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  tile.grid () = () {
    %r = warp.ring.create : !ring
    warp.ring.commit %r[%c0] : !ring
    %f0 = warp.ring.wait %r[%c0] {ahead = 0 : i64} : !ring -> !slot
    // expected-error @below {{'warp.read' op reads transfer 0, which is empty}}
    %x0 = warp.read %f0 : !slot -> tensor<16x64xbf16, #row>
  }
}

// -----

!slot = !warp.smem<16x64xbf16, 128>
!ring = !warp.ring<2, !slot>
#row = #warp.layout<[r4, l4*8], [l8, r8]>
tile.kernel @rings(%X: !tile.view<?x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 2, tf32 = false>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  tile.grid () = () {
    %r = warp.ring.create : !ring
    %s0 = warp.ring.acquire %r[%c0] : !ring -> !slot
    warp.copy %X[%c0, %c0], %s0 : !tile.view<?x64xbf16>, !slot
    warp.ring.commit %r[%c0] : !ring
    %f0 = warp.ring.wait %r[%c0] {ahead = 0 : i64} : !ring -> !slot
    warp.ring.release %r[%c0] : !ring
    // expected-error @below {{'warp.read' op reads transfer 0 after its release}}
    %x0 = warp.read %f0 : !slot -> tensor<16x64xbf16, #row>
  }
}

// -----

!slot = !warp.smem<16x64xbf16, 128>
!ring = !warp.ring<2, !slot>
#row = #warp.layout<[r4, l4*8], [l8, r8]>
tile.kernel @rings(%X: !tile.view<?x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 2, tf32 = false>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  tile.grid () = () {
    %r = warp.ring.create : !ring
    %s0 = warp.ring.acquire %r[%c0] : !ring -> !slot
    warp.copy %X[%c0, %c0], %s0 : !tile.view<?x64xbf16>, !slot
    warp.ring.commit %r[%c0] : !ring
    // expected-error @below {{'warp.ring.release' op releases transfer 0, which nobody has waited for}}
    warp.ring.release %r[%c0] : !ring
  }
}

// -----

!slot = !warp.smem<16x64xbf16, 128>
!ring = !warp.ring<2, !slot>
#row = #warp.layout<[r4, l4*8], [l8, r8]>
tile.kernel @rings(%X: !tile.view<?x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 2, tf32 = false>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  tile.grid () = () {
    %r = warp.ring.create : !ring
    %s0 = warp.ring.acquire %r[%c0] : !ring -> !slot
    warp.copy %X[%c0, %c0], %s0 : !tile.view<?x64xbf16>, !slot
    warp.ring.commit %r[%c0] : !ring
    %f0 = warp.ring.wait %r[%c0] {ahead = 0 : i64} : !ring -> !slot
    warp.ring.release %r[%c0] : !ring
    // expected-error @below {{'warp.ring.release' op releases transfer 0 twice}}
    warp.ring.release %r[%c0] : !ring
  }
}

// -----

// Copies are under way when the program ends.
!slot = !warp.smem<16x64xbf16, 128>
!ring = !warp.ring<2, !slot>
#row = #warp.layout<[r4, l4*8], [l8, r8]>
tile.kernel @rings(%X: !tile.view<?x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 2, tf32 = false>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  tile.grid () = () {
    // expected-error @below {{'warp.ring.create' op ends with transfer 0 acquired and not committed}}
    %r = warp.ring.create : !ring
    %s0 = warp.ring.acquire %r[%c0] : !ring -> !slot
    warp.copy %X[%c0, %c0], %s0 : !tile.view<?x64xbf16>, !slot
  }
}

// -----

!slot = !warp.smem<16x64xbf16, 128>
!ring = !warp.ring<2, !slot>
#row = #warp.layout<[r4, l4*8], [l8, r8]>
tile.kernel @rings(%X: !tile.view<?x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 2, tf32 = false>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  tile.grid () = () {
    // expected-error @below {{'warp.ring.create' op ends with transfer 0 filled, and nobody has waited for it}}
    %r = warp.ring.create : !ring
    %s0 = warp.ring.acquire %r[%c0] : !ring -> !slot
    warp.copy %X[%c0, %c0], %s0 : !tile.view<?x64xbf16>, !slot
    warp.ring.commit %r[%c0] : !ring
  }
}

// -----

!slot = !warp.smem<16x64xbf16, 128>
!ring = !warp.ring<2, !slot>
#row = #warp.layout<[r4, l4*8], [l8, r8]>
tile.kernel @rings(%X: !tile.view<?x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 2, tf32 = false>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  tile.grid () = () {
    // expected-error @below {{'warp.ring.create' op ends with transfer 0 not released}}
    %r = warp.ring.create : !ring
    %s0 = warp.ring.acquire %r[%c0] : !ring -> !slot
    warp.copy %X[%c0, %c0], %s0 : !tile.view<?x64xbf16>, !slot
    warp.ring.commit %r[%c0] : !ring
    %f0 = warp.ring.wait %r[%c0] {ahead = 0 : i64} : !ring -> !slot
    %x0 = warp.read %f0 : !slot -> tensor<16x64xbf16, #row>
  }
}

// -----

// Read in every turn, released in all but the last: found for sizes of some turns.
!slot = !warp.smem<16x64xbf16, 128>
!ring = !warp.ring<2, !slot>
#row = #warp.layout<[r4, l4*8], [l8, r8]>
tile.kernel @rings(%X: !tile.view<?x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 2, tf32 = false>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %m = tile.dim %X {axis = 0 : i64} : !tile.view<?x64xbf16>
  tile.grid () = () {
    // expected-error @below {{'warp.ring.create' op (where sizes that are not known are 1) ends with transfer 0 not released}}
    %r = warp.ring.create : !ring
    scf.for %i = %c0 to %m step %c1 {
      %s = warp.ring.acquire %r[%i] : !ring -> !slot
      warp.copy %X[%c0, %c0], %s : !tile.view<?x64xbf16>, !slot
      warp.ring.commit %r[%i] : !ring
      %f = warp.ring.wait %r[%i] {ahead = 0 : i64} : !ring -> !slot
      %x = warp.read %f : !slot -> tensor<16x64xbf16, #row>
      %next = arith.addi %i, %c1 : index
      %isLast = arith.cmpi eq, %next, %m : index
      scf.if %isLast {
      } else {
        warp.ring.release %r[%i] : !ring
      }
    }
  }
}

// -----

// The last program of the grid differs from the first.
!slot = !warp.smem<16x64xbf16, 128>
!ring = !warp.ring<2, !slot>
#row = #warp.layout<[r4, l4*8], [l8, r8]>
tile.kernel @rings(%X: !tile.view<?x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 2, tf32 = false>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  tile.grid (%g) = (%c2) {
    %r = warp.ring.create : !ring
    %isFirst = arith.cmpi eq, %g, %c0 : index
    scf.if %isFirst {
      warp.ring.commit %r[%c0] : !ring
    }
    // expected-error @below {{'warp.ring.wait' op waits for transfer 0, of 0 that are committed}}
    %f0 = warp.ring.wait %r[%c0] {ahead = 0 : i64} : !ring -> !slot
  }
}

// -----

// A producer does not fill what it says.
!slot = !warp.smem<16x64xbf16, 128>
!ring = !warp.ring<2, !slot>
#row = #warp.layout<[r4, l4*8], [l8, r8]>
tile.kernel @rings(%X: !tile.view<?x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 2, tf32 = false>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  tile.grid () = () {
    // expected-error @below {{'warp.ring.create' op says 1 transfers, and its producer makes 2}}
    %r = warp.ring.create transfers(%c1) : !ring
    warp.produce {
      scf.for %i = %c0 to %c2 step %c1 {
        %s = warp.ring.acquire %r[%i] : !ring -> !slot
        warp.copy %X[%c0, %c0], %s : !tile.view<?x64xbf16>, !slot
        warp.ring.commit %r[%i] : !ring
      }
    }
    %f0 = warp.ring.wait %r[%c0] {ahead = 0 : i64} : !ring -> !slot
    warp.ring.release %r[%c0] : !ring
    %f1 = warp.ring.wait %r[%c1] {ahead = 0 : i64} : !ring -> !slot
    warp.ring.release %r[%c1] : !ring
  }
}

// -----

// With one slot the second transfer waits for the first one's release, and the reader for the second.
!slot = !warp.smem<16x64xbf16, 128>
!ring = !warp.ring<1, !slot>
#row = #warp.layout<[r4, l4*8], [l8, r8]>
tile.kernel @rings(%X: !tile.view<?x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 2, tf32 = false>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  tile.grid () = () {
    %r = warp.ring.create transfers(%c2) : !ring
    warp.produce {
      scf.for %i = %c0 to %c2 step %c1 {
        %s = warp.ring.acquire %r[%i] : !ring -> !slot
        warp.copy %X[%c0, %c0], %s : !tile.view<?x64xbf16>, !slot
        warp.ring.commit %r[%i] : !ring
      }
    }
    %f0 = warp.ring.wait %r[%c0] {ahead = 0 : i64} : !ring -> !slot
    // expected-error @below {{'warp.ring.wait' op waits for transfer 1 for ever: the producer waits for the release of transfer 0, whose slot it fills}}
    %f1 = warp.ring.wait %r[%c1] {ahead = 0 : i64} : !ring -> !slot
    warp.ring.release %r[%c0] : !ring
    warp.ring.release %r[%c1] : !ring
  }
}

// -----

// Early are the first two of three transfers: the producer must not fill them once more.
!slot = !warp.smem<16x64xbf16, 128>
!ring = !warp.ring<2, !slot>
tile.kernel @early(%X: !tile.view<?x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [4, 1], stages = 2, tf32 = false, wgmma = true, producer = true, early = 2>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  tile.grid () = () {
    %r = warp.ring.create transfers(%c3) : !ring
    warp.early {
      scf.for %i = %c0 to %c2 step %c1 {
        %s = warp.ring.acquire %r[%i] : !ring -> !slot
        warp.copy %X[%c0, %c0], %s : !tile.view<?x64xbf16>, !slot
        warp.ring.commit %r[%i] : !ring
      }
    }
    warp.produce {
      scf.for %i = %c1 to %c3 step %c1 {
        // expected-error @below {{'warp.ring.acquire' op acquires transfer 1, expected 2, the next to be committed}}
        %s = warp.ring.acquire %r[%i] : !ring -> !slot
        warp.copy %X[%c0, %c0], %s : !tile.view<?x64xbf16>, !slot
        warp.ring.commit %r[%i] : !ring
      }
    }
    scf.for %i = %c0 to %c3 step %c1 {
      %f = warp.ring.wait %r[%i] {ahead = 0 : i64} : !ring -> !slot
      warp.ring.release %r[%i] : !ring
    }
  }
}

// -----

// Only the CTA's first program has early transfers: of the next nobody fills the first two.
!slot = !warp.smem<16x64xbf16, 128>
!ring = !warp.ring<2, !slot>
tile.kernel @early(%X: !tile.view<?x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [4, 1], stages = 2, tf32 = false, wgmma = true, producer = true, early = 2>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  tile.grid () = () {
    %r = warp.ring.create transfers(%c3) : !ring
    warp.early {
      scf.for %i = %c0 to %c2 step %c1 {
        %s = warp.ring.acquire %r[%i] : !ring -> !slot
        warp.copy %X[%c0, %c0], %s : !tile.view<?x64xbf16>, !slot
        warp.ring.commit %r[%i] : !ring
      }
    }
    warp.produce {
      // expected-error @below {{'warp.ring.acquire' op acquires transfer 2, expected 0, the next to be committed}}
      %s = warp.ring.acquire %r[%c2] : !ring -> !slot
      warp.copy %X[%c0, %c0], %s : !tile.view<?x64xbf16>, !slot
      warp.ring.commit %r[%c2] : !ring
    }
    scf.for %i = %c0 to %c3 step %c1 {
      %f = warp.ring.wait %r[%i] {ahead = 0 : i64} : !ring -> !slot
      warp.ring.release %r[%i] : !ring
    }
  }
}
