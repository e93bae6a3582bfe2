// Ops inside tenon.kernel become linalg on tensors; what stands outside, and tenon.attention, stay.
// RUN: tenon-opt %s --tenon-lower-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

// A linear reads its weight as stored; the bias is added to the accumulator.
// CHECK-DAG: #[[X:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
// CHECK-DAG: #[[W:.*]] = affine_map<(d0, d1, d2, d3) -> (d2, d3)>
// CHECK-LABEL: @linear_gelu_dynamic_f32
// CHECK: tenon.kernel @linear_gelu(%[[XIN:.*]] = %{{.*}}, %[[WIN:.*]] = %{{.*}}, %[[BIN:.*]] = %{{.*}})
// CHECK: %[[ACC:.*]] = linalg.generic {indexing_maps = [#[[X]], #[[W]],
// CHECK-SAME: "reduction"]} ins(%[[XIN]], %[[WIN]]
// CHECK: %[[SUM:.*]] = linalg.generic {{.*}} ins(%[[ACC]], %[[BIN]]
// CHECK: linalg.generic {{.*}} ins(%[[SUM]]
// CHECK: math.erf
// CHECK: tenon.yield
func.func @linear_gelu_dynamic_f32(%x: tensor<?x128x384xf32>, %w: tensor<1536x384xf32>, %b: tensor<1536xf32>) -> tensor<?x128x1536xf32> {
  %y = tenon.kernel @linear_gelu(%X = %x, %W = %w, %B = %b) : (tensor<?x128x384xf32>, tensor<1536x384xf32>, tensor<1536xf32>) -> tensor<?x128x1536xf32> {
    %0 = tenon.linear %X, %W, %B : (tensor<?x128x384xf32>, tensor<1536x384xf32>, tensor<1536xf32>) -> tensor<?x128x1536xf32>
    %1 = tenon.gelu %0 : (tensor<?x128x1536xf32>) -> tensor<?x128x1536xf32>
    tenon.yield %1 : tensor<?x128x1536xf32>
  }
  return %y : tensor<?x128x1536xf32>
}

// -----

// Statistics of bf16 rows are f32, one generic each; the result is rounded once.
// CHECK-LABEL: @layer_norm_dynamic_bf16
// CHECK: %[[SUM:.*]] = linalg.generic {{.*}}"reduction"]} ins(%[[X:.*]] : tensor<?x?x384xbf16>) outs({{.*}} : tensor<?x?xf32>)
// CHECK: %[[MEAN:.*]] = linalg.generic {{.*}} ins(%[[SUM]]
// CHECK: %[[SQUARES:.*]] = linalg.generic {{.*}}"reduction"]} ins(%[[X]], %[[MEAN]]
// CHECK: %[[RSTD:.*]] = linalg.generic {{.*}} ins(%[[SQUARES]]
// CHECK: math.sqrt
// CHECK: linalg.generic {{.*}} ins(%[[X]], %[[MEAN]], %[[RSTD]],
// CHECK: arith.truncf
// CHECK-NOT: arith.truncf
func.func @layer_norm_dynamic_bf16(%x: tensor<?x?x384xbf16>, %w: tensor<384xbf16>, %b: tensor<384xbf16>) -> tensor<?x?x384xbf16> {
  %y = tenon.kernel @layer_norm(%X = %x, %W = %w, %B = %b) : (tensor<?x?x384xbf16>, tensor<384xbf16>, tensor<384xbf16>) -> tensor<?x?x384xbf16> {
    %0 = tenon.layer_norm %X weight(%W) bias(%B) {epsilon = 1.0e-12 : f64} : (tensor<?x?x384xbf16>, tensor<384xbf16>, tensor<384xbf16>) -> tensor<?x?x384xbf16>
    tenon.yield %0 : tensor<?x?x384xbf16>
  }
  return %y : tensor<?x?x384xbf16>
}

// -----

