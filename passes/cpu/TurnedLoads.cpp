// Reads of a matrix by columns. Lanes that lie a row of the matrix apart are `lanes` reads of one element each, from as
// many cache lines, and the next column reads the same lines again; with rows of a power of two in length they do not
// even stay in the first-level cache. A block of as many columns as there are lanes is read by rows instead, a vector
// each, and turned in registers.
#include "passes/cpu/PointEmitter.h"

using namespace mlir;
using namespace tenon;

/// The dimension of `buffer` whose elements are consecutive in memory; none where that is not known.
static std::optional<unsigned> unitDimension(Value buffer) {
  SmallVector<int64_t> strides;
  int64_t offset;
  if (failed(cast<MemRefType>(buffer.getType()).getStridesAndOffset(strides, offset)))
    return std::nullopt;
  // A dimension of size 1 may have any stride; the last one that varies is meant.
  std::optional<unsigned> unit;
  for (auto [dimension, stride] : llvm::enumerate(strides))
    if (stride == 1 && cast<MemRefType>(buffer.getType()).getDimSize(dimension) != 1)
      unit = dimension;
  return unit;
}

/// The dimension of `buffer` whose elements a block of `step` would read by vectors: the lanes are not consecutive
/// there, the steps are, and no other dimension depends on them.
static std::optional<unsigned> turnedDimension(Value buffer, const Point &point, AffineExpr step,
                                               llvm::function_ref<bool(AffineExpr)> hasLane) {
  Type element = cast<MemRefType>(buffer.getType()).getElementType();
  std::optional<unsigned> unit = unitDimension(buffer);
  if (!unit || !element.isIntOrFloat() || element.getIntOrFloatBitWidth() < 8)
    return std::nullopt;
  bool isApart = false;
  unsigned position = cast<AffineDimExpr>(step).getPosition();
  for (auto [dimension, expr] : llvm::enumerate(point)) {
    bool isUnit = dimension == *unit;
    AffineExpr other = isUnit ? simplifyAffineExpr(expr - step, position + 1, 1) : expr;
    if (other.isFunctionOfDim(position) || (isUnit && hasLane(expr)))
      return std::nullopt;
    isApart |= hasLane(expr);
  }
  return isApart ? unit : std::nullopt;
}

bool PointEmitter::isTurned(Value tensor, const Point &point, AffineExpr step, AffineExpr lane) {
  Value view = viewOf(tensor);
  return view && llvm::isPowerOf2_64(lanes) && turnedDimension(view, point, step, [&](AffineExpr expr) {
           return expr.isFunctionOfDim(cast<AffineDimExpr>(lane).getPosition());
         });
}

/// Rows become columns: lane l of vector v goes to lane v of vector l. Two vectors half the block apart are interleaved
/// into two neighbours, which turns the bits of (vector, lane) by one; after as many rounds as a lane's number has bits
/// the two have changed places.
static void turn(ImplicitLocOpBuilder &b, SmallVectorImpl<Value> &rows) {
  const int64_t size = rows.size(), half = size / 2;
  SmallVector<int64_t> low, high;
  for (int64_t lane = 0; lane < half; ++lane) {
    low.append({lane, lane + size});
    high.append({lane + half, lane + half + size});
  }
  for (int64_t round = 1; round < size; round *= 2) {
    SmallVector<Value> next;
    for (int64_t i = 0; i < half; ++i)
      for (ArrayRef<int64_t> order : {low, high})
        next.push_back(vector::ShuffleOp::create(b, rows[i], rows[i + half], order));
    rows.assign(next);
  }
}

/// The same memory with the dimension whose elements are consecutive as the last one, which vectors are read along.
Value PointEmitter::unitLast(Value buffer, unsigned unit) {
  unsigned rank = cast<MemRefType>(buffer.getType()).getRank();
  if (unit + 1 == rank)
    return buffer;
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(prologueEnd);
  auto order = llvm::to_vector(llvm::seq(rank));
  std::rotate(order.begin() + unit, order.begin() + unit + 1, order.end());
  AffineMap map = AffineMap::getPermutationMap(order, b.getContext());
  if (auto transpose = buffer.getDefiningOp<memref::TransposeOp>()) {
    map = map.compose(transpose.getPermutation());
    buffer = transpose.getIn();
    if (map.isIdentity())
      return buffer;
  }
  return memref::TransposeOp::create(b, buffer, AffineMapAttr::get(map));
}

Value PointEmitter::loadTurned(Value buffer, const Point &point) {
  if (!blockFirst || !llvm::isPowerOf2_64(lanes))
    return {};
  std::optional<unsigned> unit =
      turnedDimension(buffer, point, blockFirst, [](AffineExpr expr) { return hasLane(expr); });
  if (!unit)
    return {};
  Point first = point;
  first[*unit] = simplifyAffineExpr(point[*unit] - blockStep, dims.size(), 1);
  for (const Turned &known : turned)
    if (known.buffer == buffer && known.point == first && isVisible(known.steps[blockStep]))
      return known.steps[blockStep];
  auto type = VectorType::get(lanes, cast<MemRefType>(buffer.getType()).getElementType());
  Value byRows = unitLast(buffer, *unit);
  SmallVector<Value> rows;
  for (int64_t lane = 0; lane < lanes; ++lane) {
    SmallVector<Value> at =
        llvm::map_to_vector(substituteLane(first, laneConstant(lane)), [&](AffineExpr expr) { return index(expr); });
    std::rotate(at.begin() + *unit, at.begin() + *unit + 1, at.end());
    rows.push_back(vector::LoadOp::create(b, type, byRows, at));
  }
  turn(b, rows);
  turned.push_back({buffer, first, rows});
  return rows[blockStep];
}
