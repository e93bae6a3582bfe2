// What a store writes is computed just before it: the order an epilogue is expanded in keeps too much alive.
// RUN: tenon-opt %s --tenon-order-stores --split-input-file | FileCheck %s

// Sixteen loads before the first store, three more once its own is used, the last with the next.
// CHECK-LABEL: @loads_come_early
// CHECK-COUNT-16: llvm.load
// CHECK-NOT: llvm.load
// CHECK: %[[N0:.*]] = arith.negf
// CHECK-NEXT: %[[S0:.*]] = arith.addf %{{.*}}, %[[N0]]
// CHECK-NEXT: %[[Q0:.*]] = llvm.getelementptr
// CHECK-NEXT: llvm.store %[[S0]], %[[Q0]]
// CHECK-COUNT-3: llvm.load
// CHECK-NOT: llvm.load
// CHECK: arith.negf
// CHECK-NEXT: arith.addf
// CHECK-NEXT: llvm.getelementptr
// CHECK-NEXT: llvm.store
// CHECK-COUNT-1: llvm.load
// CHECK-NOT: llvm.load
// CHECK: llvm.return
llvm.func @loads_come_early(%x: !llvm.ptr<1>, %y: !llvm.ptr<1>, %a: f32) {
  %p0 = llvm.getelementptr %x[0] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  %l0 = llvm.load %p0 invariant : !llvm.ptr<1> -> f32
  %p1 = llvm.getelementptr %x[1] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  %l1 = llvm.load %p1 invariant : !llvm.ptr<1> -> f32
  %p2 = llvm.getelementptr %x[2] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  %l2 = llvm.load %p2 invariant : !llvm.ptr<1> -> f32
  %p3 = llvm.getelementptr %x[3] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  %l3 = llvm.load %p3 invariant : !llvm.ptr<1> -> f32
  %p4 = llvm.getelementptr %x[4] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  %l4 = llvm.load %p4 invariant : !llvm.ptr<1> -> f32
  %p5 = llvm.getelementptr %x[5] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  %l5 = llvm.load %p5 invariant : !llvm.ptr<1> -> f32
  %p6 = llvm.getelementptr %x[6] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  %l6 = llvm.load %p6 invariant : !llvm.ptr<1> -> f32
  %p7 = llvm.getelementptr %x[7] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  %l7 = llvm.load %p7 invariant : !llvm.ptr<1> -> f32
  %p8 = llvm.getelementptr %x[8] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  %l8 = llvm.load %p8 invariant : !llvm.ptr<1> -> f32
  %p9 = llvm.getelementptr %x[9] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  %l9 = llvm.load %p9 invariant : !llvm.ptr<1> -> f32
  %p10 = llvm.getelementptr %x[10] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  %l10 = llvm.load %p10 invariant : !llvm.ptr<1> -> f32
  %p11 = llvm.getelementptr %x[11] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  %l11 = llvm.load %p11 invariant : !llvm.ptr<1> -> f32
  %p12 = llvm.getelementptr %x[12] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  %l12 = llvm.load %p12 invariant : !llvm.ptr<1> -> f32
  %p13 = llvm.getelementptr %x[13] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  %l13 = llvm.load %p13 invariant : !llvm.ptr<1> -> f32
  %p14 = llvm.getelementptr %x[14] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  %l14 = llvm.load %p14 invariant : !llvm.ptr<1> -> f32
  %p15 = llvm.getelementptr %x[15] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  %l15 = llvm.load %p15 invariant : !llvm.ptr<1> -> f32
  %p16 = llvm.getelementptr %x[16] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  %l16 = llvm.load %p16 invariant : !llvm.ptr<1> -> f32
  %p17 = llvm.getelementptr %x[17] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  %l17 = llvm.load %p17 invariant : !llvm.ptr<1> -> f32
  %p18 = llvm.getelementptr %x[18] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  %l18 = llvm.load %p18 invariant : !llvm.ptr<1> -> f32
  %p19 = llvm.getelementptr %x[19] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  %l19 = llvm.load %p19 invariant : !llvm.ptr<1> -> f32
  %n0 = arith.negf %l0 : f32
  %n1 = arith.negf %l1 : f32
  %n2 = arith.negf %l2 : f32
  %n3 = arith.negf %l3 : f32
  %n4 = arith.negf %l4 : f32
  %n5 = arith.negf %l5 : f32
  %n6 = arith.negf %l6 : f32
  %n7 = arith.negf %l7 : f32
  %n8 = arith.negf %l8 : f32
  %n9 = arith.negf %l9 : f32
  %n10 = arith.negf %l10 : f32
  %n11 = arith.negf %l11 : f32
  %n12 = arith.negf %l12 : f32
  %n13 = arith.negf %l13 : f32
  %n14 = arith.negf %l14 : f32
  %n15 = arith.negf %l15 : f32
  %n16 = arith.negf %l16 : f32
  %n17 = arith.negf %l17 : f32
  %n18 = arith.negf %l18 : f32
  %n19 = arith.negf %l19 : f32
  %s0 = arith.addf %a, %n0 : f32
  %s1 = arith.addf %a, %n1 : f32
  %s2 = arith.addf %a, %n2 : f32
  %s3 = arith.addf %a, %n3 : f32
  %s4 = arith.addf %a, %n4 : f32
  %s5 = arith.addf %a, %n5 : f32
  %s6 = arith.addf %a, %n6 : f32
  %s7 = arith.addf %a, %n7 : f32
  %s8 = arith.addf %a, %n8 : f32
  %s9 = arith.addf %a, %n9 : f32
  %s10 = arith.addf %a, %n10 : f32
  %s11 = arith.addf %a, %n11 : f32
  %s12 = arith.addf %a, %n12 : f32
  %s13 = arith.addf %a, %n13 : f32
  %s14 = arith.addf %a, %n14 : f32
  %s15 = arith.addf %a, %n15 : f32
  %s16 = arith.addf %a, %n16 : f32
  %s17 = arith.addf %a, %n17 : f32
  %s18 = arith.addf %a, %n18 : f32
  %s19 = arith.addf %a, %n19 : f32
  %q0 = llvm.getelementptr %y[0] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  llvm.store %s0, %q0 : f32, !llvm.ptr<1>
  %q1 = llvm.getelementptr %y[1] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  llvm.store %s1, %q1 : f32, !llvm.ptr<1>
  %q2 = llvm.getelementptr %y[2] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  llvm.store %s2, %q2 : f32, !llvm.ptr<1>
  %q3 = llvm.getelementptr %y[3] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  llvm.store %s3, %q3 : f32, !llvm.ptr<1>
  %q4 = llvm.getelementptr %y[4] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  llvm.store %s4, %q4 : f32, !llvm.ptr<1>
  %q5 = llvm.getelementptr %y[5] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  llvm.store %s5, %q5 : f32, !llvm.ptr<1>
  %q6 = llvm.getelementptr %y[6] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  llvm.store %s6, %q6 : f32, !llvm.ptr<1>
  %q7 = llvm.getelementptr %y[7] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  llvm.store %s7, %q7 : f32, !llvm.ptr<1>
  %q8 = llvm.getelementptr %y[8] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  llvm.store %s8, %q8 : f32, !llvm.ptr<1>
  %q9 = llvm.getelementptr %y[9] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  llvm.store %s9, %q9 : f32, !llvm.ptr<1>
  %q10 = llvm.getelementptr %y[10] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  llvm.store %s10, %q10 : f32, !llvm.ptr<1>
  %q11 = llvm.getelementptr %y[11] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  llvm.store %s11, %q11 : f32, !llvm.ptr<1>
  %q12 = llvm.getelementptr %y[12] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  llvm.store %s12, %q12 : f32, !llvm.ptr<1>
  %q13 = llvm.getelementptr %y[13] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  llvm.store %s13, %q13 : f32, !llvm.ptr<1>
  %q14 = llvm.getelementptr %y[14] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  llvm.store %s14, %q14 : f32, !llvm.ptr<1>
  %q15 = llvm.getelementptr %y[15] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  llvm.store %s15, %q15 : f32, !llvm.ptr<1>
  %q16 = llvm.getelementptr %y[16] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  llvm.store %s16, %q16 : f32, !llvm.ptr<1>
  %q17 = llvm.getelementptr %y[17] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  llvm.store %s17, %q17 : f32, !llvm.ptr<1>
  %q18 = llvm.getelementptr %y[18] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  llvm.store %s18, %q18 : f32, !llvm.ptr<1>
  %q19 = llvm.getelementptr %y[19] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
  llvm.store %s19, %q19 : f32, !llvm.ptr<1>
  llvm.return
}

