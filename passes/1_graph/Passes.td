#ifndef TENON_PASSES_1_GRAPH_PASSES
#define TENON_PASSES_1_GRAPH_PASSES

include "mlir/Pass/PassBase.td"

def FoldConstantsPass : Pass<"tenon-fold-constants", "::mlir::ModuleOp"> {
  let summary = "ops on constants are computed now, where the result is small";
  let description = [{
    Why: exporters leave arithmetic on constants in the graph: a scale as 1 / sqrt(64), a table of frequencies. Each would
    be a launch, and a form that looks for the number would not find it.

    Before:
    ```mlir
    func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
      %d = tenon.constant dense<64.0> : tensor<f32>
      %0 = tenon.rsqrt %d : (tensor<f32>) -> tensor<f32>
      %1 = tenon.mul %x, %0 : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
      return %1 : tensor<4xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
      %0 = tenon.constant dense<0.125> : tensor<f32>
      %1 = tenon.mul %x, %0 : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
      return %1 : tensor<4xf32>
    }
    ```
    Requires: nothing.
    Ensures: no op reads constants alone, but where its result would be over 64 KiB, or over 1 KiB and over four times what
    it reads. Values are the float64 reference's, rounded to the element type op by op.
    Leaves alone: iota, which reads nothing and is cheaper computed than read; weights; what has no defined value (an
    integer divided by 0), with a missed remark.
  }];
}

def MergeProjectionsPass : Pass<"tenon-merge-projections", "::mlir::ModuleOp"> {
  let summary = "query, key and value become one product";
  let description = [{
    Why: three narrow products read the whole input three times, and each alone keeps fewer cores busy. Attention reads the
    parts of the joined result in place; the joining of weights runs once, at load.

    Before:
    ```mlir
    func.func @main(%x: tensor<2x5x8xf32>) -> tensor<2x1x5x8xf32> {
      %wq = tenon.weight "q" : tensor<8x8xf32>
      %wk = tenon.weight "k" : tensor<8x8xf32>
      %q = tenon.linear %x, %wq : (tensor<2x5x8xf32>, tensor<8x8xf32>) -> tensor<2x5x8xf32>
      %k = tenon.linear %x, %wk : (tensor<2x5x8xf32>, tensor<8x8xf32>) -> tensor<2x5x8xf32>
      %qh = tenon.reshape %q : (tensor<2x5x8xf32>) -> tensor<2x1x5x8xf32>
      %kh = tenon.reshape %k : (tensor<2x5x8xf32>) -> tensor<2x1x5x8xf32>
      %r = tenon.attention %qh, %kh, %kh : (tensor<2x1x5x8xf32>, tensor<2x1x5x8xf32>, tensor<2x1x5x8xf32>) -> tensor<2x1x5x8xf32>
      return %r : tensor<2x1x5x8xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<2x5x8xf32>) -> tensor<2x1x5x8xf32> {
      %wq = tenon.weight "q" : tensor<8x8xf32>
      %wk = tenon.weight "k" : tensor<8x8xf32>
      %w = tenon.concat %wq, %wk {axis = 0 : i64} : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<16x8xf32>
      %qk = tenon.linear %x, %w : (tensor<2x5x8xf32>, tensor<16x8xf32>) -> tensor<2x5x16xf32>
      %q, %k = tenon.split %qk {axis = 2 : i64, sizes = array<i64: 8, 8>} : (tensor<2x5x16xf32>) -> (tensor<2x5x8xf32>, tensor<2x5x8xf32>)
      %qh = tenon.reshape %q : (tensor<2x5x8xf32>) -> tensor<2x1x5x8xf32>
      %kh = tenon.reshape %k : (tensor<2x5x8xf32>) -> tensor<2x1x5x8xf32>
      %r = tenon.attention %qh, %kh, %kh : (tensor<2x1x5x8xf32>, tensor<2x1x5x8xf32>, tensor<2x1x5x8xf32>) -> tensor<2x1x5x8xf32>
      return %r : tensor<2x1x5x8xf32>
    }
    ```
    Requires: linears raised (tenon-raise-linear), equal values one value (cse).
    Ensures: linears that read one input, have weights known at load, and whose results attention or rotary embedding alone
    reads, through reshapes and transposes, are one linear and a split. A missing bias beside others is -0.0, which changes no
    sum.
    Leaves alone: a result that anything else reads: it would be copied out of the joined one. A missed remark says so.
  }];
  let options = [Option<"gates", "gates", "bool", "false",
                        "a gated activation's halves of any known number of rows: one program computes both (tenon-join-gates)">];
}

