// Tensors that are memory under another shape: what reads them reads the memory, what yields them writes it, without a
// copy in between.
#include "passes/3_tile/TileEmitter.h"

using namespace mlir;
using namespace tenon;

static int64_t rankOf(Value tensor) { return cast<RankedTensorType>(tensor.getType()).getRank(); }

/// An argument's memory is dense; a strided view says where its elements lie.
TileEmitter::ViewParts TileEmitter::partsOf(Value view) {
  if (auto strided = view.getDefiningOp<tile::StridedOp>())
    return {strided.getBase(), strided.getOffset(), llvm::to_vector(strided.getStrides())};
  int64_t rank = cast<tile::ViewType>(view.getType()).getRank();
  ViewParts parts{view, arith::ConstantIndexOp::create(b, 0), {}};
  Value stride = arith::ConstantIndexOp::create(b, 1);
  parts.strides.assign(rank, stride);
  for (int64_t d = rank - 1; d > 0; --d)
    parts.strides[d - 1] = b.createOrFold<arith::MulIOp>(parts.strides[d], b.createOrFold<tile::DimOp>(view, d));
  return parts;
}

Value TileEmitter::makeView(const ViewParts &parts, Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  SmallVector<Value> sizes;
  for (int64_t d = 0; d < type.getRank(); ++d)
    sizes.push_back(sizeValue(tensor, d));
  auto viewType = tile::ViewType::get(b.getContext(), type.getShape(), type.getElementType());
  return tile::StridedOp::create(b, viewType, parts.base, parts.offset, sizes, parts.strides);
}

/// A size, offset or stride of the kernel's region.
Value TileEmitter::indexScalar(OpFoldResult mixed) {
  if (std::optional<int64_t> known = getConstantIntValue(mixed))
    return arith::ConstantIndexOp::create(b, *known);
  return scalar(cast<Value>(mixed));
}

/// The dimension of a group along which neighbours of the joined one lie: one of size 1 is none.
static int64_t innermostOf(ArrayRef<int64_t> group, RankedTensorType wide) {
  for (int64_t d : llvm::reverse(group))
    if (wide.getDimSize(d) != 1)
      return d;
  return group.back();
}

Value TileEmitter::viewOf(Value tensor) {
  if (Value view = arguments.lookup(tensor))
    return view;
  if (auto found = views.find(tensor); found != views.end())
    return found->second;
  Operation *op = tensor.getDefiningOp();
  if (!op)
    return {};
  if (auto castOp = dyn_cast<tensor::CastOp>(op))
    return views[tensor] = viewOf(castOp.getSource());
  if (!isa<linalg::TransposeOp, tensor::ExtractSliceOp, tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op))
    return {};
  // Where other elements become neighbours, tiles are read as they lie and transposed.
  auto transpose = dyn_cast<linalg::TransposeOp>(op);
  if (transpose && transpose.getPermutation().back() != rankOf(tensor) - 1)
    return {};
  Value source = viewOf(op->getOperand(0));
  if (!source)
    return {};
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(programs);
  ViewParts parts = partsOf(source);
  SmallVector<Value> next;
  if (transpose) {
    for (int64_t from : transpose.getPermutation())
      next.push_back(parts.strides[from]);
  } else if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
    if (!llvm::all_of(slice.getOffsets(), [&](Value offset) { return isShared(offset); }))
      return views[tensor] = Value();
    llvm::SmallBitVector dropped = slice.getDroppedDims();
    for (int64_t d = 0; d < rankOf(slice.getSource()); ++d) {
      Value start = b.createOrFold<arith::MulIOp>(indexScalar(slice.getMixedOffsets()[d]), parts.strides[d]);
      parts.offset = b.createOrFold<arith::AddIOp>(parts.offset, start);
      if (!dropped.test(d))
        next.push_back(b.createOrFold<arith::MulIOp>(parts.strides[d], indexScalar(slice.getMixedStrides()[d])));
    }
  } else if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op)) {
    next.resize(rankOf(tensor));
    for (auto [from, group] : llvm::enumerate(expand.getReassociationIndices())) {
      Value stride = parts.strides[from];
      for (int64_t to : llvm::reverse(group)) {
        next[to] = stride;
        stride = b.createOrFold<arith::MulIOp>(stride, sizeValue(tensor, to));
      }
    }
  } else {
    auto collapse = cast<tensor::CollapseShapeOp>(op);
    for (const ReassociationIndices &group : collapse.getReassociationIndices()) {
      // Joined dimensions must be one run of memory: of a dense argument they are, and one of size 1 always.
      auto wide = cast<RankedTensorType>(collapse.getSrc().getType());
      int64_t numWide = llvm::count_if(group, [&](int64_t d) { return wide.getDimSize(d) != 1; });
      if (numWide > 1 && source != parts.base)
        return views[tensor] = Value();
      next.push_back(parts.strides[innermostOf(group, wide)]);
    }
  }
  parts.strides = next;
  return views[tensor] = makeView(parts, tensor);
}

