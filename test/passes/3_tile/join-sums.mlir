// In: parts of a product and who reads their sum. Out: one kernel, where that is a norm of its rows.
// RUN: echo "@linear_add = #tile.gemm<rows = 64, columns = 64, depth = 64, split_k = 4>" > %t
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=kernel" --tenon-collapse-dimensions --tenon-choose-tile-schedules="schedules=%t" \
// RUN:   --tenon-split-depth --tenon-join-sums | FileCheck %s

// The sum is a second result, for who else wants it.
// CHECK: %[[P:.*]] = tenon.kernel @linear_add_parts(
// CHECK: %[[N:.*]]:2 = tenon.kernel @linear_add_sum_rms_norm_both({{.*}} = %[[P]],
// CHECK-NOT: tenon.sum_of_parts
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "reduction"]
// CHECK: tenon.yield
// CHECK: return %[[N]]#1, %[[N]]#0
func.func @main(%x: tensor<64x512xbf16>, %r: tensor<64x256xbf16>) -> (tensor<64x256xbf16>, tensor<64x256xbf16>) {
  %w = tenon.weight "w" : tensor<256x512xbf16>
  %g = tenon.weight "g" : tensor<256xbf16>
  %0 = tenon.linear %x, %w : (tensor<64x512xbf16>, tensor<256x512xbf16>) -> tensor<64x256xbf16>
  %1 = tenon.add %0, %r : (tensor<64x256xbf16>, tensor<64x256xbf16>) -> tensor<64x256xbf16>
  %2 = tenon.rms_norm %1, %g {epsilon = 1.0e-5 : f64} : (tensor<64x256xbf16>, tensor<256xbf16>) -> tensor<64x256xbf16>
  return %1, %2 : tensor<64x256xbf16>, tensor<64x256xbf16>
}

// -----

// Nobody else reads it.
// CHECK: tenon.kernel @linear_add_sum_rms_norm(
// CHECK: return
func.func @main(%x: tensor<64x512xbf16>, %r: tensor<64x256xbf16>, %g: tensor<256xbf16>) -> tensor<64x256xbf16> {
  %w = tenon.weight "w" : tensor<256x512xbf16>
  %0 = tenon.linear %x, %w : (tensor<64x512xbf16>, tensor<256x512xbf16>) -> tensor<64x256xbf16>
  %1 = tenon.add %0, %r : (tensor<64x256xbf16>, tensor<64x256xbf16>) -> tensor<64x256xbf16>
  %2 = tenon.rms_norm %1, %g {epsilon = 1.0e-5 : f64} : (tensor<64x256xbf16>, tensor<256xbf16>) -> tensor<64x256xbf16>
  return %2 : tensor<64x256xbf16>
}

// -----

// A product reads it, before a norm does.
// CHECK: tenon.kernel @linear_add_sum(
// CHECK-NOT: tenon.sum_of_parts
// CHECK: tenon.kernel @rms_norm(
func.func @main(%x: tensor<64x512xbf16>, %r: tensor<64x256xbf16>, %g: tensor<256xbf16>) -> (tensor<64x256xbf16>, tensor<64x256xbf16>) {
  %w = tenon.weight "w" : tensor<256x512xbf16>
  %v = tenon.weight "v" : tensor<256x256xbf16>
  %0 = tenon.linear %x, %w : (tensor<64x512xbf16>, tensor<256x512xbf16>) -> tensor<64x256xbf16>
  %1 = tenon.add %0, %r : (tensor<64x256xbf16>, tensor<64x256xbf16>) -> tensor<64x256xbf16>
  %3 = tenon.linear %1, %v : (tensor<64x256xbf16>, tensor<256x256xbf16>) -> tensor<64x256xbf16>
  %2 = tenon.rms_norm %1, %g {epsilon = 1.0e-5 : f64} : (tensor<64x256xbf16>, tensor<256xbf16>) -> tensor<64x256xbf16>
  return %2, %3 : tensor<64x256xbf16>, tensor<64x256xbf16>
}
