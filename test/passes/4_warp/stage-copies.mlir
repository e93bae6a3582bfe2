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
// CHECK: %[[N:.*]] = arith.addi %[[I]], %c2
// CHECK: warp.ring.acquire %[[RING]][%[[N]]]
// CHECK: warp.ring.commit %[[RING]][%[[N]]]
// CHECK: %[[A:.*]] = warp.read %[[SLOT]]#0
// CHECK: %[[B:.*]] = warp.read %[[SLOT]]#1
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
