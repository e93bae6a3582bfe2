// In: kernels of linalg. Out: programs on tiles; what has none stays, with the reason.
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=kernel" --tenon-collapse-dimensions --canonicalize --cse --tenon-choose-tile-schedules \
// RUN:   | sed 's/<rows = [^>]*parts = .>/<rows = 128, columns = 256, depth = 64>/' | tenon-opt --split-input-file --tenon-tile-kernels --canonicalize --cse | FileCheck %s
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=kernel" --tenon-collapse-dimensions --canonicalize --cse --tenon-choose-tile-schedules --tenon-tile-kernels --remark-format=emitRemark \
// RUN:   --remarks-filter-missed=tenon-tile-kernels 2>&1 | FileCheck %s --check-prefix=REMARK

// A matrix product is one loop over the depth that carries the sums; what follows it is computed on them. Tails need no code:
// a view reads 0 outside and drops what is stored there.
// CHECK: tile.kernel @linear_relu(%[[X:.*]]: !tile.view<?x384xbf16>, %[[W:.*]]: !tile.view<1000x384xbf16>, %[[Y:.*]]: !tile.view<?x1000xbf16>)
// CHECK: tile.grid (%{{.*}}, %{{.*}}) = (%{{.*}}, %c4)
// CHECK: %[[SUMS:.*]] = scf.for %[[K:.*]] = %c0 to %c384 step %c64 iter_args(%[[ACC:.*]] = %{{.*}}) -> (tensor<128x256xf32>)
// CHECK: %[[A:.*]] = tile.load %[[X]][%{{.*}}, %[[K]]] : <?x384xbf16> -> tensor<128x64xbf16>
// CHECK: %[[B:.*]] = tile.load %[[W]][%{{.*}}, %[[K]]] : <1000x384xbf16> -> tensor<256x64xbf16>
// CHECK: tile.dot %[[A]], %[[B]], %[[ACC]] {transpose_b}
// CHECK: arith.truncf %[[SUMS]] : tensor<128x256xf32> to tensor<128x256xbf16>
// CHECK: arith.maximumf
// CHECK: tile.store %{{.*}}, %[[Y]]
func.func @main(%x: tensor<?x384xbf16> {tenon.dims = ["rows", ""]}) -> tensor<?x1000xbf16> {
  %w = tenon.weight "w" : tensor<1000x384xbf16>
  %0 = tenon.linear %x, %w : (tensor<?x384xbf16>, tensor<1000x384xbf16>) -> tensor<?x1000xbf16>
  %1 = tenon.relu %0 : (tensor<?x1000xbf16>) -> tensor<?x1000xbf16>
  return %1 : tensor<?x1000xbf16>
}

// -----

// A norm loads its rows once and folds them.
// CHECK: tile.kernel @rms_norm
// CHECK: %[[ROWS:.*]] = tile.load %{{.*}} -> tensor<16x512xf32>
// CHECK-NOT: tile.load
// CHECK: tile.reduce add %{{.*}} {axis = 1 : i64} : tensor<16x512xf32> -> tensor<16xf32>
// CHECK: arith.mulf %[[ROWS]]
// CHECK: tile.store
func.func @main(%x: tensor<?x512xf32> {tenon.dims = ["rows", ""]}) -> tensor<?x512xf32> {
  %0 = tenon.rms_norm %x {epsilon = 1.0e-5 : f64} : (tensor<?x512xf32>) -> tensor<?x512xf32>
  return %0 : tensor<?x512xf32>
}

// -----

