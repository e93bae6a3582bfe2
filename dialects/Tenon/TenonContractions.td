// Matrix products, attention, convolution: the anchors of kernels.
#ifndef TENON_DIALECTS_TENON_TENONCONTRACTIONS_TD
#define TENON_DIALECTS_TENON_TENONCONTRACTIONS_TD

include "dialects/Tenon/TenonBase.td"

def MatmulOp : InferredOp<"matmul"> {
  let summary = "matrix product of the two innermost dimensions, batched with broadcasting";
  let description = [{
    Formula: `r[b.., i, j] = sum over k of A[b.., i, k] * B[b.., k, j]`, where `A` is `lhs` (its two innermost dimensions
    swapped with `transpose_a`) and `B` is `rhs` (swapped with `transpose_b`); `b..` are the batch dimensions.

    (C1) The result is `[batch.., M, N]` of the operands' element type.

    (C2) Both contract the same size K.

    (C3) Both have rank 2 or more.

    (C4) Both have the same element type.

    (C5) The batch dimensions broadcast.

    Accumulation: f32 for 16-bit floats, rounded once at the end; f64 in f64; integers in their own type, wrapping.
    An empty contraction gives 0. NaN and Inf follow IEEE arithmetic: 0 * Inf is NaN.

    ```mlir
    func.func @example(%a: tensor<2x4x8xf32>, %b: tensor<16x8xf32>) -> tensor<2x4x16xf32> {
      %r = tenon.matmul %a, %b {transpose_b} : (tensor<2x4x8xf32>, tensor<16x8xf32>) -> tensor<2x4x16xf32>
      return %r : tensor<2x4x16xf32>
    }
    ```
  }];
  let arguments = (ins NumberT:$lhs, NumberT:$rhs, UnitAttr:$transpose_a, UnitAttr:$transpose_b);
  let results = (outs NumberT:$result);
}

def LinearOp : InferredOp<"linear"> {
  let summary = "input @ transpose(weight) + bias; weight stored [out, in]";
  let description = [{
    Formula: `r[.., n] = sum over k of input[.., k] * weight[n, k] + bias[n]`.

    (C1) The result is the input's shape with the innermost size replaced by N, of the input's element type.

    (C2) The innermost size of `input` is K of `weight` `[N, K]`.

    (C3) `input` has rank 1 or more, `weight` rank 2.

    (C4) `weight` and `bias` have the input's element type.

    (C5) `bias` has shape `[N]`.

    Accumulation: f32 for 16-bit floats, bias added before the one rounding; f64 in f64.
    An empty contraction gives the bias, or 0. NaN and Inf follow IEEE arithmetic.

    ```mlir
    func.func @example(%x: tensor<?x8xf32>, %w: tensor<16x8xf32>, %b: tensor<16xf32>) -> tensor<?x16xf32> {
      %r = tenon.linear %x, %w, %b : (tensor<?x8xf32>, tensor<16x8xf32>, tensor<16xf32>) -> tensor<?x16xf32>
      return %r : tensor<?x16xf32>
    }
    ```
  }];
  let arguments = (ins FloatT:$input, FloatT:$weight, Optional<FloatT>:$bias);
  let results = (outs FloatT:$result);
  let hasCanonicalizer = 1;
}

