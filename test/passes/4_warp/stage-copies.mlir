// In: a loop that multiplies what it loads. Out: its operands come through a ring, stages - 1 turns ahead.
// RUN: tenon-opt %s --split-input-file --tenon-stage-copies --canonicalize --cse | FileCheck %s

// CHECK-LABEL: @product
// CHECK: %[[RING:.*]] = warp.ring.create : <3,
// CHECK: scf.for %[[S:.*]] = %c0 to %c2
// CHECK: scf.if
// CHECK: warp.ring.acquire %[[RING]][%[[S]]]
// CHECK: warp.copy %{{.*}}[%c0, %{{.*}}], %{{.*}}#0 {within = array<i1: true, true>}
// CHECK: warp.ring.commit %[[RING]][%[[S]]]
// CHECK: scf.for %[[K:.*]] = %c0 to %c320 step %c32
// CHECK: %[[I:.*]] = arith.divui %[[K]], %c32
// CHECK: %[[SLOT:.*]]:2 = warp.ring.wait %[[RING]][%[[I]]] {ahead = 1 : i64}
// CHECK: %[[A:.*]] = warp.read %[[SLOT]]#0
// CHECK: %[[B:.*]] = warp.read %[[SLOT]]#1
// CHECK: %[[N:.*]] = arith.addi %[[I]], %c2
// CHECK: warp.ring.acquire %[[RING]][%[[N]]]
// CHECK: warp.ring.commit %[[RING]][%[[N]]]
// CHECK: tile.dot %[[A]], %[[B]]
// CHECK: warp.ring.release %[[RING]][%[[I]]]
tile.kernel @product(%X: !tile.view<16x320xf16>, %W: !tile.view<16x320xf16>, %Y: !tile.view<16x16xf32>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 3, tf32 = false>} {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %c320 = arith.constant 320 : index
  %zero = arith.constant dense<0.0> : tensor<16x16xf32>
  tile.grid () = () {
    %sum = scf.for %k = %c0 to %c320 step %c32 iter_args(%acc = %zero) -> (tensor<16x16xf32>) {
      %x = tile.load %X[%c0, %k] : !tile.view<16x320xf16> -> tensor<16x32xf16>
      %w = tile.load %W[%c0, %k] : !tile.view<16x320xf16> -> tensor<16x32xf16>
      %d = tile.dot %x, %w, %acc {transpose_b} : tensor<16x32xf16>, tensor<16x32xf16> -> tensor<16x16xf32>
      scf.yield %d : tensor<16x16xf32>
    }
    tile.store %sum, %Y[%c0, %c0] : tensor<16x16xf32>, !tile.view<16x16xf32>
  }
}

// -----

// Rows of 10 bytes have no form in shared memory; a load that is only added stays where it is.
// CHECK-LABEL: @negative
// CHECK-NOT: warp.ring
tile.kernel @negative(%X: !tile.view<16x320xf16>, %Y: !tile.view<16x16xf32>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 3, tf32 = false>} {
  %c0 = arith.constant 0 : index
  %c5 = arith.constant 5 : index
  %c320 = arith.constant 320 : index
  %zero = arith.constant dense<0.0> : tensor<16x16xf32>
  %none = arith.constant dense<0.0> : tensor<16x16xf16>
  tile.grid () = () {
    %sum:2 = scf.for %k = %c0 to %c320 step %c5 iter_args(%acc = %zero, %other = %none) -> (tensor<16x16xf32>, tensor<16x16xf16>) {
      %x = tile.load %X[%c0, %k] : !tile.view<16x320xf16> -> tensor<16x5xf16>
      %d = tile.dot %x, %x, %acc {transpose_b} : tensor<16x5xf16>, tensor<16x5xf16> -> tensor<16x16xf32>
      %y = tile.load %X[%c0, %k] : !tile.view<16x320xf16> -> tensor<16x16xf16>
      %s = arith.addf %y, %other : tensor<16x16xf16>
      scf.yield %d, %s : tensor<16x16xf32>, tensor<16x16xf16>
    }
    tile.store %sum#0, %Y[%c0, %c0] : tensor<16x16xf32>, !tile.view<16x16xf32>
  }
}

