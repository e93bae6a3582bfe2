// Activations in the associations and orders that exporters write.
// RUN: tenon-opt %s --canonicalize --cse --tenon-raise-activations --canonicalize --split-input-file | FileCheck %s
// VALUES: 1e-7

// 0.5 x (1 + erf(x / sqrt(2))), and x (1 + erf(x * 0.7071)) 0.5.
// CHECK-LABEL: @gelu_erf
// CHECK-SAME: (%[[X:.*]]: tensor<4xf32>, %[[Y:.*]]: tensor<4xf64>)
// CHECK-NEXT: %[[A:.*]] = tenon.gelu %[[X]] :
// CHECK-NEXT: %[[B:.*]] = tenon.gelu %[[Y]] :
// CHECK-NEXT: return %[[A]], %[[B]]
func.func @gelu_erf(%x: tensor<4xf32>, %y: tensor<4xf64>) -> (tensor<4xf32>, tensor<4xf64>) {
  %half = tenon.constant dense<0.5> : tensor<f32>
  %sqrt2 = tenon.constant dense<1.41421354> : tensor<f32>
  %one = tenon.constant dense<1.0> : tensor<f32>
  %0 = tenon.mul %half, %x : (tensor<f32>, tensor<4xf32>) -> tensor<4xf32>
  %1 = tenon.div %x, %sqrt2 : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %2 = tenon.erf %1 : (tensor<4xf32>) -> tensor<4xf32>
  %3 = tenon.add %one, %2 : (tensor<f32>, tensor<4xf32>) -> tensor<4xf32>
  %4 = tenon.mul %0, %3 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %two64 = tenon.constant dense<2.0> : tensor<f64>
  %root64 = tenon.constant dense<0.70710678118654757> : tensor<f64>
  %one64 = tenon.constant dense<1.0> : tensor<f64>
  %5 = tenon.mul %y, %root64 : (tensor<4xf64>, tensor<f64>) -> tensor<4xf64>
  %6 = tenon.erf %5 : (tensor<4xf64>) -> tensor<4xf64>
  %7 = tenon.add %6, %one64 : (tensor<4xf64>, tensor<f64>) -> tensor<4xf64>
  %8 = tenon.mul %y, %7 : (tensor<4xf64>, tensor<4xf64>) -> tensor<4xf64>
  %9 = tenon.div %8, %two64 : (tensor<4xf64>, tensor<f64>) -> tensor<4xf64>
  return %4, %9 : tensor<4xf32>, tensor<4xf64>
}

// -----

// The cubic written out, and factored: sqrt(2/pi) x (1 + 0.044715 x x).
// CHECK-LABEL: @gelu_tanh
// CHECK-SAME: (%[[X:.*]]: tensor<4xf32>, %[[Y:.*]]: tensor<4xf32>)
// CHECK-NEXT: %[[A:.*]] = tenon.gelu %[[X]] {approximation = #tenon.gelu<tanh>}
// CHECK-NEXT: %[[B:.*]] = tenon.gelu %[[Y]] {approximation = #tenon.gelu<tanh>}
// CHECK-NEXT: return %[[A]], %[[B]]
func.func @gelu_tanh(%x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %half = tenon.constant dense<0.5> : tensor<f32>
  %one = tenon.constant dense<1.0> : tensor<f32>
  %three = tenon.constant dense<3.0> : tensor<f32>
  %k = tenon.constant dense<0.797884583> : tensor<f32>
  %c = tenon.constant dense<4.471500e-02> : tensor<f32>
  %0 = tenon.pow %x, %three : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %1 = tenon.mul %0, %c : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %2 = tenon.add %x, %1 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %3 = tenon.mul %2, %k : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %4 = tenon.tanh %3 : (tensor<4xf32>) -> tensor<4xf32>
  %5 = tenon.add %4, %one : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %6 = tenon.mul %x, %half : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %7 = tenon.mul %6, %5 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %8 = tenon.mul %y, %k : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %9 = tenon.mul %y, %c : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %10 = tenon.mul %9, %y : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %11 = tenon.add %10, %one : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %12 = tenon.mul %8, %11 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %13 = tenon.tanh %12 : (tensor<4xf32>) -> tensor<4xf32>
  %14 = tenon.add %13, %one : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %15 = tenon.mul %14, %y : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %16 = tenon.mul %15, %half : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  return %7, %16 : tensor<4xf32>, tensor<4xf32>
}

// -----