// Attention stays; its operands become views of the merged projection.
// CHECK-LABEL: @attention_of_views
// CHECK-COUNT-3: tensor.extract_slice
// CHECK-COUNT-3: tensor.expand_shape
// CHECK-COUNT-3: linalg.transpose
// CHECK: %[[A:.*]] = tenon.attention
// CHECK: %[[T:.*]] = linalg.transpose ins(%[[A]]
// CHECK: tensor.collapse_shape %[[T]] {{\[\[}}0], [1], [2, 3]]
func.func @attention_of_views(%x: tensor<?x?x1152xf32>) -> tensor<?x?x384xf32> {
  %y = tenon.kernel @attention(%X = %x) : (tensor<?x?x1152xf32>) -> tensor<?x?x384xf32> {
    %b = tenon.dim %X {axis = 0} : (tensor<?x?x1152xf32>) -> tensor<i64>
    %s = tenon.dim %X {axis = 1} : (tensor<?x?x1152xf32>) -> tensor<i64>
    %q, %k, %v = tenon.split %X {axis = 2, sizes = array<i64: 384, 384, 384>} : (tensor<?x?x1152xf32>) -> (tensor<?x?x384xf32>, tensor<?x?x384xf32>, tensor<?x?x384xf32>)
    %q4 = tenon.reshape %q, %b, %s : (tensor<?x?x384xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x12x32xf32>
    %k4 = tenon.reshape %k, %b, %s : (tensor<?x?x384xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x12x32xf32>
    %v4 = tenon.reshape %v, %b, %s : (tensor<?x?x384xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x12x32xf32>
    %qt = tenon.transpose %q4 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<?x?x12x32xf32>) -> tensor<?x12x?x32xf32>
    %kt = tenon.transpose %k4 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<?x?x12x32xf32>) -> tensor<?x12x?x32xf32>
    %vt = tenon.transpose %v4 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<?x?x12x32xf32>) -> tensor<?x12x?x32xf32>
    %a = tenon.attention %qt, %kt, %vt {scale = 0.25 : f64} : (tensor<?x12x?x32xf32>, tensor<?x12x?x32xf32>, tensor<?x12x?x32xf32>) -> tensor<?x12x?x32xf32>
    %at = tenon.transpose %a {permutation = array<i64: 0, 2, 1, 3>} : (tensor<?x12x?x32xf32>) -> tensor<?x?x12x32xf32>
    %r = tenon.reshape %at, %b, %s : (tensor<?x?x12x32xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x384xf32>
    tenon.yield %r : tensor<?x?x384xf32>
  }
  return %y : tensor<?x?x384xf32>
}

// -----

// CHECK-LABEL: @negative_outside_kernels
// CHECK: tenon.add
func.func @negative_outside_kernels(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %z = tenon.add %x, %y : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %z : tensor<4xf32>
}

// -----

// Whether an 8-bit float is 0 is asked in f32: no processor compares bytes as floats.
// CHECK-LABEL: @byte_float_to_boolean
// CHECK: %[[WIDE:.*]] = arith.extf %{{.*}} : f8E4M3FN to f32
// CHECK: arith.cmpf une, %[[WIDE]], %{{.*}} : f32
func.func @byte_float_to_boolean(%x: tensor<4xf8E4M3FN>) -> tensor<4xi1> {
  %y = tenon.kernel @cast(%X = %x) : (tensor<4xf8E4M3FN>) -> tensor<4xi1> {
    %0 = tenon.cast %X : (tensor<4xf8E4M3FN>) -> tensor<4xi1>
    tenon.yield %0 : tensor<4xi1>
  }
  return %y : tensor<4xi1>
}

// -----

// A reshape joins no more dimensions than both shapes do: here the second, of ones, is all that moves.
// CHECK-LABEL: @reshape_of_heads
// CHECK: %[[JOINED:.*]] = tensor.collapse_shape %{{.*}} {{\[\[}}0], [1, 2]] : tensor<16x1x1024xf32> into tensor<16x1024xf32>
// CHECK: tensor.expand_shape %[[JOINED]] {{\[\[}}0], [1, 2, 3]] {{.*}} into tensor<16x8x1x128xf32>
func.func @reshape_of_heads(%x: tensor<16x1x1024xf32>) -> tensor<16x8x1x128xf32> {
  %y = tenon.kernel @heads(%X = %x) : (tensor<16x1x1024xf32>) -> tensor<16x8x1x128xf32> {
    %0 = tenon.reshape %X : (tensor<16x1x1024xf32>) -> tensor<16x8x1x128xf32>
    %1 = tenon.neg %0 : (tensor<16x8x1x128xf32>) -> tensor<16x8x1x128xf32>
    tenon.yield %1 : tensor<16x8x1x128xf32>
  }
  return %y : tensor<16x8x1x128xf32>
}

// -----

// A piece of nothing at the end: its offset would lie past the source.
// CHECK-LABEL: func.func @main
// CHECK: tensor.extract_slice %{{.*}}[0, 4] [0, 18] [1, 1]
// CHECK: tensor.extract_slice %{{.*}}[0, 0] [4, 0] [1, 1]
func.func @main(%x: tensor<4x22xf32>) -> (tensor<0x18xf32>, tensor<4x0xf32>) {
  %0:2 = tenon.kernel @pieces(%X = %x) : (tensor<4x22xf32>) -> (tensor<0x18xf32>, tensor<4x0xf32>) {
    %1 = tenon.slice %X {starts = array<i64: 4, 4>, ends = array<i64: 4, 22>, steps = array<i64: 1, 1>} : (tensor<4x22xf32>) -> tensor<0x18xf32>
    %2, %3 = tenon.split %X {axis = 1 : i64, sizes = array<i64: 22, 0>} : (tensor<4x22xf32>) -> (tensor<4x22xf32>, tensor<4x0xf32>)
    tenon.yield %1, %3 : tensor<0x18xf32>, tensor<4x0xf32>
  }
  return %0#0, %0#1 : tensor<0x18xf32>, tensor<4x0xf32>
}
