// In: tenon.attention. Out: scores, mask, statistics and weighted sum, each one linalg.generic.
// RUN: tenon-opt %s --split-input-file --tenon-expand-attention --canonicalize --cse --verify-diagnostics | FileCheck %s

// Four query heads share two heads of keys; bf16 is widened; the last query sees all keys, so the key's index is
// compared with the query's moved by the difference of the lengths.
// CHECK-DAG: #[[SHARED:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1 floordiv 2, d3, d4)>
// CHECK-DAG: #[[VALUES:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1 floordiv 2, d4, d3)>
// CHECK-LABEL: func.func @grouped_heads_causal_window_bf16
// CHECK: linalg.generic {indexing_maps = [#{{.*}}, #[[SHARED]], #{{.*}}]
// CHECK: arith.extf
// CHECK: %[[SHIFT:.*]] = arith.subi %{{.*}}, %{{.*}} : index
// CHECK: linalg.generic
// CHECK: arith.mulf
// CHECK: %[[J:.*]] = linalg.index 3
// CHECK: %[[I:.*]] = linalg.index 2
// CHECK: %[[LAST:.*]] = arith.addi %[[I]], %[[SHIFT]]
// CHECK: arith.cmpi sle, %[[J]], %[[LAST]]
// CHECK: %[[BEFORE:.*]] = arith.subi %[[LAST]], %c3
// CHECK: arith.cmpi sgt, %[[J]], %[[BEFORE]]
// CHECK: arith.maximumf
// CHECK: math.exp
// CHECK: arith.addf
// CHECK: linalg.generic {indexing_maps = [#{{.*}}, #[[VALUES]], #{{.*}}]
// CHECK: arith.divf
// CHECK: arith.truncf
// CHECK-NOT: tenon.attention
func.func @grouped_heads_causal_window_bf16(%Q: memref<1x4x?x8xbf16>, %K: memref<1x2x?x8xbf16>, %Y: memref<1x4x?x8xbf16>, %first: index, %last: index, %scratch: memref<?xi8>) attributes {tenon.kernel} {
  %q = bufferization.to_tensor %Q restrict : memref<1x4x?x8xbf16> to tensor<1x4x?x8xbf16>
  %k = bufferization.to_tensor %K restrict : memref<1x2x?x8xbf16> to tensor<1x2x?x8xbf16>
  %y = tenon.attention %q, %k, %k {causal, window = 3} : (tensor<1x4x?x8xbf16>, tensor<1x2x?x8xbf16>, tensor<1x2x?x8xbf16>) -> tensor<1x4x?x8xbf16>
  bufferization.materialize_in_destination %y in restrict writable %Y : (tensor<1x4x?x8xbf16>, memref<1x4x?x8xbf16>) -> ()
  return
}

// -----

// A capped score: within 50 of 0, before the mask. Its power is 0 where an f64 has none, not where f32 alone has none.
// CHECK-LABEL: func.func @soft_cap
// CHECK-DAG: %[[CAP:.*]] = arith.constant 5.000000e+01 : f32
// CHECK-DAG: %[[LOWEST:.*]] = arith.constant -745.13
// CHECK-DAG: %[[SMALLEST:.*]] = arith.constant 1.401300e-45 : f32
// CHECK: %[[SCALED:.*]] = arith.mulf %{{.*}}, %{{.*}} : f32
// CHECK: %[[RELATIVE:.*]] = arith.divf %[[SCALED]], %[[CAP]]
// CHECK: %[[TANH:.*]] = math.tanh %[[RELATIVE]]
// CHECK: arith.mulf %[[TANH]], %[[CAP]]
// CHECK: %[[POWER:.*]] = math.exp %[[DISTANCE:.*]] : f32
// CHECK: %[[SOME:.*]] = arith.cmpf oge, %[[DISTANCE]], %[[LOWEST]]
// CHECK: %[[KEPT:.*]] = arith.maximumf %[[POWER]], %[[SMALLEST]]
// CHECK: arith.select %[[SOME]], %[[KEPT]], %[[POWER]]
func.func @soft_cap(%Q: memref<1x4x?x8xf32>, %Y: memref<1x4x?x8xf32>, %first: index, %last: index, %scratch: memref<?xi8>) attributes {tenon.kernel} {
  %q = bufferization.to_tensor %Q restrict : memref<1x4x?x8xf32> to tensor<1x4x?x8xf32>
  %y = tenon.attention %q, %q, %q {causal, soft_cap = 50.0 : f64} : (tensor<1x4x?x8xf32>, tensor<1x4x?x8xf32>, tensor<1x4x?x8xf32>) -> tensor<1x4x?x8xf32>
  bufferization.materialize_in_destination %y in restrict writable %Y : (tensor<1x4x?x8xf32>, memref<1x4x?x8xf32>) -> ()
  return
}

// -----