// A dynamic row is folded part by part, here by 32 programs, each element of a tile for itself; what is read past its end
// changes no maximum. Behind the loop is one fold of these, and one of what all programs have.
// CHECK: tile.kernel @reduce_max
// CHECK: tile.grid (%[[ROW:.*]], %[[PART:.*]]) = (%c4, %c32)
// CHECK: %[[TURNS:.*]] = arith.ceildivui %{{.*}}, %c65536
// CHECK: %[[BEST:.*]] = scf.for
// CHECK: %[[LOADED:.*]] = tile.load %{{.*}} {pad = 0xFF800000 : f32} : <4x?xf32> -> tensor<2048xf32>
// CHECK-NEXT: %[[MORE:.*]] = arith.maximumf %{{.*}}, %[[LOADED]] : tensor<2048xf32>
// CHECK-NEXT: scf.yield %[[MORE]]
// CHECK: tile.reduce max %[[BEST]]
// CHECK: %[[ALL:.*]] = tile.gather_to_last
// CHECK: tile.reduce max %[[ALL]]
func.func @main(%x: tensor<4x?xf32> {tenon.dims = ["", "columns"]}) -> tensor<4xf32> {
  %0 = tenon.reduce_max %x {axes = array<i64: 1>} : (tensor<4x?xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// A row of an odd size is padded to a tile that threads divide without a rest. 0 outside changes no sum, but the squares
// of differences are masked.
// CHECK: tile.kernel @layer_norm
// CHECK: %[[ROWS:.*]] = tile.load %{{.*}} : <9x77xf32> -> tensor<96xf32>
// CHECK-NEXT: tile.reduce add %[[ROWS]]
// CHECK: arith.select
// CHECK: tile.reduce add
// CHECK-NOT: arith.select
func.func @main(%x: tensor<9x77xf32>) -> tensor<9x77xf32> {
  %0 = tenon.layer_norm %x {epsilon = 1.0e-5 : f64} : (tensor<9x77xf32>) -> tensor<9x77xf32>
  return %0 : tensor<9x77xf32>
}

// -----

// Softmax of an odd row needs no mask: exp(-infinity) is 0.
// CHECK: tile.kernel @softmax
// CHECK: tile.load %{{.*}} {pad = 0xFF800000 : f32} : <9x77xf32> -> tensor<96xf32>
// CHECK-NOT: arith.select
// CHECK-NOT: tile.load
func.func @main(%x: tensor<9x77xf32>) -> tensor<9x77xf32> {
  %0 = tenon.softmax %x {axis = 1 : i64} : (tensor<9x77xf32>) -> tensor<9x77xf32>
  return %0 : tensor<9x77xf32>
}

// -----

// A row too long for registers is walked through, once for each statistic and once for the result.
// CHECK: tile.kernel @rms_norm
// CHECK: tile.grid (%[[I:.*]], %{{.*}}) = (%c4, %c1)
// CHECK: scf.for %{{.*}} = %c0 to %c50257 step %c4096 iter_args
// CHECK: tile.load %{{.*}}[%[[I]], %{{.*}}] : <4x50257xf32> -> tensor<4096xf32>
// CHECK: math.sqrt
// CHECK: scf.for %{{.*}} = %c0 to %c50257 step %c4096 {
// CHECK-NOT: math.sqrt
// CHECK: tile.store
func.func @main(%x: tensor<4x50257xf32>) -> tensor<4x50257xf32> {
  %0 = tenon.rms_norm %x {epsilon = 1.0e-5 : f64} : (tensor<4x50257xf32>) -> tensor<4x50257xf32>
  return %0 : tensor<4x50257xf32>
}

// -----

// A running sum that is walked through carries the sum so far.
// CHECK: tile.kernel @cumsum
// CHECK: scf.for %{{.*}} iter_args(%[[BEFORE:.*]] = %{{.*}}) -> (tensor<f32>)
// CHECK: tile.scan add
// CHECK: tile.broadcast %[[BEFORE]]
// CHECK: tile.store
// CHECK: scf.yield
func.func @main(%x: tensor<4x?xf32> {tenon.dims = ["", "n"]}) -> tensor<4x?xf32> {
  %0 = tenon.cumsum %x {axis = 1 : i64} : (tensor<4x?xf32>) -> tensor<4x?xf32>
  return %0 : tensor<4x?xf32>
}

// -----

// The place of a maximum: the maximum, then the least place that has it.
// CHECK: tile.kernel @argmax
// CHECK: %[[X:.*]] = tile.load %{{.*}} {pad = 0xFF800000 : f32} : <4x300xf32> -> tensor<4x320xf32>
// CHECK: %[[MAX:.*]] = tile.reduce max %[[X]]
// CHECK: tile.broadcast %[[MAX]]
// CHECK: arith.cmpf oeq, %[[X]]
// CHECK: tile.reduce min %{{.*}} : tensor<4x320xi32>
func.func @main(%x: tensor<4x300xf32>) -> tensor<4xi64> {
  %0 = tenon.argmax %x {axis = 1 : i64} : (tensor<4x300xf32>) -> tensor<4xi64>
  return %0 : tensor<4xi64>
}

// -----

// Parts that are put together are stores to parts of the result, by the same programs; nothing is masked.
// CHECK: tile.kernel @concat(%[[A:.*]]: !tile.view<768x768xf32>, %[[B:.*]]: !tile.view<256x768xf32>, %[[Y:.*]]: !tile.view<1024x768xf32>)
// CHECK-DAG: %[[FIRST:.*]] = tile.strided %[[Y]] at %c0 {{.*}} -> <768x768xf32>
// CHECK-DAG: %[[SECOND:.*]] = tile.strided %[[Y]] at %c589824 {{.*}} -> <256x768xf32>
// CHECK: tile.load %[[A]]
// CHECK: tile.store %{{.*}}, %[[FIRST]]
// CHECK: tile.load %[[B]]
// CHECK: tile.store %{{.*}}, %[[SECOND]]
// CHECK-NOT: arith.select
func.func @main(%a: tensor<768x768xf32>, %b: tensor<256x768xf32>) -> tensor<1024x768xf32> {
  %0 = tenon.concat %a, %b {axis = 0 : i64} : (tensor<768x768xf32>, tensor<256x768xf32>) -> tensor<1024x768xf32>
  return %0 : tensor<1024x768xf32>
}

// -----

// Of a cache that is appended to only the new part is stored, where the data say: the rest is in the result's memory.
// CHECK: tile.kernel @kv_cache_append(%[[C:.*]]: !tile.view<1x2x64x16xf32>, %[[U:.*]]: !tile.view<1x2x3x16xf32>, %[[P:.*]]: !tile.view<i64>, %[[Y:.*]]: !tile.view<1x2x64x16xf32>)
// CHECK-SAME: tenon.updates = array<i64: 0>
// CHECK: tile.grid
// CHECK: tile.load %[[P]]
// CHECK: %[[X:.*]] = tile.load %[[U]]
// CHECK: %[[PLACE:.*]] = tile.strided %[[Y]] at %{{.*}} -> <1x2x3x16xf32>
// CHECK: tile.store %[[X]], %[[PLACE]]
func.func @main(%c: tensor<1x2x64x16xf32>, %u: tensor<1x2x3x16xf32>, %p: tensor<i64>) -> tensor<1x2x64x16xf32> {
  %0 = tenon.kv_cache_append %c, %u, %p : (tensor<1x2x64x16xf32>, tensor<1x2x3x16xf32>, tensor<i64>) -> tensor<1x2x64x16xf32>
  return %0 : tensor<1x2x64x16xf32>
}

// -----

// A padded tensor is one load with the value outside.
// CHECK: tile.kernel @pad
// CHECK: tile.load %{{.*}} {pad = 3.000000e+00 : f32}
// CHECK-NOT: arith.select
func.func @main(%x: tensor<4x10xf32>) -> tensor<4x13xf32> {
  %0 = tenon.pad %x {low = array<i64: 0, 2>, high = array<i64: 0, 1>, value = 3.0 : f64} : (tensor<4x10xf32>) -> tensor<4x13xf32>
  return %0 : tensor<4x13xf32>
}

// -----

// A transpose reads tiles as they lie.
// CHECK: tile.kernel @transpose(%[[X:.*]]: !tile.view<768x512xf32>
// CHECK: %[[T:.*]] = tile.load %[[X]]{{.*}} -> tensor<64x64xf32>
// CHECK: tile.trans %[[T]]
func.func @main(%x: tensor<768x512xf32>) -> tensor<512x768xf32> {
  %0 = tenon.transpose %x {permutation = array<i64: 1, 0>} : (tensor<768x512xf32>) -> tensor<512x768xf32>
  return %0 : tensor<512x768xf32>
}

// -----

// The heads of a projection are a strided view, no copy.
// CHECK: tile.kernel @transpose
// CHECK: tile.strided %{{.*}} at %c0 sizes(%c12, %{{.*}}, %c32) strides(%c32, %c384, %c1)
// CHECK: tile.load
// CHECK: tile.store
func.func @main(%x: tensor<5x384xf32>) -> tensor<12x5x32xf32> {
  %0 = tenon.reshape %x : (tensor<5x384xf32>) -> tensor<5x12x32xf32>
  %1 = tenon.transpose %0 {permutation = array<i64: 1, 0, 2>} : (tensor<5x12x32xf32>) -> tensor<12x5x32xf32>
  return %1 : tensor<12x5x32xf32>
}

// -----

// Attention is one loop over tiles of keys that carries maxima, sums and outputs; heads are split and joined by strides.
// CHECK: tile.kernel @attention(%[[X:.*]]: !tile.view<2x?x768xbf16>, %[[Y:.*]]: !tile.view<2x?x256xbf16>)
// CHECK-DAG: %[[Q:.*]] = tile.strided %[[X]] at %c0
// CHECK-DAG: %[[K:.*]] = tile.strided %[[X]] at %c256
// CHECK-DAG: %[[V:.*]] = tile.strided %[[X]] at %c512
// CHECK-DAG: %[[O:.*]] = tile.strided %[[Y]] at %c0
// CHECK: tile.grid
// CHECK: %[[QUERIES:.*]] = tile.load %[[Q]]{{.*}} -> tensor<128x64xbf16>
// CHECK: scf.for {{.*}} -> (tensor<128xf32>, tensor<128xf32>, tensor<128x64xf32>)
// CHECK: %[[KEYS:.*]] = tile.load %[[K]]{{.*}} -> tensor<128x64xbf16>
// CHECK: tile.dot %[[QUERIES]], %[[KEYS]], %{{.*}} {transpose_b}
// CHECK: %[[VALUES:.*]] = tile.load %[[V]]{{.*}} -> tensor<128x64xbf16>
// CHECK: tile.reduce max
// CHECK: math.exp
// CHECK: tile.reduce add
// CHECK: tile.dot %{{.*}}, %[[VALUES]], %{{.*}} : tensor<128x128xbf16>, tensor<128x64xbf16> -> tensor<128x64xf32>
// CHECK: tile.store %{{.*}}, %[[O]]
func.func @main(%x: tensor<2x?x768xbf16> {tenon.dims = ["", "n", ""]}) -> tensor<2x?x256xbf16> {
  %n = tenon.dim %x {axis = 1 : i64} : (tensor<2x?x768xbf16>) -> tensor<i64>
  %q, %k, %v = tenon.split %x {axis = 2 : i64, sizes = array<i64: 256, 256, 256>} : (tensor<2x?x768xbf16>) -> (tensor<2x?x256xbf16>, tensor<2x?x256xbf16>, tensor<2x?x256xbf16>)
  %q4 = tenon.reshape %q, %n : (tensor<2x?x256xbf16>, tensor<i64>) -> tensor<2x?x4x64xbf16>
  %k4 = tenon.reshape %k, %n : (tensor<2x?x256xbf16>, tensor<i64>) -> tensor<2x?x4x64xbf16>
  %v4 = tenon.reshape %v, %n : (tensor<2x?x256xbf16>, tensor<i64>) -> tensor<2x?x4x64xbf16>
  %qt = tenon.transpose %q4 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<2x?x4x64xbf16>) -> tensor<2x4x?x64xbf16>
  %kt = tenon.transpose %k4 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<2x?x4x64xbf16>) -> tensor<2x4x?x64xbf16>
  %vt = tenon.transpose %v4 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<2x?x4x64xbf16>) -> tensor<2x4x?x64xbf16>
  %a = tenon.attention %qt, %kt, %vt : (tensor<2x4x?x64xbf16>, tensor<2x4x?x64xbf16>, tensor<2x4x?x64xbf16>) -> tensor<2x4x?x64xbf16>
  %at = tenon.transpose %a {permutation = array<i64: 0, 2, 1, 3>} : (tensor<2x4x?x64xbf16>) -> tensor<2x?x4x64xbf16>
  %y = tenon.reshape %at, %n : (tensor<2x?x4x64xbf16>, tensor<i64>) -> tensor<2x?x256xbf16>
  return %y : tensor<2x?x256xbf16>
}

