#ifndef TENON_PASSES_5_THREAD_PASSES
#define TENON_PASSES_5_THREAD_PASSES

include "mlir/Pass/PassBase.td"

def ExpandToThreadsPass : Pass<"tenon-expand-to-threads", "::mlir::ModuleOp"> {
  let summary = "programs on tiles become the code of one thread";
  let description = [{
    Why: layouts say which thread has which element; here each op becomes what one thread does: its registers, addresses,
    predicates, shuffles and barriers.

    Before:
    ```mlir
    module @kernels {
      tile.kernel @negate(%X: !tile.view<8x128xf32>, %Y: !tile.view<8x128xf32>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 1, tf32 = false>} {
        %c0 = arith.constant 0 : index
        %c8 = arith.constant 8 : index
        tile.grid (%i) = (%c8) {
          %x = tile.load %X[%i, %c0] : !tile.view<8x128xf32> -> tensor<128xf32, #warp.layout<[l32, r4]>>
          %y = arith.negf %x : tensor<128xf32, #warp.layout<[l32, r4]>>
          tile.store %y, %Y[%i, %c0] : tensor<128xf32, #warp.layout<[l32, r4]>>, !tile.view<8x128xf32>
        }
      }
    }
    ```
    After:
    ```mlir
    module @kernels {
      llvm.func @negate(%X: !llvm.ptr<1> {llvm.align = 16 : i64, llvm.noalias}, %Y: !llvm.ptr<1> {llvm.align = 16 : i64, llvm.noalias}, %workspace: !llvm.ptr<1>) attributes {nvvm.kernel, nvvm.reqntid = array<i32: 32, 1, 1>, tenon.block = array<i64: 32, 1, 1>, tenon.grid = affine_map<() -> (8, 1, 1)>, tenon.scratch_bytes = affine_map<() -> (0)>, tenon.shared_bytes = 0 : i64, tenon.warps = "#warp.schedule<warps = [1, 1], stages = 1, tf32 = false>"} {
        %0 = llvm.mlir.poison : vector<4xf32>
        %c3_i32 = arith.constant 3 : i32
        %c2_i32 = arith.constant 2 : i32
        %c1_i32 = arith.constant 1 : i32
        %c0_i32 = arith.constant 0 : i32
        %c4_i32 = arith.constant 4 : i32
        %c128 = arith.constant 128 : index
        %c31_i32 = arith.constant 31 : i32
        %1 = nvvm.read.ptx.sreg.tid.x : i32
        %2 = arith.andi %1, %c31_i32 : i32
        %3 = nvvm.read.ptx.sreg.ctaid.x : i32
        %4 = arith.index_cast %3 : i32 to index
        %5 = arith.muli %4, %c128 : index
        %6 = arith.muli %2, %c4_i32 : i32
        %7 = arith.index_cast %6 : i32 to index
        %8 = arith.addi %5, %7 : index
        %9 = arith.index_cast %8 : index to i64
        %10 = llvm.getelementptr %X[%9] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, f32
        %11 = llvm.load %10 invariant {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xf32>
        %12 = llvm.extractelement %11[%c0_i32 : i32] : vector<4xf32>
        %13 = llvm.extractelement %11[%c1_i32 : i32] : vector<4xf32>
        %14 = llvm.extractelement %11[%c2_i32 : i32] : vector<4xf32>
        %15 = llvm.extractelement %11[%c3_i32 : i32] : vector<4xf32>
        %16 = arith.negf %12 : f32
        %17 = arith.negf %13 : f32
        %18 = arith.negf %14 : f32
        %19 = arith.negf %15 : f32
        %20 = llvm.getelementptr %Y[%9] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, f32
        %21 = llvm.insertelement %16, %0[%c0_i32 : i32] : vector<4xf32>
        %22 = llvm.insertelement %17, %21[%c1_i32 : i32] : vector<4xf32>
        %23 = llvm.insertelement %18, %22[%c2_i32 : i32] : vector<4xf32>
        %24 = llvm.insertelement %19, %23[%c3_i32 : i32] : vector<4xf32>
        llvm.store %24, %20 {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr<1>
        llvm.return
      }
    }
    ```
    Requires: layouts (tenon-assign-layouts) and `warp.schedule`.
    Ensures: no tile and no shared tile is left; a function's attributes say its grid, block and shared memory.
    Leaves alone: @main.
  }];
  let options = [Option<"arch", "arch", "std::string", "\"sm_90a\"", "architecture that is compiled for">];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect",
                           "::mlir::math::MathDialect", "::mlir::NVVM::NVVMDialect", "::mlir::scf::SCFDialect",
                           "::tenon::ptx::PtxDialect"];
}

