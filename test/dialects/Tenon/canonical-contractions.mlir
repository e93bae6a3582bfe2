// What a product or an attention computes for nobody goes.
// RUN: tenon-opt %s --canonicalize --split-input-file | FileCheck %s

// CHECK-LABEL: @sums_that_nobody_reads
// CHECK-SAME: %[[N:[a-z0-9]+]]: tensor<2xi32>
// CHECK: %[[R:.*]] = tenon.attention %{{.*}}, %{{.*}}, %{{.*}} key_lengths(%[[N]]) {causal} : {{.*}} -> tensor<2x4x5x8xf32>
// CHECK: return %[[R]]
func.func @sums_that_nobody_reads(%q: tensor<2x4x5x8xf32>, %n: tensor<2xi32>) -> tensor<2x4x5x8xf32> {
  %r, %l = tenon.attention %q, %q, %q key_lengths(%n) {causal, log_sum_exp} : (tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<2xi32>) -> (tensor<2x4x5x8xf32>, tensor<2x4x5xf32>)
  return %r : tensor<2x4x5x8xf32>
}

// -----

// CHECK-LABEL: @negative_sums_are_read
// CHECK: tenon.attention {{.*}}log_sum_exp
func.func @negative_sums_are_read(%q: tensor<2x4x5x8xf32>) -> tensor<2x4x5xf32> {
  %r, %l = tenon.attention %q, %q, %q {log_sum_exp} : (tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>) -> (tensor<2x4x5x8xf32>, tensor<2x4x5xf32>)
  return %l : tensor<2x4x5xf32>
}
