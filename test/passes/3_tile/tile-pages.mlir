// In: attention to keys in pages. Out: programs that look the page up each turn, as a place and not as rows of a gather;
// and copies of them into parts of a shared tile.
// RUN: split-file %s %t
// RUN: tenon-opt %t/parts.mlir --tenon-tile-kernels --canonicalize --cse | FileCheck %t/parts.mlir
// RUN: tenon-opt %t/parts.mlir --tenon-tile-kernels --canonicalize --cse --tenon-choose-warp-schedules --tenon-stage-copies | FileCheck %t/parts.mlir --check-prefix=RING
// RUN: tenon-opt %t/small.mlir --tenon-tile-kernels --canonicalize --cse | FileCheck %t/small.mlir
// RUN: tenon-opt %t/small.mlir --tenon-tile-kernels --canonicalize --cse --tenon-choose-warp-schedules --tenon-stage-copies | FileCheck %t/small.mlir --check-prefix=RING
// RUN: tenon-opt %t/small.mlir --tenon-tile-kernels --canonicalize --cse --tenon-choose-warp-schedules=arch=sm_80 --tenon-stage-copies | FileCheck %t/small.mlir --check-prefix=ASYNC
// RUN: tenon-opt %t/torn.mlir --tenon-tile-kernels --remark-format=emitRemark --remarks-filter-missed=tenon-tile-kernels 2>&1 | FileCheck %t/torn.mlir
// RUN: tenon-opt %t/unsplit.mlir --tenon-split-keys --remark-format=emitRemark --remarks-filter-missed=tenon-split-keys 2>&1 | FileCheck %t/unsplit.mlir

//--- parts.mlir
// A page has two tiles of keys. What data say is kept within the pool.
// CHECK-DAG: #[[SLOT:.*]] = affine_map<(d0) -> (d0 floordiv 256)>
// CHECK-DAG: #[[KEY:.*]] = affine_map<(d0) -> (d0 mod 256)>
// CHECK-LABEL: tile.kernel @attention(
// CHECK-SAME: %[[Q:.*]]: !tile.view<2x4x512x128xbf16>, %[[K:.*]]: !tile.view<9x4x256x128xbf16>, %[[V:.*]]: !tile.view<9x4x256x128xbf16>, %[[T:.*]]: !tile.view<2x3xi32>,
// CHECK: tile.grid (%[[B:.*]], %[[H:.*]], %{{.*}}, %{{.*}}) =
// CHECK: scf.for %[[AT:.*]] = %c0 to %c768 step %c128
// CHECK: %[[S:.*]] = affine.apply #[[SLOT]](%[[AT]])
// CHECK: %[[N:.*]] = tile.load %[[T]][%[[B]], %[[S]]] : <2x3xi32> -> tensor<i32>
// CHECK: %[[NUMBER:.*]] = tensor.extract %[[N]][]
// CHECK: %[[INDEX:.*]] = arith.index_cast %[[NUMBER]]
// CHECK: %[[MOST:.*]] = arith.minsi %[[INDEX]], %c8
// CHECK: %[[PAGE:.*]] = arith.maxsi %[[MOST]], %c0
// CHECK: %[[FIRST:.*]] = affine.apply #[[KEY]](%[[AT]])
// CHECK: tile.load %[[K]][%[[PAGE]], %[[H]], %[[FIRST]], %c0] : <9x4x256x128xbf16> -> tensor<128x128xbf16>
// CHECK: tile.dot
// CHECK: tile.load %[[V]][%[[PAGE]], %[[H]], %[[FIRST]], %c0] : <9x4x256x128xbf16> -> tensor<128x128xbf16>
// The producer looks it up before it waits for a slot, and no copy can be outside of the pool.
// RING: warp.produce
// RING: warp.produce
// RING: scf.for
// RING: tile.load %{{.*}} : <2x3xi32> -> tensor<i32>
// RING: warp.ring.acquire
// RING: warp.copy %{{.*}} {within = array<i1: true, true, true, true>}
func.func @main(%q: tensor<2x4x512x128xbf16>, %k: tensor<9x4x256x128xbf16>, %v: tensor<9x4x256x128xbf16>, %t: tensor<2x3xi32>) -> tensor<2x4x512x128xbf16> {
  %y = tenon.kernel @attention(%Q = %q, %K = %k, %V = %v, %T = %t) attributes {tenon.schedule = #tile.attention<queries = 128, keys = 128>} : (tensor<2x4x512x128xbf16>, tensor<9x4x256x128xbf16>, tensor<9x4x256x128xbf16>, tensor<2x3xi32>) -> tensor<2x4x512x128xbf16> {
    %0 = tenon.attention %Q, %K, %V block_table(%T) : (tensor<2x4x512x128xbf16>, tensor<9x4x256x128xbf16>, tensor<9x4x256x128xbf16>, tensor<2x3xi32>) -> tensor<2x4x512x128xbf16>
    tenon.yield %0 : tensor<2x4x512x128xbf16>
  }
  return %y : tensor<2x4x512x128xbf16>
}