// -----

// Slabs in shared memory, with fences between them: what the second holds is computed after the first has left.
// CHECK-LABEL: @slabs
// CHECK-SAME: (%[[A:.*]]: f32, %[[B:.*]]: f32, %{{.*}}: !llvm.ptr<3>
// CHECK: arith.negf %[[A]]
// CHECK-NEXT: llvm.store
// CHECK-NEXT: nvvm.bar.warp.sync
// CHECK-NEXT: arith.negf %[[B]]
// CHECK-NEXT: llvm.store
llvm.func @slabs(%a: f32, %b: f32, %slab: !llvm.ptr<3>, %mask: i32) {
  %0 = arith.negf %a : f32
  %1 = arith.negf %b : f32
  llvm.store %0, %slab : f32, !llvm.ptr<3>
  nvvm.bar.warp.sync %mask : i32
  llvm.store %1, %slab : f32, !llvm.ptr<3>
  llvm.return
}

// -----

// What others read as well stays, as does memory that may change.
// CHECK-LABEL: @negative_other_readers
// CHECK: arith.negf
// CHECK-NEXT: llvm.load %{{.*}} : !llvm.ptr<1> -> f32
// CHECK-NEXT: llvm.store
// CHECK-NEXT: llvm.store
// CHECK-NEXT: llvm.store
llvm.func @negative_other_readers(%x: !llvm.ptr<1>, %y: !llvm.ptr<1>, %a: f32, %f: !llvm.ptr) {
  %0 = arith.negf %a : f32
  %1 = llvm.load %x : !llvm.ptr<1> -> f32
  llvm.store %a, %y : f32, !llvm.ptr<1>
  llvm.store %1, %y : f32, !llvm.ptr<1>
  llvm.store %0, %y : f32, !llvm.ptr<1>
  llvm.call %f(%0) : !llvm.ptr, (f32) -> ()
  llvm.return
}

// -----

// What is before a loop stays there.
// CHECK-LABEL: @negative_before_a_loop
// CHECK: arith.negf
// CHECK-NEXT: scf.for
llvm.func @negative_before_a_loop(%y: !llvm.ptr<1>, %a: f32, %begin: i32, %end: i32, %step: i32) {
  %0 = arith.negf %a : f32
  %1 = scf.for %i = %begin to %end step %step iter_args(%sum = %a) -> (f32) : i32 {
    %2 = arith.addf %sum, %a : f32
    scf.yield %2 : f32
  }
  llvm.store %1, %y : f32, !llvm.ptr<1>
  llvm.store %0, %y : f32, !llvm.ptr<1>
  llvm.return
}