// -----

// An operand that every turn reads again has one slot: a second would hold the same.
// CHECK-LABEL: @same_each_turn
// CHECK: warp.ring.create : <1,
// CHECK: tile.dot
tile.kernel @same_each_turn(%X: !tile.view<16x32xf16>, %Y: !tile.view<16x16xf32>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 3, tf32 = false>} {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %c320 = arith.constant 320 : index
  %zero = arith.constant dense<0.0> : tensor<16x16xf32>
  tile.grid () = () {
    %sum = scf.for %k = %c0 to %c320 step %c32 iter_args(%acc = %zero) -> (tensor<16x16xf32>) {
      %x = tile.load %X[%c0, %c0] : !tile.view<16x32xf16> -> tensor<16x32xf16>
      %d = tile.dot %x, %x, %acc {transpose_b} : tensor<16x32xf16>, tensor<16x32xf16> -> tensor<16x16xf32>
      scf.yield %d : tensor<16x16xf32>
    }
    tile.store %sum, %Y[%c0, %c0] : tensor<16x16xf32>, !tile.view<16x16xf32>
  }
}

// -----

// A producer: a ring for what each dot reads, released behind it; and one, of two slots, for what is loaded once.
// CHECK-LABEL: @produced
// CHECK: %[[Q:.*]] = warp.ring.create transfers(%c1) : <2, <64x64xbf16, 128>>
// CHECK: warp.produce
// CHECK: warp.ring.acquire %[[Q]][%c0]
// CHECK: %[[QUERY:.*]] = warp.ring.wait %[[Q]][%c0]
// CHECK: %[[READ:.*]] = warp.read %[[QUERY]]
// CHECK: %[[K:.*]] = warp.ring.create transfers(%c8) : <3, <16x64xbf16, 128>>
// CHECK: %[[V:.*]] = warp.ring.create transfers(%c8) : <3, <16x64xbf16, 128>>
// CHECK: warp.produce
// CHECK: scf.for
// CHECK: warp.ring.acquire %[[K]]
// CHECK: warp.ring.commit %[[K]]
// CHECK: warp.ring.acquire %[[V]]
// CHECK: warp.ring.commit %[[V]]
// CHECK: scf.for
// CHECK: warp.ring.wait %[[K]]
// CHECK: tile.dot %[[READ]]
// CHECK: warp.ring.release %[[K]]
// CHECK: warp.ring.wait %[[V]]
// CHECK: tile.dot
// CHECK: warp.ring.release %[[V]]
// CHECK: scf.yield
// CHECK: warp.ring.release %[[Q]][%c0]
// CHECK: tile.store
tile.kernel @produced(%Q: !tile.view<64x64xbf16>, %K: !tile.view<128x64xbf16>, %V: !tile.view<128x64xbf16>, %Y: !tile.view<64x64xf32>) attributes {warp.schedule = #warp.schedule<warps = [4, 1], stages = 3, tf32 = false, wgmma = true, producer = true, outer = 2>} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c128 = arith.constant 128 : index
  %zero = arith.constant dense<0.0> : tensor<64x16xf32>
  %none = arith.constant dense<0.0> : tensor<64x64xf32>
  tile.grid () = () {
    %q = tile.load %Q[%c0, %c0] : !tile.view<64x64xbf16> -> tensor<64x64xbf16>
    %sum = scf.for %k = %c0 to %c128 step %c16 iter_args(%acc = %none) -> (tensor<64x64xf32>) {
      %x = tile.load %K[%k, %c0] : !tile.view<128x64xbf16> -> tensor<16x64xbf16>
      %s = tile.dot %q, %x, %zero {transpose_b} : tensor<64x64xbf16>, tensor<16x64xbf16> -> tensor<64x16xf32>
      %v = tile.load %V[%k, %c0] : !tile.view<128x64xbf16> -> tensor<16x64xbf16>
      %p = arith.truncf %s : tensor<64x16xf32> to tensor<64x16xbf16>
      %d = tile.dot %p, %v, %acc : tensor<64x16xbf16>, tensor<16x64xbf16> -> tensor<64x64xf32>
      scf.yield %d : tensor<64x64xf32>
    }
    tile.store %sum, %Y[%c0, %c0] : tensor<64x64xf32>, !tile.view<64x64xf32>
  }
}

