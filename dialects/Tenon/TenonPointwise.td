// Elementwise ops of several operands, with NumPy broadcasting; casts; rotary embedding.
#ifndef TENON_DIALECTS_TENON_TENONPOINTWISE_TD
#define TENON_DIALECTS_TENON_TENONPOINTWISE_TD

include "dialects/Tenon/TenonBase.td"

class BinaryOp<string mnemonic, string formula, string rules, TypeConstraint type = NumberT>
    : InferredOp<mnemonic, [Broadcasts]> {
  let rule = [{
    ::llvm::LogicalResult $cppClass::infer(::tenon::ShapeRule &rule, Adaptor op) {
      return inferBinary(rule, op.getLhs(), op.getRhs());
    }
  }];
  let summary = "elementwise " # formula # ", with broadcasting";
  let arguments = (ins type:$lhs, type:$rhs);
  let results = (outs type:$result);
  let description = "Formula: `r[i] = " # formula # "` for `a = lhs[i]` and `b = rhs[i]`, both broadcast to the result's shape.\n\n"
    # "(C1) The result has the broadcast shape and the operands' element type.\n\n"
    # "(C2) Both have the same element type.\n\n"
    # "(C3) The shapes broadcast: aligned at the innermost dimension, sizes are equal, or one is a static 1 or missing. A `?` does not repeat.\n\n"
    # "Special values: " # rules # " 16-bit floats are computed in f32 and rounded once.\n\n"
    # "```mlir\nfunc.func @example(%a: tensor<2x?x3xf32>, %b: tensor<3xf32>) -> tensor<2x?x3xf32> {\n"
    # "  %r = tenon." # mnemonic # " %a, %b : (tensor<2x?x3xf32>, tensor<3xf32>) -> tensor<2x?x3xf32>\n"
    # "  return %r : tensor<2x?x3xf32>\n}\n```";
}
def AddOp : BinaryOp<"add", "a + b", "Inf - Inf is NaN; integers wrap."> { let hasFolder = 1; }
def SubOp : BinaryOp<"sub", "a - b", "Inf - Inf is NaN; integers wrap."> { let hasFolder = 1; }
def MulOp : BinaryOp<"mul", "a * b", "0 * Inf is NaN; integers wrap."> { let hasFolder = 1; }
def DivOp : BinaryOp<"div", "a / b, integers towards zero", "x/0 is an infinity, 0/0 NaN; an integer divided by 0 has no defined value."> { let hasFolder = 1; }
def FloorDivOp : BinaryOp<"floor_div", "floor(a / b)", "x/0 is an infinity, 0/0 NaN; an integer divided by 0 has no defined value."> { let hasFolder = 1; }
def RemOp : BinaryOp<"rem", "a - b * floor(a / b), the sign of b", "of b = 0 NaN; of an integer b = 0 no defined value.">;
def PowOp : BinaryOp<"pow", "a^b", "x^0 and 1^x are 1 for every x; a negative base with a broken exponent gives NaN.", FloatT> { let hasFolder = 1; }
def MaxOp : BinaryOp<"max", "max(a, b), NaN if either is NaN", "NaN wins."> { let hasFolder = 1; }
def MinOp : BinaryOp<"min", "min(a, b), NaN if either is NaN", "NaN wins."> { let hasFolder = 1; }
// Both operands are of i1 by their type, so that no constraint speaks of the element type.
class LogicalOp<string mnemonic, string formula> : InferredOp<mnemonic, [Broadcasts]> {
  let rule = [{
    ::llvm::LogicalResult $cppClass::infer(::tenon::ShapeRule &rule, Adaptor op) {
      return inferLogical(rule, op.getLhs(), op.getRhs());
    }
  }];
  let summary = "elementwise " # formula # ", with broadcasting";
  let arguments = (ins BoolT:$lhs, BoolT:$rhs);
  let results = (outs BoolT:$result);
  let description = "Formula: `r[i] = " # formula # "` for `a = lhs[i]` and `b = rhs[i]`, both broadcast to the result's shape.\n\n"
    # "(C1) The result has the broadcast shape.\n\n"
    # "(C2) The shapes broadcast: aligned at the innermost dimension, sizes are equal, or one is a static 1 or missing. A `?` does not repeat.\n\n"
    # "```mlir\nfunc.func @example(%a: tensor<2x?x3xi1>, %b: tensor<3xi1>) -> tensor<2x?x3xi1> {\n"
    # "  %r = tenon." # mnemonic # " %a, %b : (tensor<2x?x3xi1>, tensor<3xi1>) -> tensor<2x?x3xi1>\n"
    # "  return %r : tensor<2x?x3xi1>\n}\n```";
}
def LogicalAndOp : LogicalOp<"logical_and", "a and b"> { let hasFolder = 1; }
def LogicalOrOp : LogicalOp<"logical_or", "a or b"> { let hasFolder = 1; }
def LogicalXorOp : LogicalOp<"logical_xor", "a xor b"> { let hasFolder = 1; }

