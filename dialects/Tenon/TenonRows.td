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
def SoftmaxOp : SoftmaxLikeOp<"softmax"> {
  let summary = "exp(x - max) / sum(exp(x - max)) along one axis";
  let description = [{
    Formula: `r = exp(x - m) / sum(exp(x - m))` along `axis`, m the maximum.

    (C1) The result has the input's shape and element type.

    (C2) `0 <= axis < rank`.

    Accumulation: maximum and sum in f32 for 16-bit floats, rounded once. A row with a NaN, an Inf, or nothing but -Inf is NaN.

    ```mlir
    func.func @example(%x: tensor<2x?xf32>) -> tensor<2x?xf32> {
      %r = tenon.softmax %x {axis = 1 : i64} : (tensor<2x?xf32>) -> tensor<2x?xf32>
      return %r : tensor<2x?xf32>
    }
    ```
  }];
}
def LogSoftmaxOp : SoftmaxLikeOp<"log_softmax"> {
  let summary = "x - max - log(sum(exp(x - max))) along one axis";
  let description = [{
    Formula: `r = x - m - log(sum(exp(x - m)))` along `axis`, m the maximum.

    (C1) The result has the input's shape and element type.

    (C2) `0 <= axis < rank`.

    Accumulation: maximum and sum in f32 for 16-bit floats, rounded once. A row with a NaN, an Inf, or nothing but -Inf is NaN.

    ```mlir
    func.func @example(%x: tensor<2x?xf32>) -> tensor<2x?xf32> {
      %r = tenon.log_softmax %x {axis = 1 : i64} : (tensor<2x?xf32>) -> tensor<2x?xf32>
      return %r : tensor<2x?xf32>
    }
    ```
  }];
}

