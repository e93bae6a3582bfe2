// Every op as it is printed, and each width of a word.
// RUN: tenon-opt %s | tenon-opt | FileCheck %s

// CHECK-LABEL: @words
llvm.func @words(%p: !llvm.ptr<1>, %c: i1) {
  // CHECK: %[[A:.*]] = ptx.ld.global %{{.*}}, %{{.*}} {nc} : i8
  %a = ptx.ld.global %p, %c {nc} : i8
  // CHECK: ptx.ld.global %{{.*}}, %{{.*}} : i16
  %b = ptx.ld.global %p, %c : i16
  %d = ptx.ld.global %p, %c : i32
  %e = ptx.ld.global %p, %c : i64
  %f = ptx.ld.global %p, %c : vector<2xi32>
  // CHECK: %[[G:.*]] = ptx.ld.global %{{.*}}, %{{.*}} : vector<4xi32>
  %g = ptx.ld.global %p, %c : vector<4xi32>
  // CHECK: ptx.st.global %[[A]], %{{.*}}, %{{.*}} : i8
  ptx.st.global %a, %p, %c : i8
  // CHECK: ptx.st.global %[[G]], %{{.*}}, %{{.*}} : vector<4xi32>
  ptx.st.global %g, %p, %c : vector<4xi32>
  llvm.return
}

// CHECK-LABEL: @functions
llvm.func @functions(%x: f32) -> f32 {
  // CHECK: %[[Y:.*]] = ptx.ex2.approx.ftz %{{.*}}
  %y = ptx.ex2.approx.ftz %x
  // CHECK: %[[R:.*]] = ptx.rcp.approx.ftz %[[Y]]
  %r = ptx.rcp.approx.ftz %y
  // CHECK: ptx.tanh.approx %[[R]]
  %z = ptx.tanh.approx %r
  llvm.return %z : f32
}

// CHECK-LABEL: @dots
llvm.func @dots(%a: i64, %w: i64, %r: i32, %c: f32) {
  // CHECK: %[[D:.*]]:4 = ptx.wgmma %{{.*}}, %{{.*}}, (%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}) {element = bf16, lhs_offsets = array<i64: 0, 2>, rhs_offsets = array<i64: 0, 2>} : i64
  %d:4 = ptx.wgmma %a, %w, (%c, %c, %c, %c) {element = bf16, lhs_offsets = array<i64: 0, 2>, rhs_offsets = array<i64: 0, 2>} : i64
  // CHECK: %[[E:.*]]:4 = ptx.wgmma %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, (%[[D]]#0, %[[D]]#1, %[[D]]#2, %[[D]]#3) {element = f16, lhs_offsets = array<i64>, rhs_offsets = array<i64: 0>, transpose_rhs} : i32
  %e:4 = ptx.wgmma %r, %r, %r, %r, %w, (%d#0, %d#1, %d#2, %d#3) {element = f16, lhs_offsets = array<i64>, rhs_offsets = array<i64: 0>, transpose_rhs} : i32
  // CHECK: ptx.wgmma.wait %[[E]]#0, %[[E]]#1, %[[E]]#2, %[[E]]#3 {pending = 1 : i64}
  %f:4 = ptx.wgmma.wait %e#0, %e#1, %e#2, %e#3 {pending = 1 : i64}
  llvm.return
}

// CHECK-LABEL: @conversions
llvm.func @conversions(%x: f32, %y: f32) -> i16 {
  // CHECK: ptx.cvt.f8x2 %{{.*}}, %{{.*}} {element = f8E5M2}
  %r = ptx.cvt.f8x2 %x, %y {element = f8E5M2}
  // CHECK: ptx.cvt.f16x2 %{{.*}} {element = f8E4M3FN}
  %w = ptx.cvt.f16x2 %r {element = f8E4M3FN}
  llvm.return %r : i16
}

// CHECK-LABEL: @dots_of_a_warp
llvm.func @dots_of_a_warp(%a: i32, %w: i32, %c: f32) {
  // CHECK: ptx.mma.f8 %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} {lhs_element = f8E4M3FN, rhs_element = f8E5M2}
  %d:4 = ptx.mma.f8 %a, %a, %a, %a, %w, %w, %c, %c, %c, %c {lhs_element = f8E4M3FN, rhs_element = f8E5M2}
  llvm.return
}

// CHECK-LABEL: @dots_of_8_bits
llvm.func @dots_of_8_bits(%a: i64, %w: i64, %c: f32, %s: i32) {
  // CHECK: ptx.wgmma {{.*}} {element = f8E4M3FN, lhs_offsets = array<i64: 0>, negate_rhs, rhs_element = f8E5M2, rhs_offsets = array<i64: 0>} : i64
  %d:4 = ptx.wgmma %a, %w, (%c, %c, %c, %c) {element = f8E4M3FN, rhs_element = f8E5M2, lhs_offsets = array<i64: 0>, rhs_offsets = array<i64: 0>, negate_rhs} : i64
  // CHECK: %[[E:.*]]:4 = ptx.wgmma {{.*}} {element = i8, lhs_offsets = array<i64: 0>, rhs_offsets = array<i64: 0>} : i64
  %e:4 = ptx.wgmma %a, %w, (%s, %s, %s, %s) {element = i8, lhs_offsets = array<i64: 0>, rhs_offsets = array<i64: 0>} : i64
  // CHECK: ptx.wgmma.wait %[[E]]#0, %[[E]]#1, %[[E]]#2, %[[E]]#3 {pending = 0 : i64} : i32
  %f:4 = ptx.wgmma.wait %e#0, %e#1, %e#2, %e#3 {pending = 0 : i64} : i32
  llvm.return
}
