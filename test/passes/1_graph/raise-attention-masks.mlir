// What a mask says of positions alone becomes an attribute of attention; what is left of it stays a mask.
// RUN: tenon-opt %s --tenon-raise-attention --canonicalize --cse --split-input-file | FileCheck %s
// VALUES: 1e-12

// The mask of transformers: key <= query, and a padding mask.
// CHECK-LABEL: @causal_and_padding
// CHECK-SAME: (%{{.*}}: tensor<?x2x?x4xf32> {{.*}}, %[[P:.*]]: tensor<?x1x1x?xi1>
// CHECK-NEXT: tenon.attention %{{.*}} mask(%[[P]]) {causal, scale = 5.000000e-01 : f64}
// CHECK-NEXT: return
func.func @causal_and_padding(%x: tensor<?x2x?x4xf32> {tenon.dims = ["batch", "", "seq", ""]}, %p: tensor<?x1x1x?xi1> {tenon.dims = ["batch", "", "", "seq"]}) -> tensor<?x2x?x4xf32> {
  %s = tenon.dim %x {axis = 2 : i64} : (tensor<?x2x?x4xf32>) -> tensor<i64>
  %i = tenon.iota %s {axis = 0 : i64} : (tensor<i64>) -> tensor<?xi64>
  %q = tenon.reshape %i : (tensor<?xi64>) -> tensor<1x1x?x1xi64>
  %c = tenon.compare %q, %i {predicate = #tenon.compare<ge>} : (tensor<1x1x?x1xi64>, tensor<?xi64>) -> tensor<1x1x?x?xi1>
  %m = tenon.logical_and %c, %p : (tensor<1x1x?x?xi1>, tensor<?x1x1x?xi1>) -> tensor<?x1x?x?xi1>
  %r = tenon.attention %x, %x, %x mask(%m) {scale = 0.5 : f64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x1x?x?xi1>) -> tensor<?x2x?x4xf32>
  return %r : tensor<?x2x?x4xf32>
}

// -----

// A sliding window of three keys, by the difference of positions; two more keys than queries shift both.
// CHECK-LABEL: @window
// CHECK-NEXT: tenon.attention %{{.*}}, %{{.*}}, %{{.*}} {causal, scale = 5.000000e-01 : f64, window = 3 : i64}
// CHECK-NEXT: return
func.func @window(%x: tensor<1x2x5x4xf32>, %k: tensor<1x2x7x4xf32>) -> tensor<1x2x5x4xf32> {
  %two = tenon.constant dense<2> : tensor<i64>
  %three = tenon.constant dense<3> : tensor<i64>
  %i = tenon.iota {axis = 0 : i64} : () -> tensor<5xi64>
  %j = tenon.iota {axis = 0 : i64} : () -> tensor<7xi64>
  %column = tenon.reshape %i : (tensor<5xi64>) -> tensor<5x1xi64>
  %q = tenon.add %column, %two : (tensor<5x1xi64>, tensor<i64>) -> tensor<5x1xi64>
  %d = tenon.sub %q, %j : (tensor<5x1xi64>, tensor<7xi64>) -> tensor<5x7xi64>
  %w = tenon.compare %d, %three {predicate = #tenon.compare<lt>} : (tensor<5x7xi64>, tensor<i64>) -> tensor<5x7xi1>
  %c = tenon.compare %j, %q {predicate = #tenon.compare<le>} : (tensor<7xi64>, tensor<5x1xi64>) -> tensor<5x7xi1>
  %m = tenon.logical_and %c, %w : (tensor<5x7xi1>, tensor<5x7xi1>) -> tensor<5x7xi1>
  %r = tenon.attention %x, %k, %k mask(%m) {scale = 0.5 : f64} : (tensor<1x2x5x4xf32>, tensor<1x2x7x4xf32>, tensor<1x2x7x4xf32>, tensor<5x7xi1>) -> tensor<1x2x5x4xf32>
  return %r : tensor<1x2x5x4xf32>
}

// -----

// A finite number hides all but what a causal window shows, in which every query sees its own key.
// CHECK-LABEL: @finite_window
// CHECK-NEXT: tenon.attention %{{.*}}, %{{.*}}, %{{.*}} {causal, scale = 5.000000e-01 : f64, window = 2 : i64}
// CHECK-NEXT: return
func.func @finite_window(%x: tensor<?x2x?x4xf32> {tenon.dims = ["batch", "", "seq", ""]}) -> tensor<?x2x?x4xf32> {
  %zero = tenon.constant dense<0.0> : tensor<f32>
  %low = tenon.constant dense<0xFF7FFFFF> : tensor<f32>
  %two = tenon.constant dense<2> : tensor<i64>
  %s = tenon.dim %x {axis = 2 : i64} : (tensor<?x2x?x4xf32>) -> tensor<i64>
  %i = tenon.iota %s {axis = 0 : i64} : (tensor<i64>) -> tensor<?xi64>
  %q = tenon.reshape %i : (tensor<?xi64>) -> tensor<?x1xi64>
  %f = tenon.sub %q, %two : (tensor<?x1xi64>, tensor<i64>) -> tensor<?x1xi64>
  %c = tenon.compare %i, %q {predicate = #tenon.compare<le>} : (tensor<?xi64>, tensor<?x1xi64>) -> tensor<?x?xi1>
  %w = tenon.compare %i, %f {predicate = #tenon.compare<gt>} : (tensor<?xi64>, tensor<?x1xi64>) -> tensor<?x?xi1>
  %v = tenon.logical_and %c, %w : (tensor<?x?xi1>, tensor<?x?xi1>) -> tensor<?x?xi1>
  %m = tenon.select %v, %zero, %low : (tensor<?x?xi1>, tensor<f32>, tensor<f32>) -> tensor<?x?xf32>
  %r = tenon.attention %x, %x, %x mask(%m) {scale = 0.5 : f64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x?xf32>) -> tensor<?x2x?x4xf32>
  return %r : tensor<?x2x?x4xf32>
}

// -----

// A float mask of 0 and -Inf is boolean.
// CHECK-LABEL: @float_mask
// CHECK-SAME: %[[P:[a-z0-9]+]]: tensor<5xi1>)
// CHECK: %[[N:.*]] = tenon.logical_not %[[P]]
// CHECK: tenon.attention %{{.*}} mask(%[[N]])
func.func @float_mask(%x: tensor<1x2x5x4xf32>, %p: tensor<5xi1>) -> tensor<1x2x5x4xf32> {
  %zero = tenon.constant dense<0.0> : tensor<f32>
  %inf = tenon.constant dense<0xFF800000> : tensor<f32>
  %m = tenon.select %p, %inf, %zero : (tensor<5xi1>, tensor<f32>, tensor<f32>) -> tensor<5xf32>
  %r = tenon.attention %x, %x, %x mask(%m) {scale = 0.5 : f64} : (tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>, tensor<5xf32>) -> tensor<1x2x5x4xf32>
  return %r : tensor<1x2x5x4xf32>
}

// -----

// Off by one; more keys than queries without a shift; another triangle; positions of a vector that is no iota.
// CHECK-LABEL: @negative_bands
// CHECK-COUNT-4: tenon.attention {{.*}} mask(%{{[0-9a-z]+}}) {scale
func.func @negative_bands(%x: tensor<1x2x3x4xf32>, %k: tensor<1x2x4x4xf32>, %n: tensor<3xi64>) -> (tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>) {
  %i = tenon.iota {axis = 0 : i64} : () -> tensor<3xi64>
  %j = tenon.iota {axis = 0 : i64} : () -> tensor<4xi64>
  %q = tenon.reshape %i : (tensor<3xi64>) -> tensor<3x1xi64>
  %a = tenon.compare %i, %q {predicate = #tenon.compare<lt>} : (tensor<3xi64>, tensor<3x1xi64>) -> tensor<3x3xi1>
  %b = tenon.compare %j, %q {predicate = #tenon.compare<le>} : (tensor<4xi64>, tensor<3x1xi64>) -> tensor<3x4xi1>
  %c = tenon.constant dense<[[true, true, false], [true, true, true], [true, true, true]]> : tensor<3x3xi1>
  %d = tenon.compare %n, %q {predicate = #tenon.compare<le>} : (tensor<3xi64>, tensor<3x1xi64>) -> tensor<3x3xi1>
  %0 = tenon.attention %x, %x, %x mask(%a) {scale = 0.5 : f64} : (tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<3x3xi1>) -> tensor<1x2x3x4xf32>
  %1 = tenon.attention %x, %k, %k mask(%b) {scale = 0.5 : f64} : (tensor<1x2x3x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>, tensor<3x4xi1>) -> tensor<1x2x3x4xf32>
  %2 = tenon.attention %x, %x, %x mask(%c) {scale = 0.5 : f64} : (tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<3x3xi1>) -> tensor<1x2x3x4xf32>
  %3 = tenon.attention %x, %x, %x mask(%d) {scale = 0.5 : f64} : (tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<3x3xi1>) -> tensor<1x2x3x4xf32>
  return %0, %1, %2, %3 : tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>
}

// -----

// A finite number hides: a row whose keys are all hidden weighs them alike, which a boolean mask would not.
// CHECK-LABEL: @negative_finite_padding
// CHECK: %[[M:.*]] = tenon.select
// CHECK: tenon.attention %{{.*}} mask(%[[M]])
func.func @negative_finite_padding(%x: tensor<1x2x5x4xf32>, %p: tensor<5xi1>) -> tensor<1x2x5x4xf32> {
  %zero = tenon.constant dense<0.0> : tensor<f32>
  %low = tenon.constant dense<0xFF7FFFFF> : tensor<f32>
  %m = tenon.select %p, %zero, %low : (tensor<5xi1>, tensor<f32>, tensor<f32>) -> tensor<5xf32>
  %r = tenon.attention %x, %x, %x mask(%m) {scale = 0.5 : f64} : (tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>, tensor<5xf32>) -> tensor<1x2x5x4xf32>
  return %r : tensor<1x2x5x4xf32>
}
