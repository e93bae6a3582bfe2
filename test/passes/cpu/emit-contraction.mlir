// In: contractions in tensor form. Out: tasks of panels and chunks, a register block of vector.fma, the epilogue on its sums.
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=kernel" --tenon-cpu-choose-schedules --tenon-cpu-pack-weights \
// RUN:   --tenon-cpu-outline-kernels --canonicalize --cse --tenon-cpu-emit-vectors --canonicalize --cse | FileCheck %s

// Two rows of two vectors: four sums go through the loop, then bias and activation are added to them and they are stored.
// CHECK-DAG: #[[GRID:.*]] = affine_map<() -> (2)>
// CHECK: func.func @linear_relu(%[[X:.*]]: memref<2x8xf32>, %[[W:.*]]: memref<2x8x64xf32>, %[[B:.*]]: memref<128xf32>, %[[Y:.*]]: memref<2x128xf32>
// CHECK-SAME: tenon.grid = #[[GRID]]
// CHECK: scf.for %[[TASK:.*]] =
// CHECK: %[[SUMS:.*]]:8 = scf.for %[[K:.*]] = %c0 to %c8 step %c1
// CHECK-COUNT-4: vector.load %[[W]][%{{.*}}, %[[K]], %{{.*}}] : memref<2x8x64xf32>, vector<16xf32>
// CHECK: memref.load %[[X]][%c0, %[[K]]]
// CHECK: vector.broadcast
// CHECK-COUNT-4: vector.fma
// CHECK: memref.load %[[X]][%c1, %[[K]]]
// CHECK-COUNT-4: vector.fma
// CHECK: %[[BIAS:.*]] = vector.load %[[B]]
// CHECK: %[[SUM:.*]] = arith.addf %[[SUMS]]#0, %[[BIAS]]
// CHECK: %[[MAX:.*]] = arith.maximumf %[[SUM]]
// CHECK: vector.store %[[MAX]], %[[Y]]
func.func @main(%x: tensor<2x8xf32>, %b: tensor<128xf32>) -> tensor<2x128xf32> {
  %w = tenon.weight "w" : tensor<128x8xf32>
  %0 = tenon.linear %x, %w, %b : (tensor<2x8xf32>, tensor<128x8xf32>, tensor<128xf32>) -> tensor<2x128xf32>
  %1 = tenon.relu %0 : (tensor<2x128xf32>) -> tensor<2x128xf32>
  return %1 : tensor<2x128xf32>
}

// -----

// 16-bit operands are widened as they are read, the result is rounded once. A last panel of 4 columns is stored masked.
// CHECK: func.func @linear
// CHECK: vector.load %{{.*}} : memref<1x8x16xbf16>, vector<16xbf16>
// CHECK: arith.extf %{{.*}} : vector<16xbf16> to vector<16xf32>
// CHECK: memref.load %{{.*}} : memref<1x8xbf16>
// CHECK: arith.extf %{{.*}} : bf16 to f32
// CHECK: vector.fma
// CHECK: arith.truncf %{{.*}} : vector<16xf32> to vector<16xbf16>
// CHECK: vector.maskedstore
func.func @main(%x: tensor<1x8xbf16>) -> tensor<1x4xbf16> {
  %w = tenon.weight "w" : tensor<4x8xbf16>
  %0 = tenon.linear %x, %w : (tensor<1x8xbf16>, tensor<4x8xbf16>) -> tensor<1x4xbf16>
  return %0 : tensor<1x4xbf16>
}

// -----

// A right-hand side that the model computes is packed by each task, into scratch of 8 x 64 floats.
// CHECK-DAG: #[[SCRATCH:.*]] = affine_map<() -> (2048)>
// CHECK: func.func @matmul
// CHECK-SAME: tenon.scratch_bytes = #[[SCRATCH]]
// CHECK: %[[PANEL:.*]] = memref.view %{{.*}} : memref<?xi8> to memref<8x64xf32>
// CHECK: vector.store %{{.*}}, %[[PANEL]]
// CHECK: vector.load %[[PANEL]]
// CHECK: vector.fma
func.func @main(%x: tensor<3x4x8xf32>, %y: tensor<3x8x64xf32>) -> tensor<3x4x64xf32> {
  %0 = tenon.matmul %x, %y : (tensor<3x4x8xf32>, tensor<3x8x64xf32>) -> tensor<3x4x64xf32>
  return %0 : tensor<3x4x64xf32>
}

// -----

// 384 products of floats are added up in two chains of 192, each from zero, and what they came to is added to the totals.
// CHECK: func.func @linear(
// CHECK: %[[TOTALS:.*]] = scf.for %[[BEGIN:.*]] = %c0 to %c384 step %c192 iter_args(%[[TOTAL:.*]] = %[[ZERO:cst[_0-9]*]])
// CHECK: %[[END:.*]] = arith.addi %[[BEGIN]], %c192
// CHECK: %[[SUM:.*]] = scf.for %{{.*}} = %[[BEGIN]] to %[[END]] step %c1 iter_args(%{{.*}} = %[[ZERO]])
// CHECK: vector.fma
// CHECK: %[[NEXT:.*]] = arith.addf %[[TOTAL]], %[[SUM]]
// CHECK-NEXT: scf.yield %[[NEXT]]
// CHECK: vector.store %[[TOTALS]]
func.func @main(%x: tensor<1x384xf32>) -> tensor<1x16xf32> {
  %w = tenon.weight "w" : tensor<16x384xf32>
  %0 = tenon.linear %x, %w : (tensor<1x384xf32>, tensor<16x384xf32>) -> tensor<1x16xf32>
  return %0 : tensor<1x16xf32>
}

// -----

// A depth without a fitting divisor ends in a shorter chain.
// CHECK: func.func @linear(
// CHECK: scf.for %[[BEGIN:.*]] = %c0 to %c509 step %c256
// CHECK: %[[END:.*]] = arith.addi %[[BEGIN]], %c256
// CHECK: %[[LAST:.*]] = arith.minui %[[END]], %c509
// CHECK: scf.for %{{.*}} = %[[BEGIN]] to %[[LAST]] step %c1
func.func @main(%x: tensor<1x509xf32>) -> tensor<1x16xf32> {
  %w = tenon.weight "w" : tensor<16x509xf32>
  %0 = tenon.linear %x, %w : (tensor<1x509xf32>, tensor<16x509xf32>) -> tensor<1x16xf32>
  return %0 : tensor<1x16xf32>
}

// -----

// Sums of integers are exact in any order: one chain.
// CHECK: func.func @matmul(
// CHECK: scf.for %{{.*}} = %c0 to %c512 step %c1 iter_args
func.func @main(%x: tensor<1x512xi32>, %y: tensor<512x16xi32>) -> tensor<1x16xi32> {
  %0 = tenon.matmul %x, %y : (tensor<1x512xi32>, tensor<512x16xi32>) -> tensor<1x16xi32>
  return %0 : tensor<1x16xi32>
}
