// The optimiser driver knows the tenon dialect and keeps what it reads.
// RUN: tenon-opt %s | FileCheck %s

// CHECK-LABEL: func.func @main
// CHECK: tenon.relu
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = tenon.relu %x : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}
