// Low-precision storage with scales.
#ifndef TENON_DIALECTS_TENON_TENONQUANTISATION_TD
#define TENON_DIALECTS_TENON_TENONQUANTISATION_TD

include "dialects/Tenon/TenonBase.td"

// Scale granularity follows from the shape of `scale` against the tensor [.., R, C]: rank 0 or all ones: per tensor;
// [.., R, 1]: per row; [.., R/block[0], C/block[1]]: per block, with `block` given.
def QuantiseOp : CheckedOp<"quantise"> {
  let summary = "round(x / scale), halves to even, clamped to the range of the storage type";
  let arguments = (ins FloatT:$input, ScaleT:$scale, OptionalAttr<DenseI64ArrayAttr>:$block);
  let results = (outs QuantT:$result);
}
def DequantiseOp : CheckedOp<"dequantise"> {
  let summary = "q * scale";
  let arguments = (ins QuantT:$input, ScaleT:$scale, OptionalAttr<DenseI64ArrayAttr>:$block);
  let results = (outs FloatT:$result);
}
def QuantisedMatmulOp : CheckedOp<"quantised_matmul"> {
  let summary = "input @ transpose(weight) of quantised operands with their scales, accumulated in f32 or i32";
  // input [.., M, K] quantised, or float (weight-only form, then input_scale is absent); weight [N, K] quantised.
  let arguments = (ins AnyT:$input, Optional<ScaleT>:$input_scale, QuantT:$weight, ScaleT:$weight_scale,
                   OptionalAttr<DenseI64ArrayAttr>:$block);
  let results = (outs FloatT:$result);
  let assemblyFormat = [{
    $input (`scale` `(` $input_scale^ `)`)? `,` $weight `scale` `(` $weight_scale `)` attr-dict `:`
    functional-type(operands, results)
  }];
}

#endif
