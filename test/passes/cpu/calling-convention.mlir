// In: kernel functions on memrefs. Out: the runtime's signature, and a private function that is told about its addresses.
// RUN: tenon-opt %s --split-input-file --tenon-cpu-calling-convention --canonicalize --verify-diagnostics | FileCheck %s

// Sizes come in the order of the `?`; strides follow from them.
// CHECK-LABEL: func.func private @copy.tasks
// CHECK-SAME: (%[[X:.*]]: !llvm.ptr {llvm.align = 64 : i64, llvm.noalias}, %[[Y:.*]]: !llvm.ptr {llvm.align = 64 : i64, llvm.noalias}, %[[S:.*]]: !llvm.ptr {llvm.align = 64 : i64, llvm.noalias},
// CHECK-SAME: %[[N:[^:]*]]: i64, %[[M:[^:]*]]: i64, %[[N2:[^:]*]]: i64, %[[FIRST:[^:]*]]: i64, %[[LAST:[^:]*]]: i64)
// CHECK-SAME: llvm.linkage = #llvm.linkage<internal>
// CHECK: %[[MN:.*]] = llvm.mul %{{.*}}, %[[M]]
// CHECK: %[[A0:.*]] = llvm.insertvalue %[[X]], %{{.*}}[0]
// CHECK: %[[A1:.*]] = llvm.insertvalue %[[X]], %[[A0]][1]
// CHECK: %[[A2:.*]] = llvm.insertvalue %{{.*}}, %[[A1]][2]
// CHECK: llvm.insertvalue %[[N]], %[[A2]][3, 0]
// CHECK: func.func @copy(%[[BUFFERS:.*]]: !llvm.ptr, %[[DIMS:.*]]: !llvm.ptr, %{{.*}}: i64, %{{.*}}: i64, %{{.*}}: !llvm.ptr)
// CHECK-SAME: tenon.flops = 7 : i64, tenon.grid
// CHECK-SAME: tenon.scratch_bytes
// CHECK-NOT: tenon.kernel
// CHECK: llvm.load %[[BUFFERS]]
// CHECK: llvm.getelementptr %[[BUFFERS]][1]
// CHECK: llvm.load %[[DIMS]]
// CHECK: llvm.getelementptr %[[DIMS]][1]
// CHECK: llvm.getelementptr %[[DIMS]][2]
// CHECK: call @copy.tasks(
func.func @copy(%X: memref<?x?x4xf32>, %Y: memref<?xf32>, %first: index, %last: index, %scratch: memref<?xi8>)
    attributes {tenon.kernel, tenon.grid = affine_map<()[s0, s1, s2] -> (s0)>, tenon.scratch_bytes = affine_map<()[s0, s1, s2] -> (0)>, tenon.flops = 7 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %first to %last step %c1 {
    %a = memref.load %X[%i, %c1, %c0] : memref<?x?x4xf32>
    memref.store %a, %Y[%i] : memref<?xf32>
  }
  return
}

// -----

// Functions that are no kernels stay.
// CHECK-LABEL: func.func @negative_helper(%{{.*}}: memref<4xf32>)
func.func @negative_helper(%X: memref<4xf32>) {
  return
}

// -----

// expected-error @below {{kernel @no_grid has no `tenon.grid` or no `tenon.scratch_bytes`}}
func.func @no_grid(%X: memref<4xf32>, %first: index, %last: index, %scratch: memref<?xi8>) attributes {tenon.kernel} {
  return
}

// -----

// A kernel that runs at load reads weights, which lie anywhere in a file; what it writes is aligned.
// CHECK-LABEL: func.func private @pack.tasks
// CHECK-SAME: (%{{.*}}: !llvm.ptr {llvm.noalias}, %{{.*}}: !llvm.ptr {llvm.align = 64 : i64, llvm.noalias},
module {
  module @kernels {
    func.func @pack(%X: memref<6xf32>, %Y: memref<6xf32>, %first: index, %last: index, %scratch: memref<?xi8>)
        attributes {tenon.kernel, tenon.grid = affine_map<() -> (1)>, tenon.scratch_bytes = affine_map<() -> (0)>} {
      return
    }
  }
  func.func @main() -> tensor<6xf32> {
    %w = tenon.weight "w" : tensor<6xf32>
    %0 = tenon.launch @kernels::@pack(%w) : (tensor<6xf32>) -> tensor<6xf32>
    return %0 : tensor<6xf32>
  }
}
