// In: contractions with a schedule. Out: a weight is packed into panels by a kernel of its own; the contraction reads it there.
// RUN: tenon-opt %s --split-input-file --tenon-phases="from=kernel to=kernel" --tenon-cpu-choose-schedules --tenon-cpu-pack-weights | FileCheck %s

// CHECK-DAG: #[[PANELS:.*]] = affine_map<(d0, d1, d2) -> (d1 floordiv 64, d2, d1 mod 64)>
// CHECK-LABEL: func.func @main
// CHECK: %[[W:.*]] = tenon.weight "w"
// CHECK: %[[P:.*]] = tenon.kernel @pack_64_of_128_8_f32(%{{.*}} = %[[W]])
// CHECK: tensor.expand_shape %{{.*}} {{\[\[}}0, 1], [2]] output_shape [2, 64, 8]
// CHECK: linalg.transpose {{.*}} permutation = [0, 2, 1]
// CHECK: tenon.kernel @linear(%{{.*}} = %{{.*}}, %{{.*}} = %[[P]])
// CHECK: indexing_maps = [#{{.*}}, #[[PANELS]], #{{.*}}]
func.func @main(%x: tensor<4x8xf32>) -> tensor<4x128xf32> {
  %w = tenon.weight "w" : tensor<128x8xf32>
  %y = tenon.linear %x, %w : (tensor<4x8xf32>, tensor<128x8xf32>) -> tensor<4x128xf32>
  return %y : tensor<4x128xf32>
}

// -----

// Columns past the last are zero; a matrix stored the other way round is packed to the same panels.
// CHECK-LABEL: func.func @main
// CHECK: tenon.kernel @pack_64_of_8_100_f32_transposed
// CHECK: %[[WHOLE:.*]] = linalg.transpose {{.*}} permutation = [1, 0, 2]
// CHECK: tensor.insert_slice %[[WHOLE]] into %{{.*}}[0, 0, 0] [1, 8, 64]
// CHECK: tensor.insert_slice %{{.*}} into %{{.*}}[1, 0, 0] [1, 8, 36]
// CHECK: %[[NONE:.*]] = linalg.fill
// CHECK: tensor.insert_slice %[[NONE]] into %{{.*}}[1, 0, 36] [1, 8, 28]
func.func @main(%x: tensor<4x8xf32>) -> tensor<4x100xf32> {
  %w = tenon.weight "w" : tensor<8x100xf32>
  %y = tenon.matmul %x, %w : (tensor<4x8xf32>, tensor<8x100xf32>) -> tensor<4x100xf32>
  return %y : tensor<4x100xf32>
}

// -----

// A matrix computed from weights is a weight.
// CHECK-LABEL: func.func @main
// CHECK: %[[SCALED:.*]] = tenon.kernel @mul
// CHECK: tenon.kernel @pack_64_of_64_8_f32(%{{.*}} = %[[SCALED]])
func.func @main(%x: tensor<4x8xf32>) -> tensor<4x64xf32> {
  %w = tenon.weight "w" : tensor<64x8xf32>
  %s = tenon.weight "s" : tensor<64x1xf32>
  %v = tenon.mul %w, %s : (tensor<64x8xf32>, tensor<64x1xf32>) -> tensor<64x8xf32>
  %y = tenon.linear %x, %v : (tensor<4x8xf32>, tensor<64x8xf32>) -> tensor<4x64xf32>
  return %y : tensor<4x64xf32>
}

// -----

// What the model computes is not packed ahead.
// CHECK-LABEL: func.func @main
// CHECK-NOT: @pack
func.func @main(%x: tensor<4x8xf32>, %w: tensor<64x8xf32>) -> tensor<4x64xf32> {
  %y = tenon.linear %x, %w : (tensor<4x8xf32>, tensor<64x8xf32>) -> tensor<4x64xf32>
  return %y : tensor<4x64xf32>
}

// -----

// A transposed weight is packed from the weight; the transpose goes.
// CHECK-LABEL: func.func @main
// CHECK-NOT: tenon.kernel @transpose
// CHECK: %[[W:.*]] = tenon.weight "w"
// CHECK-NOT: tenon.kernel @transpose
// CHECK: tenon.kernel @pack_64_of_8_64_f32_transposed(%{{.*}} = %[[W]])
func.func @main(%x: tensor<4x8xf32>) -> tensor<4x64xf32> {
  %w = tenon.weight "w" : tensor<8x64xf32>
  %v = tenon.transpose %w {permutation = array<i64: 1, 0>} : (tensor<8x64xf32>) -> tensor<64x8xf32>
  %y = tenon.linear %x, %v : (tensor<4x8xf32>, tensor<64x8xf32>) -> tensor<4x64xf32>
  return %y : tensor<4x64xf32>
}

// -----

// A transpose that something else reads stays for it.
// CHECK-LABEL: func.func @main
// CHECK: tenon.kernel @transpose
// CHECK: tenon.kernel @pack_64_of_8_64_f32_transposed
func.func @main(%x: tensor<4x8xf32>) -> (tensor<4x64xf32>, tensor<64x8xf32>) {
  %w = tenon.weight "w" : tensor<8x64xf32>
  %v = tenon.transpose %w {permutation = array<i64: 1, 0>} : (tensor<8x64xf32>) -> tensor<64x8xf32>
  %y = tenon.linear %x, %v : (tensor<4x8xf32>, tensor<64x8xf32>) -> tensor<4x64xf32>
  return %y, %v : tensor<4x64xf32>, tensor<64x8xf32>
}

// -----

// Two kernels of one name are one function: of these only one reads panels.
// CHECK-LABEL: func.func @main
// CHECK: tenon.kernel @linear(
// CHECK: tenon.kernel @pack_
// CHECK: tenon.kernel @linear_packed(
func.func @main(%x: tensor<4x8xf32>, %v: tensor<64x8xf32>) -> (tensor<4x64xf32>, tensor<4x64xf32>) {
  %w = tenon.weight "w" : tensor<64x8xf32>
  %0 = tenon.linear %x, %v : (tensor<4x8xf32>, tensor<64x8xf32>) -> tensor<4x64xf32>
  %1 = tenon.linear %x, %w : (tensor<4x8xf32>, tensor<64x8xf32>) -> tensor<4x64xf32>
  return %0, %1 : tensor<4x64xf32>, tensor<4x64xf32>
}
