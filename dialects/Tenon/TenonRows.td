// Softmax, norms, reductions, scans and pooling: ops with statistics along some dimensions.
#ifndef TENON_DIALECTS_TENON_TENONROWS_TD
#define TENON_DIALECTS_TENON_TENONROWS_TD

include "dialects/Tenon/TenonBase.td"

class SoftmaxLikeOp<string mnemonic> : InferredOp<mnemonic> {
  let rule = [{
    ::llvm::LogicalResult $cppClass::infer(::tenon::ShapeRule &rule, Adaptor op) { return inferAlongAxis(rule, op.getInput(), op.getAxis()); }
  }];
  let arguments = (ins FloatT:$input, I64Attr:$axis);
  let results = (outs FloatT:$result);
}
def SoftmaxOp : SoftmaxLikeOp<"softmax"> { let summary = "exp(x - max) / sum(exp(x - max)) along one axis"; }
def LogSoftmaxOp : SoftmaxLikeOp<"log_softmax"> { let summary = "x - max - log(sum(exp(x - max))) along one axis"; }

def LayerNormOp : InferredOp<"layer_norm", [AttrSizedOperandSegments]> {
  let summary = "normalises the innermost dimensions that `weight` spans to mean 0 and variance 1, then scales and shifts";
  let arguments = (ins FloatT:$input, Optional<FloatT>:$weight, Optional<FloatT>:$bias,
                   DefaultValuedAttr<I64Attr, "1">:$num_dims, F64Attr:$epsilon);
  let results = (outs FloatT:$result);
  let assemblyFormat = [{
    $input (`weight` `(` $weight^ `)`)? (`bias` `(` $bias^ `)`)? attr-dict `:` functional-type(operands, results)
  }];
}
def RmsNormOp : InferredOp<"rms_norm"> {
  let summary = "divides the innermost dimension by its root mean square, then scales";
  let arguments = (ins FloatT:$input, Optional<FloatT>:$weight, F64Attr:$epsilon);
  let results = (outs FloatT:$result);
}
def GroupNormOp : InferredOp<"group_norm", [AttrSizedOperandSegments]> {
  let summary = "normalises groups of channels of [N, C, spatial...]";
  let arguments = (ins FloatT:$input, Optional<FloatT>:$weight, Optional<FloatT>:$bias, I64Attr:$groups, F64Attr:$epsilon);
  let results = (outs FloatT:$result);
  let assemblyFormat = [{
    $input (`weight` `(` $weight^ `)`)? (`bias` `(` $bias^ `)`)? attr-dict `:` functional-type(operands, results)
  }];
}

class ReduceLikeOp<string mnemonic> : InferredOp<mnemonic> {
  let rule = [{
    ::llvm::LogicalResult $cppClass::infer(::tenon::ShapeRule &rule, Adaptor op) { return inferReduction(rule, op.getInput(), op.getAxes(), op.getKeepDims()); }
  }];
  let arguments = (ins NumberT:$input, DenseI64ArrayAttr:$axes, UnitAttr:$keep_dims);
  let results = (outs NumberT:$result);
}
def ReduceSumOp : ReduceLikeOp<"reduce_sum"> { let summary = "sum over axes"; }
def ReduceMeanOp : ReduceLikeOp<"reduce_mean"> {
  let rule = ""; // its own, in Rows.cpp: floats only
  let summary = "mean over axes";
}
def ReduceMaxOp : ReduceLikeOp<"reduce_max"> { let summary = "maximum over axes, NaN if any is NaN"; }
def ReduceMinOp : ReduceLikeOp<"reduce_min"> { let summary = "minimum over axes, NaN if any is NaN"; }

class ArgReduceOp<string mnemonic> : CheckedOp<mnemonic> {
  let rule = [{
    ::llvm::LogicalResult $cppClass::infer(::tenon::ShapeRule &rule, Adaptor op) { return inferArgReduction(rule, op.getInput(), op.getAxis(), op.getKeepDims()); }
  }];
  let arguments = (ins NumberT:$input, I64Attr:$axis, UnitAttr:$keep_dims);
  let results = (outs IndexT:$result);
}
def ArgmaxOp : ArgReduceOp<"argmax"> { let summary = "index of the first maximum along one axis"; }
def ArgminOp : ArgReduceOp<"argmin"> { let summary = "index of the first minimum along one axis"; }

def CumsumOp : InferredOp<"cumsum"> {
  let summary = "inclusive running sum along one axis";
  let arguments = (ins NumberT:$input, I64Attr:$axis);
  let results = (outs NumberT:$result);
}

class PoolOp<string mnemonic> : InferredOp<mnemonic> {
  let rule = [{
    ::llvm::LogicalResult $cppClass::infer(::tenon::ShapeRule &rule, Adaptor op) { return inferPool(rule, op.getInput(), op.getWindow(), op.getStride(), op.getPadding()); }
  }];
  let arguments = (ins FloatT:$input, DenseI64ArrayAttr:$window, DenseI64ArrayAttr:$stride, DenseI64ArrayAttr:$padding);
  let results = (outs FloatT:$result);
}
def MaxPoolOp : PoolOp<"max_pool"> { let summary = "maximum of each window of [N, C, spatial...]; padding counts as -inf"; }
def AvgPoolOp : PoolOp<"avg_pool"> { let summary = "mean of each window of [N, C, spatial...]; padding counts as zeros and is divided by too"; }

#endif
