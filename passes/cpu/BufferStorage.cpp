#include "passes/cpu/BufferStorage.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace tenon;

static bool isNibble(RankedTensorType type) { return type.getElementType().isInteger(4); }
/// Whether rows of nibbles fill whole bytes, so that a buffer keeps the tensor's rank.
static bool rowsFillBytes(RankedTensorType type) {
  return type.getRank() > 0 && !type.isDynamicDim(type.getRank() - 1) && type.getShape().back() % 2 == 0;
}

static Type storedElement(Type element) {
  if (element.isInteger(1) || element.isInteger(4) || (isa<FloatType>(element) && element.getIntOrFloatBitWidth() == 8))
    return IntegerType::get(element.getContext(), 8);
  return element;
}

MemRefType tenon::bufferTypeOf(RankedTensorType type) {
  SmallVector<int64_t> shape(type.getShape());
  if (isNibble(type)) {
    if (rowsFillBytes(type))
      shape.back() /= 2;
    else if (type.hasStaticShape())
      shape = {(type.getNumElements() + 1) / 2};
    else
      return {};
  }
  return MemRefType::get(shape, storedElement(type.getElementType()));
}

using Body = llvm::function_ref<Value(ImplicitLocOpBuilder &, ValueRange)>;

/// One parallel linalg.generic over `sizes`.
static Value loops(ImplicitLocOpBuilder &b, ArrayRef<OpFoldResult> sizes, Type element, ValueRange inputs,
                   ArrayRef<AffineMap> inputMaps, Body body) {
  SmallVector<AffineMap> maps(inputMaps);
  maps.push_back(b.getMultiDimIdentityMap(sizes.size()));
  SmallVector<utils::IteratorType> iterators(sizes.size(), utils::IteratorType::parallel);
  Value init = tensor::EmptyOp::create(b, sizes, element);
  return linalg::GenericOp::create(b, TypeRange{init.getType()}, inputs, ValueRange{init}, maps, iterators,
                                   [&](OpBuilder &nested, Location location, ValueRange elements) {
                                     ImplicitLocOpBuilder inner(location, nested);
                                     linalg::YieldOp::create(inner, body(inner, elements));
                                   })
      .getResult(0);
}

static Value byteConstant(ImplicitLocOpBuilder &b, int64_t value) {
  return arith::ConstantOp::create(b, b.getI8IntegerAttr(value));
}

/// Row-major place of an element.
static AffineExpr linearIndex(ImplicitLocOpBuilder &b, ArrayRef<int64_t> shape) {
  AffineExpr index = b.getAffineConstantExpr(0);
  for (auto [dimension, size] : llvm::enumerate(shape))
    index = index * size + b.getAffineDimExpr(dimension);
  return index;
}

static Value unpackNibbles(ImplicitLocOpBuilder &b, Value stored, RankedTensorType type) {
  int64_t rank = type.getRank();
  SmallVector<OpFoldResult> sizes;
  for (int64_t dimension = 0; dimension < rank; ++dimension)
    sizes.push_back(type.isDynamicDim(dimension) ? tensor::getMixedSize(b, b.getLoc(), stored, dimension)
                                                 : OpFoldResult(b.getIndexAttr(type.getDimSize(dimension))));
  SmallVector<AffineExpr> place;
  AffineExpr nibble;
  if (rowsFillBytes(type)) {
    for (int64_t dimension = 0; dimension + 1 < rank; ++dimension)
      place.push_back(b.getAffineDimExpr(dimension));
    nibble = b.getAffineDimExpr(rank - 1);
  } else {
    nibble = linearIndex(b, type.getShape());
  }
  place.push_back(nibble.floorDiv(2));
  AffineMap parity = AffineMap::get(rank, 0, nibble % 2);
  return loops(b, sizes, type.getElementType(), stored, AffineMap::get(rank, 0, place, b.getContext()),
               [&](ImplicitLocOpBuilder &inner, ValueRange x) -> Value {
                 SmallVector<Value> indices;
                 for (int64_t dimension = 0; dimension < rank; ++dimension)
                   indices.push_back(linalg::IndexOp::create(inner, dimension));
                 Value isHigh = affine::AffineApplyOp::create(inner, parity, indices);
                 Value shift = arith::MulIOp::create(
                     inner, arith::IndexCastOp::create(inner, inner.getI8Type(), isHigh), byteConstant(inner, 4));
                 return arith::TruncIOp::create(inner, type.getElementType(),
                                                arith::ShRUIOp::create(inner, x[0], shift));
               });
}

