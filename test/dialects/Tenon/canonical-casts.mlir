// Casts to f32 and back around one op that computes 16-bit floats in f32 anyway.
// RUN: tenon-opt %s --canonicalize --split-input-file | FileCheck %s

// CHECK-LABEL: @around_one
// CHECK-SAME: (%[[X:.*]]: tensor<4xbf16>, %[[Y:.*]]: tensor<4xbf16>)
// CHECK: %[[C:.*]] = tenon.constant dense<5.000000e-01> : tensor<bf16>
// CHECK: tenon.relu %[[X]] : (tensor<4xbf16>)
// CHECK: tenon.add %[[X]], %[[Y]] : (tensor<4xbf16>, tensor<4xbf16>)
// CHECK: tenon.mul %[[Y]], %[[C]] : (tensor<4xbf16>, tensor<bf16>)
// CHECK-NOT: tenon.cast
func.func @around_one(%x: tensor<4xbf16>, %y: tensor<4xbf16>) -> (tensor<4xbf16>, tensor<4xbf16>, tensor<4xbf16>) {
  %half = tenon.constant dense<0.5> : tensor<f32>
  %a = tenon.cast %x : (tensor<4xbf16>) -> tensor<4xf32>
  %b = tenon.cast %y : (tensor<4xbf16>) -> tensor<4xf32>
  %0 = tenon.relu %a : (tensor<4xf32>) -> tensor<4xf32>
  %1 = tenon.cast %0 : (tensor<4xf32>) -> tensor<4xbf16>
  %2 = tenon.add %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %3 = tenon.cast %2 : (tensor<4xf32>) -> tensor<4xbf16>
  %4 = tenon.mul %b, %half : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %5 = tenon.cast %4 : (tensor<4xf32>) -> tensor<4xbf16>
  return %1, %3, %5 : tensor<4xbf16>, tensor<4xbf16>, tensor<4xbf16>
}

// -----

// A number that bf16 does not hold; two ops between the casts; another 16-bit type; the f32 result is returned.
// CHECK-LABEL: @negative_wider
// CHECK-COUNT-7: tenon.cast
func.func @negative_wider(%x: tensor<4xbf16>) -> (tensor<4xbf16>, tensor<4xbf16>, tensor<4xf16>, tensor<4xf32>, tensor<4xbf16>) {
  %c = tenon.constant dense<0.1> : tensor<f32>
  %a = tenon.cast %x : (tensor<4xbf16>) -> tensor<4xf32>
  %0 = tenon.mul %a, %c : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %1 = tenon.cast %0 : (tensor<4xf32>) -> tensor<4xbf16>
  %b = tenon.cast %1 : (tensor<4xbf16>) -> tensor<4xf32>
  %2 = tenon.square %b : (tensor<4xf32>) -> tensor<4xf32>
  %3 = tenon.neg %2 : (tensor<4xf32>) -> tensor<4xf32>
  %4 = tenon.abs %2 : (tensor<4xf32>) -> tensor<4xf32>
  %5 = tenon.sub %3, %4 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %6 = tenon.cast %5 : (tensor<4xf32>) -> tensor<4xbf16>
  %d = tenon.cast %6 : (tensor<4xbf16>) -> tensor<4xf32>
  %7 = tenon.neg %d : (tensor<4xf32>) -> tensor<4xf32>
  %8 = tenon.cast %7 : (tensor<4xf32>) -> tensor<4xf16>
  %9 = tenon.relu %a : (tensor<4xf32>) -> tensor<4xf32>
  %10 = tenon.cast %9 : (tensor<4xf32>) -> tensor<4xbf16>
  return %1, %6, %8, %9, %10 : tensor<4xbf16>, tensor<4xbf16>, tensor<4xf16>, tensor<4xf32>, tensor<4xbf16>
}