def ComparePredicate : I32Enum<"ComparePredicate", "which comparison", [
    I32EnumCase<"EQ", 0, "eq">, I32EnumCase<"NE", 1, "ne">, I32EnumCase<"LT", 2, "lt">,
    I32EnumCase<"LE", 3, "le">, I32EnumCase<"GT", 4, "gt">, I32EnumCase<"GE", 5, "ge">]> {
  let cppNamespace = "::tenon";
}
def ComparePredicateAttr : EnumAttr<TenonDialect, ComparePredicate, "compare"> { let assemblyFormat = "`<` $value `>`"; }
def CompareOp : InferredOp<"compare", [Broadcasts]> {
  let summary = "elementwise comparison with broadcasting; false where an operand is NaN, but true for ne";
  let description = [{
    Formula: `r[i] = lhs[i] <predicate> rhs[i]`, both broadcast to the result's shape; predicates eq, ne, lt, le, gt, ge.

    (C1) The result has the broadcast shape and element type i1.

    (C2) Both have the same element type.

    (C3) The shapes broadcast.

    (C4) Booleans are compared by eq or ne only.

    Special values: with a NaN operand every predicate is false but ne, which is true. -0.0 equals 0.0. Integers are signed.

    ```mlir
    func.func @example(%a: tensor<2x3xf32>, %b: tensor<f32>) -> tensor<2x3xi1> {
      %r = tenon.compare %a, %b {predicate = #tenon.compare<lt>} : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xi1>
      return %r : tensor<2x3xi1>
    }
    ```
  }];
  let arguments = (ins AnyT:$lhs, AnyT:$rhs, ComparePredicateAttr:$predicate);
  let results = (outs BoolT:$result);
  let hasFolder = 1;
}
def SelectOp : InferredOp<"select", [Broadcasts]> {
  let summary = "elementwise condition ? a : b, with broadcasting";
  let description = [{
    Formula: `r[i] = condition[i] ? on_true[i] : on_false[i]`, all three broadcast to the result's shape.

    (C1) The result has the broadcast shape and the element type of `on_true`.

    (C2) `on_false` has the element type of `on_true`.

    (C3) The shapes broadcast.

    Special values: the element that is not chosen has no effect, be it NaN.

    ```mlir
    func.func @example(%c: tensor<3xi1>, %a: tensor<2x3xf32>, %b: tensor<f32>) -> tensor<2x3xf32> {
      %r = tenon.select %c, %a, %b : (tensor<3xi1>, tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
      return %r : tensor<2x3xf32>
    }
    ```
  }];
  let arguments = (ins BoolT:$condition, AnyT:$on_true, AnyT:$on_false);
  let results = (outs AnyT:$result);
  let hasFolder = 1;
}
def CastOp : CheckedOp<"cast", [Elementwise]> {
  let summary = "elementwise conversion to the result's element type";
  let description = [{
    Formula: `r[i] = input[i]` in the result's element type.

    (C1) The result has the input's shape; any element type.

    To a narrower float: nearest, halves to even, overflow to an infinity (f8E4M3FN: NaN). To an integer: towards zero; a NaN
    or a value out of range has no defined value. To i1: whether it is not 0 (NaN is true). From i1: 1 or 0. Between integers:
    sign-extended or truncated.

    ```mlir
    func.func @example(%x: tensor<2x3xi64>) -> tensor<2x3xf32> {
      %r = tenon.cast %x : (tensor<2x3xi64>) -> tensor<2x3xf32>
      return %r : tensor<2x3xf32>
    }
    ```
  }];
  let arguments = (ins AnyT:$input);
  let results = (outs AnyT:$result);
  let hasFolder = 1;
}

def RopeOp : InferredOp<"rope"> {
  let summary = "rotary position embedding of the innermost dimension, half-split or interleaved";
  let description = [{
    Formula, with `h = D/2`, half-split: `r[.., s, j] = x[j] cos[s, j] - x[j + h] sin[s, j]` and
    `r[.., s, j + h] = x[j + h] cos[s, j] + x[j] sin[s, j]` for `j < h`. With `interleaved` the pair is `(2j, 2j + 1)` in place of `(j, j + h)`.
    Tables that span D are read in their first half, as exporters write them twice.

    (C1) The result has the input's shape and element type.

    (C2) `input` is `[.., S, D]` with a static even D.

    (C3) `cos` and `sin` have the input's element type.

    (C4) `cos` and `sin` broadcast to `[.., S, D/2]` or to `[.., S, D]`, and span D/2 or D.

    (C5) `cos` and `sin` span the same size.

    Accumulation: f32 for 16-bit floats, rounded once. NaN and Inf follow IEEE arithmetic.

    ```mlir
    func.func @example(%x: tensor<1x8x?x64xf32>, %c: tensor<?x32xf32>, %s: tensor<?x32xf32>) -> tensor<1x8x?x64xf32> {
      %r = tenon.rope %x, %c, %s : (tensor<1x8x?x64xf32>, tensor<?x32xf32>, tensor<?x32xf32>) -> tensor<1x8x?x64xf32>
      return %r : tensor<1x8x?x64xf32>
    }
    ```
  }];
  let arguments = (ins FloatT:$input, FloatT:$cos, FloatT:$sin, UnitAttr:$interleaved);
  let results = (outs FloatT:$result);
}

#endif
