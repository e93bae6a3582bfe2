#ifndef TENON_PASSES_CPU_PASSES
#define TENON_PASSES_CPU_PASSES

include "mlir/Pass/PassBase.td"

def CpuOutlineKernelsPass : Pass<"tenon-cpu-outline-kernels", "::mlir::ModuleOp"> {
  let summary = "each distinct kernel becomes a function on buffers";
  let description = [{
    Why: a launch calls a function by name with addresses. What memory a kernel reads and writes, and how its elements
    are stored, is said here once; inside, it stays tensors. `i1` is stored as one byte, `i4` two to a byte with the low
    nibble first, 8-bit floats as their bits.

    Before:
    ```mlir
    func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
      %y = tenon.kernel @copy(%X = %x) : (tensor<4xf32>) -> tensor<4xf32> {
        tenon.yield %X : tensor<4xf32>
      }
      return %y : tensor<4xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
      %y = tenon.launch @kernels::@copy(%x) : (tensor<4xf32>) -> tensor<4xf32>
      return %y : tensor<4xf32>
    }
    module @kernels {
      func.func @copy(%X: memref<4xf32>, %Y: memref<4xf32>, %first: index, %last: index, %scratch: memref<?xi8>)
          attributes {tenon.kernel} {
        %x = bufferization.to_tensor %X restrict : memref<4xf32> to tensor<4xf32>
        bufferization.materialize_in_destination %x in restrict writable %Y : (tensor<4xf32>, memref<4xf32>) -> ()
        return
      }
    }
    ```
    Requires: kernels lowered to linalg; kernels of one name are equal (tenon-form-kernels).
    Ensures: @main has tenon.launch instead of tenon.kernel; the functions have the arguments of the operands, then of
    the results, then the range of tasks to do and the thread's scratch memory.
    Leaves alone: what the kernels compute; attributes of a kernel go to its function.
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect", "::mlir::func::FuncDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::memref::MemRefDialect"];
}

def CpuLowerToLoopsPass : Pass<"tenon-cpu-lower-to-loops", "::mlir::ModuleOp"> {
  let summary = "kernels that no emitter took become scalar loops";
  let description = [{
    Why: whatever a model says has to run. Bufferization, one loop nest a linalg op, and places in the scratch memory for
    what is between serve every kernel; a *missed* remark names each one that came this way.

    Before:
    ```mlir
    func.func @negate(%X: memref<?xf32>, %Y: memref<?xf32>, %first: index, %last: index, %scratch: memref<?xi8>) attributes {tenon.kernel} {
      %x = bufferization.to_tensor %X restrict : memref<?xf32> to tensor<?xf32>
      %c0 = arith.constant 0 : index
      %n = memref.dim %X, %c0 : memref<?xf32>
      %empty = tensor.empty(%n) : tensor<?xf32>
      %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
          ins(%x : tensor<?xf32>) outs(%empty : tensor<?xf32>) {
      ^bb0(%a: f32, %b: f32):
        %m = arith.negf %a : f32
        linalg.yield %m : f32
      } -> tensor<?xf32>
      bufferization.materialize_in_destination %y in restrict writable %Y : (tensor<?xf32>, memref<?xf32>) -> ()
      return
    }
    ```
    After:
    ```mlir
    func.func @negate(%X: memref<?xf32>, %Y: memref<?xf32>, %first: index, %last: index, %scratch: memref<?xi8>)
        attributes {tenon.grid = affine_map<()[n, m] -> (1)>, tenon.kernel, tenon.scratch_bytes = affine_map<()[n, m] -> (0)>} {
      %mine = arith.cmpi slt, %first, %last : index
      scf.if %mine {
        %c0 = arith.constant 0 : index
        %c1 = arith.constant 1 : index
        %n = memref.dim %X, %c0 : memref<?xf32>
        scf.for %i = %c0 to %n step %c1 {
          %a = memref.load %X[%i] : memref<?xf32>
          %m = arith.negf %a : f32
          memref.store %m, %Y[%i] : memref<?xf32>
        }
      }
      return
    }
    ```
    Requires: kernel functions (tenon-cpu-outline-kernels) without tenon.attention (tenon-cpu-expand-attention).
    Ensures: no tensors in kernel functions; those that had some have a grid of 1 and their scratch memory stated, and
    allocate nothing; memory holds no i1, i4 or 8-bit floats.
    Leaves alone: functions without tensors, which an emitter wrote.
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
                           "::mlir::bufferization::BufferizationDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"];
}

def CpuCallingConventionPass : Pass<"tenon-cpu-calling-convention", "::mlir::ModuleOp"> {
  let summary = "kernel functions get the signature the runtime calls";
  let description = [{
    Why: the runtime knows one type of function (docs/pipeline.md). Addresses are passed on as arguments of a private
    function, the only place where LLVM can be told that they are aligned and do not alias.

    Before:
    ```mlir
    func.func @k(%X: memref<?x4xf32>, %Y: memref<f32>, %first: index, %last: index, %scratch: memref<?xi8>)
        attributes {tenon.grid = affine_map<()[n] -> (n)>, tenon.kernel, tenon.scratch_bytes = affine_map<()[n] -> (0)>} {
      return
    }
    ```
    After:
    ```mlir
    func.func private @k.tasks(%X: !llvm.ptr {llvm.align = 64 : i64, llvm.noalias}, %Y: !llvm.ptr {llvm.align = 64 : i64, llvm.noalias},
                               %scratch: !llvm.ptr {llvm.align = 64 : i64, llvm.noalias}, %n: i64, %first: i64, %last: i64)
        attributes {llvm.linkage = #llvm.linkage<internal>, passthrough = ["noinline"]} {
      return
    }
    func.func @k(%buffers: !llvm.ptr, %dims: !llvm.ptr, %first: i64, %last: i64, %scratch: !llvm.ptr)
        attributes {tenon.grid = affine_map<()[n] -> (n)>, tenon.scratch_bytes = affine_map<()[n] -> (0)>} {
      %X = llvm.load %buffers : !llvm.ptr -> !llvm.ptr
      %1 = llvm.getelementptr %buffers[1] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
      %Y = llvm.load %1 : !llvm.ptr -> !llvm.ptr
      %n = llvm.load %dims : !llvm.ptr -> i64
      call @k.tasks(%X, %Y, %scratch, %n, %first, %last) : (!llvm.ptr, !llvm.ptr, !llvm.ptr, i64, i64, i64) -> ()
      return
    }
    ```
    Requires: kernel functions of dense row-major memrefs with `tenon.grid` and `tenon.scratch_bytes`.
    Ensures: no function has `tenon.kernel`; each public function of a kernel keeps its other attributes.
    Leaves alone: what a kernel does.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def CpuExpandMathPass : Pass<"tenon-cpu-expand-math", "::mlir::ModuleOp"> {
  let summary = "exponentials, logarithms and the like become code";
  let description = [{
    Why: LLVM has instructions for square roots and rounding, none for the rest.

    Before:
    ```mlir
    func.func @sine(%x: f64) -> f64 {
      %y = math.sin %x : f64
      return %y : f64
    }
    ```
    After:
    ```mlir
    func.func private @sin(f64) -> f64 attributes {llvm.readnone}
    func.func @sine(%x: f64) -> f64 {
      %y = call @sin(%x) : (f64) -> f64
      return %y : f64
    }
    ```
    Requires: scalars and vectors.
    Ensures: of `math` only what LLVM has instructions for: absolute values, roots, rounding, fma, copysign.
    Leaves alone: those.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect", "::mlir::math::MathDialect",
                           "::mlir::vector::VectorDialect"];
}

def VerifyCpuPass : Pass<"tenon-verify-cpu", "::mlir::ModuleOp"> {
  let summary = "checks what phase cpu ensures";
  let description = [{
    Why: code generation and the launch plan take @kernels as it is.

    Before:
    ```mlir
    func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
      %y = tenon.launch @kernels::@copy(%x) : (tensor<4xf32>) -> tensor<4xf32>
      return %y : tensor<4xf32>
    }
    module @kernels {
      llvm.func @copy(%buffers: !llvm.ptr, %dims: !llvm.ptr, %first: i64, %last: i64, %scratch: !llvm.ptr)
          attributes {tenon.grid = affine_map<() -> (1)>, tenon.scratch_bytes = affine_map<() -> (0)>} {
        llvm.return
      }
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
      %y = tenon.launch @kernels::@copy(%x) : (tensor<4xf32>) -> tensor<4xf32>
      return %y : tensor<4xf32>
    }
    module @kernels {
      llvm.func @copy(%buffers: !llvm.ptr, %dims: !llvm.ptr, %first: i64, %last: i64, %scratch: !llvm.ptr)
          attributes {tenon.grid = affine_map<() -> (1)>, tenon.scratch_bytes = affine_map<() -> (0)>} {
        llvm.return
      }
    }
    ```
    Requires: phase cpu has run.
    Ensures: no tenon.kernel is left; @kernels is of the llvm dialect alone, and each kernel there states its grid and
    its scratch memory.
    Leaves alone: everything.
  }];
}

#endif
