// What is merged and what is not says so.
// RUN: tenon-opt %s --tenon-merge-projections --remarks-filter=tenon-merge-projections --remark-format=emitRemark -o /dev/null 2>&1 | FileCheck %s

// CHECK-DAG: 3 linears of one input merged into one of 12 outputs
// CHECK-DAG: linear not merged with others of its input: something other than attention, rope or a cache reads its result
func.func @main(%x: tensor<1x1x3x4xf32>) -> (tensor<1x1x3x4xf32>, tensor<1x1x3x4xf32>) {
  %w = tenon.weight "w" : tensor<4x4xf32>
  %u = tenon.weight "u" : tensor<4x4xf32>
  %p = tenon.weight "p" : tensor<4x4xf32>
  %b = tenon.weight "b" : tensor<4xf32>
  %q = tenon.linear %x, %w : (tensor<1x1x3x4xf32>, tensor<4x4xf32>) -> tensor<1x1x3x4xf32>
  %k = tenon.linear %x, %u : (tensor<1x1x3x4xf32>, tensor<4x4xf32>) -> tensor<1x1x3x4xf32>
  %v = tenon.linear %x, %p : (tensor<1x1x3x4xf32>, tensor<4x4xf32>) -> tensor<1x1x3x4xf32>
  %o = tenon.linear %x, %p, %b : (tensor<1x1x3x4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> tensor<1x1x3x4xf32>
  %r = tenon.attention %q, %k, %v : (tensor<1x1x3x4xf32>, tensor<1x1x3x4xf32>, tensor<1x1x3x4xf32>) -> tensor<1x1x3x4xf32>
  return %r, %o : tensor<1x1x3x4xf32>, tensor<1x1x3x4xf32>
}
