#ifndef TENON_PASSES_CPU_PASSES
#define TENON_PASSES_CPU_PASSES

include "mlir/Pass/PassBase.td"

def CpuChooseSchedulesPass : Pass<"tenon-cpu-choose-schedules", "::mlir::ModuleOp"> {
  let summary = "each kernel gets its schedule";
  let description = [{
    Why: what a kernel computes and how are two things. The second is chosen here, by lib/Schedule, and stands on the
    kernel as an attribute: the passes after this one only carry it out, and a choice by hand overrides it.

    Before:
    ```mlir
    func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
      %y = tenon.kernel @negate(%X = %x) : (tensor<4xf32>) -> tensor<4xf32> {
        %0 = arith.negf %X : tensor<4xf32>
        tenon.yield %0 : tensor<4xf32>
      }
      return %y : tensor<4xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
      %y = tenon.kernel @negate(%X = %x) attributes {tenon.schedule = #tenon.cpu_loops<lanes = 16>} : (tensor<4xf32>) -> tensor<4xf32> {
        %0 = arith.negf %X : tensor<4xf32>
        tenon.yield %0 : tensor<4xf32>
      }
      return %y : tensor<4xf32>
    }
    ```
    Requires: kernels lowered to linalg.
    Ensures: every kernel has `tenon.schedule`.
    Leaves alone: schedules that are there already.
  }];
  let options = [Option<"vectorBits", "vector-bits", "int64_t", /*default=*/"512", "bits of a vector register: 128, 256 or 512">];
}

