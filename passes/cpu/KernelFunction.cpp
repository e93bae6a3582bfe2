#include "passes/cpu/KernelFunction.h"

#include "lib/Analysis/UpdatedOperand.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"

using namespace mlir;
using namespace tenon;

/// An empty function beside `old`, and the op before which its prologue goes.
static func::FuncOp makeFunction(func::FuncOp old, Operation *&prologueEnd) {
  OpBuilder builder(old);
  auto made = func::FuncOp::create(builder, old.getLoc(), old.getName(), old.getFunctionType());
  made->setAttrs(old->getAttrs());
  builder.setInsertionPointToStart(made.addEntryBlock());
  prologueEnd = func::ReturnOp::create(builder, old.getLoc());
  return made;
}

KernelFunction::KernelFunction(func::FuncOp tensorForm, int64_t lanes)
    : b(tensorForm.getLoc(), tensorForm.getContext()), points(b, nullptr, lanes, arguments), old(tensorForm) {
  made = makeFunction(old, prologueEnd);
  b.setInsertionPoint(prologueEnd);
  // A marker: what is hoisted goes before it, loops after it.
  prologueEnd = arith::ConstantIndexOp::create(b, 0);
  points.setPrologueEnd(prologueEnd);
  for (auto [from, to] : llvm::zip_equal(old.getArguments(), made.getArguments()))
    arguments[from] = to;
  for (auto write : old.getOps<bufferization::MaterializeInDestinationOp>())
    outputs.push_back({write.getSource(), arguments.lookup(write.getDest())});
  grid = scratchBytes = b.getAffineConstantExpr(0);
}

Value KernelFunction::scratch(ArrayRef<OpFoldResult> shape, Type element) {
  AffineExpr bytes = b.getAffineConstantExpr(element.getIntOrFloatBitWidth() / 8);
  SmallVector<int64_t> staticShape;
  SmallVector<Value> sizes;
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(prologueEnd);
  for (OpFoldResult size : shape) {
    AffineExpr extent = symbolic(size);
    if (!extent)
      return points.fail("a row's size is not an expression of the arguments' sizes");
    bytes = bytes * extent;
    std::optional<int64_t> known = getConstantIntValue(size);
    staticShape.push_back(known.value_or(ShapedType::kDynamic));
    if (!known)
      sizes.push_back(cast<Value>(size));
  }
  SmallVector<Value> dims;
  for (BlockArgument buffer : made.getArguments().drop_back(3)) {
    auto type = cast<MemRefType>(buffer.getType());
    for (int64_t dimension = 0; dimension < type.getRank(); ++dimension)
      if (type.isDynamicDim(dimension))
        dims.push_back(memref::DimOp::create(b, buffer, dimension));
  }
  Value offset = scratchBytes == b.getAffineConstantExpr(0)
                     ? arith::ConstantIndexOp::create(b, 0).getResult()
                     : affine::AffineApplyOp::create(b, AffineMap::get(0, dims.size(), scratchBytes), dims).getResult();
  scratchBytes = scratchBytes + bytes.ceilDiv(64) * 64;
  return memref::ViewOp::create(b, MemRefType::get(staticShape, element), argument(1), offset, sizes);
}

