// Each instruction of the ptx dialect is inline assembly with its registers; what depends on the order of accesses has
// side effects, what reads constant memory or only computes has none.
// RUN: tenon-opt --tenon-lower-ptx %s | FileCheck %s

module @kernels {
  // CHECK-LABEL: llvm.func @loads
  // CHECK-SAME: %[[P:.*]]: !llvm.ptr<1>, %[[C:.*]]: i1
  // CHECK: %[[V:.*]] = llvm.inline_asm asm_dialect = att "mov.b32 $0, 0;\0Amov.b32 $1, 0;\0Amov.b32 $2, 0;\0Amov.b32 $3, 0;\0A@$5 ld.global.nc.v4.b32 {$0, $1, $2, $3}, [$4];", "=&r,=&r,=&r,=&r,l,b" %[[P]], %[[C]]
  // CHECK-COUNT-4: llvm.insertelement
  // CHECK: llvm.inline_asm has_side_effects asm_dialect = att "mov.b64 $0, 0;\0A@$2 ld.global.b64 $0, [$1];", "=&l,l,b,~{memory}"
  // CHECK: %[[BYTE:.*]] = llvm.inline_asm {{.*}}"mov.b16 $0, 0;\0A@$2 ld.global.nc.b8 $0, [$1];", "=&h,l,b"
  // CHECK: llvm.trunc %[[BYTE]] : i16 to i8
  llvm.func @loads(%p: !llvm.ptr<1>, %c: i1, %q: !llvm.ptr) {
    %0 = ptx.ld.global %p, %c {nc} : vector<4xi32>
    %1 = ptx.ld.global %p, %c : i64
    %2 = ptx.ld.global %p, %c {nc} : i8
    llvm.store %0, %q : vector<4xi32>, !llvm.ptr
    llvm.store %1, %q : i64, !llvm.ptr
    llvm.store %2, %q : i8, !llvm.ptr
    llvm.return
  }

  // CHECK-LABEL: llvm.func @stores
  // CHECK-COUNT-2: llvm.extractelement
  // CHECK: llvm.inline_asm has_side_effects asm_dialect = att "@$3 st.global.v2.b32 [$2], {$0, $1};", "r,r,l,b,~{memory}"
  // CHECK: llvm.zext %{{.*}} : i8 to i16
  // CHECK: "@$2 st.global.b8 [$1], $0;", "h,l,b,~{memory}"
  llvm.func @stores(%p: !llvm.ptr<1>, %c: i1, %x: vector<2xi32>, %y: i8) {
    ptx.st.global %x, %p, %c : vector<2xi32>
    ptx.st.global %y, %p, %c : i8
    llvm.return
  }

  // Both places are those of the other CTA's shared memory.
  // CHECK-LABEL: llvm.func @store_to_a_peer
  // CHECK-COUNT-4: llvm.extractelement
  // CHECK: llvm.inline_asm has_side_effects asm_dialect = att "{\0A.reg .b32 place, counted;\0Amapa.shared::cluster.u32 place, $4, $6;\0Amapa.shared::cluster.u32 counted, $5, $6;\0Ast.async.weak.shared::cluster.mbarrier::complete_tx::bytes.v4.b32 [place], {$0, $1, $2, $3}, [counted];\0A}", "r,r,r,r,r,r,r,~{memory}"
  llvm.func @store_to_a_peer(%x: vector<4xi32>, %p: !llvm.ptr<3>, %barrier: !llvm.ptr<3>, %rank: i32) {
    ptx.st.async %x, %p, %barrier, %rank : vector<4xi32>
    llvm.return
  }

  // Accumulators are changed in place; descriptors move on from step to step.
  // CHECK-LABEL: llvm.func @wgmma_descriptors
  // CHECK-SAME: %[[A:.*]]: i64, %[[W:.*]]: i64,
  // CHECK: %[[A1:.*]] = llvm.add %[[A]], %{{.*}} : i64
  // CHECK: %[[W1:.*]] = llvm.add %[[W]], %{{.*}} : i64
  // CHECK: llvm.inline_asm has_side_effects {{.*}}wgmma.fence.sync.aligned;\0Awgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 {$0, $1, $2, $3}, $4, $5, p, 1, 1, 0, 1;\0Awgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 {$0, $1, $2, $3}, $6, $7, p, 1, 1, 0, 1;\0Awgmma.commit_group.sync.aligned;\0A}", "=f,=f,=f,=f,l,l,l,l,0,1,2,3,~{memory}" %[[A]], %[[W]], %[[A1]], %[[W1]]
  // CHECK: llvm.inline_asm has_side_effects {{.*}}"wgmma.wait_group.sync.aligned 0;", "=f,=f,=f,=f,0,1,2,3,~{memory}"
  llvm.func @wgmma_descriptors(%a: i64, %w: i64, %c0: f32, %c1: f32, %c2: f32, %c3: f32) -> f32 {
    %d:4 = ptx.wgmma %a, %w, (%c0, %c1, %c2, %c3) {element = bf16, lhs_offsets = array<i64: 0, 2>, rhs_offsets = array<i64: 0, 4>, transpose_rhs} : i64
    %e:4 = ptx.wgmma.wait %d#0, %d#1, %d#2, %d#3 {pending = 0 : i64}
    llvm.return %e#3 : f32
  }

  // CHECK-LABEL: llvm.func @wgmma_registers
  // CHECK: m64n8k16.f32.f16.f16 {$0, $1, $2, $3}, {$4, $5, $6, $7}, $8, p, 1, 1, 0;\0A{{.*}}"=f,=f,=f,=f,r,r,r,r,l,0,1,2,3,~{memory}"
  llvm.func @wgmma_registers(%a: i32, %w: i64, %c0: f32, %c1: f32, %c2: f32, %c3: f32) -> f32 {
    %d:4 = ptx.wgmma %a, %a, %a, %a, %w, (%c0, %c1, %c2, %c3) {element = f16, lhs_offsets = array<i64>, rhs_offsets = array<i64: 0>} : i32
    llvm.return %d#0 : f32
  }

  // Sums of integers are in other registers, and start at zero without any.
  // CHECK-LABEL: llvm.func @wgmma_of_8_bits
  // CHECK: m64n8k32.f32.e4m3.e5m2 {$0, $1, $2, $3}, $4, $5, p, 1, -1;\0A{{.*}}"=f,=f,=f,=f,l,l,0,1,2,3,~{memory}"
  // CHECK: m64n8k32.s32.s8.u8 {$0, $1, $2, $3}, $4, $5, q;\0Awgmma.mma_async.sync.aligned.m64n8k32.s32.s8.u8 {$0, $1, $2, $3}, $6, $7, p;\0A{{.*}}"=r,=r,=r,=r,l,l,l,l,0,1,2,3,~{memory}"
  // CHECK: "wgmma.wait_group.sync.aligned 0;", "=r,=r,=r,=r,0,1,2,3,~{memory}"
  llvm.func @wgmma_of_8_bits(%a: i64, %w: i64, %c: f32) -> i32 {
    %zero = llvm.mlir.constant(0 : i32) : i32
    %d:4 = ptx.wgmma %a, %w, (%c, %c, %c, %c) {element = f8E4M3FN, rhs_element = f8E5M2, lhs_offsets = array<i64: 0>, rhs_offsets = array<i64: 0>, negate_rhs} : i64
    %e:4 = ptx.wgmma %a, %w, (%zero, %zero, %zero, %zero) {element = i8, rhs_element = ui8, lhs_offsets = array<i64: 0, 2>, rhs_offsets = array<i64: 0, 2>} : i64
    %f:4 = ptx.wgmma.wait %e#0, %e#1, %e#2, %e#3 {pending = 0 : i64} : i32
    llvm.return %f#0 : i32
  }

  // CHECK-LABEL: llvm.func @mma_of_8_bit_floats
  // CHECK: llvm.inline_asm asm_dialect = att "mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e5m2.f32 {$0, $1, $2, $3}, {$4, $5, $6, $7}, {$8, $9}, {$10, $11, $12, $13};", "=f,=f,=f,=f,r,r,r,r,r,r,f,f,f,f"
  llvm.func @mma_of_8_bit_floats(%a: i32, %w: i32, %c: f32) -> f32 {
    %d:4 = ptx.mma.f8 %a, %a, %a, %a, %w, %w, %c, %c, %c, %c {lhs_element = f8E4M3FN, rhs_element = f8E5M2}
    llvm.return %d#0 : f32
  }

  // CHECK-LABEL: llvm.func @wgmma_of_tf32
  // CHECK: m64n8k8.f32.tf32.tf32 {$0, $1, $2, $3}, {$4, $5, $6, $7}, $8, p, 1, 1;
  llvm.func @wgmma_of_tf32(%a: i32, %w: i64, %c: f32) -> f32 {
    %d:4 = ptx.wgmma %a, %a, %a, %a, %w, (%c, %c, %c, %c) {element = tf32, lhs_offsets = array<i64>, rhs_offsets = array<i64: 0>} : i32
    llvm.return %d#0 : f32
  }

  // CHECK-LABEL: llvm.func @functions
  // CHECK: llvm.inline_asm asm_dialect = att "ex2.approx.ftz.f32 $0, $1;", "=f,f"
  // CHECK: llvm.inline_asm asm_dialect = att "tanh.approx.f32 $0, $1;", "=f,f"
  // CHECK: llvm.inline_asm asm_dialect = att "rcp.approx.ftz.f32 $0, $1;", "=f,f"
  // CHECK-NOT: ptx.
  llvm.func @functions(%x: f32) -> f32 {
    %0 = ptx.ex2.approx.ftz %x
    %1 = ptx.tanh.approx %0
    %2 = ptx.rcp.approx.ftz %1
    llvm.return %2 : f32
  }

  // CHECK-LABEL: llvm.func @conversions(
  // CHECK-SAME: %[[X:.*]]: f32, %[[Y:.*]]: f32)
  // CHECK: llvm.inline_asm asm_dialect = att "cvt.rn.satfinite.e4m3x2.f32 $0, $1, $2;", "=h,f,f" %[[X]], %[[Y]]
  // CHECK: llvm.inline_asm asm_dialect = att "cvt.rn.satfinite.e5m2x2.f32 $0, $1, $2;", "=h,f,f" %[[Y]], %[[X]]
  llvm.func @conversions(%x: f32, %y: f32) -> i16 {
    %0 = ptx.cvt.f8x2 %x, %y {element = f8E4M3FN}
    %1 = ptx.cvt.f8x2 %y, %x {element = f8E5M2}
    %2 = arith.xori %0, %1 : i16
    llvm.return %2 : i16
  }

  // CHECK-LABEL: llvm.func @widened(
  // CHECK-SAME: %[[X:.*]]: i16)
  // CHECK: llvm.inline_asm asm_dialect = att "cvt.rn.f16x2.e4m3x2 $0, $1;", "=r,h" %[[X]]
  // CHECK: llvm.inline_asm asm_dialect = att "cvt.rn.f16x2.e5m2x2 $0, $1;", "=r,h" %[[X]]
  llvm.func @widened(%x: i16) -> i32 {
    %0 = ptx.cvt.f16x2 %x {element = f8E4M3FN}
    %1 = ptx.cvt.f16x2 %x {element = f8E5M2}
    %2 = arith.xori %0, %1 : i32
    llvm.return %2 : i32
  }

  // Pairs by one instruction, the upper half first.
  // CHECK-LABEL: llvm.func @pairs(
  // CHECK-SAME: %[[X:.*]]: vector<2xf32>)
  // CHECK: %[[HIGH:.*]] = llvm.extractelement %[[X]][%{{.*}} : i32]
  // CHECK: %[[LOW:.*]] = llvm.extractelement %[[X]][%{{.*}} : i32]
  // CHECK: llvm.call_intrinsic "llvm.nvvm.ff2bf16x2.rn"(%[[HIGH]], %[[LOW]])
  // CHECK: llvm.call_intrinsic "llvm.nvvm.ff2f16x2.rn"
  llvm.func @pairs(%x: vector<2xf32>) -> vector<2xf16> {
    %0 = arith.truncf %x : vector<2xf32> to vector<2xbf16>
    %1 = arith.truncf %x : vector<2xf32> to vector<2xf16>
    llvm.return %1 : vector<2xf16>
  }

  // CHECK-LABEL: llvm.func @negative_others
  // CHECK: llvm.load
  llvm.func @negative_others(%p: !llvm.ptr<1>) -> f32 {
    %0 = llvm.load %p : !llvm.ptr<1> -> f32
    llvm.return %0 : f32
  }
}
