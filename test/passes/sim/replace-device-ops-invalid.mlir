// RUN: tenon-opt %s --tenon-sim-replace-device-ops --split-input-file --verify-diagnostics

llvm.func @assembly() attributes {nvvm.kernel} {
  // expected-error @below {{'llvm.inline_asm' op has no simulation; docs/guides/simulator.md lists the ops that have one}}
  llvm.inline_asm has_side_effects "trap;", "" : () -> ()
  llvm.return
}

// -----

llvm.func @unknown(%barrier: !llvm.ptr<3>) attributes {nvvm.kernel} {
  // expected-error @below {{'nvvm.mbarrier.inval' op has no simulation}}
  nvvm.mbarrier.inval %barrier : !llvm.ptr<3>
  llvm.return
}

// -----

llvm.func @slot_of_the_multiprocessor() -> i32 attributes {nvvm.kernel} {
  // expected-error @below {{'nvvm.read.ptx.sreg.warpid' op has no simulation}}
  %0 = nvvm.read.ptx.sreg.warpid : i32
  llvm.return %0 : i32
}

// -----

llvm.func @memref(%i: i64) attributes {nvvm.kernel} {
  // expected-error @below {{'memref.alloc' op has no simulation}}
  %0 = memref.alloc() : memref<4xf32>
  llvm.return
}

// -----

llvm.func @vprintf(!llvm.ptr, !llvm.ptr) -> i32
llvm.func @call(%p: !llvm.ptr) attributes {nvvm.kernel} {
  // expected-error @below {{calls @vprintf, which the simulator does not know}}
  %0 = llvm.call @vprintf(%p, %p) : (!llvm.ptr, !llvm.ptr) -> i32
  llvm.return
}

// -----

llvm.func @local(%p: !llvm.ptr<5>) attributes {nvvm.kernel} {
  // expected-error @below {{has no simulation in address space 5; expected 0, 1 (global), 3 (shared) or 7 (of the cluster)}}
  %0 = llvm.load %p : !llvm.ptr<5> -> f32
  llvm.return
}

// -----

llvm.mlir.global internal constant @table(dense<1.0> : tensor<4xf32>) : !llvm.array<4 x f32>
llvm.func @globals() attributes {nvvm.kernel} {
  // expected-error @below {{names @table, which has no simulation: no shared array of this module}}
  %0 = llvm.mlir.addressof @table : !llvm.ptr
  llvm.return
}

// -----

llvm.func @mma(%a: i32, %c: i32) attributes {nvvm.kernel} {
  // expected-error @below {{has no simulation of this form; expected m16n8, row by column, of f16, bf16, tf32, s8 or u8}}
  %d = nvvm.mma.sync A[%a] B[%a] C[%c, %c]
      {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, shape = #nvvm.shape<m = 8, n = 8, k = 16>,
       multiplicandAPtxType = #nvvm.mma_type<s8>, multiplicandBPtxType = #nvvm.mma_type<s8>,
       intOverflowBehavior = #nvvm.mma_int_overflow<wrapped>}
      : (i32, i32, i32) -> !llvm.struct<(i32, i32)>
  llvm.return
}

// -----

llvm.func @matrix(%p: !llvm.ptr<3>) attributes {nvvm.kernel} {
  // expected-error @below {{has no simulation of this form; expected 8 x 8 matrices of b16}}
  %m = nvvm.ldmatrix %p {num = 1 : i32, layout = #nvvm.mma_layout<col>, shape = #nvvm.ld_st_matrix_shape<m = 16, n = 16>,
      eltType = #nvvm.ld_st_matrix_elt_type<b8>} : (!llvm.ptr<3>) -> !llvm.struct<(i32, i32)>
  llvm.return
}

// -----

llvm.func @functions_of_a_host(%x: f32) attributes {nvvm.kernel} {
  // expected-error @below {{'llvm.intr.exp' op has no simulation}}
  %0 = llvm.intr.exp(%x) : (f32) -> f32
  llvm.return
}

// -----

llvm.func @sine_and_cosine(%x: f32) attributes {nvvm.kernel} {
  // expected-error @below {{'math.sincos' op has no simulation}}
  %0, %1 = math.sincos %x : f32
  llvm.return
}

// -----

llvm.func @copy_of_a_cta(%to: !llvm.ptr<3>, %map: !llvm.ptr, %barrier: !llvm.ptr<3>, %i: i32) attributes {nvvm.kernel} {
  // expected-error @below {{has no simulation of this form; expected a tile, without group, to a CTA of the cluster}}
  nvvm.cp.async.bulk.tensor.shared.cluster.global %to, %map, %barrier, box[%i] {isCTAOnly = true} : !llvm.ptr<3>, !llvm.ptr
  llvm.return
}

// -----

llvm.func @update(%x: !llvm.ptr<1>, %value: vector<4xf16>) attributes {nvvm.kernel} {
  // expected-error @below {{has no simulation with elements of 'f16'; expected fadd, fsub, fmax or fmin, of one or two of them}}
  %0 = llvm.atomicrmw fadd %x, %value monotonic : !llvm.ptr<1>, vector<4xf16>
  llvm.return
}