def CpuPackWeightsPass : Pass<"tenon-cpu-pack-weights", "::mlir::ModuleOp"> {
  let summary = "weights are reordered once, at load, into the panels that the register blocks read";
  let description = [{
    Why: along a panel the next element is the next one in memory, whatever the matrix's width; as it lies in the file
    each step of the depth would touch as many cache lines as the block has columns.

    Before:
    ```mlir
    func.func @main(%x: tensor<4x8xf32>) -> tensor<4x32xf32> {
      %w = tenon.weight "w" : tensor<32x8xf32>
      %y = tenon.kernel @linear(%X = %x, %W = %w) attributes {tenon.schedule = #tenon.cpu_gemm<rows = 4, columns = 16, lanes = 16, chunk = 4>}
          : (tensor<4x8xf32>, tensor<32x8xf32>) -> tensor<4x32xf32> {
        %zero = arith.constant 0.0 : f32
        %empty = tensor.empty() : tensor<4x32xf32>
        %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<4x32xf32>) -> tensor<4x32xf32>
        %0 = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>,
                                              affine_map<(m, n, k) -> (m, n)>],
                             iterator_types = ["parallel", "parallel", "reduction"]}
            ins(%X, %W : tensor<4x8xf32>, tensor<32x8xf32>) outs(%init : tensor<4x32xf32>) {
        ^bb0(%a: f32, %b: f32, %c: f32):
          %p = arith.mulf %a, %b : f32
          %s = arith.addf %c, %p : f32
          linalg.yield %s : f32
        } -> tensor<4x32xf32>
        tenon.yield %0 : tensor<4x32xf32>
      }
      return %y : tensor<4x32xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<4x8xf32>) -> tensor<4x32xf32> {
      %w = tenon.weight "w" : tensor<32x8xf32>
      %packed = tenon.kernel @pack_16_of_32_8_f32(%W = %w) attributes {tenon.schedule = #tenon.cpu_loops<lanes = 16>} : (tensor<32x8xf32>) -> tensor<2x8x16xf32> {
        %panels = tensor.expand_shape %W [[0, 1], [2]] output_shape [2, 16, 8] : tensor<32x8xf32> into tensor<2x16x8xf32>
        %empty = tensor.empty() : tensor<2x8x16xf32>
        %0 = linalg.transpose ins(%panels : tensor<2x16x8xf32>) outs(%empty : tensor<2x8x16xf32>) permutation = [0, 2, 1]
        tenon.yield %0 : tensor<2x8x16xf32>
      }
      %y = tenon.kernel @linear(%X = %x, %W = %packed) attributes {tenon.schedule = #tenon.cpu_gemm<rows = 4, columns = 16, lanes = 16, chunk = 4>}
          : (tensor<4x8xf32>, tensor<2x8x16xf32>) -> tensor<4x32xf32> {
        %zero = arith.constant 0.0 : f32
        %empty = tensor.empty() : tensor<4x32xf32>
        %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<4x32xf32>) -> tensor<4x32xf32>
        %0 = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n floordiv 16, k, n mod 16)>,
                                              affine_map<(m, n, k) -> (m, n)>],
                             iterator_types = ["parallel", "parallel", "reduction"]}
            ins(%X, %W : tensor<4x8xf32>, tensor<2x8x16xf32>) outs(%init : tensor<4x32xf32>) {
        ^bb0(%a: f32, %b: f32, %c: f32):
          %p = arith.mulf %a, %b : f32
          %s = arith.addf %c, %p : f32
          linalg.yield %s : f32
        } -> tensor<4x32xf32>
        tenon.yield %0 : tensor<4x32xf32>
      }
      return %y : tensor<4x32xf32>
    }
    ```
    Requires: schedules chosen (tenon-cpu-choose-schedules).
    Ensures: a matrix known at load that only a contraction by #tenon.cpu_gemm reads is packed; columns past the last are 0.
    One that is the transpose of another is packed from that.
    Leaves alone: right-hand sides that the model computes; matrices of another rank.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
}

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
      } loc("model.py":7:1)
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
          attributes {tenon.kernel, tenon.sources = ["model.py:7"]} {
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

def CpuEmitVectorsPass : Pass<"tenon-cpu-emit-vectors", "::mlir::ModuleOp"> {
  let summary = "kernels become loops of vector operations over tasks";
  let description = [{
    Why: the loops that run are written down once, where a reader of the dump finds them; a vectoriser that finds them
    again falls back silently to something slower when one step does not match (docs/decisions/0002).

    Before:
    ```mlir
    module @kernels {
      func.func @negate(%X: memref<4x16xf32>, %Y: memref<4x16xf32>, %first: index, %last: index, %scratch: memref<?xi8>)
          attributes {tenon.kernel, tenon.schedule = #tenon.cpu_loops<lanes = 16>} {
        %x = bufferization.to_tensor %X restrict : memref<4x16xf32> to tensor<4x16xf32>
        %empty = tensor.empty() : tensor<4x16xf32>
        %y = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>],
                             iterator_types = ["parallel", "parallel"]} ins(%x : tensor<4x16xf32>) outs(%empty : tensor<4x16xf32>) {
        ^bb0(%in: f32, %out: f32):
          %0 = arith.negf %in : f32
          linalg.yield %0 : f32
        } -> tensor<4x16xf32>
        bufferization.materialize_in_destination %y in restrict writable %Y : (tensor<4x16xf32>, memref<4x16xf32>) -> ()
        return
      }
    }
    ```
    After:
    ```mlir
    module @kernels {
      func.func @negate(%arg0: memref<4x16xf32>, %arg1: memref<4x16xf32>, %arg2: index, %arg3: index, %arg4: memref<?xi8>) attributes {tenon.grid = affine_map<() -> (1)>, tenon.kernel, tenon.schedule = #tenon.cpu_loops<lanes = 16>, tenon.scratch_bytes = affine_map<() -> (0)>} {
        %c0 = arith.constant 0 : index
        %c1 = arith.constant 1 : index
        %c1024 = arith.constant 1024 : index
        %c4 = arith.constant 4 : index
        scf.for %arg5 = %arg2 to %arg3 step %c1 {
          %0 = arith.muli %arg5, %c1024 : index
          %1 = arith.addi %0, %c1024 : index
          %2 = arith.minui %1, %c4 : index
          scf.for %arg6 = %0 to %2 step %c1 {
            %3 = vector.load %arg0[%arg6, %c0] : memref<4x16xf32>, vector<16xf32>
            %4 = arith.negf %3 : vector<16xf32>
            vector.store %4, %arg1[%arg6, %c0] : memref<4x16xf32>, vector<16xf32>
          }
        }
        return
      }
    }
    ```
    Requires: functions of tenon-cpu-outline-kernels.
    Ensures: a function that has `tenon.grid` holds no tensors; tasks write disjoint parts of the results.
    Leaves alone: functions that no emitter can write, with a missed remark that says why.
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def CpuLowerToLoopsPass : Pass<"tenon-cpu-lower-to-loops", "::mlir::ModuleOp"> {
  let summary = "kernels that no emitter took become scalar loops";
  let description = [{
    Why: whatever a model says has to run. Bufferization, one loop nest a linalg op, and places in the scratch memory for
    what is between serve every kernel. Outer loops that all nests share, each turn with its own part of what is written,
    become tasks, and temporaries one task's part. A *missed* remark names each kernel that came this way.

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
    Requires: kernel functions (tenon-cpu-outline-kernels) without tenon.attention (tenon-expand-attention).
    Ensures: no tensors in kernel functions; those that had some have their grid and scratch memory stated, and allocate
    nothing; memory holds no i1, i4 or 8-bit floats.
    Leaves alone: functions without tensors, which an emitter wrote.
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
                           "::mlir::bufferization::BufferizationDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"];
}

def CpuSplitIndicesPass : Pass<"tenon-cpu-split-indices", "::mlir::ModuleOp"> {
  let summary = "numbers of tasks and rows are split into indices by unsigned division";
  let description = [{
    Why: the general lowering of affine.delinearize_index rounds down for negative numbers too, a dozen instructions a
    quotient, in front of each tile.

    Before:
    ```mlir
    func.func @k(%row: index, %batch: index, %length: index) -> (index, index) attributes {tenon.kernel} {
      %b, %s = affine.delinearize_index %row into (%batch, %length) : index, index
      return %b, %s : index, index
    }
    ```
    After:
    ```mlir
    func.func @k(%row: index, %batch: index, %length: index) -> (index, index) attributes {tenon.kernel} {
      %s = arith.remui %row, %length : index
      %b = arith.divui %row, %length : index
      return %b, %s : index, index
    }
    ```
    Requires: numbers that are not negative, as those of tasks and rows are.
    Ensures: no affine.delinearize_index in kernel functions.
    Leaves alone: affine.apply, whose divisions may be of negative numbers.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
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
    Of what a kernel reads that is launched at load, on weights, nothing is said but that it does not alias: a weight is read
    where it lies in its file.

    Requires: kernel functions of dense row-major memrefs with `tenon.grid` and `tenon.scratch_bytes`.
    Ensures: no function has `tenon.kernel`; each public function of a kernel keeps its other attributes.
    Leaves alone: what a kernel does.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def CpuExpandConversionsPass : Pass<"tenon-cpu-expand-conversions", "::mlir::ModuleOp"> {
  let summary = "conversions of 8-bit floats and bf16 become integer arithmetic";
  let description = [{
    Why: no processor here converts 8-bit floats, and few round to bf16; LLVM would call a function an element, or not
    know the type. Rounding is to nearest even, denormals are kept; what f8E4M3FN cannot hold is NaN, f8E5M2 has Inf.

    Before:
    ```mlir
    func.func @round(%x: f32) -> bf16 {
      %y = arith.truncf %x : f32 to bf16
      return %y : bf16
    }
    ```
    After:
    ```mlir
    func.func @round(%x: f32) -> bf16 {
      %quiet = arith.constant 64 : i32
      %one = arith.constant 1 : i32
      %below_half = arith.constant 32767 : i32
      %half_width = arith.constant 16 : i32
      %bits = arith.bitcast %x : f32 to i32
      %high = arith.shrui %bits, %half_width : i32
      %0 = arith.addi %bits, %below_half : i32
      %odd = arith.andi %high, %one : i32
      %rounded = arith.addi %0, %odd : i32
      %nan = arith.ori %high, %quiet : i32
      %is_nan = arith.cmpf uno, %x, %x : f32
      %1 = arith.shrui %rounded, %half_width : i32
      %2 = arith.select %is_nan, %nan, %1 : i32
      %3 = arith.trunci %2 : i32 to i16
      %y = arith.bitcast %3 : i16 to bf16
      return %y : bf16
    }
    ```
    Requires: scalars and vectors.
    Ensures: arith.extf and arith.truncf only between f16 and f32, and f32 and f64, which are instructions (f16: of
    processors with F16C); no integer becomes an 8-bit float or bf16 in one step, and none of those is compared.
    Leaves alone: those, and bit casts.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

def CpuStoreBfloatsPass : Pass<"tenon-cpu-store-bfloats", "::mlir::ModuleOp"> {
  let summary = "bf16 is an i16 where nothing computes with it";
  let description = [{
    Why: LLVM takes a bf16 apart from its vector by way of f32, and back by a library call, where the processor does not
    know the type; as an integer it is moved like any other.

    Before:
    ```mlir
    module {
      module @kernels {
        func.func @widen(%X: memref<4xbf16>, %at: index) -> f32 {
          %shift = arith.constant 16 : i32
          %0 = memref.load %X[%at] : memref<4xbf16>
          %1 = arith.bitcast %0 : bf16 to i16
          %2 = arith.extui %1 : i16 to i32
          %3 = arith.shli %2, %shift : i32
          %y = arith.bitcast %3 : i32 to f32
          return %y : f32
        }
      }
    }
    ```
    After:
    ```mlir
    module {
      module @kernels {
        func.func @widen(%X: memref<4xi16>, %at: index) -> f32 {
          %shift = arith.constant 16 : i32
          %0 = memref.load %X[%at] : memref<4xi16>
          %1 = arith.extui %0 : i16 to i32
          %2 = arith.shli %1, %shift : i32
          %y = arith.bitcast %2 : i32 to f32
          return %y : f32
        }
      }
    }
    ```
    Requires: conversions expanded (tenon-cpu-expand-conversions), no arithmetic on bf16.
    Ensures: no bf16 in @kernels; numbers of it are their bits.
    Leaves alone: @main, whose launches still say bf16.
  }];
}

def CpuExpandMathPass : Pass<"tenon-cpu-expand-math", "::mlir::ModuleOp"> {
  let summary = "exponentials, logarithms and the like become arithmetic or calls";
  let description = [{
    Why: LLVM has instructions for square roots and rounding, none for the rest. exp, exp2, expm1, log, log2, log1p, tanh
    and erf of f32 become polynomials without branches, on scalars and on vectors of any length; the bounds of their
    errors are in lib/Arithmetic/MathPolynomials.h and tested over the whole range. Other types and functions are calls of
    the C library, one an element. Maxima and minima keep NaN, but not the order of -0 and 0, which would double their
    cost.

    Before:
    ```mlir
    func.func @both(%x: f32, %y: f64) -> (f32, f64) {
      %r = math.exp2 %x : f32
      %s = math.sin %y : f64
      return %r, %s : f32, f64
    }
    ```
    After:
    ```mlir
    func.func private @sin(f64) -> f64 attributes {llvm.readnone}
    func.func @both(%x: f32, %y: f64) -> (f32, f64) {
      %k0 = arith.constant 2.000000e+00 : f32
      %k1 = arith.constant 1.38629436 : f32
      %k2 = arith.constant 0.480452895 : f32
      %k3 = arith.constant 0.111006662 : f32
      %k4 = arith.constant 0.0192368738 : f32
      %k5 = arith.constant 0.00267977477 : f32
      %k6 = arith.constant 3.07067239E-4 : f32
      %place = arith.constant 23 : i32
      %magic = arith.constant 0x4B40007E : f32
      %high = arith.constant 1.282500e+02 : f32
      %low = arith.constant -1.262500e+02 : f32
      %0 = arith.cmpf olt, %x, %low : f32
      %1 = arith.select %0, %low, %x : f32
      %2 = arith.cmpf ogt, %1, %high : f32
      %clamped = arith.select %2, %high, %1 : f32
      %moved = arith.addf %clamped, %magic : f32
      %n = arith.subf %moved, %magic : f32
      %6 = arith.bitcast %moved : f32 to i32
      %7 = arith.shli %6, %place : i32
      %half_power = arith.bitcast %7 : i32 to f32
      %rest = arith.subf %clamped, %n : f32
      %10 = math.fma %k6, %rest, %k5 : f32
      %11 = math.fma %10, %rest, %k4 : f32
      %12 = math.fma %11, %rest, %k3 : f32
      %13 = math.fma %12, %rest, %k2 : f32
      %14 = math.fma %13, %rest, %k1 : f32
      %p = math.fma %14, %rest, %k0 : f32
      %r = arith.mulf %p, %half_power : f32
      %s = call @sin(%y) : (f64) -> f64
      return %r, %s : f32, f64
    }
    ```
    Requires: scalars and vectors.
    Ensures: of `math` only what LLVM has instructions for: absolute values, roots, rounding, fma, copysign; no
    arith.maximumf and arith.minimumf.
    Leaves alone: those.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect", "::mlir::math::MathDialect",
                           "::mlir::vector::VectorDialect"];
}

def VerifyCpuPass : Pass<"tenon-verify-cpu", "::mlir::ModuleOp"> {
  let summary = "checks what phase cpu ensures";
  let description = [{
    Why: phase llvm lowers op by op; a tensor without memory or a kernel without a grid would have no name there.

    Before:
    ```mlir
    func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
      %y = tenon.launch @kernels::@copy(%x) : (tensor<4xf32>) -> tensor<4xf32>
      return %y : tensor<4xf32>
    }
    module @kernels {
      func.func @copy(%X: memref<4xf32>, %Y: memref<4xf32>, %first: index, %last: index, %scratch: memref<?xi8>)
          attributes {tenon.grid = affine_map<() -> (1)>, tenon.kernel, tenon.scratch_bytes = affine_map<() -> (0)>} {
        memref.copy %X, %Y : memref<4xf32> to memref<4xf32>
        return
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
      func.func @copy(%X: memref<4xf32>, %Y: memref<4xf32>, %first: index, %last: index, %scratch: memref<?xi8>)
          attributes {tenon.grid = affine_map<() -> (1)>, tenon.kernel, tenon.scratch_bytes = affine_map<() -> (0)>} {
        memref.copy %X, %Y : memref<4xf32> to memref<4xf32>
        return
      }
    }
    ```
    Requires: phase cpu has run.
    Ensures: @main holds launches, weights, constants, reshapes and sizes only; no function of @kernels has tensors inside,
    and each kernel states its grid and its scratch memory.
    Leaves alone: everything.
  }];
}

def VerifyLlvmPass : Pass<"tenon-verify-llvm", "::mlir::ModuleOp"> {
  let summary = "checks what phase llvm ensures";
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
    Requires: phase llvm has run.
    Ensures: @kernels is of the llvm dialect alone, and each kernel there states its grid and its scratch memory.
    Leaves alone: everything.
  }];
}

#endif
