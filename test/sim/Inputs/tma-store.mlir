// y = 2 x of 32 x 32 floats, of which y has fewer rows: four tiles of 8 rows go through two buffers in shared memory, and
// from there by TMA. A buffer is written again once the store that reads it has done so.
module @kernels {
  llvm.mlir.global external @shared() {addr_space = 3 : i32, alignment = 128 : i64} : !llvm.array<0 x i8>
  llvm.func @twice(%x: !llvm.ptr<1>, %y: !llvm.ptr<1>, %rows: i64, %workspace: !llvm.ptr<1>,
                   %map: !llvm.ptr {llvm.align = 64 : i64, llvm.byval = !llvm.array<128 x i8>, nvvm.grid_constant})
      attributes {nvvm.kernel, nvvm.reqntid = array<i32: 64, 1, 1>, tenon.shared_bytes = 2048 : i64,
                  tenon.tensor_maps = [{argument = 1 : i64, box = array<i64: 32, 8>, element = f32,
                                        offset = affine_map<(d0) -> (0)>, sizes = affine_map<(d0) -> (32, d0)>,
                                        strides = affine_map<(d0) -> (128)>, swizzle = 128 : i64}]} {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %c4 = arith.constant 4 : i32
    %c8 = arith.constant 8 : i32
    %c16 = arith.constant 16 : i32
    %c128 = arith.constant 128 : i32
    %c1024 = arith.constant 1024 : i32
    %shared = llvm.mlir.addressof @shared : !llvm.ptr<3>
    %tid = nvvm.read.ptx.sreg.tid.x : i32
    %isFirst = arith.cmpi eq, %tid, %c0 : i32
    %row = arith.divui %tid, %c8 : i32
    %chunk = arith.remui %tid, %c8 : i32
    // Chunk q of row r lies at q xor r.
    %turned = arith.xori %chunk, %row : i32
    %inRow = arith.muli %turned, %c16 : i32
    %rowAt = arith.muli %row, %c128 : i32
    %inTile = arith.addi %rowAt, %inRow : i32
    scf.for %tile = %c0 to %c4 step %c1 : i32 {
      scf.if %isFirst {
        nvvm.cp.async.bulk.wait_group 1 {read}
      }
      nvvm.barrier0
      %slot = arith.andi %tile, %c1 : i32
      %slotAt = arith.muli %slot, %c1024 : i32
      %buffer = llvm.getelementptr %shared[%slotAt] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
      %place = llvm.getelementptr %buffer[%inTile] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
      %firstRow = arith.muli %tile, %c8 : i32
      %line = arith.addi %firstRow, %row : i32
      %before = arith.muli %line, %c8 : i32
      %index = arith.addi %before, %chunk : i32
      %from = llvm.getelementptr %x[%index] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, vector<4xf32>
      %value = llvm.load %from : !llvm.ptr<1> -> vector<4xf32>
      %twice = arith.addf %value, %value : vector<4xf32>
      llvm.store %twice, %place : vector<4xf32>, !llvm.ptr<3>
      nvvm.fence.proxy {kind = #nvvm.proxy_kind<async.shared>, space = #nvvm.shared_space<cta>}
      nvvm.barrier0
      scf.if %isFirst {
        nvvm.cp.async.bulk.tensor.global.shared.cta %map, %buffer, box[%c0, %firstRow] : !llvm.ptr, !llvm.ptr<3>
        nvvm.cp.async.bulk.commit.group
      }
    }
    scf.if %isFirst {
      nvvm.cp.async.bulk.wait_group 0 {read}
    }
    llvm.return
  }
}