def SplitKernelsPass : Pass<"tenon-split-kernels", "::mlir::ModuleOp"> {
  let summary = "kernels become launches in a row where a thread would repeat the work of others";
  let description = [{
    Why: on the general path a thread computes one element with all that it takes. A sum that a whole row needs is a launch of
    its own, else each element of the row would sum up the row.

    Before:
    ```mlir
    func.func @main(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
      %y = tenon.kernel @share(%X = %x) : (tensor<4x8xf32>) -> tensor<4x8xf32> {
        %zero = arith.constant 0.0 : f32
        %rows = tensor.empty() : tensor<4xf32>
        %init = linalg.fill ins(%zero : f32) outs(%rows : tensor<4xf32>) -> tensor<4xf32>
        %sum = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>], iterator_types = ["parallel", "reduction"]}
            ins(%X : tensor<4x8xf32>) outs(%init : tensor<4xf32>) {
        ^bb0(%in: f32, %out: f32):
          %1 = arith.addf %out, %in : f32
          linalg.yield %1 : f32
        } -> tensor<4xf32>
        %empty = tensor.empty() : tensor<4x8xf32>
        %0 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0, d1)>],
                                iterator_types = ["parallel", "parallel"]} ins(%X, %sum : tensor<4x8xf32>, tensor<4xf32>) outs(%empty : tensor<4x8xf32>) {
        ^bb0(%in: f32, %all: f32, %out: f32):
          %1 = arith.divf %in, %all : f32
          linalg.yield %1 : f32
        } -> tensor<4x8xf32>
        tenon.yield %0 : tensor<4x8xf32>
      }
      return %y : tensor<4x8xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
      %sum = tenon.kernel @share_part1(%X = %x) attributes {tenon.bytes = affine_map<() -> (144)>, tenon.flops = affine_map<() -> (32)>}
          : (tensor<4x8xf32>) -> tensor<4xf32> {
        %zero = arith.constant 0.0 : f32
        %rows = tensor.empty() : tensor<4xf32>
        %init = linalg.fill ins(%zero : f32) outs(%rows : tensor<4xf32>) -> tensor<4xf32>
        %0 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>], iterator_types = ["parallel", "reduction"]}
            ins(%X : tensor<4x8xf32>) outs(%init : tensor<4xf32>) {
        ^bb0(%in: f32, %out: f32):
          %1 = arith.addf %out, %in : f32
          linalg.yield %1 : f32
        } -> tensor<4xf32>
        tenon.yield %0 : tensor<4xf32>
      }
      %y = tenon.kernel @share_part2(%X = %x, %SUM = %sum) attributes {tenon.bytes = affine_map<() -> (272)>, tenon.flops = affine_map<() -> (32)>}
          : (tensor<4x8xf32>, tensor<4xf32>) -> tensor<4x8xf32> {
        %empty = tensor.empty() : tensor<4x8xf32>
        %0 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0, d1)>],
                                iterator_types = ["parallel", "parallel"]} ins(%X, %SUM : tensor<4x8xf32>, tensor<4xf32>) outs(%empty : tensor<4x8xf32>) {
        ^bb0(%in: f32, %all: f32, %out: f32):
          %1 = arith.divf %in, %all : f32
          linalg.yield %1 : f32
        } -> tensor<4x8xf32>
        tenon.yield %0 : tensor<4x8xf32>
      }
      return %y : tensor<4x8xf32>
    }
    ```
    Requires: kernels of linalg, without tenon.attention (tenon-expand-attention).
    Ensures: what a kernel has of reductions and loops is computed once an element, and so is what is dear and read by many;
    the results of a kernel have one shape. Of linalg there are generics and fills only. Kernels of one name stay equal.
    Leaves alone: kernels that are one such part. Sizes of what is in between are not resolved; run tenon-resolve-sizes.
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::linalg::LinalgDialect"];
}

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
                      tenon.grid = affine_map<() -> (4, 1, 1)>, tenon.schedule = "one thread an element",
                      tenon.scratch_bytes = affine_map<() -> (0)>, tenon.shared_bytes = 0 : i64, tenon.sources = ["<stdin>:2"]} {
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
    block; places are computed in 32 bits where no tensor reaches further; conversions and elementary functions of f32
    are those of the CPU, bit for bit (lib/Arithmetic). A *missed* remark names each; with
    `fail-on-fallback` the first is an error instead.
    Leaves alone: launches, programs on tiles.
  }];
  let options = [Option<"failOnFallback", "fail-on-fallback", "bool", /*default=*/"false", "a kernel on this path is an error">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect",
                           "::mlir::NVVM::NVVMDialect", "::mlir::scf::SCFDialect"];
}

