// RUN: tenon-opt %s -verify-diagnostics -split-input-file
// Every constraint of the dialect, broken once.

llvm.func @f(%p: !llvm.ptr<1>, %c: i1) {
  // expected-error @below {{'ptx.ld.global' op (C1) moves 'vector<3xi32>', expected i8, i16, i32, i64, or two or four i32}}
  %x = ptx.ld.global %p, %c : vector<3xi32>
  llvm.return
}

// -----

llvm.func @f(%p: !llvm.ptr<1>, %c: i1, %x: i24) {
  // expected-error @below {{'ptx.st.global' op (C1) moves 'i24', expected i8, i16, i32, i64, or two or four i32}}
  ptx.st.global %x, %p, %c : i24
  llvm.return
}

// -----

llvm.func @f(%p: !llvm.ptr<1>, %c: i1, %x: vector<2xi16>) {
  // expected-error @below {{'ptx.st.global' op (C1) moves 'vector<2xi16>'}}
  ptx.st.global %x, %p, %c : vector<2xi16>
  llvm.return
}

// -----

llvm.func @f(%x: f16) {
  // expected-error @below {{'ptx.ex2.approx.ftz' op operand #0 must be 32-bit float}}
  %y = "ptx.ex2.approx.ftz"(%x) : (f16) -> f32
  llvm.return
}

// -----

llvm.func @f(%x: f32) {
  // expected-error @below {{'ptx.tanh.approx' op result #0 must be 32-bit float}}
  %y = "ptx.tanh.approx"(%x) : (f32) -> f16
  llvm.return
}

// -----

llvm.func @f(%a: i64, %c: f32) {
  // expected-error @below {{'ptx.wgmma' op (C1) has 2 accumulators and 2 results, expected n / 2 of each, n a multiple of 8 up to 256}}
  %d:2 = ptx.wgmma %a, %a, (%c, %c) {lhs_offsets = array<i64: 0>, rhs_offsets = array<i64: 0>} : i64
  llvm.return
}

// -----

// A descriptor has an offset for each step.
llvm.func @f(%a: i64, %c: f32) {
  // expected-error @below {{'ptx.wgmma' op (C2) has 1 values of A and 1 offsets for 2 steps}}
  %d:4 = ptx.wgmma %a, %a, (%c, %c, %c, %c) {lhs_offsets = array<i64: 0>, rhs_offsets = array<i64: 0, 2>} : i64
  llvm.return
}

// -----

// In registers, A has four words a step.
llvm.func @f(%a: i32, %w: i64, %c: f32) {
  // expected-error @below {{'ptx.wgmma' op (C2) has 2 values of A and 0 offsets for 1 steps}}
  %d:4 = ptx.wgmma %a, %a, %w, (%c, %c, %c, %c) {lhs_offsets = array<i64>, rhs_offsets = array<i64: 0>} : i32
  llvm.return
}

// -----

llvm.func @f(%c: f32) {
  // expected-error @below {{'ptx.wgmma.wait' op (C1) has 2 results for 1 values}}
  %d:2 = "ptx.wgmma.wait"(%c) {pending = 0 : i64} : (f32) -> (f32, f32)
  llvm.return
}

// -----

llvm.func @f(%p: !llvm.ptr<3>) {
  %two = llvm.mlir.constant(2 : i32) : i32
  // expected-error @below {{'ptx.mbarrier.wait' op (C1) waits for parity 2, expected 0 or 1}}
  ptx.mbarrier.wait %p, %two
  llvm.return
}
