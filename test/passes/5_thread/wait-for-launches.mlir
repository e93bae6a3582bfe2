// Kernels wait for the launch ahead before they touch global memory.
// RUN: tenon-opt %s --tenon-wait-for-launches --split-input-file | FileCheck %s
// RUN: tenon-opt %s --tenon-wait-for-launches=arch=sm_80 --split-input-file | FileCheck %s --check-prefix=OLDER

// OLDER-NOT: griddepcontrol

// CHECK-LABEL: llvm.func @kernel
// CHECK-SAME: attributes {nvvm.kernel, tenon.programmatic}
// CHECK-NEXT: nvvm.griddepcontrol wait
// CHECK-NEXT: nvvm.griddepcontrol launch_dependents
// CHECK-NEXT: llvm.load
llvm.func @kernel(%x: !llvm.ptr<1>, %y: !llvm.ptr<1>, %workspace: !llvm.ptr<1>) attributes {nvvm.kernel} {
  %0 = llvm.load %x : !llvm.ptr<1> -> f32
  llvm.store %0, %y : f32, !llvm.ptr<1>
  llvm.return
}

// CHECK-LABEL: llvm.func @negative_function
// CHECK-NOT: griddepcontrol
llvm.func @negative_function(%x: f32) -> f32 {
  llvm.return %x : f32
}

// CHECK-LABEL: @negative_waits_already
// CHECK-NOT: griddepcontrol
// CHECK: llvm.return
llvm.func @negative_waits_already() attributes {nvvm.kernel, tenon.programmatic} {
  llvm.return
}

// -----

// What touches no global memory comes before the wait: barriers in shared memory, places, a tensor map's prefetch. The
// branch that reads does not.
// CHECK-LABEL: llvm.func @barriers
// CHECK: nvvm.read.ptx.sreg.tid.x
// CHECK: scf.if
// CHECK: nvvm.mbarrier.init
// CHECK: nvvm.prefetch tensormap
// CHECK: nvvm.barrier0
// CHECK-NEXT: nvvm.griddepcontrol wait
// CHECK-NEXT: nvvm.griddepcontrol launch_dependents
// CHECK-NEXT: scf.if
module @kernels {
  llvm.mlir.global external @shared() {addr_space = 3 : i32, alignment = 128 : i64} : !llvm.array<0 x i8>
  llvm.func @barriers(%x: !llvm.ptr<1>, %workspace: !llvm.ptr<1>, %map: !llvm.ptr) attributes {nvvm.kernel} {
    %thread = nvvm.read.ptx.sreg.tid.x : i32
    %zero = arith.constant 0 : i32
    %one = arith.constant 1 : i32
    %isFirst = arith.cmpi eq, %thread, %zero : i32
    %shared = llvm.mlir.addressof @shared : !llvm.ptr<3>
    scf.if %isFirst {
      nvvm.mbarrier.init %shared, %one : !llvm.ptr<3>, i32
      nvvm.fence.mbarrier.init
      nvvm.prefetch tensormap, %map : !llvm.ptr
    }
    nvvm.barrier0
    scf.if %isFirst {
      %0 = llvm.load %x : !llvm.ptr<1> -> f32
      llvm.store %0, %x : f32, !llvm.ptr<1>
    }
    llvm.return
  }
}
