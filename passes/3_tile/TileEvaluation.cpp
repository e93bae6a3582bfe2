// How TileEmitter computes a tensor at a place: by the op that makes it.
#include "lib/Analysis/ContractionKernel.h"
#include "lib/Schedule/TileSchedule.h"
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
  if (auto values = dyn_cast<PackValuesOp>(op))
    return packing(values, place);
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
  if (auto insert = dyn_cast<tensor::InsertSliceOp>(op))
    return insertion(insert, place);
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return loop.getNumResults() == 2 ? scan(loop, place) : scatter(loop, place);
  if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::ExtractSliceOp, linalg::TransposeOp, tensor::CastOp>(
          op)) {
    TilePlace source = sourcePlace(tensor, place);
    return reason.empty() ? at(op->getOperand(0), source) : TileValue();
  }
  return fail((op->getName().getStringRef() + " has no form on tiles").str());
}

/// 16 i + 8 j + 2 l + e goes to 16 i + 4 l + 2 j + e.
Value TileEmitter::packed(Value tile) {
  auto type = cast<RankedTensorType>(tile.getType());
  SmallVector<int64_t> shape(type.getShape()), permutation;
  int64_t rank = shape.size();
  shape.back() /= 16;
  shape.append({2, 4, 2});
  Value pairs = tile::ReshapeOp::create(b, type.clone(shape), tile);
  llvm::append_range(permutation, llvm::seq<int64_t>(0, rank));
  permutation.append({rank + 1, rank, rank + 2});
  std::swap(shape[rank], shape[rank + 1]);
  Value ordered = tile::TransOp::create(b, type.clone(shape), pairs, permutation);
  return tile::ReshapeOp::create(b, type, ordered);
}

TileValue TileEmitter::packing(PackValuesOp op, const TilePlace &place) {
  SmallVector<unsigned> columns = axesOf(place[2]), keys = axesOf(place[3]);
  if (columns.size() != 1 || keys.size() != 1 || columns[0] > keys[0] || axisSize(keys[0]) % 16 != 0)
    return fail("packed values have whole 16s of keys along an axis, and columns along another");
  TileValue value = at(op.getValue(), {place[0], place[1], place[3], place[2]});
  return value ? TileValue{packed(value.tile), value.axes} : value;
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
  auto slice = cast<tensor::ExtractSliceOp>(op);
  llvm::SmallBitVector dropped = slice.getDroppedDims();
  const AffineExpr *next = place.begin();
  for (int64_t d = 0; d < source.getRank(); ++d) {
    AffineExpr start = dim(indexScalar(slice.getMixedOffsets()[d]));
    std::optional<int64_t> step = getConstantIntValue(slice.getMixedStrides()[d]);
    if (!step)
      return fail("a computed tensor is sliced with a step that is not known"), result;
    result[d] = dropped.test(d) ? start : *next++ * *step + start;
  }
  return result;
}

/// A part in a tensor: where a place is inside the part, the part's element. A part of memory in what is all one value
/// is a load that has that value outside.
TileValue TileEmitter::insertion(tensor::InsertSliceOp op, const TilePlace &place) {
  auto type = cast<RankedTensorType>(op.getSource().getType()), whole = op.getDestType();
  if (type.getRank() != whole.getRank() ||
      !llvm::all_of(op.getMixedStrides(), [](OpFoldResult stride) { return isConstantIntValue(stride, 1); }))
    return fail("a part is put into a tensor of another rank, or with a step");
  TilePlace source;
  SmallVector<int64_t> open; // dimensions of which the part has not all
  for (int64_t d = 0; d < type.getRank(); ++d) {
    AffineExpr start = dim(indexScalar(op.getMixedOffsets()[d]));
    source.push_back(place[d] - start);
    if (start != constant(0) || type.getDimSize(d) != whole.getDimSize(d) ||
        (type.isDynamicDim(d) && !op.isDynamicSize(d)))
      open.push_back(d);
  }
  if (open.empty() || op.getDest().getDefiningOp<tensor::EmptyOp>()) // other parts have what is outside
    return at(op.getSource(), source);
  auto fill = op.getDest().getDefiningOp<linalg::FillOp>();
  TypedAttr pad;
  if (Value view = viewOf(op.getSource()); view && fill && matchPattern(fill.getInputs()[0], m_Constant(&pad)))
    return load(view, source, std::nullopt, pad);
  TileValue inside;
  for (int64_t d : open) {
    TileValue number = indexTile(source[d]);
    SmallVector<unsigned> along = number.axes;
    // Places before the part wrap round to large numbers.
    Value size = widen(splat(sizeValue(op.getSource(), d)), along);
    TileValue here{arith::CmpIOp::create(b, arith::CmpIPredicate::ult, number.tile, size), along};
    if (!inside) {
      inside = here;
      continue;
    }
    for (unsigned axis : inside.axes)
      if (!llvm::is_contained(along, axis))
        along.push_back(axis);
    llvm::sort(along);
    inside = {arith::AndIOp::create(b, widen(inside, along), widen(here, along)), along};
  }
  TileValue part = at(op.getSource(), source), rest = at(op.getDest(), place);
  if (!part || !rest)
    return {};
  SmallVector<unsigned> all = axesOf(place);
  return {arith::SelectOp::create(b, widen(inside, all), widen(part, all), widen(rest, all)), all};
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
    if (op->getNumResults() == 2 && result == 1)
      return argument(op, place);
    if (op->getNumResults() != 1)
      return fail("a reduction has several results");
    std::optional<ContractionKernel> product = findProduct(*op->getBlock());
    return product && product->op == op ? dot(op, place) : reduce(op, place);
  }
  TilePlace loops = loopsAt(op, result, place);
  if (!reason.empty())
    return {};
  SmallVector<TileValue> elements = elementsAt(op, loops);
  if (elements.size() != op->getNumOperands())
    return {};
  return body(op, op.getBody()->getTerminator()->getOperand(result), loops, elements);
}