AffineExpr KernelFunction::symbolic(OpFoldResult size) {
  if (std::optional<int64_t> known = getConstantIntValue(size))
    return b.getAffineConstantExpr(*known);
  auto value = dyn_cast<Value>(size);
  Operation *op = value ? value.getDefiningOp() : nullptr;
  if (!op)
    return {};
  if (auto dimension = dyn_cast<memref::DimOp>(op)) {
    int64_t index = *dimension.getConstantIndex();
    Value source = dimension.getSource();
    if (auto argument = dyn_cast<BlockArgument>(source)) {
      unsigned symbol = 0;
      for (BlockArgument buffer : made.getArguments().drop_back(3)) {
        auto type = cast<MemRefType>(buffer.getType());
        for (int64_t d = 0; d < type.getRank(); ++d) {
          if (buffer == argument && d == index)
            return type.isDynamicDim(d) ? b.getAffineSymbolExpr(symbol) : b.getAffineConstantExpr(type.getDimSize(d));
          symbol += type.isDynamicDim(d);
        }
      }
      return {};
    }
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(op);
    if (auto expand = source.getDefiningOp<memref::ExpandShapeOp>())
      return symbolic(expand.getMixedOutputShape()[index]);
    if (auto transpose = source.getDefiningOp<memref::TransposeOp>())
      return symbolic(
          memref::DimOp::create(b, transpose.getIn(), transpose.getPermutation().getDimPosition(index)).getResult());
    if (auto collapse = source.getDefiningOp<memref::CollapseShapeOp>()) {
      AffineExpr product = b.getAffineConstantExpr(1);
      ReassociationIndices joined = collapse.getReassociationIndices()[index];
      for (int64_t from : joined) {
        AffineExpr extent = symbolic(memref::DimOp::create(b, collapse.getSrc(), from).getResult());
        if (!extent)
          return {};
        product = product * extent;
      }
      return product;
    }
    if (auto slice = source.getDefiningOp<memref::SubViewOp>()) {
      llvm::SmallBitVector dropped = slice.getDroppedDims();
      int64_t next = 0;
      for (auto [position, extent] : llvm::enumerate(slice.getMixedSizes()))
        if (!dropped.test(position) && next++ == index)
          return symbolic(extent);
    }
    return {};
  }
  auto both = [&](auto combine) -> AffineExpr {
    AffineExpr l = symbolic(op->getOperand(0)), r = symbolic(op->getOperand(1));
    return l && r ? combine(l, r) : AffineExpr();
  };
  if (isa<arith::MulIOp>(op))
    return both([](AffineExpr l, AffineExpr r) { return l * r; });
  if (isa<arith::AddIOp>(op))
    return both([](AffineExpr l, AffineExpr r) { return l + r; });
  if (isa<arith::CeilDivUIOp>(op) && getConstantIntValue(op->getOperand(1)))
    return both([](AffineExpr l, AffineExpr r) { return l.ceilDiv(r); });
  if (isa<arith::SubIOp>(op))
    return both([](AffineExpr l, AffineExpr r) { return l - r; });
  if (auto apply = dyn_cast<affine::AffineApplyOp>(op)) {
    SmallVector<AffineExpr> operands;
    for (Value operand : apply.getMapOperands()) {
      operands.push_back(symbolic(operand));
      if (!operands.back())
        return {};
    }
    unsigned numDims = apply.getAffineMap().getNumDims();
    return apply.getAffineMap().getResult(0).replaceDimsAndSymbols(ArrayRef(operands).take_front(numDims),
                                                                   ArrayRef(operands).drop_front(numDims));
  }
  return {};
}

Value KernelFunction::openTasks(OpFoldResult items, int64_t perTask) {
  AffineExpr count = symbolic(items);
  if (!count)
    return points.fail("the number of tasks is not an expression of the arguments' sizes");
  grid = count.ceilDiv(perTask);
  Value one = arith::ConstantIndexOp::create(b, 1), share = arith::ConstantIndexOp::create(b, perTask);
  auto all = dyn_cast<Value>(items);
  if (!all)
    all = arith::ConstantIndexOp::create(b, *getConstantIntValue(items));
  auto tasks = scf::ForOp::create(b, first(), last(), one);
  b.setInsertionPointToStart(tasks.getBody());
  if (perTask == 1)
    return tasks.getInductionVar();
  Value begin = arith::MulIOp::create(b, tasks.getInductionVar(), share);
  Value end = arith::MinUIOp::create(b, arith::AddIOp::create(b, begin, share), all);
  auto share_ = scf::ForOp::create(b, begin, end, one);
  b.setInsertionPointToStart(share_.getBody());
  return share_.getInductionVar();
}

void KernelFunction::openSingleTask() {
  grid = b.getAffineConstantExpr(1);
  auto tasks = scf::ForOp::create(b, first(), last(), arith::ConstantIndexOp::create(b, 1));
  b.setInsertionPointToStart(tasks.getBody());
}

SmallVector<Value> KernelFunction::split(Value number, ArrayRef<OpFoldResult> sizes) {
  if (sizes.empty())
    return {};
  if (sizes.size() == 1)
    return {number};
  // Where a size is 0 no task runs; the op still wants positive ones.
  SmallVector<OpFoldResult> basis(sizes);
  for (OpFoldResult &size : basis)
    if (auto known = dyn_cast_or_null<AffineConstantExpr>(symbolic(size)); known && known.getValue() == 0)
      size = b.getIndexAttr(1);
  auto split = affine::AffineDelinearizeIndexOp::create(b, number, basis);
  return SmallVector<Value>(split.getResults());
}