// 16 bits, as frameworks multiply them by numbers: in f32, rounded after each.
// CHECK-LABEL: @gelu_tanh_bf16
// CHECK-SAME: (%[[X:.*]]: tensor<4xbf16>)
// CHECK-NEXT: %[[A:.*]] = tenon.gelu %[[X]] {approximation = #tenon.gelu<tanh>}
// CHECK-NEXT: return %[[A]]
func.func @gelu_tanh_bf16(%x: tensor<4xbf16>) -> tensor<4xbf16> {
  %half = tenon.constant dense<0.5> : tensor<bf16>
  %one = tenon.constant dense<1.0> : tensor<bf16>
  %three = tenon.constant dense<3.0> : tensor<bf16>
  %k = tenon.constant dense<0.797884583> : tensor<f32>
  %c = tenon.constant dense<4.471500e-02> : tensor<f32>
  %0 = tenon.pow %x, %three : (tensor<4xbf16>, tensor<bf16>) -> tensor<4xbf16>
  %1 = tenon.cast %0 : (tensor<4xbf16>) -> tensor<4xf32>
  %2 = tenon.mul %1, %c : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %3 = tenon.cast %2 : (tensor<4xf32>) -> tensor<4xbf16>
  %4 = tenon.add %x, %3 : (tensor<4xbf16>, tensor<4xbf16>) -> tensor<4xbf16>
  %5 = tenon.cast %4 : (tensor<4xbf16>) -> tensor<4xf32>
  %6 = tenon.mul %5, %k : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %7 = tenon.cast %6 : (tensor<4xf32>) -> tensor<4xbf16>
  %8 = tenon.tanh %7 : (tensor<4xbf16>) -> tensor<4xbf16>
  %9 = tenon.add %8, %one : (tensor<4xbf16>, tensor<bf16>) -> tensor<4xbf16>
  %10 = tenon.mul %x, %half : (tensor<4xbf16>, tensor<bf16>) -> tensor<4xbf16>
  %11 = tenon.mul %10, %9 : (tensor<4xbf16>, tensor<4xbf16>) -> tensor<4xbf16>
  return %11 : tensor<4xbf16>
}

// -----

// A cast to integers cuts off what is behind the point.
// CHECK-LABEL: @negative_gelu_of_integers
// CHECK: tenon.tanh
func.func @negative_gelu_of_integers(%x: tensor<4xf32>) -> tensor<4xf32> {
  %half = tenon.constant dense<0.5> : tensor<f32>
  %one = tenon.constant dense<1.0> : tensor<f32>
  %three = tenon.constant dense<3.0> : tensor<f32>
  %k = tenon.constant dense<0.797884583> : tensor<f32>
  %c = tenon.constant dense<4.471500e-02> : tensor<f32>
  %i = tenon.cast %x : (tensor<4xf32>) -> tensor<4xi32>
  %w = tenon.cast %i : (tensor<4xi32>) -> tensor<4xf32>
  %0 = tenon.pow %w, %three : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %1 = tenon.mul %0, %c : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %2 = tenon.add %x, %1 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %3 = tenon.mul %2, %k : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %4 = tenon.tanh %3 : (tensor<4xf32>) -> tensor<4xf32>
  %5 = tenon.add %4, %one : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %6 = tenon.mul %x, %half : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %7 = tenon.mul %6, %5 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %7 : tensor<4xf32>
}

// -----

