// c = a b^T with a of m x k and b of n x k, bf16, and c of m x n, f32. A CTA of 4 warps has a tile of 32 x 32, a warp one of
// 16 x 16; slabs of 32 along k go through a ring of three slots: cp.async two slabs ahead, one barrier a slab. A slot has
// 32 rows of a, then 32 of b, 64 bytes each; 16-byte chunk q of row r lies at q xor (r / 2 mod 4). k is a multiple of 8.
module @kernels {
  llvm.mlir.global external @shared() {addr_space = 3 : i32, alignment = 128 : i64} : !llvm.array<0 x i8>

  // Thread t copies chunk t mod 4 of row t / 4 of both operands; what is outside becomes zeros.
  llvm.func internal @copy_chunk(%from: !llvm.ptr<1>, %rows: i64, %k: i64, %row: i64, %column: i64, %to: !llvm.ptr<3>) {
    %zero = arith.constant 0 : i64
    %two = arith.constant 2 : i64
    %sixteen = arith.constant 16 : i64
    %left = arith.subi %k, %column : i64
    %bytesLeft = arith.muli %left, %two : i64
    %atMost = arith.minsi %bytesLeft, %sixteen : i64
    %inColumns = arith.maxsi %atMost, %zero : i64
    %inRows = arith.cmpi slt, %row, %rows : i64
    %bytes64 = arith.select %inRows, %inColumns, %zero : i64
    %bytes = arith.trunci %bytes64 : i64 to i32
    %line = arith.muli %row, %k : i64
    %at = arith.addi %line, %column : i64
    %source = llvm.getelementptr %from[%at] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, bf16
    nvvm.cp.async.shared.global %to, %source, 16, cache = cg, %bytes : !llvm.ptr<3>, !llvm.ptr<1>, i32
    llvm.return
  }

  llvm.func internal @copy_slab(%a: !llvm.ptr<1>, %b: !llvm.ptr<1>, %m: i64, %n: i64, %k: i64, %slab: i32) {
    %c2 = arith.constant 2 : i32
    %c3 = arith.constant 3 : i32
    %c4 = arith.constant 4 : i32
    %c8 = arith.constant 8 : i32
    %c16 = arith.constant 16 : i32
    %c32 = arith.constant 32 : i32
    %c64 = arith.constant 64 : i32
    %c2048 = arith.constant 2048 : i32
    %c4096 = arith.constant 4096 : i32
    %shared = llvm.mlir.addressof @shared : !llvm.ptr<3>
    %tid = nvvm.read.ptx.sreg.tid.x : i32
    %ctaN = nvvm.read.ptx.sreg.ctaid.x : i32
    %ctaM = nvvm.read.ptx.sreg.ctaid.y : i32
    %row = arith.divui %tid, %c4 : i32
    %chunk = arith.remui %tid, %c4 : i32
    %pair = arith.divui %row, %c2 : i32
    %turn = arith.remui %pair, %c4 : i32
    %place = arith.xori %chunk, %turn : i32
    %inRow = arith.muli %place, %c16 : i32
    %lineAt = arith.muli %row, %c64 : i32
    %inSlot = arith.addi %lineAt, %inRow : i32
    %slot = arith.remui %slab, %c3 : i32
    %slotAt = arith.muli %slot, %c4096 : i32
    %aAt = arith.addi %slotAt, %inSlot : i32
    %bAt = arith.addi %aAt, %c2048 : i32
    %aTo = llvm.getelementptr %shared[%aAt] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
    %bTo = llvm.getelementptr %shared[%bAt] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
    %k0 = arith.muli %slab, %c32 : i32
    %inSlab = arith.muli %chunk, %c8 : i32
    %column32 = arith.addi %k0, %inSlab : i32
    %column = arith.extsi %column32 : i32 to i64
    %m0 = arith.muli %ctaM, %c32 : i32
    %n0 = arith.muli %ctaN, %c32 : i32
    %aRow32 = arith.addi %m0, %row : i32
    %bRow32 = arith.addi %n0, %row : i32
    %aRow = arith.extsi %aRow32 : i32 to i64
    %bRow = arith.extsi %bRow32 : i32 to i64
    llvm.call @copy_chunk(%a, %m, %k, %aRow, %column, %aTo) : (!llvm.ptr<1>, i64, i64, i64, i64, !llvm.ptr<3>) -> ()
    llvm.call @copy_chunk(%b, %n, %k, %bRow, %column, %bTo) : (!llvm.ptr<1>, i64, i64, i64, i64, !llvm.ptr<3>) -> ()
    llvm.return
  }

  // Where chunk `chunk` of row `row` lies.
  llvm.func internal @chunk_at(%operand: !llvm.ptr<3>, %row: i32, %chunk: i32) -> !llvm.ptr<3> {
    %c2 = arith.constant 2 : i32
    %c4 = arith.constant 4 : i32
    %c16 = arith.constant 16 : i32
    %c64 = arith.constant 64 : i32
    %pair = arith.divui %row, %c2 : i32
    %turn = arith.remui %pair, %c4 : i32
    %place = arith.xori %chunk, %turn : i32
    %inRow = arith.muli %place, %c16 : i32
    %lineAt = arith.muli %row, %c64 : i32
    %at = arith.addi %lineAt, %inRow : i32
    %address = llvm.getelementptr %operand[%at] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
    llvm.return %address : !llvm.ptr<3>
  }

  llvm.func internal @store(%c: !llvm.ptr<1>, %m: i64, %n: i64, %row32: i32, %column32: i32, %value: f32) {
    %row = arith.extsi %row32 : i32 to i64
    %column = arith.extsi %column32 : i32 to i64
    %inRows = arith.cmpi slt, %row, %m : i64
    %inColumns = arith.cmpi slt, %column, %n : i64
    %inside = arith.andi %inRows, %inColumns : i1
    scf.if %inside {
      %line = arith.muli %row, %n : i64
      %at = arith.addi %line, %column : i64
      %to = llvm.getelementptr %c[%at] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, f32
      llvm.store %value, %to : f32, !llvm.ptr<1>
    }
    llvm.return
  }

  llvm.func @gemm(%a: !llvm.ptr<1>, %b: !llvm.ptr<1>, %c: !llvm.ptr<1>, %m: i64, %n: i64, %k: i64, %workspace: !llvm.ptr<1>)
      attributes {nvvm.kernel, nvvm.reqntid = array<i32: 128, 1, 1>, tenon.shared_bytes = 12288 : i64, tenon.tensor_core,
                  tenon.grid = affine_map<(m, n, k) -> (n ceildiv 32, m ceildiv 32, 1)>} {
    %zero = arith.constant 0.0 : f32
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %c2 = arith.constant 2 : i32
    %c3 = arith.constant 3 : i32
    %c4 = arith.constant 4 : i32
    %c8 = arith.constant 8 : i32
    %c16 = arith.constant 16 : i32
    %c32 = arith.constant 32 : i32
    %c2048 = arith.constant 2048 : i32
    %c4096 = arith.constant 4096 : i32
    %shared = llvm.mlir.addressof @shared : !llvm.ptr<3>
    %tid = nvvm.read.ptx.sreg.tid.x : i32
    %ctaN = nvvm.read.ptx.sreg.ctaid.x : i32
    %ctaM = nvvm.read.ptx.sreg.ctaid.y : i32
    %lane = arith.remui %tid, %c32 : i32
    %warp = arith.divui %tid, %c32 : i32
    %warpM = arith.divui %warp, %c2 : i32
    %warpN = arith.remui %warp, %c2 : i32
    %rowOfWarp = arith.muli %warpM, %c16 : i32
    %columnOfWarp = arith.muli %warpN, %c16 : i32
    // Rows and chunks that this lane names in ldmatrix.
    %aLane = arith.remui %lane, %c16 : i32
    %aRow = arith.addi %rowOfWarp, %aLane : i32
    %aHalf = arith.divui %lane, %c16 : i32
    %bLane = arith.remui %lane, %c8 : i32
    %bUpper = arith.muli %aHalf, %c8 : i32
    %bInWarp = arith.addi %bLane, %bUpper : i32
    %bRow = arith.addi %columnOfWarp, %bInWarp : i32
    %eighth = arith.divui %lane, %c8 : i32
    %bHalf = arith.remui %eighth, %c2 : i32
    %k32 = arith.trunci %k : i64 to i32
    %slabs = arith.ceildivui %k32, %c32 : i32

    scf.for %slab = %c0 to %c2 step %c1 : i32 {
      llvm.call @copy_slab(%a, %b, %m, %n, %k, %slab) : (!llvm.ptr<1>, !llvm.ptr<1>, i64, i64, i64, i32) -> ()
      nvvm.cp.async.commit.group
    }
    %sums:8 = scf.for %slab = %c0 to %slabs step %c1
        iter_args(%s0 = %zero, %s1 = %zero, %s2 = %zero, %s3 = %zero, %s4 = %zero, %s5 = %zero, %s6 = %zero, %s7 = %zero)
        -> (f32, f32, f32, f32, f32, f32, f32, f32) : i32 {
      nvvm.cp.async.wait.group 1
      nvvm.barrier0
      %ahead = arith.addi %slab, %c2 : i32
      llvm.call @copy_slab(%a, %b, %m, %n, %k, %ahead) : (!llvm.ptr<1>, !llvm.ptr<1>, i64, i64, i64, i32) -> ()
      nvvm.cp.async.commit.group
      %slot = arith.remui %slab, %c3 : i32
      %slotAt = arith.muli %slot, %c4096 : i32
      %aSlot = llvm.getelementptr %shared[%slotAt] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
      %bSlot = llvm.getelementptr %aSlot[%c2048] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
      %next:8 = scf.for %step = %c0 to %c2 step %c1
          iter_args(%t0 = %s0, %t1 = %s1, %t2 = %s2, %t3 = %s3, %t4 = %s4, %t5 = %s5, %t6 = %s6, %t7 = %s7)
          -> (f32, f32, f32, f32, f32, f32, f32, f32) : i32 {
        %chunk0 = arith.muli %step, %c2 : i32
        %aChunk = arith.addi %chunk0, %aHalf : i32
        %bChunk = arith.addi %chunk0, %bHalf : i32
        %aFrom = llvm.call @chunk_at(%aSlot, %aRow, %aChunk) : (!llvm.ptr<3>, i32, i32) -> !llvm.ptr<3>
        %bFrom = llvm.call @chunk_at(%bSlot, %bRow, %bChunk) : (!llvm.ptr<3>, i32, i32) -> !llvm.ptr<3>
        %af = nvvm.ldmatrix %aFrom {num = 4 : i32, layout = #nvvm.mma_layout<row>,
            shape = #nvvm.ld_st_matrix_shape<m = 8, n = 8>, eltType = #nvvm.ld_st_matrix_elt_type<b16>}
            : (!llvm.ptr<3>) -> !llvm.struct<(i32, i32, i32, i32)>
        %bf = nvvm.ldmatrix %bFrom {num = 4 : i32, layout = #nvvm.mma_layout<row>,
            shape = #nvvm.ld_st_matrix_shape<m = 8, n = 8>, eltType = #nvvm.ld_st_matrix_elt_type<b16>}
            : (!llvm.ptr<3>) -> !llvm.struct<(i32, i32, i32, i32)>
        %a0 = llvm.extractvalue %af[0] : !llvm.struct<(i32, i32, i32, i32)>
        %a1 = llvm.extractvalue %af[1] : !llvm.struct<(i32, i32, i32, i32)>
        %a2 = llvm.extractvalue %af[2] : !llvm.struct<(i32, i32, i32, i32)>
        %a3 = llvm.extractvalue %af[3] : !llvm.struct<(i32, i32, i32, i32)>
        %b0 = llvm.extractvalue %bf[0] : !llvm.struct<(i32, i32, i32, i32)>
        %b1 = llvm.extractvalue %bf[1] : !llvm.struct<(i32, i32, i32, i32)>
        %b2 = llvm.extractvalue %bf[2] : !llvm.struct<(i32, i32, i32, i32)>
        %b3 = llvm.extractvalue %bf[3] : !llvm.struct<(i32, i32, i32, i32)>
        %d = nvvm.mma.sync A[%a0, %a1, %a2, %a3] B[%b0, %b1] C[%t0, %t1, %t2, %t3]
            {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, shape = #nvvm.shape<m = 16, n = 8, k = 16>,
             multiplicandAPtxType = #nvvm.mma_type<bf16>, multiplicandBPtxType = #nvvm.mma_type<bf16>}
            : (i32, i32, f32) -> !llvm.struct<(f32, f32, f32, f32)>
        %e = nvvm.mma.sync A[%a0, %a1, %a2, %a3] B[%b2, %b3] C[%t4, %t5, %t6, %t7]
            {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, shape = #nvvm.shape<m = 16, n = 8, k = 16>,
             multiplicandAPtxType = #nvvm.mma_type<bf16>, multiplicandBPtxType = #nvvm.mma_type<bf16>}
            : (i32, i32, f32) -> !llvm.struct<(f32, f32, f32, f32)>
        %d0 = llvm.extractvalue %d[0] : !llvm.struct<(f32, f32, f32, f32)>
        %d1 = llvm.extractvalue %d[1] : !llvm.struct<(f32, f32, f32, f32)>
        %d2 = llvm.extractvalue %d[2] : !llvm.struct<(f32, f32, f32, f32)>
        %d3 = llvm.extractvalue %d[3] : !llvm.struct<(f32, f32, f32, f32)>
        %e0 = llvm.extractvalue %e[0] : !llvm.struct<(f32, f32, f32, f32)>
        %e1 = llvm.extractvalue %e[1] : !llvm.struct<(f32, f32, f32, f32)>
        %e2 = llvm.extractvalue %e[2] : !llvm.struct<(f32, f32, f32, f32)>
        %e3 = llvm.extractvalue %e[3] : !llvm.struct<(f32, f32, f32, f32)>
        scf.yield %d0, %d1, %d2, %d3, %e0, %e1, %e2, %e3 : f32, f32, f32, f32, f32, f32, f32, f32
      }
      scf.yield %next#0, %next#1, %next#2, %next#3, %next#4, %next#5, %next#6, %next#7
          : f32, f32, f32, f32, f32, f32, f32, f32
    }
    %m0 = arith.muli %ctaM, %c32 : i32
    %n0 = arith.muli %ctaN, %c32 : i32
    %group = arith.divui %lane, %c4 : i32
    %inGroup = arith.remui %lane, %c4 : i32
    %pair = arith.muli %inGroup, %c2 : i32
    %rowAt = arith.addi %m0, %rowOfWarp : i32
    %row = arith.addi %rowAt, %group : i32
    %rowBelow = arith.addi %row, %c8 : i32
    %columnAt = arith.addi %n0, %columnOfWarp : i32
    %column = arith.addi %columnAt, %pair : i32
    %columnNext = arith.addi %column, %c1 : i32
    %right = arith.addi %column, %c8 : i32
    %rightNext = arith.addi %right, %c1 : i32
    llvm.call @store(%c, %m, %n, %row, %column, %sums#0) : (!llvm.ptr<1>, i64, i64, i32, i32, f32) -> ()
    llvm.call @store(%c, %m, %n, %row, %columnNext, %sums#1) : (!llvm.ptr<1>, i64, i64, i32, i32, f32) -> ()
    llvm.call @store(%c, %m, %n, %rowBelow, %column, %sums#2) : (!llvm.ptr<1>, i64, i64, i32, i32, f32) -> ()
    llvm.call @store(%c, %m, %n, %rowBelow, %columnNext, %sums#3) : (!llvm.ptr<1>, i64, i64, i32, i32, f32) -> ()
    llvm.call @store(%c, %m, %n, %row, %right, %sums#4) : (!llvm.ptr<1>, i64, i64, i32, i32, f32) -> ()
    llvm.call @store(%c, %m, %n, %row, %rightNext, %sums#5) : (!llvm.ptr<1>, i64, i64, i32, i32, f32) -> ()
    llvm.call @store(%c, %m, %n, %rowBelow, %right, %sums#6) : (!llvm.ptr<1>, i64, i64, i32, i32, f32) -> ()
    llvm.call @store(%c, %m, %n, %rowBelow, %rightNext, %sums#7) : (!llvm.ptr<1>, i64, i64, i32, i32, f32) -> ()
    llvm.return
  }
}
