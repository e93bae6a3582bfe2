// Verifiers and folders of what is computed of tiles.
#include "dialects/Tile/Tile.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace tenon::tile;

LogicalResult DotOp::verify() {
  RankedTensorType lhs = getLhs().getType(), rhs = getRhs().getType(), sum = getResult().getType();
  if (lhs.getRank() != 2 || rhs.getRank() != 2 || sum.getRank() != 2)
    return emitOpError("(C1) has tiles of rank ")
           << lhs.getRank() << ", " << rhs.getRank() << " and " << sum.getRank() << ", expected 2 each";
  auto sizes = [](RankedTensorType type, bool swap) {
    return swap ? std::pair(type.getDimSize(1), type.getDimSize(0)) : std::pair(type.getDimSize(0), type.getDimSize(1));
  };
  auto [m, k] = sizes(lhs, getTransposeA());
  auto [k2, n] = sizes(rhs, getTransposeB());
  if (k != k2)
    return emitOpError("(C2) contracts ") << k << " of lhs with " << k2 << " of rhs";
  if (sum.getDimSize(0) != m || sum.getDimSize(1) != n)
    return emitOpError("(C3) accumulates in ") << sum << ", expected " << m << " x " << n;
  Type l = lhs.getElementType(), r = rhs.getElementType();
  auto isF8 = [](Type type) { return isa<FloatType>(type) && type.getIntOrFloatBitWidth() == 8; };
  if (l != r && !(isF8(l) && isF8(r)))
    return emitOpError("(C4) multiplies ") << l << " with " << r;
  Builder builder(getContext());
  Type wanted = l.isF64()        ? Type(builder.getF64Type())
                : l.isInteger(8) ? Type(builder.getI32Type())
                                 : Type(builder.getF32Type());
  if ((!isa<FloatType>(l) && !l.isInteger(8)) || sum.getElementType() != wanted)
    return emitOpError("(C5) accumulates ") << l << " in " << sum.getElementType() << ", expected " << wanted;
  return success();
}

/// An operand that is a transposed tile is read the other way round.
static LogicalResult readTransposed(DotOp op, PatternRewriter &rewriter) {
  auto source = [](Value tile) { return tile.getDefiningOp<TransOp>(); };
  TransOp lhs = source(op.getLhs()), rhs = source(op.getRhs());
  if (!lhs && !rhs)
    return rewriter.notifyMatchFailure(op, "no operand is a transposed tile");
  rewriter.modifyOpInPlace(op, [&] {
    if (lhs) {
      op.getLhsMutable().assign(lhs.getTile());
      op.setTransposeA(!op.getTransposeA());
    }
    if (rhs) {
      op.getRhsMutable().assign(rhs.getTile());
      op.setTransposeB(!op.getTransposeB());
    }
  });
  return success();
}

void DotOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *) { patterns.add(readTransposed); }

/// Whatever its encoding: the level below says there how a tile is laid out.
static bool isOf(RankedTensorType type, ArrayRef<int64_t> shape, Type element) {
  return type.getShape() == shape && type.getElementType() == element;
}

static LogicalResult checkAxis(Operation *op, StringRef number, int64_t axis, RankedTensorType type) {
  if (axis >= 0 && axis < type.getRank())
    return success();
  return op->emitOpError() << number << " axis is " << axis << ", expected a dimension of " << type;
}

LogicalResult ReduceOp::verify() {
  RankedTensorType type = getTile().getType();
  if (failed(checkAxis(*this, "(C1)", getAxis(), type)))
    return failure();
  SmallVector<int64_t> shape(type.getShape());
  shape.erase(shape.begin() + getAxis());
  if (!isOf(getResult().getType(), shape, type.getElementType()))
    return emitOpError("(C2) result is ")
           << getResult().getType() << ", expected " << RankedTensorType::get(shape, type.getElementType());
  return success();
}

