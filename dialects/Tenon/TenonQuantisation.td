// Low-precision storage with scales.
#ifndef TENON_DIALECTS_TENON_TENONQUANTISATION_TD
#define TENON_DIALECTS_TENON_TENONQUANTISATION_TD

include "dialects/Tenon/TenonBase.td"

def QuantiseOp : CheckedOp<"quantise"> {
  let summary = "round(x * (1 / scale)), halves to even, clamped to the range of the storage type";
  let description = [{
    Formula: `r = clamp(round(x * (1 / scale)), low, high)`, halves to even, `low` and `high` the range of the result's element
    type; for the f8 types the nearest value in range. The reciprocal and the product are rounded in f32 (f64 for an f64
    input): one division serves all that a scale is for. The scale's shape says its granularity against a tensor `[.., R, C]`: per tensor (rank 0 or all sizes 1), per row
    `[.., R, 1]`, or, with `block`, per block `[.., R / block[0], C / block[1]]`.

    (C1) The result has the input's shape; the element type is i8, i4, f8E4M3FN or f8E5M2.

    (C2) `scale` is per tensor, per row or per block.

    (C3) `block` has two entries of at least 1 that divide the innermost two sizes.

    Special values: infinities clamp; a NaN gives 0 in an integer type and NaN in f8.

    ```mlir
    func.func @example(%x: tensor<4x64xf32>, %s: tensor<4x1xf32>) -> tensor<4x64xi8> {
      %r = tenon.quantise %x, %s : (tensor<4x64xf32>, tensor<4x1xf32>) -> tensor<4x64xi8>
      return %r : tensor<4x64xi8>
    }
    ```
  }];
  let arguments = (ins FloatT:$input, ScaleT:$scale, OptionalAttr<DenseI64ArrayAttr>:$block);
  let results = (outs QuantT:$result);
}
def DequantiseOp : CheckedOp<"dequantise"> {
  let summary = "q * scale";
  let description = [{
    Formula: `r = q * scale`, computed in f32 and rounded once to the result's element type. The scale's shape says its granularity against a tensor `[.., R, C]`: per tensor (rank 0 or all sizes 1), per row
    `[.., R, 1]`, or, with `block`, per block `[.., R / block[0], C / block[1]]`.

    (C1) The result has the input's shape; the element type is a float of 16 bits or more.

    (C2) `scale` is per tensor, per row or per block.

    (C3) `block` has two entries of at least 1 that divide the innermost two sizes.

    Special values: as in the product.

    ```mlir
    func.func @example(%x: tensor<4x64xi8>, %s: tensor<2x2xf32>) -> tensor<4x64xf32> {
      %r = tenon.dequantise %x, %s {block = array<i64: 2, 32>} : (tensor<4x64xi8>, tensor<2x2xf32>) -> tensor<4x64xf32>
      return %r : tensor<4x64xf32>
    }
    ```
  }];
  let arguments = (ins QuantT:$input, ScaleT:$scale, OptionalAttr<DenseI64ArrayAttr>:$block);
  let results = (outs FloatT:$result);
}
def QuantisedMatmulOp : CheckedOp<"quantised_matmul"> {
  let summary = "input @ transpose(weight) of quantised operands with their scales, accumulated in f32 or i32";
  let description = [{
    Formula: `r[.., m, n] = sum over k of (input[.., m, k] * input_scale) * (weight[n, k] * weight_scale)`. The input is
    quantised with its scale, or a float without one (the weight-only form). The scale's shape says its granularity against a tensor `[.., R, C]`: per tensor (rank 0 or all sizes 1), per row
    `[.., R, 1]`, or, with `block`, per block `[.., R / block[0], C / block[1]]`. `block` is that of the weight; the input has blocks
    of one row and as many columns.

    (C1) The result is the input's shape with the innermost size replaced by N; the element type is a float of 16 bits or more.

    (C2) The innermost size of `input` is K of `weight` `[N, K]`.

    (C3) `input` has rank 1 or more, `weight` rank 2.

    (C4) A quantised input has a scale, a float input has none.

    (C5) A quantised input is of the weight's kind: integers (i8, i4) or f8.

    (C6) The scales are per tensor, per row or per block.

    (C7) `block` has two entries of at least 1 that divide N and K.

    Accumulation: integer products in i32 between two scale changes, all else in f32, or f64 of an f64 input; one rounding
    at the end.

    ```mlir
    func.func @example(%x: tensor<?x64xi8>, %xs: tensor<?x1xf32>, %w: tensor<16x64xi8>, %ws: tensor<16x1xf32>) -> tensor<?x16xf32> {
      %r = tenon.quantised_matmul %x scale(%xs), %w scale(%ws)
          : (tensor<?x64xi8>, tensor<?x1xf32>, tensor<16x64xi8>, tensor<16x1xf32>) -> tensor<?x16xf32>
      return %r : tensor<?x16xf32>
    }
    ```
  }];
  let arguments = (ins AnyT:$input, Optional<ScaleT>:$input_scale, QuantT:$weight, ScaleT:$weight_scale,
                   OptionalAttr<DenseI64ArrayAttr>:$block);
  let results = (outs FloatT:$result);
  let assemblyFormat = [{
    $input (`scale` `(` $input_scale^ `)`)? `,` $weight `scale` `(` $weight_scale `)` attr-dict `:`
    functional-type(operands, results)
  }];
}

#endif