def AttentionOp : CheckedOp<"attention", [AttrSizedOperandSegments]> {
  let summary = "softmax(scale * q k^T + mask) v over heads";
  let description = [{
    Formula: `r[b, h, i, :] = sum over j of p[j] * v[b, g, j, :]`, `p = softmax over the visible j of
    (scale * sum over d of q[b, h, i, d] * k[b, g, j, d] + mask[b, h, i, j])`, `g = h / (Hq / Hkv)`.
    `q` is `[B, Hq, Sq, D]`, `k` `[B, Hkv, Sk, D]`, `v` `[B, Hkv, Sk, Dv]`. Without `scale` it is `1 / sqrt(D)`.
    A boolean mask makes a key visible where true, a float mask is added to the score. With `causal`, key j is visible to
    query i iff `j <= i + (Sk - Sq)`: the last query sees every key. With `window` w, additionally `j > i + (Sk - Sq) - w`.
    With `soft_cap` c, a score is `c tanh(scale * q k / c)`, before a mask is added: within c of 0.
    With `key_lengths` n, key j of batch b is visible only if `j < n[b]`; with `query_lengths` m, query i only if `i < m[b]`
    sees any key. They change nothing of what `causal` and `window` say, whose positions are those of the padded tensors.
    With `scales` `q`, `k` and `v` are the 8-bit floats of the operands times their scales. With `packed` the value operand
    is what `tenon.pack_values` makes of `v`.

    With `block_table` t, keys and values lie in pages of pools `[N, Hkv, page, D]`: key j of batch b is `k[t[b, j / page], g,
    j % page, :]`, and Sk is P page. A number below 0 counts as 0, one beyond the last page as that. Where `key_lengths` hides
    all keys of a page, neither its number nor what it holds counts. Dimensions are in the order of keys without pages, so
    that a head of a page is one piece of memory; pools `[N, page, Hkv, D]` are read in place behind a transpose.

    With `log_sum_exp` there is a second result, `log(sum over the visible j of exp(score[j]))` of each query: -Inf where
    there is no such key.

    (C1) The result is `[B, Hq, Sq, Dv]` of the query's element type, of 8-bit floats of f16, bf16 or f32; the second is `[B, Hq, Sq]` of the type of accumulation.

    (C2) `query`, `key` and `value` have rank 4.

    (C3) `key` and `value` have the query's element type.

    (C4) All three have the same batch B.

    (C5) `key` and `value` have the same number of heads Hkv, and Hq is a multiple of it.

    (C6) `query` and `key` have the same head size D.

    (C7) `key` and `value` have the same length Sk.

    (C8) `mask` broadcasts to `[B, Hq, Sq, Sk]`.

    (C9) `mask` is of i1 or of the result's element type.

    (C10) `window` is at least 1.

    (C11) `soft_cap` is finite and above 0.

    (C12) `key_lengths` and `query_lengths` are `[B]`.

    (C13) 8-bit floats alone have scales, and are packed.

    (C14) The scales broadcast to `[B, Hq, Sq, 1]`, `[B, Hkv, 1, 1]` and `[B, Hkv, 1, Dv]`.

    (C15) `block_table` is `[B, P]`; of `key` and `value` then the number of pages takes the place of B and the size of a page
    that of Sk. Then values are not packed.

    Accumulation: scores, their statistics and the weighted sum in f32 for floats of 16 and 8 bits, in f64 for f64. Probabilities may be
    rounded to the value's element type before they are multiplied with it, relative to the largest of their row. Scales are at least 0;
    what others give is not said.
    `causal`, `window`, lengths and a boolean mask hide keys, and a float mask does where it is -Inf, but for scores of NaN and +Inf, whose sum is NaN.
    What is hidden does not count, whatever its value is. A visible key whose score is -Inf has the weight 0, and 0 times NaN or an infinity is
    NaN; a NaN in a visible score makes the row NaN. A row with no visible key, or whose scores are all -Inf, is 0.

    ```mlir
    func.func @example(%q: tensor<2x4x?x64xf32>, %k: tensor<2x2x?x64xf32>, %v: tensor<2x2x?x64xf32>, %m: tensor<2x1x1x?xi1>) -> tensor<2x4x?x64xf32> {
      %r = tenon.attention %q, %k, %v mask(%m) {causal, scale = 0.125 : f64}
          : (tensor<2x4x?x64xf32>, tensor<2x2x?x64xf32>, tensor<2x2x?x64xf32>, tensor<2x1x1x?xi1>) -> tensor<2x4x?x64xf32>
      return %r : tensor<2x4x?x64xf32>
    }
    ```
  }];
  let arguments = (ins AttendT:$query, AttendT:$key, AttendT:$value, Optional<AnyT>:$mask, Optional<IndexT>:$key_lengths,
                   Optional<IndexT>:$query_lengths, Optional<IndexT>:$block_table, Optional<ScaleT>:$query_scale,
                   Optional<ScaleT>:$key_scale, Optional<ScaleT>:$value_scale, OptionalAttr<F64Attr>:$scale, UnitAttr:$causal,
                   OptionalAttr<I64Attr>:$window, OptionalAttr<F64Attr>:$soft_cap, UnitAttr:$log_sum_exp, UnitAttr:$packed);
  let results = (outs FloatT:$result, Optional<FloatT>:$lse);
  let hasCanonicalizer = 1;
  let assemblyFormat = [{
    $query `,` $key `,` $value (`mask` `(` $mask^ `)`)? (`key_lengths` `(` $key_lengths^ `)`)?
    (`query_lengths` `(` $query_lengths^ `)`)? (`block_table` `(` $block_table^ `)`)?
    (`scales` `(` $query_scale^ `,` $key_scale `,` $value_scale `)`)?
    attr-dict `:` functional-type(operands, results)
  }];
  let extraClassDeclaration = inferDeclaration # [{
    bool isFloat8() { return getQuery().getType().getElementTypeBitWidth() == 8; }
    /// The dimension of `value` that is Dv.
    int64_t getColumnDimension() { return getPacked() ? 2 : 3; }
  }];
}

