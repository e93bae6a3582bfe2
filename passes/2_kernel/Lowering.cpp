#include "passes/2_kernel/Lowering.h"

#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace tenon;

Type tenon::computeType(Type storage) {
  auto type = dyn_cast<FloatType>(storage);
  return type && type.getWidth() < 32 ? Float32Type::get(storage.getContext()) : storage;
}

/// Between floats; formats that do not contain each other meet in f32.
static Value convertFloat(ImplicitLocOpBuilder &b, Value value, FloatType to) {
  auto from = cast<FloatType>(value.getType());
  if (from.getWidth() < 32 && to.getWidth() < 32)
    value = arith::ExtFOp::create(b, b.getF32Type(), value);
  from = cast<FloatType>(value.getType());
  if (from == to)
    return value;
  if (from.getWidth() < to.getWidth())
    return arith::ExtFOp::create(b, to, value);
  return arith::TruncFOp::create(b, to, value);
}

Value tenon::convertScalar(ImplicitLocOpBuilder &b, Value value, Type to) {
  Type from = value.getType();
  if (from == to)
    return value;
  if (to.isInteger(1)) {
    value = convertScalar(b, value, computeType(from));
    Value zero = scalar(b, value.getType(), 0);
    if (isa<FloatType>(from))
      return arith::CmpFOp::create(b, arith::CmpFPredicate::UNE, value, zero);
    return arith::CmpIOp::create(b, arith::CmpIPredicate::ne, value, zero);
  }
  if (isa<IndexType>(from) || isa<IndexType>(to)) {
    if (isa<FloatType>(to))
      return convertScalar(b, convertScalar(b, value, b.getI64Type()), to);
    return arith::IndexCastOp::create(b, to, value);
  }
  auto fromFloat = dyn_cast<FloatType>(from), toFloat = dyn_cast<FloatType>(to);
  if (fromFloat && toFloat)
    return convertFloat(b, value, toFloat);
  if (fromFloat)
    return arith::FPToSIOp::create(b, to,
                                   convertFloat(b, value, fromFloat.getWidth() < 32 ? b.getF32Type() : fromFloat));
  if (toFloat) {
    Type wide = computeType(to);
    value = from.isInteger(1) ? arith::UIToFPOp::create(b, wide, value).getResult()
                              : arith::SIToFPOp::create(b, wide, value).getResult();
    return convertScalar(b, value, to);
  }
  if (from.getIntOrFloatBitWidth() > to.getIntOrFloatBitWidth())
    return arith::TruncIOp::create(b, to, value);
  if (from.isInteger(1))
    return arith::ExtUIOp::create(b, to, value);
  return arith::ExtSIOp::create(b, to, value);
}

Value tenon::scalar(ImplicitLocOpBuilder &b, Type type, double value) {
  if (auto floatType = dyn_cast<FloatType>(type))
    return arith::ConstantOp::create(b, b.getFloatAttr(floatType, value));
  if (isa<IndexType>(type))
    return arith::ConstantIndexOp::create(b, static_cast<int64_t>(value));
  return arith::ConstantOp::create(b, b.getIntegerAttr(type, static_cast<int64_t>(value)));
}

FailureOr<SmallVector<OpFoldResult>> tenon::resultSizes(ImplicitLocOpBuilder &b, OpResult result) {
  auto type = cast<RankedTensorType>(result.getType());
  if (type.hasStaticShape())
    return getAsIndexOpFoldResult(b.getContext(), type.getShape());
  ReifiedRankedShapedTypeDims sizes;
  if (failed(reifyResultShapes(b, result.getOwner(), sizes)))
    return failure();
  return sizes[result.getResultNumber()];
}

Value tenon::empty(ImplicitLocOpBuilder &b, ArrayRef<OpFoldResult> sizes, Type element) {
  return tensor::EmptyOp::create(b, sizes, element);
}

Value tenon::filled(ImplicitLocOpBuilder &b, ArrayRef<OpFoldResult> sizes, Value value) {
  return linalg::FillOp::create(b, value, empty(b, sizes, value.getType())).getResult(0);
}

Value tenon::padded(ImplicitLocOpBuilder &b, Value input, ArrayRef<int64_t> low, ArrayRef<OpFoldResult> sizes,
                    Value outside) {
  SmallVector<OpFoldResult> offsets = getAsIndexOpFoldResult(b.getContext(), low);
  SmallVector<OpFoldResult> strides(offsets.size(), b.getIndexAttr(1));
  return tensor::InsertSliceOp::create(b, input, filled(b, sizes, outside), offsets,
                                       tensor::getMixedSizes(b, b.getLoc(), input), strides);
}

Value tenon::splitDim(ImplicitLocOpBuilder &b, Value tensor, int64_t at, int64_t outer, int64_t inner) {
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, b.getLoc(), tensor);
  bool outerIsLeft = ShapedType::isDynamic(outer);
  OpFoldResult known = b.getIndexAttr(outerIsLeft ? inner : outer);
  OpFoldResult left = affine::makeComposedFoldedAffineApply(
      b, b.getLoc(), b.getAffineSymbolExpr(0).floorDiv(outerIsLeft ? inner : outer), sizes[at]);
  sizes[at] = outerIsLeft ? left : known;
  sizes.insert(sizes.begin() + at + 1, outerIsLeft ? known : left);
  SmallVector<int64_t> shape;
  for (OpFoldResult size : sizes)
    shape.push_back(getConstantIntValue(size).value_or(ShapedType::kDynamic));
  SmallVector<ReassociationIndices> parts;
  for (int64_t from = 0, to = 0; from < tensorOf(tensor).getRank(); ++from) {
    parts.push_back({to++});
    if (from == at)
      parts.back().push_back(to++);
  }
  return tensor::ExpandShapeOp::create(b, tensorOf(tensor).clone(shape), tensor, parts, sizes);
}

