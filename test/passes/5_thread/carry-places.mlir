// A turn that waits for all of its products finds out, while they run, where the operands of the next turn's lie.
// RUN: tenon-opt %s --tenon-carry-places --split-input-file | FileCheck %s
// RUN: tenon-opt %s --tenon-carry-places --split-input-file -o /dev/null --remarks-filter-passed=tenon-carry-places \
// RUN:   --remark-format=emitRemark 2>&1 | FileCheck %s --check-prefix=REMARK

// What is taken behind the last product alone, here the barrier's other half, is found out from what is carried. The
// comparison is unsigned after it as before.
// REMARK: numbers and addresses that are found out a turn ahead: 3
// CHECK-LABEL: @slot_parity_and_descriptor
// CHECK: %[[FIRST:.*]] = llvm.getelementptr
// CHECK: scf.for unsigned %[[I:[^ ]*]] = {{.*}}, %[[FULL:[^ ]*]] = %[[FIRST]], %[[PARITY:[^ ]*]] = %{{[^ ]*}}, %[[W:[^ ]*]] = %{{[^ ]*}}) ->
// CHECK-NEXT: ptx.mbarrier.wait %[[FULL]], %[[PARITY]]
// CHECK-NEXT: ptx.wgmma %{{.*}}, %[[W]],
// CHECK-NEXT: %[[NEXT:.*]] = arith.addi %[[I]],
// CHECK: %[[SLOT:.*]] = arith.remui %[[NEXT]],
// CHECK-NEXT: %[[NEXT_FULL:.*]] = llvm.getelementptr %{{.*}}[%[[SLOT]]]
// CHECK: %[[NEXT_PARITY:.*]] = arith.andi
// CHECK-NEXT: %[[NEXT_W:.*]] = arith.extui %[[SLOT]]
// CHECK-NEXT: ptx.wgmma.wait
// CHECK-NEXT: %[[EMPTY:.*]] = llvm.getelementptr %[[FULL]][8]
// CHECK-NEXT: ptx.mbarrier.arrive %[[EMPTY]],
// CHECK-NEXT: scf.yield {{.*}}, %[[NEXT_FULL]], %[[NEXT_PARITY]], %[[NEXT_W]] :
llvm.func @slot_parity_and_descriptor(%shared: !llvm.ptr<3>, %a: i64, %c: f32, %turns: i32, %lane: i1) {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %c2 = arith.constant 2 : i32
  %0:4 = scf.for unsigned %i = %c0 to %turns step %c1 iter_args(%s0 = %c, %s1 = %c, %s2 = %c, %s3 = %c) -> (f32, f32, f32, f32) : i32 {
    %slot = arith.remui %i, %c2 : i32
    %round = arith.divui %i, %c2 : i32
    %parity = arith.andi %round, %c1 : i32
    %full = llvm.getelementptr %shared[%slot] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i64
    ptx.mbarrier.wait %full, %parity
    %w = arith.extui %slot : i32 to i64
    %d:4 = ptx.wgmma %a, %w, (%s0, %s1, %s2, %s3) {element = bf16, lhs_offsets = array<i64: 0>, rhs_offsets = array<i64: 0>} : i64
    %e:4 = ptx.wgmma.wait %d#0, %d#1, %d#2, %d#3 {pending = 0 : i64}
    %empty = llvm.getelementptr %full[8] : (!llvm.ptr<3>) -> !llvm.ptr<3>, i8
    ptx.mbarrier.arrive %empty, %lane
    scf.yield %e#0, %e#1, %e#2, %e#3 : f32, f32, f32, f32
  }
  llvm.return
}

// -----

// What is computed ahead of the products takes longer.
// CHECK-LABEL: @negative_floats_ahead_of_products
// CHECK: -> (f32, f32, f32, f32) {{.*}}: i32 {
// CHECK-NEXT: arith.extui
llvm.func @negative_floats_ahead_of_products(%a: i64, %c: f32, %turns: i32) {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %0:4 = scf.for %i = %c0 to %turns step %c1 iter_args(%s0 = %c, %s1 = %c, %s2 = %c, %s3 = %c) -> (f32, f32, f32, f32) : i32 {
    %w = arith.extui %i : i32 to i64
    %t = math.exp2 %s0 : f32
    %d:4 = ptx.wgmma %a, %w, (%t, %s1, %s2, %s3) {element = bf16, lhs_offsets = array<i64: 0>, rhs_offsets = array<i64: 0>} : i64
    %e:4 = ptx.wgmma.wait %d#0, %d#1, %d#2, %d#3 {pending = 0 : i64}
    scf.yield %e#0, %e#1, %e#2, %e#3 : f32, f32, f32, f32
  }
  llvm.return
}

// -----

// Products of the turn before still run while places are found out.
// CHECK-LABEL: @negative_products_stay_under_way
// CHECK: -> (f32, f32, f32, f32) {{.*}}: i32 {
// CHECK-NEXT: arith.extui
llvm.func @negative_products_stay_under_way(%a: i64, %c: f32, %turns: i32) {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %0:4 = scf.for %i = %c0 to %turns step %c1 iter_args(%s0 = %c, %s1 = %c, %s2 = %c, %s3 = %c) -> (f32, f32, f32, f32) : i32 {
    %w = arith.extui %i : i32 to i64
    %d:4 = ptx.wgmma %a, %w, (%s0, %s1, %s2, %s3) {element = bf16, lhs_offsets = array<i64: 0>, rhs_offsets = array<i64: 0>} : i64
    %e:4 = ptx.wgmma.wait %d#0, %d#1, %d#2, %d#3 {pending = 1 : i64}
    scf.yield %e#0, %e#1, %e#2, %e#3 : f32, f32, f32, f32
  }
  llvm.return
}

// -----

// What memory says does not follow from the counter alone, its place does.
// REMARK: numbers and addresses that are found out a turn ahead: 1
// CHECK-LABEL: @from_memory
// CHECK: iter_args({{.*}}, %[[PLACE:[^ ]*]] = %{{[^ ]*}}) ->
// CHECK-NEXT: %[[NUMBER:.*]] = llvm.load %[[PLACE]]
// CHECK-NEXT: arith.divui %[[NUMBER]],
llvm.func @from_memory(%shared: !llvm.ptr<3>, %a: i64, %c: f32, %turns: i32, %by: i64) {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %0:4 = scf.for %i = %c0 to %turns step %c1 iter_args(%s0 = %c, %s1 = %c, %s2 = %c, %s3 = %c) -> (f32, f32, f32, f32) : i32 {
    %place = llvm.getelementptr %shared[%i] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i64
    %number = llvm.load %place : !llvm.ptr<3> -> i64
    %w = arith.divui %number, %by : i64
    %d:4 = ptx.wgmma %a, %w, (%s0, %s1, %s2, %s3) {element = bf16, lhs_offsets = array<i64: 0>, rhs_offsets = array<i64: 0>} : i64
    %e:4 = ptx.wgmma.wait %d#0, %d#1, %d#2, %d#3 {pending = 0 : i64}
    scf.yield %e#0, %e#1, %e#2, %e#3 : f32, f32, f32, f32
  }
  llvm.return
}
