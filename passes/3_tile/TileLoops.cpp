// Kernels whose loop over slices is none of linalg: the running sum, whose turns depend on each other, and the scatter,
// whose places are data.
#include "passes/3_tile/TileEmitter.h"

using namespace mlir;
using namespace tenon;

std::optional<ScanLoop> tenon::matchScan(scf::ForOp loop) {
  if (loop.getNumResults() != 2)
    return std::nullopt;
  auto yielded = loop.getBody()->getTerminator()->getOperands();
  auto insert = yielded[0].getDefiningOp<tensor::InsertSliceOp>();
  auto sum = yielded[1].getDefiningOp<linalg::GenericOp>();
  if (!insert || !sum || insert.getDest() != loop.getRegionIterArg(0) || sum.getNumReductionLoops() != 0)
    return std::nullopt;
  Value added = sum.getBody()->getTerminator()->getOperand(0);
  if (!isa_and_nonnull<arith::AddFOp, arith::AddIOp>(added.getDefiningOp()))
    return std::nullopt;
  for (Value operand : sum.getDpsInputs())
    if (auto slice = operand.getDefiningOp<tensor::ExtractSliceOp>())
      for (auto [axis, offset] : llvm::enumerate(slice.getMixedOffsets()))
        if (llvm::dyn_cast_if_present<Value>(offset) == loop.getInductionVar())
          return ScanLoop{slice.getSource(), static_cast<int64_t>(axis)};
  return std::nullopt;
}

/// Either the tile has the whole dimension, or it is walked through and the sum so far is carried.
TileValue TileEmitter::scan(scf::ForOp loop, const TilePlace &place) {
  std::optional<ScanLoop> match = matchScan(loop);
  if (!match)
    return fail("a loop over slices is no running sum");
  SmallVector<unsigned> along = axesOf(place[match->axis]);
  if (along.size() != 1 || !axes[along.front()].start ||
      place[match->axis] != axes[along.front()].start + axis(along.front()))
    return fail("a running sum does not start where its dimension does");
  TileValue input = at(match->input, place);
  if (!input)
    return {};
  Type stored = cast<RankedTensorType>(input.tile.getType()).getElementType();
  Type sumType = cast<RankedTensorType>(loop.getResult(1).getType()).getElementType();
  auto type = cast<RankedTensorType>(input.tile.getType());
  Value wide = stored == sumType ? input.tile : arith::ExtFOp::create(b, type.clone(sumType), input.tile).getResult();
  int64_t dimension = llvm::find(input.axes, along.front()) - input.axes.begin();
  Value sums = tile::ScanOp::create(b, wide.getType(), tile::Fold::add, wide, dimension);
  if (auto found = carried.find(loop); found != carried.end()) {
    TileValue before{found->second.before, input.axes};
    before.axes.erase(before.axes.begin() + dimension);
    TileValue all = folded({wide, input.axes}, along.front(), tile::Fold::add);
    auto add = [&](Value l, Value r) -> Value {
      if (isa<FloatType>(sumType))
        return arith::AddFOp::create(b, l, r);
      return arith::AddIOp::create(b, l, r);
    };
    sums = add(widen(before, input.axes), sums);
    found->second.after = add(before.tile, all.tile);
  }
  return {stored == sumType ? sums : arith::TruncFOp::create(b, type, sums).getResult(), input.axes};
}

namespace {
struct ScatterLoop {
  Value input, updates, indices;
  int64_t axis;
};
} // namespace

/// A nest of loops over the indices that writes one slice of the updates a turn.
static std::optional<ScatterLoop> matchScatter(scf::ForOp loop) {
  ScatterLoop match{loop.getInitArgs()[0], {}, {}, -1};
  SmallVector<Value> places = {loop.getInductionVar()};
  Value yielded = loop.getBody()->getTerminator()->getOperand(0);
  while (auto inner = yielded.getDefiningOp<scf::ForOp>()) {
    if (inner.getNumResults() != 1)
      return std::nullopt;
    places.push_back(inner.getInductionVar());
    yielded = inner.getBody()->getTerminator()->getOperand(0);
  }
  auto insert = yielded.getDefiningOp<tensor::InsertSliceOp>();
  auto slice = insert ? insert.getSource().getDefiningOp<tensor::ExtractSliceOp>() : nullptr;
  if (!slice)
    return std::nullopt;
  match.updates = slice.getSource();
  for (auto [axis, offset] : llvm::enumerate(insert.getMixedOffsets())) {
    auto dynamic = dyn_cast<Value>(offset);
    if (!dynamic)
      continue;
    match.axis = axis;
    // Through the clamps and casts to the element of the indices.
    SmallVector<Value> work = {dynamic};
    while (!work.empty()) {
      Operation *op = work.pop_back_val().getDefiningOp();
      if (auto read = dyn_cast_or_null<tensor::ExtractOp>(op); read && llvm::equal(read.getIndices(), places))
        match.indices = read.getTensor();
      else if (isa_and_nonnull<arith::IndexCastOp, arith::MinSIOp, arith::MaxSIOp>(op))
        work.append(op->operand_begin(), op->operand_end());
    }
  }
  return match.indices && match.axis >= 0 ? std::optional(match) : std::nullopt;
}

