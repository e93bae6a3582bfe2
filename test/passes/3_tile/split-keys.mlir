// In: attentions with a schedule that says how many programs share the keys. Out: a kernel of the parts' states and one
// that puts them together; as programs, one more dimension of the grid, each with its share of the keys.
// RUN: split-file %s %t
// RUN: tenon-opt %t/dynamic.mlir --tenon-split-keys --tenon-tile-kernels --canonicalize | FileCheck %t/dynamic.mlir
// RUN: tenon-opt %t/causal.mlir --tenon-split-keys --tenon-tile-kernels --canonicalize | FileCheck %t/causal.mlir
// RUN: tenon-opt %t/whole.mlir --tenon-split-keys --remark-format=emitRemark --remarks-filter-missed=tenon-split-keys 2>&1 | FileCheck %t/whole.mlir
// RUN: tenon-opt %t/sums.mlir --tenon-split-keys --tenon-tile-kernels --canonicalize | FileCheck %t/sums.mlir
// RUN: tenon-opt %t/bytes.mlir --tenon-split-keys --remark-format=emitRemark --remarks-filter-missed=tenon-split-keys 2>&1 | FileCheck %t/bytes.mlir
// RUN: not tenon-opt %t/whole.mlir --tenon-split-keys=arch=sm_10 2>&1 | FileCheck %s --check-prefix=ARCH
// ARCH: GPU architecture 'sm_10' is unknown

//--- dynamic.mlir
// Batch and keys are known at run time: parts are of the batch's shape, shares are whole tiles, late ones may be empty.
// CHECK-DAG: #[[SHARE:.*]] = affine_map<(d0) -> ((d0 ceildiv 192) * 64)>
// CHECK-DAG: #[[TOTAL:.*]] = affine_map<()[s0, s1] -> (3, s0, 2, 4, 64)>
// CHECK-DAG: #[[ROW:.*]] = affine_map<()[s0, s1] -> (3, s0, 2, 4)>
// CHECK: tenon.launch @kernels::@attention_parts(%{{.*}}) {tenon.result_shapes = [#[[ROW]], #[[ROW]], #[[TOTAL]]]}
// CHECK-SAME: -> (tensor<3x?x2x4xf32>, tensor<3x?x2x4xf32>, tensor<3x?x2x4x64xf32>)
// CHECK: tenon.launch @kernels::@attention_sum({{.*}}) {tenon.result_shapes
// CHECK-LABEL: tile.kernel @attention_parts(
// CHECK-SAME: %[[Q:.*]]: !tile.view<?x2x4x64xbf16>, %[[K:.*]]: !tile.view<?x2x?x64xbf16>, %[[V:.*]]: !tile.view<?x2x?x64xbf16>, %[[M:.*]]: !tile.view<3x?x2x4xf32>, %[[L:.*]]: !tile.view<3x?x2x4xf32>, %[[O:.*]]: !tile.view<3x?x2x4x64xf32>)
// CHECK-SAME: tenon.schedule = #tile.attention<queries = 16, keys = 64>
// CHECK: %[[KEYS:.*]] = tile.dim %[[K]] {axis = 2 : i64}
// CHECK: tile.grid (%[[PART:.*]], %[[B:.*]], %[[H:.*]], %{{.*}}, %{{.*}}) = (%c3, %{{.*}}, %c2, %c1, %c1)
// CHECK: %[[SIZE:.*]] = affine.apply #[[SHARE]](%[[KEYS]])
// CHECK: %[[START:.*]] = arith.muli %[[PART]], %[[SIZE]]
// CHECK: %[[STOP:.*]] = arith.addi %[[START]], %[[SIZE]]
// CHECK: %[[END:.*]] = arith.minsi %[[STOP]], %[[KEYS]]
// CHECK: %[[STATE:.*]]:3 = scf.for %{{.*}} = %[[START]] to %[[END]] step %c64
// CHECK: %[[LOG:.*]] = arith.negf %[[STATE]]#0
// CHECK: tile.store %[[LOG]], %[[M]][%[[PART]], %[[B]], %[[H]], %c0] : tensor<16xf32>
// CHECK: tile.store %[[STATE]]#1, %[[L]][%[[PART]], %[[B]], %[[H]], %c0] : tensor<16xf32>
// CHECK: tile.store %[[STATE]]#2, %[[O]][%[[PART]], %[[B]], %[[H]], %c0, %c0] : tensor<16x64xf32>
// CHECK-LABEL: tile.kernel @attention_sum(
// CHECK: tile.reduce max
// CHECK: math.exp2
// CHECK: tile.store {{.*}}bf16
module attributes {tenon.dim_bounds = {b = array<i64: 1, 64>, n = array<i64: 1, 4096>}} {
  func.func @main(%q: tensor<?x2x4x64xbf16> {tenon.dims = ["b", "", "", ""]}, %k: tensor<?x2x?x64xbf16> {tenon.dims = ["b", "", "n", ""]}, %v: tensor<?x2x?x64xbf16> {tenon.dims = ["b", "", "n", ""]}) -> tensor<?x4x2x64xbf16> {
    %y = tenon.kernel @attention(%Q = %q, %K = %k, %V = %v) attributes {tenon.schedule = #tile.attention<queries = 16, keys = 64, split_keys = 3>, tenon.result_shapes = [affine_map<()[s0, s1] -> (s0, 4, 2, 64)>]} : (tensor<?x2x4x64xbf16>, tensor<?x2x?x64xbf16>, tensor<?x2x?x64xbf16>) -> tensor<?x4x2x64xbf16> {
      %0 = tenon.attention %Q, %K, %V : (tensor<?x2x4x64xbf16>, tensor<?x2x?x64xbf16>, tensor<?x2x?x64xbf16>) -> tensor<?x2x4x64xbf16>
      %c0 = arith.constant 0 : index
      %b = tensor.dim %0, %c0 : tensor<?x2x4x64xbf16>
      %empty = tensor.empty(%b) : tensor<?x4x2x64xbf16>
      %1 = linalg.transpose ins(%0 : tensor<?x2x4x64xbf16>) outs(%empty : tensor<?x4x2x64xbf16>) permutation = [0, 2, 1, 3]
      tenon.yield %1 : tensor<?x4x2x64xbf16>
    }
    return %y : tensor<?x4x2x64xbf16>
  }
}