// A mask of sizes 1 is read at 0; a boolean one selects, a hidden score is -Inf and its probability -1.
// CHECK-DAG: #[[MASK:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, 0, 0, d3)>
// CHECK-LABEL: func.func @boolean_key_mask
// CHECK-DAG: %[[HIDDEN:.*]] = arith.constant 0xFF800000 : f32
// CHECK-DAG: %[[MINUS:.*]] = arith.constant -1.000000e+00 : f32
// CHECK: linalg.generic {indexing_maps = [#{{.*}}, #[[MASK]], #{{.*}}]
// CHECK: ^bb0(%[[S:.*]]: f32, %[[V:.*]]: i1, %{{.*}}: f32)
// CHECK: %[[SCALED:.*]] = arith.mulf %[[S]]
// CHECK: arith.select %[[V]], %[[SCALED]], %[[HIDDEN]]
// CHECK: arith.select %{{.*}}, %[[MINUS]], %{{.*}}
func.func @boolean_key_mask(%Q: memref<2x4x5x8xf32>, %M: memref<2x1x1x5xf32>, %Y: memref<2x4x5x8xf32>, %first: index, %last: index, %scratch: memref<?xi8>) attributes {tenon.kernel} {
  %q = bufferization.to_tensor %Q restrict : memref<2x4x5x8xf32> to tensor<2x4x5x8xf32>
  %m = bufferization.to_tensor %M restrict : memref<2x1x1x5xf32> to tensor<2x1x1x5xf32>
  %bits = arith.fptoui %m : tensor<2x1x1x5xf32> to tensor<2x1x1x5xi1>
  %y = tenon.attention %q, %q, %q mask(%bits) : (tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<2x1x1x5xi1>) -> tensor<2x4x5x8xf32>
  bufferization.materialize_in_destination %y in restrict writable %Y : (tensor<2x4x5x8xf32>, memref<2x4x5x8xf32>) -> ()
  return
}

// -----

// Lengths are read beside the scores: of the batch.
// CHECK-DAG: #[[ALL:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
// CHECK-DAG: #[[BATCH:.*]] = affine_map<(d0, d1, d2, d3) -> (d0)>
// CHECK-LABEL: func.func @lengths
// CHECK: linalg.generic {indexing_maps = [#[[ALL]], #[[BATCH]], #[[BATCH]], #[[ALL]]]
// CHECK: ^bb0(%[[S:.*]]: f32, %[[N:.*]]: i32, %[[M:.*]]: i64, %{{.*}}: f32):
// CHECK: arith.index_cast %[[N]] : i32 to index
// CHECK: %[[KEY:.*]] = linalg.index 3
// CHECK: arith.cmpi slt, %[[KEY]]
// CHECK: arith.index_cast %[[M]] : i64 to index
// CHECK: %[[QUERY:.*]] = linalg.index 2
// CHECK: arith.cmpi slt, %[[QUERY]]
func.func @lengths(%Q: memref<2x4x5x8xf32>, %N: memref<2xi32>, %M: memref<2xi64>, %Y: memref<2x4x5x8xf32>, %first: index, %last: index, %scratch: memref<?xi8>) attributes {tenon.kernel} {
  %q = bufferization.to_tensor %Q restrict : memref<2x4x5x8xf32> to tensor<2x4x5x8xf32>
  %n = bufferization.to_tensor %N restrict : memref<2xi32> to tensor<2xi32>
  %m = bufferization.to_tensor %M restrict : memref<2xi64> to tensor<2xi64>
  %y = tenon.attention %q, %q, %q key_lengths(%n) query_lengths(%m) : (tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<2xi32>, tensor<2xi64>) -> tensor<2x4x5x8xf32>
  bufferization.materialize_in_destination %y in restrict writable %Y : (tensor<2x4x5x8xf32>, memref<2x4x5x8xf32>) -> ()
  return
}

// -----

// Outside kernel functions it stays.
// CHECK-LABEL: func.func @negative_no_kernel
// CHECK: tenon.attention
func.func @negative_no_kernel(%q: tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32> {
  %y = tenon.attention %q, %q, %q : (tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32>
  return %y : tensor<1x1x4x8xf32>
}

// -----

func.func @dynamic_heads(%Q: memref<1x?x4x8xf32>, %Y: memref<1x?x4x8xf32>, %first: index, %last: index, %scratch: memref<?xi8>) attributes {tenon.kernel} {
  %q = bufferization.to_tensor %Q restrict : memref<1x?x4x8xf32> to tensor<1x?x4x8xf32>
  // expected-error @below {{the numbers of heads have to be static}}
  %y = tenon.attention %q, %q, %q : (tensor<1x?x4x8xf32>, tensor<1x?x4x8xf32>, tensor<1x?x4x8xf32>) -> tensor<1x?x4x8xf32>
  bufferization.materialize_in_destination %y in restrict writable %Y : (tensor<1x?x4x8xf32>, memref<1x?x4x8xf32>) -> ()
  return
}

// -----

// Packed values of known size have a known size: one column, of which no tile is made.
// CHECK-LABEL: func.func @packed
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<2x2x1x16xf8E4M3FN>)
func.func @packed(%v: tensor<2x2x7x1xf8E4M3FN>) -> tensor<2x2x1x16xf8E4M3FN> {
  %0 = tenon.kernel @values(%V = %v) : (tensor<2x2x7x1xf8E4M3FN>) -> tensor<2x2x1x16xf8E4M3FN> {
    %1 = tenon.pack_values %V : (tensor<2x2x7x1xf8E4M3FN>) -> tensor<2x2x1x16xf8E4M3FN>
    tenon.yield %1 : tensor<2x2x1x16xf8E4M3FN>
  }
  return %0 : tensor<2x2x1x16xf8E4M3FN>
}
