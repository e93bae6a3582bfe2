// y[i] = 2 x[i] of 32 floats: warp 0 puts them into shared memory and arrives at barrier 1, where warp 1 waits.
module @kernels {
  llvm.mlir.global external @shared() {addr_space = 3 : i32, alignment = 128 : i64} : !llvm.array<0 x i8>
  llvm.func @hand_over(%x: !llvm.ptr<1>, %y: !llvm.ptr<1>, %workspace: !llvm.ptr<1>)
      attributes {nvvm.kernel, nvvm.reqntid = array<i32: 64, 1, 1>, tenon.shared_bytes = 128 : i64} {
    %one = arith.constant 1 : i32
    %c32 = arith.constant 32 : i32
    %c64 = arith.constant 64 : i32
    %shared = llvm.mlir.addressof @shared : !llvm.ptr<3>
    %tid = nvvm.read.ptx.sreg.tid.x : i32
    %lane = nvvm.read.ptx.sreg.laneid : i32
    %place = llvm.getelementptr %shared[%lane] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, f32
    %gives = arith.cmpi ult, %tid, %c32 : i32
    scf.if %gives {
      %from = llvm.getelementptr %x[%lane] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
      %value = llvm.load %from : !llvm.ptr<1> -> f32
      llvm.store %value, %place : f32, !llvm.ptr<3>
      nvvm.barrier.arrive id = %one number_of_threads = %c64
    } else {
      nvvm.barrier id = %one number_of_threads = %c64
      %value = llvm.load %place : !llvm.ptr<3> -> f32
      %twice = arith.addf %value, %value : f32
      %to = llvm.getelementptr %y[%lane] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
      llvm.store %twice, %to : f32, !llvm.ptr<1>
    }
    llvm.return
  }
}
