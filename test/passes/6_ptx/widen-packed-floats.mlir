// Both halves of a register become f32 in it: the lower by a shift, the upper by a mask. What stands alone is converted
// by the instruction, and so is f16.
// RUN: tenon-opt --tenon-widen-packed-floats %s | FileCheck %s

module @kernels {
  // CHECK-LABEL: llvm.func @packed
  // CHECK-SAME: %[[X:.*]]: vector<4xbf16>
  // CHECK-NOT: arith.extf
  // CHECK: %[[LOWER_OF:.*]] = llvm.bitcast %[[X]] : vector<4xbf16> to vector<2xi32>
  // CHECK: %[[FIRST:.*]] = llvm.mlir.constant(0 : i32)
  // CHECK: %[[WORD:.*]] = llvm.extractelement %[[LOWER_OF]][%[[FIRST]] : i32]
  // CHECK: %[[BY:.*]] = llvm.mlir.constant(16 : i32)
  // CHECK: llvm.shl %[[WORD]], %[[BY]]
  // CHECK: llvm.bitcast %{{.*}} : i32 to f32
  // CHECK: %[[UPPER_OF:.*]] = llvm.bitcast %[[X]] : vector<4xbf16> to vector<2xi32>
  // CHECK: %[[SECOND:.*]] = llvm.mlir.constant(1 : i32)
  // CHECK: %[[OTHER:.*]] = llvm.extractelement %[[UPPER_OF]][%[[SECOND]] : i32]
  // CHECK: %[[MASK:.*]] = llvm.mlir.constant(-65536 : i32)
  // CHECK: llvm.and %[[OTHER]], %[[MASK]]
  llvm.func @packed(%x: vector<4xbf16>, %at: !llvm.ptr) {
    %c0 = llvm.mlir.constant(0 : i32) : i32
    %c3 = llvm.mlir.constant(3 : i32) : i32
    %0 = llvm.extractelement %x[%c0 : i32] : vector<4xbf16>
    %1 = llvm.extractelement %x[%c3 : i32] : vector<4xbf16>
    %2 = arith.extf %0 : bf16 to f32
    %3 = arith.extf %1 : bf16 to f32
    llvm.store %2, %at : f32, !llvm.ptr
    llvm.store %3, %at : f32, !llvm.ptr
    llvm.return
  }

  // CHECK-LABEL: llvm.func @others
  // CHECK-COUNT-4: arith.extf
  llvm.func @others(%alone: bf16, %odd: vector<3xbf16>, %f16: vector<2xf16>, %pair: vector<2xbf16>, %n: i32,
                    %at: !llvm.ptr) {
    %c0 = llvm.mlir.constant(0 : i32) : i32
    %0 = llvm.extractelement %odd[%c0 : i32] : vector<3xbf16>
    %1 = llvm.extractelement %f16[%c0 : i32] : vector<2xf16>
    %2 = llvm.extractelement %pair[%n : i32] : vector<2xbf16>
    %3 = arith.extf %alone : bf16 to f32
    %4 = arith.extf %0 : bf16 to f32
    %5 = arith.extf %1 : f16 to f32
    %6 = arith.extf %2 : bf16 to f32
    llvm.store %3, %at : f32, !llvm.ptr
    llvm.store %4, %at : f32, !llvm.ptr
    llvm.store %5, %at : f32, !llvm.ptr
    llvm.store %6, %at : f32, !llvm.ptr
    llvm.return
  }
}