//--- causal.mlir
// The keys that the program's queries see are shared, not all of them; f64 is carried in f64.
// CHECK: tile.kernel @attention_parts({{.*}}!tile.view<2x1x1x32x16xf64>
// CHECK: tile.grid (%[[PART:.*]], %{{.*}}, %{{.*}}, %[[I:.*]], %{{.*}}) = (%c2, %c1, %c1, %c2, %c1)
// CHECK: %[[SEEN:.*]] = affine.apply #{{.*}}(%[[I]])
// CHECK: %[[LAST:.*]] = arith.minsi %{{.*}}, %c128
// CHECK: %[[SHARE:.*]] = affine.apply #{{.*}}(%[[LAST]])
// CHECK: scf.for
// Where a value is not finite the same share is gone through again, and all is stored anew.
// CHECK: scf.if
// CHECK: affine.apply
// CHECK: scf.for %{{.*}} step %c16
// CHECK-COUNT-3: tile.store
func.func @main(%q: tensor<1x1x32x16xf64>, %k: tensor<1x1x128x16xf64>) -> tensor<1x1x32x16xf64> {
  %y = tenon.kernel @attention(%Q = %q, %K = %k) attributes {tenon.schedule = #tile.attention<queries = 16, keys = 16, split_keys = 2>} : (tensor<1x1x32x16xf64>, tensor<1x1x128x16xf64>) -> tensor<1x1x32x16xf64> {
    %0 = tenon.attention %Q, %K, %K {causal} : (tensor<1x1x32x16xf64>, tensor<1x1x128x16xf64>, tensor<1x1x128x16xf64>) -> tensor<1x1x32x16xf64>
    tenon.yield %0 : tensor<1x1x32x16xf64>
  }
  return %y : tensor<1x1x32x16xf64>
}