LogicalResult ReduceScatterOp::verify() {
  RankedTensorType type = getTile().getType();
  int64_t dimension = getDimension(), axis = getAxis();
  if (failed(checkAxis(*this, "(C1)", dimension, type)))
    return failure();
  SmallVector<int64_t> shape(type.getShape());
  RankedTensorType result = getResult().getType();
  if (result.getRank() == type.getRank())
    shape[dimension] = result.getDimSize(dimension);
  if (!isOf(result, shape, type.getElementType()) || type.getDimSize(dimension) % shape[dimension] != 0)
    return emitOpError("(C2) result is ")
           << result << ", expected a part of " << type << " along dimension " << dimension;
  auto grid = dyn_cast<GridOp>((*this)->getParentOp());
  if (!grid || llvm::range_size(grid.getBody().getOps<ReduceScatterOp>()) != 1)
    return emitOpError("(C4) stands where some programs may not come to it, expected tile.grid, and no other there");
  bool isAxis = axis >= 0 && axis < int64_t(grid.getExtents().size());
  if (!isAxis || getConstantIntValue(grid.getExtents()[axis]) != getParts())
    return emitOpError("(C3) adds up ") << getParts() << " parts along axis " << axis
                                        << ", expected an axis of the grid with as many programs";
  return success();
}

static int64_t placesAlong(Operation *op, int64_t axis) {
  return *getConstantIntValue(cast<GridOp>(op->getParentOp()).getExtents()[axis]);
}

static int64_t placesBeside(Operation *op, int64_t axis) {
  int64_t places = 1;
  for (auto [other, extent] : llvm::enumerate(cast<GridOp>(op->getParentOp()).getExtents()))
    if (int64_t(other) != axis)
      places *= *getConstantIntValue(extent);
  return places;
}

int64_t ReduceToLastOp::getParts() { return placesAlong(*this, getAxis()); }
int64_t ReduceToLastOp::getTiles() { return placesBeside(*this, getAxis()); }
int64_t GatherToLastOp::getParts() { return placesAlong(*this, getAxis()); }
int64_t GatherToLastOp::getGroups() { return placesBeside(*this, getAxis()); }

/// (C2) and (C3) of what the last of several programs goes on with, and how many these are.
static FailureOr<std::optional<int64_t>> checkLast(Operation *op, int64_t axis, int64_t mostTiles) {
  auto grid = dyn_cast<GridOp>(op->getParentOp());
  auto isLast = [](Operation &each) { return isa<ReduceToLastOp, GatherToLastOp>(each); };
  if (!grid || llvm::count_if(grid.getBody().front(), isLast) != 1)
    return op->emitOpError(
        "(C3) stands where some programs may not come to it, expected tile.grid, and no other there");
  int64_t tiles = 1;
  bool isAxis = axis >= 0 && axis < int64_t(grid.getExtents().size());
  for (auto [number, extent] : llvm::enumerate(grid.getExtents())) {
    std::optional<int64_t> places = getConstantIntValue(extent);
    if (int64_t(number) != axis && isAxis && (!places || *places > mostTiles || (tiles *= *places) > mostTiles))
      return op->emitOpError("(C2) has more sums than ")
             << mostTiles << ", or a number of them that is not known, along axis " << number << " of the grid";
  }
  return isAxis ? getConstantIntValue(grid.getExtents()[axis]) : std::nullopt;
}

LogicalResult ReduceToLastOp::verify() {
  FailureOr<std::optional<int64_t>> parts = checkLast(*this, getAxis(), mostTiles);
  if (failed(parts))
    return failure();
  if (!*parts || **parts < 2 || **parts > mostParts)
    return emitOpError("(C1) adds up the programs along axis ")
           << getAxis() << ", expected an axis of the grid with 2 to " << mostParts << " of them";
  return success();
}