def FoldPositionsPass : Pass<"tenon-fold-positions", "::mlir::ModuleOp"> {
  let summary = "gathers by all positions, or of one element for all, are views; differences of positions are numbers";
  let description = [{
    Why: exporters index masks by positions of batch and key, and type tables by zeros. The first is the mask itself, the
    second one row; as gathers they read index tensors that somebody has to write first. Sequences packed into one are found
    by positions that do not follow each other; where all do, the mask is that of one sequence.

    Before:
    ```mlir
    func.func @main(%t: tensor<4x8xf32>, %x: tensor<2x3x8xf32>) -> tensor<2x3x8xf32> {
      %z = tenon.constant dense<1> : tensor<i64>
      %i = tenon.expand %z : (tensor<i64>) -> tensor<2x3xi64>
      %0 = tenon.embedding %t, %i : (tensor<4x8xf32>, tensor<2x3xi64>) -> tensor<2x3x8xf32>
      %1 = tenon.add %x, %0 : (tensor<2x3x8xf32>, tensor<2x3x8xf32>) -> tensor<2x3x8xf32>
      return %1 : tensor<2x3x8xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%t: tensor<4x8xf32>, %x: tensor<2x3x8xf32>) -> tensor<2x3x8xf32> {
      %0 = tenon.slice %t {starts = array<i64: 1, 0>, ends = array<i64: 2, 8>, steps = array<i64: 1, 1>} : (tensor<4x8xf32>) -> tensor<1x8xf32>
      %1 = tenon.reshape %0 : (tensor<1x8xf32>) -> tensor<8xf32>
      %2 = tenon.add %x, %1 : (tensor<2x3x8xf32>, tensor<8xf32>) -> tensor<2x3x8xf32>
      return %2 : tensor<2x3x8xf32>
    }
    ```
    Requires: canonical IR; dynamic dimensions named where positions are to be known as all of a dimension.
    Ensures: gather_nd by all positions of each dimension that it names, in order, or by the one position of a dimension of
    size 1, is a reshape and an expand; a gather of one
    number from a splat is the splat; an embedding of one row for all is that row, expanded; the first elements of a
    constant 0, 1, 2, .. are an iota; a sum or difference of positions that is one number is that number, expanded.
    Leaves alone: indices that are positions of another size, in another order or from another start, and one row of a table
    that is out of its range.
  }];
}

def PropagateTransposesPass : Pass<"tenon-propagate-transposes", "::mlir::ModuleOp"> {
  let summary = "transposes and reshapes move down to where they cancel or are absorbed";
  let description = [{
    Why: a transpose copies a whole tensor unless a matmul takes it as an attribute, attention as an address, or another
    transpose undoes it. What stands between hides it from them, and keeps pointwise work from the product before.

    Before:
    ```mlir
    func.func @main(%x: tensor<2x5x4x8xf32>, %k: tensor<2x4x5x8xf32>, %c: tensor<8xf32>) -> tensor<2x4x5x5xf32> {
      %0 = tenon.transpose %x {permutation = array<i64: 0, 2, 1, 3>} : (tensor<2x5x4x8xf32>) -> tensor<2x4x5x8xf32>
      %1 = tenon.mul %0, %c : (tensor<2x4x5x8xf32>, tensor<8xf32>) -> tensor<2x4x5x8xf32>
      %2 = tenon.transpose %k {permutation = array<i64: 0, 1, 3, 2>} : (tensor<2x4x5x8xf32>) -> tensor<2x4x8x5xf32>
      %3 = tenon.matmul %1, %2 : (tensor<2x4x5x8xf32>, tensor<2x4x8x5xf32>) -> tensor<2x4x5x5xf32>
      return %3 : tensor<2x4x5x5xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<2x5x4x8xf32>, %k: tensor<2x4x5x8xf32>, %c: tensor<8xf32>) -> tensor<2x4x5x5xf32> {
      %0 = tenon.mul %x, %c : (tensor<2x5x4x8xf32>, tensor<8xf32>) -> tensor<2x5x4x8xf32>
      %1 = tenon.transpose %0 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<2x5x4x8xf32>) -> tensor<2x4x5x8xf32>
      %2 = tenon.matmul %1, %k {transpose_b} : (tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>) -> tensor<2x4x5x5xf32>
      return %2 : tensor<2x4x5x5xf32>
    }
    ```
    Requires: attention and linears raised: their forms are matched with transposes where exporters put them.
    Ensures: no pointwise op, rope or norm reads a transpose of its own where the other operands follow by a reshape at most
    and, of rope and norms, rows stay rows; no op of one tensor and numbers reads a reshape of a computed value; a matmul
    reads or gives no matrix transposed; a transpose moves more than sizes of 1.
    Leaves alone: a transpose that others read, too; one of the result of attention, which attention writes through.
  }];
}

