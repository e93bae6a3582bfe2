// RUN: tenon-opt %s --tenon-raise-cache-appends --remarks-filter-missed="tenon-raise-cache-appends" --remark-format=emitRemark -o /dev/null 2>&1 | FileCheck %s
// CHECK: no append: whether its indices follow each other is not known
func.func @data(%c: tensor<1x3x16x8xf32>, %u: tensor<1x3x4x8xf32>, %i: tensor<4xi64>) -> tensor<1x3x16x8xf32> {
  %0 = tenon.scatter %c, %i, %u {axis = 2 : i64} : (tensor<1x3x16x8xf32>, tensor<4xi64>, tensor<1x3x4x8xf32>) -> tensor<1x3x16x8xf32>
  return %0 : tensor<1x3x16x8xf32>
}
