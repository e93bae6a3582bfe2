// In: numbers split by affine.delinearize_index. Out: unsigned divisions, the outermost index as what is left.
// RUN: tenon-opt %s --tenon-cpu-split-indices | FileCheck %s

// CHECK-LABEL: func.func @rows_of_two_dimensions
// CHECK-SAME: %[[N:.*]]: index, %[[S:.*]]: index
// CHECK: %[[J:.*]] = arith.remui %[[N]], %[[S]]
// CHECK: %[[I:.*]] = arith.divui %[[N]], %[[S]]
// CHECK: return %[[I]], %[[J]]
func.func @rows_of_two_dimensions(%n: index, %s: index) -> (index, index) attributes {tenon.kernel} {
  %b = arith.constant 5 : index
  %0:2 = affine.delinearize_index %n into (%b, %s) : index, index
  return %0#0, %0#1 : index, index
}

// Without an outer bound, and three of them.
// CHECK-LABEL: func.func @no_outer_bound
// CHECK: arith.remui %{{.*}}, %c4
// CHECK: %[[Q:.*]] = arith.divui %{{.*}}, %c4
// CHECK: arith.remui %[[Q]], %c3
// CHECK: arith.divui %[[Q]], %c3
func.func @no_outer_bound(%n: index) -> (index, index, index) attributes {tenon.kernel} {
  %0:3 = affine.delinearize_index %n into (3, 4) : index, index, index
  return %0#0, %0#1, %0#2 : index, index, index
}

// CHECK-LABEL: func.func @negative_no_kernel
// CHECK: affine.delinearize_index
func.func @negative_no_kernel(%n: index) -> (index, index) {
  %0:2 = affine.delinearize_index %n into (3, 4) : index, index
  return %0#0, %0#1 : index, index
}