LogicalResult GatherToLastOp::verify() {
  FailureOr<std::optional<int64_t>> parts = checkLast(*this, getAxis(), mostTiles);
  if (failed(parts))
    return failure();
  if (!*parts || **parts < 2 || **parts > mostParts || !llvm::isPowerOf2_64(**parts))
    return emitOpError("(C1) gathers from the programs along axis ")
           << getAxis() << ", expected an axis of the grid with 2 to " << mostParts << " of them, a power of two";
  if (getTiles().empty() || getTiles().size() != getResults().size())
    return emitOpError("(C4) gives ") << getResults().size() << " tiles, expected as many as it has, and one at least";
  for (auto [tile, result] : llvm::zip_equal(getTiles(), getResults())) {
    auto type = cast<RankedTensorType>(tile.getType());
    SmallVector<int64_t> shape(type.getShape());
    shape.push_back(**parts);
    if (!isOf(cast<RankedTensorType>(result.getType()), shape, type.getElementType()))
      return emitOpError("(C4) gives ") << result.getType() << ", expected "
                                        << RankedTensorType::get(shape, type.getElementType());
  }
  return success();
}

LogicalResult ScanOp::verify() { return checkAxis(*this, "(C1)", getAxis(), getTile().getType()); }

LogicalResult BroadcastOp::verify() {
  RankedTensorType from = getTile().getType(), to = getResult().getType();
  ArrayRef<int64_t> dims = getDims();
  bool isIncreasing = llvm::all_of(llvm::enumerate(dims), [&](auto entry) {
    return entry.value() >= 0 && entry.value() < to.getRank() &&
           (entry.index() == 0 || entry.value() > dims[entry.index() - 1]);
  });
  if (int64_t(dims.size()) != from.getRank() || !isIncreasing)
    return emitOpError("(C1) dims is [") << dims << "], expected " << from.getRank() << " increasing dimensions of "
                                         << to;
  for (auto [dimension, target] : llvm::enumerate(dims))
    if (from.getDimSize(dimension) != to.getDimSize(target))
      return emitOpError("(C2) dimension ") << target << " of the result has size " << to.getDimSize(target)
                                            << ", expected " << from.getDimSize(dimension);
  if (from.getElementType() != to.getElementType())
    return emitOpError("(C3) result has elements of ") << to.getElementType() << ", expected " << from.getElementType();
  return success();
}

OpFoldResult BroadcastOp::fold(FoldAdaptor adaptor) {
  if (getTile().getType() == getResult().getType())
    return getTile();
  if (auto splat = dyn_cast_or_null<SplatElementsAttr>(adaptor.getTile()))
    return splat.resizeSplat(getResult().getType());
  return {};
}

LogicalResult IotaOp::verify() {
  RankedTensorType type = getResult().getType();
  if (failed(checkAxis(*this, "(C1)", getAxis(), type)))
    return failure();
  if (!type.getElementType().isIntOrIndex() || type.getElementType().isInteger(1))
    return emitOpError("(C2) gives elements of ") << type.getElementType() << ", expected integers or indices";
  return success();
}

LogicalResult JoinOp::verify() {
  RankedTensorType to = getResult().getType();
  int64_t axis = getAxis(), sum = 0;
  if (axis < 0 || axis >= to.getRank())
    return emitOpError("(C1) axis is ") << axis << ", expected a dimension of " << to;
  for (Value tile : getTiles()) {
    auto from = cast<RankedTensorType>(tile.getType());
    SmallVector<int64_t> shape(to.getShape());
    if (from.getRank() == to.getRank())
      sum += shape[axis] = from.getDimSize(axis);
    if (!isOf(from, shape, to.getElementType()))
      return emitOpError("(C2) joins ") << from << " along dimension " << axis << " of " << to;
  }
  if (sum != to.getDimSize(axis))
    return emitOpError("(C2) joins ") << sum << " elements along dimension " << axis << ", expected "
                                      << to.getDimSize(axis);
  return success();
}

LogicalResult TransOp::verify() {
  RankedTensorType from = getTile().getType();
  ArrayRef<int64_t> order = getPermutation();
  SmallVector<int64_t> sorted(order);
  llvm::sort(sorted);
  if (int64_t(order.size()) != from.getRank() || !llvm::equal(sorted, llvm::seq<int64_t>(0, from.getRank())))
    return emitOpError("(C1) permutation is [")
           << order << "], expected each of " << from.getRank() << " dimensions once";
  SmallVector<int64_t> shape;
  for (int64_t dimension : order)
    shape.push_back(from.getDimSize(dimension));
  if (!isOf(getResult().getType(), shape, from.getElementType()))
    return emitOpError("(C2) result is ")
           << getResult().getType() << ", expected " << RankedTensorType::get(shape, from.getElementType());
  return success();
}

