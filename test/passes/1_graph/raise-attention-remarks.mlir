// What looks like attention and is none says why.
// RUN: tenon-opt %s --tenon-raise-attention --remarks-filter=tenon-raise-attention --remark-format=emitRemark -o /dev/null 2>&1 | FileCheck %s

// CHECK: softmax and matmul are no attention: another axis, rank or reader
// CHECK: softmax and matmul are no attention: the scale is applied after the mask
// CHECK: softmax and matmul are no attention: there are two masks
// CHECK: softmax and matmul are no attention: the scores are no product
func.func @main(%q: tensor<1x2x3x8xf32>, %m: tensor<3xf32>, %n: tensor<1x2x3x3xf32>) -> (tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>) {
  %half = tenon.constant dense<0.5> : tensor<f32>
  %0 = tenon.softmax %n {axis = 2 : i64} : (tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  %1 = tenon.matmul %0, %q : (tensor<1x2x3x3xf32>, tensor<1x2x3x8xf32>) -> tensor<1x2x3x8xf32>
  %2 = tenon.matmul %q, %q {transpose_b} : (tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>) -> tensor<1x2x3x3xf32>
  %3 = tenon.add %2, %m : (tensor<1x2x3x3xf32>, tensor<3xf32>) -> tensor<1x2x3x3xf32>
  %4 = tenon.mul %3, %half : (tensor<1x2x3x3xf32>, tensor<f32>) -> tensor<1x2x3x3xf32>
  %5 = tenon.softmax %4 {axis = 3 : i64} : (tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  %6 = tenon.matmul %5, %q : (tensor<1x2x3x3xf32>, tensor<1x2x3x8xf32>) -> tensor<1x2x3x8xf32>
  %7 = tenon.matmul %1, %q {transpose_b} : (tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>) -> tensor<1x2x3x3xf32>
  %c = tenon.compare %m, %half {predicate = #tenon.compare<lt>} : (tensor<3xf32>, tensor<f32>) -> tensor<3xi1>
  %inf = tenon.constant dense<0xFF800000> : tensor<f32>
  %8 = tenon.select %c, %7, %inf : (tensor<3xi1>, tensor<1x2x3x3xf32>, tensor<f32>) -> tensor<1x2x3x3xf32>
  %9 = tenon.add %8, %m : (tensor<1x2x3x3xf32>, tensor<3xf32>) -> tensor<1x2x3x3xf32>
  %10 = tenon.softmax %9 {axis = 3 : i64} : (tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  %11 = tenon.matmul %10, %q : (tensor<1x2x3x3xf32>, tensor<1x2x3x8xf32>) -> tensor<1x2x3x8xf32>
  %12 = tenon.softmax %n {axis = 3 : i64} : (tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  %13 = tenon.matmul %12, %q : (tensor<1x2x3x3xf32>, tensor<1x2x3x8xf32>) -> tensor<1x2x3x8xf32>
  return %1, %6, %11, %13 : tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>
}
