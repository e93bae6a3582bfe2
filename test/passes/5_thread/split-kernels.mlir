// In: kernels of linalg. Out: kernels in a row, so that no thread computes what another one has.
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=kernel" --tenon-expand-attention --tenon-split-kernels --canonicalize --cse | FileCheck %s
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=kernel" --tenon-expand-attention --tenon-split-kernels --remark-format=emitRemark \
// RUN:   --remarks-filter-passed=tenon-split-kernels 2>&1 | FileCheck %s --check-prefix=REMARK

// A row's maximum and its sum are needed by all elements of the row; the powers are computed where they are read, once
// for the sum and once for the result.
// CHECK: func.func @main(%[[X:[a-z0-9]*]]: tensor<4x?xf32>
// CHECK: %[[MAX:.*]] = tenon.kernel @softmax_part1(%{{.*}} = %[[X]]) {{.*}} -> tensor<4xf32> {
// CHECK: arith.maximumf
// CHECK-NOT: math.exp
// CHECK: %[[SUM:.*]] = tenon.kernel @softmax_part2(%{{.*}} = %[[X]], %{{.*}} = %[[MAX]]) {{.*}} -> tensor<4xf32> {
// CHECK: math.exp
// CHECK: arith.addf
// CHECK: tenon.kernel @softmax_part3(%{{.*}} = %[[X]], %{{.*}} = %[[MAX]], %{{.*}} = %[[SUM]])
// CHECK-SAME: tenon.bytes = {{.*}} tenon.flops
// CHECK: math.exp
// CHECK: arith.divf
// REMARK: kernel @softmax became 3 launches
func.func @main(%x: tensor<4x?xf32> {tenon.dims = ["", "n"]}) -> tensor<4x?xf32> {
  %0 = tenon.softmax %x {axis = 1 : i64} : (tensor<4x?xf32>) -> tensor<4x?xf32>
  return %0 : tensor<4x?xf32>
}

// -----

// One computation for one reader is no part; equal kernels stay equal.
// CHECK: %[[FIRST:.*]] = tenon.kernel @linear_gelu(%{{.*}} = %{{.*}}, %{{.*}} = %[[W:.*]]) {{.*}}-> tensor<4x4xf32>
// CHECK: tenon.kernel @linear_gelu(%{{.*}} = %[[FIRST]], %{{.*}} = %[[W]]) {{.*}}-> tensor<4x4xf32>
func.func @main(%x: tensor<4x4xf32>, %w: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %0 = tenon.linear %x, %w : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %1 = tenon.gelu %0 : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %2 = tenon.linear %1, %w : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %3 = tenon.gelu %2 : (tensor<4x4xf32>) -> tensor<4x4xf32>
  return %3 : tensor<4x4xf32>
}

// -----

// The scores of an attention are computed once, the sums of probabilities once a row.
// CHECK-COUNT-5: tenon.kernel @attention_part
// CHECK-NOT: tenon.kernel
func.func @main(%q: tensor<1x4x6x8xf32>) -> tensor<1x4x6x8xf32> {
  %0 = tenon.attention %q, %q, %q : (tensor<1x4x6x8xf32>, tensor<1x4x6x8xf32>, tensor<1x4x6x8xf32>) -> tensor<1x4x6x8xf32>
  return %0 : tensor<1x4x6x8xf32>
}
