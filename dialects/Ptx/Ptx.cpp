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

int64_t WgmmaOp::elementBits() { return getElement().isTF32() ? 32 : getElement().getIntOrFloatBitWidth(); }

static bool isInteger8(Type type) { return type.isSignlessInteger(8) || type.isUnsignedInteger(8); }
static bool isFloat8(Type type) { return isa<Float8E4M3FNType, Float8E5M2Type>(type); }

LogicalResult MmaF8Op::verify() {
  if (isFloat8(getLhsElement()) && isFloat8(getRhsElement()))
    return success();
  return emitOpError("(C1) multiplies ") << getLhsElement() << " with " << getRhsElement()
                                         << ", expected f8E4M3FN or f8E5M2";
}

LogicalResult CvtF8Op::verify() {
  if (isFloat8(getElement()))
    return success();
  return emitOpError("(C1) converts to ") << getElement() << ", expected f8E4M3FN or f8E5M2";
}

LogicalResult WidenF8Op::verify() {
  if (isFloat8(getElement()))
    return success();
  return emitOpError("(C1) widens ") << getElement() << ", expected f8E4M3FN or f8E5M2";
}

static LogicalResult checkElements(WgmmaOp op) {
  Type lhs = op.getElement(), rhs = op.elementOfRhs();
  bool isKnown = lhs.isF16() || lhs.isBF16() || lhs.isTF32() || isFloat8(lhs) || isInteger8(lhs);
  if (!isKnown || (lhs != rhs && !(isFloat8(lhs) && isFloat8(rhs)) && !(isInteger8(lhs) && isInteger8(rhs))))
    return op.emitOpError("(C3) multiplies ")
           << lhs << " with " << rhs
           << ", expected f16, bf16, tf32, f8E4M3FN, f8E5M2, i8 or ui8, two types only of 8 bits";
  Type sum = op.getAccumulators().front().getType();
  auto isSum = [&](Type type) { return type == sum; };
  if (sum.isInteger(32) != isInteger8(lhs) || !llvm::all_of(op.getAccumulators().getTypes(), isSum) ||
      !llvm::all_of(op.getResultTypes(), isSum))
    return op.emitOpError("(C4) adds ") << lhs << " to " << sum << ", expected i32 for integers, else f32, everywhere";
  if ((op.getTransposeLhs() || op.getTransposeRhs()) && op.elementBits() != 16)
    return op.emitOpError("(C5) transposes ") << lhs << ", expected elements of 16 bits";
  if ((op.getNegateLhs() || op.getNegateRhs()) && isInteger8(lhs))
    return op.emitOpError("(C5) negates ") << lhs << ", expected floats";
  return success();
}

LogicalResult WgmmaOp::verify() {
  size_t count = getAccumulators().size();
  bool isWidth = count % 4 == 0 && count > 0 && count <= 128;
  if (isInteger8(getElement()) && count != 4 && count != 12)
    isWidth &= count % 8 == 0;
  if (!isWidth || getResults().size() != count)
    return emitOpError("(C1) has ") << count << " accumulators and " << getResults().size()
                                    << " results, expected n / 2 of each, n a multiple of 8 up to 256, of integers 8, "
                                       "24 or a multiple of 16";
  size_t steps = getRhsOffsets().size();
  bool isDescriptor = getLhs().size() == 1 && getLhs().front().getType().isInteger(64);
  bool fits = isDescriptor ? getLhsOffsets().size() == steps
                           : getLhs().size() == 4 * steps &&
                                 llvm::all_of(getLhs(), [](Value word) { return word.getType().isInteger(32); });
  if (steps == 0 || !fits)
    return emitOpError("(C2) has ") << getLhs().size() << " values of A and " << getLhsOffsets().size()
                                    << " offsets for " << steps << " steps";
  return checkElements(*this);
}