/// The view with dimensions that a tile is one element thick along in front: tiles are as many-dimensional as they
/// extend.
std::pair<Value, TilePlace> TileEmitter::withAxesLast(Value view, const TilePlace &place) {
  SmallVector<int64_t> order;
  for (bool extends : {false, true})
    for (int64_t d = 0; d < int64_t(place.size()); ++d)
      if (axesOf(place[d]).empty() != extends)
        order.push_back(d);
  if (llvm::is_sorted(order))
    return {view, place};
  TilePlace moved = llvm::map_to_vector(order, [&](int64_t d) { return place[d]; });
  Value &known = permuted[{view.getAsOpaquePointer(), std::vector<int64_t>(order.begin(), order.end())}];
  if (known)
    return {known, moved};
  OpBuilder::InsertionGuard guard(b);
  if (Operation *own = view.getDefiningOp(); own && programs->isProperAncestor(own))
    b.setInsertionPointAfter(own); // at a place that data say
  else
    b.setInsertionPoint(programs);
  ViewParts parts = partsOf(view);
  auto type = cast<tile::ViewType>(view.getType());
  SmallVector<Value> sizes, strides;
  SmallVector<int64_t> shape;
  for (int64_t d : order) {
    sizes.push_back(b.createOrFold<tile::DimOp>(view, d));
    strides.push_back(parts.strides[d]);
    shape.push_back(type.getShape()[d]);
  }
  auto permutedType = tile::ViewType::get(b.getContext(), shape, type.getElementType());
  known = tile::StridedOp::create(b, permutedType, parts.base, parts.offset, sizes, strides);
  return {known, moved};
}

/// One step back from a yielded tensor to what it was before its shape changed; null where it is computed so.
static Value beforeReshape(Value tensor) {
  Operation *op = tensor.getDefiningOp();
  return isa_and_nonnull<linalg::TransposeOp, tensor::CollapseShapeOp, tensor::ExpandShapeOp, tensor::CastOp>(op)
             ? op->getOperand(0)
             : Value();
}

/// From where a tensor lies to where what it was before its shape changed does, whose elements lie one after the other
/// as far as they are joined.
void TileEmitter::moveThrough(ViewParts &parts, Operation *op) {
  Value source = op->getOperand(0);
  SmallVector<Value> before(rankOf(source));
  if (auto transpose = dyn_cast<linalg::TransposeOp>(op)) {
    for (auto [to, from] : llvm::enumerate(transpose.getPermutation()))
      before[from] = parts.strides[to];
  } else if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op)) {
    for (auto [from, group] : llvm::enumerate(expand.getReassociationIndices()))
      before[from] = parts.strides[innermostOf(group, expand.getResultType())];
  } else if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op)) {
    for (auto [to, group] : llvm::enumerate(collapse.getReassociationIndices())) {
      Value inner = parts.strides[to];
      for (int64_t from : llvm::reverse(group)) {
        before[from] = inner;
        inner = b.createOrFold<arith::MulIOp>(inner, sizeValue(source, from));
      }
    }
  } else {
    before = parts.strides;
  }
  parts.strides = before;
}

std::pair<Value, Value> TileEmitter::throughReshapes(Value yielded, Value view) {
  // An attention is seen behind transposes, too: its tiles are rows of heads either way.
  Value root = yielded;
  while (Value before = beforeReshape(root))
    root = before;
  bool isAttention = bool(root.getDefiningOp<AttentionOp>());
  ViewParts parts = partsOf(view);
  Value tensor = yielded;
  while (Value source = beforeReshape(tensor)) {
    Operation *op = tensor.getDefiningOp();
    if (!isAttention && isa<linalg::TransposeOp>(op))
      break;
    moveThrough(parts, op);
    tensor = source;
  }
  return {tensor, tensor == yielded ? view : makeView(parts, tensor)};
}

/// Whether rows stay rows, and no two dimensions are joined, so that it can be undone in any view.
static bool keepsRows(Operation *op) {
  auto joins = [](ArrayRef<ReassociationIndices> groups, RankedTensorType wide) {
    return llvm::any_of(groups, [&](const ReassociationIndices &group) {
      return llvm::count_if(group, [&](int64_t d) { return wide.getDimSize(d) != 1; }) > 1;
    });
  };
  if (auto transpose = dyn_cast<linalg::TransposeOp>(op))
    return transpose.getPermutation().back() == rankOf(transpose.getInput()) - 1;
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op))
    return !joins(expand.getReassociationIndices(), expand.getResultType());
  auto collapse = dyn_cast<tensor::CollapseShapeOp>(op);
  return collapse && !joins(collapse.getReassociationIndices(), collapse.getSrcType());
}

