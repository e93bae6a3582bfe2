#include "passes/5_thread/ElementEmitter.h"

#include "lib/Analysis/SizeSources.h"
#include "passes/5_thread/ElementMemory.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/ADT/ScopeExit.h"

using namespace mlir;
using namespace tenon;

static RankedTensorType typeOf(Value tensor) { return cast<RankedTensorType>(tensor.getType()); }

Value ElementEmitter::fail(const Twine &why) {
  if (reason.empty())
    reason = why.str();
  return {};
}

Value ElementEmitter::mixed(OpFoldResult size) {
  return index.fromMixed(size, [&](Value value) { return scalar(value); });
}

Value ElementEmitter::size(Value tensor, int64_t dimension) {
  RankedTensorType type = typeOf(tensor);
  if (!type.isDynamicDim(dimension))
    return index.constant(type.getDimSize(dimension));
  if (auto found = memory.find(tensor); found != memory.end())
    return found->second.sizes[dimension];
  // What a loop carries keeps its sizes.
  if (auto argument = dyn_cast<BlockArgument>(tensor)) {
    if (auto loop = dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp()))
      return size(loop.getTiedLoopInit(argument)->get(), dimension);
  } else if (auto loop = tensor.getDefiningOp<scf::ForOp>()) {
    return size(loop.getTiedLoopInit(cast<OpResult>(tensor))->get(), dimension);
  }
  std::optional<SizeSource> source = sizeSource(tensor, dimension);
  if (!source) {
    fail("the size of a tensor is not known");
    return index.constant(0);
  }
  if (source->known)
    return mixed(source->known);
  Value product = index.constant(1);
  for (auto [other, at] : source->sizes)
    product = index.mul(product, size(other, at));
  return product;
}

Value ElementEmitter::operandSize(Value tensor, int64_t dimension) {
  if (auto found = memory.find(tensor); found != memory.end())
    return found->second.sizes[dimension];
  std::optional<SizeSource> source = sizeSource(tensor, dimension);
  if (!source)
    return {};
  if (auto known = dyn_cast_if_present<Value>(source->known)) {
    auto dim = known.getDefiningOp<tensor::DimOp>();
    return dim && dim.getConstantIndex() ? operandSize(dim.getSource(), *dim.getConstantIndex()) : Value();
  }
  return source->sizes.size() == 1 ? operandSize(source->sizes[0].first, source->sizes[0].second) : Value();
}

Place ElementEmitter::sizes(Value tensor) {
  Place sizes;
  for (int64_t dimension = 0; dimension < typeOf(tensor).getRank(); ++dimension)
    sizes.push_back(size(tensor, dimension));
  return sizes;
}

Value ElementEmitter::at(Value tensor, ArrayRef<Value> given) {
  // A dimension of one element is read at 0, which makes places equal that are.
  Place place(given);
  for (auto [at, size] : llvm::zip_equal(place, typeOf(tensor).getShape()))
    if (size == 1)
      at = index.constant(0);
  for (auto &scope : elements)
    for (auto &[known, value] : scope.lookup(tensor))
      if (known == place)
        return value;
  Value value = reason.empty() ? compute(tensor, place) : Value();
  if (value)
    elements.back()[tensor].emplace_back(place, value);
  return value;
}

Value ElementEmitter::compute(Value tensor, const Place &place) {
  Type element = typeOf(tensor).getElementType();
  if (auto found = memory.find(tensor); found != memory.end())
    return loadElement(b, index, found->second.address, element, index.linearise(place, found->second.sizes));
  if (auto argument = dyn_cast<BlockArgument>(tensor))
    return carriedAt(argument, place);
  Operation *op = tensor.getDefiningOp();
  unsigned result = cast<OpResult>(tensor).getResultNumber();
  Location around = b.getLoc();
  llvm::scope_exit restored([&] { b.setLoc(around); });
  b.setLoc(op->getLoc());
  if (auto generic = dyn_cast<linalg::GenericOp>(op))
    return genericAt(generic, result, place);
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return loopAt(loop, result, place);
  if (auto fill = dyn_cast<linalg::FillOp>(op))
    return scalar(fill.value());
  if (auto insert = dyn_cast<tensor::InsertSliceOp>(op))
    return insertAt(insert, place);
  if (isa<tensor::EmptyOp>(op)) // nobody depends on it
    return arith::ConstantOp::create(b, b.getZeroAttr(element));
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    auto numbers = dyn_cast<DenseElementsAttr>(constant.getValue());
    if (!numbers || (!numbers.isSplat() && numbers.getNumElements() > 64))
      return fail("a large constant stands inside the kernel");
    SmallVector<Value> values;
    for (Attribute number : numbers.getValues<Attribute>()) {
      values.push_back(arith::ConstantOp::create(b, cast<TypedAttr>(number)));
      if (numbers.isSplat())
        break;
    }
    return pick(values, tensor, place);
  }
  if (auto list = dyn_cast<tensor::FromElementsOp>(op)) {
    SmallVector<Value> values = llvm::map_to_vector(list.getElements(), [&](Value value) { return scalar(value); });
    return llvm::is_contained(values, Value()) ? Value() : pick(values, tensor, place);
  }
  if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::ExtractSliceOp, tensor::CastOp>(op)) {
    Place source = sourcePlace(op, place);
    return reason.empty() ? at(op->getOperand(0), source) : Value();
  }
  return fail(op->getName().getStringRef() + " is not computed element by element");
}

