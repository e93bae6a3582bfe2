// A softmax whose parts others read says so.
// RUN: tenon-opt %s --tenon-raise-softmax --remarks-filter=tenon-raise-softmax --remark-format=emitRemark -o /dev/null 2>&1 | FileCheck %s

// CHECK: no softmax: others read its exponentials, sum or maximum
func.func @main(%x: tensor<4x5xf32>) -> (tensor<4x1xf32>, tensor<4x5xf32>) {
  %0 = tenon.reduce_max %x {axes = array<i64: 1>, keep_dims} : (tensor<4x5xf32>) -> tensor<4x1xf32>
  %1 = tenon.sub %x, %0 : (tensor<4x5xf32>, tensor<4x1xf32>) -> tensor<4x5xf32>
  %2 = tenon.exp %1 : (tensor<4x5xf32>) -> tensor<4x5xf32>
  %3 = tenon.reduce_sum %2 {axes = array<i64: 1>, keep_dims} : (tensor<4x5xf32>) -> tensor<4x1xf32>
  %4 = tenon.div %2, %3 : (tensor<4x5xf32>, tensor<4x1xf32>) -> tensor<4x5xf32>
  return %3, %4 : tensor<4x1xf32>, tensor<4x5xf32>
}