def RaiseActivationsPass : Pass<"tenon-raise-activations", "::mlir::ModuleOp"> {
  let summary = "gelu, silu, quick_gelu, sigmoid and the gated forms taken apart become one op";
  let description = [{
    Why: apart, an activation is four to eight ops, each of which rounds to the storage type, and no target knows that their
    composition is smooth and bounded. As one op it is one polynomial at the end of a product.

    Before:
    ```mlir
    func.func @main(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
      %half = tenon.constant dense<0.5> : tensor<f32>
      %root = tenon.constant dense<0.70710678> : tensor<f32>
      %one = tenon.constant dense<1.0> : tensor<f32>
      %0 = tenon.mul %x, %root : (tensor<4x8xf32>, tensor<f32>) -> tensor<4x8xf32>
      %1 = tenon.erf %0 : (tensor<4x8xf32>) -> tensor<4x8xf32>
      %2 = tenon.add %1, %one : (tensor<4x8xf32>, tensor<f32>) -> tensor<4x8xf32>
      %3 = tenon.mul %x, %half : (tensor<4x8xf32>, tensor<f32>) -> tensor<4x8xf32>
      %4 = tenon.mul %3, %2 : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
      return %4 : tensor<4x8xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
      %0 = tenon.gelu %x : (tensor<4x8xf32>) -> tensor<4x8xf32>
      return %0 : tensor<4x8xf32>
    }
    ```
    Requires: canonical IR with equal values one value (cse).
    Ensures: the products x/2 (1 + erf(x/sqrt(2))), x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))), x sigmoid(x) and
    x sigmoid(1.702 x), in any order and bracketing, are gelu, silu and quick_gelu; 1 / (1 + exp(-x)) is sigmoid; silu or
    gelu times a value of the same shape is swiglu or geglu. Constants may be rounded to the element type, or to f32.
    Leaves alone: with a missed remark, a form whose parts others read; without one, other constants.
  }];
}

def RaiseAttentionPass : Pass<"tenon-raise-attention", "::mlir::ModuleOp"> {
  let summary = "matmul, softmax, matmul become attention; masks of positions become attributes";
  let description = [{
    Why: apart, the score matrix is written and read for the scale, the mask, the softmax and the second product. As one op it
    never exists, and what a causal mask hides is not computed.

    Before:
    ```mlir
    func.func @main(%q: tensor<1x2x5x8xf32>, %k: tensor<1x2x5x8xf32>, %v: tensor<1x2x5x8xf32>, %m: tensor<5xf32>) -> tensor<1x2x5x8xf32> {
      %c = tenon.constant dense<0.25> : tensor<f32>
      %0 = tenon.matmul %q, %k {transpose_b} : (tensor<1x2x5x8xf32>, tensor<1x2x5x8xf32>) -> tensor<1x2x5x5xf32>
      %1 = tenon.mul %0, %c : (tensor<1x2x5x5xf32>, tensor<f32>) -> tensor<1x2x5x5xf32>
      %2 = tenon.add %1, %m : (tensor<1x2x5x5xf32>, tensor<5xf32>) -> tensor<1x2x5x5xf32>
      %3 = tenon.softmax %2 {axis = 3 : i64} : (tensor<1x2x5x5xf32>) -> tensor<1x2x5x5xf32>
      %4 = tenon.matmul %3, %v : (tensor<1x2x5x5xf32>, tensor<1x2x5x8xf32>) -> tensor<1x2x5x8xf32>
      return %4 : tensor<1x2x5x8xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%q: tensor<1x2x5x8xf32>, %k: tensor<1x2x5x8xf32>, %v: tensor<1x2x5x8xf32>, %m: tensor<5xf32>) -> tensor<1x2x5x8xf32> {
      %0 = tenon.attention %q, %k, %v mask(%m) {scale = 0.25 : f64} : (tensor<1x2x5x8xf32>, tensor<1x2x5x8xf32>, tensor<1x2x5x8xf32>, tensor<5xf32>) -> tensor<1x2x5x8xf32>
      return %0 : tensor<1x2x5x8xf32>
    }
    ```
    Requires: canonical IR with equal values one value (cse), softmax raised (tenon-raise-softmax), heads not flattened into
    the batch (tenon-sink-reshapes).
    Ensures: a softmax over scores between two products, which nothing else reads, is an attention: with a scale on scores,
    query or key, before the mask; with a soft cap, c tanh(scores / c), before the mask; with a mask that is added, or selects -Inf or a number that absorbs every score; keys and
    values repeated for query heads are read unrepeated; a number that query or key alone was multiplied by before its heads
    were cut is part of the scale. Masks by position become `causal` and `window`, and of lengths `key_lengths` and
    `query_lengths`: places compared with integers of the batch, by themselves or among conditions joined by `and`, behind
    views. Where queries begin at such an integer keys end at the last one's place, and the mask stays. A row that sees no key gives 0 where the decomposed form gives NaN; 16-bit floats lose the roundings in between.
    Leaves alone: with a missed remark, scores that others read, two masks, a scale or a cap after the mask, a mask whose hidden
    number tells scores apart, batches that differ. A mask in which a finite number hides stays a float mask, and one that is
    data a mask.
  }];
}

