// How TileEmitter computes a tensor at a place: by the op that makes it.
#include "lib/Analysis/ContractionKernel.h"
#include "passes/3_tile/TileEmitter.h"

using namespace mlir;
using namespace tenon;

TileValue TileEmitter::at(Value tensor, const TilePlace &place) {
  if (!reason.empty())
    return {};
  // What was computed in this block or one around it is still there.
  for (Computed &known : memo[tensor]) {
    Block *block = known.value.tile.getParentBlock();
    if (known.place == place &&
        (block == b.getInsertionBlock() || block->findAncestorOpInBlock(*b.getInsertionBlock()->getParentOp())))
      return known.value;
  }
  TileValue value = compute(tensor, place);
  if (value)
    memo[tensor].push_back({place, value});
  return value;
}

TileValue TileEmitter::compute(Value tensor, const TilePlace &place) {
  if (Value view = viewOf(tensor))
    return load(view, place, std::nullopt);
  Operation *op = tensor.getDefiningOp();
  if (!op)
    return fail("a tensor is an argument of a region");
  if (auto structured = dyn_cast<linalg::GenericOp>(op))
    return generic(structured, cast<OpResult>(tensor).getResultNumber(), place);
  if (auto scores = dyn_cast<AttentionOp>(op))
    return attention(scores, place);
  if (auto fill = dyn_cast<linalg::FillOp>(op))
    return splat(scalar(fill.getInputs().front()));
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    auto elements = dyn_cast<SplatElementsAttr>(constant.getValue());
    if (!elements)
      return fail("a constant of several values stands inside the kernel");
    auto type = RankedTensorType::get({}, elements.getElementType());
    return {arith::ConstantOp::create(b, type, elements.resizeSplat(type)), {}};
  }
  if (auto elements = dyn_cast<tensor::FromElementsOp>(op); elements && elements.getElements().size() == 1)
    return splat(scalar(elements.getElements().front()));
  if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::ExtractSliceOp, linalg::TransposeOp, tensor::CastOp>(
          op)) {
    TilePlace source = sourcePlace(tensor, place);
    return reason.empty() ? at(op->getOperand(0), source) : TileValue();
  }
  return fail((op->getName().getStringRef() + " has no form on tiles").str());
}

TilePlace TileEmitter::loopsAt(linalg::GenericOp op, unsigned result, const TilePlace &place) {
  TilePlace loops(op.getNumLoops());
  AffineMap map = op.getMatchingIndexingMap(op.getDpsInitOperand(result));
  for (auto [expr, at] : llvm::zip_equal(map.getResults(), place))
    if (auto position = dyn_cast<AffineDimExpr>(expr))
      loops[position.getPosition()] = at;
  for (auto [loop, iterator] : llvm::zip_equal(loops, op.getIteratorTypesArray()))
    if (!loop && iterator == utils::IteratorType::parallel)
      fail("a generic writes through a map that is no permutation");
  return loops;
}

/// Where a reshaping op reads its source, which is no view.
TilePlace TileEmitter::sourcePlace(Value tensor, const TilePlace &place) {
  Operation *op = tensor.getDefiningOp();
  auto source = cast<RankedTensorType>(op->getOperand(0).getType());
  TilePlace result(source.getRank());
  if (isa<tensor::CastOp>(op))
    return place;
  if (auto transpose = dyn_cast<linalg::TransposeOp>(op)) {
    for (auto [to, from] : llvm::enumerate(transpose.getPermutation()))
      result[from] = place[to];
    return result;
  }
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op)) {
    for (auto [from, group] : llvm::enumerate(expand.getReassociationIndices())) {
      AffineExpr only = constant(0);
      for (int64_t to : group)
        if (expand.getResultType().getDimSize(to) != 1) {
          if (only != constant(0))
            return fail("a computed tensor is split"), result;
          only = place[to];
        }
      result[from] = only;
    }
    return result;
  }
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op)) {
    for (auto [to, group] : llvm::enumerate(collapse.getReassociationIndices())) {
      bool isTaken = false;
      for (int64_t from : group) {
        bool isOne = source.getDimSize(from) == 1;
        if (!isOne && isTaken)
          return fail("a computed tensor's dimensions are joined"), result;
        result[from] = isOne ? constant(0) : place[to];
        isTaken |= !isOne;
      }
    }
    return result;
  }
  fail("a computed tensor is sliced");
  return result;
}

