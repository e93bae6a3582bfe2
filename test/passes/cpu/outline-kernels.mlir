// In: kernels in @main. Out: launches, and one function for all kernels of a name.
// RUN: tenon-opt %s --split-input-file --tenon-cpu-outline-kernels --verify-diagnostics | FileCheck %s

// Both kernels are one function; the launch keeps the shapes, the function the schedule.
// CHECK-LABEL: func.func @main
// CHECK: tenon.launch @kernels::@negate(%{{.*}}) {tenon.result_shapes
// CHECK: tenon.launch @kernels::@negate(
// CHECK: module @kernels
// CHECK: func.func @negate(%[[X:.*]]: memref<?x4xf32>, %[[Y:.*]]: memref<?x4xf32>, %{{.*}}: index, %{{.*}}: index, %{{.*}}: memref<?xi8>)
// CHECK-SAME: attributes {tenon.kernel, tenon.schedule = "by hand"
// CHECK: bufferization.to_tensor %[[X]] restrict
// CHECK: bufferization.materialize_in_destination %{{.*}} in restrict writable %[[Y]]
// CHECK-NOT: func.func @negate
func.func @main(%x: tensor<?x4xf32> {tenon.dims = ["n", ""]}) -> tensor<?x4xf32> {
  %y = tenon.kernel @negate(%X = %x) attributes {tenon.schedule = "by hand", tenon.result_shapes = [affine_map<()[s0] -> (s0, 4)>]} : (tensor<?x4xf32>) -> tensor<?x4xf32> {
    %0 = arith.negf %X : tensor<?x4xf32>
    tenon.yield %0 : tensor<?x4xf32>
  }
  %z = tenon.kernel @negate(%X = %y) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
    %0 = arith.negf %X : tensor<?x4xf32>
    tenon.yield %0 : tensor<?x4xf32>
  }
  return %z : tensor<?x4xf32>
}

// -----

// i1 is a byte, i4 half of one, 8-bit floats are their bits.
// CHECK: func.func @stored(%{{.*}}: memref<4xi8>, %{{.*}}: memref<3x2xi8>, %{{.*}}: memref<4xi8>, %{{.*}}: memref<4xi8>, %{{.*}}: memref<3x2xi8>, %{{.*}}: memref<4xi8>,
// CHECK-DAG: arith.cmpi ne, %{{.*}}, %c0_i8
// CHECK-DAG: arith.shrui
// CHECK-DAG: arith.bitcast %{{.*}} : i8 to f8E4M3FN
// CHECK: arith.extui %{{.*}} : i1 to i8
// CHECK: arith.shli
// CHECK: arith.bitcast %{{.*}} : f8E4M3FN to i8
func.func @main(%b: tensor<4xi1>, %n: tensor<3x4xi4>, %f: tensor<4xf8E4M3FN>) -> (tensor<4xi1>, tensor<3x4xi4>, tensor<4xf8E4M3FN>) {
  %r:3 = tenon.kernel @stored(%B = %b, %N = %n, %F = %f) : (tensor<4xi1>, tensor<3x4xi4>, tensor<4xf8E4M3FN>) -> (tensor<4xi1>, tensor<3x4xi4>, tensor<4xf8E4M3FN>) {
    tenon.yield %B, %N, %F : tensor<4xi1>, tensor<3x4xi4>, tensor<4xf8E4M3FN>
  }
  return %r#0, %r#1, %r#2 : tensor<4xi1>, tensor<3x4xi4>, tensor<4xf8E4M3FN>
}

// -----

// Rows that do not fill bytes: one run of nibbles.
// CHECK: func.func @odd(%{{.*}}: memref<8xi8>, %{{.*}}: memref<8xi8>,
func.func @main(%n: tensor<3x5xi4>) -> tensor<3x5xi4> {
  %r = tenon.kernel @odd(%N = %n) : (tensor<3x5xi4>) -> tensor<3x5xi4> {
    tenon.yield %N : tensor<3x5xi4>
  }
  return %r : tensor<3x5xi4>
}

// -----

func.func @main(%n: tensor<?x5xi4> {tenon.dims = ["n", ""]}) -> tensor<?x5xi4> {
  // expected-error @below {{@odd reads or writes 'tensor<?x5xi4>': i4 tensors of a dynamic shape need an even innermost size}}
  %r = tenon.kernel @odd(%N = %n) : (tensor<?x5xi4>) -> tensor<?x5xi4> {
    tenon.yield %N : tensor<?x5xi4>
  }
  return %r : tensor<?x5xi4>
}

// -----

// expected-error @below {{the symbol @kernels is taken}}
module @kernels {}
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = tenon.kernel @copy(%X = %x) : (tensor<4xf32>) -> tensor<4xf32> {
    tenon.yield %X : tensor<4xf32>
  }
  return %y : tensor<4xf32>
}

// -----

// Code may call exp and expf of the C library, so no kernel is called so.
// CHECK: tenon.launch @kernels::@exp_kernel(
// CHECK: tenon.launch @kernels::@expf_kernel(
// CHECK: func.func @exp_kernel(
// CHECK: func.func @expf_kernel(
func.func @main(%x: tensor<4xf64>) -> tensor<4xf64> {
  %y = tenon.kernel @exp(%X = %x) : (tensor<4xf64>) -> tensor<4xf64> {
    %0 = math.exp %X : tensor<4xf64>
    tenon.yield %0 : tensor<4xf64>
  }
  %z = tenon.kernel @expf(%X = %y) : (tensor<4xf64>) -> tensor<4xf64> {
    %0 = arith.negf %X : tensor<4xf64>
    tenon.yield %0 : tensor<4xf64>
  }
  return %z : tensor<4xf64>
}
