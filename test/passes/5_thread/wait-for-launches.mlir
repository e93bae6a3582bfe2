// Kernels wait for the launch ahead before they touch anything.
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
