// One result element from one element of each operand, with NumPy broadcasting of the binary and ternary families.
#ifndef TENON_DIALECTS_TENON_TENONPOINTWISE_TD
#define TENON_DIALECTS_TENON_TENONPOINTWISE_TD

include "dialects/Tenon/TenonBase.td"

class UnaryOp<string mnemonic, string formula, TypeConstraint type = FloatT> : TenonOp<mnemonic, [Pure, Elementwise]> {
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
def GeluOp : TenonOp<"gelu", [Pure, Elementwise]> {
  let summary = "elementwise x * Phi(x), exact by erf or by the tanh form";
  let arguments = (ins FloatT:$input, DefaultValuedAttr<GeluApproximationAttr, "GeluApproximation::Erf">:$approximation);
  let results = (outs FloatT:$result);
}
def LeakyReluOp : TenonOp<"leaky_relu", [Pure, Elementwise]> {
  let summary = "elementwise x if x >= 0 else slope * x";
  let arguments = (ins FloatT:$input, F64Attr:$slope);
  let results = (outs FloatT:$result);
}
def EluOp : TenonOp<"elu", [Pure, Elementwise]> {
  let summary = "elementwise x if x > 0 else alpha * (e^x - 1)";
  let arguments = (ins FloatT:$input, F64Attr:$alpha);
  let results = (outs FloatT:$result);
}
def ClampOp : TenonOp<"clamp", [Pure, Elementwise]> {
  let summary = "elementwise min(max(x, low), high); NaN stays NaN";
  let arguments = (ins FloatT:$input, F64Attr:$low, F64Attr:$high);
  let results = (outs FloatT:$result);
}

// Gated activations: result = activation(gate) * up.
def SwigluOp : TenonOp<"swiglu", [Pure, Elementwise]> {
  let summary = "elementwise silu(gate) * up";
  let arguments = (ins FloatT:$gate, FloatT:$up);
  let results = (outs FloatT:$result);
}
def GegluOp : TenonOp<"geglu", [Pure, Elementwise]> {
  let summary = "elementwise gelu(gate) * up";
  let arguments = (ins FloatT:$gate, FloatT:$up, DefaultValuedAttr<GeluApproximationAttr, "GeluApproximation::Erf">:$approximation);
  let results = (outs FloatT:$result);
}

class BinaryOp<string mnemonic, string formula, TypeConstraint type = NumberT> : TenonOp<mnemonic, [Pure]> {
  let summary = "elementwise " # formula # ", with broadcasting";
  let arguments = (ins type:$lhs, type:$rhs);
  let results = (outs type:$result);
}
def AddOp : BinaryOp<"add", "a + b">;
def SubOp : BinaryOp<"sub", "a - b">;
def MulOp : BinaryOp<"mul", "a * b">;
def DivOp : BinaryOp<"div", "a / b, integers towards zero">;
def FloorDivOp : BinaryOp<"floor_div", "floor(a / b)">;
def RemOp : BinaryOp<"rem", "a - b * floor(a / b), the sign of b">;
def PowOp : BinaryOp<"pow", "a^b", FloatT>;
def MaxOp : BinaryOp<"max", "max(a, b), NaN if either is NaN">;
def MinOp : BinaryOp<"min", "min(a, b), NaN if either is NaN">;
def LogicalAndOp : BinaryOp<"logical_and", "a and b", BoolT>;
def LogicalOrOp : BinaryOp<"logical_or", "a or b", BoolT>;
def LogicalXorOp : BinaryOp<"logical_xor", "a xor b", BoolT>;

def ComparePredicate : I32Enum<"ComparePredicate", "which comparison", [
    I32EnumCase<"EQ", 0, "eq">, I32EnumCase<"NE", 1, "ne">, I32EnumCase<"LT", 2, "lt">,
    I32EnumCase<"LE", 3, "le">, I32EnumCase<"GT", 4, "gt">, I32EnumCase<"GE", 5, "ge">]> {
  let cppNamespace = "::tenon";
}
def ComparePredicateAttr : EnumAttr<TenonDialect, ComparePredicate, "compare"> { let assemblyFormat = "`<` $value `>`"; }
def CompareOp : TenonOp<"compare", [Pure]> {
  let summary = "elementwise comparison with broadcasting; false where an operand is NaN, but true for ne";
  let arguments = (ins AnyT:$lhs, AnyT:$rhs, ComparePredicateAttr:$predicate);
  let results = (outs BoolT:$result);
}
def SelectOp : TenonOp<"select", [Pure]> {
  let summary = "elementwise condition ? a : b, with broadcasting";
  let arguments = (ins BoolT:$condition, AnyT:$on_true, AnyT:$on_false);
  let results = (outs AnyT:$result);
}
def CastOp : TenonOp<"cast", [Pure, Elementwise]> {
  let summary = "elementwise conversion to the result's element type";
  let arguments = (ins AnyT:$input);
  let results = (outs AnyT:$result);
}

def RopeOp : TenonOp<"rope", [Pure]> {
  let summary = "rotary position embedding of the innermost dimension, half-split or interleaved";
  // input [.., S, D]; cos, sin broadcastable to [.., S, D/2] or [.., S, D] (then the first half is used, as exporters write it).
  let arguments = (ins FloatT:$input, FloatT:$cos, FloatT:$sin, UnitAttr:$interleaved);
  let results = (outs FloatT:$result);
}

#endif
