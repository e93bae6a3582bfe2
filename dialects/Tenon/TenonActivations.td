// Elementwise ops of one operand, and the gated activations.
#ifndef TENON_DIALECTS_TENON_TENONACTIVATIONS_TD
#define TENON_DIALECTS_TENON_TENONACTIVATIONS_TD

include "dialects/Tenon/TenonBase.td"

class UnaryOp<string mnemonic, string formula, string rules, TypeConstraint type = FloatT, string element = "f32">
    : InferredOp<mnemonic, [Elementwise]> {
  let rule = [{
    ::llvm::LogicalResult $cppClass::infer(::tenon::ShapeRule &rule, Adaptor op) { return inferSameType(rule, op.getInput()); }
  }];
  let summary = "elementwise " # formula;
  let arguments = (ins type:$input);
  let results = (outs type:$result);
  let description = "Formula: `r[i] = " # formula # "` for every element `x = input[i]`.\n\n"
    # "(C1) The result has the input's shape and element type.\n\n"
    # "Special values: " # rules # " 16-bit floats are computed in f32 and rounded once.\n\n"
    # "```mlir\nfunc.func @example(%x: tensor<2x3x" # element # ">) -> tensor<2x3x" # element # "> {\n"
    # "  %r = tenon." # mnemonic # " %x : (tensor<2x3x" # element # ">) -> tensor<2x3x" # element # ">\n"
    # "  return %r : tensor<2x3x" # element # ">\n}\n```";
}
def AbsOp : UnaryOp<"abs", "|x|", "|-Inf| is Inf, NaN stays NaN; the least integer stays as it is.", NumberT> { let hasFolder = 1; }
def NegOp : UnaryOp<"neg", "-x", "-(0.0) is -0.0, NaN stays NaN; the least integer stays as it is.", NumberT> { let hasFolder = 1; }
def SignOp : UnaryOp<"sign", "sign(x): -1, 0 or 1", "NaN stays NaN, a zero keeps its sign.", NumberT> { let hasFolder = 1; }
def ExpOp : UnaryOp<"exp", "e^x", "e^-Inf is 0, overflow is Inf, NaN stays NaN.">;
def Exp2Op : UnaryOp<"exp2", "2^x", "2^-Inf is 0, overflow is Inf, NaN stays NaN.">;
def LogOp : UnaryOp<"log", "ln(x)", "ln(0) is -Inf, of a negative number NaN.">;
def Log2Op : UnaryOp<"log2", "log2(x)", "log2(0) is -Inf, of a negative number NaN.">;
def SqrtOp : UnaryOp<"sqrt", "sqrt(x)", "of a negative number NaN, sqrt(-0.0) is -0.0.">;
def RsqrtOp : UnaryOp<"rsqrt", "1/sqrt(x)", "of 0 Inf, of a negative number NaN, of Inf 0.">;
def ReciprocalOp : UnaryOp<"reciprocal", "1/x", "1/0 is Inf with the sign of the zero, 1/Inf is 0.">;
def SinOp : UnaryOp<"sin", "sin(x)", "of an infinity NaN.">;
def CosOp : UnaryOp<"cos", "cos(x)", "of an infinity NaN.">;
def TanhOp : UnaryOp<"tanh", "tanh(x)", "of an infinity 1 with its sign, NaN stays NaN.">;
def ErfOp : UnaryOp<"erf", "erf(x)", "of an infinity 1 with its sign, NaN stays NaN.">;
def FloorOp : UnaryOp<"floor", "largest integer <= x", "infinities and NaN stay."> { let hasFolder = 1; }
def CeilOp : UnaryOp<"ceil", "smallest integer >= x", "infinities and NaN stay."> { let hasFolder = 1; }
def RoundOp : UnaryOp<"round", "nearest integer, halves to even", "infinities and NaN stay."> { let hasFolder = 1; }
def SquareOp : UnaryOp<"square", "x*x", "NaN stays NaN; integers wrap.", NumberT>;
def ReluOp : UnaryOp<"relu", "max(x, 0)", "NaN stays NaN.", NumberT> { let hasFolder = 1; }
def SigmoidOp : UnaryOp<"sigmoid", "1/(1 + e^-x)", "of -Inf 0, of Inf 1, NaN stays NaN.">;
def SiluOp : UnaryOp<"silu", "x * sigmoid(x)", "of -Inf NaN, of Inf Inf, NaN stays NaN.">;
def SoftplusOp : UnaryOp<"softplus", "log(1 + e^x)", "computed without overflow for large x; of Inf Inf, NaN stays NaN.">;
def MishOp : UnaryOp<"mish", "x * tanh(softplus(x))", "of Inf Inf, NaN stays NaN.">;
def HardSigmoidOp : UnaryOp<"hard_sigmoid", "clamp(x/6 + 1/2, 0, 1)", "NaN stays NaN.">;
def HardSwishOp : UnaryOp<"hard_swish", "x * hard_sigmoid(x)", "NaN stays NaN.">;
def QuickGeluOp : UnaryOp<"quick_gelu", "x * sigmoid(1.702 x)", "of Inf Inf, NaN stays NaN.">;
def LogicalNotOp : UnaryOp<"logical_not", "not x", "none.", BoolT, "i1"> { let hasFolder = 1; }

