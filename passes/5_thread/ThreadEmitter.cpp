// The function, and what is expanded register by register: structure, arithmetic, changes of shape.
#include "passes/5_thread/ThreadEmitter.h"

#include "dialects/Ptx/Ptx.h"
#include "lib/Analysis/TileBounds.h"
#include "lib/Arithmetic/Lanes.h"
#include "lib/Arithmetic/MathPolynomials.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <map>

using namespace mlir;
using namespace tenon;
using namespace tenon::warp;

ThreadEmitter::ThreadEmitter(tile::KernelOp kernel, ImplicitLocOpBuilder &b)
    : kernel(kernel), b(b), schedule(kernel->getAttrOfType<ScheduleAttr>("warp.schedule")) {
  kernel.walk([&](Operation *op) {
    if (!isa<tile::StoreOp, warp::StoreOp>(op))
      return;
    hasAsyncStores |= isa<warp::StoreOp>(op);
    Value view = op->getOperand(1);
    while (auto strided = view.getDefiningOp<tile::StridedOp>())
      view = strided.getBase();
    written.insert(view);
    Type element = cast<RankedTensorType>(op->getOperand(0).getType()).getElementType();
    isApproximate &= isa<FloatType>(element) && element.getIntOrFloatBitWidth() <= 16;
    isCoarse &= isApproximate && cast<FloatType>(element).getFPMantissaWidth() <= 8;
  });
}

/// SMs of an H100 or H200 (SXM); fewer take turns, on more some stay idle.
static constexpr int64_t numResidentPrograms = 132;

static bool isTile(Type type) { return isa<RankedTensorType>(type); }

/// Elements of a tile in registers. Positions are i32: no dimension of a kernel's views has 2^31 elements (the runtime
/// refuses larger ones).
static Type registerType(Type element) {
  return element.isIndex() ? Type(IntegerType::get(element.getContext(), 32)) : element;
}

/// Floats of 16 bits are handed on in pairs, as Tensor Cores take them: one by one each would have a register.
static bool isInPairs(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && isa<FloatType>(tensor.getElementType()) && tensor.getElementTypeBitWidth() == 16 &&
         layoutOf(type).getNumRegisters() % 2 == 0;
}

