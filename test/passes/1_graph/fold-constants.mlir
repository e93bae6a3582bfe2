// Ops on constants become constants, unless that is larger than what it is made of.
// RUN: tenon-opt %s --tenon-fold-constants --split-input-file | FileCheck %s

// A chain, each op rounded to its own type: 1 / sqrt(8) in f16.
// CHECK-LABEL: @scale
// CHECK-NEXT: %[[C:.*]] = tenon.constant dense<3.535160e-01> : tensor<f16>
// CHECK-NEXT: tenon.mul %{{.*}}, %[[C]]
func.func @scale(%x: tensor<4xf16>) -> tensor<4xf16> {
  %d = tenon.constant dense<8> : tensor<i64>
  %0 = tenon.cast %d : (tensor<i64>) -> tensor<f32>
  %1 = tenon.rsqrt %0 : (tensor<f32>) -> tensor<f32>
  %2 = tenon.cast %1 : (tensor<f32>) -> tensor<f16>
  %3 = tenon.mul %x, %2 : (tensor<4xf16>, tensor<f16>) -> tensor<4xf16>
  return %3 : tensor<4xf16>
}

// -----

// Two results; a constant with another reader stays.
// CHECK-LABEL: @split
// CHECK-DAG: %[[W:.*]] = tenon.constant dense<[1.000000e+00, 2.000000e+00, 3.000000e+00]> : tensor<3xf32>
// CHECK-DAG: %[[A:.*]] = tenon.constant dense<1.000000e+00> : tensor<1xf32>
// CHECK-DAG: %[[B:.*]] = tenon.constant dense<[2.000000e+00, 3.000000e+00]> : tensor<2xf32>
// CHECK: return %[[W]], %[[A]], %[[B]]
func.func @split() -> (tensor<3xf32>, tensor<1xf32>, tensor<2xf32>) {
  %w = tenon.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  %a, %b = tenon.split %w {axis = 0 : i64, sizes = array<i64: 1, 2>} : (tensor<3xf32>) -> (tensor<1xf32>, tensor<2xf32>)
  return %w, %a, %b : tensor<3xf32>, tensor<1xf32>, tensor<2xf32>
}

// -----

// Wraps as the op does, and compares NaN as it does.
// CHECK-LABEL: @integers_and_nan
// CHECK-DAG: tenon.constant dense<-128> : tensor<i8>
// CHECK-DAG: tenon.constant dense<true> : tensor<i1>
func.func @integers_and_nan() -> (tensor<i8>, tensor<i1>) {
  %a = tenon.constant dense<127> : tensor<i8>
  %b = tenon.constant dense<1> : tensor<i8>
  %n = tenon.constant dense<0x7FC00000> : tensor<f32>
  %0 = tenon.add %a, %b : (tensor<i8>, tensor<i8>) -> tensor<i8>
  %1 = tenon.compare %n, %n {predicate = #tenon.compare<ne>} : (tensor<f32>, tensor<f32>) -> tensor<i1>
  return %0, %1 : tensor<i8>, tensor<i1>
}

// -----

// 4 KiB of 4 bytes, a vector that is computed anyway, and a weight.
// CHECK-LABEL: @negative_symbolic
// CHECK: tenon.expand
// CHECK: tenon.iota
// CHECK: tenon.sin
// CHECK: tenon.neg
func.func @negative_symbolic() -> (tensor<1024xf32>, tensor<8xf32>, tensor<4xf32>) {
  %c = tenon.constant dense<1.0> : tensor<1xf32>
  %0 = tenon.expand %c : (tensor<1xf32>) -> tensor<1024xf32>
  %i = tenon.iota {axis = 0 : i64} : () -> tensor<8xf32>
  %1 = tenon.sin %i : (tensor<8xf32>) -> tensor<8xf32>
  %w = tenon.weight "w" : tensor<4xf32>
  %2 = tenon.neg %w : (tensor<4xf32>) -> tensor<4xf32>
  return %0, %1, %2 : tensor<1024xf32>, tensor<8xf32>, tensor<4xf32>
}

// -----

// Up to 1 KiB may come of anything.
// CHECK-LABEL: @small_enough
// CHECK-NEXT: tenon.constant dense<1.000000e+00> : tensor<256xf32>
// CHECK-NEXT: return
func.func @small_enough() -> tensor<256xf32> {
  %c = tenon.constant dense<1.0> : tensor<1xf32>
  %0 = tenon.expand %c : (tensor<1xf32>) -> tensor<256xf32>
  return %0 : tensor<256xf32>
}
