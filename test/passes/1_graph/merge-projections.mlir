// Linears of one input whose results only attention reads become one linear and a split.
// RUN: tenon-opt %s --tenon-merge-projections --split-input-file | FileCheck %s
// VALUES: 1e-12

// One of the three has no bias, and the sizes differ: two query heads share each key head.
// CHECK-LABEL: @query_key_value
// CHECK-SAME: (%[[X:.*]]: tensor<?x?x16xf32>
// CHECK: %[[ZERO:.*]] = tenon.constant dense<-0.000000e+00> : tensor<8xf32>
// CHECK: %[[W:.*]] = tenon.concat %{{.*}}, %{{.*}}, %{{.*}} {axis = 0 : i64} : (tensor<16x16xf32>, tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<32x16xf32>
// CHECK: %[[B:.*]] = tenon.concat %{{.*}}, %[[ZERO]], %{{.*}} {axis = 0 : i64}
// CHECK: %[[L:.*]] = tenon.linear %[[X]], %[[W]], %[[B]]
// CHECK: %[[S:.*]]:3 = tenon.split %[[L]] {axis = 2 : i64, sizes = array<i64: 16, 8, 8>}
// CHECK-NOT: tenon.linear
// CHECK: tenon.reshape %[[S]]#0
// CHECK: tenon.attention
func.func @query_key_value(%x: tensor<?x?x16xf32> {tenon.dims = ["batch", "seq", ""]}) -> tensor<?x4x?x4xf32> {
  %b = tenon.dim %x {axis = 0 : i64} : (tensor<?x?x16xf32>) -> tensor<i64>
  %s = tenon.dim %x {axis = 1 : i64} : (tensor<?x?x16xf32>) -> tensor<i64>
  %wq = tenon.weight "wq" : tensor<16x16xf32>
  %bq = tenon.weight "bq" : tensor<16xf32>
  %q = tenon.linear %x, %wq, %bq : (tensor<?x?x16xf32>, tensor<16x16xf32>, tensor<16xf32>) -> tensor<?x?x16xf32>
  %q4 = tenon.reshape %q, %b, %s : (tensor<?x?x16xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x4x4xf32>
  %qt = tenon.transpose %q4 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<?x?x4x4xf32>) -> tensor<?x4x?x4xf32>
  %wk = tenon.weight "wk" : tensor<8x16xf32>
  %k = tenon.linear %x, %wk : (tensor<?x?x16xf32>, tensor<8x16xf32>) -> tensor<?x?x8xf32>
  %k4 = tenon.reshape %k, %b, %s : (tensor<?x?x8xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x2x4xf32>
  %kt = tenon.transpose %k4 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x4xf32>) -> tensor<?x2x?x4xf32>
  %wv = tenon.weight "wv" : tensor<16x8xf32>
  %wvt = tenon.transpose %wv {permutation = array<i64: 1, 0>} : (tensor<16x8xf32>) -> tensor<8x16xf32>
  %bv = tenon.weight "bv" : tensor<8xf32>
  %v = tenon.linear %x, %wvt, %bv : (tensor<?x?x16xf32>, tensor<8x16xf32>, tensor<8xf32>) -> tensor<?x?x8xf32>
  %v4 = tenon.reshape %v, %b, %s : (tensor<?x?x8xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x2x4xf32>
  %vt = tenon.transpose %v4 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x4xf32>) -> tensor<?x2x?x4xf32>
  %r = tenon.attention %qt, %kt, %vt : (tensor<?x4x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x4x?x4xf32>
  return %r : tensor<?x4x?x4xf32>
}

// -----

// Key and value of another input than the query are two, not three.
// CHECK-LABEL: @cross_attention
// CHECK: tenon.linear
// CHECK: tenon.split {{.*}} sizes = array<i64: 4, 4>
// CHECK: tenon.linear
// CHECK-NOT: tenon.linear
func.func @cross_attention(%x: tensor<1x1x3x4xf32>, %y: tensor<1x1x5x4xf32>) -> tensor<1x1x3x4xf32> {
  %wk = tenon.weight "wk" : tensor<4x4xf32>
  %wv = tenon.weight "wv" : tensor<4x4xf32>
  %wq = tenon.weight "wq" : tensor<4x4xf32>
  %k = tenon.linear %y, %wk : (tensor<1x1x5x4xf32>, tensor<4x4xf32>) -> tensor<1x1x5x4xf32>
  %v = tenon.linear %y, %wv : (tensor<1x1x5x4xf32>, tensor<4x4xf32>) -> tensor<1x1x5x4xf32>
  %q = tenon.linear %x, %wq : (tensor<1x1x3x4xf32>, tensor<4x4xf32>) -> tensor<1x1x3x4xf32>
  %r = tenon.attention %q, %k, %v : (tensor<1x1x3x4xf32>, tensor<1x1x5x4xf32>, tensor<1x1x5x4xf32>) -> tensor<1x1x3x4xf32>
  return %r : tensor<1x1x3x4xf32>
}

// -----

// A decoder's: query and key pass through rotary embedding, which reads its rows in place as well.
// CHECK-LABEL: @rotary
// CHECK-SAME: (%[[X:.*]]: tensor<1x3x8xf32>, %[[COS:.*]]: tensor<3x1x4xf32>, %[[SIN:.*]]: tensor<3x1x4xf32>)
// CHECK: %[[W:.*]] = tenon.concat {{.*}} -> tensor<16x8xf32>
// CHECK: %[[L:.*]] = tenon.linear %[[X]], %[[W]] : (tensor<1x3x8xf32>, tensor<16x8xf32>) -> tensor<1x3x16xf32>
// CHECK: %[[S:.*]]:3 = tenon.split %[[L]] {axis = 2 : i64, sizes = array<i64: 8, 4, 4>}
// CHECK: %[[Q:.*]] = tenon.reshape %[[S]]#0
// CHECK: tenon.rope %[[Q]], %[[COS]], %[[SIN]]
// CHECK: %[[K:.*]] = tenon.reshape %[[S]]#1
// CHECK: tenon.rope %[[K]], %[[COS]], %[[SIN]]
func.func @rotary(%x: tensor<1x3x8xf32>, %cos: tensor<3x1x4xf32>, %sin: tensor<3x1x4xf32>) -> tensor<1x2x3x4xf32> {
  %wq = tenon.weight "q" : tensor<8x8xf32>
  %wk = tenon.weight "k" : tensor<4x8xf32>
  %wv = tenon.weight "v" : tensor<4x8xf32>
  %q = tenon.linear %x, %wq : (tensor<1x3x8xf32>, tensor<8x8xf32>) -> tensor<1x3x8xf32>
  %q1 = tenon.reshape %q : (tensor<1x3x8xf32>) -> tensor<1x3x2x4xf32>
  %q2 = tenon.rope %q1, %cos, %sin : (tensor<1x3x2x4xf32>, tensor<3x1x4xf32>, tensor<3x1x4xf32>) -> tensor<1x3x2x4xf32>
  %q3 = tenon.transpose %q2 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<1x3x2x4xf32>) -> tensor<1x2x3x4xf32>
  %k = tenon.linear %x, %wk : (tensor<1x3x8xf32>, tensor<4x8xf32>) -> tensor<1x3x4xf32>
  %k1 = tenon.reshape %k : (tensor<1x3x4xf32>) -> tensor<1x3x1x4xf32>
  %k2 = tenon.rope %k1, %cos, %sin : (tensor<1x3x1x4xf32>, tensor<3x1x4xf32>, tensor<3x1x4xf32>) -> tensor<1x3x1x4xf32>
  %k3 = tenon.transpose %k2 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<1x3x1x4xf32>) -> tensor<1x1x3x4xf32>
  %v = tenon.linear %x, %wv : (tensor<1x3x8xf32>, tensor<4x8xf32>) -> tensor<1x3x4xf32>
  %v1 = tenon.reshape %v : (tensor<1x3x4xf32>) -> tensor<1x3x1x4xf32>
  %v2 = tenon.transpose %v1 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<1x3x1x4xf32>) -> tensor<1x1x3x4xf32>
  %r = tenon.attention %q3, %k3, %v2 : (tensor<1x2x3x4xf32>, tensor<1x1x3x4xf32>, tensor<1x1x3x4xf32>) -> tensor<1x2x3x4xf32>
  return %r : tensor<1x2x3x4xf32>
}

