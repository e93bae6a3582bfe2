#ifndef TENON_PASSES_5_THREAD_PASSES
#define TENON_PASSES_5_THREAD_PASSES

include "mlir/Pass/PassBase.td"

def ThreadGeneralKernelsPass : Pass<"tenon-thread-general-kernels", "::mlir::ModuleOp"> {
  let summary = "what has no program on tiles runs as one thread an element";
  let description = [{
    Why: every op runs on the GPU, whether or not somebody found a good program for it. A thread that computes one element
    from what lies in memory needs no other thread: no barrier, no shared memory, no order of writes.

    Before:
    ```mlir
    func.func @main(%x: tensor<1000xf32>) -> tensor<1000xf32> {
      %y = tenon.kernel @negate(%X = %x) : (tensor<1000xf32>) -> tensor<1000xf32> {
        %empty = tensor.empty() : tensor<1000xf32>
        %0 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
            ins(%X : tensor<1000xf32>) outs(%empty : tensor<1000xf32>) {
        ^bb0(%in: f32, %out: f32):
          %1 = arith.negf %in : f32
          linalg.yield %1 : f32
        } -> tensor<1000xf32>
        tenon.yield %0 : tensor<1000xf32>
      }
      return %y : tensor<1000xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<1000xf32>) -> tensor<1000xf32> {
      %y = tenon.launch @kernels::@negate(%x) : (tensor<1000xf32>) -> tensor<1000xf32>
      return %y : tensor<1000xf32>
    }
    module @kernels {
      llvm.func @negate(%X: !llvm.ptr<1> {llvm.align = 16 : i64, llvm.noalias, llvm.readonly}, %Y: !llvm.ptr<1> {llvm.align = 16 : i64, llvm.noalias},
                        %workspace: !llvm.ptr<1>)
          attributes {nvvm.kernel, nvvm.reqntid = array<i32: 256, 1, 1>, tenon.block = array<i64: 256, 1, 1>,
                      tenon.grid = affine_map<() -> (4, 1, 1)>, tenon.scratch_bytes = affine_map<() -> (0)>, tenon.shared_bytes = 0 : i64,
                      tenon.sources = ["<stdin>:2"]} {
        %threads = arith.constant 256 : i32
        %elements = arith.constant 1000 : i32
        %thread = nvvm.read.ptx.sreg.tid.x : i32
        %block = nvvm.read.ptx.sreg.ctaid.x : i32
        %first = arith.muli %block, %threads : i32
        %number = arith.addi %first, %thread : i32
        %inside = arith.cmpi ult, %number, %elements : i32
        scf.if %inside {
          %from = llvm.getelementptr %X[%number] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
          %in = llvm.load %from : !llvm.ptr<1> -> f32
          %1 = arith.negf %in : f32
          %to = llvm.getelementptr %Y[%number] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
          llvm.store %1, %to : f32, !llvm.ptr<1>
        }
        llvm.return
      }
    }
    ```
    Requires: kernels of linalg whose results have one shape.
    Ensures: no tenon.kernel in @main. Each has a function in @kernels with the calling convention of a GPU kernel, its grid and its
    block; places are computed in 32 bits where no tensor reaches further. A *missed* remark names each; with
    `fail-on-fallback` the first is an error instead.
    Leaves alone: launches, programs on tiles.
  }];
  let options = [Option<"failOnFallback", "fail-on-fallback", "bool", /*default=*/"false", "a kernel on this path is an error">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect", "::mlir::scf::SCFDialect"];
}

#endif
