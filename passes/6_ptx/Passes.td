#ifndef TENON_PASSES_6_PTX_PASSES
#define TENON_PASSES_6_PTX_PASSES

include "mlir/Pass/PassBase.td"

def CallLibdevicePass : Pass<"tenon-call-libdevice", "mlir::ModuleOp"> {
  let summary = "elementary functions become calls of libdevice, or one instruction where an approximation is asked for";
  let description = [{
    Why: PTX has instructions for few functions, all approximate; the vendor's bitcode library has the others, to one or two
    units in the last place. LLVM would call a C library that no GPU has.

    Before:
    ```mlir
    module @kernels {
      llvm.func @kernel(%x: f32, %y: f32) -> f32 {
        %0 = math.tanh %x : f32
        %1 = math.exp2 %y fastmath<afn> : f32
        %2 = arith.addf %0, %1 : f32
        llvm.return %2 : f32
      }
    }
    ```
    After:
    ```mlir
    module @kernels {
      llvm.func @__nv_tanhf(f32) -> f32 attributes {memory_effects = #llvm.memory_effects<other = none, argMem = none, inaccessibleMem = none, errnoMem = none, targetMem0 = none, targetMem1 = none>, no_unwind, will_return}
      llvm.func @kernel(%x: f32, %y: f32) -> f32 {
        %0 = llvm.call @__nv_tanhf(%x) : (f32) -> f32
        %1 = llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz"(%y) : (f32) -> f32
        %2 = arith.addf %0, %1 : f32
        llvm.return %2 : f32
      }
    }
    ```
    Requires: functions of one thread; f16, bf16, f32 or f64, or vectors of them.
    Ensures: no op of the math dialect but those LLVM has an instruction for (abs, sqrt, fma, floor, ..). Shorter floats are
    computed in f32 and rounded once.
    Leaves alone: those others.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect", "::mlir::vector::VectorDialect"];
}

def LowerPtxPass : Pass<"tenon-lower-ptx", "mlir::ModuleOp"> {
  let summary = "ops of the ptx dialect become inline assembly";
  let description = [{
    Why: LLVM has no intrinsic for these instructions, but passes what inline assembly says through to ptxas.

    Before:
    ```mlir
    module @kernels {
      llvm.func @kernel(%x: !llvm.ptr<1>, %inside: i1) -> i32 {
        %0 = ptx.ld.global %x, %inside {nc} : i32
        llvm.return %0 : i32
      }
    }
    ```
    After:
    ```mlir
    module @kernels {
      llvm.func @kernel(%x: !llvm.ptr<1>, %inside: i1) -> i32 {
        %0 = llvm.inline_asm asm_dialect = att "mov.b32 $0, 0;\0A@$2 ld.global.nc.b32 $0, [$1];", "=&r,l,b" %x, %inside : (!llvm.ptr<1>, i1) -> i32
        llvm.return %0 : i32
      }
    }
    ```
    Requires: functions of one thread.
    Ensures: no op of the ptx dialect. What reads memory that may change, or writes it, keeps its order.
    Leaves alone: everything else.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def WidenPackedFloatsPass : Pass<"tenon-widen-packed-floats", "mlir::ModuleOp"> {
  let summary = "a bf16 that memory gave beside another becomes an f32 in the register that holds both";
  let description = [{
    Why: a bf16 is the upper half of an f32, so that one shift or mask makes the wider number. LLVM takes vectors of 16-bit
    numbers apart where they are loaded, and ptxas gives each half a register of its own until it is converted: a row kernel
    that holds 64 of them does with 102 registers instead of 128.

    Before:
    ```mlir
    module @kernels {
      llvm.func @kernel(%pair: vector<2xbf16>) -> f32 {
        %1 = llvm.mlir.constant(1 : i32) : i32
        %upper = llvm.extractelement %pair[%1 : i32] : vector<2xbf16>
        %wide = arith.extf %upper : bf16 to f32
        llvm.return %wide : f32
      }
    }
    ```
    After:
    ```mlir
    module @kernels {
      llvm.func @kernel(%pair: vector<2xbf16>) -> f32 {
        %words = llvm.bitcast %pair : vector<2xbf16> to vector<1xi32>
        %0 = llvm.mlir.constant(0 : i32) : i32
        %both = llvm.extractelement %words[%0 : i32] : vector<1xi32>
        %mask = llvm.mlir.constant(-65536 : i32) : i32
        %bits = llvm.and %both, %mask : i32
        %wide = llvm.bitcast %bits : i32 to f32
        llvm.return %wide : f32
      }
    }
    ```
    Requires: functions of one thread.
    Ensures: every number is the same, NaN with its bits.
    Leaves alone: f16, whose conversion reads either half of a register; numbers that no vector holds.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def VerifyPtxPass : Pass<"tenon-verify-ptx", "mlir::ModuleOp"> {
  let summary = "checks what holds after phase ptx";
  let description = [{
    Why: PTX is made of @kernels as it is, and the launch plan of what is written on its functions; what is missing would
    surface there without a name.

    Before:
    ```mlir
    module {
      module @kernels {
        llvm.func @kernel(%x: !llvm.ptr<1>, %workspace: !llvm.ptr<1>)
            attributes {nvvm.kernel, nvvm.reqntid = array<i32: 32, 1, 1>, tenon.block = array<i64: 32, 1, 1>,
                        tenon.grid = affine_map<() -> (1, 1, 1)>} {
          llvm.return
        }
      }
    }
    ```
    After:
    ```mlir
    module {
      module @kernels {
        llvm.func @kernel(%x: !llvm.ptr<1>, %workspace: !llvm.ptr<1>)
            attributes {nvvm.kernel, nvvm.reqntid = array<i32: 32, 1, 1>, tenon.block = array<i64: 32, 1, 1>,
                        tenon.grid = affine_map<() -> (1, 1, 1)>} {
          llvm.return
        }
      }
    }
    ```
    Requires: nothing.
    Ensures: @kernels holds ops of llvm and nvvm only; every kernel has a grid of three sizes over its dims and a block, which
    its nvvm.reqntid repeats; no kernel is left in @main.
    Leaves alone: everything.
  }];
}

#endif
