// The dialect, its view type, and the ops that frame a kernel.
#include "dialects/Tile/Tile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/Interfaces/FunctionImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tenon::tile;

#include "dialects/Tile/TileDialect.cpp.inc"
#include "dialects/Tile/TileEnums.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/Tile/TileTypes.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/Tile/TileAttrs.cpp.inc"

void TileDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/Tile/TileTypes.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/Tile/TileAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/Tile/Tile.cpp.inc"
      >();
}

//===--- !tile.view ----------------------------------------------------------------------------------------------===//

Type ViewType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  Type element;
  SMLoc location = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseDimensionList(shape) || parser.parseType(element) || parser.parseGreater())
    return {};
  return parser.getChecked<ViewType>(location, parser.getContext(), shape, element);
}

void ViewType::print(AsmPrinter &printer) const {
  printer << '<';
  for (int64_t size : getShape()) {
    if (ShapedType::isDynamic(size))
      printer << '?';
    else
      printer << size;
    printer << 'x';
  }
  printer << getElementType() << '>';
}

LogicalResult ViewType::verify(llvm::function_ref<InFlightDiagnostic()> emitError, ArrayRef<int64_t> shape, Type type) {
  if (!isa<FloatType, IntegerType>(type))
    return emitError() << "a view's elements are floats or integers, got " << type;
  if (llvm::any_of(shape, [](int64_t size) { return size < 0 && !ShapedType::isDynamic(size); }))
    return emitError() << "a view's sizes are not negative";
  return success();
}

//===--- schedules -----------------------------------------------------------------------------------------------===//

using EmitError = llvm::function_ref<InFlightDiagnostic()>;

static LogicalResult checkSizes(EmitError emitError, std::initializer_list<std::pair<StringRef, int64_t>> sizes) {
  for (auto [what, size] : sizes)
    if (size < 1)
      return emitError() << what << " is " << size << ", expected at least 1";
  return success();
}

LogicalResult GemmAttr::verify(EmitError emitError, int64_t rows, int64_t columns, int64_t depth, int64_t splits,
                               int64_t parts, int64_t promote, bool swapped, bool joined, bool byLast) {
  if (failed(checkSizes(
          emitError, {{"rows", rows}, {"columns", columns}, {"depth", depth}, {"split_k", splits}, {"parts", parts}})))
    return failure();
  if (rows % parts != 0)
    return emitError() << "parts is " << parts << ", expected a number that divides " << rows << " rows";
  if (promote < 0 || promote % depth != 0)
    return emitError() << "promote is " << promote << ", expected 0 or a multiple of the depth, " << depth;
  if (swapped && parts != 1)
    return emitError() << "swapped rows and columns have " << parts << " parts, expected 1";
  if (joined && ((splits != 2 && splits != 4) || parts != 1))
    return emitError() << "joined programs share a sum by " << splits << " and have " << parts
                       << " parts, expected 2 or 4, and 1";
  if (byLast && (splits < 2 || splits > 8 || parts != 1 || joined))
    return emitError() << "the last program adds up a sum of " << splits << " and has " << parts << " parts"
                       << (joined ? ", and they are joined" : "") << ", expected 2 to 8, and 1, without `joined`";
  return success();
}
LogicalResult AttentionAttr::verify(EmitError emitError, int64_t queries, int64_t keys, int64_t splitKeys, Maximum) {
  return checkSizes(emitError, {{"queries", queries}, {"keys", keys}, {"split_keys", splitKeys}});
}
LogicalResult RowAttr::verify(EmitError emitError, int64_t rows, int64_t columns, int64_t part, int64_t splits) {
  if (failed(checkSizes(emitError, {{"rows", rows}, {"columns", columns}, {"part", part}, {"splits", splits}})))
    return failure();
  if (splits <= GatherToLastOp::mostParts && llvm::isPowerOf2_64(splits))
    return success();
  return emitError() << "splits is " << splits << ", expected a power of two, " << GatherToLastOp::mostParts
                     << " at most";
}

//===--- tile.kernel, tile.grid ----------------------------------------------------------------------------------===//

ParseResult KernelOp::parse(OpAsmParser &parser, OperationState &result) {
  auto buildType = [](Builder &builder, ArrayRef<Type> arguments, ArrayRef<Type> results,
                      function_interface_impl::VariadicFlag,
                      std::string &) { return builder.getFunctionType(arguments, results); };
  if (function_interface_impl::parseFunctionOp(parser, result, /*allowVariadic=*/false,
                                               getFunctionTypeAttrName(result.name), buildType,
                                               getArgAttrsAttrName(result.name), getResAttrsAttrName(result.name)))
    return failure();
  Block &block = result.regions.front()->front();
  if (!block.mightHaveTerminator() || !block.back().hasTrait<OpTrait::IsTerminator>()) {
    OpBuilder builder(parser.getContext());
    builder.setInsertionPointToEnd(&block);
    EndOp::create(builder, result.location);
  }
  return success();
}

