// One way to write each pointwise form, exactly: what differs for some float stays.
// RUN: tenon-opt %s --canonicalize --split-input-file | FileCheck %s

// CHECK-LABEL: @constants_on_the_right
// CHECK-SAME: (%[[X:.*]]: tensor<3xf32>)
// CHECK: %[[C:.*]] = tenon.constant dense<3.000000e+00> : tensor<f32>
// CHECK: tenon.add %[[X]], %[[C]]
// CHECK: tenon.mul %[[X]], %[[C]]
// CHECK: tenon.compare %[[X]], %[[C]] {predicate = #tenon.compare<gt>}
func.func @constants_on_the_right(%x: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>, tensor<3xi1>) {
  %c = tenon.constant dense<3.0> : tensor<f32>
  %0 = tenon.add %c, %x : (tensor<f32>, tensor<3xf32>) -> tensor<3xf32>
  %1 = tenon.mul %c, %x : (tensor<f32>, tensor<3xf32>) -> tensor<3xf32>
  %2 = tenon.compare %c, %x {predicate = #tenon.compare<lt>} : (tensor<f32>, tensor<3xf32>) -> tensor<3xi1>
  return %0, %1, %2 : tensor<3xf32>, tensor<3xf32>, tensor<3xi1>
}

// -----

// CHECK-LABEL: @strength
// CHECK-SAME: (%[[X:.*]]: tensor<3xf32>)
// CHECK-DAG: %[[M:.*]] = tenon.constant dense<-3.000000e+00> : tensor<f32>
// CHECK-DAG: %[[E:.*]] = tenon.constant dense<1.250000e-01> : tensor<f32>
// CHECK: tenon.add %[[X]], %[[M]]
// CHECK: tenon.mul %[[X]], %[[E]]
// CHECK: tenon.square %[[X]]
// CHECK: tenon.square %[[X]]
// CHECK: tenon.reciprocal %[[X]]
func.func @strength(%x: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) {
  %three = tenon.constant dense<3.0> : tensor<f32>
  %eight = tenon.constant dense<8.0> : tensor<f32>
  %two = tenon.constant dense<2.0> : tensor<f32>
  %minus = tenon.constant dense<-1.0> : tensor<f32>
  %0 = tenon.sub %x, %three : (tensor<3xf32>, tensor<f32>) -> tensor<3xf32>
  %1 = tenon.div %x, %eight : (tensor<3xf32>, tensor<f32>) -> tensor<3xf32>
  %2 = tenon.mul %x, %x : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  %3 = tenon.pow %x, %two : (tensor<3xf32>, tensor<f32>) -> tensor<3xf32>
  %4 = tenon.pow %x, %minus : (tensor<3xf32>, tensor<f32>) -> tensor<3xf32>
  return %0, %1, %2, %3, %4 : tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>
}

// -----

// 1/3 is not exact; the inverse of 2^127 is subnormal; sqrt differs from x^0.5 at -0.0 and -Inf.
// CHECK-LABEL: @negative_strength
// CHECK: tenon.div
// CHECK: tenon.div
// CHECK: tenon.pow
func.func @negative_strength(%x: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) {
  %three = tenon.constant dense<3.0> : tensor<f32>
  %huge = tenon.constant dense<0x7F000000> : tensor<f32>
  %half = tenon.constant dense<0.5> : tensor<f32>
  %0 = tenon.div %x, %three : (tensor<3xf32>, tensor<f32>) -> tensor<3xf32>
  %1 = tenon.div %x, %huge : (tensor<3xf32>, tensor<f32>) -> tensor<3xf32>
  %2 = tenon.pow %x, %half : (tensor<3xf32>, tensor<f32>) -> tensor<3xf32>
  return %0, %1, %2 : tensor<3xf32>, tensor<3xf32>, tensor<3xf32>
}

// -----

// CHECK-LABEL: @negations
// CHECK-SAME: (%[[X:.*]]: tensor<3xf32>, %[[Y:.*]]: tensor<3xf32>)
// CHECK-NEXT: tenon.sub %[[X]], %[[Y]]
// CHECK-NEXT: tenon.sub %[[Y]], %[[X]]
// CHECK-NEXT: tenon.add %[[X]], %[[Y]]
func.func @negations(%x: tensor<3xf32>, %y: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) {
  %nx = tenon.neg %x : (tensor<3xf32>) -> tensor<3xf32>
  %ny = tenon.neg %y : (tensor<3xf32>) -> tensor<3xf32>
  %0 = tenon.add %x, %ny : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  %1 = tenon.add %nx, %y : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  %2 = tenon.sub %x, %ny : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return %0, %1, %2 : tensor<3xf32>, tensor<3xf32>, tensor<3xf32>
}

// -----

// CHECK-LABEL: @inverted_conditions
// CHECK-SAME: (%[[X:.*]]: tensor<3xf32>, %[[Y:.*]]: tensor<3xf32>, %[[I:.*]]: tensor<3xi32>, %[[C:.*]]: tensor<3xi1>)
// CHECK-NEXT: tenon.compare %[[X]], %[[Y]] {predicate = #tenon.compare<ne>}
// CHECK-NEXT: %[[J:.*]] = tenon.square %[[I]]
// CHECK-NEXT: tenon.compare %[[I]], %[[J]] {predicate = #tenon.compare<ge>}
// CHECK-NEXT: tenon.select %[[C]], %[[Y]], %[[X]]
func.func @inverted_conditions(%x: tensor<3xf32>, %y: tensor<3xf32>, %i: tensor<3xi32>, %c: tensor<3xi1>) -> (tensor<3xi1>, tensor<3xi1>, tensor<3xf32>) {
  %0 = tenon.compare %x, %y {predicate = #tenon.compare<eq>} : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xi1>
  %1 = tenon.logical_not %0 : (tensor<3xi1>) -> tensor<3xi1>
  %j = tenon.square %i : (tensor<3xi32>) -> tensor<3xi32>
  %2 = tenon.compare %i, %j {predicate = #tenon.compare<lt>} : (tensor<3xi32>, tensor<3xi32>) -> tensor<3xi1>
  %3 = tenon.logical_not %2 : (tensor<3xi1>) -> tensor<3xi1>
  %n = tenon.logical_not %c : (tensor<3xi1>) -> tensor<3xi1>
  %4 = tenon.select %n, %x, %y : (tensor<3xi1>, tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return %1, %3, %4 : tensor<3xi1>, tensor<3xi1>, tensor<3xf32>
}

// -----

// not (x < y) is true of a NaN, x >= y is not.
// CHECK-LABEL: @negative_unordered
// CHECK: tenon.compare
// CHECK-SAME: lt
// CHECK: tenon.logical_not
func.func @negative_unordered(%x: tensor<3xf32>, %y: tensor<3xf32>) -> tensor<3xi1> {
  %0 = tenon.compare %x, %y {predicate = #tenon.compare<lt>} : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xi1>
  %1 = tenon.logical_not %0 : (tensor<3xi1>) -> tensor<3xi1>
  return %1 : tensor<3xi1>
}

// -----

// Positions are never negative; they may be below 1.
// CHECK-LABEL: @iota_at_least
// CHECK: tenon.constant dense<true> : tensor<i1>
// CHECK: tenon.expand
// CHECK-NOT: #tenon.compare<ge>
// CHECK: #tenon.compare<gt>
func.func @iota_at_least() -> (tensor<4xi1>, tensor<4xi1>) {
  %i = tenon.iota {axis = 0 : i64} : () -> tensor<4xi64>
  %z = tenon.constant dense<0> : tensor<i64>
  %0 = tenon.compare %i, %z {predicate = #tenon.compare<ge>} : (tensor<4xi64>, tensor<i64>) -> tensor<4xi1>
  %1 = tenon.compare %i, %z {predicate = #tenon.compare<gt>} : (tensor<4xi64>, tensor<i64>) -> tensor<4xi1>
  return %0, %1 : tensor<4xi1>, tensor<4xi1>
}

// -----

// One number against one number, however it is written out, is one answer.
// CHECK-LABEL: @numbers_compared
// CHECK: %[[NO:.*]] = tenon.constant dense<false> : tensor<i1>
// CHECK: %[[R:.*]] = tenon.expand %[[NO]], %{{.*}} : (tensor<i1>, tensor<i64>) -> tensor<?x4xi1>
// CHECK: return %[[R]]
func.func @numbers_compared(%n: tensor<i64>) -> tensor<?x4xi1> {
  %c = tenon.constant dense<1> : tensor<i64>
  %d = tenon.constant dense<2> : tensor<4xi64>
  %0 = tenon.expand %c, %n : (tensor<i64>, tensor<i64>) -> tensor<?x4xi64>
  %1 = tenon.compare %0, %d {predicate = #tenon.compare<eq>} : (tensor<?x4xi64>, tensor<4xi64>) -> tensor<?x4xi1>
  return %1 : tensor<?x4xi1>
}

// -----

// Positions along a dimension of one element are a number, but not of a dimension whose size only the run knows.
// CHECK-LABEL: @single_position
// CHECK-DAG: tenon.constant dense<3> : tensor<1x2xi64>
// CHECK-DAG: tenon.iota
func.func @single_position(%n: tensor<i64>) -> (tensor<1x2xi64>, tensor<?xi64>) {
  %0 = tenon.iota {axis = 0 : i64, start = 3.0 : f64, step = 1.0 : f64} : () -> tensor<1x2xi64>
  %1 = tenon.iota %n {axis = 0 : i64, start = 3.0 : f64, step = 1.0 : f64} : (tensor<i64>) -> tensor<?xi64>
  return %0, %1 : tensor<1x2xi64>, tensor<?xi64>
}