//--- whole.mlir
// No split is asked for; it cannot be; the kernel goes the general path.
// CHECK: remark: [Missed] {{.*}}@copy keeps its keys in one program: it holds no attention, or several
// CHECK: tenon.kernel @attention(
// CHECK: tenon.kernel @copy({{.*}}#tile.attention<queries = 16, keys = 16>
// CHECK: tenon.kernel @refused({{.*}}#tile.attention<queries = 16, keys = 16, split_keys = 2>
func.func @main(%q: tensor<1x1x32x16xf32>) -> (tensor<1x1x32x16xf32>, tensor<1x1x32x16xf32>, tensor<1x1x32x16xf32>) {
  %x = tenon.kernel @attention(%Q = %q) attributes {tenon.schedule = #tile.attention<queries = 16, keys = 16>} : (tensor<1x1x32x16xf32>) -> tensor<1x1x32x16xf32> {
    %0 = tenon.attention %Q, %Q, %Q : (tensor<1x1x32x16xf32>, tensor<1x1x32x16xf32>, tensor<1x1x32x16xf32>) -> tensor<1x1x32x16xf32>
    tenon.yield %0 : tensor<1x1x32x16xf32>
  }
  %y = tenon.kernel @copy(%Q = %q) attributes {tenon.schedule = #tile.attention<queries = 16, keys = 16, split_keys = 2>} : (tensor<1x1x32x16xf32>) -> tensor<1x1x32x16xf32> {
    tenon.yield %Q : tensor<1x1x32x16xf32>
  }
  %z = tenon.kernel @refused(%Q = %q) attributes {tenon.schedule = #tile.attention<queries = 16, keys = 16, split_keys = 2>, tenon.general = "too many registers"} : (tensor<1x1x32x16xf32>) -> tensor<1x1x32x16xf32> {
    %0 = tenon.attention %Q, %Q, %Q : (tensor<1x1x32x16xf32>, tensor<1x1x32x16xf32>, tensor<1x1x32x16xf32>) -> tensor<1x1x32x16xf32>
    tenon.yield %0 : tensor<1x1x32x16xf32>
  }
  return %x, %y, %z : tensor<1x1x32x16xf32>, tensor<1x1x32x16xf32>, tensor<1x1x32x16xf32>
}

//--- sums.mlir
// The log-sum-exp has a rank of its own: a third kernel makes it of the parts' statistics, each result where it was.
// CHECK-LABEL: func.func @main
// CHECK: %[[P:.*]]:3 = tenon.launch @kernels::@attention_parts(
// CHECK: %[[Y:.*]] = tenon.launch @kernels::@attention_sum(%[[P]]#0, %[[P]]#1, %[[P]]#2)
// CHECK: %[[L:.*]] = tenon.launch @kernels::@attention_log_sum_exp(%[[P]]#0, %[[P]]#1)
// CHECK: return %[[L]], %[[Y]] : tensor<2x4xf32>, tensor<1x2x4x64xbf16>
// CHECK-LABEL: tile.kernel @attention_log_sum_exp(
// CHECK: math.log2
func.func @main(%q: tensor<1x2x4x64xbf16>, %k: tensor<1x2x900x64xbf16>) -> (tensor<2x4xf32>, tensor<1x2x4x64xbf16>) {
  %l, %y = tenon.kernel @attention(%Q = %q, %K = %k) attributes {tenon.schedule = #tile.attention<queries = 16, keys = 64, split_keys = 3>} : (tensor<1x2x4x64xbf16>, tensor<1x2x900x64xbf16>) -> (tensor<2x4xf32>, tensor<1x2x4x64xbf16>) {
    %0, %1 = tenon.attention %Q, %K, %K {log_sum_exp} : (tensor<1x2x4x64xbf16>, tensor<1x2x900x64xbf16>, tensor<1x2x900x64xbf16>) -> (tensor<1x2x4x64xbf16>, tensor<1x2x4xf32>)
    %2 = tensor.collapse_shape %1 [[0, 1], [2]] : tensor<1x2x4xf32> into tensor<2x4xf32>
    tenon.yield %2, %0 : tensor<2x4xf32>, tensor<1x2x4x64xbf16>
  }
  return %l, %y : tensor<2x4xf32>, tensor<1x2x4x64xbf16>
}

