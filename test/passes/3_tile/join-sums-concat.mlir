// In: a concatenation that a norm reads, and others. Out: two kernels, each with a program on tiles.
// RUN: tenon-opt %s --tenon-phases="to=tile gpu=sm_90a" | FileCheck %s

// Tensors side by side that others read too are no second result of the norm: they would be stored one by one.
// CHECK-LABEL: func.func @main
// CHECK-NOT: no_program
// CHECK: tenon.launch @kernels::@concat(
// CHECK: tenon.launch @kernels::@layer_norm(
func.func @main(%c: tensor<1x1x768xbf16>, %x: tensor<1x196x768xbf16>) -> (tensor<1x197x768xbf16>, tensor<1x197x768xbf16>) {
  %0 = tenon.concat %c, %x {axis = 1 : i64} : (tensor<1x1x768xbf16>, tensor<1x196x768xbf16>) -> tensor<1x197x768xbf16>
  %1 = tenon.layer_norm %0 {epsilon = 1.0e-5 : f64} : (tensor<1x197x768xbf16>) -> tensor<1x197x768xbf16>
  return %0, %1 : tensor<1x197x768xbf16>, tensor<1x197x768xbf16>
}
