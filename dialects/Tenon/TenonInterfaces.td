// What the dialect's ops have in common for those who do not know which op it is.
#ifndef TENON_DIALECTS_TENON_TENONINTERFACES_TD
#define TENON_DIALECTS_TENON_TENONINTERFACES_TD

include "mlir/IR/OpBase.td"

def ShapeRuleOpInterface : OpInterface<"ShapeRuleOpInterface"> {
  let description = [{ An op whose sizes follow one rule (ShapeRule.h). }];
  let cppNamespace = "::tenon";
  let methods = [InterfaceMethod<"Runs the rule on the op's operands.", "::llvm::LogicalResult", "applyRule",
      (ins "::tenon::ShapeRule &":$rule), [{
    return ConcreteOp::infer(rule, typename ConcreteOp::Adaptor($_op));
  }]>];
}

#endif
