// Data movement: views, copies, gathers, constants and weights.
#ifndef TENON_DIALECTS_TENON_TENONSHAPES_TD
#define TENON_DIALECTS_TENON_TENONSHAPES_TD

include "dialects/Tenon/TenonBase.td"

def ConstantOp : TenonOp<"constant", [Pure, ConstantLike, AllTypesMatch<["value", "result"]>]> {
  let summary = "a small tensor known at compile time";
  let arguments = (ins ElementsAttr:$value);
  let results = (outs AnyT:$result);
  let assemblyFormat = "attr-dict $value";
  let hasFolder = 1;
}
def WeightOp : TenonOp<"weight", [Pure]> {
  let summary = "a tensor read by its key from the weights file when the model is loaded";
  let arguments = (ins StrAttr:$key);
  let results = (outs AnyT:$result);
  let assemblyFormat = "$key attr-dict `:` type($result)";
  let hasVerifier = 1;
}
def IotaOp : CheckedOp<"iota"> {
  let summary = "start + step * index along one axis";
  // `sizes`: one i64 scalar tensor (rank 0) for each dynamic result dimension, in order.
  let arguments = (ins Variadic<RankedTensorOf<[I64]>>:$sizes, I64Attr:$axis, DefaultValuedAttr<F64Attr, "0.0">:$start,
                   DefaultValuedAttr<F64Attr, "1.0">:$step);
  let results = (outs NumberT:$result);
}
def DimOp : InferredOp<"dim"> {
  let summary = "the size of one dimension as a rank-0 i64 tensor";
  let arguments = (ins AnyT:$input, I64Attr:$axis);
  let results = (outs RankedTensorOf<[I64]>:$result);
}
def ReshapeOp : CheckedOp<"reshape"> {
  let summary = "the same elements in row-major order under another shape";
  // `sizes`: one rank-0 i64 tensor for each dynamic result dimension; may be empty when at most one result dimension is dynamic.
  let arguments = (ins AnyT:$input, Variadic<RankedTensorOf<[I64]>>:$sizes);
  let results = (outs AnyT:$result);
}
def TransposeOp : InferredOp<"transpose"> {
  let summary = "permutes dimensions: result dimension d is input dimension permutation[d]";
  let arguments = (ins AnyT:$input, DenseI64ArrayAttr:$permutation);
  let results = (outs AnyT:$result);
}
def ExpandOp : CheckedOp<"expand"> {
  let summary = "repeats size-1 and missing leading dimensions to the result's shape";
  let arguments = (ins AnyT:$input, Variadic<RankedTensorOf<[I64]>>:$sizes);
  let results = (outs AnyT:$result);
}
def SliceOp : InferredOp<"slice"> {
  let summary = "elements start, start + step, ... below end along each dimension";
  // Python's rules: negative start or end count from the end; both are clamped; step >= 1. INT64_MAX as end means "to the end".
  // INT64_MIN as start or end takes the bound from the next of `bounds` (starts first, then ends), which is at least 0.
  let arguments = (ins AnyT:$input, Variadic<RankedTensorOf<[I64]>>:$bounds, DenseI64ArrayAttr:$starts,
                   DenseI64ArrayAttr:$ends, DenseI64ArrayAttr:$steps);
  let results = (outs AnyT:$result);
}
def ConcatOp : InferredOp<"concat"> {
  let summary = "joins tensors along one axis";
  let arguments = (ins Variadic<AnyT>:$inputs, I64Attr:$axis);
  let results = (outs AnyT:$result);
}
def SplitOp : InferredOp<"split"> {
  let summary = "cuts a tensor along one axis into pieces of given sizes";
  let arguments = (ins AnyT:$input, I64Attr:$axis, DenseI64ArrayAttr:$sizes);
  let results = (outs Variadic<AnyT>:$results);
}
def PadOp : InferredOp<"pad"> {
  let summary = "adds `low` and `high` elements of `value` around each dimension";
  let arguments = (ins AnyT:$input, DenseI64ArrayAttr:$low, DenseI64ArrayAttr:$high, F64Attr:$value);
  let results = (outs AnyT:$result);
}
def EmbeddingOp : InferredOp<"embedding"> {
  let summary = "rows of a table by index: result[i.., :] = table[indices[i..], :]";
  let arguments = (ins FloatT:$table, IndexT:$indices);
  let results = (outs FloatT:$result);
}
def GatherOp : InferredOp<"gather"> {
  let summary = "slices along one axis by index: the axis is replaced by the dimensions of `indices`";
  let arguments = (ins AnyT:$input, IndexT:$indices, I64Attr:$axis);
  let results = (outs AnyT:$result);
}
def GatherElementsOp : InferredOp<"gather_elements"> {
  let summary = "result[.., i, ..] = input[.., indices[.., i, ..], ..] along one axis";
  let arguments = (ins AnyT:$input, IndexT:$indices, I64Attr:$axis);
  let results = (outs AnyT:$result);
}
def GatherNdOp : InferredOp<"gather_nd"> {
  let summary = "slices by index tuples: result[i.., :] = input[indices[i.., 0], .., indices[i.., k-1], :]";
  // indices [.., k] names the first k dimensions of input; the result's dimensions are indices' but the last, then the rest of input's.
  let arguments = (ins AnyT:$input, IndexT:$indices);
  let results = (outs AnyT:$result);
}
def ScatterOp : InferredOp<"scatter"> {
  let summary = "input with the slices named by `indices` along one axis replaced by those of `updates`; the last write wins";
  let arguments = (ins AnyT:$input, IndexT:$indices, AnyT:$updates, I64Attr:$axis);
  let results = (outs AnyT:$result);
}
def KvCacheAppendOp : InferredOp<"kv_cache_append"> {
  let summary = "cache [B, H, Smax, D] with new keys or values [B, H, S, D] written from position on";
  let arguments = (ins FloatT:$cache, FloatT:$update, RankedTensorOf<[I64, I32]>:$position);
  let results = (outs FloatT:$result);
}
def KvCacheReadOp : InferredOp<"kv_cache_read"> {
  let summary = "the first `length` positions of a cache [B, H, Smax, D]";
  let arguments = (ins FloatT:$cache, RankedTensorOf<[I64, I32]>:$length);
  let results = (outs FloatT:$result);
}

#endif
