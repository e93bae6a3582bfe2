// Layer norm and rms norm in the forms exporters write.
// RUN: tenon-opt %s --canonicalize --cse --tenon-raise-norms --canonicalize --split-input-file | FileCheck %s
// VALUES: 1e-12

// aten.var_mean: the variance centres the input by itself; rsqrt; weight and bias.
// CHECK-LABEL: @layer_norm_var_mean
// CHECK-SAME: (%[[X:.*]]: tensor<?x?x8xf32>)
// CHECK-DAG: %[[W:.*]] = tenon.weight "w"
// CHECK-DAG: %[[B:.*]] = tenon.weight "b"
// CHECK: %[[R:.*]] = tenon.layer_norm %[[X]] weight(%[[W]]) bias(%[[B]]) {epsilon = 5.000000e-01 : f64}
// CHECK-NEXT: return %[[R]]
func.func @layer_norm_var_mean(%x: tensor<?x?x8xf32>) -> tensor<?x?x8xf32> {
  %w = tenon.weight "w" : tensor<8xf32>
  %b = tenon.weight "b" : tensor<8xf32>
  %e = tenon.constant dense<0.5> : tensor<f32>
  %m = tenon.reduce_mean %x {axes = array<i64: 2>, keep_dims} : (tensor<?x?x8xf32>) -> tensor<?x?x1xf32>
  %c = tenon.sub %x, %m : (tensor<?x?x8xf32>, tensor<?x?x1xf32>) -> tensor<?x?x8xf32>
  %s = tenon.mul %c, %c : (tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %v = tenon.reduce_mean %s {axes = array<i64: 2>, keep_dims} : (tensor<?x?x8xf32>) -> tensor<?x?x1xf32>
  %0 = tenon.add %v, %e : (tensor<?x?x1xf32>, tensor<f32>) -> tensor<?x?x1xf32>
  %1 = tenon.rsqrt %0 : (tensor<?x?x1xf32>) -> tensor<?x?x1xf32>
  %m2 = tenon.reduce_mean %x {axes = array<i64: 2>, keep_dims} : (tensor<?x?x8xf32>) -> tensor<?x?x1xf32>
  %c2 = tenon.sub %x, %m2 : (tensor<?x?x8xf32>, tensor<?x?x1xf32>) -> tensor<?x?x8xf32>
  %2 = tenon.mul %c2, %1 : (tensor<?x?x8xf32>, tensor<?x?x1xf32>) -> tensor<?x?x8xf32>
  %3 = tenon.mul %2, %w : (tensor<?x?x8xf32>, tensor<8xf32>) -> tensor<?x?x8xf32>
  %4 = tenon.add %3, %b : (tensor<?x?x8xf32>, tensor<8xf32>) -> tensor<?x?x8xf32>
  return %4 : tensor<?x?x8xf32>
}

// -----

// Over two dimensions, a root to divide by, means as sums over their count (1/12 has no exact float), no weight.
// CHECK-LABEL: @layer_norm_sums
// CHECK-NEXT: %[[R:.*]] = tenon.layer_norm %{{.*}} {epsilon = 2.500000e-01 : f64, num_dims = 2 : i64}
// CHECK-NEXT: return %[[R]]
func.func @layer_norm_sums(%x: tensor<2x3x4xf64>) -> tensor<2x3x4xf64> {
  %e = tenon.constant dense<0.25> : tensor<f64>
  %n = tenon.constant dense<12.0> : tensor<f64>
  %i = tenon.constant dense<0.08333333333333333> : tensor<f64>
  %0 = tenon.reduce_sum %x {axes = array<i64: 1, 2>, keep_dims} : (tensor<2x3x4xf64>) -> tensor<2x1x1xf64>
  %m = tenon.div %0, %n : (tensor<2x1x1xf64>, tensor<f64>) -> tensor<2x1x1xf64>
  %c = tenon.sub %x, %m : (tensor<2x3x4xf64>, tensor<2x1x1xf64>) -> tensor<2x3x4xf64>
  %two = tenon.constant dense<2.0> : tensor<f64>
  %s = tenon.pow %c, %two : (tensor<2x3x4xf64>, tensor<f64>) -> tensor<2x3x4xf64>
  %1 = tenon.reduce_sum %s {axes = array<i64: 1, 2>, keep_dims} : (tensor<2x3x4xf64>) -> tensor<2x1x1xf64>
  %v = tenon.mul %1, %i : (tensor<2x1x1xf64>, tensor<f64>) -> tensor<2x1x1xf64>
  %2 = tenon.add %e, %v : (tensor<f64>, tensor<2x1x1xf64>) -> tensor<2x1x1xf64>
  %3 = tenon.sqrt %2 : (tensor<2x1x1xf64>) -> tensor<2x1x1xf64>
  %4 = tenon.div %c, %3 : (tensor<2x3x4xf64>, tensor<2x1x1xf64>) -> tensor<2x3x4xf64>
  return %4 : tensor<2x3x4xf64>
}

// -----

// Llama in bf16: the norm in f32, its result cast back before the weight. Gemma: a weight of 1 + w.
// CHECK-LABEL: @rms_norm_casts
// CHECK-SAME: (%[[X:.*]]: tensor<4x8xbf16>)
// CHECK: %[[W:.*]] = tenon.add
// CHECK: %[[R:.*]] = tenon.rms_norm %[[X]], %[[W]] {epsilon = 5.000000e-01 : f64} : (tensor<4x8xbf16>, tensor<8xbf16>) -> tensor<4x8xbf16>
// CHECK-NEXT: return %[[R]]
func.func @rms_norm_casts(%x: tensor<4x8xbf16>) -> tensor<4x8xbf16> {
  %w = tenon.weight "w" : tensor<8xbf16>
  %one = tenon.constant dense<1.0> : tensor<bf16>
  %w1 = tenon.add %one, %w : (tensor<bf16>, tensor<8xbf16>) -> tensor<8xbf16>
  %e = tenon.constant dense<0.5> : tensor<f32>
  %h = tenon.cast %x : (tensor<4x8xbf16>) -> tensor<4x8xf32>
  %0 = tenon.square %h : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %1 = tenon.reduce_mean %0 {axes = array<i64: 1>, keep_dims} : (tensor<4x8xf32>) -> tensor<4x1xf32>
  %2 = tenon.add %1, %e : (tensor<4x1xf32>, tensor<f32>) -> tensor<4x1xf32>
  %3 = tenon.rsqrt %2 : (tensor<4x1xf32>) -> tensor<4x1xf32>
  %4 = tenon.mul %h, %3 : (tensor<4x8xf32>, tensor<4x1xf32>) -> tensor<4x8xf32>
  %5 = tenon.cast %4 : (tensor<4x8xf32>) -> tensor<4x8xbf16>
  %6 = tenon.mul %w1, %5 : (tensor<8xbf16>, tensor<4x8xbf16>) -> tensor<4x8xbf16>
  return %6 : tensor<4x8xbf16>
}

// -----

// The root as a power and as 1 / sqrt; no epsilon; the weight cast to f32 with the input.
// CHECK-LABEL: @rms_norm_roots
// CHECK: tenon.rms_norm %{{.*}} {epsilon = 5.000000e-01 : f64} : (tensor<4x8xf32>) -> tensor<4x8xf32>
// CHECK: tenon.rms_norm %{{.*}}, %{{.*}} {epsilon = 0.000000e+00 : f64} : (tensor<4x8xf16>, tensor<8xf16>) -> tensor<4x8xf16>
// CHECK-NEXT: return
func.func @rms_norm_roots(%x: tensor<4x8xf32>, %y: tensor<4x8xf16>, %w: tensor<8xf16>) -> (tensor<4x8xf32>, tensor<4x8xf16>) {
  %e = tenon.constant dense<0.5> : tensor<f32>
  %p = tenon.constant dense<-0.5> : tensor<f32>
  %0 = tenon.square %x : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %1 = tenon.reduce_mean %0 {axes = array<i64: 1>, keep_dims} : (tensor<4x8xf32>) -> tensor<4x1xf32>
  %2 = tenon.add %1, %e : (tensor<4x1xf32>, tensor<f32>) -> tensor<4x1xf32>
  %3 = tenon.pow %2, %p : (tensor<4x1xf32>, tensor<f32>) -> tensor<4x1xf32>
  %4 = tenon.mul %3, %x : (tensor<4x1xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %one = tenon.constant dense<1.0> : tensor<f32>
  %h = tenon.cast %y : (tensor<4x8xf16>) -> tensor<4x8xf32>
  %wh = tenon.cast %w : (tensor<8xf16>) -> tensor<8xf32>
  %5 = tenon.square %h : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %6 = tenon.reduce_mean %5 {axes = array<i64: 1>, keep_dims} : (tensor<4x8xf32>) -> tensor<4x1xf32>
  %7 = tenon.sqrt %6 : (tensor<4x1xf32>) -> tensor<4x1xf32>
  %8 = tenon.div %one, %7 : (tensor<f32>, tensor<4x1xf32>) -> tensor<4x1xf32>
  %9 = tenon.mul %h, %8 : (tensor<4x8xf32>, tensor<4x1xf32>) -> tensor<4x8xf32>
  %10 = tenon.mul %9, %wh : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  %11 = tenon.cast %10 : (tensor<4x8xf32>) -> tensor<4x8xf16>
  return %4, %11 : tensor<4x8xf32>, tensor<4x8xf16>
}

// -----

// Epsilon beside the root; a sum over one less than the count; a mean over rows; the mean of something else.
// CHECK-LABEL: @negative_norms
// CHECK-NOT: _norm %
func.func @negative_norms(%x: tensor<8x8xf32>, %y: tensor<8x8xf32>) -> (tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>) {
  %e = tenon.constant dense<0.5> : tensor<f32>
  %seven = tenon.constant dense<7.0> : tensor<f32>
  %0 = tenon.square %x : (tensor<8x8xf32>) -> tensor<8x8xf32>
  %1 = tenon.reduce_mean %0 {axes = array<i64: 1>, keep_dims} : (tensor<8x8xf32>) -> tensor<8x1xf32>
  %2 = tenon.sqrt %1 : (tensor<8x1xf32>) -> tensor<8x1xf32>
  %3 = tenon.add %2, %e : (tensor<8x1xf32>, tensor<f32>) -> tensor<8x1xf32>
  %4 = tenon.div %x, %3 : (tensor<8x8xf32>, tensor<8x1xf32>) -> tensor<8x8xf32>
  %5 = tenon.reduce_sum %0 {axes = array<i64: 1>, keep_dims} : (tensor<8x8xf32>) -> tensor<8x1xf32>
  %6 = tenon.div %5, %seven : (tensor<8x1xf32>, tensor<f32>) -> tensor<8x1xf32>
  %7 = tenon.rsqrt %6 : (tensor<8x1xf32>) -> tensor<8x1xf32>
  %8 = tenon.mul %x, %7 : (tensor<8x8xf32>, tensor<8x1xf32>) -> tensor<8x8xf32>
  %9 = tenon.reduce_mean %0 {axes = array<i64: 0>, keep_dims} : (tensor<8x8xf32>) -> tensor<1x8xf32>
  %10 = tenon.rsqrt %9 : (tensor<1x8xf32>) -> tensor<1x8xf32>
  %11 = tenon.mul %x, %10 : (tensor<8x8xf32>, tensor<1x8xf32>) -> tensor<8x8xf32>
  %12 = tenon.rsqrt %1 : (tensor<8x1xf32>) -> tensor<8x1xf32>
  %13 = tenon.mul %y, %12 : (tensor<8x8xf32>, tensor<8x1xf32>) -> tensor<8x8xf32>
  return %4, %8, %11, %13 : tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>
}

// -----

// The variance is returned; the norm itself is, beside its product with a weight.
// CHECK-LABEL: @negative_read_inside
// CHECK: tenon.rsqrt
// CHECK: %[[N:.*]] = tenon.rms_norm %{{.*}} {epsilon = 0.000000e+00 : f64} : (tensor<4x8xf32>) -> tensor<4x8xf32>
// CHECK: tenon.mul %[[N]]
func.func @negative_read_inside(%x: tensor<4x8xf32>, %y: tensor<4x8xf32>, %w: tensor<8xf32>) -> (tensor<4x1xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>) {
  %0 = tenon.square %x : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %1 = tenon.reduce_mean %0 {axes = array<i64: 1>, keep_dims} : (tensor<4x8xf32>) -> tensor<4x1xf32>
  %2 = tenon.rsqrt %1 : (tensor<4x1xf32>) -> tensor<4x1xf32>
  %3 = tenon.mul %x, %2 : (tensor<4x8xf32>, tensor<4x1xf32>) -> tensor<4x8xf32>
  %4 = tenon.square %y : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %5 = tenon.reduce_mean %4 {axes = array<i64: 1>, keep_dims} : (tensor<4x8xf32>) -> tensor<4x1xf32>
  %6 = tenon.rsqrt %5 : (tensor<4x1xf32>) -> tensor<4x1xf32>
  %7 = tenon.mul %y, %6 : (tensor<4x8xf32>, tensor<4x1xf32>) -> tensor<4x8xf32>
  %8 = tenon.mul %7, %w : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  return %1, %3, %7, %8 : tensor<4x1xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>
}
