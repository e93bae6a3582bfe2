// tenon.kernel: `@name(%arg = %operand, ...) : (types) -> types { body }`.
#include "dialects/Tenon/Tenon.h"

#include "mlir/IR/OpImplementation.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace tenon;

ParseResult KernelOp::parse(OpAsmParser &parser, OperationState &result) {
  StringAttr name;
  SmallVector<OpAsmParser::Argument> arguments;
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  SMLoc operandLoc = parser.getCurrentLocation();
  if (parser.parseSymbolName(name, getKernelNameAttrName(result.name), result.attributes) ||
      parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren,
                                     [&]() -> ParseResult {
                                       return failure(parser.parseArgument(arguments.emplace_back()) ||
                                                      parser.parseEqual() ||
                                                      parser.parseOperand(operands.emplace_back()));
                                     }) ||
      parser.parseOptionalAttrDictWithKeyword(result.attributes))
    return failure();
  FunctionType type;
  if (parser.parseColonType(type) || parser.resolveOperands(operands, type.getInputs(), operandLoc, result.operands))
    return failure();
  for (auto [argument, input] : llvm::zip_equal(arguments, type.getInputs()))
    argument.type = input;
  result.addTypes(type.getResults());
  return parser.parseRegion(*result.addRegion(), arguments);
}

void KernelOp::print(OpAsmPrinter &printer) {
  printer << ' ';
  printer.printSymbolName(getKernelName());
  printer << '(';
  llvm::interleaveComma(llvm::zip_equal(getBody().getArguments(), getInputs()), printer,
                        [&](auto pair) { printer << std::get<0>(pair) << " = " << std::get<1>(pair); });
  printer << ')';
  printer.printOptionalAttrDictWithKeyword((*this)->getAttrs(), {getKernelNameAttrName()});
  printer << " : ";
  printer.printFunctionalType(getInputs().getTypes(), getResultTypes());
  printer << ' ';
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

LogicalResult KernelOp::verify() {
  if (!llvm::equal(getBody().getArgumentTypes(), getInputs().getTypes()))
    return emitOpError("(C1) needs one block argument of the same type for each operand");
  auto yield = dyn_cast<YieldOp>(getBlock().getTerminator());
  if (!yield)
    return emitOpError("(C2) must end in tenon.yield, ends in ") << getBlock().getTerminator()->getName();
  if (!llvm::equal(yield.getValues().getTypes(), getResultTypes()))
    return emitOpError("(C3) yields ") << yield.getValues().getTypes() << " for results " << getResultTypes();
  return success();
}

LogicalResult LaunchOp::verify() {
  if (getCallee().getNestedReferences().size() == 1)
    return success();
  return emitOpError("(C1) callee is ") << getCallee() << ", expected @module::@function";
}

#define GET_OP_CLASSES
#include "dialects/Tenon/TenonKernels.cpp.inc"

void TenonDialect::addKernels() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Tenon/TenonKernels.cpp.inc"
      >();
}
