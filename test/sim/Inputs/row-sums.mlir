// y[i] = sum of row i of x (m rows, n columns, f32), a row a CTA of 128 threads: each lane sums, lanes meet by shuffles,
// warps through shared memory.
module @kernels {
  llvm.mlir.global external @shared() {addr_space = 3 : i32, alignment = 128 : i64} : !llvm.array<0 x i8>
  llvm.func internal @warp_sum(%value: f32) -> f32 {
    %all = arith.constant -1 : i32
    %clamp = arith.constant 31 : i32
    %c16 = arith.constant 16 : i32
    %c8 = arith.constant 8 : i32
    %c4 = arith.constant 4 : i32
    %c2 = arith.constant 2 : i32
    %c1 = arith.constant 1 : i32
    %o16 = nvvm.shfl.sync bfly %all, %value, %c16, %clamp : f32 -> f32
    %s16 = arith.addf %value, %o16 : f32
    %o8 = nvvm.shfl.sync bfly %all, %s16, %c8, %clamp : f32 -> f32
    %s8 = arith.addf %s16, %o8 : f32
    %o4 = nvvm.shfl.sync bfly %all, %s8, %c4, %clamp : f32 -> f32
    %s4 = arith.addf %s8, %o4 : f32
    %o2 = nvvm.shfl.sync bfly %all, %s4, %c2, %clamp : f32 -> f32
    %s2 = arith.addf %s4, %o2 : f32
    %o1 = nvvm.shfl.sync bfly %all, %s2, %c1, %clamp : f32 -> f32
    %s1 = arith.addf %s2, %o1 : f32
    llvm.return %s1 : f32
  }
  llvm.func @row_sums(%x: !llvm.ptr<1>, %y: !llvm.ptr<1>, %m: i64, %n: i64, %workspace: !llvm.ptr<1>)
      attributes {nvvm.kernel, nvvm.reqntid = array<i32: 128, 1, 1>, tenon.shared_bytes = 16 : i64,
                  tenon.grid = affine_map<(m, n) -> (m, 1, 1)>} {
    %zero = arith.constant 0.0 : f32
    %c0 = arith.constant 0 : i32
    %c4 = arith.constant 4 : i32
    %c32 = arith.constant 32 : i32
    %step = arith.constant 128 : i64
    %shared = llvm.mlir.addressof @shared : !llvm.ptr<3>
    %tid = nvvm.read.ptx.sreg.tid.x : i32
    %cta = nvvm.read.ptx.sreg.ctaid.x : i32
    %lane = arith.remui %tid, %c32 : i32
    %warp = arith.divui %tid, %c32 : i32
    %first = arith.extsi %tid : i32 to i64
    %row = arith.extsi %cta : i32 to i64
    %line = arith.muli %row, %n : i64
    %mine = scf.for %i = %first to %n step %step iter_args(%sum = %zero) -> (f32) : i64 {
      %at = arith.addi %line, %i : i64
      %from = llvm.getelementptr %x[%at] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, f32
      %value = llvm.load %from : !llvm.ptr<1> -> f32
      %next = arith.addf %sum, %value : f32
      scf.yield %next : f32
    }
    %ofWarp = llvm.call @warp_sum(%mine) : (f32) -> f32
    %leads = arith.cmpi eq, %lane, %c0 : i32
    scf.if %leads {
      %to = llvm.getelementptr %shared[%warp] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, f32
      llvm.store %ofWarp, %to : f32, !llvm.ptr<3>
    }
    nvvm.barrier0
    %isFirst = arith.cmpi ult, %tid, %c32 : i32
    scf.if %isFirst {
      %has = arith.cmpi ult, %lane, %c4 : i32
      %part = scf.if %has -> f32 {
        %from = llvm.getelementptr %shared[%lane] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, f32
        %value = llvm.load %from : !llvm.ptr<3> -> f32
        scf.yield %value : f32
      } else {
        scf.yield %zero : f32
      }
      %total = llvm.call @warp_sum(%part) : (f32) -> f32
      scf.if %leads {
        %to = llvm.getelementptr %y[%row] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, f32
        llvm.store %total, %to : f32, !llvm.ptr<1>
      }
    }
    llvm.return
  }
}
