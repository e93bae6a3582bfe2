// Indices are operands; what they name is extracted, each moved into its dimension first.
// RUN: tenon-opt %s --tenon-form-kernels --tenon-lower-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

// A tuple of two indices names the first two dimensions, the third is the result's own.
// CHECK-DAG: #[[FIRST:.*]] = affine_map<(d0, d1) -> (d0, 0)>
// CHECK-DAG: #[[SECOND:.*]] = affine_map<(d0, d1) -> (d0, 1)>
// CHECK-LABEL: @main
// CHECK: tenon.kernel @gather_nd(%[[X:.*]] = %{{.*}}, %[[I:.*]] = %{{.*}})
// CHECK: linalg.generic {indexing_maps = [#[[FIRST]], #[[SECOND]], #{{.*}}], {{.*}} ins(%[[I]], %[[I]]
// CHECK: %[[INNER:.*]] = linalg.index 1
// CHECK: %[[A:.*]] = arith.maxsi
// CHECK: %[[B:.*]] = arith.maxsi
// CHECK: tensor.extract %[[X]][%[[A]], %[[B]], %[[INNER]]]
func.func @main(%x: tensor<?x5x8xf32>, %i: tensor<3x2xi64>) -> tensor<3x8xf32> {
  %r = tenon.gather_nd %x, %i : (tensor<?x5x8xf32>, tensor<3x2xi64>) -> tensor<3x8xf32>
  return %r : tensor<3x8xf32>
}

// -----

// Empty tuples name the whole input, once for each.
// CHECK-LABEL: @main
// CHECK: linalg.generic
// CHECK: %[[AT:.*]] = linalg.index 1
// CHECK: tensor.extract %{{.*}}[%[[AT]]]
func.func @main(%x: tensor<8xf32>, %i: tensor<3x0xi64>) -> tensor<3x8xf32> {
  %r = tenon.gather_nd %x, %i : (tensor<8xf32>, tensor<3x0xi64>) -> tensor<3x8xf32>
  return %r : tensor<3x8xf32>
}
