#ifndef TENON_PASSES_3_TILE_PASSES
#define TENON_PASSES_3_TILE_PASSES

include "mlir/Pass/PassBase.td"

def CollapseDimensionsPass : Pass<"tenon-collapse-dimensions"> {
  let summary = "dimensions that lie together and are run through together become one";
  let description = [{
    Why: a program takes its rows along one dimension. Of [batch, sequence, hidden] it would take them along the sequence
    alone, one row where a decoder generates a token at a time; as [batch * sequence, hidden] it takes what there is, and
    a product of it with a weight is one product.

    Before:
    ```mlir
    func.func @main(%x: tensor<2x3x16xf32>) -> tensor<2x3x16xf32> {
      %y = tenon.kernel @negate(%X = %x) : (tensor<2x3x16xf32>) -> tensor<2x3x16xf32> {
        %empty = tensor.empty() : tensor<2x3x16xf32>
        %0 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>],
                             iterator_types = ["parallel", "parallel", "parallel"]}
            ins(%X : tensor<2x3x16xf32>) outs(%empty : tensor<2x3x16xf32>) {
        ^bb0(%in: f32, %out: f32):
          %1 = arith.negf %in : f32
          linalg.yield %1 : f32
        } -> tensor<2x3x16xf32>
        tenon.yield %0 : tensor<2x3x16xf32>
      }
      return %y : tensor<2x3x16xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<2x3x16xf32>) -> tensor<2x3x16xf32> {
      %y = tenon.kernel @negate(%X = %x) : (tensor<2x3x16xf32>) -> tensor<2x3x16xf32> {
        %rows = tensor.collapse_shape %X [[0, 1, 2]] : tensor<2x3x16xf32> into tensor<96xf32>
        %empty = tensor.empty() : tensor<96xf32>
        %0 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
            ins(%rows : tensor<96xf32>) outs(%empty : tensor<96xf32>) {
        ^bb0(%in: f32, %out: f32):
          %1 = arith.negf %in : f32
          linalg.yield %1 : f32
        } -> tensor<96xf32>
        %expanded = tensor.expand_shape %0 [[0, 1, 2]] output_shape [2, 3, 16] : tensor<96xf32> into tensor<2x3x16xf32>
        tenon.yield %expanded : tensor<2x3x16xf32>
      }
      return %y : tensor<2x3x16xf32>
    }
    ```
    Requires: kernels lowered to linalg.
    Ensures: no two neighbouring loops of a kernel could be one; operands and results of kernels are as before.
    Leaves alone: dimensions that some op of the kernel reads apart: by their index, in another order, one without the other.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
}

def ChooseTileSchedulesPass : Pass<"tenon-choose-tile-schedules", "::mlir::ModuleOp"> {
  let summary = "each kernel gets its schedule on tiles";
  let description = [{
    Why: how a kernel is cut into programs is chosen here, by a database of what was measured or the models of lib/Schedule,
    and stands on the kernel as an attribute; the passes after this one only carry it out, and a choice by hand overrides it.

    Before:
    ```mlir
    func.func @main(%x: tensor<4x16xf32>) -> tensor<4x16xf32> {
      %y = tenon.kernel @negate(%X = %x) : (tensor<4x16xf32>) -> tensor<4x16xf32> {
        %0 = arith.negf %X : tensor<4x16xf32>
        tenon.yield %0 : tensor<4x16xf32>
      }
      return %y : tensor<4x16xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<4x16xf32>) -> tensor<4x16xf32> {
      %y = tenon.kernel @negate(%X = %x) attributes {tenon.schedule = #tile.row<rows = 1, columns = 16, part = 1>} : (tensor<4x16xf32>) -> tensor<4x16xf32> {
        %0 = arith.negf %X : tensor<4x16xf32>
        tenon.yield %0 : tensor<4x16xf32>
      }
      return %y : tensor<4x16xf32>
    }
    ```
    Requires: kernels lowered to linalg.
    Ensures: every kernel with a result has `tenon.schedule`; a remark says why that one.
    Leaves alone: schedules that are there already, but for those that the file `schedules` names: `@kernel = #tile.row<..>`,
    a line each. The database `tuning` is asked for none of these.
  }];
  let options = [Option<"arch", "arch", "std::string", "\"sm_90a\"", "architecture that is chosen for">,
                 Option<"tf32", "tf32", "bool", "false", "f32 products may be rounded to tf32">,
                 Option<"schedules", "schedules", "std::string", "\"\"", "file of schedules by hand">,
                 Option<"tuning", "tuning", "std::string", "\"\"",
                        "file of measured schedules, ahead of those that come with Tenon; none: no measured ones">];
  let dependentDialects = ["::tenon::tile::TileDialect", "::tenon::warp::WarpDialect"];
}

def PackQueriesPass : Pass<"tenon-pack-queries"> {
  let summary = "heads that share their keys are queries of one head, where each has one query";
  let description = [{
    Why: a decoder's step asks one query a head, of keys that several heads share. As heads they are programs of one row,
    each of which reads the keys; as queries they are rows of one program.

    Before:
    ```mlir
    func.func @main(%q: tensor<2x8x1x64xf32>, %k: tensor<2x2x9x64xf32>, %v: tensor<2x2x9x64xf32>) -> tensor<2x8x1x64xf32> {
      %y = tenon.kernel @attention(%Q = %q, %K = %k, %V = %v) : (tensor<2x8x1x64xf32>, tensor<2x2x9x64xf32>, tensor<2x2x9x64xf32>) -> tensor<2x8x1x64xf32> {
        %0 = tenon.attention %Q, %K, %V {causal} : (tensor<2x8x1x64xf32>, tensor<2x2x9x64xf32>, tensor<2x2x9x64xf32>) -> tensor<2x8x1x64xf32>
        tenon.yield %0 : tensor<2x8x1x64xf32>
      }
      return %y : tensor<2x8x1x64xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%q: tensor<2x8x1x64xf32>, %k: tensor<2x2x9x64xf32>, %v: tensor<2x2x9x64xf32>) -> tensor<2x8x1x64xf32> {
      %y = tenon.kernel @attention(%Q = %q, %K = %k, %V = %v) : (tensor<2x8x1x64xf32>, tensor<2x2x9x64xf32>, tensor<2x2x9x64xf32>) -> tensor<2x8x1x64xf32> {
        %wide = tensor.expand_shape %Q [[0], [1, 2], [3], [4]] output_shape [2, 2, 4, 1, 64] : tensor<2x8x1x64xf32> into tensor<2x2x4x1x64xf32>
        %queries = tensor.collapse_shape %wide [[0], [1], [2, 3], [4]] : tensor<2x2x4x1x64xf32> into tensor<2x2x4x64xf32>
        %0 = tenon.attention %queries, %K, %V : (tensor<2x2x4x64xf32>, tensor<2x2x9x64xf32>, tensor<2x2x9x64xf32>) -> tensor<2x2x4x64xf32>
        %1 = tensor.expand_shape %0 [[0], [1], [2, 3], [4]] output_shape [2, 2, 4, 1, 64] : tensor<2x2x4x64xf32> into tensor<2x2x4x1x64xf32>
        %2 = tensor.collapse_shape %1 [[0], [1, 2], [3], [4]] : tensor<2x2x4x1x64xf32> into tensor<2x8x1x64xf32>
        tenon.yield %2 : tensor<2x8x1x64xf32>
      }
      return %y : tensor<2x8x1x64xf32>
    }
    ```
    Requires: kernels lowered to linalg.
    Ensures: where every head has one query, no two heads have the same keys. One query is the last: causality hides no key
    of it, and is not asked for any more.
    Leaves alone: attention with a window, or with a mask for some of the heads; more queries than one.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
}

def PackValuesPass : Pass<"tenon-pack-values", "::mlir::ModuleOp"> {
  let summary = "8-bit values of an attention are transposed by a kernel ahead";
  let description = [{
    Why: matrix instructions take 8-bit operands with their depth innermost, four of it in a row a thread. The depth of an
    attention's second product are the keys: values come transposed, with the keys in the order in which threads have the
    powers (`tenon.pack_values`).

    Before:
    ```mlir
    func.func @main(%q: tensor<1x2x64x64xf8E4M3FN>, %k: tensor<1x2x72x64xf8E4M3FN>, %v: tensor<1x2x72x64xf8E4M3FN>) -> tensor<1x2x64x64xbf16> {
      %y = tenon.kernel @attention(%Q = %q, %K = %k, %V = %v) : (tensor<1x2x64x64xf8E4M3FN>, tensor<1x2x72x64xf8E4M3FN>, tensor<1x2x72x64xf8E4M3FN>) -> tensor<1x2x64x64xbf16> {
        %0 = tenon.attention %Q, %K, %V : (tensor<1x2x64x64xf8E4M3FN>, tensor<1x2x72x64xf8E4M3FN>, tensor<1x2x72x64xf8E4M3FN>) -> tensor<1x2x64x64xbf16>
        tenon.yield %0 : tensor<1x2x64x64xbf16>
      }
      return %y : tensor<1x2x64x64xbf16>
    }
    ```
    After:
    ```mlir
    func.func @main(%q: tensor<1x2x64x64xf8E4M3FN>, %k: tensor<1x2x72x64xf8E4M3FN>, %v: tensor<1x2x72x64xf8E4M3FN>) -> tensor<1x2x64x64xbf16> {
      %p = tenon.kernel @attention_values(%V = %v) attributes {tenon.bytes = affine_map<() -> (19456)>, tenon.flops = affine_map<() -> (0)>, tenon.schedule = #tile.row<rows = 64, columns = 256, part = 256>} : (tensor<1x2x72x64xf8E4M3FN>) -> tensor<1x2x64x80xf8E4M3FN> {
        %0 = tenon.pack_values %V : (tensor<1x2x72x64xf8E4M3FN>) -> tensor<1x2x64x80xf8E4M3FN>
        tenon.yield %0 : tensor<1x2x64x80xf8E4M3FN>
      }
      %y = tenon.kernel @attention(%Q = %q, %K = %k, %P = %p) attributes {tenon.bytes = affine_map<() -> (44032)>, tenon.flops = affine_map<() -> (2405376)>} : (tensor<1x2x64x64xf8E4M3FN>, tensor<1x2x72x64xf8E4M3FN>, tensor<1x2x64x80xf8E4M3FN>) -> tensor<1x2x64x64xbf16> {
        %0 = tenon.attention %Q, %K, %P {packed} : (tensor<1x2x64x64xf8E4M3FN>, tensor<1x2x72x64xf8E4M3FN>, tensor<1x2x64x80xf8E4M3FN>) -> tensor<1x2x64x64xbf16>
        tenon.yield %0 : tensor<1x2x64x64xbf16>
      }
      return %y : tensor<1x2x64x64xbf16>
    }
    ```
    Requires: kernels lowered to linalg.
    Ensures: attention of 8-bit floats has packed values, where the architecture multiplies such floats.
    Leaves alone: attention with numbers or sizes of heads that are known only at run time, to few queries, or with values in
    pages, and all on other architectures: a missed remark says that they multiply in f16.
  }];
  let options = [Option<"arch", "arch", "std::string", "\"sm_90a\"", "architecture that is compiled for">];
  let dependentDialects = ["::tenon::tile::TileDialect"];
}

def SplitDepthPass : Pass<"tenon-split-depth", "::mlir::ModuleOp"> {
  let summary = "programs share the depth of products that are few programs";
  let description = [{
    Why: a decoder's product of one row by 4096 columns is 64 programs for 132 multiprocessors; with the depth in four
    parts it is 256, and memory is busy. The parts' sums are one more dimension of the batch; a kernel of rows adds them.

    Before:
    ```mlir
    func.func @main(%x: tensor<4x64xf32>, %w: tensor<8x64xf32>) -> tensor<4x8xf32> {
      %y = tenon.kernel @linear(%X = %x, %W = %w) attributes {tenon.schedule = #tile.gemm<rows = 16, columns = 16, depth = 16, split_k = 2>} : (tensor<4x64xf32>, tensor<8x64xf32>) -> tensor<4x8xf32> {
        %zero = arith.constant 0.0 : f32
        %empty = tensor.empty() : tensor<4x8xf32>
        %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<4x8xf32>) -> tensor<4x8xf32>
        %0 = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>],
                             iterator_types = ["parallel", "parallel", "reduction"]}
            ins(%X, %W : tensor<4x64xf32>, tensor<8x64xf32>) outs(%init : tensor<4x8xf32>) {
        ^bb0(%a: f32, %b: f32, %c: f32):
          %p = arith.mulf %a, %b : f32
          %s = arith.addf %c, %p : f32
          linalg.yield %s : f32
        } -> tensor<4x8xf32>
        tenon.yield %0 : tensor<4x8xf32>
      }
      return %y : tensor<4x8xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<4x64xf32>, %w: tensor<8x64xf32>) -> tensor<4x8xf32> {
      %p = tenon.kernel @linear_parts(%X = %x, %W = %w) attributes {tenon.bytes = affine_map<() -> (3328)>, tenon.flops = affine_map<() -> (4096)>, tenon.schedule = #tile.gemm<rows = 16, columns = 16, depth = 16>} : (tensor<4x64xf32>, tensor<8x64xf32>) -> tensor<2x4x8xf32> {
        %zero = arith.constant 0.0 : f32
        %x2 = tensor.expand_shape %X [[0], [1, 2]] output_shape [4, 2, 32] : tensor<4x64xf32> into tensor<4x2x32xf32>
        %w2 = tensor.expand_shape %W [[0], [1, 2]] output_shape [8, 2, 32] : tensor<8x64xf32> into tensor<8x2x32xf32>
        %empty = tensor.empty() : tensor<2x4x8xf32>
        %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<2x4x8xf32>) -> tensor<2x4x8xf32>
        %0 = linalg.generic {indexing_maps = [affine_map<(s, m, n, k) -> (m, s, k)>, affine_map<(s, m, n, k) -> (n, s, k)>, affine_map<(s, m, n, k) -> (s, m, n)>],
                             iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
            ins(%x2, %w2 : tensor<4x2x32xf32>, tensor<8x2x32xf32>) outs(%init : tensor<2x4x8xf32>) {
        ^bb0(%a: f32, %b: f32, %c: f32):
          %q = arith.mulf %a, %b : f32
          %s = arith.addf %c, %q : f32
          linalg.yield %s : f32
        } -> tensor<2x4x8xf32>
        tenon.yield %0 : tensor<2x4x8xf32>
      }
      %y = tenon.kernel @linear_sum(%P = %p) attributes {tenon.bytes = affine_map<() -> (384)>, tenon.flops = affine_map<() -> (64)>, tenon.schedule = #tile.row<rows = 1, columns = 8, part = 2>, tenon.sum_of_parts} : (tensor<2x4x8xf32>) -> tensor<4x8xf32> {
        %zero = arith.constant 0.0 : f32
        %empty = tensor.empty() : tensor<4x8xf32>
        %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<4x8xf32>) -> tensor<4x8xf32>
        %0 = linalg.generic {indexing_maps = [affine_map<(m, n, s) -> (s, m, n)>, affine_map<(m, n, s) -> (m, n)>],
                             iterator_types = ["parallel", "parallel", "reduction"]}
            ins(%P : tensor<2x4x8xf32>) outs(%init : tensor<4x8xf32>) {
        ^bb0(%in: f32, %out: f32):
          %s = arith.addf %out, %in : f32
          linalg.yield %s : f32
        } -> tensor<4x8xf32>
        tenon.yield %0 : tensor<4x8xf32>
      }
      return %y : tensor<4x8xf32>
    }
    ```
    Requires: kernels with schedules (tenon-choose-tile-schedules).
    Ensures: no kernel's schedule has a `split_k` over 1, but those that are `joined` or `by_last` and can be.
    Leaves alone: products whose schedule has none, and those whose programs add up the sum themselves, as CTAs of a
    cluster (`joined`) or whoever comes last (`by_last`). Where they cannot, or the depth is not known to be a multiple of the split, a missed remark says so.
  }];
  let options = [Option<"arch", "arch", "std::string", "\"sm_90a\"", "architecture that the sums' tiles are chosen for">,
                 Option<"tf32", "tf32", "bool", "false", "f32 products may be rounded to tf32">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect",
                           "::tenon::tile::TileDialect"];
}

def JoinConcatsPass : Pass<"tenon-join-concats", "::mlir::ModuleOp"> {
  let summary = "a concatenation of rows is read from its parts";
  let description = [{
    Why: a token put before others is a launch that only copies, and what comes next, positions that are added or a norm,
    reads the copy. A program that works on rows has each from the part that it is of.

    Before:
    ```mlir
    func.func @main(%x: tensor<1x8xf32>, %y: tensor<3x8xf32>) -> tensor<4x8xf32> {
      %c = tenon.kernel @concat(%X = %x, %Y = %y) : (tensor<1x8xf32>, tensor<3x8xf32>) -> tensor<4x8xf32> {
        %empty = tensor.empty() : tensor<4x8xf32>
        %0 = tensor.insert_slice %X into %empty[0, 0] [1, 8] [1, 1] : tensor<1x8xf32> into tensor<4x8xf32>
        %1 = tensor.insert_slice %Y into %0[1, 0] [3, 8] [1, 1] : tensor<3x8xf32> into tensor<4x8xf32>
        tenon.yield %1 : tensor<4x8xf32>
      }
      %n = tenon.kernel @neg(%C = %c) : (tensor<4x8xf32>) -> tensor<4x8xf32> {
        %empty = tensor.empty() : tensor<4x8xf32>
        %0 = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]}
            ins(%C : tensor<4x8xf32>) outs(%empty : tensor<4x8xf32>) {
        ^bb0(%in: f32, %out: f32):
          %s = arith.negf %in : f32
          linalg.yield %s : f32
        } -> tensor<4x8xf32>
        tenon.yield %0 : tensor<4x8xf32>
      }
      return %n : tensor<4x8xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<1x8xf32>, %y: tensor<3x8xf32>) -> tensor<4x8xf32> {
      %n = tenon.kernel @concat_read_by_neg(%X = %x, %Y = %y) attributes {tenon.bytes = affine_map<() -> (256)>, tenon.flops = affine_map<() -> (0)>} : (tensor<1x8xf32>, tensor<3x8xf32>) -> tensor<4x8xf32> {
        %empty = tensor.empty() : tensor<4x8xf32>
        %0 = tensor.insert_slice %X into %empty[0, 0] [1, 8] [1, 1] : tensor<1x8xf32> into tensor<4x8xf32>
        %1 = tensor.insert_slice %Y into %0[1, 0] [3, 8] [1, 1] : tensor<3x8xf32> into tensor<4x8xf32>
        %empty2 = tensor.empty() : tensor<4x8xf32>
        %2 = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]}
            ins(%1 : tensor<4x8xf32>) outs(%empty2 : tensor<4x8xf32>) {
        ^bb0(%in: f32, %out: f32):
          %s = arith.negf %in : f32
          linalg.yield %s : f32
        } -> tensor<4x8xf32>
        tenon.yield %2 : tensor<4x8xf32>
      }
      return %n : tensor<4x8xf32>
    }
    ```
    Requires: sizes resolved (tenon-resolve-sizes).
    Ensures: kernels compute what they did, and those of one name are equal.
    Leaves alone: parts of rows, more than 8 parts, sizes known only at run time, what several read or the model gives, readers that multiply,
    cut or turn what they read, or look elements up in it, what is computed of weights alone, and kernels that have a
    schedule, go the general path or were refused as machine code.
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
}

def JoinGatesPass : Pass<"tenon-join-gates", "::mlir::ModuleOp"> {
  let summary = "both halves of a gated product are computed by one program";
  let description = [{
    Why: a gated activation reads the two halves of a product's columns. As two kernels the product is written, and read
    again by a launch of its own. One program can compute the same columns of both halves in one loop.

    Before:
    ```mlir
    func.func @main(%x: tensor<4x64xf32>, %w: tensor<32x64xf32>) -> tensor<4x16xf32> {
      %p = tenon.kernel @linear(%X = %x, %W = %w) : (tensor<4x64xf32>, tensor<32x64xf32>) -> tensor<4x32xf32> {
        %zero = arith.constant 0.0 : f32
        %empty = tensor.empty() : tensor<4x32xf32>
        %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<4x32xf32>) -> tensor<4x32xf32>
        %0 = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>],
                             iterator_types = ["parallel", "parallel", "reduction"]}
            ins(%X, %W : tensor<4x64xf32>, tensor<32x64xf32>) outs(%init : tensor<4x32xf32>) {
        ^bb0(%a: f32, %b: f32, %c: f32):
          %q = arith.mulf %a, %b : f32
          %s = arith.addf %c, %q : f32
          linalg.yield %s : f32
        } -> tensor<4x32xf32>
        tenon.yield %0 : tensor<4x32xf32>
      }
      %y = tenon.kernel @gate(%P = %p) : (tensor<4x32xf32>) -> tensor<4x16xf32> {
        %g = tensor.extract_slice %P[0, 0] [4, 16] [1, 1] : tensor<4x32xf32> to tensor<4x16xf32>
        %u = tensor.extract_slice %P[0, 16] [4, 16] [1, 1] : tensor<4x32xf32> to tensor<4x16xf32>
        %empty = tensor.empty() : tensor<4x16xf32>
        %0 = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>],
                             iterator_types = ["parallel", "parallel"]}
            ins(%g, %u : tensor<4x16xf32>, tensor<4x16xf32>) outs(%empty : tensor<4x16xf32>) {
        ^bb0(%a: f32, %b: f32, %c: f32):
          %t = math.tanh %a : f32
          %q = arith.mulf %t, %b : f32
          linalg.yield %q : f32
        } -> tensor<4x16xf32>
        tenon.yield %0 : tensor<4x16xf32>
      }
      return %y : tensor<4x16xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<4x64xf32>, %w: tensor<32x64xf32>) -> tensor<4x16xf32> {
      %y = tenon.kernel @linear_gated_gate(%X = %x, %W = %w) attributes {tenon.bytes = affine_map<() -> (9472)>, tenon.flops = affine_map<() -> (16512)>} : (tensor<4x64xf32>, tensor<32x64xf32>) -> tensor<4x16xf32> {
        %zero = arith.constant 0.0 : f32
        %empty = tensor.empty() : tensor<4x32xf32>
        %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<4x32xf32>) -> tensor<4x32xf32>
        %p = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>],
                             iterator_types = ["parallel", "parallel", "reduction"]}
            ins(%X, %W : tensor<4x64xf32>, tensor<32x64xf32>) outs(%init : tensor<4x32xf32>) {
        ^bb0(%a: f32, %b: f32, %c: f32):
          %q = arith.mulf %a, %b : f32
          %s = arith.addf %c, %q : f32
          linalg.yield %s : f32
        } -> tensor<4x32xf32>
        %g = tensor.extract_slice %p[0, 0] [4, 16] [1, 1] : tensor<4x32xf32> to tensor<4x16xf32>
        %u = tensor.extract_slice %p[0, 16] [4, 16] [1, 1] : tensor<4x32xf32> to tensor<4x16xf32>
        %empty1 = tensor.empty() : tensor<4x16xf32>
        %0 = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>],
                             iterator_types = ["parallel", "parallel"]}
            ins(%g, %u : tensor<4x16xf32>, tensor<4x16xf32>) outs(%empty1 : tensor<4x16xf32>) {
        ^bb0(%a: f32, %b: f32, %c: f32):
          %t = math.tanh %a : f32
          %q = arith.mulf %t, %b : f32
          linalg.yield %q : f32
        } -> tensor<4x16xf32>
        tenon.yield %0 : tensor<4x16xf32>
      }
      return %y : tensor<4x16xf32>
    }
    ```
    Requires: dimensions as programs have them (tenon-collapse-dimensions).
    Ensures: a joined kernel's program has one loop over the depth with a dot for each half (tenon-tile-kernels).
    Leaves alone: results that others read, too, or read otherwise than as two halves; sizes known only at run time; products
    whose code was refused before.
  }];
}

def JoinLaunchesPass : Pass<"tenon-join-launches", "::mlir::ModuleOp"> {
  let summary = "small kernels that do not need one another are one launch";
  let description = [{
    Why: a decode step rotates queries, rotates and appends keys, and appends values: three launches in a row that do not
    need one another, each of a microsecond or two in which few multiprocessors have anything to do. Its angles go with
    the first norm, whose rows several warps share.

    Before:
    ```mlir
    func.func @main(%x: tensor<4x64xf32>, %z: tensor<3x64xf32>) -> (tensor<4x64xf32>, tensor<3x64xf32>) {
      %y = tenon.launch @kernels::@negate(%x) : (tensor<4x64xf32>) -> tensor<4x64xf32>
      %e = tenon.launch @kernels::@exp(%z) : (tensor<3x64xf32>) -> tensor<3x64xf32>
      return %y, %e : tensor<4x64xf32>, tensor<3x64xf32>
    }
    module @kernels {
      tile.kernel @negate(%X: !tile.view<4x64xf32>, %Y: !tile.view<4x64xf32>) attributes {tenon.bytes = affine_map<() -> (2048)>, tenon.flops = affine_map<() -> (256)>} {
        %c0 = arith.constant 0 : index
        %c4 = arith.constant 4 : index
        tile.grid (%i) = (%c4) {
          %x = tile.load %X[%i, %c0] : !tile.view<4x64xf32> -> tensor<64xf32>
          %y = arith.negf %x : tensor<64xf32>
          tile.store %y, %Y[%i, %c0] : tensor<64xf32>, !tile.view<4x64xf32>
        }
      }
      tile.kernel @exp(%X: !tile.view<3x64xf32>, %Y: !tile.view<3x64xf32>) attributes {tenon.bytes = affine_map<() -> (1536)>, tenon.flops = affine_map<() -> (192)>} {
        %c0 = arith.constant 0 : index
        %c3 = arith.constant 3 : index
        tile.grid (%i) = (%c3) {
          %x = tile.load %X[%i, %c0] : !tile.view<3x64xf32> -> tensor<64xf32>
          %y = math.exp %x : tensor<64xf32>
          tile.store %y, %Y[%i, %c0] : tensor<64xf32>, !tile.view<3x64xf32>
        }
      }
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<4x64xf32>, %z: tensor<3x64xf32>) -> (tensor<4x64xf32>, tensor<3x64xf32>) {
      %r:2 = tenon.launch @kernels::@negate_and_exp(%x, %z) : (tensor<4x64xf32>, tensor<3x64xf32>) -> (tensor<4x64xf32>, tensor<3x64xf32>)
      return %r#0, %r#1 : tensor<4x64xf32>, tensor<3x64xf32>
    }
    module @kernels {
      tile.kernel @negate_and_exp(%X: !tile.view<4x64xf32>, %Z: !tile.view<3x64xf32>, %Y: !tile.view<4x64xf32>, %E: !tile.view<3x64xf32>) attributes {tenon.bytes = affine_map<() -> (3584)>, tenon.flops = affine_map<() -> (448)>} {
        %c0 = arith.constant 0 : index
        %c4 = arith.constant 4 : index
        %c3 = arith.constant 3 : index
        %c7 = arith.constant 7 : index
        tile.grid (%i) = (%c7) {
          %isFirst = arith.cmpi ult, %i, %c4 : index
          scf.if %isFirst {
            %n = arith.remui %i, %c4 : index
            %x = tile.load %X[%n, %c0] : !tile.view<4x64xf32> -> tensor<64xf32>
            %y = arith.negf %x : tensor<64xf32>
            tile.store %y, %Y[%n, %c0] : tensor<64xf32>, !tile.view<4x64xf32>
          } else {
            %m = arith.subi %i, %c4 : index
            %n = arith.remui %m, %c3 : index
            %x = tile.load %Z[%n, %c0] : !tile.view<3x64xf32> -> tensor<64xf32>
            %y = math.exp %x : tensor<64xf32>
            tile.store %y, %E[%n, %c0] : tensor<64xf32>, !tile.view<3x64xf32>
          }
        }
      }
    }
    ```
    Requires: programs on tiles (tenon-tile-kernels).
    Ensures: each launch is where the first of its kernels was. Kernels that nobody launches any more are gone.
    Leaves alone: products, two kernels with tiles of more elements than one warp computes, kernels that move megabytes, sizes known only at
    run time, kernels that run when the model is loaded, and what is updated in place and read in between.
  }];
  let dependentDialects = ["::tenon::tile::TileDialect", "::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect"];
}

def JoinSumsPass : Pass<"tenon-join-sums", "::mlir::ModuleOp"> {
  let summary = "parts are added by who reads the sum";
  let description = [{
    Why: a kernel that adds a product's parts stores rows that a norm loads again: two launches of a few microseconds, of
    which most is waiting.

    Before:
    ```mlir
    func.func @main(%p: tensor<2x4x8xf32>) -> tensor<4x8xf32> {
      %y = tenon.kernel @linear_sum(%P = %p) attributes {tenon.schedule = #tile.row<rows = 1, columns = 8, part = 2>, tenon.sum_of_parts} : (tensor<2x4x8xf32>) -> tensor<4x8xf32> {
        %zero = arith.constant 0.0 : f32
        %empty = tensor.empty() : tensor<4x8xf32>
        %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<4x8xf32>) -> tensor<4x8xf32>
        %0 = linalg.generic {indexing_maps = [affine_map<(m, n, s) -> (s, m, n)>, affine_map<(m, n, s) -> (m, n)>],
                             iterator_types = ["parallel", "parallel", "reduction"]}
            ins(%P : tensor<2x4x8xf32>) outs(%init : tensor<4x8xf32>) {
        ^bb0(%in: f32, %out: f32):
          %s = arith.addf %out, %in : f32
          linalg.yield %s : f32
        } -> tensor<4x8xf32>
        tenon.yield %0 : tensor<4x8xf32>
      }
      %n = tenon.kernel @scaled(%X = %y) attributes {tenon.schedule = #tile.row<rows = 1, columns = 8, part = 1>} : (tensor<4x8xf32>) -> tensor<4x8xf32> {
        %lowest = arith.constant 0xFF800000 : f32
        %empty = tensor.empty() : tensor<4xf32>
        %init = linalg.fill ins(%lowest : f32) outs(%empty : tensor<4xf32>) -> tensor<4xf32>
        %largest = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m)>], iterator_types = ["parallel", "reduction"]}
            ins(%X : tensor<4x8xf32>) outs(%init : tensor<4xf32>) {
        ^bb0(%in: f32, %out: f32):
          %s = arith.maximumf %out, %in : f32
          linalg.yield %s : f32
        } -> tensor<4xf32>
        %all = tensor.empty() : tensor<4x8xf32>
        %0 = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m)>, affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]}
            ins(%X, %largest : tensor<4x8xf32>, tensor<4xf32>) outs(%all : tensor<4x8xf32>) {
        ^bb0(%x: f32, %m: f32, %out: f32):
          %s = arith.divf %x, %m : f32
          linalg.yield %s : f32
        } -> tensor<4x8xf32>
        tenon.yield %0 : tensor<4x8xf32>
      }
      return %n : tensor<4x8xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%p: tensor<2x4x8xf32>) -> tensor<4x8xf32> {
      %n = tenon.kernel @linear_sum_scaled(%P = %p) attributes {tenon.bytes = affine_map<() -> (384)>, tenon.flops = affine_map<() -> (128)>, tenon.schedule = #tile.row<rows = 1, columns = 8, part = 512>} : (tensor<2x4x8xf32>) -> tensor<4x8xf32> {
        %zero = arith.constant 0.0 : f32
        %empty = tensor.empty() : tensor<4x8xf32>
        %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<4x8xf32>) -> tensor<4x8xf32>
        %y = linalg.generic {indexing_maps = [affine_map<(m, n, s) -> (s, m, n)>, affine_map<(m, n, s) -> (m, n)>],
                             iterator_types = ["parallel", "parallel", "reduction"]}
            ins(%P : tensor<2x4x8xf32>) outs(%init : tensor<4x8xf32>) {
        ^bb0(%in: f32, %out: f32):
          %s = arith.addf %out, %in : f32
          linalg.yield %s : f32
        } -> tensor<4x8xf32>
        %lowest = arith.constant 0xFF800000 : f32
        %empty1 = tensor.empty() : tensor<4xf32>
        %init1 = linalg.fill ins(%lowest : f32) outs(%empty1 : tensor<4xf32>) -> tensor<4xf32>
        %largest = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m)>], iterator_types = ["parallel", "reduction"]}
            ins(%y : tensor<4x8xf32>) outs(%init1 : tensor<4xf32>) {
        ^bb0(%in: f32, %out: f32):
          %s = arith.maximumf %out, %in : f32
          linalg.yield %s : f32
        } -> tensor<4xf32>
        %all = tensor.empty() : tensor<4x8xf32>
        %0 = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m)>, affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]}
            ins(%y, %largest : tensor<4x8xf32>, tensor<4xf32>) outs(%all : tensor<4x8xf32>) {
        ^bb0(%x: f32, %m: f32, %out: f32):
          %s = arith.divf %x, %m : f32
          linalg.yield %s : f32
        } -> tensor<4x8xf32>
        tenon.yield %0 : tensor<4x8xf32>
      }
      return %n : tensor<4x8xf32>
    }
    ```
    Requires: split kernels (tenon-split-depth, tenon-split-keys).
    Ensures: no kernel says `tenon.sum_of_parts`. A sum that others read, too, is a second result of the joined kernel.
    So are rows that are computed element by element, or looked up, embeddings say.
    Leaves alone: what no kernel reads first which folds rows of the same shape; sizes known only at run time; what is
    computed when the model is loaded.
  }];
  let options = [Option<"arch", "arch", "std::string", "\"sm_90a\"", "architecture that the tiles of rows are chosen for">];
  let dependentDialects = ["::tenon::tile::TileDialect"];
}

def SplitKeysPass : Pass<"tenon-split-keys", "::mlir::ModuleOp"> {
  let summary = "programs share the keys of attentions that are few programs";
  let description = [{
    Why: a decoder's step over 8 heads of keys is 8 programs for 132 multiprocessors; with the keys in 16 parts it is 128,
    and memory is busy. What an attention's loop carries (maximum, sum, weighted sum) can be put together from parts: each
    program stores its own, and a kernel of rows puts them together.

    Before:
    ```mlir
    func.func @main(%q: tensor<1x2x4x64xbf16>, %k: tensor<1x2x512x64xbf16>, %v: tensor<1x2x512x64xbf16>) -> tensor<1x2x4x64xbf16> {
      %y = tenon.kernel @attention(%Q = %q, %K = %k, %V = %v) attributes {tenon.schedule = #tile.attention<queries = 16, keys = 64, split_keys = 4>} : (tensor<1x2x4x64xbf16>, tensor<1x2x512x64xbf16>, tensor<1x2x512x64xbf16>) -> tensor<1x2x4x64xbf16> {
        %0 = tenon.attention %Q, %K, %V : (tensor<1x2x4x64xbf16>, tensor<1x2x512x64xbf16>, tensor<1x2x512x64xbf16>) -> tensor<1x2x4x64xbf16>
        tenon.yield %0 : tensor<1x2x4x64xbf16>
      }
      return %y : tensor<1x2x4x64xbf16>
    }
    ```
    After:
    ```mlir
    func.func @main(%q: tensor<1x2x4x64xbf16>, %k: tensor<1x2x512x64xbf16>, %v: tensor<1x2x512x64xbf16>) -> tensor<1x2x4x64xbf16> {
      %p:3 = tenon.kernel @attention_parts(%Q = %q, %K = %k, %V = %v) attributes {tenon.bytes = affine_map<() -> (271616)>, tenon.flops = affine_map<() -> (1069056)>, tenon.schedule = #tile.attention<queries = 16, keys = 64>} : (tensor<1x2x4x64xbf16>, tensor<1x2x512x64xbf16>, tensor<1x2x512x64xbf16>) -> (tensor<4x1x2x4xf32>, tensor<4x1x2x4xf32>, tensor<4x1x2x4x64xf32>) {
        %m, %l, %o = tenon.attention_parts %Q, %K, %V {parts = 4 : i64} : (tensor<1x2x4x64xbf16>, tensor<1x2x512x64xbf16>, tensor<1x2x512x64xbf16>) -> (tensor<4x1x2x4xf32>, tensor<4x1x2x4xf32>, tensor<4x1x2x4x64xf32>)
        tenon.yield %m, %l, %o : tensor<4x1x2x4xf32>, tensor<4x1x2x4xf32>, tensor<4x1x2x4x64xf32>
      }
      %y = tenon.kernel @attention_sum(%M = %p#0, %L = %p#1, %O = %p#2) attributes {tenon.bytes = affine_map<() -> (9472)>, tenon.flops = affine_map<() -> (8864)>, tenon.schedule = #tile.row<rows = 1, columns = 32, part = 4>, tenon.sum_of_parts} : (tensor<4x1x2x4xf32>, tensor<4x1x2x4xf32>, tensor<4x1x2x4x64xf32>) -> tensor<1x2x4x64xbf16> {
        %infinite = arith.constant 0xFF800000 : f32
        %empty = tensor.empty() : tensor<1x2x4xf32>
        %lowest = linalg.fill ins(%infinite : f32) outs(%empty : tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
        %largest = linalg.generic {indexing_maps = [affine_map<(b, h, q, s) -> (s, b, h, q)>, affine_map<(b, h, q, s) -> (b, h, q)>],
                                   iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
            ins(%M : tensor<4x1x2x4xf32>) outs(%lowest : tensor<1x2x4xf32>) {
        ^bb0(%in: f32, %out: f32):
          %0 = arith.maximumf %out, %in : f32
          linalg.yield %0 : f32
        } -> tensor<1x2x4xf32>
        %c0 = arith.constant 0xFF800000 : f32
        %zero = arith.constant 0.0 : f32
        %none = arith.constant 0.0 : f32
        %empty1 = tensor.empty() : tensor<1x2x4xf32>
        %init1 = linalg.fill ins(%none : f32) outs(%empty1 : tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
        %sum = linalg.generic {indexing_maps = [affine_map<(b, h, q, s) -> (s, b, h, q)>, affine_map<(b, h, q, s) -> (b, h, q)>,
                                                affine_map<(b, h, q, s) -> (s, b, h, q)>, affine_map<(b, h, q, s) -> (b, h, q)>],
                               iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
            ins(%M, %largest, %L : tensor<4x1x2x4xf32>, tensor<1x2x4xf32>, tensor<4x1x2x4xf32>) outs(%init1 : tensor<1x2x4xf32>) {
        ^bb0(%maximum: f32, %most: f32, %in: f32, %out: f32):
          %2 = arith.subf %maximum, %most : f32
          %3 = math.exp2 %2 : f32
          %4 = arith.mulf %3, %in : f32
          %5 = arith.addf %out, %4 : f32
          linalg.yield %5 : f32
        } -> tensor<1x2x4xf32>
        %none2 = arith.constant 0.0 : f32
        %empty2 = tensor.empty() : tensor<1x2x4x64xf32>
        %init2 = linalg.fill ins(%none2 : f32) outs(%empty2 : tensor<1x2x4x64xf32>) -> tensor<1x2x4x64xf32>
        %total = linalg.generic {indexing_maps = [affine_map<(b, h, q, d, s) -> (s, b, h, q)>, affine_map<(b, h, q, d, s) -> (b, h, q)>,
                                                  affine_map<(b, h, q, d, s) -> (s, b, h, q, d)>, affine_map<(b, h, q, d, s) -> (b, h, q, d)>],
                                 iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
            ins(%M, %largest, %O : tensor<4x1x2x4xf32>, tensor<1x2x4xf32>, tensor<4x1x2x4x64xf32>) outs(%init2 : tensor<1x2x4x64xf32>) {
        ^bb0(%maximum: f32, %most: f32, %in: f32, %out: f32):
          %2 = arith.subf %maximum, %most : f32
          %3 = math.exp2 %2 : f32
          %4 = arith.mulf %3, %in : f32
          %5 = arith.addf %out, %4 : f32
          linalg.yield %5 : f32
        } -> tensor<1x2x4x64xf32>
        %empty3 = tensor.empty() : tensor<1x2x4x64xbf16>
        %0 = linalg.generic {indexing_maps = [affine_map<(b, h, q, d) -> (b, h, q, d)>, affine_map<(b, h, q, d) -> (b, h, q)>, affine_map<(b, h, q, d) -> (b, h, q, d)>],
                             iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
            ins(%total, %sum : tensor<1x2x4x64xf32>, tensor<1x2x4xf32>) outs(%empty3 : tensor<1x2x4x64xbf16>) {
        ^bb0(%in: f32, %of: f32, %out: bf16):
          %0 = arith.cmpf oeq, %of, %zero : f32
          %1 = arith.divf %in, %of : f32
          %2 = arith.select %0, %zero, %1 : f32
          %3 = arith.truncf %2 : f32 to bf16
          linalg.yield %3 : bf16
        } -> tensor<1x2x4x64xbf16>
        tenon.yield %0 : tensor<1x2x4x64xbf16>
      }
      return %y : tensor<1x2x4x64xbf16>
    }
    ```
    Requires: kernels with schedules (tenon-choose-tile-schedules).
    Ensures: no kernel's schedule has a `split_keys` over 1.
    Leaves alone: attentions whose schedule has none. Where the parts' sizes cannot be said over the model's dimensions, a
    missed remark says so.
  }];
  let options = [Option<"arch", "arch", "std::string", "\"sm_90a\"", "architecture that the tiles of rows are chosen for">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
                           "::mlir::tensor::TensorDialect", "::tenon::tile::TileDialect"];
}

def TileKernelsPass : Pass<"tenon-tile-kernels", "::mlir::ModuleOp"> {
  let summary = "kernels become programs on tiles";
  let description = [{
    Why: what one CTA computes, and where, is one screen of loads, dots, folds and stores; threads, layouts and barriers
    are the business of the level below.

    Before:
    ```mlir
    func.func @main(%x: tensor<4x16xf32>) -> tensor<4x16xf32> {
      %y = tenon.kernel @negate(%X = %x) attributes {tenon.schedule = #tile.row<rows = 4, columns = 16, part = 128>} : (tensor<4x16xf32>) -> tensor<4x16xf32> {
        %empty = tensor.empty() : tensor<4x16xf32>
        %0 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>],
                             iterator_types = ["parallel", "parallel"]} ins(%X : tensor<4x16xf32>) outs(%empty : tensor<4x16xf32>) {
        ^bb0(%in: f32, %out: f32):
          %1 = arith.negf %in : f32
          linalg.yield %1 : f32
        } -> tensor<4x16xf32>
        tenon.yield %0 : tensor<4x16xf32>
      }
      return %y : tensor<4x16xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<4x16xf32>) -> tensor<4x16xf32> {
      %y = tenon.launch @kernels::@negate(%x) : (tensor<4x16xf32>) -> tensor<4x16xf32>
      return %y : tensor<4x16xf32>
    }
    module @kernels {
      tile.kernel @negate(%X: !tile.view<4x16xf32>, %Y: !tile.view<4x16xf32>)
          attributes {tenon.schedule = #tile.row<rows = 4, columns = 16, part = 128>} {
        %c0 = arith.constant 0 : index
        %c1 = arith.constant 1 : index
        tile.grid (%i, %j) = (%c1, %c1) {
          %0 = tile.load %X[%c0, %c0] : !tile.view<4x16xf32> -> tensor<4x16xf32>
          %1 = arith.negf %0 : tensor<4x16xf32>
          tile.store %1, %Y[%c0, %c0] : tensor<4x16xf32>, !tile.view<4x16xf32>
        }
      }
    }
    ```
    Requires: kernels lowered to linalg, schedules chosen (tenon-choose-tile-schedules).
    Ensures: a kernel that has a program is launched by name; programs of one kernel store to disjoint places.
    Leaves alone: kernels with windows, gathers along several dimensions and other ops without a form on tiles, each with a
    missed remark that says why.
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect", "::tenon::tile::TileDialect"];
}

#endif
