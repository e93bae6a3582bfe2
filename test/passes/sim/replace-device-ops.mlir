// Pattern: a kernel of the thread level. In: ops that only a GPU has. Out: calls into the simulator, each with its site.
// RUN: tenon-opt %s --tenon-sim-replace-device-ops --split-input-file | FileCheck %s

// Sites count from 1 in the order of the ops; shared arrays of the module lie ahead of the dynamic memory.
// CHECK: module attributes {tenon.sim_sites = {{\[\[}}"", ""], ["llvm.mlir.addressof", "{{.*}}.mlir:[[#]]:
// CHECK-SAME: tenon.sim_static_shared = 128 : i64
// CHECK-NOT: llvm.mlir.global
// CHECK-LABEL: llvm.func @accesses(%arg0: !llvm.ptr<1>)
module {
  llvm.mlir.global external @shared() {addr_space = 3 : i32, alignment = 128 : i64} : !llvm.array<0 x i8>
  llvm.mlir.global internal @own() {addr_space = 3 : i32, alignment = 16 : i64} : !llvm.array<4 x f32>
  llvm.func @accesses(%x: !llvm.ptr<1> {llvm.noalias, llvm.readonly})
      attributes {nvvm.kernel, nvvm.reqntid = array<i32: 32>} {
    // CHECK: %[[OWN:.*]] = llvm.call @tenon_sim_shared(%{{.*}}, %{{.*}}) : (i32, i32) -> !llvm.ptr
    // CHECK: llvm.addrspacecast %[[OWN]] : !llvm.ptr to !llvm.ptr<3>
    %own = llvm.mlir.addressof @own : !llvm.ptr<3>
    // CHECK: %[[DYNAMIC:.*]] = llvm.mlir.constant(128 : i32)
    // CHECK: llvm.call @tenon_sim_shared(%[[DYNAMIC]],
    %shared = llvm.mlir.addressof @shared : !llvm.ptr<3>
    // Flags: 2 reads, 1 writes, 4 atomic, 8 spins; the address space from bit 8 on.
    // CHECK: %[[BYTES:.*]] = llvm.mlir.constant(16 : i32)
    // CHECK: %[[ALIGNMENT:.*]] = llvm.mlir.constant(8 : i32)
    // CHECK: %[[FLAGS:.*]] = llvm.mlir.constant(258 : i32)
    // CHECK: llvm.call @tenon_sim_access(%{{.*}}, %[[BYTES]], %[[ALIGNMENT]], %[[FLAGS]],
    // CHECK-NEXT: llvm.load %{{.*}} {alignment = 8 : i64} : !llvm.ptr<1> -> vector<4xf32>
    %v = llvm.load %x invariant {alignment = 8 : i64} : !llvm.ptr<1> -> vector<4xf32>
    // CHECK: %[[FLAGS:.*]] = llvm.mlir.constant(769 : i32)
    // CHECK: llvm.call @tenon_sim_access(%{{.*}}, %{{.*}}, %{{.*}}, %[[FLAGS]],
    // CHECK-NEXT: llvm.store
    llvm.store %v, %shared : vector<4xf32>, !llvm.ptr<3>
    %f = llvm.mlir.constant(1.0 : f32) : f32
    // CHECK: %[[FLAGS:.*]] = llvm.mlir.constant(263 : i32)
    // CHECK: llvm.call @tenon_sim_access(%{{.*}}, %{{.*}}, %{{.*}}, %[[FLAGS]],
    // CHECK: llvm.call @tenon_sim_update
    %old = llvm.atomicrmw fadd %x, %f monotonic : !llvm.ptr<1>, f32
    // CHECK: llvm.call @tenon_sim_access
    // CHECK-NEXT: llvm.atomicrmw fmax
    %less = llvm.atomicrmw fmax %x, %f monotonic : !llvm.ptr<1>, f32
    nvvm.memory.barrier #nvvm.mem_scope<gpu>
    llvm.return
  }
  // CHECK-LABEL: llvm.func @tenon_sim_launch_accesses(%arg0: !llvm.ptr)
  // CHECK: llvm.call @accesses
}

