// What keeps a form from being rope is said.
// RUN: tenon-opt %s --tenon-raise-rope --remarks-filter=tenon-raise-rope --remark-format=emitRemark -o /dev/null 2>&1 | FileCheck %s

// CHECK: no rope: whether the halves of its tables are equal is not known
func.func @main(%x: tensor<3x4xf32>, %c: tensor<3x4xf32>, %s: tensor<3x4xf32>) -> tensor<3x4xf32> {
  %x1, %x2 = tenon.split %x {axis = 1 : i64, sizes = array<i64: 2, 2>} : (tensor<3x4xf32>) -> (tensor<3x2xf32>, tensor<3x2xf32>)
  %0 = tenon.neg %x2 : (tensor<3x2xf32>) -> tensor<3x2xf32>
  %1 = tenon.concat %0, %x1 {axis = 1 : i64} : (tensor<3x2xf32>, tensor<3x2xf32>) -> tensor<3x4xf32>
  %2 = tenon.mul %x, %c : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  %3 = tenon.mul %1, %s : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  %4 = tenon.add %2, %3 : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %4 : tensor<3x4xf32>
}
