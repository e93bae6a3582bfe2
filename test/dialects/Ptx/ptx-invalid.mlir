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
  // expected-error @below {{'ptx.wgmma' op (C1) has 2 accumulators and 2 results, expected n / 2 of each, n a multiple of 8 up to 256, of integers 8, 24 or a multiple of 16}}
  %d:2 = ptx.wgmma %a, %a, (%c, %c) {element = f16, lhs_offsets = array<i64: 0>, rhs_offsets = array<i64: 0>} : i64
  llvm.return
}

// -----

// A descriptor has an offset for each step.
llvm.func @f(%a: i64, %c: f32) {
  // expected-error @below {{'ptx.wgmma' op (C2) has 1 values of A and 1 offsets for 2 steps}}
  %d:4 = ptx.wgmma %a, %a, (%c, %c, %c, %c) {element = f16, lhs_offsets = array<i64: 0>, rhs_offsets = array<i64: 0, 2>} : i64
  llvm.return
}

// -----

// In registers, A has four words a step.
llvm.func @f(%a: i32, %w: i64, %c: f32) {
  // expected-error @below {{'ptx.wgmma' op (C2) has 2 values of A and 0 offsets for 1 steps}}
  %d:4 = ptx.wgmma %a, %a, %w, (%c, %c, %c, %c) {element = f16, lhs_offsets = array<i64>, rhs_offsets = array<i64: 0>} : i32
  llvm.return
}

// -----

// Integers have fewer widths.
llvm.func @f(%a: i64, %c: i32) {
  // expected-error @below {{'ptx.wgmma' op (C1) has 20 accumulators and 20 results, expected n / 2 of each}}
  %d:20 = ptx.wgmma %a, %a, (%c, %c, %c, %c, %c, %c, %c, %c, %c, %c, %c, %c, %c, %c, %c, %c, %c, %c, %c, %c) {element = i8, lhs_offsets = array<i64: 0>, rhs_offsets = array<i64: 0>} : i64
  llvm.return
}

// -----

llvm.func @f(%a: i64, %c: f32) {
  // expected-error @below {{'ptx.wgmma' op (C3) multiplies 'f16' with 'bf16', expected f16, bf16, tf32, f8E4M3FN, f8E5M2, i8 or ui8, two types only of 8 bits}}
  %d:4 = ptx.wgmma %a, %a, (%c, %c, %c, %c) {element = f16, rhs_element = bf16, lhs_offsets = array<i64: 0>, rhs_offsets = array<i64: 0>} : i64
  llvm.return
}

// -----

llvm.func @f(%a: i64, %c: f32) {
  // expected-error @below {{'ptx.wgmma' op (C4) adds 'ui8' to 'f32', expected i32 for integers, else f32, everywhere}}
  %d:4 = "ptx.wgmma"(%a, %a, %c, %c, %c, %c) {element = ui8, lhs_offsets = array<i64: 0>, rhs_offsets = array<i64: 0>, operandSegmentSizes = array<i32: 1, 1, 4>} : (i64, i64, f32, f32, f32, f32) -> (f32, f32, f32, f32)
  llvm.return
}

// -----

llvm.func @f(%a: i64, %c: f32) {
  // expected-error @below {{'ptx.wgmma' op (C5) transposes 'f8E5M2', expected elements of 16 bits}}
  %d:4 = ptx.wgmma %a, %a, (%c, %c, %c, %c) {element = f8E5M2, lhs_offsets = array<i64: 0>, rhs_offsets = array<i64: 0>, transpose_rhs} : i64
  llvm.return
}

// -----

llvm.func @f(%a: i64, %c: i32) {
  // expected-error @below {{'ptx.wgmma' op (C5) negates 'i8', expected floats}}
  %d:4 = ptx.wgmma %a, %a, (%c, %c, %c, %c) {element = i8, lhs_offsets = array<i64: 0>, rhs_offsets = array<i64: 0>, negate_lhs} : i64
  llvm.return
}

// -----

llvm.func @f(%c: f32, %s: i32) {
  // expected-error @below {{'ptx.wgmma.wait' op (C1) waits for values of more than one type}}
  %d:2 = "ptx.wgmma.wait"(%c, %s) {pending = 0 : i64} : (f32, i32) -> (f32, i32)
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

// -----

llvm.func @f(%a: i32, %c: f32) {
  // expected-error @below {{'ptx.mma.f8' op (C1) multiplies 'f8E4M3FN' with 'i8', expected f8E4M3FN or f8E5M2}}
  %d:4 = ptx.mma.f8 %a, %a, %a, %a, %a, %a, %c, %c, %c, %c {lhs_element = f8E4M3FN, rhs_element = i8}
  llvm.return
}

// -----

llvm.func @f(%x: f32) {
  // expected-error @below {{'ptx.cvt.f8x2' op (C1) converts to 'bf16', expected f8E4M3FN or f8E5M2}}
  %r = ptx.cvt.f8x2 %x, %x {element = bf16}
  llvm.return
}

// -----

llvm.func @f(%x: i16) {
  // expected-error @below {{'ptx.cvt.f16x2' op (C1) widens 'i8', expected f8E4M3FN or f8E5M2}}
  %r = ptx.cvt.f16x2 %x {element = i8}
  llvm.return
}

// -----

llvm.func @f(%p: i1) {
  // expected-error @below {{'ptx.barrier.or' op (C1) is barrier 1 of 40 threads, expected one of 0 to 15 and a multiple of 32 up to 1024}}
  %r = ptx.barrier.or %p {id = 1 : i32, threads = 40 : i32}
  llvm.return
}

// -----

llvm.func @f(%b: !llvm.ptr<3>, %p: i1) {
  %rank = llvm.mlir.constant(8 : i32) : i32
  // expected-error @below {{'ptx.mbarrier.arrive.cluster' op (C1) arrives in CTA 8 of a cluster, expected 0 to 7}}
  ptx.mbarrier.arrive.cluster %b, %rank, %p
  llvm.return
}

// -----

llvm.func @f(%x: vector<2xi32>, %p: !llvm.ptr<3>, %rank: i32) {
  // expected-error @below {{'ptx.st.async' op (C1) stores 'vector<2xi32>', expected vector<4xi32>}}
  ptx.st.async %x, %p, %p, %rank : vector<2xi32>
  llvm.return
}

// -----

llvm.func @f(%x: vector<4xi32>, %p: !llvm.ptr<3>) {
  %rank = llvm.mlir.constant(9 : i32) : i32
  // expected-error @below {{'ptx.st.async' op (C2) stores to CTA 9 of a cluster, expected 0 to 7}}
  ptx.st.async %x, %p, %p, %rank : vector<4xi32>
  llvm.return
}