def ConvolutionToLinearPass : Pass<"tenon-convolution-to-linear", "::mlir::ModuleOp"> {
  let summary = "a convolution whose windows touch and do not overlap becomes a linear of patches";
  let description = [{
    Why: a vision model's first layer cuts a picture into patches. As a product of rows, a patch each, it runs at the speed of
    one; as a convolution no target has a fast form of it. The transposes around are views, or undone by the model's own.

    Before:
    ```mlir
    func.func @main(%x: tensor<2x3x4x6xf32>) -> tensor<2x5x2x2xf32> {
      %w = tenon.weight "w" : tensor<5x3x2x3xf32>
      %0 = tenon.convolution %x, %w {stride = array<i64: 2, 3>, padding = array<i64: 0, 0>, dilation = array<i64: 1, 1>} : (tensor<2x3x4x6xf32>, tensor<5x3x2x3xf32>) -> tensor<2x5x2x2xf32>
      return %0 : tensor<2x5x2x2xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<2x3x4x6xf32>) -> tensor<2x5x2x2xf32> {
      %w = tenon.weight "w" : tensor<5x3x2x3xf32>
      %0 = tenon.reshape %x : (tensor<2x3x4x6xf32>) -> tensor<2x3x2x2x2x3xf32>
      %1 = tenon.transpose %0 {permutation = array<i64: 0, 2, 4, 1, 3, 5>} : (tensor<2x3x2x2x2x3xf32>) -> tensor<2x2x2x3x2x3xf32>
      %2 = tenon.reshape %1 : (tensor<2x2x2x3x2x3xf32>) -> tensor<2x4x18xf32>
      %3 = tenon.reshape %w : (tensor<5x3x2x3xf32>) -> tensor<5x18xf32>
      %4 = tenon.linear %2, %3 : (tensor<2x4x18xf32>, tensor<5x18xf32>) -> tensor<2x4x5xf32>
      %5 = tenon.transpose %4 {permutation = array<i64: 0, 2, 1>} : (tensor<2x4x5xf32>) -> tensor<2x5x4xf32>
      %6 = tenon.reshape %5 : (tensor<2x5x4xf32>) -> tensor<2x5x2x2xf32>
      return %6 : tensor<2x5x2x2xf32>
    }
    ```
    Requires: canonical IR.
    Ensures: every convolution is padded, dilated, in groups, of windows that overlap, leave gaps or do not cover the input,
    or of sizes that are not known. Sums are the same, in the same order.
    Leaves alone: those, with a missed remark each.
  }];
}

