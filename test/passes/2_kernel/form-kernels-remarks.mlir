// What became one kernel is said by the kernel's final name, and what stayed apart with the reason, one case a reason.
// RUN: tenon-opt %s --split-input-file --tenon-form-kernels --remarks-filter=tenon-form-kernels --remark-format=emitRemark -o /dev/null 2>&1 | FileCheck %s

// CHECK: layer_norm not fused with linear: a row is complete only when the whole of linear is
// CHECK: relu not fused with linear: its result has several uses
// CHECK: formed @linear of linear
// CHECK: formed @layer_norm of layer_norm
// CHECK: formed @relu of relu
func.func @main(%x: tensor<4x8xf32>, %w: tensor<8x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %0 = tenon.linear %x, %w : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32>
  %1 = tenon.layer_norm %0 {epsilon = 1.0e-5 : f64} : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %2 = tenon.relu %0 : (tensor<4x8xf32>) -> tensor<4x8xf32>
  return %1, %2 : tensor<4x8xf32>, tensor<4x8xf32>
}

// -----

// The second of two kernels that would have one name.
// CHECK: formed @relu of relu
// CHECK: formed @relu_1 of relu
func.func @main(%x: tensor<4xf32>, %y: tensor<5xf32>) -> (tensor<4xf32>, tensor<5xf32>) {
  %0 = tenon.relu %x : (tensor<4xf32>) -> tensor<4xf32>
  %1 = tenon.relu %y : (tensor<5xf32>) -> tensor<5xf32>
  return %0, %1 : tensor<4xf32>, tensor<5xf32>
}

// -----

// CHECK: add not fused with mul: that is computed once, from weights alone
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %v = tenon.weight "v" : tensor<4xf32>
  %0 = tenon.mul %v, %v : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %1 = tenon.add %x, %0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// -----

// CHECK: add not fused with linear: the shape changes from tensor<1x8xf32> to tensor<4x8xf32>
func.func @main(%x: tensor<1x8xf32>, %w: tensor<8x8xf32>, %y: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = tenon.linear %x, %w : (tensor<1x8xf32>, tensor<8x8xf32>) -> tensor<1x8xf32>
  %1 = tenon.add %0, %y : (tensor<1x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  return %1 : tensor<4x8xf32>
}

// -----

// CHECK: add not fused with linear: the kernel has an anchor already, linear
// CHECK: formed @linear_add of linear, add
func.func @main(%x: tensor<4x8xf32>, %w: tensor<8x8xf32>, %u: tensor<8x8xf32>) -> tensor<4x8xf32> {
  %0 = tenon.linear %x, %w : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32>
  %1 = tenon.linear %x, %u : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32>
  %2 = tenon.add %0, %1 : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  return %2 : tensor<4x8xf32>
}

// -----

// CHECK: relu not fused with pad: its loops do not compute one element at a time
func.func @main(%x: tensor<4xf32>) -> tensor<6xf32> {
  %0 = tenon.pad %x {low = array<i64: 1>, high = array<i64: 1>, value = 0.0 : f64} : (tensor<4xf32>) -> tensor<6xf32>
  %1 = tenon.relu %0 : (tensor<6xf32>) -> tensor<6xf32>
  return %1 : tensor<6xf32>
}

// -----

// CHECK: layer_norm not fused with embedding: its gathers would be repeated for each statistic
func.func @main(%t: tensor<9x8xf32>, %i: tensor<4xi64>) -> tensor<4x8xf32> {
  %0 = tenon.embedding %t, %i : (tensor<9x8xf32>, tensor<4xi64>) -> tensor<4x8xf32>
  %1 = tenon.layer_norm %0 {epsilon = 1.0e-5 : f64} : (tensor<4x8xf32>) -> tensor<4x8xf32>
  return %1 : tensor<4x8xf32>
}

// -----

// CHECK: attention writes its heads as they are: no transpose alone reads the result
func.func @main(%q: tensor<1x2x5x8xf32>) -> tensor<1x2x5x8xf32> {
  %0 = tenon.attention %q, %q, %q : (tensor<1x2x5x8xf32>, tensor<1x2x5x8xf32>, tensor<1x2x5x8xf32>) -> tensor<1x2x5x8xf32>
  return %0 : tensor<1x2x5x8xf32>
}

// -----

// CHECK: rms_norm not fused with add: what others compute of its result is read, too
// CHECK: formed @reduce_sum of reduce_sum
func.func @main(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = tenon.add %x, %x : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %1 = tenon.reduce_sum %0 {axes = array<i64: 0>} : (tensor<4x8xf32>) -> tensor<8xf32>
  %2 = tenon.rms_norm %0, %1 {epsilon = 1.0e-5 : f64} : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  return %2 : tensor<4x8xf32>
}