// -----

// Without a loop all that is multiplied comes once a program, each tile through a ring of its own; the scales are no
// operand of a dot.
// CHECK-LABEL: tile.kernel @once
// CHECK: %[[X:.*]] = warp.ring.create transfers(%c1) : <3, <64x64xbf16, 128>>
// CHECK: warp.produce {
// CHECK: warp.copy %arg0
// CHECK: warp.ring.wait %[[X]][%c0] {ahead = 0 : i64}
// CHECK: %[[W:.*]] = warp.ring.create transfers(%c1) : <3, <32x64xbf16, 128>>
// CHECK: warp.produce {
// CHECK: warp.copy %arg1
// CHECK: warp.ring.wait %[[W]][%c0] {ahead = 0 : i64}
// CHECK: tile.load %arg2
// CHECK: tile.dot
// CHECK: warp.ring.release %[[W]][%c0]
// CHECK: warp.ring.release %[[X]][%c0]
tile.kernel @once(%X: !tile.view<64x64xbf16>, %W: !tile.view<32x64xbf16>, %B: !tile.view<64x32xf32>, %Y: !tile.view<64x32xf32>) attributes {warp.schedule = #warp.schedule<warps = [4, 1], stages = 1, tf32 = false, wgmma = true, producer = true, outer = 3>} {
  %c0 = arith.constant 0 : index
  %zero = arith.constant dense<0.0> : tensor<64x32xf32>
  tile.grid () = () {
    %x = tile.load %X[%c0, %c0] : !tile.view<64x64xbf16> -> tensor<64x64xbf16>
    %w = tile.load %W[%c0, %c0] : !tile.view<32x64xbf16> -> tensor<32x64xbf16>
    %b = tile.load %B[%c0, %c0] : !tile.view<64x32xf32> -> tensor<64x32xf32>
    %d = tile.dot %x, %w, %zero {transpose_b} : tensor<64x64xbf16>, tensor<32x64xbf16> -> tensor<64x32xf32>
    %y = arith.mulf %d, %b : tensor<64x32xf32>
    tile.store %y, %Y[%c0, %c0] : tensor<64x32xf32>, !tile.view<64x32xf32>
  }
}

// -----