/// From where a tensor lies to where a part that is put into it does.
void TileEmitter::moveInto(ViewParts &parts, tensor::InsertSliceOp insert) {
  for (auto [d, start] : llvm::enumerate(insert.getMixedOffsets())) {
    Value distance = b.createOrFold<arith::MulIOp>(indexScalar(start), parts.strides[d]);
    parts.offset = b.createOrFold<arith::AddIOp>(parts.offset, distance);
  }
  for (auto [d, stride] : llvm::enumerate(insert.getMixedStrides()))
    parts.strides[d] = b.createOrFold<arith::MulIOp>(parts.strides[d], indexScalar(stride));
}

TilePieces TileEmitter::piecesOf(Value yielded, Value view, bool isUpdate) {
  if (std::optional<PlacedSlices> placed = placedSlicesOf(yielded); placed && isUpdate)
    return {{{placed->from, view, {}, placed}}, {}};
  auto [tensor, place] = throughReshapes(yielded, view);
  int64_t rank = rankOf(tensor);
  auto [inserts, below] = insertionsOf(tensor);
  auto isPlain = [&](tensor::InsertSliceOp insert) { return rankOf(insert.getSource()) == rank; };
  auto isPlaced = [&](tensor::InsertSliceOp insert) {
    return llvm::all_of(insert.getOffsets(), [&](Value offset) { return isShared(offset); });
  };
  if (inserts.empty() || !llvm::all_of(inserts, isPlain) ||
      !(isUpdate || (below.getDefiningOp<tensor::EmptyOp>() && llvm::all_of(inserts, isPlaced))))
    return {{{tensor, place}}, {}};
  TilePieces pieces;
  auto addAlong = [&](tensor::InsertSliceOp insert) {
    for (auto [d, start] : llvm::enumerate(insert.getMixedOffsets()))
      if (!isConstantIntValue(start, 0) && !llvm::is_contained(pieces.along, int64_t(d)))
        pieces.along.push_back(d);
  };
  for (tensor::InsertSliceOp insert : llvm::reverse(inserts)) {
    if (!isUpdate) {
      addAlong(insert);
      ViewParts parts = partsOf(place);
      moveInto(parts, insert);
      pieces.parts.push_back({insert.getSource(), makeView(parts, insert.getSource())});
      continue;
    }
    // What is put into the operand may itself be made of parts, seen behind a change of shape: rotated keys are.
    SmallVector<Operation *> steps = {insert};
    Value source = insert.getSource();
    while (Value before = beforeReshape(source)) {
      if (!keepsRows(source.getDefiningOp()))
        break;
      steps.push_back(source.getDefiningOp());
      source = before;
    }
    auto [inner, rest] = insertionsOf(source);
    int64_t innerRank = rankOf(source);
    if (inner.empty() || !rest.getDefiningOp<tensor::EmptyOp>() || !llvm::all_of(inner, isPlaced) ||
        llvm::any_of(inner, [&](tensor::InsertSliceOp part) { return rankOf(part.getSource()) != innerRank; })) {
      pieces.parts.push_back({insert.getSource(), place, {insert}});
      continue;
    }
    for (tensor::InsertSliceOp part : llvm::reverse(inner)) {
      addAlong(part);
      pieces.parts.push_back({part.getSource(), place, steps});
      pieces.parts.back().steps.push_back(part);
    }
  }
  return pieces;
}

Value TileEmitter::viewOfPiece(const TilePiece &piece) {
  if (piece.steps.empty() && !piece.placed)
    return piece.view;
  ViewParts parts = partsOf(piece.view);
  if (piece.placed) {
    // The program's slice is where it is, or nowhere, whatever its number is.
    PlacedSlices placed = *piece.placed;
    moveInto(parts, placed.insert);
    SmallVector<Value> sizes;
    SmallVector<int64_t> shape(cast<RankedTensorType>(piece.tensor.getType()).getShape());
    for (int64_t d = 0; d < rankOf(piece.tensor); ++d) {
      sizes.push_back(sizeValue(piece.tensor, d));
      if (placed.isPlaced(d))
        parts.strides[d] = arith::ConstantIndexOp::create(b, 0);
    }
    sizes[0] = arith::MulIOp::create(b, sizes[0], scalar(placed.isThere));
    shape[0] = ShapedType::kDynamic;
    auto type = tile::ViewType::get(b.getContext(), shape, cast<tile::ViewType>(piece.view.getType()).getElementType());
    return tile::StridedOp::create(b, type, parts.base, parts.offset, sizes, parts.strides);
  }
  for (Operation *step : piece.steps)
    if (auto insert = dyn_cast<tensor::InsertSliceOp>(step))
      moveInto(parts, insert);
    else
      moveThrough(parts, step);
  return makeView(parts, piece.tensor);
}