SmallVector<Type> ThreadEmitter::expandTypes(TypeRange types) {
  SmallVector<Type> expanded;
  for (Type type : types) {
    if (isInPairs(type))
      expanded.append(layoutOf(type).getNumRegisters() / 2, b.getI32Type());
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
    bool isPaired = isInPairs(old.getType());
    size_t count = isTile(old.getType()) ? layoutOf(old).getNumRegisters() / (isPaired ? 2 : 1) : 1;
    SmallVector<Value> list(news.slice(next, count));
    next += count;
    if (isPaired) {
      Type element = cast<RankedTensorType>(old.getType()).getElementType();
      SmallVector<Value> single;
      for (Value word : list)
        single.append(unpack(LLVM::BitcastOp::create(b, VectorType::get(2, element), word), element, 2));
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
    if (!isInPairs(value.getType())) {
      llvm::append_range(flat, single);
      continue;
    }
    Type element = cast<RankedTensorType>(value.getType()).getElementType();
    for (size_t number = 0; number < single.size(); number += 2)
      flat.push_back(LLVM::BitcastOp::create(b, b.getI32Type(), pack(single.slice(number, 2), element)));
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

/// Two neighbours are rounded by one instruction.
static SmallVector<Value> truncatePairs(ImplicitLocOpBuilder &b, ArrayRef<Value> from, Type to) {
  auto wide = VectorType::get(2, from.front().getType()), narrow = VectorType::get(2, to);
  Value zero = LLVM::ConstantOp::create(b, b.getI32Type(), 0), one = LLVM::ConstantOp::create(b, b.getI32Type(), 1);
  SmallVector<Value> results;
  for (size_t index = 0; index < from.size(); index += 2) {
    Value pair = LLVM::PoisonOp::create(b, wide);
    pair = LLVM::InsertElementOp::create(b, pair, from[index], zero);
    pair = LLVM::InsertElementOp::create(b, pair, from[index + 1], one);
    Value rounded = arith::TruncFOp::create(b, narrow, pair);
    results.push_back(LLVM::ExtractElementOp::create(b, rounded, zero));
    results.push_back(LLVM::ExtractElementOp::create(b, rounded, one));
  }
  return results;
}

Value ThreadEmitter::approximate(Operation *op, ArrayRef<Value> operands) {
  Value operand = operands.front();
  if (!isApproximate || !operand.getType().isF32())
    return {};
  auto constant = [&](float value) { return arith::ConstantOp::create(b, b.getF32FloatAttr(value)).getResult(); };
  constexpr float log2OfE = 1.44269504f;
  if (isa<math::Exp2Op>(op))
    return ptx::Ex2Op::create(b, b.getF32Type(), operand);
  if (isa<math::ExpOp>(op))
    return ptx::Ex2Op::create(b, b.getF32Type(), arith::MulFOp::create(b, operand, constant(log2OfE)));
  if (isa<arith::DivFOp>(op))
    return ptx::DivFullOp::create(b, b.getF32Type(), operand, operands.back());
  if (isa<math::TanhOp>(op) && isCoarse)
    return ptx::TanhOp::create(b, b.getF32Type(), operand);
  if (isa<math::ErfOp>(op) && isCoarse) {
    // tanh(x (c + d x^2)), a fit within 2^-11.8, and as much for the instruction.
    Value square = arith::MulFOp::create(b, operand, operand);
    Value factor = math::FmaOp::create(b, square, constant(0.09979271f), constant(1.12967582f));
    return ptx::TanhOp::create(b, b.getF32Type(), arith::MulFOp::create(b, operand, factor));
  }
  if (isa<math::ErfOp>(op)) {
    Lanes lanes(b, operand.getType());
    return shortErfPolynomial(lanes, operand);
  }
  return {};
}

LogicalResult ThreadEmitter::emitPointwise(Operation *op) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  Type element = registerType(type.getElementType());
  int64_t count = layoutOf(type).getNumRegisters();
  SmallVector<Value> results;
  if (isa<arith::TruncFOp>(op) && (element.isF16() || element.isBF16()) && count % 2 == 0 &&
      cast<RankedTensorType>(op->getOperand(0).getType()).getElementType().isF32()) {
    results = truncatePairs(b, valuesOf(op->getOperand(0)), element);
  } else if (isa<arith::IndexCastOp, arith::IndexCastUIOp>(op)) {
    // Positions are i32 here, so that this is a change of width.
    for (Value value : valuesOf(op->getOperand(0))) {
      unsigned from = value.getType().getIntOrFloatBitWidth(), to = element.getIntOrFloatBitWidth();
      if (from < to)
        value = isa<arith::IndexCastOp>(op) ? arith::ExtSIOp::create(b, element, value).getResult()
                                            : arith::ExtUIOp::create(b, element, value).getResult();
      else if (from > to)
        value = arith::TruncIOp::create(b, element, value);
      results.push_back(value);
    }
  } else {
    for (int64_t index = 0; index < count; ++index) {
      SmallVector<Value> operands;
      for (Value operand : op->getOperands())
        operands.push_back(isTile(operand.getType()) ? valuesOf(operand)[index] : scalarOf(operand));
      if (Value value = approximate(op, operands)) {
        results.push_back(value);
        continue;
      }
      OperationState state(b.getLoc(), op->getName(), operands, element, op->getAttrs());
      results.push_back(b.create(state)->getResult(0));
    }
  }
  values[op->getResult(0)] = results;
  return success();
}

LogicalResult ThreadEmitter::emitRescale(RescaleOp op) {
  ArrayRef<Value> tile = valuesOf(op.getTile()), factors = valuesOf(op.getFactor()), where = valuesOf(op.getWhere());
  std::map<int64_t, size_t> byRow;
  for (auto [number, place] : llvm::enumerate(layoutOf(op.getFactor()).registerPlaces()))
    byRow[place[0]] = number;
  Value isAny = where.front();
  for (Value each : where.drop_front())
    isAny = arith::OrIOp::create(b, isAny, each);
  isAny = NVVM::VoteSyncOp::create(b, b.getI1Type(), i32(-1), isAny, NVVM::VoteSyncKind::any);
  Type element = tile.front().getType();
  auto branch = scf::IfOp::create(b, SmallVector<Type>(tile.size(), element), isAny, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, tile);
  b.setInsertionPointToStart(branch.thenBlock());
  Value one = arith::ConstantOp::create(b, b.getFloatAttr(element, 1));
  SmallVector<Value> perRow, scaled;
  for (auto [factor, isNeeded] : llvm::zip_equal(factors, where))
    perRow.push_back(arith::SelectOp::create(b, isNeeded, factor, one));
  for (auto [value, place] : llvm::zip_equal(tile, layoutOf(op.getTile()).registerPlaces()))
    scaled.push_back(arith::MulFOp::create(b, value, perRow[byRow.at(place[0])]));
  scf::YieldOp::create(b, scaled);
  values[op.getResult()] = llvm::to_vector(ValueRange(branch.getResults()));
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
  if (isa<scf::YieldOp>(op)) {
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
  if (auto iota = dyn_cast<tile::IotaOp>(op))
    return emitIota(iota);
  if (auto reduce = dyn_cast<tile::ReduceOp>(op))
    return emitReduce(reduce);
  if (auto scan = dyn_cast<tile::ScanOp>(op))
    return emitScan(scan);
  if (auto load = dyn_cast<tile::LoadOp>(op))
    return emitLoad(load);
  if (auto gather = dyn_cast<tile::GatherOp>(op))
    return emitGather(gather);
  if (auto store = dyn_cast<tile::StoreOp>(op))
    return emitStore(store);
  if (isa<tile::ReshapeOp, RelayoutOp>(op))
    return emitRelayout(op, op->getOperand(0), op->getResult(0));
  if (auto dot = dyn_cast<warp::DotOp>(op))
    return emitDot(dot);
  if (auto store = dyn_cast<warp::StoreOp>(op))
    return emitAsyncStore(store);
  if (auto rescale = dyn_cast<RescaleOp>(op))
    return emitRescale(rescale);
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

//===--- the function --------------------------------------------------------------------------------------------===//

/// In 32 bits: there are fewer programs than 2^31.
SmallVector<Value> ThreadEmitter::gridExtents(tile::GridOp grid) {
  return llvm::map_to_vector(grid.getExtents(), [&](Value extent) {
    return b.createOrFold<arith::IndexCastOp>(b.getI32Type(), scalarOf(extent));
  });
}

/// Groups of places along the other axes; of a group all that are the last along `longest`, then those before.
void ThreadEmitter::emitOrderedGrid(tile::GridOp grid, OrderAttr order, Value number) {
  ValueRange numbers = grid.getBody().getArguments();
  SmallVector<Value> extents = gridExtents(grid);
  Value length = extents[order.getLongest()], others = i32(1);
  for (auto [axis, extent] : llvm::enumerate(extents))
    if (int64_t(axis) != order.getLongest())
      others = b.createOrFold<arith::MulIOp>(others, extent);
  Value groupSize = mul(length, order.getGroup());
  Value first = mul(b.createOrFold<arith::DivUIOp>(number, groupSize), order.getGroup());
  Value inGroup = b.createOrFold<arith::RemUIOp>(number, groupSize);
  Value size = i32(order.getGroup()); // the last group may be smaller
  if (std::optional<int64_t> all = getConstantIntValue(others); !all || *all % order.getGroup() != 0)
    size = arith::MinUIOp::create(b, arith::SubIOp::create(b, others, first), size);
  Value fromEnd = b.createOrFold<arith::DivUIOp>(inGroup, size);
  Value last = b.createOrFold<arith::SubIOp>(length, i32(1));
  values[numbers[order.getLongest()]] = {toIndex(arith::SubIOp::create(b, last, fromEnd))};
  Value rest = add(first, b.createOrFold<arith::RemUIOp>(inGroup, size));
  for (int64_t axis = extents.size() - 1; axis >= 0; --axis) {
    if (axis == order.getLongest())
      continue;
    values[numbers[axis]] = {toIndex(b.createOrFold<arith::RemUIOp>(rest, extents[axis]))};
    rest = b.createOrFold<arith::DivUIOp>(rest, extents[axis]);
  }
}

/// The number of a program along each axis, from the CTA's. The last axis counts fastest; of a product's rows and
/// columns, groups of rows take turns, so that programs that run at the same time share operands in the L2 cache.
void ThreadEmitter::emitGrid(tile::GridOp grid, Value rest) {
  if (auto order = kernel->getAttrOfType<OrderAttr>("warp.order"); order && hasProducer)
    return emitOrderedGrid(grid, order, rest);
  constexpr int64_t rowsPerGroup = 8;
  ValueRange numbers = grid.getBody().getArguments();
  SmallVector<Value> extents = gridExtents(grid);
  int64_t rank = extents.size();
  auto isOne = [](Value extent) { return getConstantIntValue(extent) == 1; };
  bool isGrouped = hasTensorCore && rank >= 2 && !isOne(extents[rank - 1]) && !isOne(extents[rank - 2]);
  int64_t inner = isGrouped ? rank - 2 : rank;
  if (isGrouped) {
    Value rows = extents[rank - 2], columns = extents[rank - 1];
    Value plane = b.createOrFold<arith::MulIOp>(rows, columns);
    Value place = inner > 0 ? arith::RemUIOp::create(b, rest, plane).getResult() : rest;
    if (inner > 0)
      rest = arith::DivUIOp::create(b, rest, plane);
    Value groupSize = mul(columns, rowsPerGroup);
    Value firstRow = mul(arith::DivUIOp::create(b, place, groupSize), rowsPerGroup);
    Value inGroup = arith::RemUIOp::create(b, place, groupSize);
    Value height = arith::MinUIOp::create(b, arith::SubIOp::create(b, rows, firstRow), i32(rowsPerGroup));
    values[numbers[rank - 2]] = {toIndex(add(firstRow, arith::RemUIOp::create(b, inGroup, height)))};
    values[numbers[rank - 1]] = {toIndex(arith::DivUIOp::create(b, inGroup, height))};
  }
  for (int64_t axis = inner - 1; axis >= 0; --axis) {
    if (isOne(extents[axis])) {
      values[numbers[axis]] = {index(0)};
    } else if (llvm::all_of(ArrayRef(extents).take_front(axis), isOne)) {
      values[numbers[axis]] = {toIndex(rest)};
    } else {
      values[numbers[axis]] = {toIndex(arith::RemUIOp::create(b, rest, extents[axis]))};
      rest = arith::DivUIOp::create(b, rest, extents[axis]);
    }
  }
}

LogicalResult ThreadEmitter::emit() {
  MLIRContext *context = b.getContext();
  Type global = LLVM::LLVMPointerType::get(context, 1);
  SmallVector<Type> arguments(kernel.getArgumentTypes().size(), global);
  int64_t numDims = 0;
  for (Type type : kernel.getArgumentTypes())
    for (int64_t d = 0; d < cast<tile::ViewType>(type).getRank(); ++d)
      numDims += cast<tile::ViewType>(type).isDynamicDim(d);
  arguments.append(numDims, b.getI64Type());
  arguments.push_back(global); // the workspace
  hasProducer = !kernel.getGrid().getBody().getOps<ProduceOp>().empty();
  if (failed(planTensorMaps()))
    return failure();
  unsigned firstMap = arguments.size();
  arguments.append(tensorMaps.size(), LLVM::LLVMPointerType::get(context));
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(context), arguments);
  function = LLVM::LLVMFuncOp::create(b, kernel.getSymName(), type);
  // Operands and results are aligned, and do not overlap.
  for (unsigned number = 0; number < kernel.getArgumentTypes().size(); ++number) {
    function.setArgAttr(number, LLVM::LLVMDialect::getAlignAttrName(), b.getI64IntegerAttr(16));
    function.setArgAttr(number, LLVM::LLVMDialect::getNoAliasAttrName(), b.getUnitAttr());
  }
  auto mapType = LLVM::LLVMArrayType::get(b.getI8Type(), 128);
  for (unsigned number = firstMap; number < arguments.size(); ++number) {
    function.setArgAttr(number, LLVM::LLVMDialect::getByValAttrName(), TypeAttr::get(mapType));
    function.setArgAttr(number, LLVM::LLVMDialect::getAlignAttrName(), b.getI64IntegerAttr(64));
    function.setArgAttr(number, NVVM::NVVMDialect::getGridConstantAttrName(), b.getUnitAttr());
  }
  int64_t numThreads = 32 * (schedule.getNumWarps() + (hasProducer ? 4 : 0)); // registers are shared out to warpgroups
  function->setAttr(NVVM::NVVMDialect::getKernelFuncAttrName(), b.getUnitAttr());
  function->setAttr("nvvm.reqntid", b.getDenseI32ArrayAttr({int32_t(numThreads), 1, 1}));
  function->setAttr("tenon.block", b.getDenseI64ArrayAttr({numThreads, 1, 1}));

  OpBuilder::InsertionGuard guard(b);
  Block *entry = function.addEntryBlock(b);
  b.setInsertionPointToStart(entry);
  for (BlockArgument argument : entry->getArguments().slice(kernel.getArgumentTypes().size(), numDims))
    dims.push_back(argument);
  thread = NVVM::ThreadIdXOp::create(b, b.getI32Type());
  lane = arith::AndIOp::create(b, thread, i32(31));
  warpNumber = arith::ShRUIOp::create(b, thread, i32(5));
  if (hasProducer)
    warpNumber = uniformOf(warpNumber);
  planSharedMemory();
  // What is needed all over the program is computed here, so that it is at hand everywhere.
  entryEnd = LLVM::ReturnOp::create(b, ValueRange());
  b.setInsertionPoint(entryEnd);
  kernel.walk([&](warp::DotOp dot) {
    hasWgmma |= isa<WgmmaAttr>(Attribute(dot.getAtom()));
    hasTensorCore |= !isa<FmaAttr>(Attribute(dot.getAtom()));
  });
  tile::GridOp grid = kernel.getGrid();
  for (Operation &op : kernel.getBody().front()) {
    if (&op == grid && hasProducer) {
      if (failed(emitRoles(grid)))
        return failure();
    } else if (&op == grid) {
      emitGrid(grid, NVVM::BlockIdXOp::create(b, b.getI32Type()));
      if (failed(emitBlock(grid.getBody().front())))
        return failure();
    } else if (failed(emitOp(&op))) {
      return failure();
    }
  }
  AffineExpr programs = getAffineConstantExpr(1, context), one = programs;
  for (Value extent : grid.getExtents()) {
    AffineExpr size = sizeExprOf(kernel, extent);
    if (!size)
      return grid.emitOpError("has an extent that is not computed from the kernel's sizes");
    programs = programs * size;
  }
  for (NamedAttribute attribute : kernel->getDiscardableAttrs())
    if (attribute.getName() != "warp.schedule" && attribute.getName() != "warp.order")
      function->setAttr(attribute.getName(), attribute.getValue());
  // A CTA for each SM of the largest GPU of the kind; each takes programs until there are none.
  if (hasProducer)
    programs = getAffineConstantExpr(numResidentPrograms, context);
  if (!tensorMaps.empty())
    function->setAttr("tenon.tensor_maps", b.getArrayAttr(tensorMaps));
  function->setAttr("tenon.grid", AffineMapAttr::get(AffineMap::get(0, numDims, {programs, one, one}, context)));
  function->setAttr("tenon.shared_bytes", b.getI64IntegerAttr(sharedPlan.getBytes()));
  // The counter that CTAs take programs from, zero at the start.
  auto bytes = [&](int64_t count) {
    return AffineMapAttr::get(AffineMap::get(0, numDims, getAffineConstantExpr(count, context)));
  };
  bool isCounted = hasProducer && kernel->hasAttr("warp.order");
  function->setAttr("tenon.scratch_bytes", bytes(isCounted ? 4 : 0));
  if (isCounted)
    function->setAttr("tenon.zeroed_bytes", bytes(4));
  if (hasTensorCore)
    function->setAttr("tenon.tensor_core", b.getUnitAttr());
  return success();
}
