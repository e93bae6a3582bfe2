// tenon.kernel: `@name(%arg = %operand, ...) : (types) -> types { body }`, and what only kernels hold.
#include "dialects/Tenon/ShapeRule.h"
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

LogicalResult AttentionPartsOp::verify() {
  AttentionOp::Properties properties;
  properties.scale = getScaleAttr();
  properties.causal = getCausalAttr();
  properties.window = getWindowAttr();
  properties.soft_cap = getSoftCapAttr();
  properties.operandSegmentSizes.fill(0);
  llvm::copy(getProperties().operandSegmentSizes, properties.operandSegmentSizes.begin()); // none scales the values
  AttentionOp::Adaptor whole(getOperands(), (*this)->getDiscardableAttrDictionary(), properties);
  ShapeRule rule(getContext(), getOperationName(), nullptr, std::nullopt);
  // Of 8-bit floats the result has any type, which a float mask has, too.
  bool isAdded = getMask() && isa<FloatType>(elementOf(getMask()));
  rule.declare(RankedTensorType::get({}, isAdded ? elementOf(getMask()) : Float32Type::get(getContext())));
  if (failed(AttentionOp::infer(rule, whole)))
    return emitOpError("(C1) has operands of types ")
           << getOperandTypes() << ", which tenon.attention does not take together; it says why of its own";
  int64_t parts = getParts();
  if (parts < 1)
    return emitOpError("(C2) has ") << parts << " parts, expected at least 1";
  RankedTensorType result = rule.types().front();
  Type sum = result.getElementType().isF64() ? result.getElementType() : Float32Type::get(getContext());
  SmallVector<int64_t> shape = {parts};
  llvm::append_range(shape, result.getShape());
  auto total = RankedTensorType::get(shape, sum), ofRow = RankedTensorType::get(ArrayRef(shape).drop_back(), sum);
  if (!areCompatible(TypeRange{ofRow, ofRow, total}, getResultTypes()))
    return emitOpError("(C3) has results of types ")
           << getResultTypes() << ", expected " << ofRow << " twice and " << total;
  return success();
}

#define GET_OP_CLASSES
#include "dialects/Tenon/TenonKernels.cpp.inc"

void TenonDialect::addKernels() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Tenon/TenonKernels.cpp.inc"
      >();
}