static Value packNibbles(ImplicitLocOpBuilder &b, Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  int64_t rank = type.getRank();
  MemRefType buffer = bufferTypeOf(type);
  SmallVector<OpFoldResult> sizes;
  bool byRows = rowsFillBytes(type);
  for (auto [dimension, size] : llvm::enumerate(buffer.getShape()))
    sizes.push_back(ShapedType::isDynamic(size) ? tensor::getMixedSize(b, b.getLoc(), tensor, dimension)
                                                : OpFoldResult(b.getIndexAttr(size)));
  if (!byRows && rank > 1) {
    ReassociationIndices all = llvm::to_vector(llvm::seq<int64_t>(0, rank));
    tensor = tensor::CollapseShapeOp::create(b, tensor, ArrayRef<ReassociationIndices>(all));
  } else if (!byRows && rank == 0) {
    tensor = tensor::ExpandShapeOp::create(b, RankedTensorType::get({1}, type.getElementType()), tensor,
                                           ArrayRef<ReassociationIndices>());
  }
  int64_t count = cast<RankedTensorType>(tensor.getType()).getShape().back();
  auto nibble = [&](ImplicitLocOpBuilder &inner, int64_t which) -> Value {
    SmallVector<Value> at;
    for (size_t dimension = 0; dimension < sizes.size(); ++dimension)
      at.push_back(linalg::IndexOp::create(inner, dimension));
    AffineExpr first = inner.getAffineDimExpr(0) * 2;
    at.back() =
        which == 0
            ? affine::AffineApplyOp::create(inner, AffineMap::get(1, 0, first), at.back()).getResult()
            : affine::AffineMinOp::create(
                  inner, AffineMap::get(1, 0, {first + 1, inner.getAffineConstantExpr(count - 1)}, inner.getContext()),
                  at.back())
                  .getResult();
    Value element = tensor::ExtractOp::create(inner, tensor, at);
    return arith::ExtUIOp::create(inner, inner.getI8Type(), element);
  };
  return loops(b, sizes, b.getI8Type(), {}, {}, [&](ImplicitLocOpBuilder &inner, ValueRange) -> Value {
    Value high = arith::ShLIOp::create(inner, nibble(inner, 1), byteConstant(inner, 4));
    return arith::OrIOp::create(inner, nibble(inner, 0), high);
  });
}

Value tenon::unpackElements(ImplicitLocOpBuilder &b, Value stored, RankedTensorType type) {
  Type element = type.getElementType();
  if (storedElement(element) == element)
    return stored;
  if (isNibble(type))
    return unpackNibbles(b, stored, type);
  return loops(b, tensor::getMixedSizes(b, b.getLoc(), stored), element, stored,
               b.getMultiDimIdentityMap(type.getRank()), [&](ImplicitLocOpBuilder &inner, ValueRange x) -> Value {
                 if (element.isInteger(1))
                   return arith::CmpIOp::create(inner, arith::CmpIPredicate::ne, x[0], byteConstant(inner, 0));
                 return arith::BitcastOp::create(inner, element, x[0]);
               });
}

Value tenon::packElements(ImplicitLocOpBuilder &b, Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  Type element = type.getElementType();
  if (storedElement(element) == element)
    return tensor;
  if (isNibble(type))
    return packNibbles(b, tensor);
  return loops(b, tensor::getMixedSizes(b, b.getLoc(), tensor), b.getI8Type(), tensor,
               b.getMultiDimIdentityMap(type.getRank()), [&](ImplicitLocOpBuilder &inner, ValueRange x) -> Value {
                 if (element.isInteger(1))
                   return arith::ExtUIOp::create(inner, inner.getI8Type(), x[0]);
                 return arith::BitcastOp::create(inner, inner.getI8Type(), x[0]);
               });
}