Value tenon::heldIndex(ImplicitLocOpBuilder &b, Value tensor) {
  SmallVector<Value> zeros(tensorOf(tensor).getRank(), Value());
  for (Value &zero : zeros)
    zero = arith::ConstantIndexOp::create(b, 0);
  return arith::IndexCastOp::create(b, b.getIndexType(), tensor::ExtractOp::create(b, tensor, zeros));
}

Value tenon::indexValue(ImplicitLocOpBuilder &b, OpFoldResult size) {
  return getValueOrCreateConstantIndexOp(b, b.getLoc(), size);
}

AffineMap tenon::broadcastMap(RankedTensorType type, ArrayRef<AffineExpr> dims, ArrayRef<OpFoldResult> sizes) {
  SmallVector<AffineExpr> results;
  MLIRContext *context = type.getContext();
  size_t missing = dims.size() - type.getRank();
  for (auto [dimension, size] : llvm::enumerate(type.getShape())) {
    bool repeats = size == 1 && !isConstantIntValue(sizes[missing + dimension], 1);
    results.push_back(repeats ? getAffineConstantExpr(0, context) : dims[missing + dimension]);
  }
  return AffineMap::get(dims.size(), 0, results, context);
}

/// The one element of a splat constant.
static TypedAttr splatOf(Value value) {
  DenseElementsAttr elements;
  if (!matchPattern(value, m_Constant(&elements)) || !elements.isSplat())
    return {};
  return dyn_cast<TypedAttr>(elements.getSplatValue<Attribute>());
}

/// A generic whose body is `body` over the elements (splat constants as scalars), then the output's when `accumulates`.
static Value generic(ImplicitLocOpBuilder &b, ValueRange operands, ArrayRef<AffineMap> maps, Value init,
                     AffineMap initMap, ArrayRef<utils::IteratorType> iterators, bool accumulates, ScalarBody body) {
  // A reduction keeps its constants as operands: they may be all that gives its dimensions a size.
  auto asScalar = [&](Value operand) { return accumulates ? TypedAttr() : splatOf(operand); };
  SmallVector<Value> read;
  SmallVector<AffineMap> readMaps;
  for (auto [operand, map] : llvm::zip_equal(operands, maps))
    if (!asScalar(operand)) {
      read.push_back(operand);
      readMaps.push_back(map);
    }
  readMaps.push_back(initMap);
  auto op = linalg::GenericOp::create(b, TypeRange{init.getType()}, read, ValueRange{init}, readMaps, iterators,
                                      [&](OpBuilder &inner, Location location, ValueRange elements) {
                                        ImplicitLocOpBuilder builder(location, inner);
                                        SmallVector<Value> values;
                                        for (Value operand : operands) {
                                          if (TypedAttr splat = asScalar(operand)) {
                                            values.push_back(arith::ConstantOp::create(builder, splat));
                                            continue;
                                          }
                                          values.push_back(elements.front());
                                          elements = elements.drop_front();
                                        }
                                        if (accumulates)
                                          values.push_back(elements.front());
                                        linalg::YieldOp::create(builder, body(builder, values));
                                      });
  return op.getResult(0);
}

Value tenon::elementwise(ImplicitLocOpBuilder &b, ArrayRef<OpFoldResult> sizes, Type element, ValueRange operands,
                         ArrayRef<AffineMap> maps, ScalarBody body) {
  SmallVector<utils::IteratorType> iterators(sizes.size(), utils::IteratorType::parallel);
  return generic(b, operands, maps, empty(b, sizes, element), b.getMultiDimIdentityMap(sizes.size()), iterators,
                 /*accumulates=*/false, body);
}

Value tenon::broadcastElementwise(ImplicitLocOpBuilder &b, ArrayRef<OpFoldResult> sizes, Type element,
                                  ValueRange operands, ScalarBody body) {
  SmallVector<AffineExpr> dims;
  for (unsigned dimension = 0; dimension < sizes.size(); ++dimension)
    dims.push_back(b.getAffineDimExpr(dimension));
  SmallVector<AffineMap> maps;
  for (Value operand : operands)
    maps.push_back(broadcastMap(tensorOf(operand), dims, sizes));
  return elementwise(b, sizes, element, operands, maps, body);
}

Value tenon::reduced(ImplicitLocOpBuilder &b, ArrayRef<OpFoldResult> keptSizes, Value init, ValueRange operands,
                     ArrayRef<AffineMap> maps, ArrayRef<unsigned> kept, ScalarBody body) {
  unsigned rank = maps.front().getNumDims();
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::reduction);
  SmallVector<AffineExpr> results;
  for (unsigned dimension : kept) {
    iterators[dimension] = utils::IteratorType::parallel;
    results.push_back(b.getAffineDimExpr(dimension));
  }
  return generic(b, operands, maps, filled(b, keptSizes, init), AffineMap::get(rank, 0, results, b.getContext()),
                 iterators, /*accumulates=*/true, body);
}