def RaiseLinearPass : Pass<"tenon-raise-linear", "::mlir::ModuleOp"> {
  let summary = "matmul with a weight, and the bias after it, become linear";
  let description = [{
    Why: exporters take a linear apart. As one op its weight is known as such and packed once, at load, and the bias is added
    before the one rounding.

    Before:
    ```mlir
    func.func @main(%x: tensor<4x8xf32>) -> tensor<4x16xf32> {
      %w = tenon.weight "w" : tensor<16x8xf32>
      %b = tenon.weight "b" : tensor<16xf32>
      %t = tenon.transpose %w {permutation = array<i64: 1, 0>} : (tensor<16x8xf32>) -> tensor<8x16xf32>
      %0 = tenon.matmul %x, %t : (tensor<4x8xf32>, tensor<8x16xf32>) -> tensor<4x16xf32>
      %1 = tenon.add %b, %0 : (tensor<16xf32>, tensor<4x16xf32>) -> tensor<4x16xf32>
      return %1 : tensor<4x16xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<4x8xf32>) -> tensor<4x16xf32> {
      %w = tenon.weight "w" : tensor<16x8xf32>
      %b = tenon.weight "b" : tensor<16xf32>
      %0 = tenon.linear %x, %w, %b : (tensor<4x8xf32>, tensor<16x8xf32>, tensor<16xf32>) -> tensor<4x16xf32>
      return %0 : tensor<4x16xf32>
    }
    ```
    Requires: canonical IR.
    Ensures: no matmul multiplies floats by a matrix known at load; a sum of a linear that nothing else reads and a bias
    known at load is a linear. A matrix stored [K, N] is transposed by an op on weights. 16-bit floats lose one rounding.
    Leaves alone: products of activations or of integers; with missed remarks a product whose input is read transposed, or
    that others read without the bias, and what is added but is not one number an output.
  }];
}

def RaiseNormsPass : Pass<"tenon-raise-norms", "::mlir::ModuleOp"> {
  let summary = "layer norm and rms norm taken apart become one op";
  let description = [{
    Why: apart, a norm reads its row three or four times and rounds each statistic to the storage type. As one op it is one
    kernel that reads each row once, with statistics in f32.

    Before:
    ```mlir
    func.func @main(%x: tensor<4x8xf32>, %w: tensor<8xf32>) -> tensor<4x8xf32> {
      %e = tenon.constant dense<0.5> : tensor<f32>
      %0 = tenon.square %x : (tensor<4x8xf32>) -> tensor<4x8xf32>
      %1 = tenon.reduce_mean %0 {axes = array<i64: 1>, keep_dims} : (tensor<4x8xf32>) -> tensor<4x1xf32>
      %2 = tenon.add %1, %e : (tensor<4x1xf32>, tensor<f32>) -> tensor<4x1xf32>
      %3 = tenon.rsqrt %2 : (tensor<4x1xf32>) -> tensor<4x1xf32>
      %4 = tenon.mul %x, %3 : (tensor<4x8xf32>, tensor<4x1xf32>) -> tensor<4x8xf32>
      %5 = tenon.mul %w, %4 : (tensor<8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
      return %5 : tensor<4x8xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<4x8xf32>, %w: tensor<8xf32>) -> tensor<4x8xf32> {
      %0 = tenon.rms_norm %x, %w {epsilon = 0.5 : f64} : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
      return %0 : tensor<4x8xf32>
    }
    ```
    Requires: canonical IR with equal values one value (cse).
    Ensures: x over the root of mean(x^2) + epsilon, and the same of x - mean(x), with the root as rsqrt, 1 / sqrt, x / sqrt
    or a power, a mean as reduce_mean or as a sum over its count, and then weight and bias, are rms_norm and layer_norm.
    Casts of 16-bit values to f32 for the norm and back are gone. 16-bit floats lose the roundings in between.
    Leaves alone: with a missed remark, a form whose statistics others read, or that are not over the innermost dimensions;
    without one, epsilon added to the root, and a variance divided by one less than the count.
  }];
}