OpFoldResult TransOp::fold(FoldAdaptor adaptor) {
  ArrayRef<int64_t> order = getPermutation();
  if (llvm::equal(order, llvm::seq<int64_t>(0, order.size())))
    return getTile();
  if (auto splat = dyn_cast_or_null<SplatElementsAttr>(adaptor.getTile()))
    return splat.resizeSplat(getResult().getType());
  return {};
}

LogicalResult ReshapeOp::verify() {
  RankedTensorType from = getTile().getType(), to = getResult().getType();
  if (from.getNumElements() != to.getNumElements() || from.getElementType() != to.getElementType())
    return emitOpError("(C1) gives ") << to << " of " << from << ", expected as many elements of the same type";
  return success();
}

OpFoldResult ReshapeOp::fold(FoldAdaptor adaptor) {
  if (getTile().getType() == getResult().getType())
    return getTile();
  if (auto source = getTile().getDefiningOp<ReshapeOp>()) {
    setOperand(source.getTile());
    return getResult();
  }
  if (auto splat = dyn_cast_or_null<SplatElementsAttr>(adaptor.getTile()))
    return splat.resizeSplat(getResult().getType());
  return {};
}

LogicalResult AnyOp::verify() {
  RankedTensorType type = getTile().getType();
  return type.getElementType().isInteger(1) ? success() : emitOpError("(C1) folds ") << type << ", expected i1";
}

LogicalResult RedoOp::verify() {
  if (RankedTensorType type = getCondition().getType(); !type.getElementType().isInteger(1))
    return emitOpError("(C1) condition is ") << type << ", expected i1";
  if (llvm::is_contained(getNeeded(), nullptr))
    return emitOpError("(C2) takes a tile of memory from outside, expected what is computed of numbers; load it again");
  return success();
}

SmallVector<Operation *> RedoOp::getNeeded() {
  llvm::SetVector<Operation *> needed;
  SmallVector<Value> open;
  getBody().walk([&](Operation *op) { llvm::append_range(open, op->getOperands()); });
  while (!open.empty()) {
    Operation *op = open.pop_back_val().getDefiningOp();
    if (!op || op->getBlock() != (*this)->getBlock() || !needed.insert(op))
      continue;
    auto load = dyn_cast<LoadOp>(op);
    bool isSmall = load && load.getType().getRank() <= 1; // which is read again
    if (!isSmall && (!isPure(op) || op->getNumRegions() > 0))
      return {nullptr};
    llvm::append_range(open, op->getOperands());
  }
  SmallVector<Operation *> ops = needed.takeVector();
  llvm::sort(ops, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  return ops;
}

LogicalResult YieldOp::verify() {
  Operation *parent = (*this)->getParentOp();
  return isa<UnlikelyOp>(parent) ? success()
                                 : emitOpError("(C1) stands in ") << parent->getName() << ", expected tile.unlikely";
}

LogicalResult UnlikelyOp::verify() {
  RankedTensorType condition = getCondition().getType();
  if (!condition.getElementType().isInteger(1))
    return emitOpError("(C1) condition is ") << condition << ", expected i1";
  auto yield = dyn_cast<YieldOp>(getBody().front().back());
  if (!yield || yield.getOperandTypes() != getResultTypes())
    return emitOpError("(C2) has a region that does not yield ") << getResultTypes();
  WalkResult bad = getBody().walk([&](Operation *op) {
    return isMemoryEffectFree(op) && !isa<DotOp>(op) ? WalkResult::advance() : WalkResult::interrupt();
  });
  if (bad.wasInterrupted())
    return emitOpError("(C3) has a region with effects or dots");
  return success();
}
