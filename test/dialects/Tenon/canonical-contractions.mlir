// What a product or an attention computes for nobody goes; a product of a vector is one of a row.
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

// -----

// A vector is one row, and of two products in a row the reshapes between them cancel.
// CHECK-LABEL: @linear_of_a_vector
// CHECK-SAME: (%[[X:.*]]: tensor<8xf32>, %[[W:.*]]: tensor<6x8xf32>, %[[B:.*]]: tensor<6xf32>, %[[V:.*]]: tensor<?x6xf32>)
// CHECK-NEXT: %[[ROW:.*]] = tenon.reshape %[[X]] : (tensor<8xf32>) -> tensor<1x8xf32>
// CHECK-NEXT: %[[Y:.*]] = tenon.linear %[[ROW]], %[[W]], %[[B]] : (tensor<1x8xf32>, tensor<6x8xf32>, tensor<6xf32>) -> tensor<1x6xf32>
// CHECK-NEXT: %[[Z:.*]] = tenon.linear %[[Y]], %[[V]] : (tensor<1x6xf32>, tensor<?x6xf32>) -> tensor<1x?xf32>
// CHECK-NEXT: %[[R:.*]] = tenon.reshape %[[Z]] : (tensor<1x?xf32>) -> tensor<?xf32>
// CHECK-NEXT: return %[[R]]
func.func @linear_of_a_vector(%x: tensor<8xf32>, %w: tensor<6x8xf32>, %b: tensor<6xf32>, %v: tensor<?x6xf32>) -> tensor<?xf32> {
  %0 = tenon.linear %x, %w, %b : (tensor<8xf32>, tensor<6x8xf32>, tensor<6xf32>) -> tensor<6xf32>
  %1 = tenon.linear %0, %v : (tensor<6xf32>, tensor<?x6xf32>) -> tensor<?xf32>
  return %1 : tensor<?xf32>
}

// -----

// Nothing to contract, and a matrix of one row, which is what the others become.
// CHECK-LABEL: @linear_edges
// CHECK: tenon.linear %{{.*}}, %{{.*}} : (tensor<1x0xf32>, tensor<6x0xf32>) -> tensor<1x6xf32>
// CHECK: tenon.linear %{{.*}}, %{{.*}} : (tensor<1x8xf32>, tensor<6x8xf32>) -> tensor<1x6xf32>
// CHECK-NEXT: return
func.func @linear_edges(%x: tensor<0xf32>, %w: tensor<6x0xf32>, %y: tensor<1x8xf32>, %v: tensor<6x8xf32>) -> (tensor<6xf32>, tensor<1x6xf32>) {
  %0 = tenon.linear %x, %w : (tensor<0xf32>, tensor<6x0xf32>) -> tensor<6xf32>
  %1 = tenon.linear %y, %v : (tensor<1x8xf32>, tensor<6x8xf32>) -> tensor<1x6xf32>
  return %0, %1 : tensor<6xf32>, tensor<1x6xf32>
}

// -----

// CHECK-LABEL: @masks_that_hide_nothing
// CHECK-NOT: mask(
// CHECK: return
func.func @masks_that_hide_nothing(%q: tensor<2x4x5x8xf32>) -> (tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>) {
  %all = tenon.constant dense<true> : tensor<2x1x5x5xi1>
  %zero = tenon.constant dense<0.0> : tensor<5x5xf32>
  %y = tenon.attention %q, %q, %q mask(%all) : (tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<2x1x5x5xi1>) -> tensor<2x4x5x8xf32>
  %z = tenon.attention %q, %q, %q mask(%zero) : (tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<5x5xf32>) -> tensor<2x4x5x8xf32>
  return %y, %z : tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>
}

// -----

// CHECK-LABEL: @negative_masks_that_hide
// CHECK: tenon.attention {{.*}} mask(
// CHECK: tenon.attention {{.*}} mask(
func.func @negative_masks_that_hide(%q: tensor<2x4x5x8xf32>) -> (tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>) {
  %none = tenon.constant dense<false> : tensor<2x1x5x5xi1>
  %one = tenon.constant dense<1.0> : tensor<5x5xf32>
  %y = tenon.attention %q, %q, %q mask(%none) : (tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<2x1x5x5xi1>) -> tensor<2x4x5x8xf32>
  %z = tenon.attention %q, %q, %q mask(%one) : (tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<5x5xf32>) -> tensor<2x4x5x8xf32>
  return %y, %z : tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>
}