void KernelOp::print(OpAsmPrinter &printer) {
  function_interface_impl::printFunctionOp(printer, *this, /*isVariadic=*/false, getFunctionTypeAttrName(),
                                           getArgAttrsAttrName(), getResAttrsAttrName());
}

GridOp KernelOp::getGrid() { return *getBody().front().getOps<GridOp>().begin(); }

LogicalResult KernelOp::verify() {
  for (auto [index, type] : llvm::enumerate(getArgumentTypes()))
    if (!isa<ViewType>(type))
      return emitOpError("(C1) argument ") << index << " is " << type << ", expected a view";
  if (!getResultTypes().empty())
    return emitOpError("(C2) has ") << getResultTypes().size() << " results, expected none: it stores to views";
  Block &block = getBody().front();
  auto grids = block.getOps<GridOp>();
  if (!llvm::hasSingleElement(grids) || !block.mightHaveTerminator() || !isa<EndOp>(block.getTerminator()))
    return emitOpError("(C3) holds ") << std::distance(grids.begin(), grids.end())
                                      << " grids, expected one tile.grid, then tile.end";
  return success();
}

ParseResult GridOp::parse(OpAsmParser &parser, OperationState &result) {
  SmallVector<OpAsmParser::Argument> arguments;
  SmallVector<OpAsmParser::UnresolvedOperand> extents;
  Type index = parser.getBuilder().getIndexType();
  if (parser.parseArgumentList(arguments, OpAsmParser::Delimiter::Paren) || parser.parseEqual() ||
      parser.parseOperandList(extents, OpAsmParser::Delimiter::Paren) ||
      parser.parseOptionalAttrDictWithKeyword(result.attributes) ||
      parser.resolveOperands(extents, index, result.operands))
    return failure();
  for (OpAsmParser::Argument &argument : arguments)
    argument.type = index;
  Region *body = result.addRegion();
  if (parser.parseRegion(*body, arguments))
    return failure();
  ensureTerminator(*body, parser.getBuilder(), result.location);
  return success();
}

void GridOp::print(OpAsmPrinter &printer) {
  printer << " (";
  llvm::interleaveComma(getBody().getArguments(), printer);
  printer << ") = (" << getExtents() << ")";
  printer.printOptionalAttrDictWithKeyword((*this)->getAttrs());
  printer << ' ';
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false, /*printBlockTerminators=*/false);
}

LogicalResult GridOp::verify() {
  auto arguments = getBody().getArguments();
  if (arguments.size() != getExtents().size() ||
      !llvm::all_of(arguments, [](BlockArgument argument) { return argument.getType().isIndex(); }))
    return emitOpError("(C1) has ") << arguments.size() << " arguments for " << getExtents().size()
                                    << " extents, expected one of type index each";
  if (!isa_and_nonnull<KernelOp>((*this)->getParentOp()))
    return emitOpError("(C2) stands in ") << (*this)->getParentOp()->getName() << ", expected tile.kernel";
  return success();
}

//===--- views ---------------------------------------------------------------------------------------------------===//

LogicalResult DimOp::verify() {
  if (int64_t(getAxis()) < 0 || int64_t(getAxis()) >= getView().getType().getRank())
    return emitOpError("(C1) axis is ") << int64_t(getAxis()) << ", expected a dimension of " << getView().getType();
  return success();
}

OpFoldResult DimOp::fold(FoldAdaptor) {
  ViewType type = getView().getType();
  if (auto strided = getView().getDefiningOp<StridedOp>())
    return strided.getSizes()[getAxis()];
  if (type.isDynamicDim(getAxis()))
    return {};
  return IntegerAttr::get(IndexType::get(getContext()), type.getShape()[getAxis()]);
}

Operation *TileDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type, Location location) {
  return arith::ConstantOp::materialize(builder, value, type, location);
}

LogicalResult StridedOp::verify() {
  ViewType type = getResult().getType();
  if (int64_t(getSizes().size()) != type.getRank() || int64_t(getStrides().size()) != type.getRank())
    return emitOpError("(C1) has ") << getSizes().size() << " sizes and " << getStrides().size() << " strides for "
                                    << type;
  for (auto [dimension, size] : llvm::enumerate(getSizes()))
    if (!type.isDynamicDim(dimension) && getConstantIntValue(size) != type.getShape()[dimension])
      return emitOpError("(C2) size ") << dimension << " of " << type << " is not the constant given for it";
  if (type.getElementType() != getBase().getType().getElementType())
    return emitOpError("(C3) result has elements of ")
           << type.getElementType() << ", the base of " << getBase().getType().getElementType();
  return success();
}

#define GET_OP_CLASSES
#include "dialects/Tile/Tile.cpp.inc"