// -----

// Its tables are no rows that are read in place.
// CHECK-LABEL: @negative_tables
// CHECK-NOT: tenon.concat
func.func @negative_tables(%x: tensor<3x8xf32>, %y: tensor<3x4xf32>) -> tensor<3x4xf32> {
  %wc = tenon.weight "c" : tensor<4x8xf32>
  %ws = tenon.weight "s" : tensor<4x8xf32>
  %c = tenon.linear %x, %wc : (tensor<3x8xf32>, tensor<4x8xf32>) -> tensor<3x4xf32>
  %s = tenon.linear %x, %ws : (tensor<3x8xf32>, tensor<4x8xf32>) -> tensor<3x4xf32>
  %r = tenon.rope %y, %c, %s : (tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %r : tensor<3x4xf32>
}

// -----

// Of few rows a gate and its partner are one product, too: its weight is what is read.
// CHECK-LABEL: @gate_of_few_rows
// CHECK: %[[BOTH:.*]] = tenon.linear %{{.*}} -> tensor<3x8xf32>
// CHECK: %[[PARTS:.*]]:2 = tenon.split %[[BOTH]] {axis = 1 : i64, sizes = array<i64: 4, 4>}
// CHECK: tenon.swiglu %[[PARTS]]#0, %[[PARTS]]#1
func.func @gate_of_few_rows(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  %wg = tenon.weight "wg" : tensor<4x4xf32>
  %wu = tenon.weight "wu" : tensor<4x4xf32>
  %g = tenon.linear %x, %wg : (tensor<3x4xf32>, tensor<4x4xf32>) -> tensor<3x4xf32>
  %u = tenon.linear %x, %wu : (tensor<3x4xf32>, tensor<4x4xf32>) -> tensor<3x4xf32>
  %a = tenon.swiglu %g, %u : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %a : tensor<3x4xf32>
}

// -----

// A gate and its partner of many rows feed a pointwise op; a query that is also returned; weights that are arguments.
// CHECK-LABEL: @negative_others_read
// CHECK-COUNT-4: tenon.linear
// CHECK-NOT: tenon.split
func.func @negative_others_read(%x: tensor<65x4xf32>, %y: tensor<1x1x3x4xf32>) -> (tensor<65x4xf32>, tensor<1x1x3x4xf32>, tensor<1x1x3x4xf32>) {
  %wg = tenon.weight "wg" : tensor<4x4xf32>
  %wu = tenon.weight "wu" : tensor<4x4xf32>
  %g = tenon.linear %x, %wg : (tensor<65x4xf32>, tensor<4x4xf32>) -> tensor<65x4xf32>
  %u = tenon.linear %x, %wu : (tensor<65x4xf32>, tensor<4x4xf32>) -> tensor<65x4xf32>
  %a = tenon.swiglu %g, %u : (tensor<65x4xf32>, tensor<65x4xf32>) -> tensor<65x4xf32>
  %q = tenon.linear %y, %wg : (tensor<1x1x3x4xf32>, tensor<4x4xf32>) -> tensor<1x1x3x4xf32>
  %k = tenon.linear %y, %wu : (tensor<1x1x3x4xf32>, tensor<4x4xf32>) -> tensor<1x1x3x4xf32>
  %r = tenon.attention %q, %k, %k : (tensor<1x1x3x4xf32>, tensor<1x1x3x4xf32>, tensor<1x1x3x4xf32>) -> tensor<1x1x3x4xf32>
  return %a, %q, %r : tensor<65x4xf32>, tensor<1x1x3x4xf32>, tensor<1x1x3x4xf32>
}

// -----

// CHECK-LABEL: @negative_weights_at_run_time
// CHECK-COUNT-2: tenon.linear
// CHECK-NOT: tenon.split
func.func @negative_weights_at_run_time(%y: tensor<1x1x3x4xf32>, %wq: tensor<4x4xf32>, %wk: tensor<4x4xf32>) -> tensor<1x1x3x4xf32> {
  %q = tenon.linear %y, %wq : (tensor<1x1x3x4xf32>, tensor<4x4xf32>) -> tensor<1x1x3x4xf32>
  %k = tenon.linear %y, %wk : (tensor<1x1x3x4xf32>, tensor<4x4xf32>) -> tensor<1x1x3x4xf32>
  %r = tenon.attention %q, %k, %k : (tensor<1x1x3x4xf32>, tensor<1x1x3x4xf32>, tensor<1x1x3x4xf32>) -> tensor<1x1x3x4xf32>
  return %r : tensor<1x1x3x4xf32>
}
