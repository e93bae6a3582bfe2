// What is expanded register by register: loops and conditions, changes of shape; and which op is expanded where.
#include "passes/5_thread/ThreadEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <map>

using namespace mlir;
using namespace tenon;
using namespace tenon::warp;

static bool isTile(Type type) { return isa<RankedTensorType>(type); }

/// Floats of 16 and 8 bits are handed on as words, as Tensor Cores take them: one by one each would have a register.
/// How many a word has; 1 where each is handed on by itself.
static int64_t elementsOfWord(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !isa<FloatType>(tensor.getElementType()) || tensor.getElementTypeBitWidth() > 16)
    return 1;
  int64_t count = 32 / tensor.getElementTypeBitWidth();
  return layoutOf(type).getNumRegisters() % count == 0 ? count : 1;
}

SmallVector<Type> ThreadEmitter::expandTypes(TypeRange types) {
  SmallVector<Type> expanded;
  for (Type type : types) {
    if (int64_t count = elementsOfWord(type); count > 1)
      expanded.append(layoutOf(type).getNumRegisters() / count, b.getI32Type());
    else if (auto tensor = dyn_cast<RankedTensorType>(type))
      expanded.append(layoutOf(type).getNumRegisters(), registerType(tensor.getElementType()));
    else
      expanded.push_back(type);
  }
  return expanded;
}

void ThreadEmitter::mapResults(ValueRange olds, ValueRange news) {
  size_t next = 0;
  for (Value old : olds) {
    int64_t perWord = elementsOfWord(old.getType());
    size_t count = isTile(old.getType()) ? layoutOf(old).getNumRegisters() / perWord : 1;
    SmallVector<Value> list(news.slice(next, count));
    next += count;
    if (perWord > 1) {
      Type element = cast<RankedTensorType>(old.getType()).getElementType();
      auto vector = VectorType::get(perWord, memoryType(element));
      SmallVector<Value> single;
      for (Value word : list)
        single.append(unpack(LLVM::BitcastOp::create(b, vector, word), element, perWord));
      list = single;
    }
    values[old] = list;
  }
}

ArrayRef<Value> ThreadEmitter::valuesOf(Value value) {
  auto found = values.find(value);
  assert(found != values.end() && "an op is expanded after what defines its operands");
  return found->second;
}

SmallVector<Value> ThreadEmitter::flatten(ValueRange list) {
  SmallVector<Value> flat;
  for (Value value : list) {
    ArrayRef<Value> single = valuesOf(value);
    size_t perWord = elementsOfWord(value.getType());
    if (perWord == 1) {
      llvm::append_range(flat, single);
      continue;
    }
    Type element = cast<RankedTensorType>(value.getType()).getElementType();
    for (size_t number = 0; number < single.size(); number += perWord)
      flat.push_back(LLVM::BitcastOp::create(b, b.getI32Type(), pack(single.slice(number, perWord), element)));
  }
  return flat;
}

/// Counters have 32 bits: what is compared with 64 bits is in no register that all lanes share. Sizes are below 2^31,
/// so that no unsigned counter wraps around.
LogicalResult ThreadEmitter::emitFor(scf::ForOp op) {
  SmallVector<Value> inits = flatten(op.getInitArgs());
  SmallVector<Value> bounds;
  for (Value bound : {op.getLowerBound(), op.getUpperBound(), op.getStep()}) {
    bound = b.createOrFold<arith::IndexCastOp>(b.getI32Type(), scalarOf(bound));
    bounds.push_back(role == Role::Consumer && !getConstantIntValue(bound) ? uniformOf(bound) : bound);
  }
  auto loop = scf::ForOp::create(b, bounds[0], bounds[1], bounds[2], inits, nullptr, /*unsignedCmp=*/true);
  if (inits.empty())
    loop.getBody()->getTerminator()->erase();
  mapResults(op.getResults(), loop.getResults());
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(loop.getBody());
  values[op.getInductionVar()] = {toIndex(loop.getInductionVar())};
  mapResults(op.getRegionIterArgs(), loop.getRegionIterArgs());
  return emitBlock(*op.getBody());
}