/// Sums of products that go through a loop over the depth. Of promoted ones there are two: what a block of the depth
/// has added up so far is added to the other where the block ends.
static SmallVector<Value> promote(ImplicitLocOpBuilder &b, scf::ForOp loop, Value product, int64_t turn,
                                  int64_t block) {
  Value sums = loop.getRegionIterArg(0);
  if (block == turn)
    return {arith::AddFOp::create(b, sums, product)};
  Value place = arith::RemUIOp::create(b, loop.getInductionVar(), arith::ConstantIndexOp::create(b, block));
  Value isLast =
      arith::CmpIOp::create(b, arith::CmpIPredicate::eq, place, arith::ConstantIndexOp::create(b, block - turn));
  auto branch = scf::IfOp::create(b, TypeRange{sums.getType(), sums.getType()}, isLast, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  Value more = arith::AddFOp::create(b, sums, product);
  scf::YieldOp::create(b, ValueRange{more, loop.getInitArgs()[1]});
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, ValueRange{sums, product});
  return llvm::to_vector(ValueRange(branch.getResults()));
}

/// A matrix product: parts of the depth are loaded and multiplied, the sums go through the loop; those of the
/// transposed dot are transposed at its end.
TileValue TileEmitter::dot(linalg::GenericOp op, const TilePlace &ownPlace) {
  std::optional<ContractionKernel> product = findProduct(*op->getBlock());
  auto isStored = [&](Value factor) { // widening an operand is the dot's own business
    while (factor.getDefiningOp()) {
      if (!isa<arith::ExtFOp, arith::ExtSIOp>(factor.getDefiningOp()))
        return false;
      factor = factor.getDefiningOp()->getOperand(0);
    }
    return true;
  };
  if (!isStored(product->lhsFactor) || !isStored(product->rhsFactor))
    return fail("the product's factors are computed");
  TilePlace place(ownPlace);
  if (sharedSums)
    for (AffineExpr &expr : place)
      expr = expr.replace({{axis(sharedSums->own), axis(sharedSums->all)}, {dim(sharedSums->program), constant(0)}});
  TilePlace loops = loopsAt(op, 0, place);
  TileValue start = at(op.getDpsInits().front(), place);
  if (!reason.empty())
    return {};
  SmallVector<unsigned> kept = axesOf(place);
  if (kept.size() != 2)
    return fail("a product's tile has " + Twine(kept.size()) + " axes, expected rows and columns");
  int64_t size = product->staticDepth();
  if (sharedSums)
    size = llvm::divideCeil(size, sharedSums->parts * depthTile) * depthTile;
  bool isOne = !ShapedType::isDynamic(size) && size <= depthTile;
  int64_t bits = getElementTypeOrSelf(op.getDpsInputs().front().getType()).getIntOrFloatBitWidth();
  unsigned depth = isOne ? addWholeAxis(paddedDepth(size, bits), size) : addAxis(depthTile);
  auto transposed = [&](Value tile) -> Value {
    if (!isSwapped)
      return tile;
    auto type = cast<RankedTensorType>(tile.getType());
    auto turned = type.clone(SmallVector<int64_t>(llvm::reverse(type.getShape())));
    return tile::TransOp::create(b, turned, tile, ArrayRef<int64_t>{1, 0});
  };
  Value sums = transposed(widen(start, kept));
  bool isPromoted = !isOne && promotedDepth > 0 && getElementTypeOrSelf(sums.getType()).isF32() &&
                    (ShapedType::isDynamic(size) || size > promotedDepth);
  bool hasBlocks = isPromoted && promotedDepth != depthTile;
  Value none = isPromoted ? transposed(zeros({axis(kept[0]), axis(kept[1])}, b.getF32Type())) : Value();
  scf::ForOp loop;
  OpBuilder::InsertionGuard guard(b);
  loops[product->depth] = axis(depth);
  if (!isOne) {
    Value end = sharedSums ? arith::ConstantIndexOp::create(b, size) : loopSize(op, product->depth);
    loop =
        scf::ForOp::create(b, arith::ConstantIndexOp::create(b, 0), end, arith::ConstantIndexOp::create(b, depthTile),
                           hasBlocks ? ValueRange{sums, none} : ValueRange{sums});
    b.setInsertionPointToStart(loop.getBody());
    loops[product->depth] = dim(loop.getInductionVar()) + axis(depth);
    if (sharedSums) // behind the end of the depth there are zeros
      loops[product->depth] = loops[product->depth] + dim(sharedSums->program) * size;
    sums = hasBlocks ? loop.getRegionIterArg(1) : isPromoted ? none : loop.getRegionIterArg(0);
  }
  SmallVector<TileValue> elements = elementsAt(op, loops);
  if (elements.size() != op->getNumOperands())
    return {};
  TileValue lhs = elements[product->lhs], rhs = elements[product->rhs];
  if (lhs.axes != SmallVector<unsigned>{kept[0], depth} || rhs.axes != SmallVector<unsigned>{kept[1], depth})
    return fail("a factor does not extend along its side of the product and the depth");
  auto elementOf = [](Value tile) { return cast<RankedTensorType>(tile.getType()).getElementType(); };
  Type element = elementOf(lhs.tile), sum = elementOf(sums);
  bool isFloat = element.isF16() || element.isBF16() || element.isF32();
  auto isFloat8 = [](Type type) { return isa<Float8E4M3FNType, Float8E5M2Type>(type); };
  bool areAlike = element == elementOf(rhs.tile) || (isFloat8(element) && isFloat8(elementOf(rhs.tile)));
  bool hasDot = (isFloat && sum.isF32()) || (element.isF64() && sum.isF64()) || (isFloat8(element) && sum.isF32()) ||
                (element.isInteger(8) && sum.isInteger(32));
  // Of bytes the depth is contiguous.
  if (areAlike && element.getIntOrFloatBitWidth() == 8)
    hasDot &= !lhs.tile.getDefiningOp<tile::TransOp>() && !rhs.tile.getDefiningOp<tile::TransOp>();
  if (!areAlike || !hasDot)
    return fail("no matrix instruction multiplies such elements");
  if (isSwapped)
    std::swap(lhs, rhs);
  Value result = tile::DotOp::create(b, sums.getType(), lhs.tile, rhs.tile, sums, /*transpose_a=*/false,
                                     /*transpose_b=*/true);
  if (loop) {
    SmallVector<Value> carried{result};
    if (isPromoted)
      carried = promote(b, loop, result, depthTile, promotedDepth);
    scf::YieldOp::create(b, carried);
    b.setInsertionPointAfter(loop);
    result = loop.getResult(0);
    bool endsInBlock = hasBlocks && (ShapedType::isDynamic(size) || size % promotedDepth != 0);
    if (endsInBlock)
      result = arith::AddFOp::create(b, result, loop.getResult(1));
  }
  if (sharedSums && sharedSums->own == sharedSums->all) {
    result = tile::ReduceToLastOp::create(b, result, sharedSums->gridAxis);
  } else if (sharedSums) {
    auto type = cast<RankedTensorType>(result.getType());
    SmallVector<int64_t> part(type.getShape());
    part[1] = axisSize(sharedSums->own);
    result = tile::ReduceScatterOp::create(b, type.clone(part), result, sharedSums->gridAxis, /*dimension=*/1);
    kept = axesOf(ownPlace);
  }
  return {transposed(result), kept};
}