def LayerNormOp : InferredOp<"layer_norm", [AttrSizedOperandSegments]> {
  let summary = "normalises the innermost dimensions that `weight` spans to mean 0 and variance 1, then scales and shifts";
  let description = [{
    Formula: `r = (x - mean) / sqrt(variance + epsilon) * weight + bias`, mean and (biased) variance over the innermost
    `num_dims` dimensions; an absent weight is 1, an absent bias 0.

    (C1) The result has the input's shape and element type.

    (C2) `1 <= num_dims <= rank`.

    (C3) `weight` and `bias` have the shape of the innermost `num_dims` dimensions.

    (C4) `weight` and `bias` have the input's element type.

    (C5) `epsilon` is finite and at least 0.

    Accumulation: mean, variance and the affine part in f32 for 16-bit floats, rounded once. A NaN or Inf makes its row NaN.

    ```mlir
    func.func @example(%x: tensor<?x384xf32>, %w: tensor<384xf32>, %b: tensor<384xf32>) -> tensor<?x384xf32> {
      %r = tenon.layer_norm %x weight(%w) bias(%b) {epsilon = 1.0e-5 : f64}
          : (tensor<?x384xf32>, tensor<384xf32>, tensor<384xf32>) -> tensor<?x384xf32>
      return %r : tensor<?x384xf32>
    }
    ```
  }];
  let arguments = (ins FloatT:$input, Optional<FloatT>:$weight, Optional<FloatT>:$bias,
                   DefaultValuedAttr<I64Attr, "1">:$num_dims, F64Attr:$epsilon);
  let results = (outs FloatT:$result);
  let assemblyFormat = [{
    $input (`weight` `(` $weight^ `)`)? (`bias` `(` $bias^ `)`)? attr-dict `:` functional-type(operands, results)
  }];
}
def RmsNormOp : InferredOp<"rms_norm"> {
  let summary = "divides the innermost dimension by its root mean square, then scales";
  let description = [{
    Formula: `r = x / sqrt(mean(x^2) + epsilon) * weight`, the mean over the innermost dimension; an absent weight is 1.

    (C1) The result has the input's shape and element type.

    (C2) `input` has rank 1 or more.

    (C3) `weight` has the shape of the innermost dimension.

    (C4) `weight` has the input's element type.

    (C5) `epsilon` is finite and at least 0.

    Accumulation: the mean and the product in f32 for 16-bit floats, rounded once. A NaN makes its row NaN; an Inf makes
    itself NaN and the others 0.

    ```mlir
    func.func @example(%x: tensor<?x384xf32>, %w: tensor<384xf32>) -> tensor<?x384xf32> {
      %r = tenon.rms_norm %x, %w {epsilon = 1.0e-6 : f64} : (tensor<?x384xf32>, tensor<384xf32>) -> tensor<?x384xf32>
      return %r : tensor<?x384xf32>
    }
    ```
  }];
  let arguments = (ins FloatT:$input, Optional<FloatT>:$weight, F64Attr:$epsilon);
  let results = (outs FloatT:$result);
}
def GroupNormOp : InferredOp<"group_norm", [AttrSizedOperandSegments]> {
  let summary = "normalises groups of channels of [N, C, spatial...]";
  let description = [{
    Formula: `r[n, c, ..] = (x - mean) / sqrt(variance + epsilon) * weight[c] + bias[c]`, mean and (biased) variance over
    the C / groups channels of a group and all spatial dimensions of `[N, C, spatial..]`.

    (C1) The result has the input's shape and element type.

    (C2) `input` has rank 2 or more.

    (C3) `weight` and `bias` have shape `[C]`.

    (C4) `weight` and `bias` have the input's element type.

    (C5) `epsilon` is finite and at least 0.

    (C6) `groups` is at least 1 and divides C.

    Accumulation: mean, variance and the affine part in f32 for 16-bit floats, rounded once. A NaN or Inf makes its group NaN.

    ```mlir
    func.func @example(%x: tensor<2x8x4x4xf32>, %w: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<2x8x4x4xf32> {
      %r = tenon.group_norm %x weight(%w) bias(%b) {groups = 2 : i64, epsilon = 1.0e-5 : f64}
          : (tensor<2x8x4x4xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<2x8x4x4xf32>
      return %r : tensor<2x8x4x4xf32>
    }
    ```
  }];
  let arguments = (ins FloatT:$input, Optional<FloatT>:$weight, Optional<FloatT>:$bias, I64Attr:$groups, F64Attr:$epsilon);
  let results = (outs FloatT:$result);
  let assemblyFormat = [{
    $input (`weight` `(` $weight^ `)`)? (`bias` `(` $bias^ `)`)? attr-dict `:` functional-type(operands, results)
  }];
}

