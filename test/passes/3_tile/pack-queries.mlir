// In: attention of one query a head. Out: the heads of a group are queries; what asks for heads apart stays.
// RUN: tenon-opt %s --split-input-file --tenon-pack-queries | FileCheck %s

// CHECK-LABEL: func.func @main
// CHECK: tenon.attention {{.*}} mask(%{{.*}}) : (tensor<?x2x3x8xf32>, tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>, tensor<2x3x?xf32>) -> tensor<?x2x3x8xf32>
func.func @main(%q: tensor<?x6x1x8xf32>, %k: tensor<?x2x?x8xf32>, %m: tensor<6x1x?xf32>) -> tensor<?x6x1x8xf32> {
  %y = tenon.kernel @attention(%Q = %q, %K = %k, %M = %m) : (tensor<?x6x1x8xf32>, tensor<?x2x?x8xf32>, tensor<6x1x?xf32>) -> tensor<?x6x1x8xf32> {
    %0 = tenon.attention %Q, %K, %K mask(%M) {causal} : (tensor<?x6x1x8xf32>, tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>, tensor<6x1x?xf32>) -> tensor<?x6x1x8xf32>
    tenon.yield %0 : tensor<?x6x1x8xf32>
  }
  return %y : tensor<?x6x1x8xf32>
}

// -----

// Several queries, a window, heads with their own keys.
// CHECK-LABEL: func.func @main
// CHECK-NOT: tensor.expand_shape
func.func @main(%q: tensor<2x6x2x8xf32>, %r: tensor<2x6x1x8xf32>, %k: tensor<2x2x9x8xf32>, %l: tensor<2x6x9x8xf32>) -> (tensor<2x6x2x8xf32>, tensor<2x6x1x8xf32>, tensor<2x6x1x8xf32>) {
  %y:3 = tenon.kernel @attention(%Q = %q, %R = %r, %K = %k, %L = %l) : (tensor<2x6x2x8xf32>, tensor<2x6x1x8xf32>, tensor<2x2x9x8xf32>, tensor<2x6x9x8xf32>) -> (tensor<2x6x2x8xf32>, tensor<2x6x1x8xf32>, tensor<2x6x1x8xf32>) {
    %0 = tenon.attention %Q, %K, %K {causal} : (tensor<2x6x2x8xf32>, tensor<2x2x9x8xf32>, tensor<2x2x9x8xf32>) -> tensor<2x6x2x8xf32>
    %1 = tenon.attention %R, %K, %K {causal, window = 3 : i64} : (tensor<2x6x1x8xf32>, tensor<2x2x9x8xf32>, tensor<2x2x9x8xf32>) -> tensor<2x6x1x8xf32>
    %2 = tenon.attention %R, %L, %L : (tensor<2x6x1x8xf32>, tensor<2x6x9x8xf32>, tensor<2x6x9x8xf32>) -> tensor<2x6x1x8xf32>
    tenon.yield %0, %1, %2 : tensor<2x6x2x8xf32>, tensor<2x6x1x8xf32>, tensor<2x6x1x8xf32>
  }
  return %y#0, %y#1, %y#2 : tensor<2x6x2x8xf32>, tensor<2x6x1x8xf32>, tensor<2x6x1x8xf32>
}