// What is seldom done anew has a loop, whose rings all threads fill: the rest has a producer all the same.
// CHECK-LABEL: tile.kernel @once_and_seldom_anew
// CHECK: warp.ring.create transfers(%c1) : <2, <64x64xbf16, 128>>
// CHECK: warp.produce {
// CHECK: warp.ring.create transfers(%c1) : <2, <32x64xbf16, 128>>
// CHECK: warp.produce {
// CHECK: tile.redo
// CHECK-NOT: warp.produce
// CHECK: warp.ring.create : <1,
// CHECK-NOT: warp.produce
tile.kernel @once_and_seldom_anew(%X: !tile.view<64x64xbf16>, %W: !tile.view<32x64xbf16>, %Y: !tile.view<64x32xf32>) attributes {warp.schedule = #warp.schedule<warps = [4, 1], stages = 1, tf32 = false, wgmma = true, producer = true, outer = 2>} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c64 = arith.constant 64 : index
  %zero = arith.constant dense<0.0> : tensor<64x32xf32>
  tile.grid () = () {
    %x = tile.load %X[%c0, %c0] : !tile.view<64x64xbf16> -> tensor<64x64xbf16>
    %w = tile.load %W[%c0, %c0] : !tile.view<32x64xbf16> -> tensor<32x64xbf16>
    %d = tile.dot %x, %w, %zero {transpose_b} : tensor<64x64xbf16>, tensor<32x64xbf16> -> tensor<64x32xf32>
    tile.store %d, %Y[%c0, %c0] : tensor<64x32xf32>, !tile.view<64x32xf32>
    %sum = tile.reduce add %d {axis = 1 : i64} : tensor<64x32xf32> -> tensor<64xf32>
    %strange = arith.cmpf uno, %sum, %sum : tensor<64xf32>
    tile.redo %strange : tensor<64xi1> {
      %s = scf.for %k = %c0 to %c64 step %c16 iter_args(%a = %zero) -> (tensor<64x32xf32>) {
        %xk = tile.load %X[%c0, %k] : !tile.view<64x64xbf16> -> tensor<64x16xbf16>
        %wk = tile.load %W[%c0, %k] : !tile.view<32x64xbf16> -> tensor<32x16xbf16>
        %e = tile.dot %xk, %wk, %a {transpose_b} : tensor<64x16xbf16>, tensor<32x16xbf16> -> tensor<64x32xf32>
        scf.yield %e : tensor<64x32xf32>
      }
      tile.store %s, %Y[%c0, %c0] : tensor<64x32xf32>, !tile.view<64x32xf32>
    }
  }
}

// -----

// No producer: threads load for themselves.
// CHECK-LABEL: tile.kernel @by_all
// CHECK-NOT: warp.ring
tile.kernel @by_all(%X: !tile.view<64x64xbf16>, %W: !tile.view<32x64xbf16>, %Y: !tile.view<64x32xf32>) attributes {warp.schedule = #warp.schedule<warps = [4, 1], stages = 1, tf32 = false>} {
  %c0 = arith.constant 0 : index
  %zero = arith.constant dense<0.0> : tensor<64x32xf32>
  tile.grid () = () {
    %x = tile.load %X[%c0, %c0] : !tile.view<64x64xbf16> -> tensor<64x64xbf16>
    %w = tile.load %W[%c0, %c0] : !tile.view<32x64xbf16> -> tensor<32x64xbf16>
    %d = tile.dot %x, %w, %zero {transpose_b} : tensor<64x64xbf16>, tensor<32x64xbf16> -> tensor<64x32xf32>
    tile.store %d, %Y[%c0, %c0] : tensor<64x32xf32>, !tile.view<64x32xf32>
  }
}

// -----

