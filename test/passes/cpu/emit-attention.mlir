// In: attention between views. Out: blocks of keys, in them blocks of queries; no tensor of scores.
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=kernel" --tenon-cpu-choose-schedules --tenon-cpu-outline-kernels \
// RUN:   --canonicalize --cse --tenon-cpu-emit-vectors --canonicalize --cse | FileCheck %s

// Scratch: 32 x 64 keys, 6 x 64 powers, 192 x 32 outputs, 192 + 16 maxima, 192 x 16 sums, 2 x 16 of a block.
// CHECK-DAG: #[[GRID:.*]] = affine_map<()[s0, s1] -> ((s0 ceildiv 192) * 8)>
// CHECK-DAG: #[[SCRATCH:.*]] = affine_map<()[s0, s1] -> (47552)>
// CHECK: func.func @attention(%[[X:.*]]: memref<2x?x384xf32>, %[[Y:.*]]: memref<2x?x128xf32>
// CHECK-SAME: tenon.grid = #[[GRID]]
// CHECK-SAME: tenon.scratch_bytes = #[[SCRATCH]]
// CHECK: %[[KEYS:.*]] = memref.view %{{.*}} : memref<?xi8> to memref<32x64xf32>
// CHECK: %[[POWERS:.*]] = memref.view %{{.*}} : memref<?xi8> to memref<6x64xf32>
// The block of keys, transposed; scores of 6 queries x 4 vectors; their maxima and powers; the values.
// CHECK: vector.store %{{.*}}, %[[KEYS]]
// CHECK: scf.for {{.*}} -> (vector<16xf32>, vector<16xf32>,
// CHECK: vector.load %[[KEYS]]
// CHECK-COUNT-24: vector.fma
// CHECK: arith.cmpf ogt
// CHECK: vector.shuffle
// CHECK: math.exp %{{.*}} : vector<16xf32>
// CHECK: vector.store %{{.*}}, %[[POWERS]]
// CHECK: memref.load %[[POWERS]]
// CHECK-COUNT-2: vector.fma
// CHECK: vector.store %{{.*}}, %[[Y]]
func.func @main(%x: tensor<2x?x384xf32> {tenon.dims = ["", "n", ""]}) -> tensor<2x?x128xf32> {
  %n = tenon.dim %x {axis = 1 : i64} : (tensor<2x?x384xf32>) -> tensor<i64>
  %q, %k, %v = tenon.split %x {axis = 2 : i64, sizes = array<i64: 128, 128, 128>} : (tensor<2x?x384xf32>) -> (tensor<2x?x128xf32>, tensor<2x?x128xf32>, tensor<2x?x128xf32>)
  %q4 = tenon.reshape %q, %n : (tensor<2x?x128xf32>, tensor<i64>) -> tensor<2x?x4x32xf32>
  %k4 = tenon.reshape %k, %n : (tensor<2x?x128xf32>, tensor<i64>) -> tensor<2x?x4x32xf32>
  %v4 = tenon.reshape %v, %n : (tensor<2x?x128xf32>, tensor<i64>) -> tensor<2x?x4x32xf32>
  %qt = tenon.transpose %q4 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<2x?x4x32xf32>) -> tensor<2x4x?x32xf32>
  %kt = tenon.transpose %k4 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<2x?x4x32xf32>) -> tensor<2x4x?x32xf32>
  %vt = tenon.transpose %v4 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<2x?x4x32xf32>) -> tensor<2x4x?x32xf32>
  %a = tenon.attention %qt, %kt, %vt : (tensor<2x4x?x32xf32>, tensor<2x4x?x32xf32>, tensor<2x4x?x32xf32>) -> tensor<2x4x?x32xf32>
  %at = tenon.transpose %a {permutation = array<i64: 0, 2, 1, 3>} : (tensor<2x4x?x32xf32>) -> tensor<2x?x4x32xf32>
  %y = tenon.reshape %at, %n : (tensor<2x?x4x32xf32>, tensor<i64>) -> tensor<2x?x128xf32>
  return %y : tensor<2x?x128xf32>
}

// -----

// Keys after the last that a chunk's queries see are not visited, and a block no query sees is left out.
// CHECK: func.func @attention
// CHECK: arith.minsi
// CHECK: arith.maxsi
// CHECK: arith.cmpi sle
// CHECK: scf.if
// CHECK: arith.cmpi sle, %{{.*}} : vector<16xindex>
// CHECK: arith.select
func.func @main(%q: tensor<1x4x?x32xf32> {tenon.dims = ["", "", "n", ""]}, %k: tensor<1x2x?x32xf32> {tenon.dims = ["", "", "m", ""]}) -> tensor<1x4x?x32xf32> {
  %a = tenon.attention %q, %k, %k {causal} : (tensor<1x4x?x32xf32>, tensor<1x2x?x32xf32>, tensor<1x2x?x32xf32>) -> tensor<1x4x?x32xf32>
  return %a : tensor<1x4x?x32xf32>
}
