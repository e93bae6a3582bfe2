// A form that is nearly a norm says what keeps it from being one.
// RUN: tenon-opt %s --tenon-raise-norms --remarks-filter=tenon-raise-norms --remark-format=emitRemark -o /dev/null 2>&1 | FileCheck %s

// CHECK: no norm: others read its mean, variance or root
// CHECK: no rms norm: its mean is not over the innermost dimension
// CHECK: not taken into the norm as its weight: others read the norm
func.func @main(%x: tensor<4x8xf32>, %y: tensor<4x8xf32>, %w: tensor<8xf32>) -> (tensor<4x1xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>) {
  %0 = tenon.square %x : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %1 = tenon.reduce_mean %0 {axes = array<i64: 1>, keep_dims} : (tensor<4x8xf32>) -> tensor<4x1xf32>
  %2 = tenon.rsqrt %1 : (tensor<4x1xf32>) -> tensor<4x1xf32>
  %3 = tenon.mul %x, %2 : (tensor<4x8xf32>, tensor<4x1xf32>) -> tensor<4x8xf32>
  %4 = tenon.square %y : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %5 = tenon.reduce_mean %4 {axes = array<i64: 0>, keep_dims} : (tensor<4x8xf32>) -> tensor<1x8xf32>
  %6 = tenon.rsqrt %5 : (tensor<1x8xf32>) -> tensor<1x8xf32>
  %7 = tenon.mul %y, %6 : (tensor<4x8xf32>, tensor<1x8xf32>) -> tensor<4x8xf32>
  %8 = tenon.rms_norm %y {epsilon = 0.5 : f64} : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %9 = tenon.mul %8, %w : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  return %1, %3, %7, %8, %9 : tensor<4x1xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>
}
