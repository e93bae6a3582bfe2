// Names and operands of the kernels that one becomes, and the forms they are written in.
// RUN: tenon-opt %s --split-input-file --tenon-lower-to-linalg --canonicalize --cse --tenon-split-kernels --canonicalize --cse | FileCheck %s

// Equal kernels have equal parts. What is read by many is a part where it is dear only: cheap factors are not, powers are.
// CHECK: tenon.kernel @twice_part1
// CHECK: tenon.kernel @twice_part2
// CHECK: tenon.kernel @twice_part1
// CHECK: tenon.kernel @twice_part2
// CHECK-NOT: tenon.kernel
func.func @main(%x: tensor<4x8xf32>, %w: tensor<6x8xf32>, %v: tensor<4x8xf32>) -> (tensor<4x6xf32>, tensor<4x6xf32>) {
  %0 = tenon.kernel @twice(%X = %x, %W = %w) : (tensor<4x8xf32>, tensor<6x8xf32>) -> tensor<4x6xf32> {
    %p = tenon.exp %X : (tensor<4x8xf32>) -> tensor<4x8xf32>
    %h = tenon.neg %W : (tensor<6x8xf32>) -> tensor<6x8xf32>
    %1 = tenon.linear %p, %h : (tensor<4x8xf32>, tensor<6x8xf32>) -> tensor<4x6xf32>
    tenon.yield %1 : tensor<4x6xf32>
  }
  %2 = tenon.kernel @twice(%X = %v, %W = %w) : (tensor<4x8xf32>, tensor<6x8xf32>) -> tensor<4x6xf32> {
    %p = tenon.exp %X : (tensor<4x8xf32>) -> tensor<4x8xf32>
    %h = tenon.neg %W : (tensor<6x8xf32>) -> tensor<6x8xf32>
    %1 = tenon.linear %p, %h : (tensor<4x8xf32>, tensor<6x8xf32>) -> tensor<4x6xf32>
    tenon.yield %1 : tensor<4x6xf32>
  }
  return %0, %2 : tensor<4x6xf32>, tensor<4x6xf32>
}

// -----

// Results of two shapes are two parts, an operand that is yielded a copy; a name that is taken is passed over.
// CHECK: %[[OTHER:.*]] = tenon.kernel @both_part1(
// CHECK: %[[DOUBLE:.*]] = tenon.kernel @both_part2(
// CHECK: %[[COPY:.*]] = tenon.kernel @both_part3(
// CHECK-NEXT: tenon.yield %{{.*}} : tensor<5xf32>
// CHECK: return %[[DOUBLE]], %[[COPY]], %[[OTHER]], %[[DOUBLE]]
func.func @main(%x: tensor<4xf32>, %y: tensor<5xf32>) -> (tensor<4xf32>, tensor<5xf32>, tensor<5xf32>, tensor<4xf32>) {
  %o = tenon.kernel @both_part1(%Y = %y) : (tensor<5xf32>) -> tensor<5xf32> {
    %1 = tenon.neg %Y : (tensor<5xf32>) -> tensor<5xf32>
    tenon.yield %1 : tensor<5xf32>
  }
  %0:3 = tenon.kernel @both(%X = %x, %Y = %y) : (tensor<4xf32>, tensor<5xf32>) -> (tensor<4xf32>, tensor<5xf32>, tensor<4xf32>) {
    %1 = tenon.add %X, %X : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    tenon.yield %1, %Y, %1 : tensor<4xf32>, tensor<5xf32>, tensor<4xf32>
  }
  return %0#0, %0#1, %o, %0#2 : tensor<4xf32>, tensor<5xf32>, tensor<5xf32>, tensor<4xf32>
}

// -----

// Arithmetic on tensors and named ops are generics afterwards.
// CHECK: tenon.kernel @named
// CHECK-COUNT-2: linalg.generic
// CHECK-NOT: linalg.transpose
func.func @main(%x: tensor<4x5xf32>) -> tensor<5x4xf32> {
  %0 = tenon.kernel @named(%X = %x) : (tensor<4x5xf32>) -> tensor<5x4xf32> {
    %1 = arith.negf %X : tensor<4x5xf32>
    %empty = tensor.empty() : tensor<5x4xf32>
    %2 = linalg.transpose ins(%1 : tensor<4x5xf32>) outs(%empty : tensor<5x4xf32>) permutation = [1, 0]
    tenon.yield %2 : tensor<5x4xf32>
  }
  return %0 : tensor<5x4xf32>
}
