// What sizes have to be at run time, where types do not say it.
#ifndef TENON_DIALECTS_TENON_TENONSIZES_TD
#define TENON_DIALECTS_TENON_TENONSIZES_TD

include "dialects/Tenon/TenonBase.td"

def SizeRelation : I32Enum<"SizeRelation", "how two sizes a and b relate", [
    I32EnumCase<"Equal", 0, "equal">, I32EnumCase<"AtMost", 1, "at_most">, I32EnumCase<"Needs", 2, "needs">]> {
  let cppNamespace = "::tenon";
}

def SizeConditionAttr : AttrDef<TenonDialect, "SizeCondition"> {
  let mnemonic = "size_condition";
  let summary = "what the sizes of a call must fulfil";
  let description = [{
    An entry of `tenon.size_conditions` on @main: two sizes a and b, over the sorted names of the dimensions, a relation
    and the op that asks for it. `equal`: a = b. `at_most`: a <= b. `needs`: where a is not 0, b is not 0 either.
    `#tenon.size_condition<equal, affine_map<()[s0, s1] -> (s0, s1)>, "tenon.add at model.py:7">`
  }];
  let parameters = (ins EnumParameter<SizeRelation>:$relation, "::mlir::AffineMapAttr":$sizes,
                        StringRefParameter<"the op and its source">:$source);
  let assemblyFormat = "`<` $relation `,` $sizes `,` $source `>`";
  let genVerifyDecl = 1;
}

#endif
