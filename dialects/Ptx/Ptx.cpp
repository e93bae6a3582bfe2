#include "dialects/Ptx/Ptx.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace tenon::ptx;

#include "dialects/Ptx/PtxDialect.cpp.inc"

void PtxDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Ptx/Ptx.cpp.inc"
      >();
}

LogicalResult WgmmaOp::verify() {
  size_t count = getAccumulators().size();
  if (count % 4 != 0 || count == 0 || count > 128 || getResults().size() != count)
    return emitOpError("(C1) has ") << count << " accumulators and " << getResults().size()
                                    << " results, expected n / 2 of each, n a multiple of 8 up to 256";
  size_t steps = getRhsOffsets().size();
  bool isDescriptor = getLhs().size() == 1 && getLhs().front().getType().isInteger(64);
  bool fits = isDescriptor ? getLhsOffsets().size() == steps
                           : getLhs().size() == 4 * steps &&
                                 llvm::all_of(getLhs(), [](Value word) { return word.getType().isInteger(32); });
  if (steps == 0 || !fits)
    return emitOpError("(C2) has ") << getLhs().size() << " values of A and " << getLhsOffsets().size()
                                    << " offsets for " << steps << " steps";
  return success();
}

ParseResult WgmmaOp::parse(OpAsmParser &parser, OperationState &result) {
  SmallVector<OpAsmParser::UnresolvedOperand> operands, accumulators;
  Type lhs;
  Builder &builder = parser.getBuilder();
  do {
    if (succeeded(parser.parseOptionalLParen())) {
      if (parser.parseOperandList(accumulators) || parser.parseRParen())
        return failure();
      break;
    }
    if (parser.parseOperand(operands.emplace_back()))
      return failure();
  } while (succeeded(parser.parseOptionalComma()));
  if (operands.size() < 2)
    return parser.emitError(parser.getCurrentLocation(), "expected A, B and accumulators in parentheses");
  auto rhs = operands.pop_back_val();
  if (parser.parseOptionalAttrDict(result.attributes) || parser.parseColonType(lhs) ||
      parser.resolveOperands(operands, lhs, result.operands) ||
      parser.resolveOperand(rhs, builder.getI64Type(), result.operands) ||
      parser.resolveOperands(accumulators, builder.getF32Type(), result.operands))
    return failure();
  result.getOrAddProperties<Properties>().setOperandSegmentSizes(
      {int32_t(operands.size()), 1, int32_t(accumulators.size())});
  result.addTypes(SmallVector<Type>(accumulators.size(), builder.getF32Type()));
  return success();
}

void WgmmaOp::print(OpAsmPrinter &printer) {
  printer << ' ' << getLhs() << ", " << getRhs() << ", (" << getAccumulators() << ')';
  printer.printOptionalAttrDict((*this)->getAttrs(), {getOperandSegmentSizesAttrName()});
  printer << " : " << getLhs().front().getType();
}

LogicalResult MbarrierWaitOp::verify() {
  IntegerAttr parity;
  if (!matchPattern(getParity(), m_Constant(&parity)) || parity.getValue().ule(1))
    return success();
  return emitOpError("(C1) waits for parity ") << parity.getInt() << ", expected 0 or 1";
}

LogicalResult WgmmaWaitOp::verify() {
  if (getValues().size() == getResults().size())
    return success();
  return emitOpError("(C1) has ") << getResults().size() << " results for " << getValues().size() << " values";
}

ParseResult WgmmaWaitOp::parse(OpAsmParser &parser, OperationState &result) {
  SmallVector<OpAsmParser::UnresolvedOperand> values;
  Type type = parser.getBuilder().getF32Type();
  if (parser.parseOperandList(values) || parser.parseOptionalAttrDict(result.attributes) ||
      parser.resolveOperands(values, type, result.operands))
    return failure();
  result.addTypes(SmallVector<Type>(values.size(), type));
  return success();
}

void WgmmaWaitOp::print(OpAsmPrinter &printer) {
  printer << ' ' << getValues();
  printer.printOptionalAttrDict((*this)->getAttrs());
}

static LogicalResult checkWord(Operation *op, Type type) {
  auto vector = dyn_cast<VectorType>(type);
  bool isWord = vector ? vector.getElementType().isInteger(32) && llvm::is_contained({2, 4}, vector.getNumElements())
                       : llvm::is_contained({8, 16, 32, 64}, type.getIntOrFloatBitWidth());
  if (isWord)
    return success();
  return op->emitOpError("(C1) moves ") << type << ", expected i8, i16, i32, i64, or two or four i32";
}

LogicalResult LdGlobalOp::verify() { return checkWord(*this, getResult().getType()); }
LogicalResult StGlobalOp::verify() { return checkWord(*this, getValue().getType()); }

#define GET_OP_CLASSES
#include "dialects/Ptx/Ptx.cpp.inc"