SmallVector<TileValue> TileEmitter::elementsAt(linalg::GenericOp op, const TilePlace &loops) {
  SmallVector<TileValue> elements;
  for (OpOperand &operand : op->getOpOperands()) {
    bool isRead =
        op.isDpsInput(&operand) || (op.getNumReductionLoops() == 0 && op.payloadUsesValueFromOperand(&operand));
    if (!isRead) {
      elements.push_back({});
      continue;
    }
    if (!isa<RankedTensorType>(operand.get().getType())) {
      elements.push_back(splat(scalar(operand.get())));
      continue;
    }
    AffineMap map = op.getMatchingIndexingMap(&operand);
    elements.push_back(at(operand.get(), llvm::map_to_vector(map.getResults(), [&](AffineExpr expr) {
                            return expr.replaceDims(loops);
                          })));
    if (!elements.back())
      return {};
  }
  return elements;
}

TileValue TileEmitter::generic(linalg::GenericOp op, unsigned result, const TilePlace &place) {
  if (op.getNumReductionLoops() != 0) {
    if (op->getNumResults() != 1)
      return fail("a reduction has several results");
    return findContraction(*op->getBlock()) ? dot(op, place) : reduce(op, place);
  }
  TilePlace loops = loopsAt(op, result, place);
  if (!reason.empty())
    return {};
  SmallVector<TileValue> elements = elementsAt(op, loops);
  if (elements.size() != op->getNumOperands())
    return {};
  return body(op, op.getBody()->getTerminator()->getOperand(result), loops, elements);
}

Value TileEmitter::loopSize(linalg::GenericOp op, unsigned loop) {
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<RankedTensorType>(operand.get().getType()))
      continue;
    for (auto [dimension, expr] : llvm::enumerate(op.getMatchingIndexingMap(&operand).getResults()))
      if (expr == getAffineDimExpr(loop, b.getContext()))
        return sizeValue(operand.get(), dimension);
  }
  fail("a loop has no size");
  return arith::ConstantIndexOp::create(b, 0);
}

static std::optional<tile::Fold> foldOf(Operation *combiner) {
  if (isa_and_nonnull<arith::AddFOp, arith::AddIOp>(combiner))
    return tile::Fold::add;
  if (isa_and_nonnull<arith::MaximumFOp, arith::MaxSIOp>(combiner))
    return tile::Fold::max;
  if (isa_and_nonnull<arith::MinimumFOp, arith::MinSIOp>(combiner))
    return tile::Fold::min;
  return std::nullopt;
}

/// The element that changes no sum, maximum or minimum.
static TypedAttr neutralOf(OpBuilder &b, tile::Fold fold, Type type) {
  if (fold == tile::Fold::add)
    return b.getZeroAttr(type);
  bool isMax = fold == tile::Fold::max;
  if (auto real = dyn_cast<FloatType>(type))
    return FloatAttr::get(real, APFloat::getInf(real.getFloatSemantics(), /*Negative=*/isMax));
  unsigned width = type.getIntOrFloatBitWidth();
  return b.getIntegerAttr(type, isMax ? APInt::getSignedMinValue(width) : APInt::getSignedMaxValue(width));
}