/// The tensor's memory with `count` dimensions from `first` on as one.
Value TileEmitter::joinedView(Value tensor, int64_t first, int64_t count) {
  Value view = viewOf(tensor);
  if (!view || view.getDefiningOp<tile::StridedOp>())
    return {};
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(programs);
  ViewParts parts = partsOf(view);
  auto type = cast<tile::ViewType>(view.getType());
  SmallVector<Value> sizes, strides;
  SmallVector<int64_t> shape;
  for (int64_t d = 0; d < type.getRank(); ++d) {
    Value size = sizeValue(tensor, d);
    if (d > first && d < first + count) {
      sizes.back() = b.createOrFold<arith::MulIOp>(sizes.back(), size);
      strides.back() = parts.strides[d];
      shape.back() = getConstantIntValue(sizes.back()).value_or(ShapedType::kDynamic);
      continue;
    }
    sizes.push_back(size);
    strides.push_back(parts.strides[d]);
    shape.push_back(type.getShape()[d]);
  }
  auto joined = tile::ViewType::get(b.getContext(), shape, type.getElementType());
  return tile::StridedOp::create(b, joined, view, parts.offset, sizes, strides);
}

/// Row by row of the result: the last of the indices that name it, if any does, says which of the updates it is.
TileValue TileEmitter::scatter(scf::ForOp loop, const TilePlace &place) {
  std::optional<ScatterLoop> match = matchScatter(loop);
  if (!match)
    return fail("a loop over slices is no scatter");
  int64_t taken = cast<RankedTensorType>(match->indices.getType()).getRank();
  Value indices = joinedView(match->indices, 0, taken), updates = joinedView(match->updates, match->axis, taken);
  if (!indices || !updates)
    return fail("the indices or updates of a scatter are computed");
  TileValue row = indexTile(place[match->axis]);
  if (!row || row.axes.size() > 1)
    return fail("rows of a scatter extend along several axes");
  Type i64 = b.getI64Type();
  auto filled = [&](ArrayRef<unsigned> along, int64_t value) -> Value {
    return arith::ConstantOp::create(b, DenseElementsAttr::get(typeOf(along, i64), b.getI64IntegerAttr(value)));
  };
  auto numbersOf = [&](const TileValue &tile) -> TileValue {
    auto type = cast<RankedTensorType>(tile.tile.getType());
    if (type.getElementType().isIndex())
      return {arith::IndexCastOp::create(b, typeOf(tile.axes, i64), tile.tile), tile.axes};
    return {type.getElementType() == i64 ? tile.tile
                                         : arith::ExtSIOp::create(b, typeOf(tile.axes, i64), tile.tile).getResult(),
            tile.axes};
  };
  TileValue rows = numbersOf(row);
  Value limit = arith::IndexCastOp::create(b, i64, sizeValue(match->input, match->axis));
  Value count;
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(programs);
    count = indices.getDefiningOp<tile::StridedOp>().getSizes()[0];
  }
  auto turns = scf::ForOp::create(b, arith::ConstantIndexOp::create(b, 0), count,
                                  arith::ConstantIndexOp::create(b, reductionTile), filled(row.axes, -1));
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(turns.getBody());
    int64_t extent = cast<tile::ViewType>(indices.getType()).getShape()[0];
    unsigned part = addWalkedAxis(reductionTile, extent, turns.getInductionVar(), count);
    AffineExpr at = dim(turns.getInductionVar()) + axis(part);
    TileValue named = numbersOf(load(indices, {at}, std::nullopt)), number = numbersOf(indexTile(at));
    SmallVector<unsigned> own = {part}, all(row.axes);
    all.push_back(part);
    Value last = arith::SubIOp::create(b, widen(splat(limit), own), filled(own, 1));
    named.tile = arith::MaxSIOp::create(b, arith::MinSIOp::create(b, named.tile, last), filled(own, 0));
    Value hit = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, widen(rows, all), widen(named, all));
    Value which = arith::SelectOp::create(b, hit, widen(number, all), filled(all, -1));
    TileValue latest = folded(masked({which, all}, all, part, tile::Fold::max), part, tile::Fold::max);
    scf::YieldOp::create(b, arith::MaxSIOp::create(b, turns.getRegionIterArg(0), latest.tile).getResult());
  }
  TileValue latest{turns.getResult(0), row.axes};
  Value isNamed = arith::CmpIOp::create(b, arith::CmpIPredicate::sge, latest.tile, filled(row.axes, 0));
  TileValue source{arith::MaxSIOp::create(b, latest.tile, filled(row.axes, 0)), row.axes};
  TileValue input = at(match->input, place);
  TilePlace from(place);
  Gathered rowsOfUpdates;
  if (row.axes.empty())
    from[match->axis] =
        dim(arith::IndexCastOp::create(b, b.getIndexType(), tensor::ExtractOp::create(b, source.tile, ValueRange())));
  else
    rowsOfUpdates = std::pair(unsigned(match->axis), source);
  TileValue updated = load(updates, from, rowsOfUpdates);
  if (!input || !updated)
    return {};
  SmallVector<unsigned> all = axesOf(place);
  return {arith::SelectOp::create(b, widen({isNamed, row.axes}, all), widen(updated, all), widen(input, all)), all};
}