class ReduceLikeOp<string mnemonic> : InferredOp<mnemonic> {
  let rule = [{
    ::llvm::LogicalResult $cppClass::infer(::tenon::ShapeRule &rule, Adaptor op) {
      return inferReduction(rule, op.getInput(), op.getAxes(), op.getKeepDims());
    }
  }];
  let arguments = (ins NumberT:$input, DenseI64ArrayAttr:$axes, UnitAttr:$keep_dims);
  let results = (outs NumberT:$result);
}
def ReduceSumOp : ReduceLikeOp<"reduce_sum"> {
  let summary = "sum over axes";
  let description = [{
    Formula: `r = sum of x` over `axes`, which are removed, or kept with size 1 with `keep_dims`.

    (C1) The result has the sizes that are left and the input's element type.

    (C2) Every axis is in `0 .. rank - 1`.

    (C3) No axis is named twice.

    Accumulation: f32 for 16-bit floats, rounded once; integers in their own type, wrapping. Of nothing 0.

    ```mlir
    func.func @example(%x: tensor<2x?x8xf32>) -> tensor<2x?xf32> {
      %r = tenon.reduce_sum %x {axes = array<i64: 2>} : (tensor<2x?x8xf32>) -> tensor<2x?xf32>
      return %r : tensor<2x?xf32>
    }
    ```
  }];
  let hasFolder = 1;
}
def ReduceMeanOp : ReduceLikeOp<"reduce_mean"> {
  let summary = "mean over axes";
  let description = [{
    Formula: `r = (sum of x) / count` over `axes`, which are removed, or kept with size 1 with `keep_dims`.

    (C1) The result has the sizes that are left and the input's element type.

    (C2) Every axis is in `0 .. rank - 1`.

    (C3) No axis is named twice.

    (C4) The element type is a float.

    Accumulation: f32 for 16-bit floats, rounded once. Of nothing NaN.

    ```mlir
    func.func @example(%x: tensor<2x?x8xf32>) -> tensor<2x?xf32> {
      %r = tenon.reduce_mean %x {axes = array<i64: 2>} : (tensor<2x?x8xf32>) -> tensor<2x?xf32>
      return %r : tensor<2x?xf32>
    }
    ```
  }];
  let rule = ""; // its own, in Rows.cpp: floats only
}
def ReduceMaxOp : ReduceLikeOp<"reduce_max"> {
  let summary = "maximum over axes, NaN if any is NaN";
  let description = [{
    Formula: `r = maximum of x` over `axes`, which are removed, or kept with size 1 with `keep_dims`.

    (C1) The result has the sizes that are left and the input's element type.

    (C2) Every axis is in `0 .. rank - 1`.

    (C3) No axis is named twice.

    NaN if any element is NaN. Of nothing -Inf, or the least integer.

    ```mlir
    func.func @example(%x: tensor<2x?x8xf32>) -> tensor<2x?xf32> {
      %r = tenon.reduce_max %x {axes = array<i64: 2>} : (tensor<2x?x8xf32>) -> tensor<2x?xf32>
      return %r : tensor<2x?xf32>
    }
    ```
  }];
  let hasFolder = 1;
}
def ReduceMinOp : ReduceLikeOp<"reduce_min"> {
  let summary = "minimum over axes, NaN if any is NaN";
  let description = [{
    Formula: `r = minimum of x` over `axes`, which are removed, or kept with size 1 with `keep_dims`.

    (C1) The result has the sizes that are left and the input's element type.

    (C2) Every axis is in `0 .. rank - 1`.

    (C3) No axis is named twice.

    NaN if any element is NaN. Of nothing Inf, or the greatest integer.

    ```mlir
    func.func @example(%x: tensor<2x?x8xf32>) -> tensor<2x?xf32> {
      %r = tenon.reduce_min %x {axes = array<i64: 2>} : (tensor<2x?x8xf32>) -> tensor<2x?xf32>
      return %r : tensor<2x?xf32>
    }
    ```
  }];
  let hasFolder = 1;
}

class ArgReduceOp<string mnemonic> : CheckedOp<mnemonic> {
  let rule = [{
    ::llvm::LogicalResult $cppClass::infer(::tenon::ShapeRule &rule, Adaptor op) {
      return inferArgReduction(rule, op.getInput(), op.getAxis(), op.getKeepDims());
    }
  }];
  let arguments = (ins NumberT:$input, I64Attr:$axis, UnitAttr:$keep_dims);
  let results = (outs IndexT:$result);
}
def ArgmaxOp : ArgReduceOp<"argmax"> {
  let summary = "index of the first maximum along one axis";
  let description = [{
    Formula: `r = the smallest i with x[i] = maximum of x` along `axis`, which is removed, or kept with size 1 with `keep_dims`.

    (C1) The result has the sizes that are left; the element type is i64 or i32.

    (C2) `0 <= axis < rank`.

    (C3) The axis is not of size 0.

    Special values: the first NaN wins over every number.

    ```mlir
    func.func @example(%x: tensor<2x?x8xf32>) -> tensor<2x?xi64> {
      %r = tenon.argmax %x {axis = 2 : i64} : (tensor<2x?x8xf32>) -> tensor<2x?xi64>
      return %r : tensor<2x?xi64>
    }
    ```
  }];
}
def ArgminOp : ArgReduceOp<"argmin"> {
  let summary = "index of the first minimum along one axis";
  let description = [{
    Formula: `r = the smallest i with x[i] = minimum of x` along `axis`, which is removed, or kept with size 1 with `keep_dims`.

    (C1) The result has the sizes that are left; the element type is i64 or i32.

    (C2) `0 <= axis < rank`.

    (C3) The axis is not of size 0.

    Special values: the first NaN wins over every number.

    ```mlir
    func.func @example(%x: tensor<2x?x8xf32>) -> tensor<2x?xi64> {
      %r = tenon.argmin %x {axis = 2 : i64} : (tensor<2x?x8xf32>) -> tensor<2x?xi64>
      return %r : tensor<2x?xi64>
    }
    ```
  }];
}

