// Matrix products, attention, convolution: the anchors of kernels.
#ifndef TENON_DIALECTS_TENON_TENONCONTRACTIONS_TD
#define TENON_DIALECTS_TENON_TENONCONTRACTIONS_TD

include "dialects/Tenon/TenonBase.td"

def MatmulOp : InferredOp<"matmul"> {
  let summary = "matrix product of the two innermost dimensions, batched with broadcasting";
  let arguments = (ins NumberT:$lhs, NumberT:$rhs, UnitAttr:$transpose_a, UnitAttr:$transpose_b);
  let results = (outs NumberT:$result);
}

def LinearOp : InferredOp<"linear"> {
  let summary = "input @ transpose(weight) + bias; weight stored [out, in]";
  let arguments = (ins FloatT:$input, FloatT:$weight, Optional<FloatT>:$bias);
  let results = (outs FloatT:$result);
}

def AttentionOp : InferredOp<"attention"> {
  let summary = "softmax(scale * q k^T + mask) v over heads";
  // q [B, Hq, Sq, D], k [B, Hkv, Sk, D], v [B, Hkv, Sk, Dv] -> [B, Hq, Sq, Dv]; Hq a multiple of Hkv.
  // mask: boolean (true = visible) or additive float, broadcastable to [B, Hq, Sq, Sk].
  // causal: key j visible to query i iff j <= i + (Sk - Sq). window w: additionally j > i + (Sk - Sq) - w.
  let arguments = (ins FloatT:$query, FloatT:$key, FloatT:$value, Optional<AnyT>:$mask, OptionalAttr<F64Attr>:$scale,
                   UnitAttr:$causal, OptionalAttr<I64Attr>:$window);
  let results = (outs FloatT:$result);
  let assemblyFormat = [{
    $query `,` $key `,` $value (`mask` `(` $mask^ `)`)? attr-dict `:` functional-type(operands, results)
  }];
}

def ConvolutionOp : InferredOp<"convolution"> {
  let summary = "1-D or 2-D convolution, input [N, C, spatial...], weight [O, C/groups, window...]";
  let arguments = (ins FloatT:$input, FloatT:$weight, Optional<FloatT>:$bias, DenseI64ArrayAttr:$stride,
                   DenseI64ArrayAttr:$padding, DenseI64ArrayAttr:$dilation, DefaultValuedAttr<I64Attr, "1">:$groups);
  let results = (outs FloatT:$result);
}

#endif
