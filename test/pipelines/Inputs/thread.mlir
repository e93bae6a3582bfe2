// Two kernels as phase thread leaves them: tanh of a sum, one thread an element, and a weight doubled at load.
module attributes {tenon.dim_bounds = {batch = array<i64: 1, 64>}} {
  func.func @main(%x: tensor<?x4xf32> {tenon.dims = ["batch", ""], tenon.name = "x"}) -> (tensor<?x4xbf16> {tenon.name = "y"}) {
    %w = tenon.weight "w" : tensor<4xf32>
    %w2 = tenon.launch @kernels::@twice(%w) : (tensor<4xf32>) -> tensor<4xf32>
    %y = tenon.launch @kernels::@add_tanh(%x, %w2) {tenon.result_shapes = [affine_map<()[s0] -> (s0, 4)>]}
        : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xbf16>
    return %y : tensor<?x4xbf16>
  }
  module @kernels {
    llvm.func @twice(%w: !llvm.ptr<1>, %r: !llvm.ptr<1>, %workspace: !llvm.ptr<1>)
        attributes {nvvm.kernel, nvvm.reqntid = array<i32: 4>, tenon.block = array<i64: 4, 1, 1>,
                    tenon.grid = affine_map<() -> (1, 1, 1)>, tenon.flops = affine_map<() -> (4)>} {
      %i = nvvm.read.ptx.sreg.tid.x : i32
      %from = llvm.getelementptr %w[%i] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
      %to = llvm.getelementptr %r[%i] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
      %v = llvm.load %from : !llvm.ptr<1> -> f32
      %sum = arith.addf %v, %v : f32
      llvm.store %sum, %to : f32, !llvm.ptr<1>
      llvm.return
    }
    llvm.func @add_tanh(%x: !llvm.ptr<1>, %w: !llvm.ptr<1>, %y: !llvm.ptr<1>, %n: i64, %n2: i64, %workspace: !llvm.ptr<1>)
        attributes {nvvm.kernel, nvvm.reqntid = array<i32: 128, 1, 1>, tenon.block = array<i64: 128, 1, 1>,
                    tenon.grid = affine_map<(d0, d1) -> (d0 ceildiv 128, 1, 1)>, tenon.shared_bytes = 16 : i64,
                    tenon.sources = ["model.py:3"]} {
      %c128 = arith.constant 128 : i64
      %block = nvvm.read.ptx.sreg.ctaid.x : i32
      %thread = nvvm.read.ptx.sreg.tid.x : i32
      %block64 = arith.extui %block : i32 to i64
      %thread64 = arith.extui %thread : i32 to i64
      %first = arith.muli %block64, %c128 : i64
      %row = arith.addi %first, %thread64 : i64
      %inside = arith.cmpi ult, %row, %n : i64
      scf.if %inside {
        %from = llvm.getelementptr %x[%row] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, vector<4xf32>
        %to = llvm.getelementptr %y[%row] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, vector<4xbf16>
        %a = llvm.load %from : !llvm.ptr<1> -> vector<4xf32>
        %b = llvm.load %w : !llvm.ptr<1> -> vector<4xf32>
        %sum = arith.addf %a, %b : vector<4xf32>
        %tanh = math.tanh %sum : vector<4xf32>
        %short = arith.truncf %tanh : vector<4xf32> to vector<4xbf16>
        llvm.store %short, %to : vector<4xbf16>, !llvm.ptr<1>
      }
      llvm.return
    }
  }
}