/// A statistic. A static dimension is one tile; an axis that has it whole already is taken again, so that both read the
/// same tile. A dynamic one is a loop over parts, the last of which is filled up with what changes nothing.
TileValue TileEmitter::reduce(linalg::GenericOp op, const TilePlace &place) {
  Operation *combiner = op.getBody()->getTerminator()->getOperand(0).getDefiningOp();
  BlockArgument accumulator = op.getRegionOutputArgs().front();
  std::optional<tile::Fold> fold = foldOf(combiner);
  if (!fold || !accumulator.hasOneUse() || *accumulator.getUsers().begin() != combiner)
    return fail("a reduction is no sum, maximum or minimum");
  Value added = combiner->getOperand(combiner->getOperand(0) == accumulator ? 1 : 0);
  TilePlace loops = loopsAt(op, 0, place);
  TileValue sum =
      at(op.getDpsInits().front(), llvm::map_to_vector(op.getIndexingMapsArray().back().getResults(),
                                                       [&](AffineExpr expr) { return expr.replaceDims(loops); }));
  if (!reason.empty())
    return {};
  SmallVector<unsigned> reduced, own, kept = axesOf(place);
  op.getReductionDims(reduced);
  Type type = cast<RankedTensorType>(sum.tile.getType()).getElementType();
  scf::ForOp loop;
  OpBuilder::InsertionGuard guard(b);
  Value isInside;
  for (unsigned number : reduced) {
    int64_t size = op.getStaticLoopRanges()[number];
    if (size == 0)
      return sum;
    if (!ShapedType::isDynamic(size)) {
      unsigned taken = axes.size();
      for (unsigned a = 0; a < axes.size(); ++a)
        if (axes[a].isWhole && axes[a].size == size && !llvm::is_contained(kept, a) && !llvm::is_contained(own, a))
          taken = std::min(taken, a);
      own.push_back(taken < axes.size() ? taken : addAxis(size, /*isWhole=*/true));
      loops[number] = axis(own.back());
      continue;
    }
    if (loop)
      return fail("two dynamic dimensions are reduced at once");
    own.push_back(addAxis(reductionTile, /*isWhole=*/false));
    Value last = loopSize(op, number);
    sum = {widen(sum, kept), kept};
    loop = scf::ForOp::create(b, arith::ConstantIndexOp::create(b, 0), last,
                              arith::ConstantIndexOp::create(b, reductionTile), ValueRange{sum.tile});
    b.setInsertionPointToStart(loop.getBody());
    loops[number] = dim(loop.getInductionVar()) + axis(own.back());
    sum.tile = loop.getRegionIterArg(0);
    Value number_ = indexTile(loops[number]).tile;
    isInside = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, number_, widen(splat(last), {own.back()}));
  }
  SmallVector<TileValue> elements = elementsAt(op, loops);
  if (elements.size() != op->getNumOperands())
    return {};
  TileValue value = body(op, added, loops, elements);
  if (!value)
    return {};
  // Axes that the element does not vary along count as often as they have elements: all of them are needed.
  SmallVector<unsigned> all(kept);
  all.append(own);
  llvm::sort(all);
  value = {widen(value, all), all};
  if (isInside) {
    TileValue condition{isInside, {own.back()}};
    auto neutral = DenseElementsAttr::get(typeOf(all, type), neutralOf(b, *fold, type));
    value.tile = arith::SelectOp::create(b, widen(condition, all), value.tile, arith::ConstantOp::create(b, neutral));
  }
  for (unsigned gone : own) {
    int64_t dimension = llvm::find(value.axes, gone) - value.axes.begin();
    value.axes.erase(value.axes.begin() + dimension);
    value.tile = tile::ReduceOp::create(b, typeOf(value.axes, type), *fold, value.tile, dimension);
  }
  Value before = widen(sum, value.axes);
  OperationState state(b.getLoc(), combiner->getName(), {before, value.tile}, before.getType(), combiner->getAttrs());
  Value folded = b.create(state)->getResult(0);
  if (loop) {
    scf::YieldOp::create(b, folded);
    folded = loop.getResult(0);
  }
  return {folded, value.axes};
}

/// A matrix product: parts of the depth are loaded and multiplied, the sums go through the loop.
TileValue TileEmitter::dot(linalg::GenericOp op, const TilePlace &place) {
  std::optional<ContractionKernel> product = findContraction(*op->getBlock());
  auto isStored = [&](Value factor) { // widening an operand is the dot's own business
    while (factor.getDefiningOp()) {
      if (!isa<arith::ExtFOp, arith::ExtSIOp>(factor.getDefiningOp()))
        return false;
      factor = factor.getDefiningOp()->getOperand(0);
    }
    return true;
  };
  if (product->op != op || !isStored(product->lhsFactor) || !isStored(product->rhsFactor))
    return fail("the product's factors are computed");
  TilePlace loops = loopsAt(op, 0, place);
  TileValue start = at(op.getDpsInits().front(), place);
  if (!reason.empty())
    return {};
  SmallVector<unsigned> kept = axesOf(place);
  if (kept.size() != 2)
    return fail("a product's tile has " + Twine(kept.size()) + " axes, expected rows and columns");
  int64_t size = product->staticDepth();
  bool isOne = !ShapedType::isDynamic(size) && size <= depthTile;
  unsigned depth = addAxis(isOne ? size : depthTile, isOne);
  Value sums = widen(start, kept);
  scf::ForOp loop;
  OpBuilder::InsertionGuard guard(b);
  loops[product->depth] = axis(depth);
  if (!isOne) {
    loop = scf::ForOp::create(b, arith::ConstantIndexOp::create(b, 0), loopSize(op, product->depth),
                              arith::ConstantIndexOp::create(b, depthTile), ValueRange{sums});
    b.setInsertionPointToStart(loop.getBody());
    loops[product->depth] = dim(loop.getInductionVar()) + axis(depth);
    sums = loop.getRegionIterArg(0);
  }
  SmallVector<TileValue> elements = elementsAt(op, loops);
  if (elements.size() != op->getNumOperands())
    return {};
  TileValue lhs = elements[product->lhs], rhs = elements[product->rhs];
  if (lhs.axes != SmallVector<unsigned>{kept[0], depth} || rhs.axes != SmallVector<unsigned>{kept[1], depth})
    return fail("a factor does not extend along its side of the product and the depth");
  Value result = tile::DotOp::create(b, sums.getType(), lhs.tile, rhs.tile, sums, /*transpose_a=*/false,
                                     /*transpose_b=*/true);
  if (loop) {
    scf::YieldOp::create(b, result);
    result = loop.getResult(0);
  }
  return {result, kept};
}
