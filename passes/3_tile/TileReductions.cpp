// Folds along dimensions: statistics of rows, sums over batches, the place of a maximum. A dimension that fits is one
// tile; a longer one, or one of unknown size, is a loop over parts, in which each element of the tile keeps a result of
// its own: threads exchange theirs once, behind the loop. Where programs share a fold, each does so with its part, and
// the last of them folds what all have. A tile may reach past the end of the dimension: what stands there must change
// no fold, and where that is not so already it is replaced.
#include "lib/Schedule/TileSchedule.h"
#include "passes/3_tile/TileEmitter.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace tenon;
using Outside = TileValue::Outside;

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

static Outside neutralOutside(tile::Fold fold) {
  return fold == tile::Fold::add ? Outside::zero : fold == tile::Fold::max ? Outside::lowest : Outside::highest;
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

/// How a program goes through a dimension, `turn` elements at a time: all of it, or its share of as many turns as the
/// others'.
TileEmitter::Walk TileEmitter::walkOf(int64_t size, Value end, int64_t turn) {
  if (!sharedFold)
    return {end, constant(0), false};
  int64_t all = sharedFold->parts * turn;
  if (!ShapedType::isDynamic(size)) {
    int64_t share = llvm::divideCeil(size, all) * turn;
    return {arith::ConstantIndexOp::create(b, share), dim(sharedFold->program) * share,
            share * sharedFold->parts != size};
  }
  Value turns = arith::CeilDivUIOp::create(b, end, arith::ConstantIndexOp::create(b, all));
  Value share = arith::MulIOp::create(b, turns, arith::ConstantIndexOp::create(b, turn));
  return {share, dim(arith::MulIOp::create(b, sharedFold->program, share)), true};
}

TileEmitter::Reduction TileEmitter::openReduction(linalg::GenericOp op, TilePlace &loops, ArrayRef<unsigned> kept,
                                                  ArrayRef<TileValue> initial, bool isSum) {
  struct Turns {
    Value end;
    int64_t turn, axis; ///< the axis, or -1 where elements are taken one by one
  };
  Reduction reduction;
  SmallVector<Turns> walks;
  SmallVector<unsigned> reduced, walked;
  op.getReductionDims(reduced);
  // What one tile folds is shared out from the innermost dimension on: a tile of so many along each would be its power.
  SmallVector<int64_t> mosts(reduced.size());
  int64_t left = reductionTile;
  for (size_t index = reduced.size(); index-- > 0;) {
    unsigned number = reduced[index];
    int64_t size = op.getStaticLoopRanges()[number];
    auto known = reductionTiles.find({op, number});
    mosts[index] = known != reductionTiles.end() ? known->second : left;
    left = std::max<int64_t>(1, left / (ShapedType::isDynamic(size) ? left : std::min(left, paddedTile(size))));
  }
  for (auto [number, most] : llvm::zip_equal(reduced, mosts)) {
    int64_t size = op.getStaticLoopRanges()[number];
    if (!ShapedType::isDynamic(size) && !sharedFold) {
      // An axis that has the dimension whole already is taken again, so that both read the same tile.
      unsigned taken = axes.size();
      for (unsigned a = 0; a < axes.size(); ++a)
        if (axes[a].start == constant(0) && axes[a].extent == size && !llvm::is_contained(kept, a) &&
            !llvm::is_contained(reduction.own, a))
          taken = std::min(taken, a);
      if (taken < axes.size() || paddedTile(size) <= most) {
        reduction.own.push_back(taken < axes.size() ? taken : addWholeAxis(paddedTile(size), size));
        loops[number] = axis(reduction.own.back());
        continue;
      }
    }
    walked.push_back(number);
    auto known = reductionTiles.find({op, number});
    bool isOneByOne = known != reductionTiles.end() && known->second == 1;
    Value end = loopSize(op, number);
    Walk walk = walkOf(size, end, most);
    loops[number] = walk.start;
    if (!isOneByOne) {
      axes.push_back({most, size, walk.start, end, walk.isPast});
      reduction.own.push_back(axes.size() - 1);
      loops[number] = walk.start + axis(reduction.own.back());
    }
    walks.push_back({walk.end, most, isOneByOne ? -1 : int64_t(reduction.own.back())});
  }
  SmallVector<unsigned> all(kept);
  all.append(reduction.own);
  llvm::sort(all);
  for (const TileValue &value : initial) {
    bool isZero = isSum && !reduction.own.empty();
    auto type = typeOf(all, getElementTypeOrSelf(value.tile.getType()));
    reduction.values.push_back(isZero ? arith::ConstantOp::create(b, cast<TypedAttr>(b.getZeroAttr(type))).getResult()
                                      : widen(value, all));
  }
  for (auto [number, walk] : llvm::zip_equal(walked, walks)) {
    if (getConstantIntValue(walk.end) == walk.turn && walk.axis >= 0)
      continue;
    auto loop = scf::ForOp::create(b, arith::ConstantIndexOp::create(b, 0), walk.end,
                                   arith::ConstantIndexOp::create(b, walk.turn), reduction.values);
    b.setInsertionPointToStart(loop.getBody());
    reduction.loops.push_back(loop);
    AffineExpr turn = dim(loop.getInductionVar());
    loops[number] = loops[number] + turn;
    if (walk.axis >= 0)
      axes[walk.axis].start = simplifyAffineExpr(axes[walk.axis].start + turn, dims.size(), axes.size());
    reduction.values.assign(loop.getRegionIterArgs().begin(), loop.getRegionIterArgs().end());
  }
  return reduction;
}

SmallVector<Value> TileEmitter::gathered(Reduction &reduction, ArrayRef<unsigned> kept, ArrayRef<Value> values) {
  SmallVector<unsigned> all(kept);
  reduction.own.assign(1, addAxis(sharedFold->parts));
  all.append(reduction.own);
  SmallVector<Type> types = llvm::map_to_vector(
      values, [&](Value value) -> Type { return typeOf(all, getElementTypeOrSelf(value.getType())); });
  auto results = tile::GatherToLastOp::create(b, types, values, sharedFold->gridAxis).getResults();
  return SmallVector<Value>(results.begin(), results.end());
}

bool TileEmitter::reachesPast(unsigned number) const {
  const Axis &along = axes[number];
  return ShapedType::isDynamic(along.extent) || along.extent % along.size != 0 || along.isPast;
}

SmallVector<Value> TileEmitter::closeReduction(Reduction &reduction, ArrayRef<Value> values) {
  SmallVector<Value> results(values);
  for (scf::ForOp loop : llvm::reverse(reduction.loops)) {
    scf::YieldOp::create(b, results);
    b.setInsertionPointAfter(loop);
    results.assign(loop.getResults().begin(), loop.getResults().end());
  }
  return results;
}

TileValue TileEmitter::masked(TileValue value, ArrayRef<unsigned> all, ArrayRef<unsigned> folded, tile::Fold fold) {
  SmallVector<std::pair<unsigned, Outside>> outside = value.outside;
  value.tile = widen(value, all);
  value.axes.assign(all.begin(), all.end());
  for (unsigned number : folded) {
    const Axis &own = axes[number];
    auto known = llvm::find(outside, std::pair(number, neutralOutside(fold)));
    if (known != outside.end() || !reachesPast(number))
      continue;
    Value end = ShapedType::isDynamic(own.extent) ? own.end : arith::ConstantIndexOp::create(b, own.extent).getResult();
    Value place = indexTile(own.start + axis(number)).tile;
    Value inside = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, place, widen(splat(end), {number}));
    auto type = cast<RankedTensorType>(value.tile.getType());
    auto neutral = DenseElementsAttr::get(type, Attribute(neutralOf(b, fold, type.getElementType())));
    value.tile =
        arith::SelectOp::create(b, widen({inside, {number}}, all), value.tile, arith::ConstantOp::create(b, neutral));
  }
  return value;
}

