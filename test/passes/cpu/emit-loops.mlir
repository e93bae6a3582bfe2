// In: kernels without contraction. Out: tasks of rows, rows by lanes; a partial vector is masked.
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=kernel" --tenon-cpu-choose-schedules --tenon-cpu-outline-kernels --canonicalize \
// RUN:   --cse --tenon-cpu-emit-vectors --canonicalize --cse | FileCheck %s

// The maximum and the sum are vectors until the row's end; the powers stay in scratch between their two uses.
// CHECK-DAG: #[[GRID:.*]] = affine_map<()[s0, s1] -> (s0 ceildiv 512)>
// CHECK-DAG: #[[SCRATCH:.*]] = affine_map<()[s0, s1] -> (128)>
// CHECK: func.func @softmax
// CHECK-SAME: tenon.grid = #[[GRID]]
// CHECK-SAME: tenon.scratch_bytes = #[[SCRATCH]]
// CHECK: %[[KEPT:.*]] = memref.view %{{.*}} : memref<?xi8> to memref<32xf32>
// CHECK: %[[MAX:.*]] = scf.for {{.*}} -> (vector<16xf32>)
// CHECK: arith.maximumf
// CHECK: vector.reduction <maximumf>, %[[MAX]]
// CHECK: math.exp %{{.*}} : vector<16xf32>
// CHECK: vector.store %{{.*}}, %[[KEPT]]
// CHECK: vector.load %[[KEPT]]
// CHECK: vector.reduction <add>
// CHECK: vector.load %[[KEPT]]
// CHECK: arith.divf %{{.*}} : vector<16xf32>
// CHECK: vector.store
func.func @main(%x: tensor<?x32xf32> {tenon.dims = ["rows", ""]}) -> tensor<?x32xf32> {
  %y = tenon.softmax %x {axis = 1 : i64} : (tensor<?x32xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// -----

// The reduced dimension is not innermost: sixteen rows at a time, and the last ones masked.
// CHECK: func.func @reduce_sum
// CHECK: scf.for {{.*}} -> (vector<16xf32>)
// CHECK: vector.load
// CHECK: arith.addf {{.*}} : vector<16xf32>
// CHECK: vector.store
// CHECK: %[[MASK:.*]] = vector.create_mask
// CHECK: vector.maskedload %{{.*}}, %[[MASK]]
// CHECK: vector.maskedstore %{{.*}}, %[[MASK]]
func.func @main(%x: tensor<4x?xf32> {tenon.dims = ["", "columns"]}) -> tensor<?xf32> {
  %y = tenon.reduce_sum %x {axes = array<i64: 0>} : (tensor<4x?xf32>) -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// -----

// Parts of a result are written one after the other; the dimension that no part divides is shared out.
// CHECK: func.func @concat
// CHECK: scf.for
// CHECK: vector.load %[[A:arg0]][%[[ROW:.*]], %{{.*}}]
// CHECK: vector.store %{{.*}}, %[[Y:.*]][%[[ROW]], %{{.*}}]
// CHECK: vector.load %arg1[%[[ROW]], %{{.*}}]
// CHECK: vector.store %{{.*}}, %[[Y]][%[[ROW]], %{{.*}}]
func.func @main(%a: tensor<4x16xf32>, %b: tensor<4x32xf32>) -> tensor<4x48xf32> {
  %y = tenon.concat %a, %b {axis = 1 : i64} : (tensor<4x16xf32>, tensor<4x32xf32>) -> tensor<4x48xf32>
  return %y : tensor<4x48xf32>
}

// -----

// A cache that is appended to is its result but for the new rows, which alone are written.
// CHECK: func.func @kv_cache_append({{.*}}tenon.updates = array<i64: 0>
// CHECK-NOT: vector.load %arg0
// CHECK: vector.load %arg1
// CHECK-NOT: vector.load %arg0
func.func @main(%c: tensor<1x2x64x16xf32>, %u: tensor<1x2x3x16xf32>, %p: tensor<i64>) -> tensor<1x2x64x16xf32> {
  %y = tenon.kv_cache_append %c, %u, %p : (tensor<1x2x64x16xf32>, tensor<1x2x3x16xf32>, tensor<i64>) -> tensor<1x2x64x16xf32>
  return %y : tensor<1x2x64x16xf32>
}

// -----

// A row of the table is read by lanes, its number once; booleans are bytes.
// CHECK: func.func @embedding
// CHECK: memref.load %{{.*}} : memref<5xi64>
// CHECK: vector.load %{{.*}} : memref<7x16xf32>, vector<16xf32>
func.func @main(%t: tensor<7x16xf32>, %i: tensor<5xi64>) -> tensor<5x16xf32> {
  %y = tenon.embedding %t, %i : (tensor<7x16xf32>, tensor<5xi64>) -> tensor<5x16xf32>
  return %y : tensor<5x16xf32>
}

// -----

// CHECK: func.func @compare_select
// CHECK: vector.load %{{.*}} : memref<32xf32>, vector<16xf32>
// CHECK: arith.cmpf olt, %{{.*}} : vector<16xf32>
// CHECK: arith.select %{{.*}} : vector<16xi1>, vector<16xf32>
func.func @main(%a: tensor<32xf32>, %b: tensor<32xf32>) -> tensor<32xf32> {
  %c = tenon.compare %a, %b {predicate = #tenon.compare<lt>} : (tensor<32xf32>, tensor<32xf32>) -> tensor<32xi1>
  %y = tenon.select %c, %a, %b : (tensor<32xi1>, tensor<32xf32>, tensor<32xf32>) -> tensor<32xf32>
  return %y : tensor<32xf32>
}

// -----

// A convolution's sum of 64 x 3 x 3 products is added up in chains of 28 channels, each from zero.
// CHECK: func.func @convolution(
// CHECK: %[[TOTAL:.*]] = scf.for %[[BEGIN:.*]] = %c0 to %c64 step %c28 iter_args(%[[SO_FAR:.*]] = %[[ZERO:cst[_0-9]*]])
// CHECK: %[[END:.*]] = arith.minui
// CHECK: %[[SUM:.*]] = scf.for %{{.*}} = %[[BEGIN]] to %[[END]] step %c1 iter_args(%{{.*}} = %[[ZERO]])
// CHECK-COUNT-2: scf.for %{{.*}} = %c0 to %c3 step %c1
// CHECK: %[[NEXT:.*]] = arith.addf %[[SO_FAR]], %[[SUM]]
// CHECK-NEXT: scf.yield %[[NEXT]]
func.func @main(%x: tensor<1x64x18x18xf32>) -> tensor<1x8x16x16xf32> {
  %w = tenon.weight "w" : tensor<8x64x3x3xf32>
  %y = tenon.convolution %x, %w {stride = array<i64: 1, 1>, padding = array<i64: 0, 0>, dilation = array<i64: 1, 1>} : (tensor<1x64x18x18xf32>, tensor<8x64x3x3xf32>) -> tensor<1x8x16x16xf32>
  return %y : tensor<1x8x16x16xf32>
}

// -----

// A maximum is the same in any order: one chain.
// CHECK: func.func @reduce_max(
// CHECK: scf.for %{{.*}} = %c0 to %c600 step %c1 iter_args
func.func @main(%x: tensor<600x16xf32>) -> tensor<16xf32> {
  %y = tenon.reduce_max %x {axes = array<i64: 0>} : (tensor<600x16xf32>) -> tensor<16xf32>
  return %y : tensor<16xf32>
}

// -----

// What lies along the other dimension is read by rows, sixteen at a time, and turned in registers; rows past the last
// whole block are read an element at a time, columns past the last repeat it and are not stored.
// CHECK-DAG: #[[BLOCKS:.*]] = affine_map<() -> (1)>
// CHECK: func.func @transpose(
// CHECK-SAME: tenon.grid = #[[BLOCKS]]
// CHECK: %[[WHOLE:.*]] = arith.cmpi ule, %{{.*}}, %c40
// CHECK: scf.if %[[WHOLE]]
// CHECK-COUNT-16: vector.load %arg0[%{{.*}}, %{{.*}}] : memref<33x40xf32>, vector<16xf32>
// CHECK-NOT: vector.load
// CHECK-COUNT-64: vector.shuffle
// CHECK-COUNT-16: vector.store
// CHECK-COUNT-16: vector.maskedstore
// CHECK: } else {
// CHECK-NOT: vector.load
// CHECK: memref.load
func.func @main(%x: tensor<33x40xf32>) -> tensor<40x33xf32> {
  %y = tenon.transpose %x {permutation = array<i64: 1, 0>} : (tensor<33x40xf32>) -> tensor<40x33xf32>
  return %y : tensor<40x33xf32>
}