// CHECK-LABEL: @sigmoids
// CHECK-SAME: (%[[X:.*]]: tensor<4xf32>, %[[Y:.*]]: tensor<4xf32>, %[[Z:.*]]: tensor<4xf32>)
// CHECK-DAG: %[[A:.*]] = tenon.silu %[[X]]
// CHECK-DAG: %[[B:.*]] = tenon.quick_gelu %[[Y]]
// CHECK-DAG: %[[C:.*]] = tenon.silu %[[Z]]
// CHECK: return %[[A]], %[[B]], %[[C]]
func.func @sigmoids(%x: tensor<4xf32>, %y: tensor<4xf32>, %z: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %one = tenon.constant dense<1.0> : tensor<f32>
  %c = tenon.constant dense<1.702> : tensor<f32>
  %0 = tenon.sigmoid %x : (tensor<4xf32>) -> tensor<4xf32>
  %1 = tenon.mul %0, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %2 = tenon.mul %y, %c : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %3 = tenon.neg %2 : (tensor<4xf32>) -> tensor<4xf32>
  %4 = tenon.exp %3 : (tensor<4xf32>) -> tensor<4xf32>
  %5 = tenon.add %4, %one : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %6 = tenon.reciprocal %5 : (tensor<4xf32>) -> tensor<4xf32>
  %7 = tenon.mul %y, %6 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %8 = tenon.neg %z : (tensor<4xf32>) -> tensor<4xf32>
  %9 = tenon.exp %8 : (tensor<4xf32>) -> tensor<4xf32>
  %10 = tenon.add %9, %one : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %11 = tenon.div %z, %10 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %1, %7, %11 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// -----

// CHECK-LABEL: @gated
// CHECK-SAME: (%[[G:.*]]: tensor<4xf32>, %[[U:.*]]: tensor<4xf32>)
// CHECK-NEXT: %[[A:.*]] = tenon.swiglu %[[G]], %[[U]]
// CHECK-NEXT: %[[B:.*]] = tenon.geglu %[[G]], %[[U]] {approximation = #tenon.gelu<tanh>}
// CHECK-NEXT: return %[[A]], %[[B]]
func.func @gated(%g: tensor<4xf32>, %u: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %0 = tenon.sigmoid %g : (tensor<4xf32>) -> tensor<4xf32>
  %1 = tenon.mul %g, %0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %2 = tenon.mul %1, %u : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %3 = tenon.gelu %g {approximation = #tenon.gelu<tanh>} : (tensor<4xf32>) -> tensor<4xf32>
  %4 = tenon.mul %u, %3 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %2, %4 : tensor<4xf32>, tensor<4xf32>
}

// -----

// CHECK-LABEL: @gated_between_casts
// CHECK-NEXT: tenon.swiglu %{{.*}}, %{{.*}} : (tensor<4xbf16>, tensor<4xbf16>) -> tensor<4xbf16>
// CHECK-NEXT: return
func.func @gated_between_casts(%g: tensor<4xbf16>, %u: tensor<4xbf16>) -> tensor<4xbf16> {
  %0 = tenon.cast %g : (tensor<4xbf16>) -> tensor<4xf32>
  %1 = tenon.sigmoid %0 : (tensor<4xf32>) -> tensor<4xf32>
  %2 = tenon.mul %0, %1 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %3 = tenon.cast %2 : (tensor<4xf32>) -> tensor<4xbf16>
  %4 = tenon.mul %3, %u : (tensor<4xbf16>, tensor<4xbf16>) -> tensor<4xbf16>
  return %4 : tensor<4xbf16>
}

// -----

// The constants of no gelu (0.7, 0.45), another x under the erf, a gate that broadcasts, integers.
// CHECK-LABEL: @negative_constants
// CHECK-NOT: tenon.{{gelu|silu|swiglu|geglu}}
// CHECK-COUNT-2: tenon.erf
// CHECK: tenon.tanh
// CHECK: tenon.silu
// CHECK: tenon.mul
func.func @negative_constants(%x: tensor<4xf32>, %y: tensor<4xf32>, %u: tensor<2x4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<2x4xf32>) {
  %half = tenon.constant dense<0.5> : tensor<f32>
  %one = tenon.constant dense<1.0> : tensor<f32>
  %wrong = tenon.constant dense<0.7> : tensor<f32>
  %right = tenon.constant dense<0.70710678> : tensor<f32>
  %c = tenon.constant dense<0.045> : tensor<f32>
  %k = tenon.constant dense<0.797884583> : tensor<f32>
  %0 = tenon.mul %x, %half : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %1 = tenon.mul %x, %wrong : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %2 = tenon.erf %1 : (tensor<4xf32>) -> tensor<4xf32>
  %3 = tenon.add %2, %one : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %4 = tenon.mul %0, %3 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %5 = tenon.mul %y, %right : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %6 = tenon.erf %5 : (tensor<4xf32>) -> tensor<4xf32>
  %7 = tenon.add %6, %one : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %8 = tenon.mul %0, %7 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %9 = tenon.square %x : (tensor<4xf32>) -> tensor<4xf32>
  %10 = tenon.mul %9, %c : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %11 = tenon.add %10, %one : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %12 = tenon.mul %11, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %13 = tenon.mul %12, %k : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %14 = tenon.tanh %13 : (tensor<4xf32>) -> tensor<4xf32>
  %15 = tenon.add %14, %one : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %16 = tenon.mul %0, %15 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %17 = tenon.silu %x : (tensor<4xf32>) -> tensor<4xf32>
  %18 = tenon.mul %17, %u : (tensor<4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  return %4, %8, %16, %18 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<2x4xf32>
}

// -----

// The sigmoid is returned; the gate is.
// CHECK-LABEL: @negative_read_inside
// CHECK-NOT: tenon.swiglu
// CHECK: tenon.sigmoid
// CHECK: tenon.mul
// CHECK: tenon.silu
// CHECK: tenon.mul
func.func @negative_read_inside(%x: tensor<4xf32>, %g: tensor<4xf32>, %u: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %0 = tenon.sigmoid %x : (tensor<4xf32>) -> tensor<4xf32>
  %1 = tenon.mul %x, %0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %2 = tenon.silu %g : (tensor<4xf32>) -> tensor<4xf32>
  %3 = tenon.mul %2, %u : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %0, %1, %2, %3 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}