TileValue TileEmitter::folded(TileValue value, ArrayRef<unsigned> gone, tile::Fold fold) {
  Type type = cast<RankedTensorType>(value.tile.getType()).getElementType();
  for (unsigned number : gone) {
    int64_t dimension = llvm::find(value.axes, number) - value.axes.begin();
    value.axes.erase(value.axes.begin() + dimension);
    value.tile = tile::ReduceOp::create(b, typeOf(value.axes, type), fold, value.tile, dimension);
  }
  return value;
}

/// An extreme of what lies in memory: it is read with the neutral element outside. What else reads the same tile sees
/// exp(-infinity) = 0 there, which changes no sum either.
void TileEmitter::loadForFold(linalg::GenericOp op, Value element, const TilePlace &loops, tile::Fold fold) {
  while (isa_and_nonnull<arith::ExtFOp>(element.getDefiningOp()))
    element = element.getDefiningOp()->getOperand(0);
  auto argument = dyn_cast<BlockArgument>(element);
  auto type = dyn_cast<FloatType>(element.getType());
  if (fold == tile::Fold::add || !argument || argument.getOwner() != op.getBody() || !type || type.getWidth() < 16)
    return;
  OpOperand &operand = op->getOpOperand(argument.getArgNumber());
  Value view = viewOf(operand.get());
  TilePlace place = llvm::map_to_vector(op.getMatchingIndexingMap(&operand).getResults(),
                                        [&](AffineExpr expr) { return expr.replaceDims(loops); });
  if (!view || llvm::any_of(memo[operand.get()], [&](const Computed &known) { return known.place == place; }))
    return;
  bool reachesOut =
      llvm::any_of(axesOf(place), [&](unsigned number) { return axes[number].start && reachesPast(number); });
  if (TileValue value = load(view, place, std::nullopt, reachesOut ? neutralOf(b, fold, type) : TypedAttr()))
    memo[operand.get()].push_back({place, value});
}

