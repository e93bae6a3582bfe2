// Scales are read by tensor, row or block; sums of integers are i32 between two scale changes.
// RUN: tenon-opt %s --tenon-form-kernels --tenon-lower-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

// An integer takes NaN to 0, rounds halves to even and clamps; the scale is that of the row.
// CHECK: #[[ROW:.*]] = affine_map<(d0, d1) -> (d0, 0)>
// CHECK-LABEL: @main
// CHECK: linalg.generic {indexing_maps = [#{{.*}}, #[[ROW]], #{{.*}}], iterator_types = ["parallel", "parallel"]}
// CHECK: ^bb0(%[[X:.*]]: bf16, %[[S:.*]]: f32, %{{.*}}: i4):
// CHECK: %[[INVERSE:.*]] = arith.divf %{{.*}}, %[[S]] : f32
// CHECK: %[[WIDE:.*]] = arith.extf %[[X]] : bf16 to f32
// CHECK: %[[SCALED:.*]] = arith.mulf %[[WIDE]], %[[INVERSE]] : f32
// CHECK: %[[NAN:.*]] = arith.cmpf uno, %[[SCALED]], %[[SCALED]]
// CHECK: %[[NUMBER:.*]] = arith.select %[[NAN]], %{{.*}}, %[[SCALED]]
// CHECK: %[[ROUND:.*]] = math.roundeven %[[NUMBER]]
// CHECK: %[[LOW:.*]] = arith.maximumf %[[ROUND]], %{{.*}}
// CHECK: %[[BOTH:.*]] = arith.minimumf %[[LOW]], %{{.*}}
// CHECK: arith.fptosi %[[BOTH]] : f32 to i4
func.func @main(%x: tensor<?x64xbf16>, %s: tensor<?x1xf32>) -> tensor<?x64xi4> {
  %r = tenon.quantise %x, %s : (tensor<?x64xbf16>, tensor<?x1xf32>) -> tensor<?x64xi4>
  return %r : tensor<?x64xi4>
}

// -----

// An f8 type clamps to its largest number, 448, and keeps NaN; one scale serves the tensor.
// CHECK: #[[ONE:.*]] = affine_map<(d0, d1) -> ()>
// CHECK-LABEL: @main
// CHECK-DAG: %[[MOST:.*]] = arith.constant 4.480000e+02 : f32
// CHECK-DAG: %[[LEAST:.*]] = arith.constant -4.480000e+02 : f32
// CHECK: linalg.generic {indexing_maps = [#{{.*}}, #[[ONE]], #{{.*}}]
// CHECK-NOT: arith.cmpf
// CHECK: arith.maximumf %{{.*}}, %[[LEAST]]
// CHECK: arith.minimumf %{{.*}}, %[[MOST]]
// CHECK: arith.truncf %{{.*}} : f32 to f8E4M3FN
func.func @main(%x: tensor<4x64xf32>, %s: tensor<f32>) -> tensor<4x64xf8E4M3FN> {
  %r = tenon.quantise %x, %s : (tensor<4x64xf32>, tensor<f32>) -> tensor<4x64xf8E4M3FN>
  return %r : tensor<4x64xf8E4M3FN>
}

// -----

// Blocks of 2 by 32 of the innermost dimensions share a scale.
// CHECK: #[[BLOCK:.*]] = affine_map<(d0, d1, d2) -> (d0, d1 floordiv 2, d2 floordiv 32)>
// CHECK-LABEL: @main
// CHECK: linalg.generic {indexing_maps = [#{{.*}}, #[[BLOCK]], #{{.*}}]
// CHECK: arith.sitofp %{{.*}} : i8 to f32
// CHECK: arith.mulf
// CHECK: arith.truncf %{{.*}} : f32 to f16
func.func @main(%x: tensor<3x?x64xi8>, %s: tensor<3x?x2xf32>) -> tensor<3x?x64xf16> {
  %r = tenon.dequantise %x, %s {block = array<i64: 2, 32>} : (tensor<3x?x64xi8>, tensor<3x?x2xf32>) -> tensor<3x?x64xf16>
  return %r : tensor<3x?x64xf16>
}

// -----

// Scales of rows do not change along k: one integer sum, both scales at its end.
// CHECK-DAG: #[[M:.*]] = affine_map<(d0, d1) -> (d0, 0)>
// CHECK-DAG: #[[N:.*]] = affine_map<(d0, d1) -> (d1, 0)>
// CHECK-LABEL: @main
// CHECK: %[[SUM:.*]] = linalg.generic {{.*}}"reduction"]} ins({{.*}} : tensor<?x64xi8>, tensor<16x64xi4>) outs({{.*}} : tensor<?x16xi32>)
// CHECK: arith.muli
// CHECK: arith.addi
// CHECK: linalg.generic {indexing_maps = [#{{.*}}, #[[M]], #[[N]], #{{.*}}], {{.*}} ins(%[[SUM]],
// CHECK-COUNT-2: arith.mulf
// CHECK: arith.truncf %{{.*}} : f32 to bf16
func.func @main(%x: tensor<?x64xi8>, %xs: tensor<?x1xf32>, %w: tensor<16x64xi4>, %ws: tensor<16x1xf32>) -> tensor<?x16xbf16> {
  %r = tenon.quantised_matmul %x scale(%xs), %w scale(%ws)
      : (tensor<?x64xi8>, tensor<?x1xf32>, tensor<16x64xi4>, tensor<16x1xf32>) -> tensor<?x16xbf16>
  return %r : tensor<?x16xbf16>
}

