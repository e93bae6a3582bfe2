// Elementwise ops of several operands, with NumPy broadcasting; casts; rotary embedding.
#ifndef TENON_DIALECTS_TENON_TENONPOINTWISE_TD
#define TENON_DIALECTS_TENON_TENONPOINTWISE_TD

include "dialects/Tenon/TenonBase.td"

class BinaryOp<string mnemonic, string formula, TypeConstraint type = NumberT> : InferredOp<mnemonic> {
  let rule = [{
    ::llvm::LogicalResult $cppClass::infer(::tenon::ShapeRule &rule, Adaptor op) { return inferBinary(rule, op.getLhs(), op.getRhs()); }
  }];
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
def CompareOp : InferredOp<"compare"> {
  let summary = "elementwise comparison with broadcasting; false where an operand is NaN, but true for ne";
  let arguments = (ins AnyT:$lhs, AnyT:$rhs, ComparePredicateAttr:$predicate);
  let results = (outs BoolT:$result);
}
def SelectOp : InferredOp<"select"> {
  let summary = "elementwise condition ? a : b, with broadcasting";
  let arguments = (ins BoolT:$condition, AnyT:$on_true, AnyT:$on_false);
  let results = (outs AnyT:$result);
}
def CastOp : CheckedOp<"cast", [Elementwise]> {
  let summary = "elementwise conversion to the result's element type";
  let arguments = (ins AnyT:$input);
  let results = (outs AnyT:$result);
}

def RopeOp : InferredOp<"rope"> {
  let summary = "rotary position embedding of the innermost dimension, half-split or interleaved";
  // input [.., S, D]; cos, sin broadcastable to [.., S, D/2] or [.., S, D] (then the first half is used, as exporters write it).
  let arguments = (ins FloatT:$input, FloatT:$cos, FloatT:$sin, UnitAttr:$interleaved);
  let results = (outs FloatT:$result);
}

#endif