def CumsumOp : InferredOp<"cumsum"> {
  let summary = "inclusive running sum along one axis";
  let description = [{
    Formula: `r[.., i, ..] = sum over j <= i of x[.., j, ..]` along `axis`.

    (C1) The result has the input's shape and element type.

    (C2) `0 <= axis < rank`.

    Accumulation: the running sum in f32 for 16-bit floats, each element rounded once; integers wrap. From the first NaN on NaN.

    ```mlir
    func.func @example(%x: tensor<2x?xi64>) -> tensor<2x?xi64> {
      %r = tenon.cumsum %x {axis = 1 : i64} : (tensor<2x?xi64>) -> tensor<2x?xi64>
      return %r : tensor<2x?xi64>
    }
    ```
  }];
  let arguments = (ins NumberT:$input, I64Attr:$axis);
  let results = (outs NumberT:$result);
  let hasFolder = 1;
}

class PoolOp<string mnemonic> : InferredOp<mnemonic> {
  let rule = [{
    ::llvm::LogicalResult $cppClass::infer(::tenon::ShapeRule &rule, Adaptor op) {
      return inferPool(rule, op.getInput(), op.getWindow(), op.getStride(), op.getPadding());
    }
  }];
  let arguments = (ins FloatT:$input, DenseI64ArrayAttr:$window, DenseI64ArrayAttr:$stride, DenseI64ArrayAttr:$padding);
  let results = (outs FloatT:$result);
}
def MaxPoolOp : PoolOp<"max_pool"> {
  let summary = "maximum of each window of [N, C, spatial...]; padding counts as -inf";
  let description = [{
    Formula: `r[n, c, p..] = maximum over w.. of x[n, c, p stride + w - padding]` for `[N, C, spatial..]`, one or two spatial dimensions.

    (C1) The result is `[N, C, floor((size + 2 padding - window) / stride) + 1 ..]` of the input's element type.

    (C2) `input` has rank 3 or 4.

    (C3) `window`, `stride`, `padding` have an entry for each spatial dimension, at least 1, 1 and 0.

    (C4) `padding` is below `window`.

    (C5) The window fits into the padded input.

    Padding counts as -Inf. NaN if any element of the window is NaN.

    ```mlir
    func.func @example(%x: tensor<1x3x8x8xf32>) -> tensor<1x3x4x4xf32> {
      %r = tenon.max_pool %x {window = array<i64: 2, 2>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0>}
          : (tensor<1x3x8x8xf32>) -> tensor<1x3x4x4xf32>
      return %r : tensor<1x3x4x4xf32>
    }
    ```
  }];
}
def AvgPoolOp : PoolOp<"avg_pool"> {
  let summary = "mean of each window of [N, C, spatial...]; padding counts as zeros and is divided by too";
  let description = [{
    Formula: `r[n, c, p..] = mean over w.. of x[n, c, p stride + w - padding]` for `[N, C, spatial..]`, one or two spatial dimensions.

    (C1) The result is `[N, C, floor((size + 2 padding - window) / stride) + 1 ..]` of the input's element type.

    (C2) `input` has rank 3 or 4.

    (C3) `window`, `stride`, `padding` have an entry for each spatial dimension, at least 1, 1 and 0.

    (C4) `padding` is below `window`.

    (C5) The window fits into the padded input.

    Padding counts as zeros and is divided by too. Accumulation: f32 for 16-bit floats, rounded once.

    ```mlir
    func.func @example(%x: tensor<1x3x8x8xf32>) -> tensor<1x3x4x4xf32> {
      %r = tenon.avg_pool %x {window = array<i64: 2, 2>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0>}
          : (tensor<1x3x8x8xf32>) -> tensor<1x3x4x4xf32>
      return %r : tensor<1x3x4x4xf32>
    }
    ```
  }];
}

#endif