def RaiseCacheAppendsPass : Pass<"tenon-raise-cache-appends", "::mlir::ModuleOp"> {
  let summary = "a scatter to places that follow each other in a cache becomes an append";
  let description = [{
    Why: a scatter's places are data, so that each row of the result asks all indices. Of an append it is known that one slice
    is written: the rest of the cache stays where it is.

    Before:
    ```mlir
    func.func @main(%c: tensor<2x3x16x8xf32>, %u: tensor<2x3x4x8xf32>, %n: tensor<i64>) -> tensor<2x3x16x8xf32> {
      %0 = tenon.iota {axis = 0 : i64, start = 0.0 : f64, step = 1.0 : f64} : () -> tensor<4xi64>
      %1 = tenon.add %0, %n : (tensor<4xi64>, tensor<i64>) -> tensor<4xi64>
      %2 = tenon.scatter %c, %1, %u {axis = 2 : i64} : (tensor<2x3x16x8xf32>, tensor<4xi64>, tensor<2x3x4x8xf32>) -> tensor<2x3x16x8xf32>
      return %2 : tensor<2x3x16x8xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%c: tensor<2x3x16x8xf32>, %u: tensor<2x3x4x8xf32>, %n: tensor<i64>) -> tensor<2x3x16x8xf32> {
      %0 = tenon.kv_cache_append %c, %u, %n : (tensor<2x3x16x8xf32>, tensor<2x3x4x8xf32>, tensor<i64>) -> tensor<2x3x16x8xf32>
      return %0 : tensor<2x3x16x8xf32>
    }
    ```
    Requires: canonical IR.
    Ensures: a scatter of floats of rank 4 along dimension 2, whose indices are one, positions, or positions from 0 on and one
    number, is kv_cache_append. Where a place is past the end both are wrong, in different ways.
    Leaves alone: with a missed remark, indices of which it is not known that they follow each other.
  }];
}

def RaiseRopePass : Pass<"tenon-raise-rope", "::mlir::ModuleOp"> {
  let summary = "rotary embedding taken apart becomes one op";
  let description = [{
    Why: apart, each row is cut in two and joined again, by copies that no loop over rows can do on the way. As one op it reads
    and writes each element once.

    Before:
    ```mlir
    func.func @main(%x: tensor<2x3x8xf32>, %c: tensor<3x4xf32>, %s: tensor<3x4xf32>) -> tensor<2x3x8xf32> {
      %x1, %x2 = tenon.split %x {axis = 2 : i64, sizes = array<i64: 4, 4>} : (tensor<2x3x8xf32>) -> (tensor<2x3x4xf32>, tensor<2x3x4xf32>)
      %0 = tenon.mul %x1, %c : (tensor<2x3x4xf32>, tensor<3x4xf32>) -> tensor<2x3x4xf32>
      %1 = tenon.mul %x2, %s : (tensor<2x3x4xf32>, tensor<3x4xf32>) -> tensor<2x3x4xf32>
      %2 = tenon.sub %0, %1 : (tensor<2x3x4xf32>, tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
      %3 = tenon.mul %x2, %c : (tensor<2x3x4xf32>, tensor<3x4xf32>) -> tensor<2x3x4xf32>
      %4 = tenon.mul %x1, %s : (tensor<2x3x4xf32>, tensor<3x4xf32>) -> tensor<2x3x4xf32>
      %5 = tenon.add %3, %4 : (tensor<2x3x4xf32>, tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
      %6 = tenon.concat %2, %5 {axis = 2 : i64} : (tensor<2x3x4xf32>, tensor<2x3x4xf32>) -> tensor<2x3x8xf32>
      return %6 : tensor<2x3x8xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<2x3x8xf32>, %c: tensor<3x4xf32>, %s: tensor<3x4xf32>) -> tensor<2x3x8xf32> {
      %0 = tenon.rope %x, %c, %s : (tensor<2x3x8xf32>, tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<2x3x8xf32>
      return %0 : tensor<2x3x8xf32>
    }
    ```
    Requires: canonical IR with equal values one value (cse).
    Ensures: x cos + (-x2, x1) sin with tables of which it is known that they repeat a half as wide one, and (x1 cos - x2 sin,
    x2 cos + x1 sin) with tables half as wide, are rope, x1 and x2 being the halves of each row or its even and odd elements
    (interleaved). 16-bit floats lose the roundings in between.
    Leaves alone: with a missed remark, tables of which it is not known that their halves are equal, tables of another shape,
    and forms whose parts others read.
  }];
}