def PackValuesOp : InferredOp<"pack_values"> {
  let summary = "values as matrix instructions of bytes read them beside powers";
  let description = [{
    Formula: `r[b, h, c, 16 i + 4 l + 2 j + e] = value[b, h, 16 i + 8 j + 2 l + e, c]` for `l < 4`, `j < 2`, `e < 2`, and 0
    past the last key: the keys become neighbours, and of 16 of them the pairs go in the order in which a thread has them
    of a product of m64nN or m16n8, which so becomes a left operand of the next as it is.

    (C1) The result is `[B, H, D, 16 ceil(S / 16)]` of the value's element type.

    (C2) `value` is `[B, H, S, D]`.

    ```mlir
    func.func @example(%v: tensor<2x4x100x64xf8E4M3FN>) -> tensor<2x4x64x112xf8E4M3FN> {
      %r = tenon.pack_values %v : (tensor<2x4x100x64xf8E4M3FN>) -> tensor<2x4x64x112xf8E4M3FN>
      return %r : tensor<2x4x64x112xf8E4M3FN>
    }
    ```
  }];
  let arguments = (ins QuantT:$value);
  let results = (outs QuantT:$result);
}

def ConvolutionOp : InferredOp<"convolution"> {
  let summary = "1-D or 2-D convolution, input [N, C, spatial...], weight [O, C/groups, window...]";
  let description = [{
    Formula: `r[n, o, p..] = bias[o] + sum over c, w.. of input[n, g C/groups + c, p stride + w dilation - padding] *
    weight[o, c, w..]`, `g = o / (O / groups)`; outside the input counts as 0. Input `[N, C, spatial..]`, weight
    `[O, C / groups, window..]`, one or two spatial dimensions; `padding` is on both sides.

    (C1) The result is `[N, O, floor((size + 2 padding - dilation (window - 1) - 1) / stride) + 1 ..]` of the input's element type.

    (C2) `input` has rank 3 or 4 and `weight` the same rank.

    (C3) `weight` and `bias` have the input's element type.

    (C4) `stride`, `padding`, `dilation` have an entry for each spatial dimension, at least 1, 0 and 1.

    (C5) `groups` is at least 1 and divides C and O.

    (C6) `weight` takes C / groups channels.

    (C7) `bias` has shape `[O]`.

    (C8) The dilated window fits into the padded input.

    Accumulation: f32 for 16-bit floats, bias added before the one rounding. NaN and Inf follow IEEE arithmetic.

    ```mlir
    func.func @example(%x: tensor<1x3x32x32xf32>, %w: tensor<8x3x4x4xf32>, %b: tensor<8xf32>) -> tensor<1x8x8x8xf32> {
      %r = tenon.convolution %x, %w, %b {stride = array<i64: 4, 4>, padding = array<i64: 0, 0>, dilation = array<i64: 1, 1>}
          : (tensor<1x3x32x32xf32>, tensor<8x3x4x4xf32>, tensor<8xf32>) -> tensor<1x8x8x8xf32>
      return %r : tensor<1x8x8x8xf32>
    }
    ```
  }];
  let arguments = (ins FloatT:$input, FloatT:$weight, Optional<FloatT>:$bias, DenseI64ArrayAttr:$stride,
                   DenseI64ArrayAttr:$padding, DenseI64ArrayAttr:$dilation, DefaultValuedAttr<I64Attr, "1">:$groups);
  let results = (outs FloatT:$result);
}

#endif