//--- small.mlir
// A tile is two pages, which lie [page, key, head] here and are read where they lie.
// CHECK-LABEL: tile.kernel @attention(
// CHECK: %[[K:.*]] = tile.strided %{{.*}} : <9x64x4x128xbf16> -> <9x4x64x128xbf16>
// CHECK: scf.for
// CHECK-COUNT-2: tile.load %{{.*}} : <2x5xi32> -> tensor<i32>
// CHECK: %[[A:.*]] = tile.load %[[K]][{{.*}}] : <9x4x64x128xbf16> -> tensor<64x128xbf16>
// CHECK: %[[B:.*]] = tile.load %[[K]][{{.*}}] : <9x4x64x128xbf16> -> tensor<64x128xbf16>
// CHECK: %[[AB:.*]] = tile.join %[[A]], %[[B]] {axis = 0 : i64} : tensor<64x128xbf16>, tensor<64x128xbf16> -> tensor<128x128xbf16>
// CHECK: tile.dot %{{.*}}, %[[AB]],
// CHECK: %[[V:.*]] = tile.join %{{.*}} -> tensor<128x128xbf16>
// CHECK: tile.dot %{{.*}}, %[[V]],
// RING: warp.produce
// RING: warp.produce
// RING: scf.for
// RING-COUNT-2: tile.load %{{.*}} : <2x5xi32> -> tensor<i32>
// RING: %[[SLOT:.*]] = warp.ring.acquire
// RING: warp.copy %{{.*}}, %[[SLOT]] {rows = array<i64: 0, 64>, within = array<i1: true, true, true, true>}
// RING-NEXT: warp.copy %{{.*}}, %[[SLOT]] {rows = array<i64: 64, 64>, within = array<i1: true, true, true, true>}
// RING-NEXT: warp.ring.commit
// Where all threads copy, the numbers for the turn after next come while they wait for this one's tiles.
// ASYNC: scf.for
// ASYNC: scf.for
// ASYNC: tile.load %{{.*}} : <2x5xi32> -> tensor<i32>
// ASYNC: warp.ring.wait
// ASYNC: scf.if
// ASYNC-NEXT: warp.ring.acquire
// ASYNC: warp.copy %{{.*}} {rows = array<i64: 64, 64>
func.func @main(%q: tensor<2x4x512x128xbf16>, %k: tensor<9x64x4x128xbf16>, %v: tensor<9x4x64x128xbf16>, %t: tensor<2x5xi32>) -> tensor<2x4x512x128xbf16> {
  %y = tenon.kernel @attention(%Q = %q, %K = %k, %V = %v, %T = %t) attributes {tenon.schedule = #tile.attention<queries = 128, keys = 128>} : (tensor<2x4x512x128xbf16>, tensor<9x64x4x128xbf16>, tensor<9x4x64x128xbf16>, tensor<2x5xi32>) -> tensor<2x4x512x128xbf16> {
    %e = tensor.empty() : tensor<9x4x64x128xbf16>
    %kt = linalg.transpose ins(%K : tensor<9x64x4x128xbf16>) outs(%e : tensor<9x4x64x128xbf16>) permutation = [0, 2, 1, 3]
    %0 = tenon.attention %Q, %kt, %V block_table(%T) : (tensor<2x4x512x128xbf16>, tensor<9x4x64x128xbf16>, tensor<9x4x64x128xbf16>, tensor<2x5xi32>) -> tensor<2x4x512x128xbf16>
    tenon.yield %0 : tensor<2x4x512x128xbf16>
  }
  return %y : tensor<2x4x512x128xbf16>
}

//--- torn.mlir
// CHECK: a tile of keys is neither within a page nor made of whole ones of a multiple of 8 keys
// CHECK-NOT: tile.kernel
func.func @main(%q: tensor<2x4x512x128xbf16>, %k: tensor<9x4x100x128xbf16>, %t: tensor<2x3xi32>) -> tensor<2x4x512x128xbf16> {
  %y = tenon.kernel @attention(%Q = %q, %K = %k, %T = %t) attributes {tenon.schedule = #tile.attention<queries = 128, keys = 128>} : (tensor<2x4x512x128xbf16>, tensor<9x4x100x128xbf16>, tensor<2x3xi32>) -> tensor<2x4x512x128xbf16> {
    %0 = tenon.attention %Q, %K, %K block_table(%T) : (tensor<2x4x512x128xbf16>, tensor<9x4x100x128xbf16>, tensor<9x4x100x128xbf16>, tensor<2x3xi32>) -> tensor<2x4x512x128xbf16>
    tenon.yield %0 : tensor<2x4x512x128xbf16>
  }
  return %y : tensor<2x4x512x128xbf16>
}

//--- unsplit.mlir
// CHECK: @attention keeps its keys in one program: its pages do not fit tiles of 128 keys
// CHECK-NOT: attention_parts
func.func @main(%q: tensor<2x4x1x128xbf16>, %k: tensor<9x4x100x128xbf16>, %t: tensor<2x3xi32>) -> tensor<2x4x1x128xbf16> {
  %y = tenon.kernel @attention(%Q = %q, %K = %k, %T = %t) attributes {tenon.schedule = #tile.attention<queries = 16, keys = 128, split_keys = 3>} : (tensor<2x4x1x128xbf16>, tensor<9x4x100x128xbf16>, tensor<2x3xi32>) -> tensor<2x4x1x128xbf16> {
    %0 = tenon.attention %Q, %K, %K block_table(%T) : (tensor<2x4x1x128xbf16>, tensor<9x4x100x128xbf16>, tensor<9x4x100x128xbf16>, tensor<2x3xi32>) -> tensor<2x4x1x128xbf16>
    tenon.yield %0 : tensor<2x4x1x128xbf16>
  }
  return %y : tensor<2x4x1x128xbf16>
}
