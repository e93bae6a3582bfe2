// z = x + y of n floats, 128 threads a CTA, a tail.
module @kernels {
  llvm.func @vector_add(%x: !llvm.ptr<1>, %y: !llvm.ptr<1>, %z: !llvm.ptr<1>, %n: i64, %workspace: !llvm.ptr<1>)
      attributes {nvvm.kernel, nvvm.reqntid = array<i32: 128, 1, 1>, tenon.grid = affine_map<(n) -> (n ceildiv 128, 1, 1)>} {
    %thread = nvvm.read.ptx.sreg.tid.x : i32
    %cta = nvvm.read.ptx.sreg.ctaid.x : i32
    %threads = nvvm.read.ptx.sreg.ntid.x : i32
    %first = arith.muli %cta, %threads : i32
    %i32 = arith.addi %first, %thread : i32
    %i = arith.extsi %i32 : i32 to i64
    %inside = arith.cmpi slt, %i, %n : i64
    scf.if %inside {
      %xp = llvm.getelementptr %x[%i] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, f32
      %yp = llvm.getelementptr %y[%i] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, f32
      %zp = llvm.getelementptr %z[%i] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, f32
      %xv = llvm.load %xp : !llvm.ptr<1> -> f32
      %yv = llvm.load %yp : !llvm.ptr<1> -> f32
      %sum = arith.addf %xv, %yv : f32
      llvm.store %sum, %zp : f32, !llvm.ptr<1>
    }
    llvm.return
  }
}
