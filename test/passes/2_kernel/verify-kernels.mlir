// What phase kernel leaves behind passes unchanged; an op left over, inside or outside, is named.
// RUN: tenon-opt %s --tenon-verify-kernels --split-input-file --verify-diagnostics | FileCheck %s

// CHECK-LABEL: @main
// CHECK: tenon.kernel @copy
// CHECK: tenon.attention
func.func @main(%q: tensor<1x2x?x8xf32>, %n: tensor<1x2x3x8xf32>) -> (tensor<1x2x?x8xf32>, tensor<6x8xf32>) {
  %one = tenon.constant dense<1> : tensor<i64>
  %size = tenon.dim %q {axis = 2 : i64} : (tensor<1x2x?x8xf32>) -> tensor<i64>
  %more = tenon.add %size, %one : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %w = tenon.weight "w" : tensor<1x2x3x8xf32>
  %y = tenon.kernel @copy(%Q = %q, %K = %n, %W = %w) : (tensor<1x2x?x8xf32>, tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>) -> tensor<1x2x?x8xf32> {
    %a = tenon.attention %Q, %K, %W : (tensor<1x2x?x8xf32>, tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>) -> tensor<1x2x?x8xf32>
    tenon.yield %a : tensor<1x2x?x8xf32>
  }
  %r = tenon.reshape %w : (tensor<1x2x3x8xf32>) -> tensor<6x8xf32>
  return %y, %r : tensor<1x2x?x8xf32>, tensor<6x8xf32>
}

// -----

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'tenon.relu' op is in @main outside any kernel after phase kernel, expected weights, constants, reshapes, sizes and kernels; tenon-form-kernels has to put it into one}}
  %y = tenon.relu %x : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = tenon.kernel @relu(%X = %x) : (tensor<4xf32>) -> tensor<4xf32> {
    // expected-error @+1 {{'tenon.relu' op is inside kernel @relu after phase kernel, expected linalg, tensor, arith, math, scf, affine, tenon.attention or tenon.yield; give it a lowering in passes/2_kernel}}
    %0 = tenon.relu %X : (tensor<4xf32>) -> tensor<4xf32>
    tenon.yield %0 : tensor<4xf32>
  }
  return %y : tensor<4xf32>
}
