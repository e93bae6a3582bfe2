// The function of one thread: its arguments, which programs it runs, and what its launch needs.
#include "passes/5_thread/KernelCounters.h"
#include "passes/5_thread/ThreadEmitter.h"

#include "lib/Analysis/ThreadRegisters.h"
#include "lib/Analysis/TileBounds.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::warp;

ThreadEmitter::ThreadEmitter(tile::KernelOp kernel, const GpuArch &arch, ImplicitLocOpBuilder &b)
    : kernel(kernel), b(b), schedule(kernel->getAttrOfType<ScheduleAttr>("warp.schedule")),
      cluster(kernel->getAttrOfType<ClusterAttr>("warp.cluster")), hasFloat8(arch.rates.tensorF8 > 0) {
  kernel.walk([&](CopyOp copy) { hasMulticast |= copy.getMulticast(); });
  kernel.walk([&](Operation *op) {
    if (!isa<tile::StoreOp, warp::StoreOp>(op))
      return;
    hasAsyncStores |= isa<warp::StoreOp>(op);
    Value view = op->getOperand(1);
    while (auto strided = view.getDefiningOp<tile::StridedOp>())
      view = strided.getBase();
    written.insert(view);
    Type element = cast<RankedTensorType>(op->getOperand(0).getType()).getElementType();
    auto number = dyn_cast<FloatType>(element);
    resultPrecision = std::max(resultPrecision, number ? number.getFPMantissaWidth() : exactPrecision);
  });
}

/// In 32 bits: there are fewer programs than 2^31. Those that a cluster carries out together count as one.
SmallVector<Value> ThreadEmitter::gridExtents(tile::GridOp grid) {
  SmallVector<Value> extents = llvm::map_to_vector(grid.getExtents(), [&](Value extent) {
    return b.createOrFold<arith::IndexCastOp>(b.getI32Type(), scalarOf(extent));
  });
  if (cluster)
    extents[cluster.getAxis()] = perCluster(extents[cluster.getAxis()]);
  return extents;
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
  const int64_t rowsPerGroup = cluster ? 8 / cluster.getSize() : 8;
  ValueRange numbers = grid.getBody().getArguments();
  SmallVector<Value> extents = gridExtents(grid);
  int64_t rank = extents.size();
  auto isOne = [](Value extent) { return getConstantIntValue(extent) == 1; };
  if (cluster && cluster.getAxis() == rank - 1 && rank > 2 && isOne(extents.back())) // parts of one sum
    values[numbers[--rank]] = {index(0)};
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
  if (cluster) {
    Value &number = values[numbers[cluster.getAxis()]].front();
    number = add(mul(number, cluster.getSize()), toIndex(clusterRank));
  }
}

/// Counters of loops, elements of index tiles and coordinates of TMA have 32 bits. Where a kernel has one of them, no
/// dimension of its views may have 2^31 elements: known sizes are checked here, the others by the runtime.
LogicalResult ThreadEmitter::limitSizes(int64_t numDims) {
  constexpr int64_t limit = int64_t(1) << 31;
  bool counts = hasProducer;
  kernel.walk([&](Operation *op) {
    counts |= isa<scf::ForOp>(op) || llvm::any_of(op->getResultTypes(), [](Type type) {
                return isa<RankedTensorType>(type) && getElementTypeOrSelf(type).isIndex();
              });
  });
  if (!counts)
    return success();
  llvm::SetVector<AffineExpr> sizes;
  auto addSizes = [&](Value view) {
    if (std::optional<ViewMemory> memory = memoryOf(kernel, view))
      sizes.insert(memory->sizes.begin(), memory->sizes.end());
  };
  llvm::for_each(kernel.getBody().getArguments(), addSizes);
  kernel.walk([&](tile::StridedOp view) { addSizes(view); });
  SmallVector<AffineExpr> atCall;
  for (AffineExpr size : sizes) {
    auto known = dyn_cast<AffineConstantExpr>(size);
    if (known && known.getValue() >= limit)
      return kernel.emitOpError("has a dimension of ") << known.getValue() << " elements, which its loops count in 32 "
                                                       << "bits: 2^31 - 1 at most; split the dimension in the model";
    if (!known)
      atCall.push_back(size);
  }
  if (!atCall.empty())
    function->setAttr("tenon.counted_sizes", AffineMapAttr::get(AffineMap::get(0, numDims, atCall, b.getContext())));
  return success();
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
  hasProducer = tenon::hasProducer(kernel);
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
  int64_t numThreads = threadsOf(kernel);
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
  ctaWarp = warpNumber;
  if (schedule.getTeams() > 1) {
    team = arith::DivUIOp::create(b, warpNumber, i32(schedule.getNumWarps()));
    warpNumber = arith::RemUIOp::create(b, warpNumber, i32(schedule.getNumWarps()));
  }
  if (cluster)
    clusterRank = arith::RemUIOp::create(b, NVVM::BlockIdXOp::create(b, b.getI32Type()), i32(cluster.getSize()));
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
      if (cluster) {
        initBarriers();
        awaitPeers();
      }
      emitGrid(grid, perCluster(NVVM::BlockIdXOp::create(b, b.getI32Type())));
      if (failed(emitBlock(grid.getBody().front())))
        return failure();
      if (cluster) // others may still arrive at barriers of a CTA that is done
        clusterBarrier();
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
    if (!isa<WarpDialect>(attribute.getValue().getDialect()))
      function->setAttr(attribute.getName(), attribute.getValue());
  std::string carriedOut; // for who reads the launch plan
  llvm::raw_string_ostream(carriedOut) << schedule;
  function->setAttr("tenon.warps", b.getStringAttr(carriedOut));
  if (cluster)
    function->setAttr("tenon.cluster", b.getDenseI64ArrayAttr({cluster.getSize(), 1, 1}));
  // A CTA takes programs until there are none, so that as many as run at a time do.
  if (hasProducer)
    function->setAttr("tenon.one_wave", b.getI64IntegerAttr(schedule.getResident()));
  if (failed(limitSizes(numDims)))
    return failure();
  if (!tensorMaps.empty())
    function->setAttr("tenon.tensor_maps", b.getArrayAttr(tensorMaps));
  function->setAttr("tenon.grid", AffineMapAttr::get(AffineMap::get(0, numDims, {programs, one, one}, context)));
  function->setAttr("tenon.shared_bytes", b.getI64IntegerAttr(sharedPlan.getBytes()));
  auto bytes = [&](AffineExpr words) { return AffineMapAttr::get(AffineMap::get(0, numDims, words * 4)); };
  function->setAttr("tenon.scratch_bytes", bytes(scratchWords(programs)));
  if (hasProducer && kernel->hasAttr("warp.order"))
    function->setAttr("tenon.counter_bytes", b.getI64IntegerAttr(counterBytes));
  setSumMemory(numDims);
  if (hasTensorCore)
    function->setAttr("tenon.tensor_core", b.getUnitAttr());
  if (hasWgmma)
    function->setAttr("tenon.warpgroup_dots", b.getUnitAttr());
  return success();
}
