// Two products with a softmax between them are attention.
// RUN: tenon-opt %s --tenon-raise-attention --canonicalize --cse --split-input-file | FileCheck %s
// VALUES: 1e-12

// The eager form of transformers: key transposed, scale, mask added.
// CHECK-LABEL: @eager
// CHECK-SAME: (%[[Q:.*]]: tensor<?x4x?x8xf32> {{.*}}, %[[K:.*]]: tensor<?x4x?x8xf32> {{.*}}, %[[V:.*]]: tensor<?x4x?x8xf32> {{.*}}, %[[M:.*]]: tensor<?x1x1x?xf32>
// CHECK-NEXT: %[[R:.*]] = tenon.attention %[[Q]], %[[K]], %[[V]] mask(%[[M]]) {scale = 3.750000e-01 : f64}
// CHECK-NEXT: return %[[R]]
func.func @eager(%q: tensor<?x4x?x8xf32> {tenon.dims = ["batch", "", "seq", ""]}, %k: tensor<?x4x?x8xf32> {tenon.dims = ["batch", "", "keys", ""]},
                 %v: tensor<?x4x?x8xf32> {tenon.dims = ["batch", "", "keys", ""]}, %m: tensor<?x1x1x?xf32> {tenon.dims = ["batch", "", "", "keys"]}) -> tensor<?x4x?x8xf32> {
  %c32 = tenon.constant dense<0.375> : tensor<f32>
  %kt = tenon.transpose %k {permutation = array<i64: 0, 1, 3, 2>} : (tensor<?x4x?x8xf32>) -> tensor<?x4x8x?xf32>
  %0 = tenon.matmul %q, %kt : (tensor<?x4x?x8xf32>, tensor<?x4x8x?xf32>) -> tensor<?x4x?x?xf32>
  %1 = tenon.mul %0, %c32 : (tensor<?x4x?x?xf32>, tensor<f32>) -> tensor<?x4x?x?xf32>
  %2 = tenon.add %1, %m : (tensor<?x4x?x?xf32>, tensor<?x1x1x?xf32>) -> tensor<?x4x?x?xf32>
  %3 = tenon.softmax %2 {axis = 3 : i64} : (tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32>
  %4 = tenon.matmul %3, %v : (tensor<?x4x?x?xf32>, tensor<?x4x?x8xf32>) -> tensor<?x4x?x8xf32>
  return %4 : tensor<?x4x?x8xf32>
}

// -----

// The eager form of Gemma 2: scaled, then capped, then masked; in 16 bits.
// CHECK-LABEL: @soft_cap
// CHECK-NEXT: %[[R:.*]] = tenon.attention %{{.*}}, %{{.*}}, %{{.*}} mask(%{{.*}}) {scale = 2.500000e-01 : f64, soft_cap = 5.000000e+01 : f64}
// CHECK-NEXT: return %[[R]]
func.func @soft_cap(%q: tensor<2x4x3x16xbf16>, %k: tensor<2x4x5x16xbf16>, %v: tensor<2x4x5x16xbf16>, %m: tensor<3x5xbf16>) -> tensor<2x4x3x16xbf16> {
  %quarter = tenon.constant dense<0.25> : tensor<bf16>
  %cap = tenon.constant dense<50.0> : tensor<bf16>
  %0 = tenon.matmul %q, %k {transpose_b} : (tensor<2x4x3x16xbf16>, tensor<2x4x5x16xbf16>) -> tensor<2x4x3x5xbf16>
  %1 = tenon.mul %0, %quarter : (tensor<2x4x3x5xbf16>, tensor<bf16>) -> tensor<2x4x3x5xbf16>
  %2 = tenon.div %1, %cap : (tensor<2x4x3x5xbf16>, tensor<bf16>) -> tensor<2x4x3x5xbf16>
  %3 = tenon.tanh %2 : (tensor<2x4x3x5xbf16>) -> tensor<2x4x3x5xbf16>
  %4 = tenon.mul %3, %cap : (tensor<2x4x3x5xbf16>, tensor<bf16>) -> tensor<2x4x3x5xbf16>
  %5 = tenon.add %4, %m : (tensor<2x4x3x5xbf16>, tensor<3x5xbf16>) -> tensor<2x4x3x5xbf16>
  %6 = tenon.cast %5 : (tensor<2x4x3x5xbf16>) -> tensor<2x4x3x5xf32>
  %7 = tenon.softmax %6 {axis = 3 : i64} : (tensor<2x4x3x5xf32>) -> tensor<2x4x3x5xf32>
  %8 = tenon.cast %7 : (tensor<2x4x3x5xf32>) -> tensor<2x4x3x5xbf16>
  %9 = tenon.matmul %8, %v : (tensor<2x4x3x5xbf16>, tensor<2x4x5x16xbf16>) -> tensor<2x4x3x16xbf16>
  return %9 : tensor<2x4x3x16xbf16>
}

// -----

// A mask that is capped with the scores is none.
// CHECK-LABEL: @negative_mask_before_the_cap
// CHECK-NOT: tenon.attention
func.func @negative_mask_before_the_cap(%q: tensor<2x4x3x16xf32>, %k: tensor<2x4x5x16xf32>, %v: tensor<2x4x5x16xf32>, %m: tensor<3x5xf32>) -> tensor<2x4x3x16xf32> {
  %0 = tenon.matmul %q, %k {transpose_b} : (tensor<2x4x3x16xf32>, tensor<2x4x5x16xf32>) -> tensor<2x4x3x5xf32>
  %1 = tenon.add %0, %m : (tensor<2x4x3x5xf32>, tensor<3x5xf32>) -> tensor<2x4x3x5xf32>
  %2 = tenon.tanh %1 : (tensor<2x4x3x5xf32>) -> tensor<2x4x3x5xf32>
  %3 = tenon.softmax %2 {axis = 3 : i64} : (tensor<2x4x3x5xf32>) -> tensor<2x4x3x5xf32>
  %4 = tenon.matmul %3, %v : (tensor<2x4x3x5xf32>, tensor<2x4x5x16xf32>) -> tensor<2x4x3x16xf32>
  return %4 : tensor<2x4x3x16xf32>
}

// -----

// scaled_dot_product_attention taken apart: the root of the scale on both sides, and 0 where a row is all -Inf.
// CHECK-LABEL: @safe_softmax
// CHECK: %[[K:.*]] = tenon.transpose %{{.*}} {permutation = array<i64: 0, 2, 1, 3>} : (tensor<2x5x4x8xf32>)
// CHECK: tenon.attention %{{.*}}, %[[K]], %{{.*}} mask(%{{.*}}) {scale = 2.500000e-01 : f64} : {{.*}}tensor<2x1x3x5xi1>)
// CHECK-NEXT: return
func.func @safe_softmax(%q: tensor<2x4x3x8xf32>, %k: tensor<2x5x4x8xf32>, %v: tensor<2x4x5x8xf32>, %m: tensor<2x1x3x5xi1>) -> tensor<2x4x3x8xf32> {
  %half = tenon.constant dense<0.5> : tensor<f32>
  %zero = tenon.constant dense<0.0> : tensor<f32>
  %inf = tenon.constant dense<0xFF800000> : tensor<f32>
  %none = tenon.constant dense<0> : tensor<i8>
  %mask = tenon.select %m, %zero, %inf : (tensor<2x1x3x5xi1>, tensor<f32>, tensor<f32>) -> tensor<2x1x3x5xf32>
  %qs = tenon.mul %q, %half : (tensor<2x4x3x8xf32>, tensor<f32>) -> tensor<2x4x3x8xf32>
  %kt = tenon.transpose %k {permutation = array<i64: 0, 2, 3, 1>} : (tensor<2x5x4x8xf32>) -> tensor<2x4x8x5xf32>
  %ks = tenon.mul %kt, %half : (tensor<2x4x8x5xf32>, tensor<f32>) -> tensor<2x4x8x5xf32>
  %0 = tenon.matmul %qs, %ks : (tensor<2x4x3x8xf32>, tensor<2x4x8x5xf32>) -> tensor<2x4x3x5xf32>
  %1 = tenon.add %0, %mask : (tensor<2x4x3x5xf32>, tensor<2x1x3x5xf32>) -> tensor<2x4x3x5xf32>
  %2 = tenon.softmax %1 {axis = 3 : i64} : (tensor<2x4x3x5xf32>) -> tensor<2x4x3x5xf32>
  %3 = tenon.compare %1, %inf {predicate = #tenon.compare<ne>} : (tensor<2x4x3x5xf32>, tensor<f32>) -> tensor<2x4x3x5xi1>
  %4 = tenon.cast %3 : (tensor<2x4x3x5xi1>) -> tensor<2x4x3x5xi8>
  %5 = tenon.reduce_max %4 {axes = array<i64: 3>, keep_dims} : (tensor<2x4x3x5xi8>) -> tensor<2x4x3x1xi8>
  %6 = tenon.compare %5, %none {predicate = #tenon.compare<le>} : (tensor<2x4x3x1xi8>, tensor<i8>) -> tensor<2x4x3x1xi1>
  %7 = tenon.select %6, %zero, %2 : (tensor<2x4x3x1xi1>, tensor<f32>, tensor<2x4x3x5xf32>) -> tensor<2x4x3x5xf32>
  %8 = tenon.matmul %7, %v : (tensor<2x4x3x5xf32>, tensor<2x4x5x8xf32>) -> tensor<2x4x3x8xf32>
  return %8 : tensor<2x4x3x8xf32>
}

// -----

// Two query heads share each key head, which was repeated for them; only query positions at or after a key see it.
// CHECK-LABEL: @shared_heads_causal
// CHECK-SAME: (%[[Q:.*]]: tensor<?x4x?x8xf32> {{.*}}, %[[K:.*]]: tensor<?x2x?x8xf32> {{.*}}, %[[V:.*]]: tensor<?x2x?x8xf32>
// CHECK-NEXT: %[[R:.*]] = tenon.attention %[[Q]], %[[K]], %[[V]] {causal, scale = 5.000000e-01 : f64}
// CHECK-NEXT: return %[[R]]
func.func @shared_heads_causal(%q: tensor<?x4x?x8xf32> {tenon.dims = ["batch", "", "seq", ""]}, %k: tensor<?x2x?x8xf32> {tenon.dims = ["batch", "", "seq", ""]},
                               %v: tensor<?x2x?x8xf32> {tenon.dims = ["batch", "", "seq", ""]}) -> tensor<?x4x?x8xf32> {
  %half = tenon.constant dense<0.5> : tensor<f32>
  %zero = tenon.constant dense<0.0> : tensor<f32>
  %low = tenon.constant dense<0xFF7FFFFF> : tensor<f32>
  %b = tenon.dim %q {axis = 0 : i64} : (tensor<?x4x?x8xf32>) -> tensor<i64>
  %s = tenon.dim %q {axis = 2 : i64} : (tensor<?x4x?x8xf32>) -> tensor<i64>
  %i = tenon.iota %s {axis = 0 : i64} : (tensor<i64>) -> tensor<?xi64>
  %column = tenon.reshape %i : (tensor<?xi64>) -> tensor<1x1x?x1xi64>
  %visible = tenon.compare %i, %column {predicate = #tenon.compare<le>} : (tensor<?xi64>, tensor<1x1x?x1xi64>) -> tensor<1x1x?x?xi1>
  %mask = tenon.select %visible, %zero, %low : (tensor<1x1x?x?xi1>, tensor<f32>, tensor<f32>) -> tensor<1x1x?x?xf32>
  %k5 = tenon.reshape %k, %b, %s : (tensor<?x2x?x8xf32>, tensor<i64>, tensor<i64>) -> tensor<?x2x1x?x8xf32>
  %kr = tenon.expand %k5 : (tensor<?x2x1x?x8xf32>) -> tensor<?x2x2x?x8xf32>
  %k4 = tenon.reshape %kr, %b, %s : (tensor<?x2x2x?x8xf32>, tensor<i64>, tensor<i64>) -> tensor<?x4x?x8xf32>
  %v5 = tenon.reshape %v, %b, %s : (tensor<?x2x?x8xf32>, tensor<i64>, tensor<i64>) -> tensor<?x2x1x?x8xf32>
  %vr = tenon.expand %v5 : (tensor<?x2x1x?x8xf32>) -> tensor<?x2x2x?x8xf32>
  %v4 = tenon.reshape %vr, %b, %s : (tensor<?x2x2x?x8xf32>, tensor<i64>, tensor<i64>) -> tensor<?x4x?x8xf32>
  %0 = tenon.matmul %q, %k4 {transpose_b} : (tensor<?x4x?x8xf32>, tensor<?x4x?x8xf32>) -> tensor<?x4x?x?xf32>
  %1 = tenon.mul %0, %half : (tensor<?x4x?x?xf32>, tensor<f32>) -> tensor<?x4x?x?xf32>
  %2 = tenon.add %1, %mask : (tensor<?x4x?x?xf32>, tensor<1x1x?x?xf32>) -> tensor<?x4x?x?xf32>
  %3 = tenon.softmax %2 {axis = 3 : i64} : (tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32>
  %4 = tenon.matmul %3, %v4 : (tensor<?x4x?x?xf32>, tensor<?x4x?x8xf32>) -> tensor<?x4x?x8xf32>
  return %4 : tensor<?x4x?x8xf32>
}

// -----

// [batch * heads, seq, size] that was never apart; no scale; hidden scores selected, by a triangle kept as a constant.
// CHECK-LABEL: @flat_batch
// CHECK: %[[Q:.*]] = tenon.reshape %{{.*}} : (tensor<6x3x8xf32>) -> tensor<1x6x3x8xf32>
// CHECK: tenon.attention %[[Q]], {{.*}} {causal, scale = 1.000000e+00 : f64} : (tensor<1x6x3x8xf32>, tensor<1x6x3x8xf32>, tensor<1x6x3x2xf32>) -> tensor<1x6x3x2xf32>
// CHECK: tenon.reshape %{{.*}} : (tensor<1x6x3x2xf32>) -> tensor<6x3x2xf32>
func.func @flat_batch(%q: tensor<6x3x8xf32>, %k: tensor<6x3x8xf32>, %v: tensor<6x3x2xf32>) -> tensor<6x3x2xf32> {
  %inf = tenon.constant dense<0xFF800000> : tensor<f32>
  %triangle = tenon.constant dense<[[[true, false, false, false], [true, true, false, false], [true, true, true, false], [true, true, true, true]]]> : tensor<1x4x4xi1>
  %visible = tenon.slice %triangle {starts = array<i64: 0, 0, 0>, ends = array<i64: 1, 3, 3>, steps = array<i64: 1, 1, 1>} : (tensor<1x4x4xi1>) -> tensor<1x3x3xi1>
  %0 = tenon.matmul %q, %k {transpose_b} : (tensor<6x3x8xf32>, tensor<6x3x8xf32>) -> tensor<6x3x3xf32>
  %1 = tenon.select %visible, %0, %inf : (tensor<1x3x3xi1>, tensor<6x3x3xf32>, tensor<f32>) -> tensor<6x3x3xf32>
  %2 = tenon.softmax %1 {axis = 2 : i64} : (tensor<6x3x3xf32>) -> tensor<6x3x3xf32>
  %3 = tenon.matmul %2, %v : (tensor<6x3x3xf32>, tensor<6x3x2xf32>) -> tensor<6x3x2xf32>
  return %3 : tensor<6x3x2xf32>
}

// -----

// Storage in bf16, scale and softmax in f32: what attention does by itself.
// CHECK-LABEL: @softmax_in_f32
// CHECK-NEXT: tenon.attention %{{.*}} {scale = 0.{{3535.*}} : f64} : {{.*}} -> tensor<1x1x3x8xbf16>
// CHECK-NEXT: return
func.func @softmax_in_f32(%q: tensor<1x1x3x8xbf16>, %k: tensor<1x1x3x8xbf16>) -> tensor<1x1x3x8xbf16> {
  %0 = tenon.matmul %q, %k {transpose_b} : (tensor<1x1x3x8xbf16>, tensor<1x1x3x8xbf16>) -> tensor<1x1x3x3xbf16>
  %c = tenon.constant dense<0.353553385> : tensor<f32>
  %w = tenon.cast %0 : (tensor<1x1x3x3xbf16>) -> tensor<1x1x3x3xf32>
  %s = tenon.mul %w, %c : (tensor<1x1x3x3xf32>, tensor<f32>) -> tensor<1x1x3x3xf32>
  %n = tenon.cast %s : (tensor<1x1x3x3xf32>) -> tensor<1x1x3x3xbf16>
  %1 = tenon.cast %n : (tensor<1x1x3x3xbf16>) -> tensor<1x1x3x3xf32>
  %2 = tenon.softmax %1 {axis = 3 : i64} : (tensor<1x1x3x3xf32>) -> tensor<1x1x3x3xf32>
  %3 = tenon.cast %2 : (tensor<1x1x3x3xf32>) -> tensor<1x1x3x3xbf16>
  %4 = tenon.matmul %3, %k : (tensor<1x1x3x3xbf16>, tensor<1x1x3x8xbf16>) -> tensor<1x1x3x8xbf16>
  return %4 : tensor<1x1x3x8xbf16>
}

// -----

// The products in f32 between casts, the repeated heads too; the widened value is what a view was taken of.
// CHECK-LABEL: @products_in_f32
// CHECK-SAME: (%[[Q:.*]]: tensor<2x4x3x8xbf16>, %[[K:.*]]: tensor<2x2x3x8xbf16>)
// CHECK-NEXT: %[[R:.*]] = tenon.attention %[[Q]], %[[K]], %[[K]] {scale = 1.000000e+00 : f64} : (tensor<2x4x3x8xbf16>
// CHECK-NEXT: return %[[R]]
func.func @products_in_f32(%q: tensor<2x4x3x8xbf16>, %k: tensor<2x2x3x8xbf16>) -> tensor<2x4x3x8xbf16> {
  %q32 = tenon.cast %q : (tensor<2x4x3x8xbf16>) -> tensor<2x4x3x8xf32>
  %k5 = tenon.reshape %k : (tensor<2x2x3x8xbf16>) -> tensor<2x2x1x3x8xbf16>
  %k32 = tenon.cast %k5 : (tensor<2x2x1x3x8xbf16>) -> tensor<2x2x1x3x8xf32>
  %kk = tenon.expand %k32 : (tensor<2x2x1x3x8xf32>) -> tensor<2x2x2x3x8xf32>
  %k4 = tenon.reshape %kk : (tensor<2x2x2x3x8xf32>) -> tensor<2x4x3x8xf32>
  %0 = tenon.matmul %q32, %k4 {transpose_b} : (tensor<2x4x3x8xf32>, tensor<2x4x3x8xf32>) -> tensor<2x4x3x3xf32>
  %1 = tenon.softmax %0 {axis = 3 : i64} : (tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xf32>
  %2 = tenon.matmul %1, %k4 : (tensor<2x4x3x3xf32>, tensor<2x4x3x8xf32>) -> tensor<2x4x3x8xf32>
  %3 = tenon.cast %2 : (tensor<2x4x3x8xf32>) -> tensor<2x4x3x8xbf16>
  return %3 : tensor<2x4x3x8xbf16>
}

// -----

// BART scales the query before its heads are cut; the key is read by others as well.
// CHECK-LABEL: @scale_before_the_heads
// CHECK-SAME: (%[[X:.*]]: tensor<2x3x8xf32>)
// CHECK: %[[Q:.*]] = tenon.reshape %[[X]] : (tensor<2x3x8xf32>) -> tensor<2x3x2x4xf32>
// CHECK: %[[T:.*]] = tenon.transpose %[[Q]]
// CHECK: %[[K:.*]] = tenon.mul %[[X]]
// CHECK: tenon.attention %[[T]], {{.*}} {scale = 1.250000e-01 : f64}
func.func @scale_before_the_heads(%x: tensor<2x3x8xf32>) -> (tensor<2x2x3x4xf32>, tensor<2x3x8xf32>) {
  %c = tenon.constant dense<0.25> : tensor<f32>
  %q = tenon.mul %x, %c : (tensor<2x3x8xf32>, tensor<f32>) -> tensor<2x3x8xf32>
  %q4 = tenon.reshape %q : (tensor<2x3x8xf32>) -> tensor<2x3x2x4xf32>
  %qt = tenon.transpose %q4 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<2x3x2x4xf32>) -> tensor<2x2x3x4xf32>
  %k = tenon.mul %x, %c : (tensor<2x3x8xf32>, tensor<f32>) -> tensor<2x3x8xf32>
  %k4 = tenon.reshape %k : (tensor<2x3x8xf32>) -> tensor<2x3x2x4xf32>
  %kt = tenon.transpose %k4 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<2x3x2x4xf32>) -> tensor<2x2x3x4xf32>
  %r = tenon.attention %qt, %kt, %kt : (tensor<2x2x3x4xf32>, tensor<2x2x3x4xf32>, tensor<2x2x3x4xf32>) -> tensor<2x2x3x4xf32>
  return %r, %k : tensor<2x2x3x4xf32>, tensor<2x3x8xf32>
}

// -----

// The scores are returned; the softmax is over the queries; the mask is scaled with the scores.
// CHECK-LABEL: @negative_forms
// CHECK-NOT: tenon.attention
func.func @negative_forms(%q: tensor<1x2x3x8xf32>, %m: tensor<3xf32>) -> (tensor<1x2x3x3xf32>, tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>) {
  %half = tenon.constant dense<0.5> : tensor<f32>
  %0 = tenon.matmul %q, %q {transpose_b} : (tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>) -> tensor<1x2x3x3xf32>
  %1 = tenon.softmax %0 {axis = 3 : i64} : (tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  %2 = tenon.matmul %1, %q : (tensor<1x2x3x3xf32>, tensor<1x2x3x8xf32>) -> tensor<1x2x3x8xf32>
  %3 = tenon.mul %q, %half : (tensor<1x2x3x8xf32>, tensor<f32>) -> tensor<1x2x3x8xf32>
  %4 = tenon.matmul %3, %q {transpose_b} : (tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>) -> tensor<1x2x3x3xf32>
  %5 = tenon.softmax %4 {axis = 2 : i64} : (tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  %6 = tenon.matmul %5, %q : (tensor<1x2x3x3xf32>, tensor<1x2x3x8xf32>) -> tensor<1x2x3x8xf32>
  %7 = tenon.matmul %q, %3 {transpose_b} : (tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>) -> tensor<1x2x3x3xf32>
  %8 = tenon.add %7, %m : (tensor<1x2x3x3xf32>, tensor<3xf32>) -> tensor<1x2x3x3xf32>
  %9 = tenon.mul %8, %half : (tensor<1x2x3x3xf32>, tensor<f32>) -> tensor<1x2x3x3xf32>
  %10 = tenon.softmax %9 {axis = 3 : i64} : (tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  %11 = tenon.matmul %10, %q : (tensor<1x2x3x3xf32>, tensor<1x2x3x8xf32>) -> tensor<1x2x3x8xf32>
  return %1, %2, %6, %11 : tensor<1x2x3x3xf32>, tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>
}

// -----

// -100 hides a score only from those that are much larger, and one key of the whole batch is no key of each.
// CHECK-LABEL: @negative_mask_and_batch
// CHECK-NOT: tenon.attention
func.func @negative_mask_and_batch(%q: tensor<2x1x3x8xf32>, %k: tensor<1x1x3x8xf32>, %m: tensor<3xi1>) -> (tensor<2x1x3x8xf32>, tensor<2x1x3x8xf32>) {
  %low = tenon.constant dense<-100.0> : tensor<f32>
  %0 = tenon.matmul %q, %q {transpose_b} : (tensor<2x1x3x8xf32>, tensor<2x1x3x8xf32>) -> tensor<2x1x3x3xf32>
  %1 = tenon.select %m, %0, %low : (tensor<3xi1>, tensor<2x1x3x3xf32>, tensor<f32>) -> tensor<2x1x3x3xf32>
  %2 = tenon.softmax %1 {axis = 3 : i64} : (tensor<2x1x3x3xf32>) -> tensor<2x1x3x3xf32>
  %3 = tenon.matmul %2, %q : (tensor<2x1x3x3xf32>, tensor<2x1x3x8xf32>) -> tensor<2x1x3x8xf32>
  %4 = tenon.matmul %q, %k {transpose_b} : (tensor<2x1x3x8xf32>, tensor<1x1x3x8xf32>) -> tensor<2x1x3x3xf32>
  %5 = tenon.softmax %4 {axis = 3 : i64} : (tensor<2x1x3x3xf32>) -> tensor<2x1x3x3xf32>
  %6 = tenon.matmul %5, %q : (tensor<2x1x3x3xf32>, tensor<2x1x3x8xf32>) -> tensor<2x1x3x8xf32>
  return %3, %6 : tensor<2x1x3x8xf32>, tensor<2x1x3x8xf32>
}

// -----

// How many heads there are is known only at run time, which no attention kernel takes.
// CHECK-LABEL: @negative_dynamic_heads
// CHECK-NOT: tenon.attention
func.func @negative_dynamic_heads(%q: tensor<?x3x8xf32>, %k: tensor<?x3x8xf32>) -> tensor<?x3x8xf32> {
  %0 = tenon.matmul %q, %k {transpose_b} : (tensor<?x3x8xf32>, tensor<?x3x8xf32>) -> tensor<?x3x3xf32>
  %1 = tenon.softmax %0 {axis = 2 : i64} : (tensor<?x3x3xf32>) -> tensor<?x3x3xf32>
  %2 = tenon.matmul %1, %k : (tensor<?x3x3xf32>, tensor<?x3x8xf32>) -> tensor<?x3x8xf32>
  return %2 : tensor<?x3x8xf32>
}