LogicalResult ThreadEmitter::emitIf(scf::IfOp op) {
  auto branch = scf::IfOp::create(b, expandTypes(op.getResultTypes()), scalarOf(op.getCondition()),
                                  /*addThenBlock=*/true, /*addElseBlock=*/!op.getElseRegion().empty());
  for (auto [from, to] : {std::pair(&op.getThenRegion(), &branch.getThenRegion()),
                          std::pair(&op.getElseRegion(), &branch.getElseRegion())}) {
    if (from->empty())
      continue;
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(&to->front());
    if (failed(emitBlock(from->front())))
      return failure();
  }
  mapResults(op.getResults(), branch.getResults());
  return success();
}

/// A warp goes the way of its rows, all lanes together: folds over lanes stay possible.
LogicalResult ThreadEmitter::emitUnlikely(tile::UnlikelyOp op) {
  ArrayRef<Value> conditions = valuesOf(op.getCondition());
  Value isAny = conditions.front();
  for (Value each : conditions.drop_front())
    isAny = arith::OrIOp::create(b, isAny, each);
  isAny = anyOfWarp(isAny);
  // Before the branch: what stands on the way that is usually taken hides behind nothing.
  SmallVector<Value> otherwise = flatten(op.getOtherwise());
  auto branch = scf::IfOp::create(b, expandTypes(op.getResultTypes()), isAny, /*addThenBlock=*/true,
                                  /*addElseBlock=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(branch.elseBlock());
  scf::YieldOp::create(b, otherwise);
  b.setInsertionPointToEnd(branch.thenBlock());
  if (failed(emitBlock(op.getBody().front())))
    return failure();
  b.setInsertionPointAfter(branch);
  mapResults(op.getResults(), branch.getResults());
  return success();
}

LogicalResult ThreadEmitter::emitScalar(Operation *op) {
  IRMapping mapping;
  for (Value operand : op->getOperands())
    mapping.map(operand, scalarOf(operand));
  Operation *copy = b.clone(*op, mapping);
  mapResults(op->getResults(), copy->getResults());
  return success();
}

LogicalResult ThreadEmitter::emitOp(Operation *op) {
  b.setLoc(op->getLoc());
  if (isa<tile::EndOp>(op))
    return success();
  if (auto produce = dyn_cast<ProduceOp>(op))
    return role == Role::Producer ? emitBlock(produce.getBody().front()) : success();
  if (isa<EarlyOp>(op)) // before all programs: emitEarly
    return success();
  if (isa<scf::YieldOp, tile::YieldOp>(op)) {
    scf::YieldOp::create(b, flatten(op->getOperands()));
    return success();
  }
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return emitFor(loop);
  if (auto branch = dyn_cast<scf::IfOp>(op))
    return emitIf(branch);
  if (isa<tile::StridedOp>(op)) {
    (void)viewOf(op->getResult(0));
    return success();
  }
  if (auto dimension = dyn_cast<tile::DimOp>(op)) {
    OpFoldResult size = viewOf(dimension.getView()).sizes[dimension.getAxis()];
    values[op->getResult(0)] = {isa<Value>(size) ? cast<Value>(size) : index(*getConstantIntValue(size))};
    return success();
  }
  if (auto constant = dyn_cast<arith::ConstantOp>(op); constant && isTile(constant.getType())) {
    auto dense = cast<DenseElementsAttr>(constant.getValue());
    if (!dense.isSplat())
      return op->emitOpError("has different elements; a tile's constant is one value");
    auto value = dense.getSplatValue<TypedAttr>();
    if (value.getType().isIndex())
      value = b.getI32IntegerAttr(cast<IntegerAttr>(value).getInt());
    values[op->getResult(0)].assign(layoutOf(constant.getType()).getNumRegisters(),
                                    arith::ConstantOp::create(b, value).getResult());
    return success();
  }
  if (auto splat = dyn_cast<tensor::SplatOp>(op)) {
    Value value = scalarOf(splat.getInput());
    if (value.getType().isIndex())
      value = arith::IndexCastOp::create(b, b.getI32Type(), value);
    values[op->getResult(0)].assign(layoutOf(splat.getType()).getNumRegisters(), value);
    return success();
  }
  if (auto extract = dyn_cast<tensor::ExtractOp>(op)) {
    Value value = valuesOf(extract.getTensor()).front();
    values[op->getResult(0)] = {extract.getType().isIndex() ? toIndex(value) : value};
    return success();
  }
  if (auto broadcast = dyn_cast<tile::BroadcastOp>(op)) {
    LayoutAttr from = layoutOf(broadcast.getTile()), to = layoutOf(broadcast.getResult());
    std::map<SmallVector<int64_t>, Value> byPlace;
    for (auto [place, value] : llvm::zip_equal(from.registerPlaces(), valuesOf(broadcast.getTile())))
      byPlace[place] = value;
    SmallVector<Value> results;
    for (ArrayRef<int64_t> place : to.registerPlaces())
      results.push_back(
          byPlace.at(llvm::map_to_vector(broadcast.getDims(), [&](int64_t dimension) { return place[dimension]; })));
    values[op->getResult(0)] = results;
    return success();
  }
  if (auto trans = dyn_cast<tile::TransOp>(op)) {
    std::map<SmallVector<int64_t>, Value> byPlace;
    for (auto [place, value] : llvm::zip_equal(layoutOf(trans.getTile()).registerPlaces(), valuesOf(trans.getTile()))) {
      SmallVector<int64_t> moved;
      for (int64_t dimension : trans.getPermutation())
        moved.push_back(place[dimension]);
      byPlace[moved] = value;
    }
    SmallVector<Value> results;
    for (const SmallVector<int64_t> &place : layoutOf(trans.getResult()).registerPlaces())
      results.push_back(byPlace.at(place));
    values[op->getResult(0)] = results;
    return success();
  }
  if (auto shared = dyn_cast<tile::ReduceScatterOp>(op))
    return emitReduceScatter(shared);
  if (auto shared = dyn_cast<tile::ReduceToLastOp>(op))
    return emitReduceToLast(shared);
  if (auto gather = dyn_cast<tile::GatherToLastOp>(op))
    return emitGatherToLast(gather);
  if (auto iota = dyn_cast<tile::IotaOp>(op))
    return emitIota(iota);
  if (auto reduce = dyn_cast<tile::ReduceOp>(op))
    return emitReduce(reduce);
  if (auto scan = dyn_cast<tile::ScanOp>(op))
    return emitScan(scan);
  if (auto any = dyn_cast<tile::AnyOp>(op)) {
    values[any.getResult()] = {anyOf(any.getTile())};
    return success();
  }
  if (auto load = dyn_cast<tile::LoadOp>(op))
    return emitLoad(load);
  if (auto gather = dyn_cast<tile::GatherOp>(op))
    return emitGather(gather);
  if (auto store = dyn_cast<tile::StoreOp>(op))
    return emitStore(store);
  if (auto reshape = dyn_cast<tile::ReshapeOp>(op); reshape && isInPlace(reshape)) {
    values[op->getResult(0)] = llvm::to_vector(valuesOf(reshape.getTile()));
    return success();
  }
  if (isa<tile::ReshapeOp, RelayoutOp>(op))
    return emitRelayout(op, op->getOperand(0), op->getResult(0));
  if (auto dot = dyn_cast<warp::DotOp>(op))
    return emitDot(dot);
  if (auto store = dyn_cast<warp::StoreOp>(op))
    return emitAsyncStore(store);
  if (auto unlikely = dyn_cast<tile::UnlikelyOp>(op))
    return emitUnlikely(unlikely);
  if (auto redo = dyn_cast<tile::RedoOp>(op))
    return emitRedo(redo);
  if (auto partial = dyn_cast<PartialReduceOp>(op)) {
    values[op->getResult(0)] = foldRegisters(partial.getTile(), partial.getAxis(), partial.getFold());
    return success();
  }
  if (isa<TurnWaitOp, TurnPassOp>(op)) {
    emitTurn(isa<TurnWaitOp>(op), warpgroup());
    return success();
  }
  if (isa<WarpDialect>(op->getDialect()))
    return emitRing(op);
  if (OpTrait::hasElementwiseMappableTraits(op) && op->getNumResults() == 1 && isTile(op->getResult(0).getType()))
    return emitPointwise(op);
  bool isScalar = op->getNumRegions() == 0 && llvm::none_of(op->getOperandTypes(), isTile) &&
                  llvm::none_of(op->getResultTypes(), isTile);
  if (!isScalar)
    return op->emitOpError("has no form for one thread; the kernel can go the general path");
  return emitScalar(op);
}

LogicalResult ThreadEmitter::emitBlock(Block &block) {
  for (Operation &op : block)
    if (failed(emitOp(&op)))
      return failure();
  return success();
}
