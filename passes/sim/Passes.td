#ifndef TENON_PASSES_SIM_PASSES
#define TENON_PASSES_SIM_PASSES

include "mlir/Pass/PassBase.td"

def SimReplaceDeviceOpsPass : Pass<"tenon-sim-replace-device-ops", "::mlir::ModuleOp"> {
  let summary = "what only a GPU has becomes calls of the simulator";
  let description = [{
    Why: the simulator runs the very IR that becomes PTX. This is the only difference: ops of the dialects `nvvm` and `ptx`,
    shared memory and every access are calls into lib/Sim (docs/guides/simulator.md has the table), the rest stays and
    is lowered for the host as it would be for the device.

    Before:
    ```mlir
    module {
      llvm.func @twice(%x: !llvm.ptr<1>) attributes {nvvm.kernel, nvvm.reqntid = array<i32: 32>} {
        nvvm.barrier0 loc("twice.mlir":3:5)
        llvm.return
      } loc("twice.mlir":2:3)
    }
    ```
    After:
    ```mlir
    module attributes {tenon.sim_sites = [["", ""], ["nvvm.barrier0", "twice.mlir:3:5"],
                                              ["llvm.call", "twice.mlir:2:3"]], tenon.sim_static_shared = 0 : i64} {
      llvm.func @tenon_sim_frame(i32)
      llvm.func @tenon_sim_barrier(i32, i32, i32, i32, i32, i32) -> i32
      llvm.func @twice(%x: !llvm.ptr<1>) attributes {no_inline, nvvm.reqntid = array<i32: 32>, tenon.sim_kernel} {
        %id = llvm.mlir.constant(0 : i32) : i32
        %count = llvm.mlir.constant(0 : i32) : i32
        %waits = llvm.mlir.constant(1 : i32) : i32
        %reduction = llvm.mlir.constant(-1 : i32) : i32
        %predicate = llvm.mlir.constant(0 : i32) : i32
        %site = llvm.mlir.constant(1 : i32) : i32
        %0 = llvm.call @tenon_sim_barrier(%id, %count, %waits, %reduction, %predicate, %site) : (i32, i32, i32, i32, i32, i32) -> i32
        llvm.return
      }
      llvm.func @tenon_sim_launch_twice(%arguments: !llvm.ptr) {
        %0 = llvm.getelementptr %arguments[0] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
        %1 = llvm.load %0 : !llvm.ptr -> !llvm.ptr
        %2 = llvm.load %1 : !llvm.ptr -> !llvm.ptr<1>
        %launch = llvm.mlir.constant(2 : i32) : i32
        llvm.call @tenon_sim_frame(%launch) : (i32) -> ()
        llvm.call @twice(%2) : (!llvm.ptr<1>) -> ()
        llvm.return
      }
    }
    ```
    Requires: kernels after phase `thread`: functions of the llvm dialect, bodies of arith, math, scf, cf, vector, llvm and
    nvvm.
    Ensures: nothing is left that a host cannot do; `tenon.sim_sites` says what the calls' last arguments mean, and
    `tenon.sim_static_shared` how many bytes the module's own shared arrays take, ahead of the dynamic ones; every
    kernel can be called with the addresses of its arguments. An op without a simulation is an error that names it.
    Leaves alone: arithmetic and control flow, but for what a host rounds otherwise.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::vector::VectorDialect"];
}

#endif
