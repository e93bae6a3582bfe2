// What has no value stays an op and is named.
// RUN: tenon-opt %s --tenon-fold-constants --remarks-filter-missed=tenon-fold-constants --remark-format=emitRemark 2>&1 | FileCheck %s

// CHECK: div of constants not computed: {{.*}}divides an integer by zero
// CHECK-LABEL: @negative_divides_by_zero
// CHECK: tenon.div
func.func @negative_divides_by_zero() -> tensor<i64> {
  %a = tenon.constant dense<1> : tensor<i64>
  %z = tenon.constant dense<0> : tensor<i64>
  %0 = tenon.div %a, %z : (tensor<i64>, tensor<i64>) -> tensor<i64>
  return %0 : tensor<i64>
}
