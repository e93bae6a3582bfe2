// Data movement: views, copies, gathers, constants and weights.
#ifndef TENON_DIALECTS_TENON_TENONSHAPES_TD
#define TENON_DIALECTS_TENON_TENONSHAPES_TD

include "dialects/Tenon/TenonBase.td"

def ConstantOp : InferredOp<"constant", [ConstantLike]> {
  let summary = "a small tensor known at compile time";
  let description = [{
    Formula: `r[i] = value[i]`.

    (C1) The result has the type of `value`, a ranked tensor.

    ```mlir
    func.func @example() -> tensor<2xf32> {
      %r = tenon.constant dense<[1.0, 2.0]> : tensor<2xf32>
      return %r : tensor<2xf32>
    }
    ```
  }];
  let arguments = (ins ElementsAttr:$value);
  let results = (outs AnyT:$result);
  let assemblyFormat = "attr-dict $value";
  let hasFolder = 1;
}
def WeightOp : TenonOp<"weight", [Pure]> {
  let summary = "a tensor read by its key from the weights file when the model is loaded";
  let description = [{
    Formula: `r[i] = file[key][i]`. The bytes are checked against the result type when the model is loaded; they never stand in the IR.

    (C1) The result has a static shape.

    (C2) `key` is not empty.

    ```mlir
    func.func @example() -> tensor<16x8xbf16> {
      %r = tenon.weight "encoder.layer.0.output.dense.weight" : tensor<16x8xbf16>
      return %r : tensor<16x8xbf16>
    }
    ```
  }];
  let arguments = (ins StrAttr:$key);
  let results = (outs AnyT:$result);
  let assemblyFormat = "$key attr-dict `:` type($result)";
  let hasVerifier = 1;
}
def IotaOp : CheckedOp<"iota"> {
  let summary = "start + step * index along one axis";
  let description = [{
    Formula: `r[.., i, ..] = start + step * i` along `axis`, computed in f64 and converted to the result's element type.

    (C1) `0 <= axis < rank`.

    (C2) `sizes` has one rank-0 i64 tensor for each dynamic result dimension, in order.

    Compiled models accept sizes made of constants and `tenon.dim` by `add`, `sub`,
    `mul`, `floor_div`, `cast` and `reshape`, not read from what a tensor holds at run time.

    ```mlir
    func.func @example(%n: tensor<i64>) -> tensor<2x?xi64> {
      %r = tenon.iota %n {axis = 1 : i64} : (tensor<i64>) -> tensor<2x?xi64>
      return %r : tensor<2x?xi64>
    }
    ```
  }];
  let arguments = (ins Variadic<RankedTensorOf<[I64]>>:$sizes, I64Attr:$axis, DefaultValuedAttr<F64Attr, "0.0">:$start,
                   DefaultValuedAttr<F64Attr, "1.0">:$step);
  let results = (outs NumberT:$result);
}
def DimOp : InferredOp<"dim"> {
  let summary = "the size of one dimension as a rank-0 i64 tensor";
  let description = [{
    Formula: `r = the size of dimension axis of input`.

    (C1) The result is `tensor<i64>`.

    (C2) `0 <= axis < rank`.

    ```mlir
    func.func @example(%x: tensor<?x8xf32>) -> tensor<i64> {
      %r = tenon.dim %x {axis = 0 : i64} : (tensor<?x8xf32>) -> tensor<i64>
      return %r : tensor<i64>
    }
    ```
  }];
  let arguments = (ins AnyT:$input, I64Attr:$axis);
  let results = (outs RankedTensorOf<[I64]>:$result);
  let hasFolder = 1;
}
def ReshapeOp : CheckedOp<"reshape"> {
  let summary = "the same elements in row-major order under another shape";
  let description = [{
    Formula: `r[i] = input[j]` where i and j have the same place in row-major order.

    (C1) The result has the input's element type.

    (C2) Both have the same number of elements.

    (C3) `sizes` has one rank-0 i64 tensor for each dynamic result dimension, in order; it may be empty where at most one is
    dynamic, which then is what the others leave.

    ```mlir
    func.func @example(%x: tensor<?x384xf32>) -> tensor<?x12x32xf32> {
      %r = tenon.reshape %x : (tensor<?x384xf32>) -> tensor<?x12x32xf32>
      return %r : tensor<?x12x32xf32>
    }
    ```
  }];
  let arguments = (ins AnyT:$input, Variadic<RankedTensorOf<[I64]>>:$sizes);
  let results = (outs AnyT:$result);
  let hasFolder = 1;
}
def TransposeOp : InferredOp<"transpose"> {
  let summary = "permutes dimensions: result dimension d is input dimension permutation[d]";
  let description = [{
    Formula: `r[i_0, .., i_n] = input[j_0, .., j_n]` with `j[permutation[d]] = i[d]`: result dimension d is input dimension `permutation[d]`.

    (C1) The result has the permuted shape and the input's element type.

    (C2) `permutation` names each of `0 .. rank - 1` once.

    ```mlir
    func.func @example(%x: tensor<2x?x4xf32>) -> tensor<2x4x?xf32> {
      %r = tenon.transpose %x {permutation = array<i64: 0, 2, 1>} : (tensor<2x?x4xf32>) -> tensor<2x4x?xf32>
      return %r : tensor<2x4x?xf32>
    }
    ```
  }];
  let arguments = (ins AnyT:$input, DenseI64ArrayAttr:$permutation);
  let results = (outs AnyT:$result);
  let hasFolder = 1;
}
def ExpandOp : CheckedOp<"expand"> {
  let summary = "repeats size-1 and missing leading dimensions to the result's shape";
  let description = [{
    Formula: `r[i..] = input[j..]`, j being i without missing leading dimensions and 0 where the input has size 1.

    (C1) The result has the input's element type.

    (C2) The input's shape broadcasts to the result's: aligned at the innermost dimension, sizes are equal or 1.

    (C3) `sizes` has one rank-0 i64 tensor for each dynamic result dimension, in order; it may be empty where every one is
    the input's own.

    Compiled models accept sizes made of constants and `tenon.dim` by `add`, `sub`,
    `mul`, `floor_div`, `cast` and `reshape`, not read from what a tensor holds at run time.

    ```mlir
    func.func @example(%x: tensor<1x4xf32>, %n: tensor<i64>) -> tensor<2x?x4xf32> {
      %r = tenon.expand %x, %n : (tensor<1x4xf32>, tensor<i64>) -> tensor<2x?x4xf32>
      return %r : tensor<2x?x4xf32>
    }
    ```
  }];
  let arguments = (ins AnyT:$input, Variadic<RankedTensorOf<[I64]>>:$sizes);
  let results = (outs AnyT:$result);
  let hasFolder = 1;
}
def SliceOp : InferredOp<"slice"> {
  let summary = "elements start, start + step, ... below end along each dimension";
  let description = [{
    Formula: `r[i..] = input[start + i * step ..]`, by Python's rules: a negative start or end counts from the end, both are
    clamped to `0 .. size`, and an end of 9223372036854775807 means "to the end". A start or end of -9223372036854775808
    is the next of `bounds`, those of the starts before those of the ends; such a bound is at least 0.

    (C1) The result has `ceil(max(end - start, 0) / step)` elements a dimension and the input's element type.

    (C2) `starts` and `ends` have an entry for each dimension.

    (C3) `steps` has an entry for each dimension, at least 1.

    (C4) `bounds` has one entry for each start and end of -9223372036854775808.

    (C5) Each of `bounds` has rank 0.

    ```mlir
    func.func @example(%x: tensor<?x8xf32>) -> tensor<?x3xf32> {
      %r = tenon.slice %x {starts = array<i64: 0, -6>, ends = array<i64: 9223372036854775807, 8>, steps = array<i64: 1, 2>}
          : (tensor<?x8xf32>) -> tensor<?x3xf32>
      return %r : tensor<?x3xf32>
    }
    ```
  }];
  let arguments = (ins AnyT:$input, Variadic<RankedTensorOf<[I64]>>:$bounds, DenseI64ArrayAttr:$starts,
                   DenseI64ArrayAttr:$ends, DenseI64ArrayAttr:$steps);
  let results = (outs AnyT:$result);
  let hasFolder = 1;
}
def ConcatOp : InferredOp<"concat"> {
  let summary = "joins tensors along one axis";
  let description = [{
    Formula: `r` holds the inputs one after the other along `axis`.

    (C1) The result has the sum of the sizes along `axis`, else the inputs' sizes, and their element type.

    (C2) There is at least one input.

    (C3) `0 <= axis < rank`.

    (C4) The inputs have the same element type.

    (C5) The inputs have the same rank and the same sizes but along `axis`.

    ```mlir
    func.func @example(%a: tensor<2x?xf32>, %b: tensor<2x3xf32>) -> tensor<2x?xf32> {
      %r = tenon.concat %a, %b {axis = 1 : i64} : (tensor<2x?xf32>, tensor<2x3xf32>) -> tensor<2x?xf32>
      return %r : tensor<2x?xf32>
    }
    ```
  }];
  let arguments = (ins Variadic<AnyT>:$inputs, I64Attr:$axis);
  let results = (outs AnyT:$result);
  let hasFolder = 1;
}
def SplitOp : InferredOp<"split"> {
  let summary = "cuts a tensor along one axis into pieces of given sizes";
  let description = [{
    Formula: `r_p[.., i, ..] = input[.., sizes[0] + .. + sizes[p - 1] + i, ..]` along `axis`.

    (C1) There is one result for each entry of `sizes`, with that size along `axis` and the input's element type.

    (C2) `0 <= axis < rank`.

    (C3) `sizes` are at least 0 and add up to the input's size along `axis`.

    ```mlir
    func.func @example(%x: tensor<2x6xf32>) -> (tensor<2x4xf32>, tensor<2x2xf32>) {
      %a, %b = tenon.split %x {axis = 1 : i64, sizes = array<i64: 4, 2>} : (tensor<2x6xf32>) -> (tensor<2x4xf32>, tensor<2x2xf32>)
      return %a, %b : tensor<2x4xf32>, tensor<2x2xf32>
    }
    ```
  }];
  let arguments = (ins AnyT:$input, I64Attr:$axis, DenseI64ArrayAttr:$sizes);
  let results = (outs Variadic<AnyT>:$results);
  let hasFolder = 1;
}
def PadOp : InferredOp<"pad"> {
  let summary = "adds `low` and `high` elements of `value` around each dimension";
  let description = [{
    Formula: `r[i..] = input[i - low ..]` inside, `value` outside, converted to the element type.

    (C1) The result has `low + size + high` elements a dimension and the input's element type.

    (C2) `low` and `high` have an entry for each dimension, at least 0.

    ```mlir
    func.func @example(%x: tensor<2x3xf32>) -> tensor<2x6xf32> {
      %r = tenon.pad %x {low = array<i64: 0, 1>, high = array<i64: 0, 2>, value = 0.0 : f64} : (tensor<2x3xf32>) -> tensor<2x6xf32>
      return %r : tensor<2x6xf32>
    }
    ```
  }];
  let arguments = (ins AnyT:$input, DenseI64ArrayAttr:$low, DenseI64ArrayAttr:$high, F64Attr:$value);
  let results = (outs AnyT:$result);
  let hasFolder = 1;
}
def EmbeddingOp : InferredOp<"embedding"> {
  let summary = "rows of a table by index: result[i.., :] = table[indices[i..], :]";
  let description = [{
    Formula: `r[i.., :] = table[indices[i..], :]`. Indices are in `0 .. rows - 1`:
    compiled models take the nearest row for another, `--check` reports it.

    (C1) The result has the shape of `indices` followed by the table's columns, and the table's element type.

    (C2) `table` has rank 2.

    (C3) Where there are indices there are rows.

    ```mlir
    func.func @example(%t: tensor<100x8xf32>, %i: tensor<2x?xi64>) -> tensor<2x?x8xf32> {
      %r = tenon.embedding %t, %i : (tensor<100x8xf32>, tensor<2x?xi64>) -> tensor<2x?x8xf32>
      return %r : tensor<2x?x8xf32>
    }
    ```
  }];
  let arguments = (ins FloatT:$table, IndexT:$indices);
  let results = (outs FloatT:$result);
}
def GatherOp : InferredOp<"gather"> {
  let summary = "slices along one axis by index: the axis is replaced by the dimensions of `indices`";
  let description = [{
    Formula: `r[a.., i.., b..] = input[a.., indices[i..], b..]`, the index standing at `axis`; it is in `0 .. size - 1`.

    (C1) The result has the input's shape with `axis` replaced by the dimensions of `indices`, and the input's element type.

    (C2) `0 <= axis < rank`.

    (C3) Where there are indices the input's size along `axis` is not 0.

    ```mlir
    func.func @example(%x: tensor<2x5x8xf32>, %i: tensor<3xi64>) -> tensor<2x3x8xf32> {
      %r = tenon.gather %x, %i {axis = 1 : i64} : (tensor<2x5x8xf32>, tensor<3xi64>) -> tensor<2x3x8xf32>
      return %r : tensor<2x3x8xf32>
    }
    ```
  }];
  let arguments = (ins AnyT:$input, IndexT:$indices, I64Attr:$axis);
  let results = (outs AnyT:$result);
}
def GatherElementsOp : InferredOp<"gather_elements"> {
  let summary = "result[.., i, ..] = input[.., indices[.., i, ..], ..] along one axis";
  let description = [{
    Formula: `r[a.., i, b..] = input[a.., indices[a.., i, b..], b..]`, i standing at `axis`; the index is in `0 .. size - 1`.

    (C1) The result has the shape of `indices` and the input's element type.

    (C2) `0 <= axis < rank`.

    (C3) `indices` has the input's rank.

    (C4) `indices` is not larger than the input but along `axis`.

    (C5) Where there are indices the input's size along `axis` is not 0.

    ```mlir
    func.func @example(%x: tensor<2x5xf32>, %i: tensor<2x3xi64>) -> tensor<2x3xf32> {
      %r = tenon.gather_elements %x, %i {axis = 1 : i64} : (tensor<2x5xf32>, tensor<2x3xi64>) -> tensor<2x3xf32>
      return %r : tensor<2x3xf32>
    }
    ```
  }];
  let arguments = (ins AnyT:$input, IndexT:$indices, I64Attr:$axis);
  let results = (outs AnyT:$result);
}
def GatherNdOp : InferredOp<"gather_nd"> {
  let summary = "slices by index tuples";
  let description = [{
    Formula: `r[i.., :] = input[indices[i.., 0], .., indices[i.., k - 1], :]`, k being the last size of `indices`: a tuple
    names the first k dimensions of `input`, each index in `0 .. size - 1`.

    (C1) The result has the shape of `indices` but the last size, then the rest of the input's, and the input's element type.

    (C2) `indices` has rank 1 or more and a static last size k.

    (C3) k is at most the input's rank.

    (C4) Where there are indices none of the input's first k sizes is 0.

    ```mlir
    func.func @example(%x: tensor<?x5x8xf32>, %i: tensor<3x2xi64>) -> tensor<3x8xf32> {
      %r = tenon.gather_nd %x, %i : (tensor<?x5x8xf32>, tensor<3x2xi64>) -> tensor<3x8xf32>
      return %r : tensor<3x8xf32>
    }
    ```
  }];
  let arguments = (ins AnyT:$input, IndexT:$indices);
  let results = (outs AnyT:$result);
}
def ScatterOp : InferredOp<"scatter"> {
  let summary = "input with the slices named by `indices` along one axis replaced by those of `updates`; the last write wins";
  let description = [{
    Formula: `r = input` but `r[a.., indices[i..], b..] = updates[a.., i.., b..]`, the index standing at `axis`. Of equal
    indices the last in row-major order wins.

    (C1) The result has the input's shape and element type.

    (C2) `0 <= axis < rank`.

    (C3) `updates` has the input's element type.

    (C4) `updates` has the input's shape with `axis` replaced by the dimensions of `indices`.

    (C5) Where there are indices the input's size along `axis` is not 0.

    ```mlir
    func.func @example(%x: tensor<2x5xf32>, %i: tensor<3xi64>, %u: tensor<2x3xf32>) -> tensor<2x5xf32> {
      %r = tenon.scatter %x, %i, %u {axis = 1 : i64} : (tensor<2x5xf32>, tensor<3xi64>, tensor<2x3xf32>) -> tensor<2x5xf32>
      return %r : tensor<2x5xf32>
    }
    ```
  }];
  let arguments = (ins AnyT:$input, IndexT:$indices, AnyT:$updates, I64Attr:$axis);
  let results = (outs AnyT:$result);
}
def KvCacheAppendOp : InferredOp<"kv_cache_append"> {
  let summary = "cache [B, H, Smax, D] with new keys or values [B, H, S, D] written from position on";
  let description = [{
    Formula: `r = cache` but `r[b, h, position + s, d] = update[b, h, s, d]`; `0 <= position <= Smax - S`.

    (C1) The result has the cache's shape `[B, H, Smax, D]` and element type.

    (C2) `cache` and `update` have rank 4.

    (C3) `update` has the cache's element type.

    (C4) `update` is `[B, H, S, D]` with the cache's B, H and D.

    (C5) S is at most Smax.

    (C6) `position` has rank 0.

    ```mlir
    func.func @example(%c: tensor<1x8x1024x64xf16>, %u: tensor<1x8x?x64xf16>, %p: tensor<i64>) -> tensor<1x8x1024x64xf16> {
      %r = tenon.kv_cache_append %c, %u, %p
          : (tensor<1x8x1024x64xf16>, tensor<1x8x?x64xf16>, tensor<i64>) -> tensor<1x8x1024x64xf16>
      return %r : tensor<1x8x1024x64xf16>
    }
    ```
  }];
  let arguments = (ins FloatT:$cache, FloatT:$update, RankedTensorOf<[I64, I32]>:$position);
  let results = (outs FloatT:$result);
}
def KvPagesAppendOp : InferredOp<"kv_pages_append"> {
  let summary = "pool of pages [N, H, page, D] with new keys or values [B, H, S, D] written where a table says";
  let description = [{
    Formula: `r = pool` but `r[n, h, j % page, d] = update[b, h, s, d]` with `j = position[b] + s` and `n = block_table[b,
    j / page]`, where `0 <= j < P page` and `0 <= n < N`. What would go elsewhere is dropped: the table of a sequence that is
    done may hold -1. Of two that go to one place, which is written is not said. The pool is such as `tenon.attention` reads.

    (C1) The result has the pool's shape `[N, H, page, D]` and element type.

    (C2) `pool` and `update` have rank 4.

    (C3) `update` has the pool's element type.

    (C4) `update` is `[B, H, S, D]` with the pool's H and D.

    (C5) `position` is `[B]` and `block_table` `[B, P]`.

    (C6) Where S is not 0, neither is P nor the size of a page.

    ```mlir
    func.func @example(%c: tensor<99x8x64x128xf16>, %u: tensor<4x8x1x128xf16>, %p: tensor<4xi32>, %t: tensor<4x16xi32>) -> tensor<99x8x64x128xf16> {
      %r = tenon.kv_pages_append %c, %u, %p, %t
          : (tensor<99x8x64x128xf16>, tensor<4x8x1x128xf16>, tensor<4xi32>, tensor<4x16xi32>) -> tensor<99x8x64x128xf16>
      return %r : tensor<99x8x64x128xf16>
    }
    ```
  }];
  let arguments = (ins FloatT:$pool, FloatT:$update, IndexT:$position, IndexT:$block_table);
  let results = (outs FloatT:$result);
}
def KvCacheReadOp : InferredOp<"kv_cache_read"> {
  let summary = "the first `length` positions of a cache [B, H, Smax, D]";
  let description = [{
    Formula: `r[b, h, s, d] = cache[b, h, s, d]` for `s < length`; `0 <= length <= Smax`.

    (C1) The result is `[B, H, length, D]` of the cache's element type.

    (C2) `cache` has rank 4.

    (C3) `length` has rank 0.

    Compiled models accept a `length` made of constants and `tenon.dim` by `add`, `sub`,
    `mul`, `floor_div`, `cast` and `reshape`, not read from what a tensor holds at run time.

    ```mlir
    func.func @example(%c: tensor<1x8x1024x64xf16>, %n: tensor<i64>) -> tensor<1x8x?x64xf16> {
      %r = tenon.kv_cache_read %c, %n : (tensor<1x8x1024x64xf16>, tensor<i64>) -> tensor<1x8x?x64xf16>
      return %r : tensor<1x8x?x64xf16>
    }
    ```
  }];
  let arguments = (ins FloatT:$cache, RankedTensorOf<[I64, I32]>:$length);
  let results = (outs FloatT:$result);
}

#endif
