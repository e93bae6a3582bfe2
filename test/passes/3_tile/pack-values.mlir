// In: attention of 8-bit floats. Out: a kernel ahead transposes the values, where Tensor Cores multiply such floats; the
// programs take them as they come, and add what they sum up of them to sums in f32.
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=kernel gpu=sm_90a" --tenon-resolve-sizes --tenon-pack-values \
// RUN:   --remarks-filter=tenon-pack-values --remark-format=emitRemark 2> %t | FileCheck %s
// RUN: FileCheck %s --check-prefix=REMARK < %t
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=kernel gpu=sm_80" --tenon-resolve-sizes --tenon-pack-values=arch=sm_80 \
// RUN:   --remarks-filter=tenon-pack-values --remark-format=emitRemark 2> %t | FileCheck %s --check-prefix=SM80
// RUN: FileCheck %s --check-prefix=SM80-REMARK < %t
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=tile gpu=sm_90a" | FileCheck %s --check-prefix=TILE

// REMARK: @attention_values transposes the values of @attention
// REMARK: @attention multiplies in f16: 4 queries are too few to read the values twice for
// REMARK: @attention multiplies in f16: its values are in pages, which no kernel puts in order
// SM80-REMARK: @attention multiplies in f16: its Tensor Cores multiply no 8-bit floats
// SM80-NOT: packed

// CHECK-LABEL: func.func @main
// CHECK: %[[P:.*]] = tenon.kernel @attention_values(%{{.*}} = %{{.*}}) attributes {{{.*}}tenon.schedule = #tile.row
// CHECK-NEXT: tenon.pack_values
// CHECK: tenon.kernel @attention({{.*}}%[[V:[^ ]*]] = %[[P]])
// CHECK-NEXT: tenon.attention %{{.*}}, %{{.*}}, %[[V]] scales(%{{.*}}, %{{.*}}, %{{.*}}) {packed}
// CHECK: #[[SHAPE:.*]] = affine_map<()[s0] -> (1, 2, 64, (s0 ceildiv 16) * 16)>

// TILE-LABEL: tile.kernel @attention_values
// TILE: tile.load {{.*}} -> tensor<256x64xf8E4M3FN>
// TILE: tile.trans
// TILE: tile.reshape {{.*}} -> tensor<64x16x2x4x2xf8E4M3FN>
// TILE: tile.trans %{{.*}} {permutation = array<i64: 0, 1, 3, 2, 4>}
// TILE: tile.store {{.*}} : tensor<64x256xf8E4M3FN>, <1x2x64x304xf8E4M3FN>
// TILE-LABEL: tile.kernel @attention
// TILE: math.absf
// TILE: scf.for
// TILE: tile.dot {{.*}} {transpose_b} : tensor<{{.*}}xf8E4M3FN>
// TILE: tile.load {{.*}} : <1x2x64x304xf8E4M3FN> -> tensor<64x128xf8E4M3FN>
// TILE: %[[BELOW:.*]] = arith.minimumf
// TILE: %[[E:.*]] = arith.truncf {{.*}} to tensor<{{.*}}xf8E4M3FN>
// TILE: tile.reshape %[[E]]
// TILE: tile.trans %{{.*}} {permutation = array<i64: 0, 1, 3, 2, 4>}
// TILE: %[[SUM:.*]] = tile.dot %{{.*}}, %{{.*}}, %[[ZERO:[^ ]*]] {transpose_b}
// TILE: arith.addf %{{.*}}, %[[SUM]]
!in = tensor<1x2x130x64xf8E4M3FN>
!keys = tensor<1x2x300x64xf8E4M3FN>
func.func @main(%q: !in, %k: !keys, %v: !keys, %qs: tensor<f32>, %ks: tensor<f32>, %vs: tensor<f32>) -> tensor<1x2x130x64xbf16> {
  %0 = tenon.attention %q, %k, %v scales(%qs, %ks, %vs) : (!in, !keys, !keys, tensor<f32>, tensor<f32>, tensor<f32>) -> tensor<1x2x130x64xbf16>
  return %0 : tensor<1x2x130x64xbf16>
}

// -----