// -----

// Scales of blocks change along k: an integer sum a block, outermost, scaled when it is added.
// CHECK: #[[SCALE:.*]] = affine_map<(d0, d1, d2) -> (d1 floordiv 8, d2)>
// CHECK-LABEL: @main
// CHECK: %[[X:.*]] = tensor.expand_shape {{.*}} into tensor<?x4x16xi8>
// CHECK: %[[W:.*]] = tensor.expand_shape {{.*}} into tensor<16x4x16xi8>
// CHECK: %[[SUMS:.*]] = linalg.generic {{.*}} ins(%[[X]], %[[W]] : {{.*}}) outs({{.*}} : tensor<4x?x16xi32>)
// CHECK: linalg.generic {indexing_maps = [#[[SCALE]], #{{.*}}, #{{.*}}], {{.*}}"reduction"]} ins(%{{.*}}, %[[SUMS]] :
// CHECK: arith.sitofp %{{.*}} : i32 to f32
// CHECK: arith.mulf
// CHECK: arith.addf
func.func @main(%x: tensor<?x64xi8>, %xs: tensor<f32>, %w: tensor<16x64xi8>, %ws: tensor<2x4xf32>) -> tensor<?x16xf32> {
  %r = tenon.quantised_matmul %x scale(%xs), %w scale(%ws) {block = array<i64: 8, 16>}
      : (tensor<?x64xi8>, tensor<f32>, tensor<16x64xi8>, tensor<2x4xf32>) -> tensor<?x16xf32>
  return %r : tensor<?x16xf32>
}

// -----

// So do 8-bit floats, whose sums are f32.
// CHECK: #[[SCALE:.*]] = affine_map<(d0, d1, d2) -> (d1 floordiv 128, d2)>
// CHECK-LABEL: @main
// CHECK: %[[SUMS:.*]] = linalg.generic {{.*}} outs({{.*}} : tensor<2x?x256xf32>)
// CHECK: linalg.generic {indexing_maps = [#[[SCALE]], #{{.*}}, #{{.*}}], {{.*}}"reduction"]} ins(%{{.*}}, %[[SUMS]] :
func.func @main(%x: tensor<?x256xf8E4M3FN>, %xs: tensor<?x1xf32>, %w: tensor<256x256xf8E5M2>, %ws: tensor<2x2xf32>) -> tensor<?x256xf16> {
  %r = tenon.quantised_matmul %x scale(%xs), %w scale(%ws) {block = array<i64: 128, 128>}
      : (tensor<?x256xf8E4M3FN>, tensor<?x1xf32>, tensor<256x256xf8E5M2>, tensor<2x2xf32>) -> tensor<?x256xf16>
  return %r : tensor<?x256xf16>
}

// -----

// Scales of the input that change along k multiply those of the weight.
// CHECK: #[[INPUT:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-LABEL: @main
// CHECK: linalg.generic {indexing_maps = [#{{.*}}, #[[INPUT]], #{{.*}}, #{{.*}}], {{.*}}"reduction"]}
// CHECK: ^bb0(%[[WS:.*]]: f32, %[[XS:.*]]: f32, %[[SUM:.*]]: f32, %{{.*}}: f32):
// CHECK: %[[BOTH:.*]] = arith.mulf %[[WS]], %[[XS]]
// CHECK: arith.mulf %[[SUM]], %[[BOTH]]
func.func @main(%x: tensor<?x256xf8E4M3FN>, %xs: tensor<?x2xf32>, %w: tensor<256x256xf8E4M3FN>, %ws: tensor<2x2xf32>) -> tensor<?x256xf16> {
  %r = tenon.quantised_matmul %x scale(%xs), %w scale(%ws) {block = array<i64: 128, 128>}
      : (tensor<?x256xf8E4M3FN>, tensor<?x2xf32>, tensor<256x256xf8E4M3FN>, tensor<2x2xf32>) -> tensor<?x256xf16>
  return %r : tensor<?x256xf16>
}

// -----

// A float input meets the weight and its scale in f32, in one contraction.
// CHECK: #[[BLOCK:.*]] = affine_map<(d0, d1, d2) -> (d1, d2 floordiv 32)>
// CHECK-LABEL: @main
// CHECK: linalg.generic {indexing_maps = [#{{.*}}, #{{.*}}, #[[BLOCK]], #{{.*}}], {{.*}}"reduction"]}
// CHECK: ^bb0(%[[X:.*]]: f16, %[[W:.*]]: i4, %[[S:.*]]: f32, %[[ACC:.*]]: f32):
// CHECK: %[[WF:.*]] = arith.sitofp %[[W]] : i4 to f32
// CHECK: arith.mulf %[[WF]], %[[S]]
func.func @main(%x: tensor<?x64xf16>, %w: tensor<16x64xi4>, %ws: tensor<16x2xf32>) -> tensor<?x16xf16> {
  %r = tenon.quantised_matmul %x, %w scale(%ws) {block = array<i64: 1, 32>}
      : (tensor<?x64xf16>, tensor<16x64xi4>, tensor<16x2xf32>) -> tensor<?x16xf16>
  return %r : tensor<?x16xf16>
}
