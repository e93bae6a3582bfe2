// In: parts of a product and who reads their sum. Out: one kernel, where that is a norm of its rows.
// RUN: echo "@linear_add = #tile.gemm<rows = 64, columns = 64, depth = 64, split_k = 4>" > %t
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=kernel" --tenon-collapse-dimensions --tenon-choose-tile-schedules="schedules=%t" \
// RUN:   --tenon-split-depth --tenon-join-sums | FileCheck %s

// The sum is a second result, for who else wants it.
// CHECK-LABEL: func.func @main
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
// CHECK-LABEL: func.func @main
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
// CHECK-LABEL: func.func @main
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

// -----

// Embeddings that are added, and normed.
// CHECK-LABEL: func.func @main
// CHECK: tenon.kernel @embedding_add_layer_norm(
// CHECK-NOT: tenon.kernel @layer_norm
func.func @main(%i: tensor<1x128xi64>, %x: tensor<64x512xbf16>, %r: tensor<64x256xbf16>) -> (tensor<1x128x256xbf16>, tensor<64x256xbf16>) {
  %t = tenon.weight "t" : tensor<1000x256xbf16>
  %p = tenon.weight "p" : tensor<128x256xbf16>
  %g = tenon.weight "g" : tensor<256xbf16>
  %w = tenon.weight "w" : tensor<256x512xbf16>
  %e = tenon.embedding %t, %i : (tensor<1000x256xbf16>, tensor<1x128xi64>) -> tensor<1x128x256xbf16>
  %s = tenon.add %e, %p : (tensor<1x128x256xbf16>, tensor<128x256xbf16>) -> tensor<1x128x256xbf16>
  %n = tenon.layer_norm %s weight(%g) {epsilon = 1.0e-5 : f64} : (tensor<1x128x256xbf16>, tensor<256xbf16>) -> tensor<1x128x256xbf16>
  %0 = tenon.linear %x, %w : (tensor<64x512xbf16>, tensor<256x512xbf16>) -> tensor<64x256xbf16>
  %1 = tenon.add %0, %r : (tensor<64x256xbf16>, tensor<64x256xbf16>) -> tensor<64x256xbf16>
  return %n, %1 : tensor<1x128x256xbf16>, tensor<64x256xbf16>
}

// -----

// Tokens of several sequences keep their dimensions, for the positions, and the norm has one for both.
// CHECK-LABEL: func.func @main
// CHECK: tenon.kernel @embedding_add(
// CHECK: tenon.kernel @layer_norm(
func.func @main(%i: tensor<4x128xi64>, %x: tensor<64x512xbf16>, %r: tensor<64x256xbf16>) -> (tensor<4x128x256xbf16>, tensor<64x256xbf16>) {
  %t = tenon.weight "t" : tensor<1000x256xbf16>
  %p = tenon.weight "p" : tensor<128x256xbf16>
  %g = tenon.weight "g" : tensor<256xbf16>
  %w = tenon.weight "w" : tensor<256x512xbf16>
  %e = tenon.embedding %t, %i : (tensor<1000x256xbf16>, tensor<4x128xi64>) -> tensor<4x128x256xbf16>
  %s = tenon.add %e, %p : (tensor<4x128x256xbf16>, tensor<128x256xbf16>) -> tensor<4x128x256xbf16>
  %n = tenon.layer_norm %s weight(%g) {epsilon = 1.0e-5 : f64} : (tensor<4x128x256xbf16>, tensor<256xbf16>) -> tensor<4x128x256xbf16>
  %0 = tenon.linear %x, %w : (tensor<64x512xbf16>, tensor<256x512xbf16>) -> tensor<64x256xbf16>
  %1 = tenon.add %0, %r : (tensor<64x256xbf16>, tensor<64x256xbf16>) -> tensor<64x256xbf16>
  return %n, %1 : tensor<4x128x256xbf16>, tensor<64x256xbf16>
}

// -----

// Two norms of a difference: the one takes from the sum, the other the sum from something. They are two kernels.
// CHECK-LABEL: func.func @main
// CHECK: tenon.kernel @linear_add_sum_sub_softmax_both(
// CHECK: tenon.kernel @linear_add_sum_sub_softmax_both_1(
func.func @main(%x: tensor<64x512xbf16>, %y: tensor<64x512xbf16>, %r: tensor<64x256xbf16>, %q: tensor<64x256xbf16>)
    -> (tensor<64x256xbf16>, tensor<64x256xbf16>, tensor<64x256xbf16>, tensor<64x256xbf16>) {
  %w = tenon.weight "w" : tensor<256x512xbf16>
  %0 = tenon.linear %x, %w : (tensor<64x512xbf16>, tensor<256x512xbf16>) -> tensor<64x256xbf16>
  %1 = tenon.add %0, %r : (tensor<64x256xbf16>, tensor<64x256xbf16>) -> tensor<64x256xbf16>
  %2 = tenon.sub %1, %q : (tensor<64x256xbf16>, tensor<64x256xbf16>) -> tensor<64x256xbf16>
  %3 = tenon.softmax %2 {axis = 1} : (tensor<64x256xbf16>) -> tensor<64x256xbf16>
  %4 = tenon.linear %y, %w : (tensor<64x512xbf16>, tensor<256x512xbf16>) -> tensor<64x256xbf16>
  %5 = tenon.add %4, %r : (tensor<64x256xbf16>, tensor<64x256xbf16>) -> tensor<64x256xbf16>
  %6 = tenon.sub %q, %5 : (tensor<64x256xbf16>, tensor<64x256xbf16>) -> tensor<64x256xbf16>
  %7 = tenon.softmax %6 {axis = 1} : (tensor<64x256xbf16>) -> tensor<64x256xbf16>
  return %1, %3, %5, %7 : tensor<64x256xbf16>, tensor<64x256xbf16>, tensor<64x256xbf16>, tensor<64x256xbf16>
}
