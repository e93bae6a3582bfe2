// In: bf16 that is only moved. Out: its bits, in types, arguments and constants.
// RUN: tenon-opt %s --tenon-cpu-store-bfloats | FileCheck %s

// CHECK-LABEL: func.func @main
// CHECK-SAME: tensor<4xbf16>
// CHECK: tenon.launch @kernels::@fill(%{{.*}}) : (tensor<4xbf16>) -> tensor<4xbf16>
func.func @main(%x: tensor<4xbf16>) -> tensor<4xbf16> {
  %y = tenon.launch @kernels::@fill(%x) : (tensor<4xbf16>) -> tensor<4xbf16>
  return %y : tensor<4xbf16>
}

module @kernels {
  // CHECK-LABEL: func.func @fill
  // CHECK-SAME: memref<4xi16>, %{{.*}}: memref<4xi16>, %{{.*}}: vector<4xi1>
  // CHECK-DAG: arith.constant 16256 : i16
  // CHECK-DAG: arith.constant dense<[16256, -16512, 32640, 0]> : vector<4xi16>
  // CHECK: arith.select %{{.*}} : vector<4xi1>, vector<4xi16>
  // CHECK: vector.maskedstore %{{.*}} : memref<4xi16>, vector<4xi1>, vector<4xi16>
  // CHECK: scf.for {{.*}} -> (i16)
  // CHECK-NOT: bf16
  // CHECK-NOT: arith.bitcast
  func.func @fill(%X: memref<4xbf16>, %Y: memref<4xbf16>, %mask: vector<4xi1>) -> i16 {
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    %number = arith.constant 1.0 : bf16
    %numbers = arith.constant dense<[1.0, -1.0, 0x7F80, 0.0]> : vector<4xbf16>
    %x = vector.load %X[%zero] : memref<4xbf16>, vector<4xbf16>
    %chosen = arith.select %mask, %x, %numbers : vector<4xi1>, vector<4xbf16>
    vector.maskedstore %Y[%zero], %mask, %chosen : memref<4xbf16>, vector<4xi1>, vector<4xbf16>
    %last = scf.for %i = %zero to %one step %one iter_args(%carried = %number) -> (bf16) {
      scf.yield %carried : bf16
    }
    %bits = arith.bitcast %last : bf16 to i16
    return %bits : i16
  }
}