// -----

// CHECK-LABEL: llvm.func @warps(
llvm.func @warps(%p: !llvm.ptr<3>, %x: f32, %mask: i32, %h: vector<2xf16>, %i: i32)
    attributes {nvvm.kernel, nvvm.reqntid = array<i32: 32>} {
  // CHECK: %[[BITS:.*]] = llvm.bitcast %arg1 : f32 to i32
  // CHECK: %[[BOTH:.*]] = llvm.call @tenon_sim_shuffle(%{{.*}}, %arg2, %[[BITS]], %arg4, %arg4, %{{.*}}) : (i32, i32, i32, i32, i32, i32) -> i64
  // CHECK: %[[WORD:.*]] = llvm.trunc %[[BOTH]] : i64 to i32
  // CHECK: llvm.bitcast %[[WORD]] : i32 to f32
  %s = nvvm.shfl.sync bfly %mask, %x, %i, %i : f32 -> f32
  // CHECK: llvm.call @tenon_sim_elect(%{{.*}}, %{{.*}}) : (i32, i32) -> i32
  // CHECK: %[[LEADS:.*]] = llvm.icmp "ne"
  %leads = nvvm.elect.sync -> i1
  // CHECK: llvm.zext %[[LEADS]] : i1 to i32
  // CHECK: llvm.call @tenon_sim_vote
  %any = nvvm.vote.sync any %mask, %leads -> i1
  // CHECK: llvm.call @tenon_sim_reduce
  %sum = nvvm.redux.sync add %i, %mask : i32 -> i32
  // CHECK: llvm.call @tenon_sim_ldmatrix
  // CHECK-NEXT: llvm.load %{{.*}} {alignment = 4 : i64} : !llvm.ptr -> !llvm.struct<(i32, i32)>
  %m = nvvm.ldmatrix %p {num = 2 : i32, layout = #nvvm.mma_layout<col>, shape = #nvvm.ld_st_matrix_shape<m = 8, n = 8>,
      eltType = #nvvm.ld_st_matrix_elt_type<b16>} : (!llvm.ptr<3>) -> !llvm.struct<(i32, i32)>
  // CHECK: llvm.call @tenon_sim_mma
  // CHECK-NEXT: llvm.getelementptr
  // CHECK-NEXT: llvm.load %{{.*}} -> !llvm.struct<(f32, f32, f32, f32)>
  %d = nvvm.mma.sync A[%h, %h, %h, %h] B[%h, %h] C[%x, %x, %x, %x]
      {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, shape = #nvvm.shape<m = 16, n = 8, k = 16>}
      : (vector<2xf16>, vector<2xf16>, f32) -> !llvm.struct<(f32, f32, f32, f32)>
  llvm.return
}

// -----

// CHECK-LABEL: llvm.func @rounded_once(
llvm.func @rounded_once(%x: bf16, %v: vector<2xbf16>, %f: f32) attributes {nvvm.kernel} {
  // CHECK: %[[WIDE:.*]] = llvm.fpext %arg0 : bf16 to f32
  // CHECK: %[[BITS:.*]] = llvm.call @tenon_sim_fma_bf16(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}) : (f32, f32, f32, i32) -> i32
  // CHECK: llvm.trunc %[[BITS]] : i32 to i16
  %0 = math.fma %x, %x, %x : bf16
  // CHECK-COUNT-2: llvm.call @tenon_sim_fma_bf16
  %1 = llvm.intr.fma(%v, %v, %v) : (vector<2xbf16>, vector<2xbf16>, vector<2xbf16>) -> vector<2xbf16>
  // CHECK: llvm.intr.fma(%arg2, %arg2, %arg2)
  %2 = llvm.intr.fmuladd(%f, %f, %f) : (f32, f32, f32) -> f32
  // CHECK: math.fma %{{.*}} : f16
  %3 = arith.truncf %f : f32 to f16
  %4 = math.fma %3, %3, %3 : f16
  llvm.return
}