// Weights come through a ring of their own, whose first transfers no launch ahead decides: warp.early makes them, and the
// producer those that are left.
// CHECK-LABEL: tile.kernel @weights
// CHECK: %[[X:.*]] = warp.ring.create transfers(%{{.*}}) : <2, <64x64xbf16, 128>>
// CHECK: %[[W:.*]] = warp.ring.create transfers(%{{.*}}) : <6, <32x64xbf16, 128>>
// CHECK: warp.early {
// CHECK-NEXT: scf.for %[[N:.*]] = %c0{{.*}} to %c6{{.*}} step
// CHECK: warp.ring.acquire %[[W]][%[[N]]]
// CHECK: warp.copy %arg1
// CHECK: warp.ring.commit %[[W]][%[[N]]]
// CHECK: warp.produce {
// CHECK-NEXT: scf.for %[[N:.*]] = %c0{{.*}} to %c8{{.*}} step
// CHECK: warp.ring.acquire %[[X]][%[[N]]]
// CHECK: warp.copy %arg0
// CHECK: warp.ring.commit %[[X]][%[[N]]]
// CHECK: %[[EARLY:.*]] = warp.ring.is_early %[[W]][%[[N]]]
// CHECK: scf.if %[[EARLY]] {
// CHECK-NEXT: } else {
// CHECK: warp.ring.acquire %[[W]][%[[N]]]
// CHECK: warp.copy %arg1
// CHECK: warp.ring.commit %[[W]][%[[N]]]
func.func @main(%x: tensor<64x512xbf16>) -> tensor<64x32xf32> {
  %w = tenon.weight "w" : tensor<32x512xbf16>
  %y = tenon.launch @kernels::@weights(%x, %w) : (tensor<64x512xbf16>, tensor<32x512xbf16>) -> tensor<64x32xf32>
  return %y : tensor<64x32xf32>
}
module @kernels {
  tile.kernel @weights(%X: !tile.view<64x512xbf16>, %W: !tile.view<32x512xbf16>, %Y: !tile.view<64x32xf32>) attributes {warp.schedule = #warp.schedule<warps = [4, 1], stages = 2, tf32 = false, wgmma = true, producer = true, early = 6>} {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %c512 = arith.constant 512 : index
    %zero = arith.constant dense<0.0> : tensor<64x32xf32>
    tile.grid () = () {
      %sum = scf.for %k = %c0 to %c512 step %c64 iter_args(%acc = %zero) -> (tensor<64x32xf32>) {
        %x = tile.load %X[%c0, %k] : !tile.view<64x512xbf16> -> tensor<64x64xbf16>
        %w = tile.load %W[%c0, %k] : !tile.view<32x512xbf16> -> tensor<32x64xbf16>
        %d = tile.dot %x, %w, %acc {transpose_b} : tensor<64x64xbf16>, tensor<32x64xbf16> -> tensor<64x32xf32>
        scf.yield %d : tensor<64x32xf32>
      }
      tile.store %sum, %Y[%c0, %c0] : tensor<64x32xf32>, !tile.view<64x32xf32>
    }
  }
}

// -----

// Where no operand is a weight, what a program alone reads has that ring, and nothing of it comes early.
// CHECK-LABEL: tile.kernel @streamed
// CHECK: %[[X:.*]] = warp.ring.create transfers(%{{.*}}) : <2, <64x64xbf16, 128>>
// CHECK: %[[W:.*]] = warp.ring.create transfers(%{{.*}}) : <6, <32x64xbf16, 128>>
// CHECK-NOT: warp.early
// CHECK: warp.produce {
// CHECK: warp.ring.acquire %[[X]]
// CHECK: warp.copy %arg0
// CHECK: warp.ring.acquire %[[W]]
// CHECK: warp.copy %arg1
tile.kernel @streamed(%X: !tile.view<64x512xbf16>, %W: !tile.view<256x512xbf16>, %Y: !tile.view<64x256xf32>) attributes {warp.schedule = #warp.schedule<warps = [4, 1], stages = 2, tf32 = false, wgmma = true, producer = true, early = 6>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c32 = arith.constant 32 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  %zero = arith.constant dense<0.0> : tensor<64x32xf32>
  tile.grid (%p, %q) = (%c1, %c8) {
    %column = arith.muli %q, %c32 : index
    %sum = scf.for %k = %c0 to %c512 step %c64 iter_args(%acc = %zero) -> (tensor<64x32xf32>) {
      %x = tile.load %X[%c0, %k] : !tile.view<64x512xbf16> -> tensor<64x64xbf16>
      %w = tile.load %W[%column, %k] : !tile.view<256x512xbf16> -> tensor<32x64xbf16>
      %d = tile.dot %x, %w, %acc {transpose_b} : tensor<64x64xbf16>, tensor<32x64xbf16> -> tensor<64x32xf32>
      scf.yield %d : tensor<64x32xf32>
    }
    tile.store %sum, %Y[%c0, %column] : tensor<64x32xf32>, !tile.view<64x256xf32>
  }
}