SmallVector<Value>
KernelFunction::overLanes(OpFoldResult size, ValueRange carried,
                          llvm::function_ref<SmallVector<Value>(AffineExpr place, ValueRange carried)> body) {
  int64_t lanes = points.getLanes();
  std::optional<int64_t> known = getConstantIntValue(size);
  Value zero = arith::ConstantIndexOp::create(b, 0), step = arith::ConstantIndexOp::create(b, lanes);
  Value full, all;
  if (known) {
    full = arith::ConstantIndexOp::create(b, *known / lanes * lanes);
  } else {
    all = cast<Value>(size);
    full = arith::SubIOp::create(b, all, arith::RemUIOp::create(b, all, step));
  }
  SmallVector<Value> state(carried);
  if (!known || *known >= lanes) {
    auto loop = scf::ForOp::create(b, zero, full, step, state);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    SmallVector<Value> next = body(points.dim(loop.getInductionVar()) + points.lane(), loop.getRegionIterArgs());
    b.setInsertionPointToEnd(loop.getBody());
    if (!state.empty() || !loop.getBody()->mightHaveTerminator())
      scf::YieldOp::create(b, next);
    state.assign(loop.getResults().begin(), loop.getResults().end());
  }
  if (known && *known % lanes == 0)
    return state;
  // The last, partial vector.
  Value rest = known ? arith::ConstantIndexOp::create(b, *known % lanes).getResult()
                     : arith::SubIOp::create(b, all, full).getResult();
  if (known) {
    points.setMask(rest);
    state = body(points.dim(full) + points.lane(), state);
    points.clearMask();
    return state;
  }
  Value any = arith::CmpIOp::create(b, arith::CmpIPredicate::ne, rest, zero);
  auto branch = scf::IfOp::create(b, ValueRange(state).getTypes(), any, /*withElseRegion=*/!state.empty());
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  points.setMask(rest);
  SmallVector<Value> next = body(points.dim(full) + points.lane(), state);
  points.clearMask();
  b.setInsertionPointToEnd(branch.thenBlock());
  if (state.empty())
    return state;
  scf::YieldOp::create(b, next);
  b.setInsertionPointToEnd(branch.elseBlock());
  scf::YieldOp::create(b, state);
  return SmallVector<Value>(branch.getResults());
}

void KernelFunction::overBlock(Value first, OpFoldResult end, OpFoldResult size,
                               llvm::function_ref<void(AffineExpr point, AffineExpr lane)> body) {
  const int64_t lanes = points.getLanes();
  auto whole = [&] {
    overLanes(size, {}, [&](AffineExpr lane, ValueRange) -> SmallVector<Value> {
      points.openBlock(points.dim(first));
      for (int64_t step = 0; step < lanes; ++step) {
        points.setBlockStep(step);
        body(points.dim(first) + step, lane);
      }
      points.closeBlock();
      return {};
    });
  };
  std::optional<int64_t> known = getConstantIntValue(end);
  if (known && *known % lanes == 0)
    return whole();
  Value limit = getValueOrCreateConstantIndexOp(b, b.getLoc(), end);
  Value next = arith::AddIOp::create(b, first, arith::ConstantIndexOp::create(b, lanes));
  Value isWhole = arith::CmpIOp::create(b, arith::CmpIPredicate::ule, next, limit);
  auto branch = scf::IfOp::create(b, isWhole, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  whole();
  b.setInsertionPointToStart(branch.elseBlock());
  auto loop = scf::ForOp::create(b, first, limit, arith::ConstantIndexOp::create(b, 1));
  b.setInsertionPointToStart(loop.getBody());
  overLanes(size, {}, [&](AffineExpr lane, ValueRange) -> SmallVector<Value> {
    body(points.dim(loop.getInductionVar()), lane);
    return {};
  });
}

void KernelFunction::finish() {
  unsigned symbols = 0;
  for (Type type : made.getFunctionType().getInputs().drop_back(3))
    symbols += cast<MemRefType>(type).getNumDynamicDims();
  auto attribute = [&](AffineExpr expr) {
    return AffineMapAttr::get(AffineMap::get(0, symbols, simplifyAffineExpr(expr, 0, symbols)));
  };
  made->setAttr("tenon.grid", attribute(grid));
  made->setAttr("tenon.scratch_bytes", attribute(scratchBytes));
  if (updated)
    made->setAttr(updatesAttrName, b.getDenseI64ArrayAttr({int64_t(*updated)}));
  old.erase();
}