TileValue TileEmitter::reduce(linalg::GenericOp op, const TilePlace &place) {
  Operation *combiner = op.getBody()->getTerminator()->getOperand(0).getDefiningOp();
  BlockArgument accumulator = op.getRegionOutputArgs().front();
  std::optional<tile::Fold> fold = foldOf(combiner);
  if (!fold || !accumulator.hasOneUse() || *accumulator.getUsers().begin() != combiner)
    return fail("a reduction is no sum, maximum or minimum");
  Value added = combiner->getOperand(combiner->getOperand(0) == accumulator ? 1 : 0);
  TilePlace loops = loopsAt(op, 0, place);
  TileValue sum = at(op.getDpsInits().front(), place);
  if (!reason.empty())
    return {};
  if (llvm::any_of(llvm::zip(op.getStaticLoopRanges(), op.getIteratorTypesArray()), [](auto loop) {
        return std::get<0>(loop) == 0 && std::get<1>(loop) == utils::IteratorType::reduction;
      }))
    return sum;
  SmallVector<unsigned> kept = axesOf(place), all(kept);
  OpBuilder::InsertionGuard guard(b);
  Reduction reduction = openReduction(op, loops, kept, sum, *fold == tile::Fold::add);
  loadForFold(op, added, loops, *fold);
  SmallVector<TileValue> elements = elementsAt(op, loops);
  if (elements.size() != op->getNumOperands())
    return {};
  TileValue value = body(op, added, loops, elements);
  if (!value)
    return {};
  // Axes that the element does not vary along count as often as they have elements: all of them are needed.
  all.append(reduction.own);
  llvm::sort(all);
  value = masked(value, all, reduction.own, *fold);
  auto combined = [&](Value before, Value more) {
    OperationState state(b.getLoc(), combiner->getName(), {before, more}, before.getType(), combiner->getAttrs());
    return b.create(state)->getResult(0);
  };
  if (!reduction.loops.empty()) {
    // What is scaled and added is so with one rounding.
    auto scaled = value.tile.getDefiningOp<arith::MulFOp>();
    Value before = reduction.values.front();
    Value more = scaled && isa<arith::AddFOp>(combiner)
                     ? math::FmaOp::create(b, scaled.getLhs(), scaled.getRhs(), before).getResult()
                     : combined(before, value.tile);
    value.tile = closeReduction(reduction, more).front();
    if (reduction.own.empty())
      return {value.tile, value.axes};
  }
  value = folded(value, reduction.own, *fold);
  if (sharedFold) {
    value.tile = gathered(reduction, kept, value.tile).front();
    value.axes.append(reduction.own);
    value = folded(value, reduction.own, *fold);
  }
  return {combined(widen(sum, kept), value.tile), value.axes};
}

namespace {
/// The body of argmax and argmin: value and place are chosen by one condition.
struct ArgumentBody {
  tile::Fold fold;
  Value element, number; ///< what is compared, and its place
};
} // namespace

static std::optional<ArgumentBody> matchArgument(linalg::GenericOp op) {
  auto yielded = op.getBody()->getTerminator()->getOperands();
  auto best = yielded[0].getDefiningOp<arith::SelectOp>(), where = yielded[1].getDefiningOp<arith::SelectOp>();
  if (!best || !where || best.getCondition() != where.getCondition() || op.getNumReductionLoops() != 1 ||
      best.getFalseValue() != op.getRegionOutputArgs()[0] || where.getFalseValue() != op.getRegionOutputArgs()[1])
    return std::nullopt;
  std::optional<tile::Fold> fold;
  for (Operation &inner : op.getBody()->without_terminator()) {
    if (inner.getNumOperands() != 2 || inner.getOperand(0) != best.getTrueValue() ||
        inner.getOperand(1) != best.getFalseValue())
      continue;
    if (auto compare = dyn_cast<arith::CmpFOp>(inner))
      fold = compare.getPredicate() == arith::CmpFPredicate::OGT ? tile::Fold::max : tile::Fold::min;
    if (auto compare = dyn_cast<arith::CmpIOp>(inner))
      fold = compare.getPredicate() == arith::CmpIPredicate::sgt ? tile::Fold::max : tile::Fold::min;
  }
  if (!fold)
    return std::nullopt;
  return ArgumentBody{*fold, best.getTrueValue(), where.getTrueValue()};
}