// Keys of which there are so many at run time: whole 16s of them.
// CHECK-LABEL: func.func @main
// CHECK: tenon.kernel @attention_values({{.*}}tenon.result_shapes = [#[[SHAPE]]]
// CHECK: tenon.attention {{.*}} {packed} : {{.*}}tensor<1x2x64x?xf8E4M3FN>
func.func @main(%q: tensor<1x2x130x64xf8E4M3FN>, %k: tensor<1x2x?x64xf8E4M3FN> {tenon.dims = ["", "", "keys", ""]}, %v: tensor<1x2x?x64xf8E4M3FN> {tenon.dims = ["", "", "keys", ""]}) -> tensor<1x2x130x64xf32> {
  %0 = tenon.attention %q, %k, %v : (tensor<1x2x130x64xf8E4M3FN>, tensor<1x2x?x64xf8E4M3FN>, tensor<1x2x?x64xf8E4M3FN>) -> tensor<1x2x130x64xf32>
  return %0 : tensor<1x2x130x64xf32>
}

// -----

// Floats of 16 bits.
// CHECK-LABEL: func.func @main
// CHECK-NOT: tenon.pack_values
func.func @main(%q: tensor<1x2x130x64xf16>, %k: tensor<1x2x300x64xf16>) -> tensor<1x2x130x64xf16> {
  %0 = tenon.attention %q, %k, %k : (tensor<1x2x130x64xf16>, tensor<1x2x300x64xf16>, tensor<1x2x300x64xf16>) -> tensor<1x2x130x64xf16>
  return %0 : tensor<1x2x130x64xf16>
}

// -----

// Wide values, which are the keys: programs share the columns.
// CHECK-LABEL: func.func @main
// CHECK: tenon.attention %{{.*}}, %[[K:.*]], %[[V:.*]] {packed} : (tensor<1x2x130x256xf8E4M3FN>, tensor<1x2x300x256xf8E4M3FN>, tensor<1x2x256x304xf8E4M3FN>)
// TILE-LABEL: tile.kernel @attention(
// TILE: tile.grid {{.*}} = (%c1, %c2, %{{.*}}, %c2)
// TILE: tile.dot {{.*}} -> tensor<[[ROWS:[0-9]+]]x64xf32>
// TILE: tile.dot {{.*}} -> tensor<[[ROWS]]x128xf32>
func.func @main(%q: tensor<1x2x130x256xf8E4M3FN>, %k: tensor<1x2x300x256xf8E4M3FN>) -> tensor<1x2x130x256xbf16> {
  %0 = tenon.attention %q, %k, %k : (tensor<1x2x130x256xf8E4M3FN>, tensor<1x2x300x256xf8E4M3FN>, tensor<1x2x300x256xf8E4M3FN>) -> tensor<1x2x130x256xbf16>
  return %0 : tensor<1x2x130x256xbf16>
}

// -----

// A step of decoding: the four heads of a group are queries.
// CHECK-LABEL: func.func @main
// CHECK-NOT: packed
// TILE: arith.extf {{.*}} : tensor<{{.*}}xf8E4M3FN> to tensor<{{.*}}xf16>
func.func @main(%q: tensor<1x2x4x64xf8E4M3FN>, %k: tensor<1x2x300x64xf8E4M3FN>, %v: tensor<1x2x300x64xf8E4M3FN>) -> tensor<1x2x4x64xf32> {
  %0 = tenon.attention %q, %k, %v : (tensor<1x2x4x64xf8E4M3FN>, tensor<1x2x300x64xf8E4M3FN>, tensor<1x2x300x64xf8E4M3FN>) -> tensor<1x2x4x64xf32>
  return %0 : tensor<1x2x4x64xf32>
}

// -----

// Values in pages stay where they are.
// CHECK-LABEL: func.func @main
// CHECK-NOT: packed
// TILE: tile.join
// TILE: arith.extf {{.*}} : tensor<{{.*}}xf8E4M3FN> to tensor<{{.*}}xf16>
func.func @main(%q: tensor<2x2x64x64xf8E4M3FN>, %k: tensor<9x2x16x64xf8E4M3FN>, %t: tensor<2x20xi32>) -> tensor<2x2x64x64xf32> {
  %0 = tenon.attention %q, %k, %k block_table(%t) : (tensor<2x2x64x64xf8E4M3FN>, tensor<9x2x16x64xf8E4M3FN>, tensor<9x2x16x64xf8E4M3FN>, tensor<2x20xi32>) -> tensor<2x2x64x64xf32>
  return %0 : tensor<2x2x64x64xf32>
}