/// What the element implies, where it was parsed; else f32.
static Type sumType(const NamedAttrList &attributes, Builder &builder) {
  auto element = dyn_cast_if_present<TypeAttr>(attributes.get("element"));
  return element && isInteger8(element.getValue()) ? Type(builder.getI32Type()) : Type(builder.getF32Type());
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
  if (parser.parseOptionalAttrDict(result.attributes) || parser.parseColonType(lhs))
    return failure();
  Type sum = sumType(result.attributes, builder);
  if (parser.resolveOperands(operands, lhs, result.operands) ||
      parser.resolveOperand(rhs, builder.getI64Type(), result.operands) ||
      parser.resolveOperands(accumulators, sum, result.operands))
    return failure();
  result.getOrAddProperties<Properties>().setOperandSegmentSizes(
      {int32_t(operands.size()), 1, int32_t(accumulators.size())});
  result.addTypes(SmallVector<Type>(accumulators.size(), sum));
  return success();
}

void WgmmaOp::print(OpAsmPrinter &printer) {
  printer << ' ' << getLhs() << ", " << getRhs() << ", (" << getAccumulators() << ')';
  printer.printOptionalAttrDict((*this)->getAttrs(), {getOperandSegmentSizesAttrName()});
  printer << " : " << getLhs().front().getType();
}

LogicalResult BarrierOrOp::verify() {
  if (getId() < 16 && getThreads() > 0 && getThreads() <= 1024 && getThreads() % 32 == 0)
    return success();
  return emitOpError("(C1) is barrier ") << getId() << " of " << getThreads()
                                         << " threads, expected one of 0 to 15 and a multiple of 32 up to 1024";
}

LogicalResult MbarrierWaitOp::verify() {
  IntegerAttr parity;
  if (!matchPattern(getParity(), m_Constant(&parity)) || parity.getValue().ule(1))
    return success();
  return emitOpError("(C1) waits for parity ") << parity.getInt() << ", expected 0 or 1";
}

LogicalResult MbarrierArriveClusterOp::verify() {
  IntegerAttr rank;
  if (!matchPattern(getRank(), m_Constant(&rank)) || rank.getValue().ult(8))
    return success();
  return emitOpError("(C1) arrives in CTA ") << rank.getInt() << " of a cluster, expected 0 to 7";
}

LogicalResult StAsyncOp::verify() {
  if (getValue().getType() != VectorType::get({4}, IntegerType::get(getContext(), 32)))
    return emitOpError("(C1) stores ") << getValue().getType() << ", expected vector<4xi32>";
  IntegerAttr rank;
  if (!matchPattern(getRank(), m_Constant(&rank)) || rank.getValue().ult(8))
    return success();
  return emitOpError("(C2) stores to CTA ") << rank.getInt() << " of a cluster, expected 0 to 7";
}

LogicalResult WgmmaWaitOp::verify() {
  if (getValues().size() != getResults().size())
    return emitOpError("(C1) has ") << getResults().size() << " results for " << getValues().size() << " values";
  SmallVector<Type> types(getOperandTypes());
  llvm::append_range(types, getResultTypes());
  if (!llvm::all_equal(types))
    return emitOpError("(C1) waits for values of more than one type");
  return success();
}

ParseResult WgmmaWaitOp::parse(OpAsmParser &parser, OperationState &result) {
  SmallVector<OpAsmParser::UnresolvedOperand> values;
  Type type = parser.getBuilder().getF32Type();
  if (parser.parseOperandList(values) || parser.parseOptionalAttrDict(result.attributes) ||
      (succeeded(parser.parseOptionalColon()) && parser.parseType(type)) ||
      parser.resolveOperands(values, type, result.operands))
    return failure();
  result.addTypes(SmallVector<Type>(values.size(), type));
  return success();
}

void WgmmaWaitOp::print(OpAsmPrinter &printer) {
  printer << ' ' << getValues();
  printer.printOptionalAttrDict((*this)->getAttrs());
  if (!getValues().empty() && getValues().front().getType().isInteger())
    printer << " : " << getValues().front().getType();
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
