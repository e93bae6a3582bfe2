// What folds: sizes that are known, ops that change nothing, splats. What must stay: sizes of arguments, real permutations.
// RUN: tenon-opt %s --canonicalize | FileCheck %s

// CHECK-LABEL: tile.kernel @folds
// CHECK-SAME: (%[[X:.*]]: !tile.view<?x64xf32>, %[[Y:.*]]: !tile.view<?x64xf32>)
// CHECK: %[[M:.*]] = tile.dim %[[X]] {axis = 0 : i64}
// CHECK: tile.grid (%{{.*}}) = (%[[M]])
// CHECK: %[[T:.*]] = tile.load %[[X]][%{{.*}}, %c0] : <?x64xf32> -> tensor<16x64xf32>
// CHECK: %[[P:.*]] = tile.trans %[[T]] {permutation = array<i64: 1, 0>}
// CHECK: %[[R:.*]] = tile.reshape %[[P]] : tensor<64x16xf32> -> tensor<16x64xf32>
// CHECK: %[[S:.*]] = arith.addf %[[R]], %cst{{.*}} : tensor<16x64xf32>
// CHECK: tile.store %[[S]], %[[Y]][%{{.*}}, %c0]
tile.kernel @folds(%X: !tile.view<?x64xf32>, %Y: !tile.view<?x64xf32>) {
  %m = tile.dim %X {axis = 0 : i64} : !tile.view<?x64xf32>
  %n = tile.dim %X {axis = 1 : i64} : !tile.view<?x64xf32>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %v = tile.strided %X at %c0 sizes(%m, %n) strides(%n, %c1) : !tile.view<?x64xf32> -> !tile.view<?x?xf32>
  %k = tile.dim %v {axis = 0 : i64} : !tile.view<?x?xf32>
  %one = arith.constant dense<1.0> : tensor<64xf32>
  tile.grid (%i) = (%k) {
    %t = tile.load %X[%i, %c0] : !tile.view<?x64xf32> -> tensor<16x64xf32>
    %same = tile.trans %t {permutation = array<i64: 0, 1>} : tensor<16x64xf32> -> tensor<16x64xf32>
    %p = tile.trans %same {permutation = array<i64: 1, 0>} : tensor<16x64xf32> -> tensor<64x16xf32>
    %flat = tile.reshape %p : tensor<64x16xf32> -> tensor<1024xf32>
    %r = tile.reshape %flat : tensor<1024xf32> -> tensor<16x64xf32>
    %b = tile.broadcast %one {dims = array<i64: 1>} : tensor<64xf32> -> tensor<16x64xf32>
    %s = arith.addf %r, %b : tensor<16x64xf32>
    tile.store %s, %Y[%i, %c0] : tensor<16x64xf32>, !tile.view<?x64xf32>
  }
}

// A product reads a transposed tile as it lies.
// CHECK-LABEL: tile.kernel @dots
// CHECK: %[[A:.*]] = tile.load %{{.*}} -> tensor<16x64xf32>
// CHECK-NOT: tile.trans
// CHECK: tile.dot %[[A]], %[[A]], %{{.*}} {transpose_a} : tensor<16x64xf32>, tensor<16x64xf32> -> tensor<64x64xf32>
tile.kernel @dots(%X: !tile.view<?x64xf32>, %Y: !tile.view<64x64xf32>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  tile.grid () = () {
    %a = tile.load %X[%c0, %c0] : !tile.view<?x64xf32> -> tensor<16x64xf32>
    %t = tile.trans %a {permutation = array<i64: 1, 0>} : tensor<16x64xf32> -> tensor<64x16xf32>
    %d = tile.dot %t, %t, %zero {transpose_b} : tensor<64x16xf32>, tensor<64x16xf32> -> tensor<64x64xf32>
    tile.store %d, %Y[%c0, %c0] : tensor<64x64xf32>, !tile.view<64x64xf32>
  }
}