//--- bytes.mlir
// Scales of queries and keys are the scores'; that of the values is of what the parts make together, a head of keys each.
// CHECK: remark: [Missed] {{.*}}@packed keeps its keys in one program: its values are packed
// CHECK-DAG: #[[SCALE:.*]] = affine_map<(d0, d1, d2, d3) -> (d1 floordiv 2, 0, 0)>
// CHECK: %[[P:.*]]:3 = tenon.kernel @attention_parts(
// CHECK: tenon.attention_parts %{{.*}}, %{{.*}}, %{{.*}} scales(%{{.*}}, %{{.*}}) {parts = 3 : i64} : (tensor<1x4x4x64xf8E4M3FN>, tensor<1x2x900x64xf8E4M3FN>, tensor<1x2x900x64xf8E4M3FN>, tensor<f32>, tensor<2x1x1xf32>)
// CHECK: tenon.kernel @attention_sum({{.*}} = %[[P]]#0, {{.*}} = %[[P]]#1, {{.*}} = %[[P]]#2, %[[S:.*]] = %{{.*}})
// CHECK: linalg.generic {indexing_maps = [{{.*}}, #[[SCALE]], {{.*}}ins(%{{.*}}, %{{.*}}, %[[S]] :
// CHECK: arith.divf
// CHECK-NEXT: arith.mulf
func.func @main(%q: tensor<1x4x4x64xf8E4M3FN>, %k: tensor<1x2x900x64xf8E4M3FN>, %s: tensor<f32>, %h: tensor<2x1x1xf32>, %v: tensor<1x2x64x912xf8E4M3FN>) -> (tensor<1x4x4x64xbf16>, tensor<1x4x4x64xbf16>) {
  %x = tenon.kernel @attention(%Q = %q, %K = %k, %S = %s, %H = %h) attributes {tenon.schedule = #tile.attention<queries = 16, keys = 64, split_keys = 3>} : (tensor<1x4x4x64xf8E4M3FN>, tensor<1x2x900x64xf8E4M3FN>, tensor<f32>, tensor<2x1x1xf32>) -> tensor<1x4x4x64xbf16> {
    %0 = tenon.attention %Q, %K, %K scales(%S, %H, %H) : (tensor<1x4x4x64xf8E4M3FN>, tensor<1x2x900x64xf8E4M3FN>, tensor<1x2x900x64xf8E4M3FN>, tensor<f32>, tensor<2x1x1xf32>, tensor<2x1x1xf32>) -> tensor<1x4x4x64xbf16>
    tenon.yield %0 : tensor<1x4x4x64xbf16>
  }
  %y = tenon.kernel @packed(%Q = %q, %K = %k, %V = %v) attributes {tenon.schedule = #tile.attention<queries = 16, keys = 64, split_keys = 3>} : (tensor<1x4x4x64xf8E4M3FN>, tensor<1x2x900x64xf8E4M3FN>, tensor<1x2x64x912xf8E4M3FN>) -> tensor<1x4x4x64xbf16> {
    %0 = tenon.attention %Q, %K, %V {packed} : (tensor<1x4x4x64xf8E4M3FN>, tensor<1x2x900x64xf8E4M3FN>, tensor<1x2x64x912xf8E4M3FN>) -> tensor<1x4x4x64xbf16>
    tenon.yield %0 : tensor<1x4x4x64xbf16>
  }
  return %x, %y : tensor<1x4x4x64xbf16>, tensor<1x4x4x64xbf16>
}
