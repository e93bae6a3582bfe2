// A loop counts in 32 bits: a dimension that it cannot count is refused where it is known.
// RUN: not tenon-opt %s --tenon-phases="to=thread gpu=sm_90a" 2>&1 | FileCheck %s
// CHECK: error: {{.*}}has a dimension of 4294967296 elements, which its loops count in 32 bits: 2^31 - 1 at most; split the dimension in the model
func.func @main(%x: tensor<2x4294967296xf32>) -> tensor<2x4294967296xf32> {
  %y = tenon.cumsum %x {axis = 1 : i64} : (tensor<2x4294967296xf32>) -> tensor<2x4294967296xf32>
  return %y : tensor<2x4294967296xf32>
}
