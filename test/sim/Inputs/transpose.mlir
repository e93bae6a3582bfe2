// y = transpose x (m rows, n columns, f32): a tile of 32 x 32 through shared memory, 32 x 8 threads. Column c of row r lies
// at c xor r, so that neither rows nor columns meet in a bank.
module @kernels {
  llvm.mlir.global internal @tile() {addr_space = 3 : i32, alignment = 16 : i64} : !llvm.array<1024 x f32>
  llvm.func @transpose(%x: !llvm.ptr<1>, %y: !llvm.ptr<1>, %m: i64, %n: i64, %workspace: !llvm.ptr<1>)
      attributes {nvvm.kernel, nvvm.reqntid = array<i32: 32, 8, 1>,
                  tenon.grid = affine_map<(m, n) -> (n ceildiv 32, m ceildiv 32, 1)>} {
    %c0 = arith.constant 0 : i32
    %c8 = arith.constant 8 : i32
    %c32 = arith.constant 32 : i32
    %tile = llvm.mlir.addressof @tile : !llvm.ptr<3>
    %tx = nvvm.read.ptx.sreg.tid.x : i32
    %ty = nvvm.read.ptx.sreg.tid.y : i32
    %bx = nvvm.read.ptx.sreg.ctaid.x : i32
    %by = nvvm.read.ptx.sreg.ctaid.y : i32
    %column0 = arith.muli %bx, %c32 : i32
    %row0 = arith.muli %by, %c32 : i32
    scf.for %r = %ty to %c32 step %c8 : i32 {
      %row32 = arith.addi %row0, %r : i32
      %column32 = arith.addi %column0, %tx : i32
      %row = arith.extsi %row32 : i32 to i64
      %column = arith.extsi %column32 : i32 to i64
      %inRows = arith.cmpi slt, %row, %m : i64
      %inColumns = arith.cmpi slt, %column, %n : i64
      %inside = arith.andi %inRows, %inColumns : i1
      scf.if %inside {
        %line = arith.muli %row, %n : i64
        %at = arith.addi %line, %column : i64
        %from = llvm.getelementptr %x[%at] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, f32
        %value = llvm.load %from : !llvm.ptr<1> -> f32
        %swizzled = arith.xori %tx, %r : i32
        %base = arith.muli %r, %c32 : i32
        %place = arith.addi %base, %swizzled : i32
        %to = llvm.getelementptr %tile[%place] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, f32
        llvm.store %value, %to : f32, !llvm.ptr<3>
      }
    }
    nvvm.barrier0
    scf.for %r = %ty to %c32 step %c8 : i32 {
      %row32 = arith.addi %column0, %r : i32
      %column32 = arith.addi %row0, %tx : i32
      %row = arith.extsi %row32 : i32 to i64
      %column = arith.extsi %column32 : i32 to i64
      %inRows = arith.cmpi slt, %row, %n : i64
      %inColumns = arith.cmpi slt, %column, %m : i64
      %inside = arith.andi %inRows, %inColumns : i1
      scf.if %inside {
        %swizzled = arith.xori %tx, %r : i32
        %base = arith.muli %tx, %c32 : i32
        %place = arith.addi %base, %swizzled : i32
        %from = llvm.getelementptr %tile[%place] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, f32
        %value = llvm.load %from : !llvm.ptr<3> -> f32
        %line = arith.muli %row, %m : i64
        %at = arith.addi %line, %column : i64
        %to = llvm.getelementptr %y[%at] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, f32
        llvm.store %value, %to : f32, !llvm.ptr<1>
      }
    }
    llvm.return
  }
}