def CarryPlacesPass : Pass<"tenon-carry-places", "::mlir::ModuleOp"> {
  let summary = "a loop's turn finds out where the operands of the next one's products lie";
  let description = [{
    Why: the slot of a ring, its barrier and phase and a descriptor follow from a loop's counter by a chain of operations.
    Where a turn waits for all of its products, that chain stands before the next one's, and nothing is multiplied meanwhile.

    Before:
    ```mlir
    module @kernels {
      llvm.func @f(%a: i64, %c: f32, %turns: i32) {
        %c0 = arith.constant 0 : i32
        %c1 = arith.constant 1 : i32
        %0:4 = scf.for %i = %c0 to %turns step %c1 iter_args(%s0 = %c, %s1 = %c, %s2 = %c, %s3 = %c) -> (f32, f32, f32, f32) : i32 {
          %slot = arith.andi %i, %c1 : i32
          %w = arith.extui %slot : i32 to i64
          %d:4 = ptx.wgmma %a, %w, (%s0, %s1, %s2, %s3) {element = bf16, lhs_offsets = array<i64: 0>, rhs_offsets = array<i64: 0>} : i64
          %e:4 = ptx.wgmma.wait %d#0, %d#1, %d#2, %d#3 {pending = 0 : i64}
          scf.yield %e#0, %e#1, %e#2, %e#3 : f32, f32, f32, f32
        }
        llvm.return
      }
    }
    ```
    After:
    ```mlir
    module @kernels {
      llvm.func @f(%a: i64, %c: f32, %turns: i32) {
        %c0 = arith.constant 0 : i32
        %c1 = arith.constant 1 : i32
        %slot = arith.andi %c0, %c1 : i32
        %first = arith.extui %slot : i32 to i64
        %0:5 = scf.for %i = %c0 to %turns step %c1 iter_args(%s0 = %c, %s1 = %c, %s2 = %c, %s3 = %c, %w = %first) -> (f32, f32, f32, f32, i64) : i32 {
          %d:4 = ptx.wgmma %a, %w, (%s0, %s1, %s2, %s3) {element = bf16, lhs_offsets = array<i64: 0>, rhs_offsets = array<i64: 0>} : i64
          %next = arith.addi %i, %c1 : i32
          %1 = arith.andi %next, %c1 : i32
          %2 = arith.extui %1 : i32 to i64
          %e:4 = ptx.wgmma.wait %d#0, %d#1, %d#2, %d#3 {pending = 0 : i64}
          scf.yield %e#0, %e#1, %e#2, %e#3, %2 : f32, f32, f32, f32, i64
        }
        llvm.return
      }
    }
    ```
    Requires: functions of one thread.
    Ensures: of what follows from the loop's counter alone, a turn computes nothing that it takes before its last product begins.
    A *passed* remark says how much is handed on.
    Leaves alone: loops without a `ptx.wgmma` of their own, those in which products stay under way from turn to turn, and
    those whose turn computes floats before its first product begins, which hides the chain.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def OrderStoresPass : Pass<"tenon-order-stores", "::mlir::ModuleOp"> {
  let summary = "what a store writes is computed just before it";
  let description = [{
    Why: a tile's arithmetic is expanded op by op, each for all registers, so that an epilogue of several ops keeps several
    registers alive an element. Where an accumulator takes most of them that spills.

    Before:
    ```mlir
    module @kernels {
      llvm.func @f(%x: !llvm.ptr<1>, %y: !llvm.ptr<1>, %a: f32, %b: f32) {
        %0 = llvm.load %x invariant : !llvm.ptr<1> -> f32
        %1 = llvm.getelementptr %x[1] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
        %2 = llvm.load %1 invariant : !llvm.ptr<1> -> f32
        %3 = arith.addf %a, %0 : f32
        %4 = arith.addf %b, %2 : f32
        llvm.store %3, %y : f32, !llvm.ptr<1>
        %5 = llvm.getelementptr %y[1] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
        llvm.store %4, %5 : f32, !llvm.ptr<1>
        llvm.return
      }
    }
    ```
    After:
    ```mlir
    module @kernels {
      llvm.func @f(%x: !llvm.ptr<1>, %y: !llvm.ptr<1>, %a: f32, %b: f32) {
        %0 = llvm.load %x invariant : !llvm.ptr<1> -> f32
        %1 = llvm.getelementptr %x[1] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
        %2 = llvm.load %1 invariant : !llvm.ptr<1> -> f32
        %3 = arith.addf %a, %0 : f32
        llvm.store %3, %y : f32, !llvm.ptr<1>
        %4 = arith.addf %b, %2 : f32
        %5 = llvm.getelementptr %y[1] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
        llvm.store %4, %5 : f32, !llvm.ptr<1>
        llvm.return
      }
    }
    ```
    Requires: functions of one thread.
    Ensures: stores keep their order; what is computed for stores alone after the last loop of a block stands before the first
    store that needs it; loads of memory that does not change come up to 16 ahead, and more as registers become free.
    Leaves alone: what others than stores need, and all that has an effect.
  }];
}

def WaitForLaunchesPass : Pass<"tenon-wait-for-launches", "::mlir::ModuleOp"> {
  let summary = "kernels may be launched while the one ahead still runs, and wait for its end";
  let description = [{
    Why: a kernel that is launched when the one ahead has ended leaves the GPU idle for a microsecond and more. Launched
    earlier, its CTAs stand by.

    Before:
    ```mlir
    module @kernels {
      llvm.func @f(%x: !llvm.ptr<1>, %y: !llvm.ptr<1>, %workspace: !llvm.ptr<1>) attributes {nvvm.kernel} {
        %0 = llvm.load %x invariant : !llvm.ptr<1> -> f32
        llvm.store %0, %y : f32, !llvm.ptr<1>
        llvm.return
      }
    }
    ```
    After:
    ```mlir
    module @kernels {
      llvm.func @f(%x: !llvm.ptr<1>, %y: !llvm.ptr<1>, %workspace: !llvm.ptr<1>) attributes {nvvm.kernel, tenon.programmatic} {
        nvvm.griddepcontrol wait
        nvvm.griddepcontrol launch_dependents
        %0 = llvm.load %x invariant : !llvm.ptr<1> -> f32
        llvm.store %0, %y : f32, !llvm.ptr<1>
        llvm.return
      }
    }
    ```
    Requires: functions of one thread.
    Ensures: on an architecture that has it, every kernel waits for the launch ahead before it touches global memory, then
    lets the next start, and says that its launches are programmatic.
    Leaves alone: functions that are no kernels, or say so already; all of them on other architectures.
  }];
  let options = [Option<"arch", "arch", "std::string", "\"sm_90a\"", "architecture that is compiled for">];
  let dependentDialects = ["::mlir::NVVM::NVVMDialect"];
}

#endif
