// Elementwise ops of one operand, and the gated activations.
#ifndef TENON_DIALECTS_TENON_TENONACTIVATIONS_TD
#define TENON_DIALECTS_TENON_TENONACTIVATIONS_TD

include "dialects/Tenon/TenonBase.td"

class UnaryOp<string mnemonic, string formula, TypeConstraint type = FloatT> : InferredOp<mnemonic, [Elementwise]> {
  let rule = [{
    ::llvm::LogicalResult $cppClass::infer(::tenon::ShapeRule &rule, Adaptor op) { return inferSameType(rule, op.getInput()); }
  }];
  let summary = "elementwise " # formula;
  let arguments = (ins type:$input);
  let results = (outs type:$result);
}
def AbsOp : UnaryOp<"abs", "|x|", NumberT>;
def NegOp : UnaryOp<"neg", "-x", NumberT>;
def SignOp : UnaryOp<"sign", "sign(x): -1, 0 or 1; NaN stays NaN", NumberT>;
def ExpOp : UnaryOp<"exp", "e^x">;
def Exp2Op : UnaryOp<"exp2", "2^x">;
def LogOp : UnaryOp<"log", "ln(x)">;
def Log2Op : UnaryOp<"log2", "log2(x)">;
def SqrtOp : UnaryOp<"sqrt", "sqrt(x)">;
def RsqrtOp : UnaryOp<"rsqrt", "1/sqrt(x)">;
def ReciprocalOp : UnaryOp<"reciprocal", "1/x">;
def SinOp : UnaryOp<"sin", "sin(x)">;
def CosOp : UnaryOp<"cos", "cos(x)">;
def TanhOp : UnaryOp<"tanh", "tanh(x)">;
def ErfOp : UnaryOp<"erf", "erf(x)">;
def FloorOp : UnaryOp<"floor", "largest integer <= x">;
def CeilOp : UnaryOp<"ceil", "smallest integer >= x">;
def RoundOp : UnaryOp<"round", "nearest integer, halves to even">;
def SquareOp : UnaryOp<"square", "x*x", NumberT>;
def ReluOp : UnaryOp<"relu", "max(x, 0)", NumberT>;
def SigmoidOp : UnaryOp<"sigmoid", "1/(1 + e^-x)">;
def SiluOp : UnaryOp<"silu", "x * sigmoid(x)">;
def SoftplusOp : UnaryOp<"softplus", "log(1 + e^x)">;
def MishOp : UnaryOp<"mish", "x * tanh(softplus(x))">;
def HardSigmoidOp : UnaryOp<"hard_sigmoid", "clamp(x/6 + 1/2, 0, 1)">;
def HardSwishOp : UnaryOp<"hard_swish", "x * hard_sigmoid(x)">;
def QuickGeluOp : UnaryOp<"quick_gelu", "x * sigmoid(1.702 x)">;
def LogicalNotOp : UnaryOp<"logical_not", "not x", BoolT>;

def GeluApproximation : I32Enum<"GeluApproximation", "how gelu is computed",
    [I32EnumCase<"Erf", 0, "erf">, I32EnumCase<"Tanh", 1, "tanh">]> {
  let cppNamespace = "::tenon";
}
def GeluApproximationAttr : EnumAttr<TenonDialect, GeluApproximation, "gelu"> { let assemblyFormat = "`<` $value `>`"; }
def GeluOp : InferredOp<"gelu", [Elementwise]> {
  let summary = "elementwise x * Phi(x), exact by erf or by the tanh form";
  let arguments = (ins FloatT:$input, DefaultValuedAttr<GeluApproximationAttr, "GeluApproximation::Erf">:$approximation);
  let results = (outs FloatT:$result);
}
def LeakyReluOp : InferredOp<"leaky_relu", [Elementwise]> {
  let summary = "elementwise x if x >= 0 else slope * x";
  let arguments = (ins FloatT:$input, F64Attr:$slope);
  let results = (outs FloatT:$result);
}
def EluOp : InferredOp<"elu", [Elementwise]> {
  let summary = "elementwise x if x > 0 else alpha * (e^x - 1)";
  let arguments = (ins FloatT:$input, F64Attr:$alpha);
  let results = (outs FloatT:$result);
}
def ClampOp : InferredOp<"clamp", [Elementwise]> {
  let summary = "elementwise min(max(x, low), high); NaN stays NaN";
  let arguments = (ins FloatT:$input, F64Attr:$low, F64Attr:$high);
  let results = (outs FloatT:$result);
}

// Gated activations: result = activation(gate) * up.
def SwigluOp : InferredOp<"swiglu", [Elementwise]> {
  let summary = "elementwise silu(gate) * up";
  let arguments = (ins FloatT:$gate, FloatT:$up);
  let results = (outs FloatT:$result);
}
def GegluOp : InferredOp<"geglu", [Elementwise]> {
  let summary = "elementwise gelu(gate) * up";
  let arguments = (ins FloatT:$gate, FloatT:$up, DefaultValuedAttr<GeluApproximationAttr, "GeluApproximation::Erf">:$approximation);
  let results = (outs FloatT:$result);
}

#endif