// -----

// REMARK: @convolution has no program on tiles: two axes meet in one dimension of a view
// CHECK: tenon.kernel @convolution
func.func @main(%x: tensor<2x3x9x9xf32>, %w: tensor<4x3x3x3xf32>) -> tensor<2x4x7x7xf32> {
  %0 = tenon.convolution %x, %w {stride = array<i64: 1, 1>, padding = array<i64: 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : (tensor<2x3x9x9xf32>, tensor<4x3x3x3xf32>) -> tensor<2x4x7x7xf32>
  return %0 : tensor<2x4x7x7xf32>
}

// -----

// The number of programs is an expression of sizes, which a launch knows: where one is the least of two, that of the result.
// CHECK: tile.kernel @slice(%{{.*}}: !tile.view<?x?xf32>, %[[Y:.*]]: !tile.view<?x?xf32>)
// CHECK: %[[COLUMNS:.*]] = tile.dim %[[Y]] {axis = 1 : i64}
// CHECK: %[[PROGRAMS:.*]] = arith.ceildivui %[[COLUMNS]], %{{.*}} : index
// CHECK: tile.grid {{.*}}%[[PROGRAMS]])
module attributes {tenon.dim_bounds = {rows = array<i64: 9, 65>, columns = array<i64: 7, 33>}} {
  func.func @main(%x: tensor<?x?xf32> {tenon.dims = ["rows", "columns"]}) -> tensor<?x?xf32> {
    %0 = tenon.slice %x {starts = array<i64: 0, 0>, ends = array<i64: -1, 7>, steps = array<i64: 1, 1>} : (tensor<?x?xf32>) -> tensor<?x?xf32>
    return %0 : tensor<?x?xf32>
  }
}

// -----

// Results may differ in size: there are programs for the larger one, and what lies outside the other is dropped.
// CHECK: tile.kernel @split
// CHECK: tile.grid (%{{.*}}, %{{.*}}, %{{.*}}) = (%{{.*}}, %c4, %{{.*}})
func.func @main(%x: tensor<?x12x?xf32> {tenon.dims = ["a", "", "b"]}) -> (tensor<?x4x?xf32>, tensor<?x8x?xf32>) {
  %0:2 = tenon.split %x {axis = 1 : i64, sizes = array<i64: 4, 8>} : (tensor<?x12x?xf32>) -> (tensor<?x4x?xf32>, tensor<?x8x?xf32>)
  return %0#0, %0#1 : tensor<?x4x?xf32>, tensor<?x8x?xf32>
}

// -----

// What a tile folds is shared out: the inner dimension has it all, the outer one comes one at a time.
// CHECK: tile.kernel @reduce_sum
// CHECK: scf.for %{{.*}} = %c0 to %{{.*}} step %c1 iter_args
// CHECK: scf.for %{{.*}} = %c0 to %{{.*}} step %c1024 iter_args
// CHECK: tile.load %{{.*}} -> tensor<1x4x1024xf32>
func.func @main(%x: tensor<?x3x?xf32> {tenon.dims = ["outer", "", "inner"]}) -> tensor<3xf32> {
  %0 = tenon.reduce_sum %x {axes = array<i64: 0, 2>} : (tensor<?x3x?xf32>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----

// Products of 8-bit floats are added up in f32 once a turn. Rows in two parts: a turn has the columns once.
// CHECK: tile.kernel @quantised_matmul(%[[X:.*]]: !tile.view<4096x4096xf8E4M3FN>, %{{.*}}: !tile.view<f32>, %[[W:.*]]: !tile.view<4096x4096xf8E5M2>
// CHECK-SAME: tenon.schedule = #tile.gemm<rows = 256, columns = 128, depth = 128, parts = 2, promote = 128>
// CHECK: %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : tensor<128x128xf32>
// CHECK: tile.grid
// CHECK: %[[SUMS:.*]]:2 = scf.for %[[K:.*]] = %c0 to %c4096 step %c128 iter_args(%[[UPPER:.*]] = %[[ZERO]], %[[LOWER:.*]] = %[[ZERO]])
// CHECK: %[[A:.*]] = tile.load %[[X]][%{{.*}}, %[[K]]] : {{.*}} -> tensor<128x128xf8E4M3FN>
// CHECK: %[[B:.*]] = tile.load %[[W]][%{{.*}}, %[[K]]] : {{.*}} -> tensor<128x128xf8E5M2>
// CHECK: %[[PART:.*]] = tile.dot %[[A]], %[[B]], %[[ZERO]] {transpose_b}
// CHECK: %[[NEXT:.*]] = arith.addf %[[UPPER]], %[[PART]]
// CHECK: %[[A2:.*]] = tile.load %[[X]][%{{.*}}, %[[K]]] : {{.*}} -> tensor<128x128xf8E4M3FN>
// CHECK: %[[PART2:.*]] = tile.dot %[[A2]], %[[B]], %[[ZERO]] {transpose_b}
// CHECK: %[[NEXT2:.*]] = arith.addf %[[LOWER]], %[[PART2]]
// CHECK: scf.yield %[[NEXT]], %[[NEXT2]]
// CHECK-COUNT-2: tile.store
func.func @main(%x: tensor<4096x4096xf8E4M3FN>, %s: tensor<f32>, %w: tensor<4096x4096xf8E5M2>) -> tensor<4096x4096xbf16> {
  %0 = tenon.quantised_matmul %x scale(%s), %w scale(%s) : (tensor<4096x4096xf8E4M3FN>, tensor<f32>, tensor<4096x4096xf8E5M2>, tensor<f32>) -> tensor<4096x4096xbf16>
  return %0 : tensor<4096x4096xbf16>
}

// -----

// Products of f32 are added to the sum every 128 of the depth, whose last block here has 32.
// CHECK: tile.kernel @linear(
// CHECK-SAME: depth = 32, promote = 128>
// CHECK: %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : tensor<[[T:.*]]xf32>
// CHECK: %[[SUMS:.*]]:2 = scf.for %[[K:.*]] = %c0 to %c288 step %c32 iter_args(%[[SUM:.*]] = %[[ZERO]], %[[BLOCK:.*]] = %[[ZERO]])
// CHECK: %[[DOT:.*]] = tile.dot %{{.*}}, %{{.*}}, %[[BLOCK]] {transpose_b}
// CHECK: %[[PLACE:.*]] = arith.remui %[[K]], %c128
// CHECK: %[[LAST:.*]] = arith.cmpi eq, %[[PLACE]], %c96
// CHECK: %[[REST:.*]] = arith.select %[[LAST]], %[[ZERO]], %[[DOT]]
// CHECK: %[[NEXT:.*]] = scf.if %[[LAST]]
// CHECK: arith.addf %[[SUM]], %[[DOT]]
// CHECK: scf.yield %[[NEXT]], %[[REST]]
// CHECK: %[[ALL:.*]] = arith.addf %[[SUMS]]#0, %[[SUMS]]#1
// CHECK: tile.store %[[ALL]]
func.func @main(%x: tensor<512x288xf32>, %w: tensor<512x288xf32>) -> tensor<512x512xf32> {
  %0 = tenon.linear %x, %w : (tensor<512x288xf32>, tensor<512x288xf32>) -> tensor<512x512xf32>
  return %0 : tensor<512x512xf32>
}

// -----

// Scales of blocks: one a turn, which multiplies what is added.
// CHECK: tile.kernel @quantised_matmul(%{{.*}}: !tile.view<64x256xi8>, {{.*}} %[[S:.*]]: !tile.view<2x2xf32>, %{{.*}}: !tile.view<64x256xf32>)
// CHECK: tile.grid (%{{.*}}, %[[J:.*]]) =
// CHECK: scf.for %[[K:.*]] = %c0 to %c2 step %c1 iter_args(%[[ACC:.*]] = %{{.*}}) -> (tensor<[[T:.*]]xf32>)
// CHECK: %[[SCALE:.*]] = tile.load %[[S]][%{{.*}}, %[[K]]] : <2x2xf32> -> tensor<f32>
// CHECK: %[[SUM:.*]] = tile.dot {{.*}} -> tensor<[[T]]xi32>
// CHECK: %[[REAL:.*]] = arith.sitofp %[[SUM]]
// CHECK: %[[WIDE:.*]] = tile.broadcast %[[SCALE]]
// CHECK: math.fma %[[REAL]], %[[WIDE]], %[[ACC]]
func.func @main(%x: tensor<64x256xi8>, %xs: tensor<f32>, %w: tensor<256x256xi8>, %ws: tensor<2x2xf32>) -> tensor<64x256xf32> {
  %0 = tenon.quantised_matmul %x scale(%xs), %w scale(%ws) {block = array<i64: 128, 128>} : (tensor<64x256xi8>, tensor<f32>, tensor<256x256xi8>, tensor<2x2xf32>) -> tensor<64x256xf32>
  return %0 : tensor<64x256xf32>
}

// -----

// Where columns of a tile have different scales, these are gathered.
// CHECK: tile.kernel @quantised_matmul
// CHECK: arith.divui %{{.*}} : tensor<[[N:.*]]xindex>
// CHECK: %[[ROWS:.*]] = arith.index_cast %{{.*}} : tensor<[[N]]xindex> to tensor<[[N]]xi64>
// CHECK: tile.gather %{{.*}}%[[ROWS]]
func.func @main(%x: tensor<64x256xi8>, %xs: tensor<f32>, %w: tensor<24x256xi8>, %ws: tensor<3x2xf32>) -> tensor<64x24xf32> {
  %0 = tenon.quantised_matmul %x scale(%xs), %w scale(%ws) {block = array<i64: 8, 128>} : (tensor<64x256xi8>, tensor<f32>, tensor<24x256xi8>, tensor<3x2xf32>) -> tensor<64x24xf32>
  return %0 : tensor<64x24xf32>
}