/// The value that has the place's number; one value is that of every place.
Value ElementEmitter::pick(ArrayRef<Value> values, Value tensor, const Place &place) {
  Value picked = values.front();
  if (values.size() == 1)
    return picked;
  Value number = index.linearise(place, sizes(tensor));
  for (auto [at, value] : llvm::enumerate(values.drop_front())) {
    Value isHere = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, number, index.constant(at + 1));
    picked = arith::SelectOp::create(b, isHere, value, picked);
  }
  return picked;
}

/// Where a view reads its source.
Place ElementEmitter::sourcePlace(Operation *view, const Place &place) {
  if (isa<tensor::CastOp>(view))
    return place;
  Place source;
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(view)) {
    llvm::SmallBitVector dropped = slice.getDroppedDims();
    unsigned next = 0;
    for (int64_t dimension = 0; dimension < slice.getSourceType().getRank(); ++dimension) {
      Value offset = mixed(slice.getMixedOffsets()[dimension]);
      Value step = mixed(slice.getMixedStrides()[dimension]);
      if (!offset || !step)
        return {};
      source.push_back(dropped.test(dimension) ? offset : index.add(offset, index.mul(place[next++], step)));
    }
    return source;
  }
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(view)) {
    Place extents = sizes(expand.getResult());
    for (ArrayRef<int64_t> group : expand.getReassociationIndices())
      source.push_back(index.linearise(ArrayRef(place).slice(group.front(), group.size()),
                                       ArrayRef(extents).slice(group.front(), group.size())));
    return source;
  }
  auto collapse = cast<tensor::CollapseShapeOp>(view);
  Place extents = sizes(collapse.getSrc());
  if (place.empty()) // of ones
    return Place(extents.size(), index.constant(0));
  for (auto [at, group] : llvm::zip_equal(place, collapse.getReassociationIndices()))
    source.append(index.delinearise(at, ArrayRef(extents).slice(group.front(), group.size())));
  return source;
}

/// The inserted slice where the place lies within it, else what is around it.
Value ElementEmitter::insertAt(tensor::InsertSliceOp insert, const Place &place) {
  llvm::SmallBitVector dropped = insert.getDroppedDims();
  Value inside;
  Place source;
  auto require = [&](Value condition) {
    inside = inside ? arith::AndIOp::create(b, inside, condition).getResult() : condition;
  };
  for (auto [dimension, at] : llvm::enumerate(place)) {
    Value offset = mixed(insert.getMixedOffsets()[dimension]), step = mixed(insert.getMixedStrides()[dimension]),
          extent = mixed(insert.getMixedSizes()[dimension]);
    if (!offset || !step || !extent)
      return {};
    Value from = index.sub(at, offset);
    if (getConstantIntValue(step) != 1) {
      require(arith::CmpIOp::create(b, arith::CmpIPredicate::eq, index.rem(from, step), index.constant(0)));
      from = index.div(from, step);
    }
    bool isWhole = getConstantIntValue(offset) == 0 && getConstantIntValue(step) == 1 &&
                   extent == size(insert.getDest(), dimension);
    if (!isWhole)
      require(index.isBelow(from, extent));
    if (!dropped.test(dimension))
      source.push_back(from);
  }
  if (!inside)
    return at(insert.getSource(), source);
  auto branch = scf::IfOp::create(b, TypeRange{insert.getDestType().getElementType()}, inside, /*withElseRegion=*/true);
  auto fill = [&](Block *block, Value from, const Place &where) {
    RegionScope scope(*this);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(block);
    Value value = at(from, where);
    if (value)
      scf::YieldOp::create(b, value);
    return bool(value);
  };
  bool done = fill(branch.thenBlock(), insert.getSource(), source) && fill(branch.elseBlock(), insert.getDest(), place);
  return done ? branch.getResult(0) : Value();
}
