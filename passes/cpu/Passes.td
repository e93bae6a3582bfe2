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

#endif