/// Whether what is compared takes the place of what was best before: a NaN beats every number, and the first one wins,
/// as does the first of equal values.
static Value isBetter(ImplicitLocOpBuilder &b, tile::Fold fold, Value value, Value before) {
  using F = arith::CmpFPredicate;
  using I = arith::CmpIPredicate;
  bool isMax = fold == tile::Fold::max;
  if (!isa<FloatType>(getElementTypeOrSelf(value.getType())))
    return arith::CmpIOp::create(b, isMax ? I::sgt : I::slt, value, before);
  Value isBeyond = arith::CmpFOp::create(b, isMax ? F::UGT : F::ULT, value, before); // a NaN is
  return arith::AndIOp::create(b, isBeyond, arith::CmpFOp::create(b, F::ORD, before, before));
}

std::pair<Value, Value> TileEmitter::extremeOf(Value value, Value number, ArrayRef<unsigned> kept,
                                               ArrayRef<unsigned> gone, tile::Fold fold) {
  SmallVector<unsigned> all(kept);
  all.append(gone.begin(), gone.end());
  llvm::sort(all);
  TileValue extreme = folded({value, all}, gone, fold);
  Value wide = widen(extreme, all), isIt;
  if (isa<FloatType>(getElementTypeOrSelf(value.getType()))) {
    // Where the extreme is NaN nothing equals it, and where it is not nothing is NaN.
    using F = arith::CmpFPredicate;
    isIt = arith::OrIOp::create(b, arith::CmpFOp::create(b, F::OEQ, value, wide),
                                arith::CmpFOp::create(b, F::UNO, value, value));
  } else
    isIt = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, value, wide);
  Type index = getElementTypeOrSelf(number.getType());
  auto last = DenseElementsAttr::get(typeOf(all, index), Attribute(neutralOf(b, tile::Fold::min, index)));
  Value candidate = arith::SelectOp::create(b, isIt, number, arith::ConstantOp::create(b, last));
  return {extreme.tile, folded({candidate, all}, gone, tile::Fold::min).tile};
}

/// The place of an extreme: the extreme, then the least place that has it.
TileValue TileEmitter::argument(linalg::GenericOp op, const TilePlace &place) {
  std::optional<ArgumentBody> match = matchArgument(op);
  if (!match)
    return fail("a reduction to a value and its place is no argmax or argmin");
  TilePlace loops = loopsAt(op, 1, place);
  TileValue best = at(op.getDpsInits()[0], place), where = at(op.getDpsInits()[1], place);
  if (!reason.empty())
    return {};
  // Places are below 2^31 (ThreadEmitter::limitSizes).
  Type index = getElementTypeOrSelf(where.tile.getType()), counted = index;
  if (index.getIntOrFloatBitWidth() > 32 && match->number.getDefiningOp<arith::IndexCastOp>())
    counted = b.getI32Type();
  auto narrowed = [&](TileValue number) {
    if (number && counted != index)
      number.tile = arith::TruncIOp::create(b, typeOf(number.axes, counted), number.tile);
    return number;
  };
  SmallVector<unsigned> kept = axesOf(place), all(kept);
  OpBuilder::InsertionGuard guard(b);
  Reduction reduction = openReduction(op, loops, kept, {best, narrowed(where)}, /*isSum=*/false);
  loadForFold(op, match->element, loops, match->fold);
  SmallVector<TileValue> elements = elementsAt(op, loops);
  if (elements.size() != op->getNumOperands())
    return {};
  TileValue value = body(op, match->element, loops, elements);
  TileValue number = narrowed(body(op, match->number, loops, elements));
  if (!value || !number)
    return {};
  all.append(reduction.own);
  llvm::sort(all);
  SmallVector<Value> found{masked(value, all, reduction.own, match->fold).tile, widen(number, all)};
  if (!reduction.loops.empty()) {
    Value wins = isBetter(b, match->fold, found[0], reduction.values[0]);
    for (auto [now, before] : llvm::zip_equal(found, reduction.values))
      now = arith::SelectOp::create(b, wins, now, before);
    found = closeReduction(reduction, found);
  }
  std::tie(found[0], found[1]) = extremeOf(found[0], found[1], kept, reduction.own, match->fold);
  if (sharedFold) {
    found = gathered(reduction, kept, found);
    std::tie(found[0], found[1]) = extremeOf(found[0], found[1], kept, reduction.own, match->fold);
  }
  if (counted != index)
    found[1] = arith::ExtSIOp::create(b, typeOf(kept, index), found[1]);
  return {found[1], kept};
}
