// A form that others read the inside of says so.
// RUN: tenon-opt %s --tenon-raise-activations --remarks-filter=tenon-raise-activations --remark-format=emitRemark -o /dev/null 2>&1 | FileCheck %s

// CHECK: no silu: others read what is inside
// CHECK: no gated activation: others read the gate
func.func @main(%x: tensor<4xf32>, %g: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %0 = tenon.sigmoid %x : (tensor<4xf32>) -> tensor<4xf32>
  %1 = tenon.mul %x, %0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %2 = tenon.silu %g : (tensor<4xf32>) -> tensor<4xf32>
  %3 = tenon.mul %2, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %0, %1, %2, %3 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}