def GeluApproximation : I32Enum<"GeluApproximation", "how gelu is computed",
    [I32EnumCase<"Erf", 0, "erf">, I32EnumCase<"Tanh", 1, "tanh">]> {
  let cppNamespace = "::tenon";
}
def GeluApproximationAttr : EnumAttr<TenonDialect, GeluApproximation, "gelu"> { let assemblyFormat = "`<` $value `>`"; }
def GeluOp : InferredOp<"gelu", [Elementwise]> {
  let summary = "elementwise x * Phi(x), exact by erf or by the tanh form";
  let description = [{
    Formula: `r = x/2 * (1 + erf(x / sqrt(2)))` with `approximation` erf (the default), and
    `r = x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3)))` with tanh.

    (C1) The result has the input's shape and element type.

    Special values: of Inf Inf, NaN stays NaN. 16-bit floats are computed in f32 and rounded once.

    ```mlir
    func.func @example(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
      %r = tenon.gelu %x {approximation = #tenon.gelu<tanh>} : (tensor<2x3xf32>) -> tensor<2x3xf32>
      return %r : tensor<2x3xf32>
    }
    ```
  }];
  let arguments = (ins FloatT:$input, DefaultValuedAttr<GeluApproximationAttr, "GeluApproximation::Erf">:$approximation);
  let results = (outs FloatT:$result);
}
def LeakyReluOp : InferredOp<"leaky_relu", [Elementwise]> {
  let summary = "elementwise x if x >= 0 else slope * x";
  let description = [{
    Formula: `r = x if x >= 0 else slope * x`.

    (C1) The result has the input's shape and element type.

    Special values: NaN stays NaN.

    ```mlir
    func.func @example(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
      %r = tenon.leaky_relu %x {slope = 0.01 : f64} : (tensor<2x3xf32>) -> tensor<2x3xf32>
      return %r : tensor<2x3xf32>
    }
    ```
  }];
  let arguments = (ins FloatT:$input, F64Attr:$slope);
  let results = (outs FloatT:$result);
}
def EluOp : InferredOp<"elu", [Elementwise]> {
  let summary = "elementwise x if x > 0 else alpha * (e^x - 1)";
  let description = [{
    Formula: `r = x if x > 0 else alpha * (e^x - 1)`.

    (C1) The result has the input's shape and element type.

    Special values: of -Inf -alpha, NaN stays NaN.

    ```mlir
    func.func @example(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
      %r = tenon.elu %x {alpha = 1.0 : f64} : (tensor<2x3xf32>) -> tensor<2x3xf32>
      return %r : tensor<2x3xf32>
    }
    ```
  }];
  let arguments = (ins FloatT:$input, F64Attr:$alpha);
  let results = (outs FloatT:$result);
}
def ClampOp : InferredOp<"clamp", [Elementwise]> {
  let summary = "elementwise min(max(x, low), high); NaN stays NaN";
  let description = [{
    Formula: `r = min(max(x, low), high)`.

    (C1) The result has the input's shape and element type.

    (C2) `low <= high`, neither NaN; an infinity leaves that side open.

    Special values: NaN stays NaN.

    ```mlir
    func.func @example(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
      %r = tenon.clamp %x {low = -1.0 : f64, high = 1.0 : f64} : (tensor<2x3xf32>) -> tensor<2x3xf32>
      return %r : tensor<2x3xf32>
    }
    ```
  }];
  let arguments = (ins FloatT:$input, F64Attr:$low, F64Attr:$high);
  let results = (outs FloatT:$result);
  let hasFolder = 1;
}

// Gated activations: result = activation(gate) * up.
def SwigluOp : InferredOp<"swiglu", [Elementwise]> {
  let summary = "elementwise silu(gate) * up";
  let description = [{
    Formula: `r = gate * sigmoid(gate) * up`.

    (C1) The result has the shape and element type of `gate`.

    (C2) `up` has the shape of `gate`; nothing broadcasts.

    (C3) `up` has the element type of `gate`.

    Special values: NaN of either stays NaN. 16-bit floats are computed in f32 and rounded once.

    ```mlir
    func.func @example(%gate: tensor<2x3xf32>, %up: tensor<2x3xf32>) -> tensor<2x3xf32> {
      %r = tenon.swiglu %gate, %up : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
      return %r : tensor<2x3xf32>
    }
    ```
  }];
  let arguments = (ins FloatT:$gate, FloatT:$up);
  let results = (outs FloatT:$result);
}
def GegluOp : InferredOp<"geglu", [Elementwise]> {
  let summary = "elementwise gelu(gate) * up";
  let description = [{
    Formula: `r = gelu(gate) * up`, gelu as `tenon.gelu` with the same `approximation`.

    (C1) The result has the shape and element type of `gate`.

    (C2) `up` has the shape of `gate`; nothing broadcasts.

    (C3) `up` has the element type of `gate`.

    Special values: NaN of either stays NaN. 16-bit floats are computed in f32 and rounded once.

    ```mlir
    func.func @example(%gate: tensor<2x3xf32>, %up: tensor<2x3xf32>) -> tensor<2x3xf32> {
      %r = tenon.geglu %gate, %up : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
      return %r : tensor<2x3xf32>
    }
    ```
  }];
  let arguments = (ins FloatT:$gate, FloatT:$up, DefaultValuedAttr<GeluApproximationAttr, "GeluApproximation::Erf">:$approximation);
  let results = (outs FloatT:$result);
}
#endif