def RaiseSoftmaxPass : Pass<"tenon-raise-softmax", "::mlir::ModuleOp"> {
  let summary = "softmax and log_softmax taken apart become one op";
  let description = [{
    Why: apart, a softmax reads its row three times and writes two tensors as large. As one op it is one kernel, and between
    two products it is found as attention.

    Before:
    ```mlir
    func.func @main(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
      %0 = tenon.reduce_max %x {axes = array<i64: 1>, keep_dims} : (tensor<4x8xf32>) -> tensor<4x1xf32>
      %1 = tenon.sub %x, %0 : (tensor<4x8xf32>, tensor<4x1xf32>) -> tensor<4x8xf32>
      %2 = tenon.exp %1 : (tensor<4x8xf32>) -> tensor<4x8xf32>
      %3 = tenon.reduce_sum %2 {axes = array<i64: 1>, keep_dims} : (tensor<4x8xf32>) -> tensor<4x1xf32>
      %4 = tenon.div %2, %3 : (tensor<4x8xf32>, tensor<4x1xf32>) -> tensor<4x8xf32>
      return %4 : tensor<4x8xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
      %0 = tenon.softmax %x {axis = 1 : i64} : (tensor<4x8xf32>) -> tensor<4x8xf32>
      return %0 : tensor<4x8xf32>
    }
    ```
    Requires: canonical IR with equal values one value (cse).
    Ensures: exp(x - max(x)) over its sum, or times the reciprocal of the sum, and x - max(x) - log(sum), in either bracketing,
    are softmax and log_softmax along one axis, whether the reductions keep their dimension or a reshape gives it back. A
    cast of a 16-bit value to f32 for it and back is gone.
    Leaves alone: with a missed remark, a form whose parts others read; without one, an exponential without the maximum taken
    off, which overflows where the op does not, and a maximum or sum along another axis.
  }];
}

def SinkReshapesPass : Pass<"tenon-sink-reshapes", "::mlir::ModuleOp"> {
  let summary = "flattening reshapes move down to where they cancel";
  let description = [{
    Why: exporters flatten batch and sequence to rows before each product and unflatten after it, and batch and heads to one
    batch around batched products. Nothing joins ops whose shapes differ, so the residual add would be a launch of its own.

    Before:
    ```mlir
    func.func @main(%x: tensor<?x?x8xf32> {tenon.dims = ["batch", "seq", ""]}) -> tensor<?x?x8xf32> {
      %w = tenon.weight "w" : tensor<8x8xf32>
      %b = tenon.dim %x {axis = 0 : i64} : (tensor<?x?x8xf32>) -> tensor<i64>
      %s = tenon.dim %x {axis = 1 : i64} : (tensor<?x?x8xf32>) -> tensor<i64>
      %0 = tenon.reshape %x : (tensor<?x?x8xf32>) -> tensor<?x8xf32>
      %1 = tenon.linear %0, %w : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
      %2 = tenon.reshape %1, %b, %s : (tensor<?x8xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x8xf32>
      %3 = tenon.add %2, %x : (tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
      return %3 : tensor<?x?x8xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<?x?x8xf32> {tenon.dims = ["batch", "seq", ""]}) -> tensor<?x?x8xf32> {
      %w = tenon.weight "w" : tensor<8x8xf32>
      %0 = tenon.linear %x, %w : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
      %1 = tenon.add %0, %x : (tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
      return %1 : tensor<?x?x8xf32>
    }
    ```
    Requires: dynamic dimensions named (`tenon.dims`), every size an expression over the names.
    Ensures: linear, matmul, softmax, the norms and pointwise ops read no value that a reshape has flattened in dimensions
    that they treat alike; a reshape back to a shape the value had before is gone.
    Leaves alone: reshapes that an op's own dimensions go into, and pointwise ops that join a flattened value with one that
    never had the other shape. Where sizes are not known, everything, with a missed remark.
  }];
}

def VerifyGraphPass : Pass<"tenon-verify-graph", "::mlir::ModuleOp"> {
  let summary = "what holds after phase graph is checked";
  let description = [{
    Why: kernels are formed from what stands in @main. An op that is dead, or a view of a view, would become a launch of its
    own; here it is named, with its line in the model.

    Before:
    ```mlir
    func.func @main(%x: tensor<4x6xf32>) -> tensor<6x4xf32> {
      %0 = tenon.transpose %x {permutation = array<i64: 1, 0>} : (tensor<4x6xf32>) -> tensor<6x4xf32>
      return %0 : tensor<6x4xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<4x6xf32>) -> tensor<6x4xf32> {
      %0 = tenon.transpose %x {permutation = array<i64: 1, 0>} : (tensor<4x6xf32>) -> tensor<6x4xf32>
      return %0 : tensor<6x4xf32>
    }
    ```
    Requires: nothing.
    Ensures: functions are one block of tenon ops, none of them a kernel or a launch; no result is without a reader; no
    reshape reads a reshape, no transpose a transpose, no expand an expand. Anything else is an error.
    Leaves alone: everything.
  }];
}

#endif
