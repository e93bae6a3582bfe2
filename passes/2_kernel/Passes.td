include "mlir/Pass/PassBase.td"

def RequireSizesPass : Pass<"tenon-require-sizes", "::mlir::ModuleOp"> {
  let summary = "what ops ask of dynamic sizes is written down for the host to check";
  let description = [{
    Why: two `?` that meet in an op are believed to be equal, a table to have a row where it is indexed, a cache to have room
    for what is appended. Code made from it would leave its buffers in a call where that is not so.

    Before:
    ```mlir
    func.func @main(%x: tensor<?xf32> {tenon.dims = ["a"]}, %y: tensor<?xf32> {tenon.dims = ["b"]}) -> tensor<?xf32> {
      %0 = tenon.add %x, %y : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
      return %0 : tensor<?xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<?xf32> {tenon.dims = ["a"]}, %y: tensor<?xf32> {tenon.dims = ["b"]}) -> tensor<?xf32>
        attributes {tenon.size_conditions = [#tenon.size_condition<equal, affine_map<()[s0, s1] -> (s0, s1)>, "tenon.add at <stdin>:2">]} {
      %0 = tenon.add %x, %y : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
      return %0 : tensor<?xf32>
    }
    ```
    Requires: functions of one block.
    Ensures: in a call that fulfils `tenon.size_conditions` what each op's rule asks of sizes holds.
    Leaves alone: what static sizes, names and bounds already say; a size that is what a tensor holds.
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
}

def FormKernelsPass : Pass<"tenon-form-kernels", "::mlir::ModuleOp"> {
  let summary = "ops of @main are grouped into launches";
  let description = [{
    Why: one launch an op would write and read every intermediate tensor. A kernel is an anchor with the pointwise work before
    and after it that its loops can do on the way: bias, activation and residual in a contraction's registers, views in
    the addresses that attention reads. Sums and products of a few elements that a call is given have no kernel: each
    pointwise op that reads them computes them for itself, which takes less time than a launch.

    Before:
    ```mlir
    func.func @main(%x: tensor<4x8xf32>, %w: tensor<16x8xf32>) -> tensor<4x16xf32> {
      %0 = tenon.linear %x, %w : (tensor<4x8xf32>, tensor<16x8xf32>) -> tensor<4x16xf32>
      %1 = tenon.gelu %0 : (tensor<4x16xf32>) -> tensor<4x16xf32>
      return %1 : tensor<4x16xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<4x8xf32>, %w: tensor<16x8xf32>) -> tensor<4x16xf32> {
      %y = tenon.kernel @linear_gelu(%X = %x, %W = %w) : (tensor<4x8xf32>, tensor<16x8xf32>) -> tensor<4x16xf32> {
        %0 = tenon.linear %X, %W : (tensor<4x8xf32>, tensor<16x8xf32>) -> tensor<4x16xf32>
        %1 = tenon.gelu %0 : (tensor<4x16xf32>) -> tensor<4x16xf32>
        tenon.yield %1 : tensor<4x16xf32>
      }
      return %y : tensor<4x16xf32>
    }
    ```
    Requires: @main of one block of tenon ops.
    Ensures: @main holds kernels, weights, constants, reshapes and sizes only; equal kernels have equal names.
    Leaves alone: contractions whose result feeds a row statistic (the row is complete only at the end), values with
    several readers, but for those sums and products, and for what a norm or softmax is of, which its kernel gives too;
    work on weights alone (it runs once, at load).
  }];
  let dependentDialects = ["::tenon::TenonDialect"];
}

def LowerToLinalgPass : Pass<"tenon-lower-to-linalg"> {
  let summary = "the inside of each kernel becomes linalg on tensors";
  let description = [{
    Why: targets tile and vectorise loops, not model ops. Each op becomes a few structured loops whose maps say broadcasting,
    transposition and reduction; 16-bit floats are widened when read and rounded once when written.

    Before:
    ```mlir
    func.func @main(%x: tensor<4x8xf32>, %w: tensor<16x8xf32>) -> tensor<4x16xf32> {
      %y = tenon.kernel @linear(%X = %x, %W = %w) : (tensor<4x8xf32>, tensor<16x8xf32>) -> tensor<4x16xf32> {
        %0 = tenon.linear %X, %W : (tensor<4x8xf32>, tensor<16x8xf32>) -> tensor<4x16xf32>
        tenon.yield %0 : tensor<4x16xf32>
      }
      return %y : tensor<4x16xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<4x8xf32>, %w: tensor<16x8xf32>) -> tensor<4x16xf32> {
      %y = tenon.kernel @linear(%X = %x, %W = %w) : (tensor<4x8xf32>, tensor<16x8xf32>) -> tensor<4x16xf32> {
        %zero = arith.constant 0.0 : f32
        %empty = tensor.empty() : tensor<4x16xf32>
        %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<4x16xf32>) -> tensor<4x16xf32>
        %0 = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>,
                                              affine_map<(m, n, k) -> (m, n)>],
                             iterator_types = ["parallel", "parallel", "reduction"]}
            ins(%X, %W : tensor<4x8xf32>, tensor<16x8xf32>) outs(%init : tensor<4x16xf32>) {
        ^bb0(%a: f32, %b: f32, %c: f32):
          %p = arith.mulf %a, %b : f32
          %s = arith.addf %c, %p : f32
          linalg.yield %s : f32
        } -> tensor<4x16xf32>
        tenon.yield %0 : tensor<4x16xf32>
      }
      return %y : tensor<4x16xf32>
    }
    ```
    Requires: kernels formed (tenon-form-kernels).
    Ensures: inside kernels the only tenon ops are tenon.attention and tenon.yield.
    Leaves alone: everything outside kernels; tenon.attention, which each target expands itself.
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::math::MathDialect", "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
}

def ExpandAttentionPass : Pass<"tenon-expand-attention", "::mlir::ModuleOp"> {
  let summary = "attention that has no form of its own on a target becomes linalg";
  let description = [{
    Why: a target makes one online loop of attention; what it does not take has to run all the same, with every mask,
    grouped heads, and the rules for hidden keys and NaN.

    Before:
    ```mlir
    func.func @main(%query: tensor<1x4x2x8xf32>, %cache: tensor<1x2x5x8xf32>) -> tensor<1x4x2x8xf32> {
      %r = tenon.kernel @attention(%q = %query, %k = %cache) : (tensor<1x4x2x8xf32>, tensor<1x2x5x8xf32>) -> tensor<1x4x2x8xf32> {
        %y = tenon.attention %q, %k, %k : (tensor<1x4x2x8xf32>, tensor<1x2x5x8xf32>, tensor<1x2x5x8xf32>) -> tensor<1x4x2x8xf32>
        tenon.yield %y : tensor<1x4x2x8xf32>
      }
      return %r : tensor<1x4x2x8xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%query: tensor<1x4x2x8xf32>, %cache: tensor<1x2x5x8xf32>) -> tensor<1x4x2x8xf32> {
      %r = tenon.kernel @attention(%q = %query, %k = %cache) : (tensor<1x4x2x8xf32>, tensor<1x2x5x8xf32>) -> tensor<1x4x2x8xf32> {
        %hidden = arith.constant 0xFF800000 : f32
        %scale = arith.constant 0.353553385 : f32
        %zero = arith.constant 0.000000e+00 : f32
        %like_scores = tensor.empty() : tensor<1x4x2x5xf32>
        %no_products = linalg.fill ins(%zero : f32) outs(%like_scores : tensor<1x4x2x5xf32>) -> tensor<1x4x2x5xf32>
        %products = linalg.generic {indexing_maps = [affine_map<(b, h, i, j, d) -> (b, h, i, d)>, affine_map<(b, h, i, j, d) -> (b, h floordiv 2, j, d)>, affine_map<(b, h, i, j, d) -> (b, h, i, j)>],
            iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
            ins(%q, %k : tensor<1x4x2x8xf32>, tensor<1x2x5x8xf32>) outs(%no_products : tensor<1x4x2x5xf32>) {
        ^bb0(%a: f32, %x: f32, %b: f32):
          %0 = arith.mulf %a, %x : f32
          %1 = arith.addf %b, %0 : f32
          linalg.yield %1 : f32
        } -> tensor<1x4x2x5xf32>
        %scores = linalg.generic {indexing_maps = [affine_map<(b, h, i, j) -> (b, h, i, j)>, affine_map<(b, h, i, j) -> (b, h, i, j)>],
            iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
            ins(%products : tensor<1x4x2x5xf32>) outs(%like_scores : tensor<1x4x2x5xf32>) {
        ^bb0(%a: f32, %b: f32):
          %0 = arith.mulf %a, %scale : f32
          linalg.yield %0 : f32
        } -> tensor<1x4x2x5xf32>
        %like_rows = tensor.empty() : tensor<1x4x2xf32>
        %lowest = linalg.fill ins(%hidden : f32) outs(%like_rows : tensor<1x4x2xf32>) -> tensor<1x4x2xf32>
        %largest = linalg.generic {indexing_maps = [affine_map<(b, h, i, j) -> (b, h, i, j)>, affine_map<(b, h, i, j) -> (b, h, i)>],
            iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
            ins(%scores : tensor<1x4x2x5xf32>) outs(%lowest : tensor<1x4x2xf32>) {
        ^bb0(%a: f32, %b: f32):
          %0 = arith.maximumf %b, %a : f32
          linalg.yield %0 : f32
        } -> tensor<1x4x2xf32>
        %powers = linalg.generic {indexing_maps = [affine_map<(b, h, i, j) -> (b, h, i, j)>, affine_map<(b, h, i, j) -> (b, h, i)>, affine_map<(b, h, i, j) -> (b, h, i, j)>],
            iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
            ins(%scores, %largest : tensor<1x4x2x5xf32>, tensor<1x4x2xf32>) outs(%like_scores : tensor<1x4x2x5xf32>) {
        ^bb0(%a: f32, %x: f32, %b: f32):
          %0 = arith.subf %a, %x : f32
          %1 = math.exp %0 : f32
          %2 = arith.cmpf oeq, %a, %hidden : f32
          %3 = arith.select %2, %zero, %1 : f32
          linalg.yield %3 : f32
        } -> tensor<1x4x2x5xf32>
        %no_sum = linalg.fill ins(%zero : f32) outs(%like_rows : tensor<1x4x2xf32>) -> tensor<1x4x2xf32>
        %sum = linalg.generic {indexing_maps = [affine_map<(b, h, i, j) -> (b, h, i, j)>, affine_map<(b, h, i, j) -> (b, h, i)>],
            iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
            ins(%powers : tensor<1x4x2x5xf32>) outs(%no_sum : tensor<1x4x2xf32>) {
        ^bb0(%a: f32, %b: f32):
          %0 = arith.cmpf olt, %a, %zero : f32
          %1 = arith.select %0, %zero, %a : f32
          %2 = arith.addf %b, %1 : f32
          linalg.yield %2 : f32
        } -> tensor<1x4x2xf32>
        %like_result = tensor.empty() : tensor<1x4x2x8xf32>
        %no_weighted = linalg.fill ins(%zero : f32) outs(%like_result : tensor<1x4x2x8xf32>) -> tensor<1x4x2x8xf32>
        %weighted = linalg.generic {indexing_maps = [affine_map<(b, h, i, j, d) -> (b, h, i, d)>, affine_map<(b, h, i, j, d) -> (b, h floordiv 2, d, j)>, affine_map<(b, h, i, j, d) -> (b, h, i, j)>],
            iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
            ins(%powers, %k : tensor<1x4x2x5xf32>, tensor<1x2x5x8xf32>) outs(%no_weighted : tensor<1x4x2x8xf32>) {
        ^bb0(%a: f32, %x: f32, %b: f32):
          %0 = arith.mulf %a, %x : f32
          %1 = arith.cmpf olt, %a, %zero : f32
          %2 = arith.select %1, %zero, %0 : f32
          %3 = arith.addf %b, %2 : f32
          linalg.yield %3 : f32
        } -> tensor<1x4x2x8xf32>
        %y = linalg.generic {indexing_maps = [affine_map<(b, h, i, j) -> (b, h, i, j)>, affine_map<(b, h, i, j) -> (b, h, i)>, affine_map<(b, h, i, j) -> (b, h, i, j)>],
            iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
            ins(%weighted, %sum : tensor<1x4x2x8xf32>, tensor<1x4x2xf32>) outs(%like_result : tensor<1x4x2x8xf32>) {
        ^bb0(%a: f32, %x: f32, %b: f32):
          %0 = arith.cmpf oeq, %x, %zero : f32
          %1 = arith.divf %a, %x : f32
          %2 = arith.select %0, %zero, %1 : f32
          linalg.yield %2 : f32
        } -> tensor<1x4x2x8xf32>
        tenon.yield %y : tensor<1x4x2x8xf32>
      }
      return %r : tensor<1x4x2x8xf32>
    }
    ```
    Requires: numbers of heads that are static.
    Ensures: no tenon.attention and no tenon.pack_values in kernels, or in their functions where they are outlined.
    Leaves alone: the rest of the kernel; attention outside kernels.
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
                           "::mlir::tensor::TensorDialect"];
}

def MeasureKernelsPass : Pass<"tenon-measure-kernels", "::mlir::ModuleOp"> {
  let summary = "every kernel says its floating-point operations and bytes";
  let description = [{
    Why: reports, rooflines and schedules ask what a kernel costs; its loops are whole only here.

    Before:
    ```mlir
    func.func @main(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
      %y = tenon.kernel @square(%X = %x) : (tensor<?x8xf32>) -> tensor<?x8xf32> {
        %0 = linalg.square ins(%X : tensor<?x8xf32>) outs(%X : tensor<?x8xf32>) -> tensor<?x8xf32>
        tenon.yield %0 : tensor<?x8xf32>
      }
      return %y : tensor<?x8xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
      %y = tenon.kernel @square(%X = %x) attributes {tenon.bytes = affine_map<()[s0, s1] -> (s0 * 32 + s1 * 32)>,
                                                     tenon.flops = affine_map<()[s0, s1] -> (s0 * 8)>}
          : (tensor<?x8xf32>) -> tensor<?x8xf32> {
        %0 = linalg.square ins(%X : tensor<?x8xf32>) outs(%X : tensor<?x8xf32>) -> tensor<?x8xf32>
        tenon.yield %0 : tensor<?x8xf32>
      }
      return %y : tensor<?x8xf32>
    }
    ```
    Requires: kernels of linalg.
    Ensures: every kernel has `tenon.flops` and `tenon.bytes`, affine maps over the dynamic sizes of its operands and then
    its results; one without them is named by a *missed* remark.
    Leaves alone: everything else.
  }];
}

def VerifyKernelsPass : Pass<"tenon-verify-kernels", "::mlir::ModuleOp"> {
  let summary = "what holds after phase kernel is checked";
  let description = [{
    Why: every target builds on it; an op that is left over is named here, with its line in the model, not where a target trips.

    Before:
    ```mlir
    func.func @main(%x: tensor<4xf32>) -> tensor<2x2xf32> {
      %y = tenon.kernel @neg(%X = %x) : (tensor<4xf32>) -> tensor<4xf32> {
        %0 = linalg.negf ins(%X : tensor<4xf32>) outs(%X : tensor<4xf32>) -> tensor<4xf32>
        tenon.yield %0 : tensor<4xf32>
      }
      %r = tenon.reshape %y : (tensor<4xf32>) -> tensor<2x2xf32>
      return %r : tensor<2x2xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<4xf32>) -> tensor<2x2xf32> {
      %y = tenon.kernel @neg(%X = %x) : (tensor<4xf32>) -> tensor<4xf32> {
        %0 = linalg.negf ins(%X : tensor<4xf32>) outs(%X : tensor<4xf32>) -> tensor<4xf32>
        tenon.yield %0 : tensor<4xf32>
      }
      %r = tenon.reshape %y : (tensor<4xf32>) -> tensor<2x2xf32>
      return %r : tensor<2x2xf32>
    }
    ```
    Requires: nothing.
    Ensures: outside kernels @main holds only weights, constants, reshapes and sizes; inside them are only ops of linalg,
    tensor, arith, math, scf and affine, tenon.attention and tenon.yield. Anything else is an error.
    Leaves alone: everything; other functions are not looked at.
  }];
}
